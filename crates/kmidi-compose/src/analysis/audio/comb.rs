//! Periods at which something comes again and again.

/// Beats ahead that are looked at.
const TEETH: usize = 4;
/// Step between two periods that are tried, as a factor.
const STEP: f64 = 1.002;

/// A period that is a better one than those near it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Period {
    pub seconds: f64,
    /// Mean likeness over the beats ahead, -1 to 1.
    pub likeness: f64,
}

/// Every period between two, of which there are fewer the longer they are, that is better than its neighbours.
pub(super) fn periods(likeness: &[f64], hop_seconds: f64, shortest: f64, longest: f64) -> Vec<Period> {
    let steps = ((longest / shortest).ln() / STEP.ln()).ceil() as i32;
    let tried: Vec<Period> = (-1..=steps + 1)
        .filter_map(|step| {
            let seconds = shortest * STEP.powi(step);
            comb(likeness, seconds / hop_seconds).map(|likeness| Period { seconds, likeness })
        })
        .collect();
    tried
        .windows(3)
        .filter(|near| near[1].likeness > near[0].likeness && near[1].likeness >= near[2].likeness)
        .map(|near| near[1])
        .collect()
}

/// The mean likeness at a period (in hops) and its multiples, as far as they are known; `None` if not even it is.
fn comb(likeness: &[f64], period: f64) -> Option<f64> {
    let teeth: Vec<f64> = (1..=TEETH).map_while(|tooth| at(likeness, period * tooth as f64)).collect();
    (!teeth.is_empty()).then(|| teeth.iter().sum::<f64>() / teeth.len() as f64)
}

/// The likeness between two lags.
fn at(likeness: &[f64], lag: f64) -> Option<f64> {
    let (whole, part) = (lag as usize, lag.fract());
    let (here, next) = (likeness.get(whole)?, likeness.get(whole + 1)?);
    Some(here + (next - here) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_has_its_period_and_its_multiples() {
        let likeness: Vec<f64> = (0..400)
            .map(|lag: i32| 1.0 - f64::from((lag + 25).rem_euclid(50) - 25).abs() / 6.0)
            .map(|likeness| likeness.max(0.0))
            .collect();
        let found = periods(&likeness, 0.01, 0.3, 1.1);
        let whole: Vec<f64> = found.iter().filter(|it| it.likeness > 0.9).map(|it| it.seconds).collect();
        assert_eq!(whole.len(), 2, "{found:?}");
        assert!((whole[0] - 0.5).abs() < 0.002 && (whole[1] - 1.0).abs() < 0.003);
        assert!(periods(&likeness[..20], 0.01, 0.3, 1.1).is_empty());
    }
}
