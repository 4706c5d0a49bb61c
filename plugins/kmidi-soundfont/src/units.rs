//! The units of the SoundFont specification as numbers a renderer can use. Control rate only:
//! these call `libm`, whose results are the same on every machine.

/// Timecents (or absolute cents) to a ratio: 1200 is a factor of 2.
pub(crate) fn cents_to_ratio(cents: f64) -> f64 {
    libm::exp2(cents / 1200.0)
}

/// Attenuation in centibels to an amplitude factor.
pub(crate) fn attenuation_to_gain(centibels: f64) -> f64 {
    libm::exp2(-centibels * CENTIBEL_LOG2)
}

/// An amplitude factor (above 0) to its attenuation in centibels.
pub(crate) fn gain_to_attenuation(gain: f64) -> f64 {
    -libm::log2(gain) / CENTIBEL_LOG2
}

/// log2(10) / 200: the exponent of 2 that is one centibel of amplitude.
const CENTIBEL_LOG2: f64 = std::f64::consts::LOG2_10 / 200.0;

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
