//! The resonant low-pass of a voice (generators 8 and 9): two poles, bilinear with the cutoff in
//! place, as a state-variable filter, whose states stay sensible while the cutoff moves.

use crate::units::{absolute_cents_to_hz, attenuation_to_gain};

/// Highest cutoff of the bilinear form, as a part of the sample rate.
const HIGHEST_CUTOFF: f64 = 0.45;

/// Cutoff from which a filter without resonance is flat (section 8.1.3), in absolute cents.
pub(crate) const FLAT_CUTOFF_CENTS: f64 = 13_500.0;

/// The damping (1 / Q) with which the response at the cutoff is `resonance_cb` higher than without
/// resonance, where it is 3 dB below the gain at 0 Hz (Butterworth).
///
/// Section 8.1.3 counts the height from the gain at 0 Hz, but wants 0 to be flat, which cannot both
/// be. FluidSynth and spessasynth read it like this, and today's banks are voiced for them.
pub(crate) fn damping(resonance_cb: f64) -> f64 {
    std::f64::consts::SQRT_2 * attenuation_to_gain(resonance_cb.max(0.0))
}

/// The three coefficients of the state-variable form, for a cutoff in absolute cents.
pub(crate) fn low_pass(cutoff_cents: f64, damping: f64, sample_rate_hz: f64) -> [f64; 3] {
    let cutoff = (absolute_cents_to_hz(cutoff_cents) / sample_rate_hz).min(HIGHEST_CUTOFF);
    // With g = above / below the tangent: 1 / (1 + g (g + 1 / quality)), times g, times g².
    let (above, below) = tangent(std::f64::consts::PI * cutoff);
    let all = below * below + above * (above + below * damping);
    let scale = 1.0 / all;
    [below * below * scale, above * below * scale, above * above * scale]
}

/// The tangent of 0 to 0.45 pi as a fraction, within 1e-7 of its value: by half the angle, a continued
/// fraction.
fn tangent(x: f64) -> (f64, f64) {
    let y = x / 2.0;
    let y2 = y * y;
    // tan(x) = 2 tan(y) / (1 - tan²(y)), and tan(y) = above / below.
    let above = y * (945.0 - y2 * (105.0 - y2));
    let below = 945.0 - y2 * (420.0 - 15.0 * y2);
    (2.0 * above * below, below * below - above * above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tangent_agrees_with_the_library() {
        for x in (1..=4500).map(|x| f64::from(x) / 10_000.0 * std::f64::consts::PI) {
            let (above, below) = tangent(x);
            assert!((above / below / libm::tan(x) - 1.0).abs() < 1e-7, "{x}: {above} / {below}");
        }
    }
}
