use std::path::PathBuf;

use super::ConversionError;
use crate::model::{ModelError, ModelName};

/// Why a model is not fetched. Every message says what can be done.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is no pip on this machine.
    #[error(
        "python3 with pip gets {package} (`apt install python3-pip`), and it cannot be run: {source}. \
         Or get the package's file elsewhere, and name it with --package"
    )]
    NoPip {
        /// What should be got.
        package: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// pip does not get the package: there may be no network.
    #[error(
        "pip does not get {package}: {said}. Is there a network? The package's file can be got elsewhere, and named \
         with --package"
    )]
    Pip {
        /// What should be got.
        package: String,
        /// The end of what it says.
        said: String,
    },
    /// The package is another one than the catalogue means.
    #[error("the file of {package} has the SHA-256 {found}, expected {expected}: nothing of it is used")]
    Hash {
        /// Which package.
        package: String,
        /// What the catalogue says.
        expected: String,
        /// What was got.
        found: String,
    },
    /// A file cannot be read.
    #[error("{}: {source}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: {source}; nothing was changed", .path.display())]
    Write {
        /// Which, or in which folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The package is no archive, or lacks something.
    #[error("{}: {reason}", .path.display())]
    Package {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The catalogue names a conversion that this program has not.
    #[error(
        "the model {model} needs the conversion {conversion}, which this version does not know: update kmidi"
    )]
    UnknownConversion {
        /// Which.
        model: ModelName,
        /// Its name.
        conversion: String,
    },
    /// What is in the package cannot be converted.
    #[error("the model {model} cannot be made of its package: {source}")]
    Conversion {
        /// Which.
        model: ModelName,
        /// What is wrong.
        source: ConversionError,
    },
    /// What was taken out or made is not what the catalogue says.
    #[error("{0}")]
    Wrong(ModelError),
    /// It is not wanted any more.
    #[error("cancelled")]
    Cancelled,
}
