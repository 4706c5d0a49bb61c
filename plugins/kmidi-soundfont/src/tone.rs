//! What a zone, a note and its channel make of a voice: the values of all generators with their
//! modulators, and what follows from them as long as no LFO and no envelope moves.

use crate::channel::{Channel, cc};
use crate::course::BUSSES;
use crate::envelope::Stages;
use crate::filter::damping;
use crate::generator::{Generator, Values};
use crate::modulator::{Controller, ControllerValue, VELOCITY_TO_CUTOFF};
use crate::note::Note;
use crate::sample::Sample;
use crate::tuning::Tunings;
use crate::units::{absolute_cents_to_hz, attenuation_to_gain, cents_to_ratio, ramp_frames, wait_frames};
use crate::zone::Zone;

/// The part of `initialAttenuation` in zones that is applied. The EMU hardware for which the
/// format was made, and every player since, gives 0.4 dB where the file says 1 dB; banks are
/// voiced for it. Modulators act in full.
pub(crate) const ZONE_ATTENUATION: f32 = 0.4;

/// What all voices need to know at a control point.
pub(crate) struct Surroundings<'a> {
    pub channels: &'a [Channel],
    pub tunings: &'a Tunings,
    pub sample_rate_hz: f64,
    /// Whether the default modulator of section 8.4.2 applies.
    pub velocity_to_cutoff: bool,
    /// Frames since the last point of the common control grid.
    pub frame_in_grid: u32,
}

/// The steady part of a voice. Times in frames, frequencies in periods per frame.
#[derive(Default)]
pub(crate) struct Tone {
    /// Generators with modulators and the channel's offsets applied.
    values: Values,
    /// The soft pedal was down when the note began.
    soft: bool,
    /// The channel's revision that the values come from.
    revision: u32,
    pub volume: Stages,
    pub modulation: Stages,
    pub vibrato_frequency: f64,
    pub modulation_frequency: f64,
    /// Of the filter.
    pub damping: f64,
    pub depths: Depths,
}

/// How far LFOs and the modulation envelope move the voice, in cents and centibels.
#[derive(Clone, Copy, Default)]
pub(crate) struct Depths {
    pub vibrato_pitch: f64,
    pub lfo_pitch: f64,
    pub envelope_pitch: f64,
    pub lfo_volume: f64,
    pub lfo_cutoff: f64,
    pub envelope_cutoff: f64,
}

impl Depths {
    /// Whether nothing moves.
    pub fn are_none(&self) -> bool {
        self.envelope_is_idle() && self.lfo_is_idle() && self.vibrato_pitch == 0.0
    }

    pub fn envelope_is_idle(&self) -> bool {
        self.envelope_pitch == 0.0 && self.envelope_cutoff == 0.0
    }

    pub fn lfo_is_idle(&self) -> bool {
        self.lfo_pitch == 0.0 && self.lfo_volume == 0.0 && self.lfo_cutoff == 0.0
    }
}

impl Tone {
    /// For a note that begins.
    pub fn new(zone: &Zone, note: &Note, around: &Surroundings<'_>) -> Self {
        let soft = around.channels[note.channel].is_down(cc::SOFT);
        let mut tone = Tone { soft, ..Tone::default() };
        tone.refresh(zone, note, around);
        tone
    }

    /// Whether the channel has changed since.
    pub fn is_stale(&self, channel: &Channel) -> bool {
        channel.revision != self.revision
    }

    /// The channel must be looked at again.
    pub fn make_stale(&mut self) {
        self.revision = self.revision.wrapping_sub(1);
    }

    /// A generator, within its range.
    pub fn value(&self, generator: Generator) -> f64 {
        let (low, high) = generator.range();
        f64::from(self.values[generator]).clamp(f64::from(low), f64::from(high))
    }

    /// Computes everything that depends on generators, modulators and the channel.
    pub fn refresh(&mut self, zone: &Zone, note: &Note, around: &Surroundings<'_>) {
        let channel = &around.channels[note.channel];
        self.revision = channel.revision;
        let before = self.values;
        let key = sounding_key(zone, note);
        for &generator in Generator::ALL {
            self.values[generator] = zone.generators[generator] as f32;
        }
        self.values[Generator::InitialAttenuation] *= ZONE_ATTENUATION;
        for modulator in &zone.modulators {
            if !around.velocity_to_cutoff && *modulator == VELOCITY_TO_CUTOFF {
                continue;
            }
            let mut moved = modulator.output(|controller| match controller {
                Controller::Key => ControllerValue::seven_bit(f32::from(key)),
                Controller::Velocity => ControllerValue::seven_bit(note.velocity),
                Controller::PolyPressure => channel.key_pressure(note.key),
                other => channel.controller_value(other),
            });
            let is_vibrato = modulator.destination == Generator::VibLfoToPitch;
            if is_vibrato && modulator.source.controller == Controller::Midi(cc::MODULATION) {
                moved *= channel.modulation_scale();
            }
            self.values[modulator.destination] += moved;
        }
        channel.add_offsets(&mut self.values, self.soft);
        let times = Generator::DelayModLfo as usize..=Generator::KeynumToVolEnvDecay as usize;
        if before.0[times.clone()] != self.values.0[times] {
            self.refresh_times(zone, note, around.sample_rate_hz);
        }
        self.damping = damping(self.value(Generator::InitialFilterQ));
        self.depths = Depths {
            vibrato_pitch: self.value(Generator::VibLfoToPitch),
            lfo_pitch: self.value(Generator::ModLfoToPitch),
            envelope_pitch: self.value(Generator::ModEnvToPitch),
            lfo_volume: self.value(Generator::ModLfoToVolume),
            lfo_cutoff: self.value(Generator::ModLfoToFilterFc),
            envelope_cutoff: self.value(Generator::ModEnvToFilterFc),
        };
    }

    fn refresh_times(&mut self, zone: &Zone, note: &Note, rate: f64) {
        use Generator as G;
        let below_60 = 60.0 - f64::from(sounding_key(zone, note));
        let wait = |generator, by_key: f64| wait_frames(self.value(generator) + by_key, rate);
        let ramp = |generator, by_key: f64| ramp_frames(self.value(generator) + by_key, rate);
        let modulation = Stages {
            delay: wait(G::DelayModEnv, 0.0),
            // Nothing clicks when pitch or cutoff start at the peak.
            attack: wait(G::AttackModEnv, 0.0),
            hold: wait(G::HoldModEnv, below_60 * self.value(G::KeynumToModEnvHold)),
            decay: ramp(G::DecayModEnv, below_60 * self.value(G::KeynumToModEnvDecay)),
            fall: self.value(G::SustainModEnv) / 1000.0,
            release: ramp(G::ReleaseModEnv, 0.0),
            ..Stages::default()
        };
        let volume = Stages {
            delay: wait(G::DelayVolEnv, 0.0),
            attack: ramp(G::AttackVolEnv, 0.0),
            hold: wait(G::HoldVolEnv, below_60 * self.value(G::KeynumToVolEnvHold)),
            decay: ramp(G::DecayVolEnv, below_60 * self.value(G::KeynumToVolEnvDecay)),
            fall: (self.value(G::SustainVolEnv) / 1000.0).min(1.0),
            release: ramp(G::ReleaseVolEnv, 0.0),
            ..Stages::default()
        }
        .with_levels();
        (self.modulation, self.volume) = (modulation, volume);
        self.vibrato_frequency = absolute_cents_to_hz(self.value(G::FreqVibLfo)) / rate;
        self.modulation_frequency = absolute_cents_to_hz(self.value(G::FreqModLfo)) / rate;
    }

    /// Sample frames per frame of output, without LFOs and envelope.
    pub fn speed(&self, zone: &Zone, note: &Note, around: &Surroundings<'_>) -> f64 {
        use Generator as G;
        let channel = &around.channels[note.channel];
        let sample: &Sample = &zone.sample;
        let root = match zone.generators[G::OverridingRootKey] {
            key @ 0..=127 => f64::from(key),
            _ => f64::from(sample.root_key),
        };
        let key = sounding_key(zone, note);
        let tuned = around.tunings.cents(channel.tuning_program, key) + channel.tune_cents(key);
        let cents = (f64::from(key) - root) * self.value(G::ScaleTuning)
            + f64::from(sample.correction_cents)
            + 100.0 * f64::from(self.values[G::CoarseTune])
            + f64::from(self.values[G::FineTune])
            + f64::from(self.values[G::Pitch])
            + f64::from(tuned);
        speed(cents) * f64::from(sample.rate_hz) / around.sample_rate_hz
    }

    /// Gains into left, right, reverb and chorus; envelope and tremolo come on top.
    pub fn gains(&self, channel: &Channel) -> [f64; BUSSES] {
        use Generator as G;
        // The filter's gain at 0 Hz is lowered by half the height of its peak.
        let attenuation = self.value(G::InitialAttenuation) + self.value(G::InitialFilterQ) / 2.0;
        let gain = attenuation_to_gain(attenuation);
        let angle = (self.value(G::Pan) + 500.0) / 1000.0 * std::f64::consts::FRAC_PI_2;
        let (left, right) = channel.balance();
        [
            gain * left * libm::cos(angle),
            gain * right * libm::sin(angle),
            gain * self.value(G::ReverbEffectsSend) / 1000.0,
            gain * self.value(G::ChorusEffectsSend) / 1000.0,
        ]
    }
}

/// The key that decides pitch and envelope times.
fn sounding_key(zone: &Zone, note: &Note) -> u8 {
    u8::try_from(zone.generators[Generator::Keynum]).unwrap_or(note.key)
}

/// A pitch in cents as a speed, held within ten octaves.
pub(crate) fn speed(cents: f64) -> f64 {
    cents_to_ratio(cents.clamp(-12_000.0, 12_000.0))
}
