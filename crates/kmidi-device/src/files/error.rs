use std::io;
use std::path::{Path, PathBuf};

/// Why an audio file was not written. Nothing of it is left on disk.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Make room, or choose another disk.
    #[error("{}: the disk is full; nothing was written", path.display())]
    DiskFull {
        /// The file asked for.
        path: PathBuf,
    },
    /// Raise the limit, or choose another file system.
    #[error(
        "{}: files there may not be so large (`ulimit -f` shows and raises the limit); nothing was written",
        path.display()
    )]
    TooLarge {
        /// The file asked for.
        path: PathBuf,
    },
    /// Make the folder first.
    #[error("{}: there is no folder {}", path.display(), folder.display())]
    NoFolder {
        /// The file asked for.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// Choose a place that may be written to.
    #[error("{}: writing there is not permitted", path.display())]
    NotPermitted {
        /// The file asked for.
        path: PathBuf,
    },
    /// Name a regular file.
    #[error("{}: this is not a regular file", path.display())]
    NotAFile {
        /// The file asked for.
        path: PathBuf,
    },
    /// End the name in `.wav` or `.flac`.
    #[error("{}: an audio file's name ends in .wav or .flac", path.display())]
    UnknownContainer {
        /// The file asked for.
        path: PathBuf,
    },
    /// FLAC holds 16 or 24 bit integers, 1 to 8 channels and at least one frame.
    #[error("{}: FLAC cannot hold this: {reason}", path.display())]
    NotForFlac {
        /// The file asked for.
        path: PathBuf,
        /// What is out of its range.
        reason: &'static str,
    },
    /// Anything else that the system answers.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl FileError {
    /// Whether it is what was asked for that is at fault, not the system.
    pub fn is_usage(&self) -> bool {
        matches!(self, FileError::UnknownContainer { .. } | FileError::NotForFlac { .. })
    }

    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileError::DiskFull { path },
            io::ErrorKind::FileTooLarge => FileError::TooLarge { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                FileError::NotPermitted { path }
            }
            io::ErrorKind::IsADirectory => FileError::NotAFile { path },
            _ => FileError::Io { path, source },
        }
    }
}
