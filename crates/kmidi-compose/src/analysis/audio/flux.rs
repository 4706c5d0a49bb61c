//! How much a sound's spectrum grows from one moment to the next.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Length of a window, in seconds, to which the nearest power of two in frames is taken: 2048 frames at 44.1 and 48 kHz.
const WINDOW_SECONDS: f64 = 0.0464;
/// Windows begin a quarter of their length apart.
const HOPS_IN_WINDOW: usize = 4;
/// Bands: twelve to an octave, between these frequencies in Hz.
const BANDS_IN_OCTAVE: f64 = 12.0;
const LOWEST_HZ: f64 = 30.0;
const HIGHEST_HZ: f64 = 16_000.0;
/// A sine of this amplitude (-60 dBFS) is where levels begin to be logarithms.
const KNEE: f32 = 0.001;
/// Samples are cut off here, so that no square overflows.
const LOUDEST: f32 = 16.0;

/// Spectral flux with a maximum filter over neighbouring bands, so that a vibrato is no onset (Böck and Widmer, Maximum
/// Filter Vibrato Suppression for Onset Detection, DAFx 2013). `[side A]`, but for [`Flux::new`].
pub(super) struct Flux {
    fft: Arc<dyn Fft<f32>>,
    window: Box<[f32]>,
    /// The samples of the next window; the first `filled` are there.
    samples: Box<[f32]>,
    filled: usize,
    spectrum: Box<[Complex<f32>]>,
    scratch: Box<[Complex<f32>]>,
    /// First bin of each band, and the one behind the last.
    edges: Box<[usize]>,
    levels: Box<[f32]>,
    before: Box<[f32]>,
}

impl Flux {
    /// `[side B]`
    pub fn new(sample_rate_hz: u32) -> Self {
        let rate = f64::from(sample_rate_hz);
        let length = 1usize << (rate * WINDOW_SECONDS).log2().round() as u32;
        let fft = FftPlanner::new().plan_fft_forward(length);
        let hann = |n: usize| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / length as f64).cos();
        // A sine of amplitude 1 has a line of height 1.
        let scale = 2.0 / (0..length).map(hann).sum::<f64>();
        let edges = band_edges(rate, length);
        let bands = edges.len() - 1;
        Flux {
            window: (0..length).map(|n| (hann(n) * scale) as f32).collect(),
            samples: vec![0.0; length].into(),
            // It was silent before the beginning.
            filled: length - length / HOPS_IN_WINDOW,
            spectrum: vec![Complex::default(); length].into(),
            scratch: vec![Complex::default(); fft.get_inplace_scratch_len()].into(),
            levels: vec![0.0; bands].into(),
            before: vec![0.0; bands].into(),
            edges,
            fft,
        }
    }

    /// Frames from one window to the next.
    pub fn hop(&self) -> usize {
        self.samples.len() / HOPS_IN_WINDOW
    }

    /// Takes samples up to the end of a hop; how many it took, and the flux if the hop is complete.
    pub fn take(&mut self, samples: &[f32]) -> (usize, Option<f32>) {
        let taken = samples.len().min(self.samples.len() - self.filled);
        let place = &mut self.samples[self.filled..self.filled + taken];
        place.iter_mut().zip(samples).for_each(|(place, x)| *place = x.clamp(-LOUDEST, LOUDEST));
        self.filled += taken;
        if self.filled < self.samples.len() {
            return (taken, None);
        }
        let flux = self.measure();
        let hop = self.hop();
        self.samples.copy_within(hop.., 0);
        self.filled -= hop;
        (taken, Some(flux))
    }

    /// The flux from the last window to this one: the mean over all bands of how far each has risen, in nepers above
    /// the knee.
    fn measure(&mut self) -> f32 {
        for ((bin, sample), weight) in self.spectrum.iter_mut().zip(&self.samples).zip(&self.window) {
            *bin = Complex::new(sample * weight, 0.0);
        }
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.scratch);
        std::mem::swap(&mut self.levels, &mut self.before);
        for (level, edge) in self.levels.iter_mut().zip(self.edges.windows(2)) {
            let sum: f32 = self.spectrum[edge[0]..edge[1]].iter().map(|bin| bin.norm_sqr().sqrt()).sum();
            *level = (1.0 + sum / KNEE).ln();
        }
        let last = self.levels.len() - 1;
        let rise = |(band, level): (usize, &f32)| {
            let neighbours = &self.before[band.saturating_sub(1)..=(band + 1).min(last)];
            (level - neighbours.iter().copied().fold(0.0, f32::max)).max(0.0)
        };
        self.levels.iter().enumerate().map(rise).sum::<f32>() / self.levels.len() as f32
    }
}

/// Bins at which bands begin: as wide as twelve to an octave are, but no narrower than a bin.
fn band_edges(rate: f64, length: usize) -> Box<[usize]> {
    let bin_hz = rate / length as f64;
    let last = (HIGHEST_HZ.min(rate * 0.475) / bin_hz) as usize;
    let mut edges = vec![((LOWEST_HZ / bin_hz) as usize).max(1)];
    let ratio = (1.0 / BANDS_IN_OCTAVE).exp2();
    while let Some(&edge) = edges.last().filter(|&&edge| edge < last) {
        edges.push(((edge as f64 * ratio).round() as usize).clamp(edge + 1, last));
    }
    edges.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(flux: &mut Flux, samples: &[f32]) -> Vec<f32> {
        let (mut at, mut all) = (0, vec![]);
        while at < samples.len() {
            let (taken, found) = flux.take(&samples[at..(at + 100).min(samples.len())]);
            at += taken;
            all.extend(found);
        }
        all
    }

    #[test]
    fn windows_are_about_46_ms_at_any_rate_and_bands_cover_the_spectrum() {
        for (rate, length) in [(8000, 512), (22_050, 1024), (44_100, 2048), (48_000, 2048), (192_000, 8192)] {
            let flux = Flux::new(rate);
            assert_eq!(flux.samples.len(), length, "{rate}");
            assert!(flux.levels.len() > 40, "{rate}: {} bands", flux.levels.len());
            assert!(flux.edges.windows(2).all(|edge| edge[0] < edge[1]));
            assert!(*flux.edges.last().unwrap() < length / 2);
        }
    }

    #[test]
    fn a_steady_tone_has_flux_only_where_it_begins_and_a_vibrato_hardly_any() {
        let mut flux = Flux::new(44_100);
        let tone = |i: usize| (i as f32 * 0.06).sin() * 0.5;
        let steady = run(&mut flux, &(0..44_100).map(tone).collect::<Vec<_>>());
        let begin = steady[..4].iter().copied().fold(0.0, f32::max);
        assert!(begin > 0.2 && steady[5..].iter().all(|&x| x < begin * 0.02), "{:?}", &steady[..8]);
        let mut flux = Flux::new(44_100);
        let vibrato = |i: usize| {
            let t = i as f32 / 44_100.0;
            (std::f32::consts::TAU * 440.0 * t + 2.0 * (std::f32::consts::TAU * 6.0 * t).sin()).sin() * 0.5
        };
        let moving = run(&mut flux, &(0..44_100).map(vibrato).collect::<Vec<_>>());
        assert!(moving[5..].iter().all(|&x| x < begin * 0.1), "{:?}", &moving[..20]);
    }

    #[test]
    fn samples_beyond_all_reason_give_numbers() {
        let mut flux = Flux::new(8000);
        let wild: Vec<f32> = (0..4000).map(|i| if i % 2 == 0 { f32::MAX } else { f32::MIN }).collect();
        assert!(run(&mut flux, &wild).iter().all(|x| x.is_finite()));
    }
}
