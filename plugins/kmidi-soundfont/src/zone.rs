use std::ops::RangeInclusive;

use basedrop::Shared;

use crate::generator::Generators;
use crate::modulator::Modulator;
use crate::sample::Sample;

/// One layer of a preset: a sample, where it sounds and how. Preset and instrument level are merged.
pub struct Zone {
    /// Keys that sound it.
    pub keys: RangeInclusive<u8>,
    /// MIDI velocities that sound it.
    pub velocities: RangeInclusive<u8>,
    /// Instrument level values plus preset level offsets, not yet clamped to their ranges.
    pub generators: Generators,
    /// Default, instrument and preset modulators merged by the rules of section 9.5.
    pub modulators: Box<[Modulator]>,
    /// The recording.
    pub sample: Shared<Sample>,
}

/// What a program change selects.
pub struct Preset {
    /// SoundFont bank; 128 holds drum kits.
    pub bank: u16,
    /// MIDI program.
    pub program: u8,
    /// Name in the file.
    pub name: String,
    /// Layers; every one whose ranges hold a note sounds it.
    pub zones: Box<[Zone]>,
}
