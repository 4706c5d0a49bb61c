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
