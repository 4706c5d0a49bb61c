use serde::Serialize;

/// From this level on, a sample counts as clipped.
pub const CLIP_LEVEL: f32 = 0.99;

/// How loud samples are; full scale is 1. `[side A]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Levels {
    peak: f32,
    clipped: u64,
    samples: u64,
    squares: f64,
}

impl Levels {
    /// The next samples; what is no number makes the power none, and is no peak.
    pub fn measure(&mut self, samples: &[f32]) {
        for &sample in samples {
            let level = sample.abs();
            self.peak = self.peak.max(level);
            self.clipped += u64::from(level >= CLIP_LEVEL);
            self.squares += f64::from(sample) * f64::from(sample);
        }
        self.samples += samples.len() as u64;
    }

    /// The highest sample, whatever its sign.
    pub fn peak(&self) -> f32 {
        self.peak
    }

    /// Root of the mean square; 0 of no samples.
    pub fn rms(&self) -> f32 {
        (self.squares / self.samples.max(1) as f64).sqrt() as f32
    }

    /// Samples at or over [`CLIP_LEVEL`].
    pub fn clipped_samples(&self) -> u64 {
        self.clipped
    }

    /// Samples measured.
    pub fn samples(&self) -> u64 {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_3_db_below_its_peak_and_clipping_is_counted() {
        let sine: Vec<f32> = (0..48_000).map(|i| (i as f32 * 0.01).sin() * 0.5).collect();
        let mut levels = Levels::default();
        sine.chunks(77).for_each(|block| levels.measure(block));
        assert!((levels.peak() - 0.5).abs() < 1e-4 && (levels.rms() - 0.5 * 0.5f32.sqrt()).abs() < 1e-3);
        assert_eq!((levels.clipped_samples(), levels.samples()), (0, 48_000));
        levels.measure(&[0.99, -1.0, 0.98]);
        assert_eq!(levels.clipped_samples(), 2);
        assert_eq!(Levels::default().rms(), 0.0);
    }
}
