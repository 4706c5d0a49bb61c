//! A ring of past samples, and the slow movement of the place where effects read it.

use crate::reader::interpolate;

/// Remembers a fixed number of samples.
pub(crate) struct DelayLine {
    ring: Box<[f32]>,
    next: usize,
}

impl DelayLine {
    /// For delays of up to `longest` frames. `[side B]`: allocates.
    pub fn new(longest: usize) -> Self {
        DelayLine { ring: vec![0.0; (longest + 4).next_power_of_two()].into_boxed_slice(), next: 0 }
    }

    #[inline]
    pub fn push(&mut self, sample: f32) {
        self.ring[self.next] = sample;
        self.next = (self.next + 1) & (self.ring.len() - 1);
    }

    /// The sample pushed `delay` frames before the last one.
    #[inline]
    pub fn at(&self, delay: usize) -> f32 {
        self.ring[self.next.wrapping_sub(delay + 1) & (self.ring.len() - 1)]
    }

    /// As [`DelayLine::at`], between samples; `delay` is at least 1.
    #[inline]
    pub fn between(&self, delay: f32) -> f32 {
        let whole = delay as usize;
        let taps = [self.at(whole - 1), self.at(whole), self.at(whole + 1), self.at(whole + 2)];
        interpolate(taps, delay - whole as f32)
    }

    pub fn clear(&mut self) {
        self.ring.fill(0.0);
    }
}

/// A sine, near enough for moving a delay (within 0.06), from a phase that wraps by itself.
#[derive(Clone, Copy)]
pub(crate) struct SlowSine {
    phase: u32,
    step: u32,
}

impl SlowSine {
    /// `start` in periods.
    pub fn new(frequency_hz: f64, sample_rate_hz: f64, start: f64) -> Self {
        let whole = f64::from(u32::MAX) + 1.0;
        SlowSine {
            phase: (start.fract() * whole) as u32,
            step: (frequency_hz / sample_rate_hz * whole) as u32,
        }
    }

    /// The value now, -1 to 1; moves on by one frame.
    #[inline]
    pub fn next(&mut self) -> f32 {
        let x = self.phase as i32 as f32 * (1.0 / 2_147_483_648.0);
        self.phase = self.phase.wrapping_add(self.step);
        // A parabola through each half wave.
        4.0 * x * (1.0 - x.abs())
    }
}
