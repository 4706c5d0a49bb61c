//! How bright a recording is, and which key its tones suggest.

use std::f32::consts::TAU;
use std::sync::Arc;

use kmidi_compose::analysis::{MAJOR_PROFILE, MINOR_PROFILE, correlation};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::Key;

const FRAME: usize = 8192;
/// Where tones are told apart by this length of frame, and still are more than overtones.
const TONES_HZ: std::ops::Range<f32> = 100.0..1800.0;
/// Correlation with a key's profile below which there is no key, and how far it must be before the next tonic's.
const LEAST_FIT: f64 = 0.6;
const LEAST_MARGIN: f64 = 0.03;
/// How far pitch classes must be from their mean, against it: a correlation alone finds a shape in any noise.
const LEAST_CONTRAST: f64 = 0.35;

pub(super) struct Spectrum {
    rate_hz: f32,
    fft: Arc<dyn Fft<f32>>,
    window: Vec<f32>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: f64,
    power_by_hz: f64,
    chroma: [f64; 12],
}

impl Spectrum {
    pub fn new(rate_hz: u32) -> Self {
        let fft = FftPlanner::new().plan_fft_forward(FRAME);
        let scratch = vec![Complex::default(); fft.get_inplace_scratch_len()];
        let window = (0..FRAME).map(|at| 0.5 - 0.5 * (TAU * at as f32 / FRAME as f32).cos()).collect();
        Spectrum {
            rate_hz: rate_hz as f32,
            fft,
            window,
            frame: Vec::with_capacity(FRAME),
            bins: vec![Complex::default(); FRAME],
            scratch,
            power: 0.0,
            power_by_hz: 0.0,
            chroma: [0.0; 12],
        }
    }

    pub fn push(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let (taken, rest) = samples.split_at(samples.len().min(FRAME - self.frame.len()));
            self.frame.extend_from_slice(taken);
            samples = rest;
            if self.frame.len() == FRAME {
                self.frame.iter_mut().zip(&self.window).for_each(|(sample, window)| *sample *= window);
                self.analyse();
            }
        }
    }

    fn analyse(&mut self) {
        for (bin, sample) in self.bins.iter_mut().zip(&self.frame) {
            *bin = Complex::new(*sample, 0.0);
        }
        self.frame.clear();
        self.fft.process_with_scratch(&mut self.bins, &mut self.scratch);
        let hz_a_bin = self.rate_hz / FRAME as f32;
        let half = &self.bins[..FRAME / 2];
        for (at, bin) in half.iter().enumerate().skip(1) {
            let power = f64::from(bin.norm_sqr());
            self.power += power;
            self.power_by_hz += power * f64::from(at as f32 * hz_a_bin);
        }
        for (at, [below, here, above]) in half.array_windows().map(|w| w.map(|it| it.norm())).enumerate() {
            let hz = (at + 1) as f32 * hz_a_bin;
            if TONES_HZ.contains(&hz) && here > below && here > above {
                // A parabola through three bins tells where between them the tone is.
                let shift = 0.5 * (below - above) / (below - 2.0 * here + above);
                let key = 69.0 + 12.0 * ((hz + shift * hz_a_bin) / 440.0).log2();
                // The root keeps one loud tone from being all there is.
                self.chroma[key.round().rem_euclid(12.0) as usize % 12] += f64::from(here).sqrt();
            }
        }
    }

    /// Where the middle of the power is, in Hz; 0 of silence.
    pub fn centroid_hz(&self) -> f32 {
        if self.power > 1e-9 { (self.power_by_hz / self.power) as f32 } else { 0.0 }
    }

    /// The key, where tones suggest one.
    pub fn key(&self) -> Option<Key> {
        let mean = self.chroma.iter().sum::<f64>() / 12.0;
        let variance = self.chroma.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / 12.0;
        if variance.sqrt() < LEAST_CONTRAST * mean {
            return None;
        }
        let fit = |tonic: usize, profile: &[f64; 12]| {
            let turned: [f64; 12] = std::array::from_fn(|step| self.chroma[(step + tonic) % 12]);
            correlation(&turned, profile)
        };
        let mut fits: Vec<(f64, Key)> = (0..12u8)
            .flat_map(|tonic| {
                let of = |profile, minor| (fit(tonic.into(), profile), Key::new(tonic, minor));
                [of(&MAJOR_PROFILE, false), of(&MINOR_PROFILE, true)]
            })
            .collect();
        fits.sort_by(|a, b| b.0.total_cmp(&a.0));
        (fits[0].0 >= LEAST_FIT && fits[0].0 - fits[1].0 >= LEAST_MARGIN).then_some(fits[0].1)
    }

    /// Nothing more will come: what is shorter than a frame is filled up with silence, as it is.
    pub fn finish(mut self) -> Self {
        if !self.frame.is_empty() && self.power == 0.0 {
            self.frame.resize(FRAME, 0.0);
            self.analyse();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that sound together for half a second each.
    fn heard(chords: &[&[u8]]) -> Spectrum {
        let mut spectrum = Spectrum::new(44_100);
        for chord in chords {
            let sample = |at: u32| {
                let tone = |key: &u8| {
                    let hz = 440.0 * 2f32.powf((f32::from(*key) - 69.0) / 12.0);
                    (TAU * hz * at as f32 / 44_100.0).sin()
                        + 0.3 * (2.0 * TAU * hz * at as f32 / 44_100.0).sin()
                };
                chord.iter().map(tone).sum::<f32>() * 0.1
            };
            spectrum.push(&(0..22_050).map(sample).collect::<Vec<_>>());
        }
        spectrum.finish()
    }

    #[test]
    fn a_cadence_has_its_key_and_noise_and_silence_have_none() {
        let c_major = heard(&[&[60, 64, 67], &[65, 69, 72], &[67, 71, 74], &[60, 64, 67]]);
        assert_eq!(c_major.key(), Some(Key::new(0, false)));
        let a_minor = heard(&[&[57, 60, 64], &[62, 65, 69], &[64, 68, 71], &[57, 60, 64]]);
        assert_eq!(a_minor.key(), Some(Key::new(9, true)));
        assert_eq!(Spectrum::new(44_100).key(), None);
        let mut noise = Spectrum::new(44_100);
        let mut state = 1u32;
        let samples: Vec<f32> = (0..88_200)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        noise.push(&samples);
        assert_eq!(noise.key(), None);
        assert!(noise.centroid_hz() > 8000.0 && c_major.centroid_hz() < 600.0);
    }

    #[test]
    fn a_click_shorter_than_a_frame_is_bright() {
        let mut click = Spectrum::new(44_100);
        click.push(&[0.0, 1.0, -1.0, 0.5, -0.5]);
        assert!(click.finish().centroid_hz() > 5000.0);
    }
}
