//! Music: theory, analysis, and a feeling that becomes a plan that becomes a song. Pure functions: no input or output, and no
//! chance without a seed.
//!
//! - [`theory`]: pitches and their names, scales, keys, chord symbols, Roman numerals, voicings.
//! - [`analysis`]: what a song or a recording is made of: key, chords, sections, tempo.
//! - [`mood`]: what a text feels.
//! - [`plan`]: a mood as a plan of harmony, with the reason for each choice.
//! - [`arrange`]: a plan as a [`Score`].
//! - [`intent`]: what a song is to say, in three phases, and the rules that it breaks for it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod analysis;
pub mod arrange;
pub mod intent;
pub mod mood;
pub mod plan;
mod score;
pub mod theory;

pub use score::{Part, Score};
