//! What a text feels, and what the music of a feeling is like.
//!
//! [`read`] finds a [`Mood`] in a text; [`Affect::preset`] says what its music is like. Words only: no model, no chance, no
//! network. An [`AffectModel`] can be asked for a second opinion by a [`TherapySession`](crate::plan::TherapySession); a
//! [`LikenessModel`] is one that compares texts with sentences of known feeling.
mod affect;
mod anchors;
mod circumplex;
mod crisis;
mod emotions;
mod lexicon;
mod likeness;
mod model;
mod modifier;
mod named;
mod preset;
mod presets;
mod reader;
mod reading;
mod settle;
mod text;
mod valence;

pub use affect::{Affect, UnknownAffect};
pub use circumplex::{interval_tension, nearest};
pub use crisis::speaks_of_suicide;
pub use emotions::{Emotion, emotions};
pub use likeness::LikenessModel;
pub use model::{AffectModel, Opinion, Place};
pub use modifier::{Intrusion, Modifier};
pub use named::NamedMood;
pub use preset::{AffectPreset, Character, Contour, Dynamics, Feel, Programs, Register, Step};
pub(crate) use reader::Reader;
pub use reader::read;
pub use reading::{Evidence, Mood, SecondOpinion, TextError};
