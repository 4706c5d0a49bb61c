//! The best of many, in memory that stays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A score and an item as one number: a higher score first, of equal ones the item that comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(u64);

impl Ranked {
    fn new(score: f32, item: u32) -> Self {
        let bits = score.to_bits();
        // In this form the bits are in the order of the numbers.
        let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
        Ranked(u64::from(ordered) << 32 | u64::from(!item))
    }

    fn parts(self) -> (f32, u32) {
        let ordered = (self.0 >> 32) as u32;
        let bits = if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered };
        (f32::from_bits(bits), !(self.0 as u32))
    }
}

#[derive(Default)]
pub(super) struct Top {
    /// The worst on top.
    heap: BinaryHeap<Reverse<Ranked>>,
    places: usize,
    sorted: Vec<Ranked>,
}

impl Top {
    pub fn restart(&mut self, places: usize) {
        self.heap.clear();
        self.sorted.clear();
        self.places = places;
    }

    pub fn offer(&mut self, score: f32, item: u32) {
        let ranked = Reverse(Ranked::new(score, item));
        if self.heap.len() < self.places {
            self.heap.push(ranked);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked < *worst
        {
            *worst = ranked;
        }
    }

    /// No more will come.
    pub fn sort(&mut self) {
        self.sorted.extend(self.heap.drain().map(|Reverse(ranked)| ranked));
        self.sorted.sort_unstable_by_key(|ranked| Reverse(*ranked));
    }

    /// Best first.
    pub fn sorted(&self) -> impl Iterator<Item = (f32, u32)> + '_ {
        self.sorted.iter().map(|ranked| ranked.parts())
    }

    /// What a place takes.
    pub fn place_bytes(&self) -> usize {
        2 * size_of::<Ranked>()
    }

    pub fn bytes(&self) -> usize {
        (self.heap.capacity() + self.sorted.capacity()) * size_of::<Ranked>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_out_best_first_and_equal_ones_in_their_order() {
        let mut top = Top::default();
        for places in [1, 3, 10, 1000] {
            top.restart(places);
            let scores: Vec<f32> =
                (0..200u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 28) as f32 - 8.0).collect();
            scores.iter().enumerate().for_each(|(item, score)| top.offer(*score, item as u32));
            top.sort();
            let mut expected: Vec<_> = scores.into_iter().zip(0..).collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            expected.truncate(places);
            assert_eq!(top.sorted().collect::<Vec<_>>(), expected);
        }
    }
}
