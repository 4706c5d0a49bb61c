use std::path::PathBuf;

use kmidi_memory::BudgetExceeded;

use super::ModelName;

/// How files that are not as they should be are had again: those of a copy are made of the model itself.
fn way_back(model: ModelName, is_copy: bool) -> String {
    match is_copy {
        true => format!("`kmidi models quantise {model} -o DIR` makes this copy anew"),
        false => format!("`kmidi models fetch {model}` gets it again"),
    }
}

/// Why a model cannot be used. Every message says what can be done.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It has not been fetched, or what belongs to it is gone.
    #[error("the model {model} is not there (looked for {}): {}", .path.display(), way_back(*.model, *.is_copy))]
    Missing {
        /// Which.
        model: ModelName,
        /// Whether it is a copy with smaller weights.
        is_copy: bool,
        /// Where it would lie.
        path: PathBuf,
    },
    /// Its file is not as long as it should be: a copy was interrupted, or it is another file.
    #[error(
        "the model {model} is damaged: {} has {found_bytes} bytes of {expected_bytes}; {}",
        .path.display(), way_back(*.model, *.is_copy)
    )]
    Length {
        /// Which.
        model: ModelName,
        /// Whether it is a copy with smaller weights.
        is_copy: bool,
        /// Its file.
        path: PathBuf,
        /// What the catalogue says.
        expected_bytes: u64,
        /// What the file has.
        found_bytes: u64,
    },
    /// Its file has the right length and other bytes.
    #[error(
        "the model {model} is damaged: the SHA-256 of {} is {found}, expected {expected}; {}",
        .path.display(), way_back(*.model, *.is_copy)
    )]
    Hash {
        /// Which.
        model: ModelName,
        /// Whether it is a copy with smaller weights.
        is_copy: bool,
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
