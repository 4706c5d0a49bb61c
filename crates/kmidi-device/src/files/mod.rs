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
