use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

/// Chance from a seed: the same seed gives the same values, on every machine and in every version.
///
/// PCG-XSH-RR 64/32 (O'Neill 2014), whose stream is fixed by its definition; what is made of it here is integer arithmetic or
/// plain `f64`, so that no library's change of method can change a song.
#[derive(Clone, Debug)]
pub struct Random(Pcg32);

impl Random {
    /// A new stream; streams of different seeds have nothing to do with each other.
    pub fn new(seed: u64) -> Self {
        // SplitMix64's finaliser (Steele et al. 2014): seeds that lie close to each other begin far from each other.
        let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(Pcg32::new(state ^ (state >> 31), 0x6b_6d69_6469))
    }

    /// In `0 .. bound`, each alike (Lemire's multiplication; its bias is below `bound` / 2^32). 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// In `-most ..= most`, each alike.
    pub fn around_zero(&mut self, most: u32) -> i32 {
        let most = most.min(i32::MAX as u32 / 2);
        self.below(2 * most + 1) as i32 - most as i32
    }

    /// In `0.0 .. 1.0`, in steps of 2^-32.
    pub fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// `true` with this probability (0 to 1).
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Of a normal distribution with mean 0 and standard deviation 1; within ±6.4.
    ///
    /// The inverse of the distribution function by Acklam's rational approximation (relative error below 1.2e-9): one value of
    /// the stream for each, and the same bits everywhere.
    pub fn normal(&mut self) -> f64 {
        let p = (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0;
        let q = p - 0.5;
        if q.abs() <= 0.5 - TAIL {
            let r = q * q;
            return quintic(&CENTRE, r) * q / quintic(&CENTRE_BELOW, r);
        }
        let q = (-2.0 * libm::log(p.min(1.0 - p))).sqrt();
        let x = polynomial(&TAILS, q) / (polynomial(&TAILS_BELOW, q) * q + 1.0);
        if p < 0.5 { x } else { -x }
    }

    /// One of them, each alike; `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let count = u32::try_from(of.len()).unwrap_or(u32::MAX);
        of.get(self.below(count) as usize)
    }
}

/// Share of the distribution that each tail of the approximation has.
const TAIL: f64 = 0.02425;
const CENTRE: [f64; 6] = [
    -3.969683028665376e+01,
    2.209460984245205e+02,
    -2.759285104469687e+02,
    1.38357751867269e+02,
    -3.066479806614716e+01,
    2.506628277459239e+00,
];
const CENTRE_BELOW: [f64; 6] = [
    -5.447609879822406e+01,
    1.615858368580409e+02,
    -1.556989798598866e+02,
    6.680131188771972e+01,
    -1.328068155288572e+01,
    1.0,
];
const TAILS: [f64; 6] = [
    -7.784894002430293e-03,
    -3.223964580411365e-01,
    -2.400758277161838e+00,
    -2.549732539343734e+00,
    4.374664141464968e+00,
    2.938163982698783e+00,
];
const TAILS_BELOW: [f64; 4] =
    [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00];

/// A polynomial of degree five, its highest coefficient first; in pairs, which do not wait for each other.
#[inline]
fn quintic(c: &[f64; 6], x: f64) -> f64 {
    let square = x * x;
    (c[0] * x + c[1]) * (square * square) + (c[2] * x + c[3]) * square + (c[4] * x + c[5])
}

/// A polynomial, its highest coefficient first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_these_values_for_ever() {
        let mut random = Random::new(1);
        let values: Vec<u32> = (0..4).map(|_| random.below(1000)).collect();
        assert_eq!(values, FIRST_OF_SEED_1);
        assert_ne!((0..4).map(|_| Random::new(2).below(1000)).collect::<Vec<_>>(), values);
    }

    const FIRST_OF_SEED_1: [u32; 4] = [372, 241, 731, 27];

    #[test]
    fn values_keep_their_bounds_and_reach_them() {
        let mut random = Random::new(7);
        let drawn: Vec<i32> = (0..10_000).map(|_| random.around_zero(3)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-3), Some(&3)));
        assert!((0..10_000).all(|_| (0.0..1.0).contains(&random.unit())));
        assert_eq!((random.below(0), random.around_zero(0), random.pick::<u8>(&[])), (0, 0, None));
        assert!(!random.chance(0.0) && random.chance(1.0));
    }

    /// Shares of a normal distribution below some values, from its table.
    #[test]
    fn normal_values_are_normal() {
        let mut random = Random::new(3);
        let drawn: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let below = |limit: f64| drawn.iter().filter(|&&value| value < limit).count() as f64 / 1e5;
        for (limit, share) in [(-2.5, 0.00621), (-1.0, 0.15866), (0.0, 0.5), (0.5, 0.69146), (2.0, 0.97725)] {
            let error = 4.0 * f64::sqrt(share * (1.0 - share) / 1e5);
            assert!((below(limit) - share).abs() < error, "{limit}: {} for {share}", below(limit));
        }
        // Control: another distribution of the same mean and deviation is told apart by the same bounds.
        let even = drawn.iter().map(|_| (random.unit() - 0.5) * 12f64.sqrt());
        let share = even.filter(|&value| value < -1.0).count() as f64 / 1e5;
        assert!((share - 0.15866).abs() > 0.01, "{share}");
        assert!(drawn.iter().all(|value| value.abs() < 6.4));
    }
}
