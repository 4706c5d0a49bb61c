use kmidi_memory::JobError;

use super::ipa::NoPhone;
use crate::SourceError;
use crate::model::ModelError;

/// Why a recording could not be analysed. That it is not good enough is no error: see
/// [`Quality`](super::Quality).
#[derive(Debug, thiserror::Error)]
pub enum PhonemeError {
    /// A model cannot be had or run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The recording cannot be read on.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is not wanted any more.
    #[error("cancelled")]
    Cancelled,
    /// There is not enough memory.
    #[error(transparent)]
    Job(JobError),
    /// The source has another rate than the models.
    #[error("the sound has {found_hz} Hz; the models take 16,000")]
    Rate {
        /// What it has.
        found_hz: u32,
    },
    /// Phones that were given are none.
    #[error(transparent)]
    NoPhone(#[from] NoPhone),
    /// A phone that the model has never heard.
    #[error("the model does not know the phone {phone}")]
    UnknownPhone {
        /// Which.
        phone: String,
    },
    /// The text has no word.
    #[error("there is no word in the text")]
    NoWords,
    /// No letter of a word is one that the model reads.
    #[error("the word {word} is in letters that the model does not read; give its phones with --expect")]
    Unreadable {
        /// Which.
        word: String,
    },
    /// The text is too long.
    #[error("the text has {chars} characters, {most} at most; give it in parts, with the recording of each")]
    TextChars {
        /// How many it has.
        chars: usize,
        /// How many it may have.
        most: usize,
    },
    /// A word is too long.
    #[error("{word}... is longer than a word can be ({most} characters)")]
    WordTooLong {
        /// How it begins.
        word: String,
        /// How long it may be.
        most: usize,
    },
    /// Text and recording together would take too long.
    #[error("the text has {phones} phones, {most} at most for this recording; give both in parts")]
    TextTooLong {
        /// How many it has.
        phones: usize,
        /// How many it may have.
        most: usize,
    },
    /// A recording is compared with a text up to a length.
    #[error(
        "the recording is longer than the {most_seconds} s that can be compared with a text; give both in parts"
    )]
    RecordingTooLong {
        /// How long it may be.
        most_seconds: u64,
    },
    /// The file of symbols is not what it should be.
    #[error("the models' vocabulary cannot be used: {reason}; `kmidi models verify` tells more")]
    Vocabulary {
        /// What is wrong.
        reason: String,
    },
    /// A model says something that its catalogue does not.
    #[error("a model gives other figures than it should; `kmidi models verify` tells more")]
    Shape,
}

impl PhonemeError {
    pub(super) fn shape() -> Self {
        PhonemeError::Shape
    }
}

impl From<JobError> for PhonemeError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Cancelled => PhonemeError::Cancelled,
            other => PhonemeError::Job(other),
        }
    }
}
