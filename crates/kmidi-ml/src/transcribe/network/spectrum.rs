//! The constant-Q spectrum that the network sees: 309 filters, 36 an octave from 27.5 Hz on.
//!
//! The filters of the top octave serve all nine: for each octave down, the sound is halved in rate.

use fearless_simd::Level;

use super::convolve::{Kernel, Run, SLACK};
use super::weights::Weights;
use super::{FRAMES, HOP, WINDOW};

/// Filters of an octave.
const OCTAVE: usize = 36;
/// Length of each, and of the filter that halves the rate.
const TAPS: usize = 256;
const OCTAVES: usize = 9;
/// Filters that there are; those of the lowest octave that would lie below are left out.
pub(super) const BINS: usize = 309;
/// Frames side by side, and what makes tiles of them whole.
const COLUMNS: usize = 192;

/// Computes spectra; all its memory is there from the start.
pub(super) struct Spectrum {
    filters: Kernel,
    halving: Kernel,
    scales: Vec<f32>,
    level: [f32; 2],
    /// The sound of an octave.
    sound: Vec<f32>,
    /// The same with its mirror images at both ends.
    mirrored: Vec<f32>,
    /// Its even samples, then its odd ones.
    halves: Vec<f32>,
    /// For each tap, what all frames see there.
    columns: Vec<f32>,
    /// Real parts of the filters of an octave, then imaginary ones.
    filtered: Vec<f32>,
    /// Levels, frame by frame.
    levels: Vec<f32>,
}

impl Spectrum {
    pub fn new(weights: &Weights) -> Self {
        let of_columns = (0..TAPS).map(|tap| tap * COLUMNS).collect();
        let both = weights.octave.concat();
        let half = half_room();
        let of_halves = (0..TAPS).map(|tap| tap % 2 * half + tap / 2).collect();
        Spectrum {
            filters: Kernel::new(&both, &[0.0; 2 * OCTAVE], of_columns),
            halving: Kernel::new(&weights.halving, &[0.0], of_halves),
            scales: weights.scales.clone(),
            level: weights.level,
            sound: vec![0.0; WINDOW],
            mirrored: vec![0.0; WINDOW + TAPS],
            halves: vec![0.0; 2 * half + SLACK],
            columns: vec![0.0; TAPS * COLUMNS + SLACK],
            filtered: vec![0.0; 2 * OCTAVE * COLUMNS],
            levels: vec![0.0; FRAMES * BINS],
        }
    }

    /// Levels of a window as the network wants them, frame by frame, each of [`BINS`].
    pub fn of(&mut self, level: Level, window: &[f32]) -> &[f32] {
        self.sound[..WINDOW].copy_from_slice(window);
        let mut length = WINDOW;
        for octave in 0..OCTAVES {
            self.filter(level, length, HOP >> octave);
            self.measure(octave);
            if octave + 1 < OCTAVES {
                length = self.halve(level, length);
            }
        }
        self.normalise();
        &self.levels
    }

    /// The filters' outputs for all frames.
    fn filter(&mut self, level: Level, length: usize, hop: usize) {
        let (sound, edge) = (&self.sound[..length], TAPS / 2);
        let mirrored = &mut self.mirrored[..length + TAPS];
        mirrored[edge..edge + length].copy_from_slice(sound);
        let (before, after) =
            (sound[1..=edge].iter().rev(), sound[length - 1 - edge..length - 1].iter().rev());
        mirrored[..edge].iter_mut().zip(before).for_each(|(mirrored, sample)| *mirrored = *sample);
        mirrored[edge + length..].iter_mut().zip(after).for_each(|(mirrored, sample)| *mirrored = *sample);
        for frame in 0..FRAMES {
            let seen = &mirrored[frame * hop..][..TAPS];
            for (column, value) in self.columns[frame..].iter_mut().step_by(COLUMNS).zip(seen) {
                *column = *value;
            }
        }
        let run = Run {
            input_row: 0,
            output_row: 0,
            output_plane: COLUMNS,
            output_start: 0,
            rows: 1,
            columns: FRAMES,
            rectified: false,
        };
        self.filters.run(level, &self.columns, &mut self.filtered, run);
    }

    /// The powers of an octave's filters, to their places.
    fn measure(&mut self, octave: usize) {
        // The top octave has the last bins; the lowest begins below the first one.
        let above = (octave + 1) * OCTAVE;
        for filter in 0..OCTAVE {
            let Some(bin) = (BINS + filter).checked_sub(above) else { continue };
            let real = &self.filtered[filter * COLUMNS..][..FRAMES];
            let imaginary = &self.filtered[(OCTAVE + filter) * COLUMNS..][..FRAMES];
            let scale = self.scales[bin];
            let places = self.levels[bin..].iter_mut().step_by(BINS);
            for (place, (real, imaginary)) in places.zip(real.iter().zip(imaginary)) {
                let (real, imaginary) = (real * scale, imaginary * scale);
                *place = real * real + imaginary * imaginary;
            }
        }
    }

    /// The sound at half its rate; how many samples it has then.
    fn halve(&mut self, level: Level, length: usize) -> usize {
        let half = half_room();
        let before = TAPS / 2 - 1;
        self.halves.fill(0.0);
        for (n, sample) in self.sound[..length].iter().enumerate() {
            let place = n + before;
            self.halves[place % 2 * half + place / 2] = *sample;
        }
        let halved = (length - 2) / 2 + 1;
        // A long row is cut into four, which are computed side by side.
        let columns = halved.div_ceil(4);
        let run = Run {
            input_row: columns,
            output_row: columns,
            output_plane: 0,
            output_start: 0,
            rows: 4,
            columns,
            rectified: false,
        };
        self.halving.run(level, &self.halves, &mut self.sound, run);
        halved
    }

    /// From powers to decibels, between 0 and 1 for the least and the most of the window.
    fn normalise(&mut self) {
        for power in &mut self.levels {
            *power = 10.0 * ((*power + 1e-10).ln() * std::f32::consts::LOG10_E);
        }
        let least = self.levels.iter().copied().fold(f32::INFINITY, f32::min);
        let most = self.levels.iter().map(|level| level - least).fold(0.0, f32::max);
        let [factor, offset] = self.level;
        for level in &mut self.levels {
            let part = if most == 0.0 { 0.0 } else { (*level - least) / most };
            *level = part * factor + offset;
        }
    }
}

/// Samples of a half of the longest sound, with what lies around it.
const fn half_room() -> usize {
    (WINDOW + TAPS) / 2 + 2
}
