//! How much a row of values is like itself some time later.

/// Longest time looked at, in seconds: four beats at 58 bpm.
const LONGEST_SECONDS: f64 = 4.2;
/// Each likeness is smoothed over its neighbours, so that a beat between two values is found and a human one too: a triangle of
/// 35 ms on both sides at the usual hop.
const SMOOTHING: [f64; 4] = [4.0, 3.0, 2.0, 1.0];

/// The autocorrelation of a stream of values, in an amount of memory that does not depend on its length.
pub(super) struct Pulse {
    hop_seconds: f64,
    /// The first values: what never was the later one of a pair.
    first: Vec<f64>,
    /// The last values as a ring: the value of number `n` is at `n` modulo its length.
    last: Box<[f64]>,
    /// Sums of products of values that are so many places apart.
    products: Box<[f64]>,
    count: usize,
    sum: f64,
}

impl Pulse {
    /// For values that are so many seconds apart.
    pub fn new(hop_seconds: f64) -> Self {
        let lags = (LONGEST_SECONDS / hop_seconds) as usize + SMOOTHING.len() + 1;
        Pulse {
            hop_seconds,
            first: Vec::with_capacity(lags),
            last: vec![0.0; lags].into(),
            products: vec![0.0; lags].into(),
            count: 0,
            sum: 0.0,
        }
    }

    pub fn push(&mut self, value: f32) {
        let value = f64::from(value);
        let length = self.last.len();
        if self.first.len() < length {
            self.first.push(value);
        }
        let at = self.count % length;
        self.last[at] = value;
        // Newest first: what came before it, and behind it in the ring what came before that.
        let (newer, older) = self.last.split_at(at + 1);
        let back = newer.iter().rev().chain(older.iter().rev());
        self.products.iter_mut().zip(back).for_each(|(sum, before)| *sum += value * before);
        self.count += 1;
        self.sum += value;
    }

    /// Values so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Seconds between two values.
    pub fn hop_seconds(&self) -> f64 {
        self.hop_seconds
    }

    /// The likeness at each lag (in hops) from 0, -1 to 1, as far as a third of the values has a partner; at 0 it is 1.
    /// `None` of values that are all alike.
    pub fn likeness(&self) -> Option<Vec<f64>> {
        let lags = self.last.len().min(self.count * 2 / 3);
        let mean = self.sum / self.count.max(1) as f64;
        let (mut head, mut tail) = (0.0, 0.0);
        let mut raw = Vec::with_capacity(lags);
        for lag in 0..lags {
            let pairs = (self.count - lag) as f64;
            // Values without a partner are not in the products; then they are not in the means either.
            let covariance = self.products[lag] - mean * (self.sum - head) - mean * (self.sum - tail)
                + pairs * mean * mean;
            raw.push(covariance / pairs);
            head += self.first[lag];
            tail += self.last[(self.count - 1 - lag) % self.last.len()];
        }
        let smooth = |lag: usize| -> f64 {
            let around = (1..SMOOTHING.len()).map(|off| {
                let at = |lag: usize| raw.get(lag).copied().unwrap_or(0.0);
                SMOOTHING[off] * (at(lag.abs_diff(off)) + at(lag + off))
            });
            SMOOTHING[0] * raw[lag] + around.sum::<f64>()
        };
        let whole = (lags > SMOOTHING.len()).then(|| smooth(0)).filter(|&whole| whole > 1e-9)?;
        Some((0..lags - SMOOTHING.len()).map(|lag| smooth(lag) / whole).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_row_is_as_like_itself_as_the_definition_says() {
        let value = |n: usize| (n.wrapping_mul(2_654_435_761) >> 7) as f32 % 100.0 / 100.0;
        let row: Vec<f64> = (0..3000).map(|n| f64::from(value(n)) + 3.0 * f64::from(n % 50 == 0)).collect();
        let mut pulse = Pulse::new(0.0116);
        row.iter().for_each(|&x| pulse.push(x as f32));
        let likeness = pulse.likeness().unwrap();
        let mean = row.iter().sum::<f64>() / 3000.0;
        let raw = |lag: usize| {
            let pairs = 3000 - lag;
            row[lag..].iter().zip(&row).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / pairs as f64
        };
        let smooth = |lag: usize| {
            let ring = |off: usize| SMOOTHING[off] * (raw(lag.abs_diff(off)) + raw(lag + off));
            SMOOTHING[0] * raw(lag) + (1..4).map(ring).sum::<f64>()
        };
        for lag in [0, 1, 7, 50, 51, 200, 340] {
            let expected = smooth(lag) / smooth(0);
            assert!((likeness[lag] - expected).abs() < 1e-6, "{lag}: {} {expected}", likeness[lag]);
        }
        assert!(likeness[50] > likeness[25] + 0.1);
    }

    #[test]
    fn rows_that_are_short_or_constant_have_none() {
        let mut pulse = Pulse::new(0.0116);
        assert!(pulse.likeness().is_none());
        (0..3).for_each(|_| pulse.push(1.0));
        assert!(pulse.likeness().is_none());
        (0..1000).for_each(|_| pulse.push(1.0));
        assert!(pulse.likeness().is_none());
    }
}
