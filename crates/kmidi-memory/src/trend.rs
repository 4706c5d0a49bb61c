//! Whether a series of measurements grows: what tells a leak from a cache.
//!
//! A cache breathes and fills up once; a leak's *floor* rises. So the series is reduced to the least
//! value of each window, whose trend is tested (Mann 1945, Kendall 1975) and measured (Theil 1950,
//! Sen 1968). Neither supposes anything of how the values are spread.

/// Windows that a series is cut into.
const WINDOWS: usize = 12;
/// Values that are needed to say anything.
const LEAST_VALUES: usize = 2 * WINDOWS;
/// Standard deviations beyond which a trend is none by chance: one time in a thousand.
const SIGNIFICANT: f64 = 3.09;

/// How a series goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// How many standard deviations Kendall's statistic is from that of chance; above 0 it rises.
    pub score: f64,
    /// The middle one of the slopes between any two windows, per unit of time.
    pub slope: f64,
    /// The time from which on the floor stays where it is at the end; the end where it still rises.
    pub steady_since: f64,
}

impl Trend {
    /// Of `(time, value)` in order of time; None where there are too few.
    ///
    /// ```
    /// use kmidi_memory::Trend;
    ///
    /// let leak = (0..100).map(|t| (f64::from(t), f64::from(t * 10 + t % 7 * 50)));
    /// let trend = Trend::of(&leak.collect::<Vec<_>>()).unwrap();
    /// assert!(trend.rises() && (9.0..11.0).contains(&trend.slope));
    /// ```
    pub fn of(series: &[(f64, f64)]) -> Option<Self> {
        if series.len() < LEAST_VALUES {
            return None;
        }
        let floor = floor(series);
        Some(Trend { score: score(&floor), slope: slope(&floor), steady_since: steady_since(&floor) })
    }

    /// Whether the floor rises, and not by chance.
    pub fn rises(&self) -> bool {
        rises(self.score, WINDOWS)
    }
}

/// When the floor came to where it is at the end.
fn steady_since(floor: &[(f64, f64)]) -> f64 {
    let half = &floor[floor.len() / 2..];
    let last = floor[floor.len() - 1].0;
    if rises(score(half), half.len()) {
        return last;
    }
    let end = floor[floor.len() * 2 / 3..].iter().map(|(_, value)| *value);
    let (low, high) = end.fold((f64::INFINITY, 0f64), |(low, high), it| (low.min(it), high.max(it)));
    // A hundredth is nothing to speak of.
    let spread = (high - low).max(high / 100.0);
    let near = |value| (low - spread..=high + spread).contains(&value);
    let since = floor.iter().rev().take_while(|(_, value)| near(*value)).last();
    since.map_or(last, |(time, _)| *time)
}

fn rises(score: f64, windows: usize) -> bool {
    // With few windows even a steady rise cannot reach more.
    score >= SIGNIFICANT.min(highest_score(windows))
}

/// The score of a series that does nothing but rise.
fn highest_score(values: usize) -> f64 {
    if values < 4 {
        return f64::INFINITY;
    }
    let n = values as f64;
    (n * (n - 1.0) / 2.0 - 1.0) / (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt()
}

/// The least value of each window, at the time of its middle.
fn floor(series: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let length = series.len().div_ceil(WINDOWS);
    let windows = series.chunks(length);
    windows
        .map(|window| {
            let least = window.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
            (window[window.len() / 2].0, least)
        })
        .collect()
}

/// Mann's and Kendall's test, with the correction for ties.
fn score(values: &[(f64, f64)]) -> f64 {
    let n = values.len() as f64;
    let mut sum = 0.0;
    for (i, (_, early)) in values.iter().enumerate() {
        sum += values[i + 1..].iter().map(|(_, late)| sign(late - early)).sum::<f64>();
    }
    let mut sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|group| group.len() as f64)
        .map(|count| count * (count - 1.0) * (2.0 * count + 5.0))
        .sum();
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0;
    if variance <= 0.0 { 0.0 } else { (sum - sign(sum)) / variance.sqrt() }
}

fn sign(difference: f64) -> f64 {
    if difference == 0.0 { 0.0 } else { difference.signum() }
}

/// Theil's and Sen's slope.
fn slope(values: &[(f64, f64)]) -> f64 {
    let mut slopes = Vec::new();
    for (i, (t, value)) in values.iter().enumerate() {
        slopes.extend(values[i + 1..].iter().filter(|it| it.0 > *t).map(|it| (it.1 - value) / (it.0 - t)));
    }
    slopes.sort_by(f64::total_cmp);
    match slopes.len() {
        0 => 0.0,
        n if n % 2 == 1 => slopes[n / 2],
        n => f64::midpoint(slopes[n / 2 - 1], slopes[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise that is the same on every run, 0 to 1.
    fn noise(n: usize) -> f64 {
        let x = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1 << 24)
    }

    fn check(name: &str, value: impl Fn(usize) -> f64, leaks: bool) {
        let series: Vec<_> = (0..240).map(|n| (n as f64, value(n))).collect();
        let trend = Trend::of(&series).unwrap();
        assert_eq!(trend.rises(), leaks, "{name}: {trend:?}");
    }

    #[test]
    fn leaks_are_told_from_what_only_looks_like_one() {
        let mib = 1048576.0;
        check("a steady leak", |n| n as f64 * 4096.0, true);
        check("a leak under noise", |n| n as f64 * 4096.0 + noise(n) * mib, true);
        check("a leak under a saw", |n| n as f64 * 20_000.0 + (n % 30) as f64 * mib / 10.0, true);
        check("a cache that fills up", |n| mib * (1.0 - (-(n as f64) / 15.0).exp()).min(0.9), false);
        check("a saw", |n| (n % 30) as f64 * mib, false);
        check("noise", |n| noise(n) * mib, false);
        check("nothing", |_| mib, false);
        check("what is given back", |n| mib - n as f64 * 100.0, false);
    }

    #[test]
    fn the_slope_is_the_leak_whatever_the_noise() {
        let series: Vec<_> = (0..240).map(|n| (n as f64, n as f64 * 500.0 + noise(n) * 3000.0)).collect();
        let slope = Trend::of(&series).unwrap().slope;
        assert!((450.0..550.0).contains(&slope), "{slope}");
    }

    #[test]
    fn steady_since_is_when_the_growth_ended() {
        let fills = |n: usize| if n < 120 { n as f64 } else { 120.0 + noise(n) };
        let series: Vec<_> = (0..240).map(|n| (n as f64, fills(n))).collect();
        let since = Trend::of(&series).unwrap().steady_since;
        assert!((80.0..160.0).contains(&since), "{since}");
        let grows: Vec<_> = (0..240).map(|n| (n as f64, n as f64)).collect();
        assert!(Trend::of(&grows).unwrap().steady_since > 150.0);
    }

    #[test]
    fn too_few_values_say_nothing() {
        assert_eq!(Trend::of(&[(0.0, 1.0); 5]), None);
    }
}
