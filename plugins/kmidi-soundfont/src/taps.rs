//! Picking the taps of eight frames out of the stretch of a sample that holds them all.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, f32x4, f32x8, u32x8};

use crate::lanes::{LANES, transpose};
use crate::reader::WINDOW;

/// For each lane the four frames from `index` (at most [`WINDOW`] - 4) on: every first tap, every
/// second and so on.
#[inline(always)]
pub(crate) fn taps<S: Simd>(simd: S, window: &[f32; WINDOW], index: u32x8<S>) -> [f32x8<S>; 4] {
    match simd.level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(avx512) => {
            permuted_avx512(avx512, window, index.to_array()).map(|tap| f32x8::load_array(simd, tap))
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(avx2) => {
            permuted_avx2(avx2, window, index.to_array()).map(|tap| f32x8::load_array(simd, tap))
        }
        _ => {
            let index = index.to_array();
            transpose(from_fn(|lane| {
                let at = (index[lane] as usize).min(WINDOW - 4);
                f32x4::from_slice(simd, &window[at..at + 4])
            }))
        }
    }
}

fearless_simd::kernel!(
    /// Two registers hold the window, and one instruction picks from both.
    #[inline]
    fn permuted_avx512(simd: Avx512, window: &[f32; WINDOW], index: [u32; LANES]) -> [[f32; LANES]; 4] {
        use std::arch::x86_64::*;
        let (front, back) = halves(window);
        let front: __m256 = f32x8::load_array(simd, front).into();
        let back: __m256 = f32x8::load_array(simd, back).into();
        let index: __m256i = u32x8::load_array(simd, index).into();
        from_fn(|tap| {
            let index = _mm256_add_epi32(index, _mm256_set1_epi32(tap as i32));
            let tap: f32x8<_> = _mm256_permutex2var_ps(front, index, back).simd_into(simd);
            tap.to_array()
        })
    }
);

fearless_simd::kernel!(
    /// Each half of the window by itself; the fourth bit of the index says which of the two counts.
    #[inline]
    fn permuted_avx2(simd: Avx2, window: &[f32; WINDOW], index: [u32; LANES]) -> [[f32; LANES]; 4] {
        use std::arch::x86_64::*;
        let (front, back) = halves(window);
        let front: __m256 = f32x8::load_array(simd, front).into();
        let back: __m256 = f32x8::load_array(simd, back).into();
        let index: __m256i = u32x8::load_array(simd, index).into();
        from_fn(|tap| {
            let index = _mm256_add_epi32(index, _mm256_set1_epi32(tap as i32));
            let (low, high) = (_mm256_permutevar8x32_ps(front, index), _mm256_permutevar8x32_ps(back, index));
            let is_high = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
            let tap: f32x8<_> = _mm256_blendv_ps(low, high, is_high).simd_into(simd);
            tap.to_array()
        })
    }
);

fn halves(window: &[f32; WINDOW]) -> ([f32; LANES], [f32; LANES]) {
    (from_fn(|i| window[i]), from_fn(|i| window[LANES + i]))
}
