use std::io;
use std::path::PathBuf;

use crate::record::SchemaError;

/// Why a log could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// It cannot be read: see that it is there and that you may read it.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be written, and is as it was: make room, or choose another file.
    #[error("{path}: nothing was added: {source}", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy could not be written: make room, or choose another place.
    #[error("{path}: {source}", path = path.display())]
    Copy {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program holds its lock for too long: end that one, or try again.
    #[error("{path}: another program keeps it locked", path = path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// It is a folder, a device or a pipe: choose a file.
    #[error("{path}: this is no file", path = path.display())]
    NoFile {
        /// Which.
        path: PathBuf,
    },
    /// It is a recording, a song or a SoundFont, and is left as it is: choose another file.
    #[error("{path}: this is no log, and is left as it is; choose another file", path = path.display())]
    NoLog {
        /// Which.
        path: PathBuf,
    },
    /// A file of this name is there, and is not replaced: choose another name.
    #[error("{path}: is there already; choose another name", path = path.display())]
    Exists {
        /// Which file.
        path: PathBuf,
    },
    /// A record is not as a record has to be. Nothing was added.
    #[error("record {number}: {reason}")]
    Schema {
        /// Which of those that were to be added, from 1.
        number: usize,
        /// What is wrong.
        reason: SchemaError,
    },
    /// What was read cannot be written on: who reads it may be gone.
    #[error("output: {0}")]
    Output(io::Error),
    /// More than is added at once. Nothing was added: add it in parts.
    #[error("{bytes} bytes to be added at once; {most} are allowed")]
    TooMuch {
        /// So many.
        bytes: u64,
        /// May be.
        most: u64,
    },
}
