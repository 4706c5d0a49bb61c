//! What is heard of channels that are mixed down to one.

/// A mix that has less of the power of a channel in it, 30 dB, has lost it to another one that is its mirror image.
const CANCELLED: f64 = 1e-3;

/// Where channels cancel each other in a mix, as when one of them was wired upside down, puts the loudest of them in its place. They come
/// with what they have in the mix. Whether it did.
pub(crate) fn unless_cancelled<'a>(
    mixed: &mut [f32],
    channels: impl Iterator<Item = (f32, &'a [f32])>,
) -> bool {
    let power = |samples: &[f32]| samples.iter().map(|it| f64::from(*it) * f64::from(*it)).sum::<f64>();
    let weighted = channels.map(|(weight, samples)| (f64::from(weight).powi(2) * power(samples), samples));
    let Some((loudest, samples)) = weighted.filter(|it| it.0.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0))
    else {
        return false;
    };
    let is_cancelled = loudest > 0.0 && power(mixed) < CANCELLED * loudest;
    if is_cancelled {
        mixed.copy_from_slice(samples);
    }
    is_cancelled
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard of channels of a wave, each so loud.
    fn heard(amplitudes: &[f32]) -> (Vec<f32>, bool) {
        let wave =
            |amplitude: &f32| (0..100).map(|n| amplitude * (n as f32 * 0.3).sin()).collect::<Vec<f32>>();
        let channels: Vec<Vec<f32>> = amplitudes.iter().map(wave).collect();
        let weight = 1.0 / channels.len() as f32;
        let mut mixed: Vec<f32> =
            (0..100).map(|at| channels.iter().map(|it| it[at]).sum::<f32>() * weight).collect();
        let did = unless_cancelled(&mut mixed, channels.iter().map(|it| (weight, &it[..])));
        (mixed, did)
    }

    #[test]
    fn what_cancels_itself_is_heard_from_one_side_and_what_does_not_is_mixed() {
        let peak = |samples: &[f32]| samples.iter().fold(0.0_f32, |peak, it| peak.max(it.abs()));
        let (mixed, did) = heard(&[0.5, -0.5]);
        assert!(did && (peak(&mixed) - 0.5).abs() < 0.01);
        // The controls: one side alone, however many there are, both sides, one half upside down, and silence.
        for amplitudes in [&[0.5, 0.0][..], &[0.5, 0.5], &[0.5, -0.25], &[0.0, 0.0], &[0.1; 64]] {
            assert!(!heard(amplitudes).1, "{amplitudes:?}");
        }
        let mut alone = [0.0; 64];
        alone[3] = 0.5;
        assert!(!heard(&alone).1);
    }
}
