//! Loudness by EBU R 128, and the true peak.

use ebur128::{EbuR128, Mode};
use serde::Serialize;

/// How loud a render is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Loudness {
    /// Of the whole render, in LUFS; null for silence.
    pub integrated_lufs: Option<f64>,
    /// Loudness range, in LU.
    pub range_lu: f64,
    /// Highest point of the wave between the samples too, in dBTP.
    pub true_peak_dbtp: f64,
}

/// Listens to a render.
pub(crate) struct LoudnessMeter(EbuR128);

impl LoudnessMeter {
    /// For a rate that the engine accepts.
    pub fn new(channels: u32, sample_rate_hz: u32) -> Self {
        let modes = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
        LoudnessMeter(EbuR128::new(channels, sample_rate_hz, modes).expect("the engine's rates are in range"))
    }

    /// Hears the next frames.
    pub fn add(&mut self, channels: &[&[f32]]) {
        self.0.add_frames_planar_f32(channels).expect("as many channels as it was made for");
    }

    pub fn finish(self, channels: u32) -> Loudness {
        let peaks = (0..channels).filter_map(|channel| self.0.true_peak(channel).ok());
        let integrated = self.0.loudness_global().expect("the mode was asked for");
        Loudness {
            integrated_lufs: Some(integrated).filter(|lufs| lufs.is_finite()),
            range_lu: self.0.loudness_range().expect("the mode was asked for"),
            true_peak_dbtp: 20.0 * peaks.fold(1e-6, f64::max).log10(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tone_has_its_known_loudness() {
        // EBU Tech 3341, case 1: 1 kHz at -23 dBFS in both channels is -23 LUFS.
        let amplitude = 10f64.powf(-23.0 / 20.0);
        let mut meter = LoudnessMeter::new(2, 48_000);
        for frame in 0..48_000 * 5 {
            let sample = (amplitude * (frame as f64 * std::f64::consts::TAU / 48.0).sin()) as f32;
            meter.add(&[&[sample], &[sample]]);
        }
        let loudness = meter.finish(2);
        assert!((loudness.integrated_lufs.unwrap() + 23.0).abs() < 0.1, "{loudness:?}");
        assert!((loudness.true_peak_dbtp + 23.0).abs() < 0.1, "{loudness:?}");
        let mut silence = LoudnessMeter::new(2, 48_000);
        silence.add(&[&[0.0; 48_000], &[0.0; 48_000]]);
        assert_eq!(silence.finish(2).integrated_lufs, None);
    }
}
