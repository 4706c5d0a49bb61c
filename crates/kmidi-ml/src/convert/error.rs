use std::io;
use std::path::PathBuf;

use kmidi_memory::JobError;

/// Why a package cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// It is no package, or another one: its SHA-256 was not compared, or it was damaged afterwards.
    #[error("the package is damaged or is another: {0}; delete it and fetch it again")]
    Package(String),
    /// It cannot be read.
    #[error("the package cannot be read: {0}")]
    Read(#[source] io::Error),
    /// What is made of it cannot be written.
    #[error("{}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not wanted any more, or there is no room for it.
    #[error(transparent)]
    Stopped(#[from] JobError),
}

impl ConvertError {
    /// Reading went wrong: a stream that ends too early or cannot be unpacked is a package that is damaged.
    pub(super) fn reading(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                ConvertError::Package(error.to_string())
            }
            _ => ConvertError::Read(error),
        }
    }
}
