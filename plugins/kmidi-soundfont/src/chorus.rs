//! Three copies of the sound, each a little behind and slowly wandering, spread from left to right.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

use crate::delay_line::{DelayLine, SlowSines};
use crate::lanes::LANES;
use crate::one_pole::LowCut;

/// Middle of the delay, in milliseconds.
const DELAY_MS: f64 = 14.0;
/// How far it wanders from there, in milliseconds.
const DEPTH_MS: f64 = 2.2;
/// How often, in Hz.
const RATE_HZ: f64 = 0.43;
/// Level, so that a full send is about as loud as the sound itself.
const LEVEL: f32 = 0.8;

/// What is taken off below, in Hz: what does not wander audibly only gets louder.
const LOW_CUT_HZ: f64 = 40.0;
const TAPS: usize = 3;

/// Mono in, stereo out. `[side A]` except [`Chorus::new`].
pub(crate) struct Chorus {
    low_cut: LowCut,
    line: DelayLine,
    wander: SlowSines,
    delay_frames: f32,
    depth_frames: f32,
}

impl Chorus {
    /// `[side B]`: allocates.
    pub fn new(sample_rate_hz: f64) -> Self {
        let frames = |milliseconds: f64| milliseconds * sample_rate_hz / 1000.0;
        Chorus {
            low_cut: LowCut::new(LOW_CUT_HZ, sample_rate_hz),
            line: DelayLine::new(frames(DELAY_MS + DEPTH_MS) as usize + 4),
            wander: SlowSines::new(sample_rate_hz, from_fn(|tap| (RATE_HZ, tap as f64 / TAPS as f64))),
            delay_frames: frames(DELAY_MS) as f32,
            depth_frames: frames(DEPTH_MS) as f32,
        }
    }

    /// The first `count` of eight frames; what comes after them means nothing.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, input: &[f32; LANES], count: usize) -> (f32x8<S>, f32x8<S>) {
        let mut sides = [f32x8::splat(simd, 0.0); TAPS];
        for (tap, side) in sides.iter_mut().enumerate() {
            let delays = self.wander.ahead(simd, tap) * self.depth_frames + self.delay_frames;
            *side = self.line.between(simd, delays);
        }
        let mut cut = [0.0; LANES];
        for (cut, input) in cut.iter_mut().zip(&input[..count]) {
            *cut = self.low_cut.process(*input);
        }
        self.line.push(f32x8::load_array(simd, cut), count);
        self.wander.advance(count);
        let [left, middle, right] = sides;
        let middle = middle * 0.5;
        ((left + middle) * LEVEL, (right + middle) * LEVEL)
    }

    pub fn clear(&mut self) {
        self.line.clear();
        self.low_cut.clear();
    }
}
