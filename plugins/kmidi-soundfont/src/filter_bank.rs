//! The filters of many voices at once, a lane for each: a filter needs what it gave the frame before,
//! so that its frames cannot be computed side by side.

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

use crate::course::Ramp;
use crate::kernel::Row;
use crate::lanes::{LANES, transpose_square};

/// Voices whose filters run together: two vectors, since each waits for its own last result.
pub(crate) const BANK: usize = 2 * LANES;

/// The filter of one voice in a form that needs few steps from one frame to the next: with
/// `difference = input - low`, `band` becomes `p band + q difference`, `low` becomes
/// `low + q band + r difference`, and the output is the mean of `low` before and after.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FilterState {
    /// p, q and r.
    pub coefficients: [Ramp; 3],
    /// How far its voice is in its course.
    pub played: u32,
    pub band: f32,
    pub low: f32,
}

/// The coefficients that give the input.
pub(crate) const PASS_ALL: [f64; 3] = [0.0, 0.0, 2.0];

/// [`LANES`] filters.
#[derive(Clone, Copy)]
struct Vectors<S: Simd> {
    values: [f32x8<S>; 3],
    steps: [f32x8<S>; 3],
    k: f32x8<S>,
    band: f32x8<S>,
    low: f32x8<S>,
}

impl<S: Simd> Vectors<S> {
    #[inline(always)]
    fn load(simd: S, filters: &[FilterState; LANES]) -> Self {
        let mut lanes = [[0.0; LANES]; 9];
        for (lane, filter) in filters.iter().enumerate() {
            let [p, q, r] = filter.coefficients;
            let of_lane = [
                p.value,
                q.value,
                r.value,
                p.step,
                q.step,
                r.step,
                filter.played as f32,
                filter.band,
                filter.low,
            ];
            for (lanes, value) in lanes.iter_mut().zip(of_lane) {
                lanes[lane] = value;
            }
        }
        let lanes = |i: usize| f32x8::load_array_ref(simd, &lanes[i]);
        Vectors {
            values: [lanes(0), lanes(1), lanes(2)],
            steps: [lanes(3), lanes(4), lanes(5)],
            k: lanes(6),
            band: lanes(7),
            low: lanes(8),
        }
    }

    #[inline(always)]
    fn store(&self, filters: &mut [FilterState; LANES]) {
        let (band, low) = (self.band.to_array(), self.low.to_array());
        for (lane, filter) in filters.iter_mut().enumerate() {
            (filter.band, filter.low) = (band[lane], low[lane]);
        }
    }

    #[inline(always)]
    fn next<const MOVES: bool>(&mut self, input: f32x8<S>) -> f32x8<S> {
        let [mut p, mut q, mut r] = self.values;
        if MOVES {
            p += self.steps[0] * self.k;
            q += self.steps[1] * self.k;
            r += self.steps[2] * self.k;
            self.k += 1.0;
        }
        let difference = input - self.low;
        let low = (self.low + q * self.band) + r * difference;
        let output = (self.low + low) * 0.5;
        self.band = p * self.band + q * difference;
        self.low = low;
        output
    }
}

/// Filters the first `frames` frames of the rows, of which the first `used` count.
#[inline(always)]
pub(crate) fn filter<S: Simd>(
    simd: S,
    filters: &mut [FilterState; BANK],
    rows: &mut [Row; BANK],
    (used, frames): (usize, usize),
) {
    let moves = filters[..used].iter().flat_map(|filter| &filter.coefficients).any(|ramp| ramp.step != 0.0);
    match (moves, used <= LANES) {
        (false, false) => run::<S, false, 2>(simd, filters, rows, frames),
        (false, true) => run::<S, false, 1>(simd, filters, rows, frames),
        (true, false) => run::<S, true, 2>(simd, filters, rows, frames),
        (true, true) => run::<S, true, 1>(simd, filters, rows, frames),
    }
}

#[inline(always)]
fn run<S: Simd, const MOVES: bool, const HALVES: usize>(
    simd: S,
    filters: &mut [FilterState; BANK],
    rows: &mut [Row; BANK],
    frames: usize,
) {
    simd.vectorize(
        #[inline(always)]
        || {
            let (filters, rows) = (filters.as_chunks_mut::<LANES>().0, rows.as_chunks_mut::<LANES>().0);
            let mut vectors = [Vectors::load(simd, &filters[0]); HALVES];
            for (vectors, filters) in vectors.iter_mut().zip(filters.iter()).skip(1) {
                *vectors = Vectors::load(simd, filters);
            }
            for group in 0..frames / LANES {
                eight::<S, MOVES, HALVES>(simd, &mut vectors, rows, group, LANES);
            }
            if !frames.is_multiple_of(LANES) {
                eight::<S, MOVES, HALVES>(simd, &mut vectors, rows, frames / LANES, frames % LANES);
            }
            for (vectors, filters) in vectors.iter().zip(filters) {
                vectors.store(filters);
            }
        },
    )
}

/// The first `count` of eight frames; what comes after them is no sound and stays as it is.
#[inline(always)]
fn eight<S: Simd, const MOVES: bool, const HALVES: usize>(
    simd: S,
    vectors: &mut [Vectors<S>; HALVES],
    rows: &mut [[Row; LANES]],
    group: usize,
    count: usize,
) {
    let mut sounds = [[f32x8::splat(simd, 0.0); LANES]; HALVES];
    for (sounds, rows) in sounds.iter_mut().zip(rows.iter()) {
        for (sounds, row) in sounds.iter_mut().zip(rows) {
            *sounds = f32x8::load_array_ref(simd, &row.as_chunks::<LANES>().0[group]);
        }
        *sounds = transpose_square(*sounds);
    }
    for frame in 0..LANES {
        if frame < count {
            for (vectors, sounds) in vectors.iter_mut().zip(&mut sounds) {
                sounds[frame] = vectors.next::<MOVES>(sounds[frame]);
            }
        }
    }
    for (half, sounds) in sounds.into_iter().enumerate() {
        for (lane, sounds) in transpose_square(sounds).into_iter().enumerate() {
            sounds.store_slice(&mut rows[half][lane].as_chunks_mut::<LANES>().0[group]);
        }
    }
}
