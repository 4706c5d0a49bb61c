//! A voice: what its zone, its channel and its own time make of it, at control points. What runs at
//! each frame is in [`crate::kernel`].

mod ending;

use std::array::from_fn;

use basedrop::Shared;

use crate::channel::Channel;
use crate::course::{BUSSES, CONTROL_FRAMES, LONGEST_COURSE_FRAMES, LevelCurve, Ramp};
use crate::envelope::{ModulationEnvelope, Stage, VolumeEnvelope};
use crate::filter::{FLAT_CUTOFF_CENTS, low_pass};
use crate::filter_bank::{FilterState, PASS_ALL};
use crate::generator::Generator;
use crate::kernel::Playback;
use crate::lfo::Lfo;
use crate::movement::{Movement, Way, same_distance};
use crate::note::{Holds, Note};
use crate::reader::Reader;
use crate::tone::{Surroundings, Tone, speed};
use crate::units::{attenuation_to_gain, wait_frames};
use crate::zone::{Preset, Zone};
use ending::Fade;

/// Farthest that the modulation envelope may move the cutoff between two control points.
const LONGEST_SWEEP_CENTS: f64 = 400.0;

/// One sounding zone of a note. `[side A]`
#[derive(Default)]
pub(crate) struct Voice {
    pub playback: Playback,
    pub filter: FilterState,
    /// Whether the filter may be needed.
    pub is_filtered: bool,
    /// Whether it has been: it stays in circuit then.
    filter_in_circuit: bool,
    /// Whether it has not begun yet.
    pub waits: bool,
    /// Whether it counts towards the polyphony.
    pub counts: bool,
    /// How loud it was at the last point of the control grid, or will be where its envelope peaks.
    pub loudness: f32,
    /// Whether it only waits for its place to be given back.
    pub has_ended: bool,
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
    /// Frames of the next run that pass before the voice begins.
    pub skip: u32,
    /// Sample frames per frame of output without LFOs and envelope, from grid point to grid point.
    steady_speed: Way,
    /// Gains without the modulation LFO, from grid point to grid point.
    steady_gains: [Way; BUSSES],
    /// Where the movement of the last stretch led.
    arrival: Movement,
    /// The modulation envelope's stage for which that holds, if the voice has gone there.
    arrived_in: Option<Stage>,
    /// Whether nothing but the level moved in the last stretch.
    at_rest: bool,
    /// Frames by which LFOs and modulation envelope are behind: while they move nothing they wait.
    idle_frames: u32,
    /// The cutoff for which coefficients were worked out last, and these.
    cutoff: f64,
    coefficients: [f64; 3],
    /// Frames from the first of the note to the last control point.
    age: u32,
    /// The age at which the release starts.
    release_at: Option<u32>,
    fade: Option<Fade>,
}

impl Voice {
    pub fn is_sounding(&self) -> bool {
        self.preset.is_some()
    }

    pub fn is_released(&self) -> bool {
        self.release_at.is_some() || self.volume.is_released()
    }

    pub fn exclusive_class(&self) -> i32 {
        self.exclusive_class
    }

    fn zone<'a>(&self, preset: &'a Option<Shared<Preset>>) -> Option<&'a Zone> {
        preset.as_ref().and_then(|preset| preset.zones.get(self.zone))
    }

    /// Takes a note, which sounds from [`Voice::begin`] on.
    pub fn take(&mut self, note: Note, (preset, zone): (&Shared<Preset>, usize)) {
        *self = Voice {
            preset: Some(preset.clone()),
            zone,
            note,
            holds: Holds { key: true, ..Holds::default() },
            exclusive_class: preset.zones[zone].generators[Generator::ExclusiveClass],
            waits: true,
            cutoff: f64::NAN,
            ..Voice::default()
        };
    }

    /// Sounds from the next frame on; `lead` is how many frames before a place its interpolation
    /// looks at. False if it has nothing to sound.
    pub fn begin(&mut self, lead: u32, around: &Surroundings<'_>) -> bool {
        self.waits = false;
        let preset = self.preset.take();
        // What was silenced while it waited is not heard at all.
        let begun =
            self.fade.is_none() && self.zone(&preset).is_some_and(|zone| self.begin_zone(zone, lead, around));
        self.preset = preset;
        begun
    }

    fn begin_zone(&mut self, zone: &Zone, lead: u32, around: &Surroundings<'_>) -> bool {
        let Some(reader) = Reader::of_zone(zone, lead) else { return false };
        if zone.generators[Generator::Velocity] >= 0 {
            self.note.velocity = zone.generators[Generator::Velocity] as f32;
        }
        self.tone = Tone::new(zone, &self.note, around);
        self.volume = VolumeEnvelope::start(&self.tone.volume);
        self.modulation = ModulationEnvelope::start(&self.tone.modulation);
        let lfo = |generator| Lfo::start(wait_frames(self.tone.value(generator), around.sample_rate_hz));
        (self.vibrato_lfo, self.modulation_lfo) = (lfo(Generator::DelayVibLfo), lfo(Generator::DelayModLfo));
        self.steady_speed = Way::at_rest(self.tone.speed(zone, &self.note, around));
        self.steady_gains = self.tone.gains(&around.channels[self.note.channel]).map(Way::at_rest);
        self.loudness = self.steady_gains[0].to.max(self.steady_gains[1].to) as f32;
        self.playback = Playback::start(zone.sample.clone(), reader);
        self.is_filtered = self.needs_filter();
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

    fn is_resonant(&self) -> bool {
        self.tone.value(Generator::InitialFilterQ) > 0.0
    }

    /// Whether the cutoff may come below that from which the filter is flat.
    fn needs_filter(&self) -> bool {
        let depths = &self.tone.depths;
        self.is_resonant()
            || self.tone.value(Generator::InitialFilterFc) < FLAT_CUTOFF_CENTS
            || depths.lfo_cutoff != 0.0
            || depths.envelope_cutoff < 0.0
    }

    /// Whether neither LFOs nor modulation envelope nor portamento move anything.
    fn is_still(&self) -> bool {
        self.tone.depths.are_none() && self.note.glide_frames == 0.0
    }

    fn coefficients(&mut self, cutoff: f64, sample_rate_hz: f64) -> [f64; 3] {
        if cutoff != self.cutoff {
            let cutoff_in_range = cutoff.max(f64::from(Generator::InitialFilterFc.range().0));
            self.cutoff = cutoff;
            let [a1, a2, a3] = low_pass(cutoff_in_range, self.tone.damping, sample_rate_hz);
            self.coefficients = [2.0 * a1 - 1.0, 2.0 * a2, 2.0 * a3];
        }
        self.coefficients
    }

    /// Sets the course of the next stretch if this one is over. False when the voice has ended.
    #[inline]
    pub fn control_if_due(&mut self, around: &Surroundings<'_>) -> bool {
        if self.waits || self.has_ended {
            return false;
        }
        if self.countdown == 0 {
            self.control(around);
        }
        !self.has_ended
    }

    fn control(&mut self, around: &Surroundings<'_>) {
        let preset = self.preset.take();
        self.has_ended = match self.zone(&preset) {
            Some(zone) => !self.control_zone(zone, around),
            None => true,
        };
        if self.has_ended {
            self.playback.fall_silent();
        }
        self.preset = preset;
    }

    fn control_zone(&mut self, zone: &Zone, around: &Surroundings<'_>) -> bool {
        self.move_on(self.stretch - self.countdown);
        let level_so_far = f64::from(self.playback.current_level());
        let in_sample = self.playback.arrive();
        // Only now: a loop that is left has been gone round until here.
        if self.release_at.is_some_and(|at| self.age >= at) {
            self.begin_release(zone);
        }
        let fading = self.fade.filter(|fade| self.age >= fade.start);
        let has_ended = match fading {
            Some(fade) => self.age >= fade.end,
            None => self.volume.is_finished(),
        };
        if has_ended || !in_sample {
            return false;
        }
        // Before the channel is looked at: the new depths are reached at the end of the stretch.
        // The envelope may jump where another stage begins.
        let has_arrived = self.arrived_in.take() == Some(self.modulation.stage());
        let now = if has_arrived { self.arrival } else { self.movement(0.0) };
        let retimed = around.frame_in_grid == 0 && self.grid_point(zone, around);
        let to_grid = self.way_ahead() - around.frame_in_grid;
        let to_corner = self.volume.frames_to_corner(&self.tone.volume);
        let frames = to_grid.min(to_corner).min(self.frames_to_corner()).max(1);
        self.playback.level = match fading {
            Some(fade) => {
                let left = f64::from(fade.end - self.age);
                LevelCurve::straight(level_so_far, level_so_far * (1.0 - f64::from(frames) / left), frames)
            }
            // Another sustain level may be far from the one that sounds.
            None if retimed => {
                let mut then = self.volume;
                then.advance(&self.tone.volume, frames);
                LevelCurve::straight(level_so_far, then.level(), frames)
            }
            None => self.volume.curve(&self.tone.volume, frames),
        };
        (self.stretch, self.countdown) = (frames, frames);
        if !self.at_rest {
            let then = self.movement(f64::from(frames));
            self.set_course((now, then), around);
            (self.arrival, self.arrived_in) = (then, Some(self.modulation.stage()));
        }
        self.stretch = self.playback.frames_in_sample(frames);
        self.countdown = self.stretch;
        if around.frame_in_grid == 0 {
            let peak = self.playback.loudness_at_peak();
            self.loudness = if self.volume.is_rising() { peak } else { peak * self.playback.level.start };
        }
        true
    }

    /// How far the next stretch may go, from the last point of the grid on: to the next one, where what the
    /// channel has changed is reached; past that if it has changed nothing.
    fn way_ahead(&self) -> u32 {
        let stands = self.steady_speed.stands() && self.steady_gains.iter().all(Way::stands);
        if stands { LONGEST_COURSE_FRAMES } else { CONTROL_FRAMES }
    }

    /// At a point of the grid: a stretch that goes past it ends here if the channel has changed.
    pub fn heed(&mut self, channels: &[Channel]) {
        if self.countdown > 0 && self.tone.is_stale(&channels[self.note.channel]) {
            self.stop_course();
        }
    }

    /// The course goes no farther than it has come.
    fn stop_course(&mut self) {
        self.stretch -= std::mem::take(&mut self.countdown);
        self.arrived_in = None;
    }

    fn begin_release(&mut self, zone: &Zone) {
        self.release_at = None;
        self.arrived_in = None;
        self.catch_up();
        self.volume.release(&self.tone.volume);
        self.modulation.release(&self.tone.modulation);
        if zone.generators[Generator::SampleModes] & 3 == 3 {
            self.playback.leave_loop();
        }
    }

    /// Looks at the channel. What it has changed is reached at the next point of the grid. Whether
    /// the volume envelope has other times now.
    fn grid_point(&mut self, zone: &Zone, around: &Surroundings<'_>) -> bool {
        let channel = &around.channels[self.note.channel];
        let (mut speed, mut gains) = (self.steady_speed.to, self.steady_gains.map(|gain| gain.to));
        let mut retimed = false;
        if self.tone.is_stale(channel) {
            self.at_rest = false;
            self.catch_up();
            let (volume, modulation) = (self.tone.volume, self.tone.modulation);
            self.tone.refresh(zone, &self.note, around);
            self.volume.retime(&volume, &self.tone.volume);
            retimed = volume != self.tone.volume;
            self.modulation.retime(&modulation, &self.tone.modulation);
            speed = self.tone.speed(zone, &self.note, around);
            gains = self.tone.gains(channel);
            // The damping may be another, and with it the coefficients.
            self.cutoff = f64::NAN;
            self.is_filtered |= self.needs_filter();
        }
        if self.at_rest {
            return false;
        }
        self.steady_speed = self.steady_speed.on_to(speed);
        for (way, to) in self.steady_gains.iter_mut().zip(gains) {
            *way = way.on_to(to);
        }
        retimed
    }

    /// Sets what is read and how it is mixed in the stretch.
    fn set_course(&mut self, (now, then): (Movement, Movement), around: &Surroundings<'_>) {
        let frames = self.stretch;
        let in_grid = |frame: u32| f64::from(frame) / f64::from(CONTROL_FRAMES);
        let (from, to) = (in_grid(around.frame_in_grid), in_grid(around.frame_in_grid + frames));
        let (start, end) = (self.steady_speed.at(from) * now.speed, self.steady_speed.at(to) * then.speed);
        let end = if now.speed == then.speed {
            end
        } else {
            // Cents move straight, but where the envelope's attack bends them.
            let half = if self.modulation.stage() == Stage::Attack {
                self.movement(f64::from(frames) / 2.0).speed
            } else {
                (now.speed * then.speed).sqrt()
            };
            let middle = self.steady_speed.at((from + to) / 2.0) * half;
            same_distance(start, middle, end, f64::from(frames))
        };
        self.playback.path.set_speed(start, end, frames);
        // One division for all.
        let part = 1.0 / f64::from(frames);
        self.playback.gains = self
            .steady_gains
            .map(|steady| Ramp::new(steady.at(from) * now.gain, steady.at(to) * then.gain, part));
        if self.is_filtered {
            let (start, end) = self.filter_course((now.cutoff, then.cutoff), around.sample_rate_hz);
            self.filter.coefficients = from_fn(|i| Ramp::new(start[i], end[i], part));
        }
        self.at_rest = self.is_still()
            && self.steady_speed.stands()
            && self.steady_gains.iter().all(Way::stands)
            && now.cutoff == then.cutoff;
    }

    /// The filter's coefficients at both ends of a stretch.
    fn filter_course(&mut self, (now, then): (f64, f64), sample_rate_hz: f64) -> ([f64; 3], [f64; 3]) {
        if !self.filter_in_circuit {
            if !self.is_resonant() && now.min(then) >= FLAT_CUTOFF_CENTS {
                return (PASS_ALL, PASS_ALL);
            }
            self.filter_in_circuit = true;
            (self.filter.band, self.filter.low) = (0.0, self.playback.last);
        }
        (self.coefficients(now, sample_rate_hz), self.coefficients(then, sample_rate_hz))
    }

    /// Takes the states to the current frame.
    fn move_on(&mut self, frames: u32) {
        if frames == 0 {
            return;
        }
        self.volume.advance(&self.tone.volume, frames);
        self.idle_frames += frames;
        if !self.is_still() {
            self.catch_up();
        }
        self.age = self.age.saturating_add(frames);
        (self.stretch, self.countdown) = (0, 0);
    }

    /// Takes LFOs, modulation envelope and portamento to the current frame.
    fn catch_up(&mut self) {
        let frames = std::mem::take(&mut self.idle_frames);
        self.modulation.advance(&self.tone.modulation, frames);
        self.vibrato_lfo.advance(self.tone.vibrato_frequency, frames);
        self.modulation_lfo.advance(self.tone.modulation_frequency, frames);
        self.note.glide(frames);
    }

    /// Frames until something that moves changes its direction.
    fn frames_to_corner(&self) -> u32 {
        let depths = &self.tone.depths;
        let mut frames = u32::MAX;
        if let Some(fade) = self.fade {
            let next = if self.age < fade.start { fade.start } else { fade.end };
            frames = next.saturating_sub(self.age);
        }
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
        if let Some(at) = self.release_at {
            frames = frames.min(at.saturating_sub(self.age));
        }
        frames.max(1)
    }

    /// Frames since the note began at the frame `ahead` of the next one to be rendered.
    fn age_at(&self, ahead: u32) -> u32 {
        self.age.saturating_add((self.stretch - self.countdown + ahead).saturating_sub(self.skip))
    }

    /// The next control point comes no later than at an age.
    fn control_at(&mut self, age: u32) {
        let left = age.saturating_sub(self.age_at(self.skip));
        if left < self.countdown {
            self.stretch -= self.countdown - left;
            self.countdown = left;
            self.arrived_in = None;
        }
    }

    /// Becomes another key without a new attack.
    pub fn retune(&mut self, note: Note) {
        self.control_at(self.age_at(self.skip));
        self.move_on(self.stretch - self.countdown);
        self.catch_up();
        self.at_rest = false;
        self.note = Note { velocity: self.note.velocity, id: self.note.id, ..note };
        // The times of the stages stay as they were; pitch and modulators follow the new key.
        self.tone.make_stale();
    }

    /// Gives back what the voice holds; freed by the collector of side B.
    pub fn clear(&mut self) {
        self.preset = None;
        self.playback = Playback::default();
        (self.waits, self.counts, self.has_ended) = (false, false, false);
        self.fade = None;
        self.release_at = None;
        self.holds = Holds::default();
    }
}
