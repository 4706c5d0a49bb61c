//! A SoundFont 2.04 synthesiser.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod generator;
mod modulator;
mod sample;
mod zone;

pub use generator::{Generator, Generators};
pub use modulator::{Controller, ControllerValue, Curve, DEFAULT_MODULATORS, Modulator, Source, Transform};
pub use sample::{GUARD_FRAMES, Sample};
pub use zone::{Preset, Zone};
