use std::ops::{Index, IndexMut};

/// Declares [`Generator`] with each generator's SoundFont number, default and range.
macro_rules! generators {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $default:literal, $min:literal ..= $max:literal;)*) => {
        /// The generators of SoundFont 2.04 section 8.1 that act on a voice, by their file numbers.
        /// Units are those of the specification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Generator { $($(#[$doc])* $name = $number,)* }

        impl Generator {
            /// All generators, in the order of their numbers.
            pub const ALL: &[Generator] = &[$(Generator::$name,)*];

            /// The generator with this file number, if it acts on a voice.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Generator::$name),)* _ => None }
            }

            /// The value of a zone that does not set it.
            pub const fn default_value(self) -> i32 {
                match self { $(Generator::$name => $default,)* }
            }

            /// The useful range (section 8.1.3): values outside it are clamped when a note sounds.
            pub const fn range(self) -> (i32, i32) {
                match self { $(Generator::$name => ($min, $max),)* }
            }
        }
    };
}

generators! {
    /// Frames added to the sample's start.
    StartAddrsOffset = 0, 0, 0..=0x3fff_ffff;
    /// Frames added to the sample's end.
    EndAddrsOffset = 1, 0, -0x3fff_ffff..=0;
    /// Frames added to the start of the loop.
    StartLoopAddrsOffset = 2, 0, -0x3fff_ffff..=0x3fff_ffff;
    /// Frames added to the end of the loop.
    EndLoopAddrsOffset = 3, 0, -0x3fff_ffff..=0x3fff_ffff;
    /// 32768 frames each, added to the sample's start.
    StartAddrsCoarseOffset = 4, 0, 0..=0x7fff;
    /// Modulation LFO to pitch, cents at full swing.
    ModLfoToPitch = 5, 0, -12_000..=12_000;
    /// Vibrato LFO to pitch, cents at full swing.
    VibLfoToPitch = 6, 0, -12_000..=12_000;
    /// Modulation envelope to pitch, cents at its peak.
    ModEnvToPitch = 7, 0, -12_000..=12_000;
    /// Cutoff of the low-pass filter, absolute cents (0 is 8.176 Hz).
    InitialFilterFc = 8, 13_500, 1_500..=13_500;
    /// Height of the filter's resonance over its gain at 0 Hz, centibels.
    InitialFilterQ = 9, 0, 0..=960;
    /// Modulation LFO to cutoff, cents at full swing.
    ModLfoToFilterFc = 10, 0, -12_000..=12_000;
    /// Modulation envelope to cutoff, cents at its peak.
    ModEnvToFilterFc = 11, 0, -12_000..=12_000;
    /// 32768 frames each, added to the sample's end.
    EndAddrsCoarseOffset = 12, 0, -0x7fff..=0;
    /// Modulation LFO to volume, centibels at full swing.
    ModLfoToVolume = 13, 0, -960..=960;
    /// Send to the chorus, 0.1 %.
    ChorusEffectsSend = 15, 0, 0..=1000;
    /// Send to the reverb, 0.1 %.
    ReverbEffectsSend = 16, 0, 0..=1000;
    /// Position, 0.1 % from the middle: -500 is left.
    Pan = 17, 0, -500..=500;
    /// Timecents until the modulation LFO starts.
    DelayModLfo = 21, -12_000, -12_000..=5_000;
    /// Rate of the modulation LFO, absolute cents.
    FreqModLfo = 22, 0, -16_000..=4_500;
    /// Timecents until the vibrato LFO starts.
    DelayVibLfo = 23, -12_000, -12_000..=5_000;
    /// Rate of the vibrato LFO, absolute cents.
    FreqVibLfo = 24, 0, -16_000..=4_500;
    /// Timecents.
    DelayModEnv = 25, -12_000, -12_000..=5_000;
    /// Timecents.
    AttackModEnv = 26, -12_000, -12_000..=8_000;
    /// Timecents.
    HoldModEnv = 27, -12_000, -12_000..=5_000;
    /// Timecents for the whole way from the peak to zero.
    DecayModEnv = 28, -12_000, -12_000..=8_000;
    /// Fall from the peak to the sustain level, 0.1 %.
    SustainModEnv = 29, 0, 0..=1000;
    /// Timecents for the whole way from the peak to zero.
    ReleaseModEnv = 30, -12_000, -12_000..=8_000;
    /// Timecents per key below key 60.
    KeynumToModEnvHold = 31, 0, -1200..=1200;
    /// Timecents per key below key 60.
    KeynumToModEnvDecay = 32, 0, -1200..=1200;
    /// Timecents.
    DelayVolEnv = 33, -12_000, -12_000..=5_000;
    /// Timecents.
    AttackVolEnv = 34, -12_000, -12_000..=8_000;
    /// Timecents.
    HoldVolEnv = 35, -12_000, -12_000..=5_000;
    /// Timecents for a fall of 100 dB.
    DecayVolEnv = 36, -12_000, -12_000..=8_000;
    /// Fall from the peak to the sustain level, centibels.
    SustainVolEnv = 37, 0, 0..=1440;
    /// Timecents for a fall of 100 dB.
    ReleaseVolEnv = 38, -12_000, -12_000..=8_000;
    /// Timecents per key below key 60.
    KeynumToVolEnvHold = 39, 0, -1200..=1200;
    /// Timecents per key below key 60.
    KeynumToVolEnvDecay = 40, 0, -1200..=1200;
    /// 32768 frames each, added to the start of the loop.
    StartLoopAddrsCoarseOffset = 45, 0, -0x7fff..=0x7fff;
    /// Key that sounds whatever key is played; -1: none.
    Keynum = 46, -1, -1..=127;
    /// Velocity that sounds whatever velocity is played; -1: none.
    Velocity = 47, -1, -1..=127;
    /// Attenuation, centibels.
    InitialAttenuation = 48, 0, 0..=1440;
    /// 32768 frames each, added to the end of the loop.
    EndLoopAddrsCoarseOffset = 50, 0, -0x7fff..=0x7fff;
    /// Semitones.
    CoarseTune = 51, 0, -120..=120;
    /// Cents.
    FineTune = 52, 0, -99..=99;
    /// Bit 0: loops; bit 1 as well: only until the key is released.
    SampleModes = 54, 0, 0..=3;
    /// Cents per key.
    ScaleTuning = 56, 100, 0..=1200;
    /// A new note ends the sounding notes of the same class; 0: none.
    ExclusiveClass = 57, 0, 0..=127;
    /// Not in files: the destination "initial pitch" of the pitch wheel's default modulator, cents.
    Pitch = 59, 0, -24_000..=24_000;
    /// Key of the sample's own pitch; -1: what the sample header says.
    OverridingRootKey = 58, -1, -1..=127;
}

impl Generator {
    /// One more than the highest number.
    pub const COUNT: usize = 60;
}

/// A value for every generator, in the units of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generators([i32; Generator::COUNT]);

impl Default for Generators {
    /// The defaults of section 8.1.3.
    fn default() -> Self {
        let mut values = Generators([0; Generator::COUNT]);
        for &generator in Generator::ALL {
            values[generator] = generator.default_value();
        }
        values
    }
}

impl Index<Generator> for Generators {
    type Output = i32;
    fn index(&self, generator: Generator) -> &i32 {
        &self.0[generator as usize]
    }
}

impl IndexMut<Generator> for Generators {
    fn index_mut(&mut self, generator: Generator) -> &mut i32 {
        &mut self.0[generator as usize]
    }
}

/// The values of a sounding voice: as [`Generators`], with fractions.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Values(pub [f32; Generator::COUNT]);

impl Default for Values {
    fn default() -> Self {
        Values([0.0; Generator::COUNT])
    }
}

impl Index<Generator> for Values {
    type Output = f32;
    fn index(&self, generator: Generator) -> &f32 {
        &self.0[generator as usize]
    }
}

impl IndexMut<Generator> for Values {
    fn index_mut(&mut self, generator: Generator) -> &mut f32 {
        &mut self.0[generator as usize]
    }
}
