//! A query's numbers times an item's, added up, on whatever vectors the processor has. They are integers: every
//! instruction set gives the same sum.

use fearless_simd::{Level, Simd};

use super::DIMENSIONS;

/// An item's numbers, as they lie in the file: bytes that stand for signed ones.
pub(crate) type Row = [u8; DIMENSIONS];

/// The sum of the products. In each kernel one instruction multiplies numbers of 16 bits and adds neighbours.
#[inline(always)]
pub(super) fn product<S: Simd>(simd: S, query: &[i16; DIMENSIONS], item: &Row) -> i32 {
    match simd.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(avx512) => product_avx512(avx512, query, item),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(avx2) => product_avx2(avx2, query, item),
        _ => plain(query, item),
    }
}

/// Sixteen sums side by side: the compiler makes vector instructions of them, where there are some.
#[inline(always)]
fn plain(query: &[i16; DIMENSIONS], item: &Row) -> i32 {
    let mut sums = [0i32; 16];
    for (query, item) in query.as_chunks::<16>().0.iter().zip(item.as_chunks::<16>().0) {
        for lane in 0..16 {
            sums[lane] += i32::from(query[lane]) * i32::from(item[lane].cast_signed());
        }
    }
    sums.iter().sum()
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    #[inline]
    fn product_avx2(simd: Avx2, query: &[i16; DIMENSIONS], item: &Row) -> i32 {
        use fearless_simd::prelude::*;
        use fearless_simd::{i16x16, i32x8, u8x16};
        use std::arch::x86_64::*;
        // Two sums: one addition need not wait for the other.
        let mut sums = [_mm256_setzero_si256(); 2];
        for (queries, items) in query.as_chunks::<32>().0.iter().zip(item.as_chunks::<32>().0) {
            for half in 0..2 {
                let queries: __m256i = i16x16::from_slice(simd, &queries[16 * half..][..16]).into();
                let items: __m128i = u8x16::from_slice(simd, &items[16 * half..][..16]).into();
                let products = _mm256_madd_epi16(queries, _mm256_cvtepi8_epi16(items));
                sums[half] = _mm256_add_epi32(sums[half], products);
            }
        }
        let sum: i32x8<_> = _mm256_add_epi32(sums[0], sums[1]).simd_into(simd);
        sum.to_array().iter().sum()
    }
);

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    #[inline]
    fn product_avx512(simd: Avx512, query: &[i16; DIMENSIONS], item: &Row) -> i32 {
        use fearless_simd::prelude::*;
        use fearless_simd::{i16x32, u8x32};
        use std::arch::x86_64::*;
        let mut sums = [_mm512_setzero_si512(); 2];
        for (queries, items) in query.as_chunks::<64>().0.iter().zip(item.as_chunks::<64>().0) {
            for half in 0..2 {
                let queries: __m512i = i16x32::from_slice(simd, &queries[32 * half..][..32]).into();
                let items: __m256i = u8x32::from_slice(simd, &items[32 * half..][..32]).into();
                let products = _mm512_madd_epi16(queries, _mm512_cvtepi8_epi16(items));
                sums[half] = _mm512_add_epi32(sums[half], products);
            }
        }
        _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the instruction set.
    fn all(query: &[i16; DIMENSIONS], item: &Row) -> Vec<i32> {
        let level = Level::new();
        let mut all = vec![plain(query, item)];
        all.push(fearless_simd::dispatch!(level, simd => product(simd, query, item)));
        all.push(fearless_simd::dispatch!(Level::baseline(), simd => product(simd, query, item)));
        #[cfg(target_arch = "x86_64")]
        all.extend(level.as_avx2().map(|avx2| product_avx2(avx2, query, item)));
        #[cfg(target_arch = "x86_64")]
        all.extend(level.as_avx512().map(|avx512| product_avx512(avx512, query, item)));
        all
    }

    #[test]
    fn every_instruction_set_gives_the_sum_of_the_products() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for round in 0..50 {
            let mut query: [i16; DIMENSIONS] = std::array::from_fn(|_| (next() % 16383) as i16 - 8191);
            let mut item: Row = std::array::from_fn(|_| next() as u8);
            if round == 0 {
                // The most that there can be, and a byte that no index has.
                (query, item) = ([8191; DIMENSIONS], [0x80; DIMENSIONS]);
            }
            let pairs = query.iter().zip(&item);
            let sum: i64 = pairs.map(|(a, b)| i64::from(*a) * i64::from(b.cast_signed())).sum();
            assert!(all(&query, &item).iter().all(|it| i64::from(*it) == sum), "{round}: {sum}");
            // A single number that differs is seen.
            let at = round * 7 % DIMENSIONS;
            let times = i64::from(item[at].cast_signed());
            query[at] += 1;
            assert!(all(&query, &item).iter().all(|it| i64::from(*it) == sum + times), "{round}");
        }
    }
}
