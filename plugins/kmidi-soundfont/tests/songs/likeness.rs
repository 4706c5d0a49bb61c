//! How alike two renderings sound: their levels in octave bands and their envelopes.

use std::fmt;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

use crate::score::RATE;

/// Octave bands from 63 Hz to 8 kHz.
pub const BANDS: [f64; 8] = [62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0];

pub struct Likeness {
    /// Level against the reference, in dB.
    pub level_db: f64,
    /// What is left of the difference in each band when the levels are made equal, in dB.
    pub bands_db: [f64; 8],
    /// Correlation of the envelopes in steps of 50 ms.
    pub envelope: f64,
}

impl Likeness {
    pub fn of(sound: &[Vec<f32>; 2], reference: &[Vec<f32>; 2]) -> Likeness {
        let (a, b) = (band_energies(sound), band_energies(reference));
        let decibels = |a: f64, b: f64| 10.0 * (a / b).log10();
        let level_db = decibels(a.iter().sum(), b.iter().sum());
        let bands_db = std::array::from_fn(|i| decibels(a[i], b[i]) - level_db);
        Likeness { level_db, bands_db, envelope: correlation(&envelope(sound), &envelope(reference)) }
    }

    pub fn worst_band_db(&self) -> f64 {
        self.bands_db.iter().fold(0.0, |worst, band| band.abs().max(worst))
    }
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {:+.2} dB, bands", self.level_db)?;
        self.bands_db.iter().try_for_each(|band| write!(f, " {band:+.2}"))?;
        write!(f, " dB, envelope {:.4}", self.envelope)
    }
}

/// Energy in each band, both channels together.
fn band_energies(sound: &[Vec<f32>; 2]) -> [f64; 8] {
    const SIZE: usize = 8192;
    let fft = FftPlanner::new().plan_fft_forward(SIZE);
    let window: Vec<f32> =
        (0..SIZE).map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / SIZE as f32).cos()).collect();
    let mut energies = [0.0; 8];
    let mut spectrum = vec![Complex::default(); SIZE];
    for channel in sound {
        for block in (0..channel.len().saturating_sub(SIZE)).step_by(SIZE / 2) {
            for ((bin, sample), weight) in spectrum.iter_mut().zip(&channel[block..]).zip(&window) {
                *bin = Complex::new(sample * weight, 0.0);
            }
            fft.process(&mut spectrum);
            for (energy, centre) in energies.iter_mut().zip(BANDS) {
                let bin = |hertz: f64| (hertz * SIZE as f64 / f64::from(RATE)).round() as usize;
                let band = bin(centre / 2f64.sqrt())..bin(centre * 2f64.sqrt());
                *energy += spectrum[band].iter().map(|x| f64::from(x.norm_sqr())).sum::<f64>();
            }
        }
    }
    energies
}

/// Level of each 50 ms.
fn envelope(sound: &[Vec<f32>; 2]) -> Vec<f64> {
    let step = RATE as usize / 20;
    let squares = |channel: &Vec<f32>| -> Vec<f64> {
        channel.chunks(step).map(|c| c.iter().map(|x| f64::from(*x).powi(2)).sum()).collect()
    };
    let (left, right) = (squares(&sound[0]), squares(&sound[1]));
    left.iter().zip(&right).map(|(a, b)| (a + b).sqrt()).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let mean = |x: &[f64]| x[..n].iter().sum::<f64>() / n as f64;
    let (ma, mb) = (mean(a), mean(b));
    let product = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
        x[..n].iter().zip(&y[..n]).map(|(x, y)| (x - mx) * (y - my)).sum()
    };
    product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt()
}
