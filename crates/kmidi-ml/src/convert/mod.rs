//! Models as their packages have them, made into what the program uses: smaller, and in a form that is used where it lies on disk.
//!
//! The same package gives the same bytes on every machine.

mod bert;
mod error;
mod graph;
mod minilm;
mod quantise;
mod safetensors;
mod weights;

pub use error::ConvertError;
pub use minilm::{MINILM_BYTES, minilm};
