//! Convolution on whatever vectors the processor has.
//!
//! The inputs lie in planes of rows, with the zeros that a convolution sees around them in their place. Then what
//! an output needs of an input is a distance from where the output's own place is, and all convolutions are one:
//! a sum over such distances. A stride is a distance between planes that have been split beforehand.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch};

/// Vectors of a tile. With four sums each they fill the registers of AVX2, and hide how long a sum takes.
const VECTORS: usize = 3;
/// Output channels, or rows of a single one, of a tile.
const SUMS: usize = 4;
/// Floats behind a plane's last row that a tile may read.
pub(super) const SLACK: usize = 64;
/// The widest tile: three vectors of AVX-512.
const WIDEST: usize = 48;

/// Weights in the order in which they are used.
pub(super) struct Kernel {
    /// Distance of each input from an output's place.
    taps: Vec<usize>,
    /// For four channels after another, the weights of each tap; for a single channel it alone.
    weights: Vec<[f32; SUMS]>,
    biases: Vec<f32>,
}

/// Where the inputs of a run lie, and where its outputs go.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// From an input's row to the next.
    pub input_row: usize,
    /// From an output's row to the next.
    pub output_row: usize,
    /// From an output channel to the next.
    pub output_plane: usize,
    /// The first output.
    pub output_start: usize,
    /// Rows of each channel.
    pub rows: usize,
    /// Outputs of each row.
    pub columns: usize,
    /// Whether what is below zero becomes zero.
    pub rectified: bool,
}

impl Kernel {
    /// `weights` holds, for each bias, as many weights as there are taps. One channel or a multiple of four.
    pub fn new(weights: &[f32], biases: &[f32], taps: Vec<usize>) -> Self {
        assert_eq!(weights.len(), biases.len() * taps.len(), "a weight for each tap of each channel");
        assert!(biases.len() == 1 || biases.len().is_multiple_of(SUMS), "one channel, or four by four");
        let of = |channel: usize, tap: usize| weights[channel * taps.len() + tap];
        let packed = match biases.len() {
            1 => weights.iter().map(|weight| [*weight; SUMS]).collect(),
            channels => (0..channels)
                .step_by(SUMS)
                .flat_map(|first| (0..taps.len()).map(move |tap| (first, tap)))
                .map(|(first, tap)| from_fn(|of_four| of(first + of_four, tap)))
                .collect(),
        };
        Kernel { taps, weights: packed, biases: biases.to_vec() }
    }

    /// Computes all outputs of `run`.
    pub fn run(&self, level: Level, input: &[f32], output: &mut [f32], run: Run) {
        dispatch!(level, simd => self.run_with(simd, input, output, run));
    }

    #[inline(always)]
    fn run_with<S: Simd>(&self, simd: S, input: &[f32], output: &mut [f32], run: Run) {
        match self.biases.len() {
            1 => self.run_by_rows(simd, input, output, run),
            _ => self.run_by_channels(simd, input, output, run),
        }
    }

    #[inline(always)]
    fn run_by_rows<S: Simd>(&self, simd: S, input: &[f32], output: &mut [f32], run: Run) {
        let width = VECTORS * S::f32s::LEN;
        for row in (0..run.rows).step_by(SUMS) {
            // Rows that are none are computed from the last one again.
            let mut rows = [0; SUMS];
            for (of_four, at) in rows.iter_mut().enumerate() {
                *at = (row + of_four).min(run.rows - 1);
            }
            for column in (0..run.columns).step_by(width) {
                let starts = rows.map(|row| row * run.input_row + column);
                let places = rows.map(|row| run.output_start + row * run.output_row + column);
                let sums = four_rows(simd, &self.weights, &self.taps, input, starts, self.biases[0]);
                store::<S>(&sums, output, places, width.min(run.columns - column), run.rectified);
            }
        }
    }

    #[inline(always)]
    fn run_by_channels<S: Simd>(&self, simd: S, input: &[f32], output: &mut [f32], run: Run) {
        let width = VECTORS * S::f32s::LEN;
        let groups = self.weights.chunks_exact(self.taps.len()).zip(self.biases.as_chunks::<SUMS>().0);
        for (group, (weights, biases)) in groups.enumerate() {
            for row in 0..run.rows {
                for column in (0..run.columns).step_by(width) {
                    let start = row * run.input_row + column;
                    let place = run.output_start + row * run.output_row + column;
                    let mut places = [0; SUMS];
                    for (of_four, at) in places.iter_mut().enumerate() {
                        *at = place + (group * SUMS + of_four) * run.output_plane;
                    }
                    let sums = four_channels(simd, weights, &self.taps, input, start, *biases);
                    store::<S>(&sums, output, places, width.min(run.columns - column), run.rectified);
                }
            }
        }
    }
}

type Sums<S> = [[<S as Simd>::f32s; VECTORS]; SUMS];

/// Four channels at the same places: what is read serves all four.
#[inline(always)]
fn four_channels<S: Simd>(
    simd: S,
    weights: &[[f32; SUMS]],
    taps: &[usize],
    input: &[f32],
    start: usize,
    biases: [f32; SUMS],
) -> Sums<S> {
    let lanes = S::f32s::LEN;
    let mut sums: Sums<S> = [[S::f32s::splat(simd, 0.0); VECTORS]; SUMS];
    for (sums, bias) in sums.iter_mut().zip(biases) {
        *sums = [S::f32s::splat(simd, bias); VECTORS];
    }
    for (weights, tap) in weights.iter().zip(taps) {
        let values = &input[start + tap..][..VECTORS * lanes];
        let values: [S::f32s; VECTORS] = [
            S::f32s::from_slice(simd, &values[..lanes]),
            S::f32s::from_slice(simd, &values[lanes..2 * lanes]),
            S::f32s::from_slice(simd, &values[2 * lanes..]),
        ];
        for (sums, weight) in sums.iter_mut().zip(weights) {
            let weight = S::f32s::splat(simd, *weight);
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = value.mul_add(weight, *sum);
            }
        }
    }
    sums
}

/// Four rows of the only channel: a weight serves all four.
#[inline(always)]
fn four_rows<S: Simd>(
    simd: S,
    weights: &[[f32; SUMS]],
    taps: &[usize],
    input: &[f32],
    starts: [usize; SUMS],
    bias: f32,
) -> Sums<S> {
    let lanes = S::f32s::LEN;
    let mut sums: Sums<S> = [[S::f32s::splat(simd, bias); VECTORS]; SUMS];
    for (weights, tap) in weights.iter().zip(taps) {
        let weight = S::f32s::splat(simd, weights[0]);
        for (sums, start) in sums.iter_mut().zip(starts) {
            let values = &input[start + tap..][..VECTORS * lanes];
            for (vector, sum) in sums.iter_mut().enumerate() {
                let value = S::f32s::from_slice(simd, &values[vector * lanes..][..lanes]);
                *sum = value.mul_add(weight, *sum);
            }
        }
    }
    sums
}

/// Writes the first `count` columns of each sum to its place.
#[inline(always)]
fn store<S: Simd>(sums: &Sums<S>, output: &mut [f32], places: [usize; SUMS], count: usize, rectified: bool) {
    let lanes = S::f32s::LEN;
    let mut row = [0.0; WIDEST];
    for (sums, place) in sums.iter().zip(places) {
        for (vector, sum) in sums.iter().enumerate() {
            sum.store_slice(&mut row[vector * lanes..][..lanes]);
        }
        let output = &mut output[place..place + count];
        for (output, value) in output.iter_mut().zip(row) {
            *output = if rectified { value.max(0.0) } else { value };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// The same in doubles, one output after the other.
    fn plain(weights: &[f32], biases: &[f32], taps: &[usize], input: &[f32], output: &mut [f32], run: Run) {
        for (channel, bias) in biases.iter().enumerate() {
            for row in 0..run.rows {
                for column in 0..run.columns {
                    let start = row * run.input_row + column;
                    let products = taps.iter().enumerate().map(|(n, tap)| {
                        f64::from(weights[channel * taps.len() + n]) * f64::from(input[start + tap])
                    });
                    let sum = products.sum::<f64>() + f64::from(*bias);
                    let sum = if run.rectified { sum.max(0.0) } else { sum };
                    let place = run.output_start + channel * run.output_plane + row * run.output_row + column;
                    output[place] = sum as f32;
                }
            }
        }
    }

    #[test]
    fn any_shape_gives_what_plain_sums_give_and_writes_nothing_else() {
        for (channels, rows, columns) in [(8, 5, 48), (4, 3, 50), (1, 7, 88), (1, 1, 1), (12, 1, 7)] {
            for rectified in [false, true] {
                let (input_row, taps) = (columns + 9, vec![0, 1, 4, columns + 9, 2 * (columns + 9) + 3]);
                let input = noise((rows + 2) * input_row + 8 + SLACK, 1);
                let (weights, biases) = (noise(channels * taps.len(), 2), noise(channels, 3));
                let (output_row, output_start) = (columns + 2, 1);
                let output_plane = rows * output_row;
                let run = Run { input_row, output_row, output_plane, output_start, rows, columns, rectified };
                let mut expected = vec![9.0; channels * output_plane + 1];
                let mut found = expected.clone();
                plain(&weights, &biases, &taps, &input, &mut expected, run);
                let kernel = Kernel::new(&weights, &biases, taps);
                for level in [Level::new(), Level::baseline()] {
                    kernel.run(level, &input, &mut found, run);
                    let apart = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-5;
                    assert!(!expected.iter().zip(&found).any(apart), "{channels} x {rows} x {columns}");
                }
                // A weight that is wrong is seen.
                let mut wrong = weights;
                wrong[0] += 0.1;
                let kernel = Kernel::new(&wrong, &biases, vec![0, 1, 4, columns + 9, 2 * (columns + 9) + 3]);
                kernel.run(Level::new(), &input, &mut found, Run { rectified: false, ..run });
                assert!(expected.iter().zip(&found).any(|(a, b)| (a - b).abs() > 1e-3));
            }
        }
    }
}
