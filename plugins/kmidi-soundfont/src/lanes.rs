//! What all code that works on eight lanes at once has in common.
//!
//! Only additions and multiplications in a fixed order: the same bits on every instruction set.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x4, f32x8};

/// Lanes of a vector: voices of a block, lines of the reverb.
pub(crate) const LANES: usize = 8;

/// From four taps of each lane to the lanes of each tap.
#[inline(always)]
pub(crate) fn transpose<S: Simd>(rows: [f32x4<S>; LANES]) -> [f32x8<S>; 4] {
    let half = |[a, b, c, d]: [f32x4<S>; 4]| {
        let (front, back) = ((a.zip_low(c), b.zip_low(d)), (a.zip_high(c), b.zip_high(d)));
        [front.0.zip_low(front.1), front.0.zip_high(front.1), back.0.zip_low(back.1), back.0.zip_high(back.1)]
    };
    let [a, b, c, d, e, f, g, h] = rows;
    let (left, right) = (half([a, b, c, d]), half([e, f, g, h]));
    from_fn(|tap| left[tap].combine(right[tap]))
}

/// From the frames of each lane to the lanes of each frame, and back.
#[inline(always)]
pub(crate) fn transpose_square<S: Simd>(rows: [f32x8<S>; LANES]) -> [f32x8<S>; LANES] {
    interleave(interleave(interleave(rows)))
}

/// The first half of the rows with the second.
#[inline(always)]
fn interleave<S: Simd>([a, b, c, d, e, f, g, h]: [f32x8<S>; LANES]) -> [f32x8<S>; LANES] {
    [
        a.zip_low(e),
        a.zip_high(e),
        b.zip_low(f),
        b.zip_high(f),
        c.zip_low(g),
        c.zip_high(g),
        d.zip_low(h),
        d.zip_high(h),
    ]
}

/// Third-order interpolation between the two middle taps (Hermite, from central differences).
#[inline(always)]
pub(crate) fn interpolate<S: Simd>([a, b, c, d]: [f32x8<S>; 4], x: f32x8<S>) -> f32x8<S> {
    let c1 = (c - a) * 0.5;
    let c2 = a - b * 2.5 + c * 2.0 - d * 0.5;
    let c3 = (d - a) * 0.5 + (b - c) * 1.5;
    ((c3 * x + c2) * x + c1) * x + b
}
