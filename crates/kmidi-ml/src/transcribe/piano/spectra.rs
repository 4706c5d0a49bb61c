//! What the network sees: the powers of 229 bands, each frame through six windows, in logarithms.

use std::sync::Arc;

use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use super::{FRAMES, HOP, SEGMENT, constant};
use crate::convert::{PIANO, SPECTRA};
use crate::model::Model;
use crate::transcribe::TranscribeError;

const BANDS: usize = PIANO.bands;
const WINDOWS: usize = PIANO.windows;
const WINDOW: usize = PIANO.window;
const BINS: usize = WINDOW / 2 + 1;
/// What a power is at least.
const LEAST: f32 = 1e-5;

/// A band: how much of each bin from the first one on is in it.
struct Band {
    first: usize,
    shares: Vec<f32>,
}

/// Computes spectra; all its memory is there from the start.
pub(super) struct Spectra {
    fft: Arc<dyn Fft<f32>>,
    windows: Vec<Vec<f32>>,
    bands: Vec<Band>,
    /// A segment at a level that is always the same, with half a window around it.
    sound: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
    powers: [Vec<f32>; 2],
    levels: Vec<f32>,
}

impl Spectra {
    /// Takes what it needs from the model.
    pub fn new(model: &Model) -> Result<Self, TranscribeError> {
        let [shares, fixed, widths, centres] = SPECTRA;
        let shares = constant(model, shares, BINS * BANDS)?;
        let mut windows = vec![constant(model, fixed, WINDOW)?];
        let (widths, centres) =
            (constant(model, widths, WINDOWS - 1)?, constant(model, centres, WINDOWS - 1)?);
        windows.extend(widths.iter().zip(&centres).map(|(width, centre)| bell(*width, *centre)));
        let fft = FftPlanner::new().plan_fft_forward(WINDOW);
        Ok(Spectra {
            scratch: vec![Complex32::default(); fft.get_inplace_scratch_len()],
            fft,
            windows,
            bands: (0..BANDS).map(|band| self::band(&shares, band)).collect(),
            sound: vec![0.0; (FRAMES - 1) * HOP + WINDOW],
            bins: vec![Complex32::default(); WINDOW],
            powers: [vec![0.0; BINS], vec![0.0; BINS]],
            levels: vec![0.0; WINDOWS * FRAMES * BANDS],
        })
    }

    /// Levels of a segment of [`SEGMENT`] samples: window by window, frame by frame, each of [`BANDS`].
    pub fn of(&mut self, segment: &[f32]) -> &[f32] {
        self.fill(segment);
        for frame in 0..FRAMES {
            for pair in 0..WINDOWS / 2 {
                self.transform(frame * HOP, pair);
                for (n, powers) in self.powers.iter().enumerate() {
                    let from = ((2 * pair + n) * FRAMES + frame) * BANDS;
                    for (level, band) in self.levels[from..from + BANDS].iter_mut().zip(&self.bands) {
                        *level = band.level(powers);
                    }
                }
            }
        }
        &self.levels
    }

    /// A segment as loud as all are: without its mean, and with a deviation of 1, both counted in each frame that a sample is in.
    fn fill(&mut self, segment: &[f32]) {
        self.sound.fill(0.0);
        self.sound[WINDOW / 2..WINDOW / 2 + SEGMENT].copy_from_slice(segment);
        let frames = || {
            (0..FRAMES)
                .flat_map(|frame| &self.sound[frame * HOP..frame * HOP + WINDOW])
                .map(|it| f64::from(*it))
        };
        let count = (FRAMES * WINDOW) as f64;
        let mean = frames().sum::<f64>() / count;
        let variance = frames().map(|it| (it - mean) * (it - mean)).sum::<f64>() / (count - 1.0);
        let (mean, deviation) = (mean as f32, variance.sqrt() as f32 + 1e-8);
        self.sound.iter_mut().for_each(|it| *it = (*it - mean) / deviation);
    }

    /// Powers of a frame through two windows: as real and imaginary part they take one transform.
    fn transform(&mut self, from: usize, pair: usize) {
        let seen = self.sound[from..from + WINDOW].iter();
        let windows = self.windows[2 * pair].iter().zip(&self.windows[2 * pair + 1]);
        for (bin, (sample, (a, b))) in self.bins.iter_mut().zip(seen.zip(windows)) {
            *bin = Complex32::new(sample * a, sample * b);
        }
        self.fft.process_with_scratch(&mut self.bins, &mut self.scratch);
        let [first, second] = &mut self.powers;
        let scale = 0.25 / WINDOW as f32;
        for (n, (first, second)) in first.iter_mut().zip(second).enumerate() {
            let (bin, mirrored) = (self.bins[n], self.bins[(WINDOW - n) % WINDOW].conj());
            *first = (bin + mirrored).norm_sqr() * scale;
            *second = (bin - mirrored).norm_sqr() * scale;
        }
    }
}

impl Band {
    /// 0 for the least power, and 1 for a power of 1.
    fn level(&self, powers: &[f32]) -> f32 {
        let power: f32 =
            self.shares.iter().zip(&powers[self.first..]).map(|(share, power)| share * power).sum();
        ((power + LEAST).ln() - LEAST.ln()) / -LEAST.ln()
    }
}

/// The bins that are in a band.
fn band(shares: &[f32], band: usize) -> Band {
    let share = |bin: usize| shares[bin * BANDS + band];
    let is_in = |bin: &usize| share(*bin) != 0.0;
    let (first, end) =
        ((0..BINS).find(is_in).unwrap_or(0), (0..BINS).rfind(is_in).map_or(0, |last| last + 1));
    Band { first, shares: (first..end).map(share).collect() }
}

/// A window in the shape of a bell, by the logits of its width and its middle.
fn bell(width: f32, middle: f32) -> Vec<f32> {
    let share = |logit: f32| 1.0 / (1.0 + (-f64::from(logit)).exp());
    let (deviation, middle) = (share(width) * WINDOW as f64 / 2.0, share(middle) * WINDOW as f64);
    let at = |n: usize| (-0.5 * ((n as f64 - middle) / deviation).powi(2)).exp() as f32;
    (0..WINDOW).map(at).collect()
}
