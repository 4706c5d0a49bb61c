//! The units of the SoundFont specification as numbers a renderer can use. Control rate only. No
//! function of the system's is called, so that the results are the same on every machine.

/// Timecents (or absolute cents) to a ratio: 1200 is a factor of 2.
pub(crate) fn cents_to_ratio(cents: f64) -> f64 {
    exp2(cents / 1200.0)
}

/// Attenuation in centibels to an amplitude factor.
pub(crate) fn attenuation_to_gain(centibels: f64) -> f64 {
    exp2(-centibels * CENTIBEL_LOG2)
}

/// An amplitude factor (above 0) to its attenuation in centibels.
pub(crate) fn gain_to_attenuation(gain: f64) -> f64 {
    -libm::log2(gain) / CENTIBEL_LOG2
}

/// log2(10) / 200: the exponent of 2 that is one centibel of amplitude.
pub(crate) const CENTIBEL_LOG2: f64 = std::f64::consts::LOG2_10 / 200.0;

/// Absolute cents to Hz: 0 is 8.176 Hz, the pitch of key 0.
pub(crate) fn absolute_cents_to_hz(cents: f64) -> f64 {
    8.175_798_915_643_707 * cents_to_ratio(cents)
}

/// The time of an envelope's or LFO's stage in frames. The least value in the useful range,
/// -12000, means none for a stage that only waits.
pub(crate) fn wait_frames(timecents: f64, sample_rate_hz: f64) -> f64 {
    if timecents <= -12_000.0 { 0.0 } else { cents_to_ratio(timecents.min(8_000.0)) * sample_rate_hz }
}

/// The time of a stage that moves, in frames: never shorter than the specification's millisecond
/// (-12000 timecents), so that nothing clicks.
pub(crate) fn ramp_frames(timecents: f64, sample_rate_hz: f64) -> f64 {
    cents_to_ratio(timecents.clamp(-12_000.0, 8_000.0)) * sample_rate_hz
}

/// 2 to the power of `x`, within 1e-11 of its value; 0 and the highest power beyond the range of
/// numbers. A third of the time of `libm`'s.
pub(crate) fn exp2(x: f64) -> f64 {
    /// Where numbers are this large, only whole ones are left.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    /// ln(2)^n / n!
    const TERMS: [f64; 10] = [
        1.0,
        std::f64::consts::LN_2,
        0.240_226_506_959_100_7,
        0.055_504_108_664_821_58,
        0.009_618_129_107_628_477,
        0.001_333_355_814_642_844_3,
        0.000_154_035_303_933_816_1,
        0.000_015_252_733_804_059_84,
        0.000_001_321_548_679_014_431,
        0.000_000_101_780_860_092_397,
    ];
    if x < -1022.0 {
        return 0.0;
    }
    let x = x.min(1023.0);
    let whole = (x + WHOLE) - WHOLE;
    let part = x - whole;
    // In pairs, and pairs of those: one after the other each would wait for the last.
    let pair = |n: usize| TERMS[n] + TERMS[n + 1] * part;
    let part2 = part * part;
    let (first, middle) = (pair(0) + pair(2) * part2, pair(4) + pair(6) * part2);
    let part4 = part2 * part2;
    let series = first + (middle + pair(8) * part4) * part4;
    series * f64::from_bits(((whole as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_agree_with_the_library() {
        for x in (-1_020_000..1_020_000).step_by(77).map(|x| f64::from(x) / 1000.0) {
            let exact = libm::exp2(x);
            assert!((exp2(x) / exact - 1.0).abs() < 1e-11, "{x}");
        }
        assert_eq!((exp2(-5000.0), exp2(0.0), exp2(10.0)), (0.0, 1.0, 1024.0));
        assert!(exp2(5000.0).is_finite());
    }
}
