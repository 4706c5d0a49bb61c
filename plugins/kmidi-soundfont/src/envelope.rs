//! The two envelopes of a voice (section 8.1.2, generators 25 to 40).
//!
//! Time is counted in frames from the first frame of the note. Frame *n* sounds at the level the
//! envelope has at the *end* of that frame, so that an attack is already above zero in the frame
//! where the note starts.

use crate::course::{LONGEST_COURSE_FRAMES, LevelCurve};
use crate::modulator::convex;
use crate::units::{CENTIBEL_LOG2, attenuation_to_gain, exp2, gain_to_attenuation};

/// Attenuation at which the specification calls a volume envelope silent, in centibels.
pub(crate) const SILENCE_CB: f64 = 1000.0;

/// Lengths of the stages in frames, and the sustain level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stages {
    pub delay: f64,
    pub attack: f64,
    pub hold: f64,
    /// For the whole way from the peak to nothing.
    pub decay: f64,
    /// How far the decay goes: 0 stays at the peak, 1 goes all the way.
    pub fall: f64,
    /// For the whole way from the peak to nothing.
    pub release: f64,
    /// What follows for a volume envelope, see [`Stages::with_levels`].
    pub decay_fall: Fall,
    pub release_fall: Fall,
    pub sustain_level: f64,
}

/// An exponential fall of amplitude.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fall {
    /// Binary logarithm of the factor of one frame.
    per_frame: f64,
    /// Frames in which a parabola is close to it.
    run: u32,
    /// The factor of a run.
    run_factor: f64,
    /// The curve of a run from level 1.
    run_curve: (f64, f64),
}

/// The fall between two control points up to which a parabola is close to it, in powers of e.
const LONGEST_RUN: f64 = 0.25;
/// The shortest run: faster falls are over too soon to be heard as a curve.
const SHORTEST_RUN_FRAMES: u32 = 8;

impl Fall {
    /// By [`SILENCE_CB`] in `length` frames.
    fn new(length: f64) -> Self {
        let per_frame = -SILENCE_CB * CENTIBEL_LOG2 / length;
        let run = LONGEST_RUN / (-per_frame * std::f64::consts::LN_2);
        let run = (run as u32).clamp(SHORTEST_RUN_FRAMES, LONGEST_COURSE_FRAMES);
        let run_factor = exp2(per_frame * f64::from(run));
        Fall { per_frame, run, run_factor, run_curve: LevelCurve::parabola(run_factor, run) }
    }

    /// The next `frames` frames from `level` on.
    fn curve(&self, level: f64, frames: u32) -> LevelCurve {
        let (slope, bend) = if frames == self.run {
            self.run_curve
        } else {
            LevelCurve::parabola(self.factor(frames), frames)
        };
        LevelCurve { start: level as f32, slope: (level * slope) as f32, bend: (level * bend) as f32 }
    }

    fn factor(&self, frames: u32) -> f64 {
        if frames == self.run { self.run_factor } else { exp2(self.per_frame * f64::from(frames)) }
    }
}

impl Stages {
    /// With what a volume envelope needs at each control point.
    pub fn with_levels(self) -> Self {
        Stages {
            decay_fall: Fall::new(self.decay),
            release_fall: Fall::new(self.release),
            sustain_level: attenuation_to_gain(SILENCE_CB * self.fall),
            ..self
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    #[default]
    Delay,
    Attack,
    Hold,
    Decay,
    Sustain,
    Release,
    Finished,
}

/// Where an envelope is: common to both kinds, which differ in the shape of their stages.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    stage: Stage,
    /// Frames into the stage; above 0 and at most its length.
    position: f64,
}

impl Cursor {
    /// At the end of the first frame.
    fn start(stages: &Stages) -> Self {
        let mut cursor = Cursor { stage: Stage::Delay, position: 1.0 };
        cursor.settle(stages, 0.0);
        cursor
    }

    /// Length of the current stage. `from` is how far the release has already come when it starts.
    fn length(&self, stages: &Stages, from: f64) -> f64 {
        match self.stage {
            Stage::Delay => stages.delay,
            Stage::Attack => stages.attack,
            Stage::Hold => stages.hold,
            Stage::Decay => stages.decay * stages.fall,
            Stage::Release => stages.release * (1.0 - from),
            Stage::Sustain | Stage::Finished => f64::INFINITY,
        }
    }

    /// Moves on through all stages that are over.
    fn settle(&mut self, stages: &Stages, from: f64) {
        loop {
            let length = self.length(stages, from);
            let is_over = self.position > length;
            if !is_over {
                return;
            }
            self.position -= length;
            self.stage = match self.stage {
                Stage::Delay => Stage::Attack,
                Stage::Attack => Stage::Hold,
                Stage::Hold => Stage::Decay,
                Stage::Decay if stages.fall >= 1.0 => Stage::Finished,
                Stage::Decay => Stage::Sustain,
                Stage::Release => Stage::Finished,
                same => same,
            };
        }
    }

    /// The times have changed: stays at the same part of the way.
    fn retime(&mut self, before: &Stages, now: &Stages, from: f64) {
        let (old, new) = match self.stage {
            Stage::Delay => (before.delay, now.delay),
            Stage::Attack => (before.attack, now.attack),
            Stage::Hold => (before.hold, now.hold),
            Stage::Decay => (before.decay, now.decay),
            Stage::Release => (before.release, now.release),
            Stage::Sustain | Stage::Finished => return,
        };
        if old != new {
            self.position *= new / old;
        }
        self.settle(now, from);
    }

    /// Frames, this one included, that still belong to the stage.
    fn frames_left(&self, stages: &Stages, from: f64) -> u32 {
        // Conversion cuts off what is behind the point, and holds what is too much at the highest.
        ((self.length(stages, from) - self.position) as u32).saturating_add(1)
    }
}

/// Attack linear in amplitude; decay and release linear in decibels, 100 dB being the whole way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct VolumeEnvelope {
    cursor: Cursor,
    /// Attenuation where the release started, in parts of [`SILENCE_CB`].
    released_from: f64,
    /// Amplitude at the end of the current frame.
    level: f64,
}

impl VolumeEnvelope {
    pub fn start(stages: &Stages) -> Self {
        VolumeEnvelope { cursor: Cursor::start(stages), ..VolumeEnvelope::default() }.levelled(stages)
    }

    /// With the level that the place in the stage asks for.
    fn levelled(mut self, stages: &Stages) -> Self {
        let after_peak = |attenuation| attenuation_to_gain(SILENCE_CB * attenuation);
        let position = self.cursor.position;
        self.level = match self.cursor.stage {
            Stage::Delay | Stage::Finished => 0.0,
            Stage::Attack => position / stages.attack,
            Stage::Hold => 1.0,
            Stage::Decay => after_peak(position / stages.decay),
            Stage::Sustain => stages.sustain_level,
            Stage::Release => after_peak(self.released_from + position / stages.release),
        };
        self
    }

    /// Amplitude at the end of the current frame.
    pub fn level(&self) -> f64 {
        self.level
    }

    fn fall<'a>(&self, stages: &'a Stages) -> Option<&'a Fall> {
        match self.cursor.stage {
            Stage::Decay => Some(&stages.decay_fall),
            Stage::Release => Some(&stages.release_fall),
            _ => None,
        }
    }

    /// Frames until the stage ends, or its curve has to be looked at again.
    pub fn frames_to_corner(&self, stages: &Stages) -> u32 {
        let run = self.fall(stages).map_or(u32::MAX, |fall| fall.run);
        self.cursor.frames_left(stages, self.released_from).min(run)
    }

    /// The next `frames` frames, up to a corner.
    pub fn curve(&self, stages: &Stages, frames: u32) -> LevelCurve {
        let level = self.level;
        match (self.cursor.stage, self.fall(stages)) {
            (Stage::Attack, _) => {
                LevelCurve::straight(level, level + f64::from(frames) / stages.attack, frames)
            }
            (_, Some(fall)) => fall.curve(level, frames),
            _ => LevelCurve::straight(level, level, frames),
        }
    }

    pub fn advance(&mut self, stages: &Stages, frames: u32) {
        let stage = self.cursor.stage;
        let fall = self.fall(stages);
        self.cursor.position += f64::from(frames);
        self.cursor.settle(stages, self.released_from);
        match fall {
            Some(fall) if self.cursor.stage == stage => self.level *= fall.factor(frames),
            None if self.cursor.stage == stage && stage != Stage::Attack => {}
            _ => *self = self.levelled(stages),
        }
    }

    /// The times are others from now on.
    pub fn retime(&mut self, before: &Stages, now: &Stages) {
        self.cursor.retime(before, now, self.released_from);
        *self = self.levelled(now);
    }

    /// The key is up: falls from the level of the frame before this one.
    pub fn release(&mut self, stages: &Stages) {
        let before = VolumeEnvelope {
            cursor: Cursor { position: (self.cursor.position - 1.0).max(0.0), ..self.cursor },
            ..*self
        };
        if self.cursor.stage >= Stage::Release {
            return;
        }
        let level = before.levelled(stages).level;
        let attenuation = if level > 0.0 { gain_to_attenuation(level) / SILENCE_CB } else { 1.0 };
        self.released_from = attenuation.clamp(0.0, 1.0);
        self.cursor = Cursor { stage: Stage::Release, position: 1.0 };
        self.cursor.settle(stages, self.released_from);
        *self = self.levelled(stages);
    }

    pub fn is_released(&self) -> bool {
        self.cursor.stage >= Stage::Release
    }

    pub fn is_finished(&self) -> bool {
        self.cursor.stage == Stage::Finished
    }

    /// Whether the peak is still to come: such a voice will be heard better than it is now.
    pub fn is_rising(&self) -> bool {
        self.cursor.stage <= Stage::Attack
    }
}

/// How far a straight line may go along the convex attack, as a part of the way from its start.
const LONGEST_CHORD: f64 = 0.25;

/// Attack convex; decay and release linear.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ModulationEnvelope {
    cursor: Cursor,
    /// How far below the peak the release started.
    released_from: f64,
}

impl ModulationEnvelope {
    pub fn start(stages: &Stages) -> Self {
        ModulationEnvelope { cursor: Cursor::start(stages), released_from: 0.0 }
    }

    pub fn stage(&self) -> Stage {
        self.cursor.stage
    }

    /// 0 to 1 at the end of the frame `frames` frames from now, if no corner comes before.
    pub fn ahead(&self, stages: &Stages, frames: f64) -> f64 {
        let position = self.cursor.position + frames;
        match self.cursor.stage {
            Stage::Delay | Stage::Finished => 0.0,
            Stage::Attack => convex(position / stages.attack),
            Stage::Hold => 1.0,
            Stage::Decay => 1.0 - position / stages.decay,
            Stage::Sustain => 1.0 - stages.fall,
            Stage::Release => 1.0 - self.released_from - position / stages.release,
        }
    }

    /// Frames until the curve has a corner, or has bent so much that a straight line misses it.
    pub fn frames_to_corner(&self, stages: &Stages) -> u32 {
        let left = self.cursor.frames_left(stages, self.released_from);
        if self.cursor.stage != Stage::Attack {
            return left;
        }
        // The curve is a logarithm of the position.
        left.min((self.cursor.position * LONGEST_CHORD) as u32 + 1)
    }

    /// The times are others from now on.
    pub fn retime(&mut self, before: &Stages, now: &Stages) {
        self.cursor.retime(before, now, self.released_from);
    }

    /// Frames in which it falls by a part of the whole way.
    pub fn frames_to_move(&self, stages: &Stages, part: f64) -> u32 {
        match self.cursor.stage {
            Stage::Decay => (stages.decay * part) as u32 + 1,
            Stage::Release => (stages.release * part) as u32 + 1,
            _ => u32::MAX,
        }
    }

    pub fn advance(&mut self, stages: &Stages, frames: u32) {
        self.cursor.position += f64::from(frames);
        self.cursor.settle(stages, self.released_from);
    }

    /// The key is up: falls from where the frame before this one was.
    pub fn release(&mut self, stages: &Stages) {
        if self.cursor.stage < Stage::Release {
            let mut before = *self;
            before.cursor.position -= 1.0;
            self.released_from = (1.0 - before.ahead(stages, 0.0)).clamp(0.0, 1.0);
            self.cursor = Cursor { stage: Stage::Release, position: 1.0 };
            self.cursor.settle(stages, self.released_from);
        }
    }
}
