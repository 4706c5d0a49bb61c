//! The part of a voice that thinks: what its zone, its channel and its own time make of it, at
//! control points. What runs at each frame is in [`crate::kernel`].

use std::array::from_fn;

use basedrop::Shared;

use crate::channel::{Channel, cc};
use crate::envelope::{ModulationEnvelope, Stages, VolumeEnvelope};
use crate::filter::{FLAT_CUTOFF_CENTS, low_pass, quality};
use crate::generator::{Generator, Values};
use crate::kernel::{BUSSES, CONTROL_FRAMES, FRAME, Ramp, Reader, VoiceBlock};
use crate::lfo::Lfo;
use crate::modulator::{Controller, ControllerValue, VELOCITY_TO_CUTOFF};
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

/// Farthest that the modulation envelope may move the cutoff between two control points.
const LONGEST_SWEEP_CENTS: f64 = 400.0;

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
    fn at_rest(at: f64) -> Self {
        Way { from: at, to: at }
    }

    /// On from where it led.
    fn on_to(self, to: f64) -> Self {
        Way { from: self.to, to }
    }

    fn at(self, part: f64) -> f64 {
        self.from + (self.to - self.from) * part
    }
}

/// What moves inside a stretch, at one end of it.
#[derive(Clone, Copy)]
struct Movement {
    /// Factors.
    speed: f64,
    gain: f64,
    /// Absolute cents.
    cutoff: f64,
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
    /// Sample frames per frame of output without LFOs and envelope, from grid point to grid point.
    steady_speed: Way,
    /// Gains without the modulation LFO, from grid point to grid point.
    steady_gains: [Way; BUSSES],
    /// Whether the filter is in circuit: it stays once it has been needed.
    filtered: bool,
    /// The cutoff for which coefficients were worked out last, and these.
    cutoff: f64,
    coefficients: [f64; 3],
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
        self.refresh(source, channel, around);
        self.volume = VolumeEnvelope::start(&self.volume_stages);
        self.modulation = ModulationEnvelope::start(&self.modulation_stages);
        let lfo = |generator| Lfo::start(wait_frames(self.value(generator), around.sample_rate_hz));
        (self.vibrato_lfo, self.modulation_lfo) = (lfo(Generator::DelayVibLfo), lfo(Generator::DelayModLfo));
        self.steady_speed = Way::at_rest(self.speed_of_zone(source, channel, around));
        self.steady_gains = self.gains_of_zone(channel).map(Way::at_rest);
        self.preset = Some(preset.clone());
        block.start(lane, source.sample.clone(), reader);
        true
    }

    /// Computes everything that depends on generators, modulators and the channel.
    fn refresh(&mut self, zone: &Zone, channel: &Channel, around: &Surroundings<'_>) {
        self.revision = channel.revision;
        let before = self.values;
        let key = self.sounding_key(zone);
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
            self.refresh_times(zone, around.sample_rate_hz);
        }
        self.quality = quality(self.value(Generator::InitialFilterQ));
        // The coefficients of another quality are of no use.
        self.cutoff = f64::NAN;
    }

    fn refresh_times(&mut self, zone: &Zone, rate: f64) {
        use Generator as G;
        let below_60 = 60.0 - f64::from(self.sounding_key(zone));
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

    /// Sample frames per frame of output, without LFOs and envelope.
    fn speed_of_zone(&self, zone: &Zone, channel: &Channel, around: &Surroundings<'_>) -> f64 {
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
            + f64::from(tuned);
        speed(cents) * f64::from(sample.rate_hz) / around.sample_rate_hz
    }

    /// What LFOs, modulation envelope and portamento make of the voice `frames` frames from now,
    /// if none of them turns a corner before.
    fn movement(&self, frames: f64) -> Movement {
        use Generator as G;
        let vibrato = self.vibrato_lfo.ahead(self.vibrato_frequency, frames);
        let lfo = self.modulation_lfo.ahead(self.modulation_frequency, frames);
        let envelope = self.modulation.ahead(&self.modulation_stages, frames);
        let cents = self.note.glide_ahead(frames)
            + vibrato * self.value(G::VibLfoToPitch)
            + lfo * self.value(G::ModLfoToPitch)
            + envelope * self.value(G::ModEnvToPitch);
        let tremolo = lfo * self.value(G::ModLfoToVolume);
        Movement {
            speed: if cents == 0.0 { 1.0 } else { speed(cents) },
            gain: if tremolo == 0.0 { 1.0 } else { attenuation_to_gain(-tremolo) },
            cutoff: self.value(G::InitialFilterFc)
                + lfo * self.value(G::ModLfoToFilterFc)
                + envelope * self.value(G::ModEnvToFilterFc),
        }
    }

    fn coefficients(&mut self, cutoff: f64, sample_rate_hz: f64) -> [f64; 3] {
        if cutoff != self.cutoff {
            let cutoff_in_range = cutoff.max(f64::from(Generator::InitialFilterFc.range().0));
            self.cutoff = cutoff;
            self.coefficients = low_pass(cutoff_in_range, self.quality, sample_rate_hz);
        }
        self.coefficients
    }

    /// Gains into left, right, reverb and chorus; envelope and tremolo come on top.
    fn gains_of_zone(&self, channel: &Channel) -> [f64; BUSSES] {
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
        self.move_on(self.stretch - self.countdown);
        if self.release_wanted && self.age >= shortest_note_frames(rate) {
            self.begin_release(zone, block, lane);
        }
        let ended = self.fade == Some(0) || (self.fade.is_none() && self.volume.is_finished());
        if ended {
            return false;
        }
        let now = self.movement(0.0);
        if around.frame_in_grid == 0 {
            self.grid_point(zone, around);
        }
        let to_grid = CONTROL_FRAMES - around.frame_in_grid;
        let stretch = self.volume.stretch(&self.volume_stages);
        let frames = to_grid.min(self.frames_to_corner(rate)).min(stretch.frames);
        match self.fade {
            // A fade leaves from the level the kernel has reached and goes straight down.
            Some(frames_left) => block.fade_level(lane, frames_left),
            None => block.set_level(lane, stretch.level, stretch.factor, stretch.step),
        }
        (self.stretch, self.countdown) = (frames, frames);
        let then = self.movement(f64::from(frames));
        self.send(block, lane, (now, then), around);
        true
    }

    fn begin_release(&mut self, zone: &Zone, block: &mut VoiceBlock, lane: usize) {
        self.release_wanted = false;
        self.volume.release(&self.volume_stages);
        self.modulation.release(&self.modulation_stages);
        if zone.generators[Generator::SampleModes] & 3 == 3 {
            block.leave_loop(lane);
        }
    }

    /// Looks at the channel. What it has changed is reached at the next point of the grid.
    fn grid_point(&mut self, zone: &Zone, around: &Surroundings<'_>) {
        let channel = &around.channels[self.note.channel];
        let (mut speed, mut gains) = (self.steady_speed.to, self.steady_gains.map(|gain| gain.to));
        if channel.revision != self.revision {
            self.refresh(zone, channel, around);
            speed = self.speed_of_zone(zone, channel, around);
            gains = self.gains_of_zone(channel);
        }
        self.steady_speed = self.steady_speed.on_to(speed);
        for (way, to) in self.steady_gains.iter_mut().zip(gains) {
            *way = way.on_to(to);
        }
    }

    /// Gives the course of the stretch to the kernel.
    fn send(
        &mut self,
        block: &mut VoiceBlock,
        lane: usize,
        (now, then): (Movement, Movement),
        around: &Surroundings<'_>,
    ) {
        let frames = self.stretch;
        let part = |frame: u32| f64::from(frame) / f64::from(CONTROL_FRAMES);
        let (from, to) = (part(around.frame_in_grid), part(around.frame_in_grid + frames));
        let (start, end) = (self.steady_speed.at(from) * now.speed, self.steady_speed.at(to) * then.speed);
        let end = if now.speed == then.speed {
            end
        } else {
            let half = self.movement(f64::from(frames) / 2.0).speed;
            let middle = self.steady_speed.at((from + to) / 2.0) * half;
            same_distance(start, middle, end, f64::from(frames))
        };
        block.set_increment(lane, start, end, frames);
        for (bus, steady) in self.steady_gains.iter().enumerate() {
            let ramp = Ramp::new(steady.at(from) * now.gain, steady.at(to) * then.gain, frames);
            block.set_gain(lane, bus, ramp);
        }
        let resonant = self.value(Generator::InitialFilterQ) > 0.0;
        self.filtered |= resonant || now.cutoff.min(then.cutoff) < FLAT_CUTOFF_CENTS;
        if self.filtered {
            let start = self.coefficients(now.cutoff, around.sample_rate_hz);
            let end = self.coefficients(then.cutoff, around.sample_rate_hz);
            block.set_filter(lane, from_fn(|i| Ramp::new(start[i], end[i], frames)));
        }
    }

    /// Takes the states to the current frame.
    fn move_on(&mut self, frames: u32) {
        if frames == 0 {
            return;
        }
        self.volume.advance(&self.volume_stages, frames);
        self.modulation.advance(&self.modulation_stages, frames);
        self.vibrato_lfo.advance(self.vibrato_frequency, frames);
        self.modulation_lfo.advance(self.modulation_frequency, frames);
        self.note.glide(frames);
        if let Some(left) = &mut self.fade {
            *left = left.saturating_sub(frames);
        }
        self.age = self.age.saturating_add(frames);
        (self.stretch, self.countdown) = (0, 0);
    }

    /// Frames until something that moves changes its direction.
    fn frames_to_corner(&self, rate: f64) -> u32 {
        use Generator as G;
        let moves = |generator| self.value(generator) != 0.0;
        let mut frames = self.fade.unwrap_or(u32::MAX);
        if moves(G::ModEnvToPitch) || moves(G::ModEnvToFilterFc) {
            frames = frames.min(self.modulation.frames_to_corner(&self.modulation_stages));
        }
        let sweep = self.value(G::ModEnvToFilterFc).abs();
        if sweep > LONGEST_SWEEP_CENTS {
            let part = LONGEST_SWEEP_CENTS / sweep;
            frames = frames.min(self.modulation.frames_to_move(&self.modulation_stages, part));
        }
        if moves(G::VibLfoToPitch) {
            frames = frames.min(self.vibrato_lfo.frames_to_corner(self.vibrato_frequency));
        }
        if moves(G::ModLfoToPitch) || moves(G::ModLfoToFilterFc) || moves(G::ModLfoToVolume) {
            frames = frames.min(self.modulation_lfo.frames_to_corner(self.modulation_frequency));
        }
        if self.release_wanted {
            frames = frames.min(shortest_note_frames(rate).saturating_sub(self.age).max(1));
        }
        frames
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
    /// The portamento's offset in `frames` frames, in cents.
    fn glide_ahead(&self, frames: f64) -> f64 {
        if self.glide_frames > frames { self.glide_cents * (1.0 - frames / self.glide_frames) } else { 0.0 }
    }

    fn glide(&mut self, frames: u32) {
        self.glide_cents = self.glide_ahead(f64::from(frames));
        self.glide_frames = (self.glide_frames - f64::from(frames)).max(0.0);
    }
}

/// The end of a straight ramp of speeds over `frames` frames that covers the same distance as the
/// curve through start, middle and end (Simpson's rule): chords alone would leave the sample out of
/// phase where the modulation envelope sweeps, and sharp under a wide vibrato.
fn same_distance(start: f64, middle: f64, end: f64, frames: f64) -> f64 {
    if frames < 2.0 {
        return end;
    }
    let mean = (start + 4.0 * middle + end) / 6.0;
    (start + (2.0 * frames * (mean - start) - (end - start)) / (frames - 1.0)).max(0.0)
}

/// A pitch in cents as a speed, held within ten octaves.
fn speed(cents: f64) -> f64 {
    cents_to_ratio(cents.clamp(-12_000.0, 12_000.0))
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
