//! What can be measured in sound.

/// Frames where a click (one frame above half of the highest) stands.
pub fn clicks(samples: &[f32]) -> Vec<usize> {
    let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    assert!(peak > 0.0, "silence");
    samples.iter().enumerate().filter(|(_, sample)| sample.abs() > peak / 2.0).map(|(i, _)| i).collect()
}

/// Root mean square.
pub fn rms(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    (power / samples.len().max(1) as f64).sqrt()
}

/// The loudest frequency from 200 to 600 Hz, to half a hertz.
pub fn loudest_hz(samples: &[f32], rate_hz: u32) -> f64 {
    let power = |hz: f64| {
        let step = std::f64::consts::TAU * hz / f64::from(rate_hz);
        let part = |wave: fn(f64) -> f64| -> f64 {
            samples.iter().enumerate().map(|(i, &it)| f64::from(it) * wave(step * i as f64)).sum()
        };
        part(f64::cos).powi(2) + part(f64::sin).powi(2)
    };
    let candidates = (400..=1200).map(|halves| f64::from(halves) / 2.0);
    candidates.map(|hz| (hz, power(hz))).max_by(|a, b| a.1.total_cmp(&b.1)).expect("candidates").0
}
