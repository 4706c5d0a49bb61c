//! Audio files: WAV and FLAC written, whole or not at all; these, MP3 and Ogg Vorbis read.

mod atomic;
mod error;
mod ogg;
mod quantise;
mod reader;
mod timeline;
mod wav;
mod writer;

pub use error::FileError;
pub use quantise::SampleFormat;
pub use reader::{AudioFileReader, ReadError, Speaker};
pub use timeline::ReadLoss;
pub use writer::{AudioFileWriter, AudioSpec, Container, Written};

/// Samples of a recording that are no numbers, as all that reads recordings tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotNumbers(pub u64);

impl std::fmt::Display for NotNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} samples are no numbers, or infinite", self.0)
    }
}
