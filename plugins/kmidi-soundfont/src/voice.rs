//! The part of a voice that thinks: what its zone, its channel and its own time make of it, at
//! control points. What runs at each frame is in [`crate::kernel`].

use std::array::from_fn;

use basedrop::Shared;

use crate::envelope::{ModulationEnvelope, VolumeEnvelope};
use crate::filter::{FLAT_CUTOFF_CENTS, low_pass};
use crate::generator::Generator;
use crate::kernel::{BUSSES, CONTROL_FRAMES, Ramp, VoiceBlock};
use crate::lfo::Lfo;
use crate::note::{Holds, Note};
use crate::reader::Reader;
use crate::tone::{Surroundings, Tone, speed};
use crate::units::{attenuation_to_gain, wait_frames};
use crate::zone::{Preset, Zone};

/// Shortest time from note-on to release, in seconds: a drum hit written with no length sounds.
const SHORTEST_NOTE_SECONDS: f64 = 0.010;

/// Time in which a stolen or silenced voice fades, in seconds.
const FADE_SECONDS: f64 = 0.005;

/// Time in which a voice ended by its exclusive class fades, in seconds.
const CHOKE_SECONDS: f64 = 0.050;

/// Farthest that the modulation envelope may move the cutoff between two control points.
const LONGEST_SWEEP_CENTS: f64 = 400.0;

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
    exclusive_class: i32,
    tone: Tone,
    volume: VolumeEnvelope,
    modulation: ModulationEnvelope,
    vibrato_lfo: Lfo,
    modulation_lfo: Lfo,
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
        let Some(reader) = Reader::of_zone(source) else { return false };
        let mut note = note;
        if source.generators[Generator::Velocity] >= 0 {
            note.velocity = source.generators[Generator::Velocity] as f32;
        }
        *self = Voice {
            zone,
            note,
            holds: Holds { key: true, ..Holds::default() },
            exclusive_class: source.generators[Generator::ExclusiveClass],
            tone: Tone::new(source, &note, around),
            cutoff: f64::NAN,
            ..Voice::default()
        };
        self.volume = VolumeEnvelope::start(&self.tone.volume);
        self.modulation = ModulationEnvelope::start(&self.tone.modulation);
        let lfo = |generator| Lfo::start(wait_frames(self.tone.value(generator), around.sample_rate_hz));
        (self.vibrato_lfo, self.modulation_lfo) = (lfo(Generator::DelayVibLfo), lfo(Generator::DelayModLfo));
        self.steady_speed = Way::at_rest(self.tone.speed(source, &note, around));
        self.steady_gains = self.tone.gains(&around.channels[note.channel]).map(Way::at_rest);
        self.preset = Some(preset.clone());
        block.start(lane, source.sample.clone(), reader);
        true
    }

    /// What LFOs, modulation envelope and portamento make of the voice `frames` frames from now,
    /// if none of them turns a corner before.
    fn movement(&self, frames: f64) -> Movement {
        let cutoff = self.tone.value(Generator::InitialFilterFc);
        if self.is_still() {
            return Movement { speed: 1.0, gain: 1.0, cutoff };
        }
        let depths = &self.tone.depths;
        let (mut vibrato, mut lfo, mut envelope) = (0.0, 0.0, 0.0);
        if depths.vibrato_pitch != 0.0 {
            vibrato = self.vibrato_lfo.ahead(self.tone.vibrato_frequency, frames);
        }
        if !depths.lfo_is_idle() {
            lfo = self.modulation_lfo.ahead(self.tone.modulation_frequency, frames);
        }
        if !depths.envelope_is_idle() {
            envelope = self.modulation.ahead(&self.tone.modulation, frames);
        }
        let cents = self.note.glide_ahead(frames)
            + vibrato * depths.vibrato_pitch
            + lfo * depths.lfo_pitch
            + envelope * depths.envelope_pitch;
        let tremolo = lfo * depths.lfo_volume;
        Movement {
            speed: if cents == 0.0 { 1.0 } else { speed(cents) },
            gain: if tremolo == 0.0 { 1.0 } else { attenuation_to_gain(-tremolo) },
            cutoff: cutoff + lfo * depths.lfo_cutoff + envelope * depths.envelope_cutoff,
        }
    }

    /// Whether neither LFOs nor modulation envelope nor portamento move anything.
    fn is_still(&self) -> bool {
        self.tone.depths.are_none() && self.note.glide_frames == 0.0
    }

    fn coefficients(&mut self, cutoff: f64, sample_rate_hz: f64) -> [f64; 3] {
        if cutoff != self.cutoff {
            let cutoff_in_range = cutoff.max(f64::from(Generator::InitialFilterFc.range().0));
            self.cutoff = cutoff;
            self.coefficients = low_pass(cutoff_in_range, self.tone.quality, sample_rate_hz);
        }
        self.coefficients
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
        // Before the channel is looked at: the new depths are reached at the end of the stretch.
        let now = self.movement(0.0);
        let retimed = around.frame_in_grid == 0 && self.grid_point(zone, around);
        let to_grid = CONTROL_FRAMES - around.frame_in_grid;
        let stretch = self.volume.stretch(&self.tone.volume);
        let frames = to_grid.min(self.frames_to_corner(rate)).min(stretch.frames).max(1);
        match self.fade {
            Some(frames_left) => block.ramp_level(lane, 0.0, frames_left),
            // Another sustain level may be far from the one that sounds.
            None if retimed => {
                let mut then = self.volume;
                then.advance(&self.tone.volume, frames);
                block.ramp_level(lane, then.level(&self.tone.volume), frames);
            }
            None => block.set_level(lane, stretch.level, stretch.factor, stretch.step),
        }
        (self.stretch, self.countdown) = (frames, frames);
        let then = self.movement(f64::from(frames));
        self.send(block, lane, (now, then), around);
        true
    }

    fn begin_release(&mut self, zone: &Zone, block: &mut VoiceBlock, lane: usize) {
        self.release_wanted = false;
        self.volume.release(&self.tone.volume);
        self.modulation.release(&self.tone.modulation);
        if zone.generators[Generator::SampleModes] & 3 == 3 {
            block.leave_loop(lane);
        }
    }

    /// Looks at the channel. What it has changed is reached at the next point of the grid. Whether
    /// the volume envelope has other times now.
    fn grid_point(&mut self, zone: &Zone, around: &Surroundings<'_>) -> bool {
        let channel = &around.channels[self.note.channel];
        let (mut speed, mut gains) = (self.steady_speed.to, self.steady_gains.map(|gain| gain.to));
        let mut retimed = false;
        if self.tone.is_stale(channel) {
            let (volume, modulation) = (self.tone.volume, self.tone.modulation);
            self.tone.refresh(zone, &self.note, around);
            self.volume.retime(&volume, &self.tone.volume);
            retimed = volume != self.tone.volume;
            self.modulation.retime(&modulation, &self.tone.modulation);
            speed = self.tone.speed(zone, &self.note, around);
            gains = self.tone.gains(channel);
            // The quality may be another, and with it the coefficients.
            self.cutoff = f64::NAN;
        }
        self.steady_speed = self.steady_speed.on_to(speed);
        for (way, to) in self.steady_gains.iter_mut().zip(gains) {
            *way = way.on_to(to);
        }
        retimed
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
        let resonant = self.tone.value(Generator::InitialFilterQ) > 0.0;
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
        self.volume.advance(&self.tone.volume, frames);
        self.modulation.advance(&self.tone.modulation, frames);
        self.vibrato_lfo.advance(self.tone.vibrato_frequency, frames);
        self.modulation_lfo.advance(self.tone.modulation_frequency, frames);
        self.note.glide(frames);
        if let Some(left) = &mut self.fade {
            *left = left.saturating_sub(frames);
        }
        self.age = self.age.saturating_add(frames);
        (self.stretch, self.countdown) = (0, 0);
    }

    /// Frames until something that moves changes its direction.
    fn frames_to_corner(&self, rate: f64) -> u32 {
        let depths = &self.tone.depths;
        let mut frames = self.fade.unwrap_or(u32::MAX);
        if !depths.envelope_is_idle() {
            frames = frames.min(self.modulation.frames_to_corner(&self.tone.modulation));
        }
        let sweep = depths.envelope_cutoff.abs();
        if sweep > LONGEST_SWEEP_CENTS {
            let part = LONGEST_SWEEP_CENTS / sweep;
            frames = frames.min(self.modulation.frames_to_move(&self.tone.modulation, part));
        }
        if depths.vibrato_pitch != 0.0 {
            frames = frames.min(self.vibrato_lfo.frames_to_corner(self.tone.vibrato_frequency));
        }
        if !depths.lfo_is_idle() {
            frames = frames.min(self.modulation_lfo.frames_to_corner(self.tone.modulation_frequency));
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
        self.tone.make_stale();
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

fn shortest_note_frames(sample_rate_hz: f64) -> u32 {
    (SHORTEST_NOTE_SECONDS * sample_rate_hz) as u32
}
