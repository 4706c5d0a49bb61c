//! Vectors of 384 numbers, a byte each, and how alike two of them are.
//!
//! An item's vector has length 1; it is kept as bytes and a scale, so that its largest number is 127. A query's keeps 14
//! bits: only the rounding of the items' counts, and the sums of products still fit 32 bits.

mod product;

use fearless_simd::{Level, Simd};

pub(crate) use product::Row;
use product::product;

/// Numbers of a vector.
pub const DIMENSIONS: usize = 384;

/// Largest number of a query: 384 * 127 * 8191 < 2^31.
const QUERY_MAX: f32 = 8191.0;

const _: () = assert!((DIMENSIONS as i64) * 127 * 8191 < 1 << 31);

/// An item's vector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packed {
    pub numbers: Row,
    /// What 1 stands for; 0 where there is no vector.
    pub scale: f32,
}

impl Packed {
    /// What stands for a missing vector: like nothing.
    pub const NONE: Packed = Packed { numbers: [0; DIMENSIONS], scale: 0.0 };

    /// Of length 1, rounded; none where the numbers are no vector.
    pub fn of(vector: &[f32; DIMENSIONS]) -> Self {
        let Some((length, largest)) = measure(vector) else { return Packed::NONE };
        let factor = 127.0 / largest;
        let numbers = vector.map(|number| ((number * factor).round() as i8).cast_unsigned());
        Packed { numbers, scale: largest / length / 127.0 }
    }
}

/// Length and largest number; `None` for what has no direction.
fn measure(vector: &[f32; DIMENSIONS]) -> Option<(f32, f32)> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    let largest = vector.iter().fold(0.0, |largest: f32, number| largest.max(number.abs()));
    (length.is_finite() && length > 1e-12).then_some((length, largest))
}

/// A query's vector.
pub(crate) struct QueryVector {
    numbers: [i16; DIMENSIONS],
    scale: f32,
    level: Level,
}

impl QueryVector {
    /// `None` where the numbers are no vector.
    pub fn of(vector: &[f32; DIMENSIONS]) -> Option<Self> {
        let (length, largest) = measure(vector)?;
        let factor = QUERY_MAX / largest;
        let numbers = vector.map(|number| (number * factor).round() as i16);
        Some(QueryVector { numbers, scale: largest / length / QUERY_MAX, level: Level::new() })
    }

    /// The cosine of the angle to an item's vector, -1 to 1.
    #[inline(always)]
    pub fn likeness<S: Simd>(&self, simd: S, row: &Row, scale: f32) -> f32 {
        product(simd, &self.numbers, row) as f32 * self.scale * scale
    }

    /// The instruction set that is used.
    pub fn level(&self) -> Level {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::dispatch;

    use super::*;

    /// Numbers between -1 and 1 that follow from a seed.
    fn vector(seed: u64) -> [f32; DIMENSIONS] {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        std::array::from_fn(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
    }

    fn cosine(a: &[f32; DIMENSIONS], b: &[f32; DIMENSIONS]) -> f64 {
        let dot = |a: &[f32; DIMENSIONS], b: &[f32; DIMENSIONS]| {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    fn likeness(query: &[f32; DIMENSIONS], item: &Packed) -> f32 {
        let query = QueryVector::of(query).unwrap();
        dispatch!(query.level(), simd => query.likeness(simd, &item.numbers, item.scale))
    }

    #[test]
    fn a_likeness_is_the_cosine_within_a_thousandth() {
        for seed in 0..200 {
            let (query, item) = (vector(seed), vector(seed + 1000));
            let packed = Packed::of(&item);
            let likeness = likeness(&query, &packed);
            assert!((f64::from(likeness) - cosine(&query, &item)).abs() < 1e-3, "{seed}: {likeness}");
        }
    }

    #[test]
    fn what_is_no_vector_is_like_nothing_and_the_largest_does_not_overflow() {
        for bad in [0.0, f32::NAN, f32::INFINITY] {
            assert_eq!(Packed::of(&[bad; DIMENSIONS]), Packed::NONE);
            assert!(QueryVector::of(&[bad; DIMENSIONS]).is_none());
        }
        let one = [-3.0; DIMENSIONS];
        let packed = Packed::of(&one);
        assert!((likeness(&one, &packed) - 1.0).abs() < 1e-4);
    }
}
