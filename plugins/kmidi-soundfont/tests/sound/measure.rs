//! Levels and frequencies of what was played.

/// Level of a constant stretch in dB, from its mean magnitude.
pub fn level_db(sound: &[f32]) -> f64 {
    let mean = sound.iter().map(|x| f64::from(x.abs())).sum::<f64>() / sound.len() as f64;
    20.0 * mean.log10()
}

/// Sum of squares.
pub fn energy(sound: &[f32]) -> f64 {
    sound.iter().map(|x| f64::from(*x).powi(2)).sum()
}

/// Frequency of a sine, in Hz, from the times of its first and last upward crossings of zero.
pub fn frequency_hz(sound: &[f32], rate: f64) -> f64 {
    let crossings: Vec<f64> = sound
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(i, pair)| i as f64 + f64::from(-pair[0]) / f64::from(pair[1] - pair[0]))
        .collect();
    (crossings.len() - 1) as f64 / (crossings[crossings.len() - 1] - crossings[0]) * rate
}

/// Deviation of a frequency in cents.
pub fn cents(frequency_hz: f64, from_hz: f64) -> f64 {
    1200.0 * (frequency_hz / from_hz).log2()
}

/// Largest step of the second difference, a click's mark: a sine of full scale at 1 kHz has 0.017.
pub fn sharpest_bend(sound: &[f32]) -> f32 {
    sound.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).fold(0.0, f32::max)
}

#[track_caller]
pub fn close(value: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (value - expected).abs() <= tolerance,
        "{what}: {value:.4}, expected {expected:.4} ± {tolerance}"
    );
}
