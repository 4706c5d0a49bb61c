//! A SoundFont 2.04 synthesiser.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod channel;
mod chorus;
mod delay_line;
mod effects;
mod envelope;
mod filter;
mod generator;
mod handle;
mod kernel;
mod lfo;
mod modulator;
mod notes;
mod parameter;
mod preset_key;
mod reverb;
mod sample;
mod synth;
mod sysex;
mod tuning;
mod units;
mod voice;
mod voices;
mod zone;

pub use generator::{Generator, Generators};
pub use handle::{InstallFull, PresetRequest, SynthHandle, SynthStatus};
pub use modulator::{Controller, ControllerValue, Curve, DEFAULT_MODULATORS, Modulator, Source, Transform};
pub use preset_key::{DRUM_BANK, PresetKey};
pub use sample::{GUARD_FRAMES, Sample};
pub use synth::{Synth, SynthConfig, synth};
pub use zone::{Preset, Zone};
