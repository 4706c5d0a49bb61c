//! What a song or a recording is made of: key, chords, sections, tempo, tension; what a progression does, and what it
//! could do instead.
//!
//! [`Analysis::of`] tells all of a song's [`NoteView`]; each part can be had alone. [`diagnose`] and [`reharmonise`] work on a
//! [`Progression`] that somebody typed. All is computed from what is given: the same input gives the same result.
//! `[side B]`
//!
//! [`audio`] listens to recordings, [`follow`] to notes as they are played; both may run in the audio callback.
pub mod audio;
mod cadence;
mod chords;
mod diagnose;
mod error;
pub mod follow;
mod function;
mod grid;
mod key;
mod material;
mod notes;
mod progression;
mod quantise;
mod reharmonise;
mod report;
mod sections;
mod sonority;
mod spelling;
mod templates;
mod tempo;
mod tension;
mod text;

pub use cadence::{Cadence, CadenceKind};
pub use diagnose::{Diagnosis, Suggestion, diagnose};
pub use error::AnalysisError;
pub(crate) use function::origin_of;
pub use function::{ChordReading, Function, Origin, borrowed_chords};
pub use key::{KeyEstimate, LocalKey, MAJOR_PROFILE, MINOR_PROFILE, correlation};
pub use notes::{MAX_BARS, NoteView};
pub use progression::{MAX_CHORDS, Progression};
pub use quantise::{GRIDS, GridError, GridValue, Quantise, Quantised};
pub use reharmonise::{Change, MAX_VARIANTS, Reharm, Style, StyleError, Variant, reharmonise};
pub use report::{
    Analysis, ChordSpan, KeyReport, LocalKeyReport, OtherKey, Part, TensionReport, chords_of, key_of,
    sections_of, tempo_of,
};
pub use sections::{Section, SectionKind};
pub use tempo::{TempoReport, TempoSource, heard_tempo};
pub use tension::{BarTension, CurveFit, closest_curve, tension};
pub(crate) use text::count_of_bars;
pub use text::key_name;
