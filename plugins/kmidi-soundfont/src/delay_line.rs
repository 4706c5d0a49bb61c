//! A ring of past samples, and the slow movement of the places where effects read it.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x4, f32x8, i32x8, u32x8};

use crate::lanes::{LANES, interpolate, transpose};

/// The first samples of a ring stand behind its end again, so that any four in a row can be read.
const GUARD: usize = 3;

/// Remembers a fixed number of samples.
pub(crate) struct DelayLine {
    ring: Box<[f32]>,
    next: usize,
}

impl DelayLine {
    /// For delays of up to `longest` frames. `[side B]`: allocates.
    pub fn new(longest: usize) -> Self {
        let length = (longest + 4).next_power_of_two();
        DelayLine { ring: vec![0.0; length + GUARD].into_boxed_slice(), next: 0 }
    }

    fn mask(&self) -> usize {
        self.ring.len() - GUARD - 1
    }

    #[inline(always)]
    pub fn push(&mut self, sample: f32) {
        let mask = self.mask();
        self.ring[self.next] = sample;
        if self.next < GUARD {
            self.ring[mask + 1 + self.next] = sample;
        }
        self.next = (self.next + 1) & mask;
    }

    /// The sample pushed `delay` frames before the last one.
    #[inline(always)]
    pub fn at(&self, delay: usize) -> f32 {
        self.ring[self.next.wrapping_sub(delay + 1) & self.mask()]
    }

    /// The samples of delays from `delay` + 2 down to `delay` - 1.
    #[inline(always)]
    fn taps<S: Simd>(&self, simd: S, delay: usize) -> f32x4<S> {
        let start = self.next.wrapping_sub(delay + 3) & self.mask();
        f32x4::from_slice(simd, &self.ring[start..start + 4])
    }

    pub fn clear(&mut self) {
        self.ring.fill(0.0);
    }
}

/// What `line` gives for each lane that has one, `delays` (at least 1) frames ago, between samples.
#[inline(always)]
pub(crate) fn between<'a, S: Simd>(
    simd: S,
    delays: f32x8<S>,
    line: impl Fn(usize) -> Option<&'a DelayLine>,
) -> f32x8<S> {
    let whole = delays.to_int::<u32x8<S>>();
    let places = whole.to_array();
    let rows = from_fn(|lane| match line(lane) {
        Some(line) => line.taps(simd, places[lane] as usize),
        None => f32x4::splat(simd, 0.0),
    });
    let [d, c, b, a] = transpose(rows);
    interpolate([a, b, c, d], delays - whole.to_float::<f32x8<S>>())
}

/// For each lane a sine, near enough for moving a delay (within 0.06), from a phase that wraps by itself.
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

    /// The values now, -1 to 1; moves on by one frame.
    #[inline(always)]
    pub fn next<S: Simd>(&mut self, simd: S) -> f32x8<S> {
        let phases = i32x8::load_array_ref(simd, &self.phases);
        let x = phases.to_float::<f32x8<S>>() * (1.0 / 2_147_483_648.0);
        (phases + i32x8::load_array_ref(simd, &self.steps)).store_slice(&mut self.phases);
        // A parabola through each half wave.
        x * 4.0 * (f32x8::splat(simd, 1.0) - x.abs())
    }
}
