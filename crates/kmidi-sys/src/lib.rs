//! The few system calls and instructions that safe Rust lacks. Knows nothing of audio.
#![deny(clippy::undocumented_unsafe_blocks)]
#![warn(missing_docs)]

mod denormals;

pub use denormals::FlushDenormals;
