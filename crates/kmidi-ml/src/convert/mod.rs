//! Models as their packages have them, made into what the program uses: smaller, and in a form that is used where it lies on disk.
//!
//! The same package gives the same bytes on every machine.

mod bert;
mod checkpoint;
mod error;
mod graph;
mod minilm;
mod piano;
mod pickle;
mod quantise;
mod safetensors;
mod weights;

pub use error::ConvertError;
pub use minilm::{MINILM_BYTES, minilm};
pub(crate) use piano::{PIANO, SPECTRA, TRACKS, VELOCITIES, tracks};
pub use piano::{PIANO_BYTES, piano};
