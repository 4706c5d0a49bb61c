//! How samples are read between their frames.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

use crate::course::FRAME;
use crate::lanes::LANES;
use crate::reader::WINDOW;

/// How a sample is read between its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// A straight line between two frames: the least work, and duller.
    Linear,
    /// A curve of the third order through four frames.
    #[default]
    Cubic,
    /// A windowed sinc over sixteen frames, which also takes off what a sample played higher would
    /// fold back from beyond half the sample rate.
    Sinc,
}

/// An interpolation with what it needs.
pub(crate) enum Interpolator {
    Linear,
    Cubic,
    Sinc(Sinc),
}

impl Interpolator {
    /// `[side B]`: allocates.
    pub fn new(interpolation: Interpolation) -> Self {
        match interpolation {
            Interpolation::Linear => Interpolator::Linear,
            Interpolation::Cubic => Interpolator::Cubic,
            Interpolation::Sinc => Interpolator::Sinc(Sinc::new()),
        }
    }

    /// Frames before a place that are looked at.
    pub fn lead(&self) -> u32 {
        match self {
            Interpolator::Linear | Interpolator::Cubic => 1,
            Interpolator::Sinc(_) => SINC_LEAD,
        }
    }
}

/// Frames before a place in the window of the sinc.
pub(crate) const SINC_LEAD: u32 = WINDOW as u32 / 2 - 1;
/// Places between two frames for which there are coefficients; others are between these.
const PHASES: usize = 256;
/// Cutoffs, a quarter of an octave from one to the next.
const CUTOFFS: usize = 13;
const CUTOFFS_PER_OCTAVE: f64 = 4.0;
/// Of half the sample's rate: what is above fades out.
const HIGHEST_CUTOFF: f64 = 0.95;
/// Of the Kaiser window: 60 dB.
const KAISER_BETA: f64 = 5.65;

type Coefficients = [f32; WINDOW];
/// Those of one cutoff, by phase.
pub(crate) type SincTable = [Coefficients; PHASES + 1];

/// Coefficients of a sinc by cutoff and phase.
pub(crate) struct Sinc {
    tables: Box<[SincTable]>,
}

impl Sinc {
    fn new() -> Self {
        let cutoff = |table: usize| HIGHEST_CUTOFF * libm::exp2(-(table as f64) / CUTOFFS_PER_OCTAVE);
        let table = |table| {
            let mut phases = [[0.0; WINDOW]; PHASES + 1];
            for (phase, coefficients) in phases.iter_mut().enumerate() {
                *coefficients = windowed_sinc(phase as f64 / PHASES as f64, cutoff(table));
            }
            phases
        };
        Sinc { tables: (0..CUTOFFS).map(table).collect() }
    }

    /// The table for a speed, in 1 / [`FRAME`]: the faster, the lower the cutoff.
    pub fn table(&self, speed: i64) -> &SincTable {
        let octaves = libm::log2((speed as f64 / FRAME as f64).max(1.0));
        let table = libm::ceil(octaves * CUTOFFS_PER_OCTAVE) as usize;
        &self.tables[table.min(CUTOFFS - 1)]
    }
}

/// The coefficients of the frames around a place that is `phase` behind the one of [`SINC_LEAD`].
fn windowed_sinc(phase: f64, cutoff: f64) -> Coefficients {
    let half = WINDOW as f64 / 2.0;
    let mut weights = [0.0; WINDOW];
    for (i, weight) in weights.iter_mut().enumerate() {
        let t = i as f64 - f64::from(SINC_LEAD) - phase;
        let angle = std::f64::consts::PI * cutoff * t;
        let sinc = if t == 0.0 { 1.0 } else { libm::sin(angle) / angle };
        let window = bessel(KAISER_BETA * (1.0 - (t / half) * (t / half)).max(0.0).sqrt());
        *weight = sinc * window;
    }
    // A constant stays what it is.
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| (weight / sum) as f32)
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..32 {
        let factor = x / (2.0 * f64::from(n));
        term *= factor * factor;
        sum += term;
    }
    sum
}

/// One frame from its window; `fraction` is in 1 / 2^32.
#[inline(always)]
pub(crate) fn sinc<S: Simd>(simd: S, window: &[f32; WINDOW], table: &SincTable, fraction: u32) -> f32 {
    let phase = (fraction >> 24) as usize;
    let between = (fraction & 0xff_ffff) as f32 * (1.0 / 16_777_216.0);
    let half = |from: &[f32; WINDOW], at: usize| f32x8::from_slice(simd, &from[at..at + LANES]);
    let (this, next) = (&table[phase], &table[phase + 1]);
    let product = |at: usize| {
        let coefficients = half(this, at) + (half(next, at) - half(this, at)) * between;
        coefficients * half(window, at)
    };
    let (front, back) = (product(0) + product(LANES)).split();
    let [a, b, c, d] = (front + back).to_array();
    (a + c) + (b + d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sinc_keeps_a_constant_and_at_rest_nearly_gives_the_frame_itself() {
        for phase in [0.0, 0.3, 1.0] {
            let sum: f32 = windowed_sinc(phase, HIGHEST_CUTOFF).iter().sum();
            assert!((sum - 1.0).abs() < 1e-6);
        }
        assert!(windowed_sinc(0.0, HIGHEST_CUTOFF)[SINC_LEAD as usize] > 0.94);
        assert!(windowed_sinc(1.0, HIGHEST_CUTOFF)[SINC_LEAD as usize + 1] > 0.94);
        assert!(
            windowed_sinc(0.0, HIGHEST_CUTOFF / 4.0)[SINC_LEAD as usize] < 0.3,
            "another cutoff is another curve"
        );
    }

    #[test]
    fn the_faster_the_lower_the_cutoff() {
        let sinc = Sinc::new();
        let middle = |speed: f64| sinc.table((speed * FRAME as f64) as i64)[0][SINC_LEAD as usize];
        assert_eq!(middle(0.3), middle(1.0));
        assert!(middle(1.01) < middle(1.0) && middle(4.0) < middle(2.0));
        assert_eq!(middle(8.0), middle(1000.0));
    }
}
