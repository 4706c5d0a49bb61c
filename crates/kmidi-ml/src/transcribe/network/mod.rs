//! The network of basic-pitch, computed here: what the graph in its file says, in far less time and memory than a
//! runtime for any graph takes.
//!
//! Nine tenths of the work are seven convolutions with few channels, for which such a runtime first unrolls the
//! inputs. Here their taps are distances within planes that are laid out for it ([`convolve`]).

mod convolve;
mod spectrum;
#[cfg(test)]
mod tests;
mod weights;

use fearless_simd::Level;

use self::convolve::{Kernel, Run, SLACK};
use self::spectrum::{BINS, Spectrum};
use self::weights::{Layer, Weights};
use super::TranscribeError;
use crate::model::Model;

/// Samples of a window.
pub const WINDOW: usize = 43_844;
/// Samples from a frame to the next.
pub const HOP: usize = 256;
/// Frames of a window.
pub const FRAMES: usize = 172;
/// Keys of the piano, from A0 on.
pub const KEYS: usize = 88;
/// Thirds of a semitone; the middle one of each three is a key.
pub const CONTOURS: usize = 3 * KEYS;

/// Bins by which a plane is shifted: the octave below, the tone itself and its overtones 2 to 7.
const HARMONICS: [isize; 8] = [-36, 0, 36, 57, 72, 84, 93, 101];

/// Planes of rows, with zeros around what is in them.
struct Planes {
    values: Vec<f32>,
    row: usize,
    plane: usize,
}

impl Planes {
    fn new(planes: usize, rows: usize, row: usize) -> Self {
        Planes { values: vec![0.0; planes * rows * row + SLACK], row, plane: rows * row }
    }

    /// Distances of a kernel's inputs, plane by plane, row by row.
    fn taps(&self, planes: usize, rows: usize, columns: usize) -> Vec<usize> {
        let place = |plane, row, column| plane * self.plane + row * self.row + column;
        let of_row = |plane, row| (0..columns).map(move |column| place(plane, row, column));
        let of_plane = |plane| (0..rows).flat_map(move |row| of_row(plane, row));
        (0..planes).flat_map(of_plane).collect()
    }

    /// The same where every third input counts, and each plane has been split in three.
    fn taps_of_thirds(&self, planes: usize, rows: usize, columns: usize) -> Vec<usize> {
        let place = |plane: usize, row: usize, column: usize| {
            (plane * 3 + column % 3) * self.plane + row * self.row + column / 3
        };
        let of_row = |plane, row| (0..columns).map(move |column| place(plane, row, column));
        let of_plane = |plane| (0..rows).flat_map(move |row| of_row(plane, row));
        (0..planes).flat_map(of_plane).collect()
    }

    /// Spreads a row over the three planes from `plane` on, `before` zeros first.
    fn put_thirds(&mut self, plane: usize, row: usize, before: usize, values: &[f32]) {
        for (n, value) in values.iter().enumerate() {
            let column = n + before;
            self.values[(plane * 3 + column % 3) * self.plane + row * self.row + column / 3] = *value;
        }
    }

    /// A run whose inputs are these, over all frames.
    fn run(&self, output: (usize, usize, usize), columns: usize, rectified: bool) -> Run {
        let (output_start, output_row, output_plane) = output;
        Run { input_row: self.row, output_row, output_plane, output_start, rows: FRAMES, columns, rectified }
    }

    /// Where outputs go that begin at a row and a column of a plane.
    fn place(&self, plane: usize, row: usize, column: usize) -> (usize, usize, usize) {
        (plane * self.plane + row * self.row + column, self.row, self.plane)
    }
}

/// What the network says of a window: 0 to 1, frame by frame.
#[derive(Clone)]
pub struct Posteriors {
    /// [`KEYS`] a frame: whether it sounds.
    pub notes: Vec<f32>,
    /// [`KEYS`] a frame: whether it begins.
    pub onsets: Vec<f32>,
    /// [`CONTOURS`] a frame: where exactly it is.
    pub contours: Vec<f32>,
}

/// The network with its weights and all memory that it works in. `[side B]`
pub struct Network {
    level: Level,
    spectrum: Spectrum,
    pitch_planes: Kernel,
    contours: Kernel,
    onset_planes: Kernel,
    note_planes: Kernel,
    notes: Kernel,
    onsets: Kernel,
    /// The spectrum eight times, each at the place of another overtone.
    harmonics: Planes,
    /// The same, each split in three.
    thirds: Planes,
    hidden_notes: Planes,
    hidden_pitches: Planes,
    contour_thirds: Planes,
    /// The notes, and what leads to the onsets.
    hidden_onsets: Planes,
    posteriors: Posteriors,
    /// The same for a window of nothing but zeros, once there was one: long recordings have many.
    silence: Option<Posteriors>,
}

impl Network {
    /// Takes the weights from the model, which is not needed any more then.
    ///
    /// # Errors
    /// [`TranscribeError::Model`]: it is another one.
    pub fn new(model: &Model) -> Result<Self, TranscribeError> {
        let weights = Weights::of(model)?;
        let harmonics = Planes::new(8, FRAMES + 2, CONTOURS + 40);
        let thirds = Planes::new(24, FRAMES + 4, KEYS + 2);
        let hidden_notes = Planes::new(32, FRAMES + 6, KEYS + 2);
        let hidden_pitches = Planes::new(8, FRAMES + 4, CONTOURS + 4);
        let contour_thirds = Planes::new(3, FRAMES + 6, KEYS + 2);
        let hidden_onsets = Planes::new(33, FRAMES + 2, KEYS + 2);
        let kernel = |layer: &Layer, taps| Kernel::new(&layer.weights, &layer.biases, taps);
        Ok(Network {
            level: Level::new(),
            spectrum: Spectrum::new(&weights),
            pitch_planes: kernel(&weights.pitch_planes, harmonics.taps(8, 3, 39)),
            contours: kernel(&weights.contours, hidden_pitches.taps(8, 5, 5)),
            onset_planes: kernel(&weights.onset_planes, thirds.taps_of_thirds(8, 5, 5)),
            note_planes: kernel(&weights.note_planes, contour_thirds.taps_of_thirds(1, 7, 7)),
            notes: kernel(&weights.notes, hidden_notes.taps(32, 7, 3)),
            onsets: kernel(&weights.onsets, hidden_onsets.taps(33, 3, 3)),
            harmonics,
            thirds,
            hidden_notes,
            hidden_pitches,
            contour_thirds,
            hidden_onsets,
            posteriors: Posteriors {
                notes: vec![0.0; FRAMES * KEYS],
                onsets: vec![0.0; FRAMES * KEYS],
                contours: vec![0.0; FRAMES * CONTOURS],
            },
            silence: None,
        })
    }

    /// Listens to a window of [`WINDOW`] samples, each of them a number.
    ///
    /// # Panics
    /// The window has another length.
    pub fn run(&mut self, window: &[f32]) -> &Posteriors {
        if window.iter().any(|sample| *sample != 0.0) {
            self.listen(window);
            return &self.posteriors;
        }
        if self.silence.is_none() {
            self.listen(window);
            self.silence = Some(self.posteriors.clone());
        }
        self.silence.as_ref().unwrap_or(&self.posteriors)
    }

    fn listen(&mut self, window: &[f32]) {
        self.stack(window);
        self.find_contours();
        self.find_notes();
        self.find_onsets();
    }

    /// The spectrum at the places of all overtones.
    fn stack(&mut self, window: &[f32]) {
        let levels = self.spectrum.of(self.level, window);
        for (plane, shift) in HARMONICS.into_iter().enumerate() {
            // Bins of the spectrum that land on a contour of this plane.
            let first = usize::try_from(-shift).unwrap_or(0);
            let from = usize::try_from(shift).unwrap_or(0);
            let count = (CONTOURS - first).min(BINS - from);
            for (frame, levels) in levels.chunks_exact(BINS).enumerate() {
                let levels = &levels[from..from + count];
                let (start, _, _) = self.harmonics.place(plane, frame + 1, 19 + first);
                self.harmonics.values[start..start + count].copy_from_slice(levels);
                self.thirds.put_thirds(plane, frame + 2, 1 + first, levels);
            }
        }
    }

    fn find_contours(&mut self) {
        let run = self.harmonics.run(self.hidden_pitches.place(0, 2, 2), CONTOURS, true);
        self.pitch_planes.run(self.level, &self.harmonics.values, &mut self.hidden_pitches.values, run);
        let run = self.hidden_pitches.run((0, CONTOURS, 0), CONTOURS, false);
        let contours = &mut self.posteriors.contours;
        self.contours.run(self.level, &self.hidden_pitches.values, contours, run);
        to_probabilities(contours);
    }

    fn find_notes(&mut self) {
        for (frame, contours) in self.posteriors.contours.chunks_exact(CONTOURS).enumerate() {
            self.contour_thirds.put_thirds(0, frame + 3, 2, contours);
        }
        let run = self.contour_thirds.run(self.hidden_notes.place(0, 3, 1), KEYS, true);
        self.note_planes.run(self.level, &self.contour_thirds.values, &mut self.hidden_notes.values, run);
        let run = self.hidden_notes.run((0, KEYS, 0), KEYS, false);
        self.notes.run(self.level, &self.hidden_notes.values, &mut self.posteriors.notes, run);
        to_probabilities(&mut self.posteriors.notes);
    }

    fn find_onsets(&mut self) {
        let run = self.thirds.run(self.hidden_onsets.place(1, 1, 1), KEYS, true);
        self.onset_planes.run(self.level, &self.thirds.values, &mut self.hidden_onsets.values, run);
        for (frame, notes) in self.posteriors.notes.chunks_exact(KEYS).enumerate() {
            let (start, _, _) = self.hidden_onsets.place(0, frame + 1, 1);
            self.hidden_onsets.values[start..start + KEYS].copy_from_slice(notes);
        }
        let run = self.hidden_onsets.run((0, KEYS, 0), KEYS, false);
        self.onsets.run(self.level, &self.hidden_onsets.values, &mut self.posteriors.onsets, run);
        to_probabilities(&mut self.posteriors.onsets);
    }
}

fn to_probabilities(values: &mut [f32]) {
    for value in values {
        *value = 1.0 / (1.0 + (-*value).exp());
    }
}
