//! Reverb and chorus behind the send busses.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x8};

use crate::chorus::Chorus;
use crate::course::CONTROL_FRAMES;
use crate::kernel::Busses;
use crate::lanes::LANES;
use crate::reverb::Reverb;

/// Below this (-120 dBFS before the output gain) an effect is taken as silent.
const SILENCE: f32 = 1e-6;

/// How long an effect must be silent before it sleeps: longer than any delay in it, in seconds.
const PATIENCE_SECONDS: f64 = 0.25;

/// What an effect does to the first `count` of eight frames.
trait Effect {
    fn frames<S: Simd>(&mut self, simd: S, input: &[f32; LANES], count: usize) -> (f32x8<S>, f32x8<S>);
    fn clear(&mut self);
}

impl Effect for Reverb {
    #[inline(always)]
    fn frames<S: Simd>(&mut self, simd: S, input: &[f32; LANES], count: usize) -> (f32x8<S>, f32x8<S>) {
        self.process(simd, input, count)
    }
    fn clear(&mut self) {
        Reverb::clear(self);
    }
}

impl Effect for Chorus {
    #[inline(always)]
    fn frames<S: Simd>(&mut self, simd: S, input: &[f32; LANES], count: usize) -> (f32x8<S>, f32x8<S>) {
        self.process(simd, input, count)
    }
    fn clear(&mut self) {
        Chorus::clear(self);
    }
}

/// An effect that sleeps while it has nothing to say. It wakes at the very frame of its first
/// input and falls asleep at points of the control grid only, so that neither depends on how the
/// time is cut into runs.
struct Sleeper<E> {
    effect: E,
    awake: bool,
    /// Loudest input or output since the last point of the grid.
    peak: f32,
    quiet_frames: u32,
    patience_frames: u32,
}

impl<E: Effect> Sleeper<E> {
    fn new(effect: E, sample_rate_hz: f64) -> Self {
        let patience_frames = (PATIENCE_SECONDS * sample_rate_hz) as u32;
        Sleeper { effect, awake: false, peak: 0.0, quiet_frames: 0, patience_frames }
    }

    #[inline(always)]
    fn process<S: Simd>(&mut self, simd: S, [left, right, ..]: &mut Busses, send: &[f32]) {
        let mut from = 0;
        if !self.awake {
            let Some(first) = send.iter().position(|&sample| sample != 0.0) else { return };
            (self.awake, self.quiet_frames, from) = (true, 0, first);
        }
        let lanes = f32x8::load_array(simd, std::array::from_fn(|lane| lane as f32));
        let zero = f32x8::splat(simd, 0.0);
        let mut peaks = zero;
        for at in (from..send.len()).step_by(LANES) {
            let count = LANES.min(send.len() - at);
            let mut input = [0.0; LANES];
            input[..count].copy_from_slice(&send[at..at + count]);
            let (a, b) = self.effect.frames(simd, &input, count);
            let counts = lanes.simd_lt(count as f32);
            for (side, sound) in [(&mut *left, a), (&mut *right, b)] {
                let sound = counts.select(sound, zero);
                let side = &mut side[at..at + LANES];
                (f32x8::from_slice(simd, side) + sound).store_slice(side);
                peaks = peaks.max(sound.abs());
            }
            peaks = peaks.max(f32x8::load_array(simd, input).abs());
        }
        self.peak = peaks.to_array().into_iter().fold(self.peak, f32::max);
    }

    fn grid(&mut self) {
        self.quiet_frames = if self.peak < SILENCE { self.quiet_frames + CONTROL_FRAMES } else { 0 };
        self.peak = 0.0;
        self.awake &= self.quiet_frames < self.patience_frames;
    }

    fn clear(&mut self) {
        self.effect.clear();
        (self.awake, self.peak, self.quiet_frames) = (false, 0.0, 0);
    }
}

/// Both effects. `[side A]` except [`Effects::new`].
pub(crate) struct Effects {
    reverb: Option<Sleeper<Reverb>>,
    chorus: Option<Sleeper<Chorus>>,
}

impl Effects {
    /// With the effects that are wanted. `[side B]`: allocates.
    pub fn new(sample_rate_hz: u32, reverb: bool, chorus: bool) -> Self {
        let rate = f64::from(sample_rate_hz);
        Effects {
            reverb: reverb.then(|| Sleeper::new(Reverb::new(rate), rate)),
            chorus: chorus.then(|| Sleeper::new(Chorus::new(rate), rate)),
        }
    }

    /// Whether both sleep.
    pub fn is_silent(&self) -> bool {
        !(self.reverb.as_ref().is_some_and(|reverb| reverb.awake)
            || self.chorus.as_ref().is_some_and(|chorus| chorus.awake))
    }

    /// Adds what the sends give to left and right.
    pub fn process(&mut self, level: Level, busses: &mut Busses, frames: usize) {
        let [_, _, reverb, chorus] = *busses;
        if let Some(effect) = &mut self.reverb {
            dispatch!(level, simd => effect.process(simd, busses, &reverb[..frames]));
        }
        if let Some(effect) = &mut self.chorus {
            dispatch!(level, simd => effect.process(simd, busses, &chorus[..frames]));
        }
    }

    /// A point of the control grid has been reached.
    pub fn grid(&mut self) {
        if let Some(effect) = &mut self.reverb {
            effect.grid();
        }
        if let Some(effect) = &mut self.chorus {
            effect.grid();
        }
    }

    /// Forgets all sound.
    pub fn clear(&mut self) {
        if let Some(effect) = &mut self.reverb {
            effect.clear();
        }
        if let Some(effect) = &mut self.chorus {
            effect.clear();
        }
    }
}
