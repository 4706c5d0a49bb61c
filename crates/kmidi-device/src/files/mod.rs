//! Audio files: WAV and FLAC, whole or not at all.

mod atomic;
mod error;
mod quantise;
mod wav;

mod writer;

pub use error::FileError;
pub use quantise::SampleFormat;
pub use writer::{AudioFileWriter, AudioSpec, Container, Written};
