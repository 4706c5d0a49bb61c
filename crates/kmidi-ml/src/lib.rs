//! Models that listen and read, each loaded when it is first used and held under a lease. `[side B]`
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod convert;
pub mod embed;
pub mod fetch;
pub mod model;
pub mod phonemes;
pub mod shrink;
mod source;
pub mod transcribe;

pub use source::{FULL_SCALE, MonoSource, Progress, Samples, SourceError};
