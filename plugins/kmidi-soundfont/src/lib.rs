//! A SoundFont 2.04 synthesiser.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod assemble;
mod channel;
mod chorus;
mod course;
mod delay_line;
mod effects;
mod envelope;
mod error;
mod fetch;
pub mod file;
mod filter;
mod filter_bank;
mod generator;
mod handle;
mod interpolation;
mod kernel;
mod key_set;
mod lanes;
mod lfo;
mod loader;
mod modulator;
mod movement;
mod note;
mod notes;
mod one_pole;
mod parameter;
mod preset_key;
mod preset_use;
mod reader;
mod reverb;
mod sample;
mod synth;
mod sysex;
mod taps;
mod tone;
mod tuning;
mod units;
mod voice;
mod voices;
mod vorbis;
mod zone;

pub use error::SoundFontError;
pub use file::SampleSource;
pub use generator::{Generator, Generators};
pub use handle::{InstallFull, PresetRequest, SynthHandle, SynthStatus};
pub use interpolation::Interpolation;
pub use key_set::KeySet;
pub use loader::{LoadedSample, PresetInfo, PresetPlan, SoundFont};
pub use modulator::{Controller, ControllerValue, Curve, DEFAULT_MODULATORS, Modulator, Source, Transform};
pub use preset_key::{DRUM_BANK, PresetKey};
pub use preset_use::PresetUse;
pub use sample::{GUARD_FRAMES, Sample};
pub use synth::{Synth, SynthConfig, synth};
pub use zone::{Preset, Zone};
