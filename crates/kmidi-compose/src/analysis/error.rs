use super::notes::MAX_BARS;
use super::progression::MAX_CHORDS;
use crate::theory::ChordError;

/// Why something cannot be analysed. Nothing is wrong with the program: another input helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisError {
    /// A song without a pitched note.
    #[error("there are no notes to analyse (drums have no harmony)")]
    NoNotes,
    /// A song with too many bars.
    #[error("the last note ends in bar {bars}; songs of up to {MAX_BARS} bars are analysed")]
    TooLong {
        /// Bar that the last note ends in.
        bars: u32,
    },
    /// A progression without a chord.
    #[error("there is no chord: write some, such as \"C Am F G\"")]
    NoChords,
    /// A progression with more than [`MAX_CHORDS`] chords.
    #[error("there are more than {MAX_CHORDS} chords: give a part of them")]
    ManyChords,
    /// A text that is no progression.
    #[error(transparent)]
    Unreadable(#[from] ChordError),
}
