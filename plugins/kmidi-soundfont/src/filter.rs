//! The resonant low-pass of a voice (generators 8 and 9): two poles, bilinear with the cutoff in
//! place, as a state-variable filter, whose states stay sensible while the cutoff moves.

use crate::units::{absolute_cents_to_hz, attenuation_to_gain};

/// Highest cutoff of the bilinear form, as a part of the sample rate.
const HIGHEST_CUTOFF: f64 = 0.45;

/// Cutoff from which a filter without resonance is flat (section 8.1.3), in absolute cents.
pub(crate) const FLAT_CUTOFF_CENTS: f64 = 13_500.0;

/// The quality whose peak stands exactly `resonance_cb` above the gain at 0 Hz; for 0 or less the
/// flattest response without a peak (Butterworth).
///
/// A two-pole low-pass of quality Q peaks at Q / sqrt(1 - 1/(4 Q²)); this is its inverse.
pub(crate) fn quality(resonance_cb: f64) -> f64 {
    let peak_squared = 1.0 / attenuation_to_gain(2.0 * resonance_cb.max(0.0));
    let root = (peak_squared * peak_squared - peak_squared).max(0.0).sqrt();
    ((peak_squared + root) / 2.0).sqrt()
}

/// The three coefficients of the state-variable form, for a cutoff in absolute cents.
pub(crate) fn low_pass(cutoff_cents: f64, quality: f64, sample_rate_hz: f64) -> [f64; 3] {
    let cutoff = (absolute_cents_to_hz(cutoff_cents) / sample_rate_hz).min(HIGHEST_CUTOFF);
    let g = libm::tan(std::f64::consts::PI * cutoff);
    let a1 = 1.0 / (1.0 + g * (g + 1.0 / quality));
    [a1, g * a1, g * g * a1]
}
