use std::path::PathBuf;

use kmidi_memory::BudgetExceeded;

use super::ModelName;

/// Why a model cannot be used. Every message says what can be done.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It has not been fetched.
    #[error("the model {model} is not there (looked for {}): `kmidi models fetch {model}` gets it", .path.display())]
    Missing {
        /// Which.
        model: ModelName,
        /// Where it would lie.
        path: PathBuf,
    },
    /// Its file is not as long as it should be: a copy was interrupted, or it is another file.
    #[error(
        "the model {model} is damaged: {} has {found_bytes} bytes of {expected_bytes}; \
         `kmidi models fetch {model}` gets it again", .path.display()
    )]
    Length {
        /// Which.
        model: ModelName,
        /// Its file.
        path: PathBuf,
        /// What the catalogue says.
        expected_bytes: u64,
        /// What the file has.
        found_bytes: u64,
    },
    /// Its file has the right length and other bytes.
    #[error(
        "the model {model} is damaged: the SHA-256 of {} is {found}, expected {expected}; \
         `kmidi models fetch {model}` gets it again", .path.display()
    )]
    Hash {
        /// Which.
        model: ModelName,
        /// Its file.
        path: PathBuf,
        /// What the catalogue says.
        expected: String,
        /// What the file has.
        found: String,
    },
    /// Its file cannot be read.
    #[error("the model {model}: {}: {source}", .path.display())]
    Read {
        /// Which.
        model: ModelName,
        /// Its file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Its file is what it should be, but cannot be loaded.
    #[error("the model {model} cannot be loaded: {reason}")]
    Load {
        /// Which.
        model: ModelName,
        /// What the runtime says.
        reason: String,
    },
    /// It cannot be run on what it was given.
    #[error("the model {model} cannot be run: {reason}")]
    Run {
        /// Which.
        model: ModelName,
        /// What the runtime says.
        reason: String,
    },
    /// It was given something that is no number, or says so itself.
    #[error("the model {model}: {tensor} has values that are no numbers")]
    NotANumber {
        /// Which.
        model: ModelName,
        /// The input or output.
        tensor: String,
    },
    /// There is no room for it, or for running it.
    #[error(transparent)]
    OverBudget(#[from] BudgetExceeded),
    /// It is not wanted any more.
    #[error("cancelled")]
    Cancelled,
}
