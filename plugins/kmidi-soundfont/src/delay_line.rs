//! A ring of past samples, and the slow movement of the places where effects read it. Eight frames
//! are written and read at once: all delays are longer than that.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8, i32x8, u32x8};

use crate::lanes::{LANES, interpolate};
use crate::reader::WINDOW;
use crate::taps::taps;

/// The first samples of a ring stand behind its end again, so that any window can be read.
const GUARD: usize = WINDOW;

/// Remembers a fixed number of samples.
pub(crate) struct DelayLine {
    ring: Box<[f32]>,
    next: usize,
}

impl DelayLine {
    /// For delays of [`LANES`] frames up to `longest`. `[side B]`: allocates.
    pub fn new(longest: usize) -> Self {
        let length = (longest + WINDOW).next_power_of_two();
        DelayLine { ring: vec![0.0; length + GUARD].into_boxed_slice(), next: 0 }
    }

    fn mask(&self) -> usize {
        self.ring.len() - GUARD - 1
    }

    /// Appends the first `count` samples.
    #[inline(always)]
    pub fn push<S: Simd>(&mut self, samples: f32x8<S>, count: usize) {
        let mask = self.mask();
        let samples = samples.to_array();
        if count == LANES && self.next >= GUARD && self.next + LANES <= mask + 1 {
            self.ring[self.next..self.next + LANES].copy_from_slice(&samples);
        } else {
            for (i, sample) in samples[..count].iter().enumerate() {
                let at = (self.next + i) & mask;
                self.ring[at] = *sample;
                if at < GUARD {
                    self.ring[mask + 1 + at] = *sample;
                }
            }
        }
        self.next = (self.next + count) & mask;
    }

    /// What was pushed `delay` frames (at least [`LANES`]) before each of the next eight.
    #[inline(always)]
    pub fn at<S: Simd>(&self, simd: S, delay: usize) -> f32x8<S> {
        let start = self.next.wrapping_sub(delay) & self.mask();
        f32x8::from_slice(simd, &self.ring[start..start + LANES])
    }

    /// Between samples, for delays (at least [`LANES`] + 2) that hardly move within eight frames.
    #[inline(always)]
    pub fn between<S: Simd>(&self, simd: S, delays: f32x8<S>) -> f32x8<S> {
        let whole = delays.to_int::<u32x8<S>>();
        let places = whole.to_array();
        // No lane reads farther back than this, whichever way the delays move.
        let farthest = places[0].max(places[LANES - 1]) + 1;
        let start = self.next.wrapping_sub(farthest as usize + 2) & self.mask();
        let lanes = u32x8::load_array(simd, from_fn(|lane| lane as u32));
        let index = lanes + (u32x8::splat(simd, farthest) - whole);
        let window = self.ring[start..].first_chunk().expect("the guard is as long as a window");
        let [d, c, b, a] = taps(simd, window, index);
        interpolate([a, b, c, d], delays - whole.to_float::<f32x8<S>>())
    }

    pub fn clear(&mut self) {
        self.ring.fill(0.0);
    }
}

/// Sines, near enough for moving a delay (within 0.06), each from a phase that wraps by itself.
pub(crate) struct SlowSines {
    phases: [i32; LANES],
    steps: [i32; LANES],
}

impl SlowSines {
    /// Of these frequencies in Hz and starts in periods.
    pub fn new(sample_rate_hz: f64, sines: [(f64, f64); LANES]) -> Self {
        let whole = f64::from(u32::MAX) + 1.0;
        let word = |periods: f64| ((periods.fract() * whole) as u32).cast_signed();
        SlowSines {
            phases: sines.map(|(_, start)| word(start)),
            steps: sines.map(|(frequency_hz, _)| word(frequency_hz / sample_rate_hz)),
        }
    }

    /// One of them in the next eight frames, -1 to 1.
    #[inline(always)]
    pub fn ahead<S: Simd>(&self, simd: S, sine: usize) -> f32x8<S> {
        let lanes = i32x8::load_array(simd, from_fn(|lane| lane as i32));
        let phases = lanes * self.steps[sine] + self.phases[sine];
        let x = phases.to_float::<f32x8<S>>() * (1.0 / 2_147_483_648.0);
        // A parabola through each half wave.
        x * 4.0 * (f32x8::splat(simd, 1.0) - x.abs())
    }

    /// Moves all on by `frames` frames.
    pub fn advance(&mut self, frames: usize) {
        for (phase, step) in self.phases.iter_mut().zip(self.steps) {
            *phase = phase.wrapping_add(step.wrapping_mul(frames as i32));
        }
    }
}
