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
        Self(Pcg32::new(state ^ (state >> 31), 0x6b6d_6964_69))
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

    /// One of them, each alike; `None` of none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let count = u32::try_from(of.len()).unwrap_or(u32::MAX);
        of.get(self.below(count) as usize)
    }
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

    const FIRST_OF_SEED_1: [u32; 4] = [0, 0, 0, 0];

    #[test]
    fn values_keep_their_bounds_and_reach_them() {
        let mut random = Random::new(7);
        let drawn: Vec<i32> = (0..10_000).map(|_| random.around_zero(3)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&-3), Some(&3)));
        assert!((0..10_000).all(|_| (0.0..1.0).contains(&random.unit())));
        assert_eq!((random.below(0), random.around_zero(0), random.pick::<u8>(&[])), (0, 0, None));
        assert!(!random.chance(0.0) && random.chance(1.0));
    }
}
