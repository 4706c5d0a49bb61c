//! The part of a voice that thinks: what its zone, its channel and its own time make of it, at
//! control points. What runs at each frame is in [`crate::kernel`].

use basedrop::Shared;

use crate::channel::{Channel, cc};
use crate::envelope::{ModulationEnvelope, Stages, Stretch, VolumeEnvelope};
use crate::filter::{Coefficients, FLAT_CUTOFF_CENTS, quality};
use crate::generator::{Generator, Values};
use crate::kernel::{BUSSES, CONTROL_FRAMES, FRAME, Ramp, Reader, VoiceBlock};
use crate::lfo::Lfo;
use crate::modulator::{Controller, ControllerValue};
use crate::sample::{GUARD_FRAMES, Sample};
use crate::tuning::Tunings;
use crate::units::{absolute_cents_to_hz, attenuation_to_gain, cents_to_ratio, ramp_frames, wait_frames};
use crate::zone::{Preset, Zone};

/// The part of `initialAttenuation` in zones that is applied. The EMU hardware for which the
/// format was made, and every player since, gives 0.4 dB where the file says 1 dB; banks are
/// voiced for it. Modulators act in full.
pub(crate) const ZONE_ATTENUATION: f32 = 0.4;

/// Shortest time from note-on to release, in seconds: a drum hit written with no length sounds.
const SHORTEST_NOTE_SECONDS: f64 = 0.010;

/// Time in which a stolen or silenced voice fades, in seconds.
const FADE_SECONDS: f64 = 0.005;

/// Time in which a voice ended by its exclusive class fades, in seconds.
const CHOKE_SECONDS: f64 = 0.050;

/// What all voices need to know at a control point.
pub(crate) struct Surroundings<'a> {
    pub channels: &'a [Channel],
    pub tunings: &'a Tunings,
    pub sample_rate_hz: f64,
    /// Frames since the last point of the common control grid.
    pub frame_in_grid: u32,
}

/// What a note-on gives its voices.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Note {
    /// Index into all channels of all ports.
    pub channel: usize,
    pub key: u8,
    /// MIDI velocity, 0 to 127, fractions allowed.
    pub velocity: f32,
    /// Counts note-ons: voices of one note-on share it.
    pub id: u64,
    /// Where a portamento starts, relative to the key, in cents; and how long it takes in frames.
    pub glide_cents: f64,
    pub glide_frames: f64,
}

/// What keeps a voice from being released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    pub key: bool,
    pub sustain: bool,
    pub sostenuto: bool,
}

/// A value on its way between two control points.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    from: f64,
    to: f64,
}

impl Way {
    fn at(self, part: f64) -> f64 {
        self.from + (self.to - self.from) * part
    }
}

/// A voice at control rate. `[side A]`
#[derive(Default)]
pub(crate) struct Voice {
    preset: Option<Shared<Preset>>,
    zone: usize,
    pub note: Note,
    pub holds: Holds,
    soft: bool,
    exclusive_class: i32,
    revision: u32,
    /// Generators with modulators and offsets applied.
    values: Values,
    volume_stages: Stages,
    modulation_stages: Stages,
    volume: VolumeEnvelope,
    modulation: ModulationEnvelope,
    vibrato_lfo: Lfo,
    modulation_lfo: Lfo,
    vibrato_frequency: f64,
    modulation_frequency: f64,
    quality: f64,
    /// Length of the stretch between control points the voice is in, and what is left of it.
    stretch: u32,
    pub countdown: u32,
    pitch_ratio: Way,
    coefficients: [Way; 3],
    filtered: bool,
    gains: [f64; BUSSES],
    /// Frames since the note began; counts only as far as the shortest note needs.
    age: u32,
    release_wanted: bool,
    /// Frames left of a fade that ends the voice.
    fade: Option<u32>,
}

impl Voice {
    pub fn is_sounding(&self) -> bool {
        self.preset.is_some()
    }

    /// Whether the voice is being taken away.
    pub fn is_fading(&self) -> bool {
        self.fade.is_some()
    }

    pub fn is_released(&self) -> bool {
        self.release_wanted || self.volume.is_released()
    }

    pub fn is_rising(&self) -> bool {
        self.volume.is_rising()
    }

    pub fn exclusive_class(&self) -> i32 {
        self.exclusive_class
    }

    fn zone<'a>(&self, preset: &'a Option<Shared<Preset>>) -> Option<&'a Zone> {
        preset.as_ref().and_then(|preset| preset.zones.get(self.zone))
    }

    fn value(&self, generator: Generator) -> f64 {
        let (low, high) = generator.range();
        f64::from(self.values[generator]).clamp(f64::from(low), f64::from(high))
    }

    /// Starts a note in a lane; false if the zone's sample has nothing to sound.
    pub fn start(
        &mut self,
        block: &mut VoiceBlock,
        lane: usize,
        note: Note,
        (preset, zone): (&Shared<Preset>, usize),
        around: &Surroundings<'_>,
    ) -> bool {
        let source = &preset.zones[zone];
        let Some(reader) = reader(source) else { return false };
        let channel = &around.channels[note.channel];
        *self = Voice {
            zone,
            note,
            holds: Holds { key: true, ..Holds::default() },
            soft: channel.is_down(cc::SOFT),
            exclusive_class: source.generators[Generator::ExclusiveClass],
            ..Voice::default()
        };
        if source.generators[Generator::Velocity] >= 0 {
            self.note.velocity = source.generators[Generator::Velocity] as f32;
        }
        self.refresh(source, channel, around.sample_rate_hz);
        self.volume = VolumeEnvelope::start(&self.volume_stages);
        self.modulation = ModulationEnvelope::start(&self.modulation_stages);
        let lfo = |generator| Lfo::start(wait_frames(self.value(generator), around.sample_rate_hz));
        (self.vibrato_lfo, self.modulation_lfo) = (lfo(Generator::DelayVibLfo), lfo(Generator::DelayModLfo));
        self.pitch_ratio.to = self.ratio(source, channel, around);
        self.coefficients = self.coefficients_now(around).map(|to| Way { from: to, to });
        self.gains = self.gains_now(channel, &self.modulation_lfo);
        self.preset = Some(preset.clone());
        block.start(lane, source.sample.clone(), reader);
        true
    }

    /// Computes everything that depends on generators, modulators and the channel.
    fn refresh(&mut self, zone: &Zone, channel: &Channel, sample_rate_hz: f64) {
        self.revision = channel.revision;
        let before = self.values;
        let key = self.sounding_key(zone);
        for &generator in Generator::ALL {
            self.values[generator] = zone.generators[generator] as f32;
        }
        self.values[Generator::InitialAttenuation] *= ZONE_ATTENUATION;
        for modulator in &zone.modulators {
            let mut moved = modulator.output(|controller| match controller {
                Controller::Key => ControllerValue::seven_bit(f32::from(key)),
                Controller::Velocity => ControllerValue::seven_bit(self.note.velocity),
                Controller::PolyPressure => channel.key_pressure(self.note.key),
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
            self.refresh_times(zone, sample_rate_hz);
        }
        self.quality = quality(self.value(Generator::InitialFilterQ));
    }

    fn refresh_times(&mut self, zone: &Zone, rate: f64) {
        use Generator as G;
        let below_60 = 60.0 - f64::from(self.sounding_key(zone));
        let wait = |generator, by_key: f64| wait_frames(self.value(generator) + by_key, rate);
        let ramp = |generator, by_key: f64| ramp_frames(self.value(generator) + by_key, rate);
        let modulation = Stages {
            delay: wait(G::DelayModEnv, 0.0),
            attack: ramp(G::AttackModEnv, 0.0),
            hold: wait(G::HoldModEnv, below_60 * self.value(G::KeynumToModEnvHold)),
            decay: ramp(G::DecayModEnv, below_60 * self.value(G::KeynumToModEnvDecay)),
            fall: self.value(G::SustainModEnv) / 1000.0,
            release: ramp(G::ReleaseModEnv, 0.0),
        };
        let volume = Stages {
            delay: wait(G::DelayVolEnv, 0.0),
            attack: ramp(G::AttackVolEnv, 0.0),
            hold: wait(G::HoldVolEnv, below_60 * self.value(G::KeynumToVolEnvHold)),
            decay: ramp(G::DecayVolEnv, below_60 * self.value(G::KeynumToVolEnvDecay)),
            fall: (self.value(G::SustainVolEnv) / 1000.0).min(1.0),
            release: ramp(G::ReleaseVolEnv, 0.0),
        };
        (self.modulation_stages, self.volume_stages) = (modulation, volume);
        self.vibrato_frequency = absolute_cents_to_hz(self.value(G::FreqVibLfo)) / rate;
        self.modulation_frequency = absolute_cents_to_hz(self.value(G::FreqModLfo)) / rate;
    }

    /// The key that decides pitch and envelope times.
    fn sounding_key(&self, zone: &Zone) -> u8 {
        u8::try_from(zone.generators[Generator::Keynum]).unwrap_or(self.note.key)
    }

    /// Sample frames per frame of output, now.
    fn ratio(&self, zone: &Zone, channel: &Channel, around: &Surroundings<'_>) -> f64 {
        use Generator as G;
        let sample: &Sample = &zone.sample;
        let root = match zone.generators[G::OverridingRootKey] {
            key @ 0..=127 => f64::from(key),
            _ => f64::from(sample.root_key),
        };
        let key = self.sounding_key(zone);
        let tuned = around.tunings.cents(channel.tuning_program, key) + channel.tune_cents(key);
        let cents = (f64::from(key) - root) * self.value(G::ScaleTuning)
            + f64::from(sample.correction_cents)
            + 100.0 * f64::from(self.values[G::CoarseTune])
            + f64::from(self.values[G::FineTune])
            + f64::from(self.values[G::Pitch])
            + f64::from(tuned)
            + self.note.glide_cents
            + self.vibrato_lfo.value() * self.value(G::VibLfoToPitch)
            + self.modulation_lfo.value() * self.value(G::ModLfoToPitch)
            + self.modulation.value(&self.modulation_stages) * self.value(G::ModEnvToPitch);
        cents_to_ratio(cents.clamp(-24_000.0, 24_000.0)) * f64::from(sample.rate_hz) / around.sample_rate_hz
    }

    fn coefficients_now(&mut self, around: &Surroundings<'_>) -> [f64; 3] {
        use Generator as G;
        let cutoff = self.value(G::InitialFilterFc)
            + self.modulation_lfo.value() * self.value(G::ModLfoToFilterFc)
            + self.modulation.value(&self.modulation_stages) * self.value(G::ModEnvToFilterFc);
        let resonant = self.value(G::InitialFilterQ) > 0.0;
        self.filtered |= resonant || cutoff < FLAT_CUTOFF_CENTS;
        if !self.filtered {
            return [0.0; 3];
        }
        let cutoff = cutoff.max(f64::from(G::InitialFilterFc.range().0));
        let Coefficients { a1, a2, a3 } = Coefficients::low_pass(cutoff, self.quality, around.sample_rate_hz);
        [a1, a2, a3]
    }

    /// Gains into left, right, reverb and chorus; the envelope comes on top.
    fn gains_now(&self, channel: &Channel, modulation_lfo: &Lfo) -> [f64; BUSSES] {
        use Generator as G;
        let attenuation = self.value(G::InitialAttenuation)
            // The filter's gain at 0 Hz is lowered by half the height of its peak.
            + self.value(G::InitialFilterQ) / 2.0
            - modulation_lfo.value() * self.value(G::ModLfoToVolume);
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

    /// Sets the course of the next stretch; called when the countdown has reached 0. False when
    /// the voice has ended.
    pub fn control(&mut self, block: &mut VoiceBlock, lane: usize, around: &Surroundings<'_>) -> bool {
        let preset = self.preset.take();
        let alive = match self.zone(&preset) {
            Some(zone) => self.control_zone(zone, block, lane, around),
            None => false,
        };
        self.preset = preset;
        alive
    }

    fn control_zone(
        &mut self,
        zone: &Zone,
        block: &mut VoiceBlock,
        lane: usize,
        around: &Surroundings<'_>,
    ) -> bool {
        let rate = around.sample_rate_hz;
        let begins = self.age == 0;
        self.move_on(self.stretch - self.countdown);
        if self.release_wanted && self.age >= shortest_note_frames(rate) {
            self.release_wanted = false;
            self.volume.release(&self.volume_stages);
            self.modulation.release(&self.modulation_stages);
            if zone.generators[Generator::SampleModes] & 3 == 3 {
                block.leave_loop(lane);
            }
        }
        let ended = self.fade == Some(0) || (self.fade.is_none() && self.volume.is_finished());
        if ended {
            return false;
        }
        let channel = &around.channels[self.note.channel];
        let on_grid = around.frame_in_grid == 0;
        if on_grid && channel.revision != self.revision {
            self.refresh(zone, channel, rate);
        }
        let to_grid = CONTROL_FRAMES - around.frame_in_grid;
        let stretch = self.volume.stretch(&self.volume_stages);
        let frames = to_grid.min(self.frames_to_corner(rate)).min(stretch.frames);
        self.set_level(block, lane, stretch);
        (self.stretch, self.countdown) = (frames, frames);

        // Values at the end of the stretch are found by looking ahead.
        let now = (self.modulation, self.vibrato_lfo, self.modulation_lfo, self.note);
        self.modulation.advance(&self.modulation_stages, frames);
        self.vibrato_lfo.advance(self.vibrato_frequency, frames);
        self.modulation_lfo.advance(self.modulation_frequency, frames);
        self.note.glide(frames);
        self.pitch_ratio = Way { from: self.pitch_ratio.to, to: self.ratio(zone, channel, around) };
        let was_filtered = self.filtered;
        let ahead = self.coefficients_now(around);
        for (way, to) in self.coefficients.iter_mut().zip(ahead) {
            *way = Way { from: if was_filtered { way.to } else { to }, to };
        }
        (self.modulation, self.vibrato_lfo, self.modulation_lfo, self.note) = now;

        block.set_increment(lane, self.pitch_ratio.from, self.pitch_ratio.to, frames);
        if self.filtered {
            let [a, b, c] = self.coefficients;
            let from = Coefficients { a1: a.from, a2: b.from, a3: c.from };
            let to = Coefficients { a1: a.to, a2: b.to, a3: c.to };
            block.set_filter(lane, from, to, frames);
        }
        if on_grid || begins {
            self.set_gains(block, lane, channel, to_grid);
        }
        true
    }

    /// Takes the states to the current frame.
    fn move_on(&mut self, frames: u32) {
        if frames == 0 {
            return;
        }
        let part = f64::from(frames) / f64::from(self.stretch);
        self.volume.advance(&self.volume_stages, frames);
        self.modulation.advance(&self.modulation_stages, frames);
        self.vibrato_lfo.advance(self.vibrato_frequency, frames);
        self.modulation_lfo.advance(self.modulation_frequency, frames);
        self.note.glide(frames);
        self.pitch_ratio.to = self.pitch_ratio.at(part);
        for way in &mut self.coefficients {
            way.to = way.at(part);
        }
        if let Some(left) = &mut self.fade {
            *left = left.saturating_sub(frames);
        }
        self.age = self.age.saturating_add(frames);
        (self.stretch, self.countdown) = (0, 0);
    }

    fn frames_to_corner(&self, rate: f64) -> u32 {
        use Generator as G;
        let mut frames = self.fade.unwrap_or(u32::MAX);
        if self.value(G::ModEnvToPitch) != 0.0 || self.value(G::ModEnvToFilterFc) != 0.0 {
            frames = frames.min(self.modulation.frames_to_corner(&self.modulation_stages));
        }
        if self.value(G::VibLfoToPitch) != 0.0 {
            frames = frames.min(self.vibrato_lfo.frames_to_corner(self.vibrato_frequency));
        }
        if self.value(G::ModLfoToPitch) != 0.0 {
            frames = frames.min(self.modulation_lfo.frames_to_corner(self.modulation_frequency));
        }
        if self.release_wanted {
            frames = frames.min(shortest_note_frames(rate).saturating_sub(self.age).max(1));
        }
        frames
    }

    fn set_level(&self, block: &mut VoiceBlock, lane: usize, stretch: Stretch) {
        match self.fade {
            // A fade leaves from the level the kernel has reached and goes straight down.
            Some(frames_left) => block.fade_level(lane, frames_left),
            None => block.set_level(lane, stretch.level, stretch.factor, stretch.step),
        }
    }

    fn set_gains(&mut self, block: &mut VoiceBlock, lane: usize, channel: &Channel, frames: u32) {
        let mut lfo = self.modulation_lfo;
        lfo.advance(self.modulation_frequency, frames);
        let target = self.gains_now(channel, &lfo);
        for (bus, (from, to)) in self.gains.iter().zip(target).enumerate() {
            block.set_gain(lane, bus, Ramp::new(*from, to, frames));
        }
        self.gains = target;
    }

    /// The key is up and no pedal holds the note: the release starts at this frame.
    pub fn release(&mut self) {
        self.holds = Holds::default();
        if !self.is_released() {
            self.release_wanted = true;
            self.control_now();
        }
    }

    /// Fades at once: the voice is stolen or silenced.
    pub fn fade_out(&mut self, sample_rate_hz: f64) {
        self.fade_in_frames((FADE_SECONDS * sample_rate_hz) as u32);
    }

    /// Fades quickly: a note of the same exclusive class has begun.
    pub fn choke(&mut self, sample_rate_hz: f64) {
        self.exclusive_class = 0;
        self.fade_in_frames((CHOKE_SECONDS * sample_rate_hz) as u32);
    }

    fn fade_in_frames(&mut self, frames: u32) {
        self.control_now();
        if self.fade.is_none_or(|left| left > frames) {
            self.fade = Some(frames.max(1));
            self.holds = Holds::default();
        }
    }

    /// The next frame is a control point.
    fn control_now(&mut self) {
        self.move_on(self.stretch - self.countdown);
        (self.stretch, self.countdown) = (0, 0);
    }

    /// Becomes another key without a new attack.
    pub fn retune(&mut self, note: Note) {
        self.note = Note { velocity: self.note.velocity, id: self.note.id, ..note };
        // The times of the stages stay as they were; pitch and modulators follow the new key.
        self.revision = self.revision.wrapping_sub(1);
        self.control_now();
    }

    /// Gives back what the voice holds; freed by the collector of side B.
    pub fn clear(&mut self) {
        self.preset = None;
        self.fade = None;
        self.release_wanted = false;
        self.holds = Holds::default();
    }
}

impl Note {
    fn glide(&mut self, frames: u32) {
        let frames = f64::from(frames);
        if frames >= self.glide_frames {
            (self.glide_cents, self.glide_frames) = (0.0, 0.0);
        } else {
            self.glide_cents *= 1.0 - frames / self.glide_frames;
            self.glide_frames -= frames;
        }
    }
}

fn shortest_note_frames(sample_rate_hz: f64) -> u32 {
    (SHORTEST_NOTE_SECONDS * sample_rate_hz) as u32
}

/// Where the zone's sample starts, ends and loops; `None` if it has nothing to sound. Offsets that
/// lead out of the sample are held inside it.
fn reader(zone: &Zone) -> Option<Reader> {
    use Generator as G;
    let frames = zone.sample.frames() as i64;
    let offset =
        |fine, coarse| i64::from(zone.generators[fine]) + 32_768 * i64::from(zone.generators[coarse]);
    let place = |at: i64| (at.clamp(0, frames) as u64 + GUARD_FRAMES as u64) * FRAME;
    let position = place(offset(G::StartAddrsOffset, G::StartAddrsCoarseOffset));
    let end = place(frames + offset(G::EndAddrsOffset, G::EndAddrsCoarseOffset));
    let loop_start = place(
        i64::from(zone.sample.loop_start) + offset(G::StartLoopAddrsOffset, G::StartLoopAddrsCoarseOffset),
    );
    let loop_end =
        place(i64::from(zone.sample.loop_end) + offset(G::EndLoopAddrsOffset, G::EndLoopAddrsCoarseOffset));
    if position >= end {
        return None;
    }
    let looping = zone.generators[G::SampleModes] & 1 == 1 && loop_end > loop_start;
    Some(Reader { position, end, loop_start, loop_end, looping, ..Reader::default() })
}
