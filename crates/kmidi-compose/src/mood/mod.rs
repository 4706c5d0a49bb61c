//! What a text feels.
mod affect;
mod model;
mod named;
mod preset;
mod presets;
mod reading;

pub use affect::{Affect, UnknownAffect};
pub use model::{AffectModel, Opinion};
pub use named::NamedMood;
pub use preset::{AffectPreset, Character, Contour, Dynamics, Feel, Programs, Register, Step};
pub use reading::{Evidence, Mood, TextError};
