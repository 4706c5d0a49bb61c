use kmidi_core::AudioBuffer;
use kmidi_core::limits::MAX_DEVICE_CHANNELS;

/// How fast a shown peak falls.
const PEAK_FALL_DB_PER_SECOND: f64 = 20.0;
/// Time constant of the RMS level.
const RMS_SECONDS: f64 = 0.3;
/// Samples summed side by side, so that the compiler may use vector instructions.
const LANES: usize = 8;

/// Level of one channel, linear, full scale 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Highest sample, falling by 20 dB a second.
    pub peak: f32,
    /// Root of the mean square over some 300 ms.
    pub rms: f32,
    /// Highest sample since the engine was made.
    pub highest: f32,
}

/// Levels of the engine's output. `[side A]`
pub(crate) struct Meters {
    peak_fall: f32,
    rms_step: f32,
    mean_squares: [f32; MAX_DEVICE_CHANNELS],
    levels: [Level; MAX_DEVICE_CHANNELS],
}

impl Meters {
    /// `[side B]`
    pub fn new(sample_rate_hz: u32, quantum_frames: usize) -> Self {
        let seconds = quantum_frames as f64 / f64::from(sample_rate_hz);
        Meters {
            peak_fall: 10f64.powf(-PEAK_FALL_DB_PER_SECOND / 20.0 * seconds) as f32,
            rms_step: (1.0 - (-seconds / RMS_SECONDS).exp()) as f32,
            mean_squares: [0.0; MAX_DEVICE_CHANNELS],
            levels: [Level::default(); MAX_DEVICE_CHANNELS],
        }
    }

    pub fn levels(&self) -> &[Level; MAX_DEVICE_CHANNELS] {
        &self.levels
    }

    /// Measures one quantum.
    pub fn measure(&mut self, channels: &[AudioBuffer]) {
        for ((channel, level), mean_square) in
            channels.iter().zip(&mut self.levels).zip(&mut self.mean_squares)
        {
            let (peak, square) = peak_and_mean_square(channel);
            level.peak = peak.max(level.peak * self.peak_fall);
            level.highest = level.highest.max(peak);
            *mean_square += (square - *mean_square) * self.rms_step;
            level.rms = mean_square.sqrt();
        }
    }
}

fn peak_and_mean_square(samples: &[f32]) -> (f32, f32) {
    let (mut peaks, mut squares) = ([0f32; LANES], [0f32; LANES]);
    let (chunks, rest) = samples.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            // Not `max`, which takes longer: no NaN gets here.
            peaks[lane] = if chunk[lane].abs() > peaks[lane] { chunk[lane].abs() } else { peaks[lane] };
            squares[lane] += chunk[lane] * chunk[lane];
        }
    }
    for &sample in rest {
        peaks[0] = peaks[0].max(sample.abs());
        squares[0] += sample * sample;
    }
    let peak = peaks.iter().fold(0f32, |a, &b| a.max(b));
    (peak, squares.iter().sum::<f32>() / samples.len().max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_reads_0_db_peak_and_3_db_less_rms_and_then_falls() {
        let mut meters = Meters::new(48_000, 100);
        let mut channel = [AudioBuffer::silent(100)];
        for (i, sample) in channel[0].iter_mut().enumerate() {
            *sample = (i as f32 * std::f32::consts::TAU / 50.0 + 0.5).sin();
        }
        for _ in 0..480 * 3 {
            meters.measure(&channel);
        }
        let level = meters.levels()[0];
        assert!((level.peak - 1.0).abs() < 0.01, "{level:?}");
        assert!((level.rms - 0.5f32.sqrt()).abs() < 0.01, "{level:?}");
        channel[0].fill(0.0);
        for _ in 0..480 {
            meters.measure(&channel);
        }
        let after = meters.levels()[0];
        assert!((after.peak / level.peak - 0.1).abs() < 0.01, "{after:?}");
        assert!(after.rms < 0.2 && after.highest == level.highest);
        assert_eq!(meters.levels()[1], Level::default());
    }
}
