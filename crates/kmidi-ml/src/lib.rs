//! Models that listen and read, each loaded when it is first used and held under a lease. `[side B]`
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod fetch;
pub mod model;
pub mod phonemes;
mod source;

pub use source::{MonoSource, Progress, Samples, SourceError};
