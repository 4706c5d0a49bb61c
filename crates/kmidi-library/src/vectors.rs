//! Vectors of 384 numbers, a byte each, and how alike two of them are.
//!
//! An item's vector has length 1; it is kept as bytes and a scale, so that its largest number is 127. A query's keeps 14
//! bits: only the rounding of the items' counts, and the sums of products still fit 32 bits.

/// Numbers of a vector.
pub const DIMENSIONS: usize = 384;

/// Largest number of a query: 384 * 127 * 8191 < 2^31.
const QUERY_MAX: f32 = 8191.0;

const _: () = assert!((DIMENSIONS as i64) * 127 * 8191 < 1 << 31);

/// An item's vector.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packed {
    pub numbers: [i8; DIMENSIONS],
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
        let numbers = vector.map(|number| (number * factor).round() as i8);
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
}

impl QueryVector {
    /// `None` where the numbers are no vector.
    pub fn of(vector: &[f32; DIMENSIONS]) -> Option<Self> {
        let (length, largest) = measure(vector)?;
        let factor = QUERY_MAX / largest;
        let numbers = vector.map(|number| (number * factor).round() as i16);
        Some(QueryVector { numbers, scale: largest / length / QUERY_MAX })
    }

    /// The cosine of the angle to an item's vector, -1 to 1.
    pub fn likeness(&self, numbers: &[i8; DIMENSIONS], scale: f32) -> f32 {
        self.dot(numbers) as f32 * self.scale * scale
    }

    /// Sixteen sums side by side: the compiler makes vector instructions of them.
    fn dot(&self, numbers: &[i8; DIMENSIONS]) -> i32 {
        let mut sums = [0i32; 16];
        let (queries, _) = self.numbers.as_chunks::<16>();
        let (items, _) = numbers.as_chunks::<16>();
        for (query, item) in queries.iter().zip(items) {
            for lane in 0..16 {
                sums[lane] += i32::from(query[lane]) * i32::from(item[lane]);
            }
        }
        sums.iter().sum()
    }
}

/// Bytes as the numbers that they are; no `unsafe` is needed to look at `u8` as `i8` where a copy is made of a row.
pub(crate) fn row(bytes: &[u8], number: usize) -> Option<[i8; DIMENSIONS]> {
    let at = number.checked_mul(DIMENSIONS)?;
    let row: &[u8; DIMENSIONS] = bytes.get(at..at + DIMENSIONS)?.try_into().ok()?;
    Some(row.map(u8::cast_signed))
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_likeness_is_the_cosine_within_a_thousandth() {
        for seed in 0..200 {
            let (query, item) = (vector(seed), vector(seed + 1000));
            let packed = Packed::of(&item);
            let likeness = QueryVector::of(&query).unwrap().likeness(&packed.numbers, packed.scale);
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
        let likeness = QueryVector::of(&one).unwrap().likeness(&packed.numbers, packed.scale);
        assert!((likeness - 1.0).abs() < 1e-4);
    }

    #[test]
    fn a_row_beyond_the_end_is_none() {
        let bytes = [0x80u8; 2 * DIMENSIONS];
        assert_eq!(row(&bytes, 1), Some([-128; DIMENSIONS]));
        assert_eq!((row(&bytes, 2), row(&bytes, usize::MAX)), (None, None));
    }
}
