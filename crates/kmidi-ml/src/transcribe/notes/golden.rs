//! Note for note what the package's own decoder makes of the same activations.

use sha2::{Digest, Sha256};

use super::{FrameNote, LOWEST_KEY, Roll, Rules};
use crate::transcribe::network::{CONTOURS, KEYS};

const DEFAULT: Rules = Rules { onset_threshold: 0.5, frame_threshold: 0.3, min_frames: 11, keys: (0, KEYS) };

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/transcribe/", $name))
    };
}

/// Rows of a frame after the other, in 255ths.
struct Activations {
    notes: Vec<u8>,
    onsets: Vec<u8>,
    contours: Vec<u8>,
}

struct Chance(u32);

impl Chance {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }
}

impl Activations {
    /// As `golden.py` makes them.
    fn of_seed(seed: u32, frames: usize) -> Self {
        let mut chance = Chance(seed);
        let mut noise = |count: usize, bound: u32| -> Vec<u8> {
            (0..count * frames).map(|_| chance.below(bound) as u8).collect()
        };
        let (notes, onsets, contours) = (noise(KEYS, 24), noise(KEYS, 16), noise(CONTOURS, 20));
        let mut all = Activations { notes, onsets, contours };
        for _ in 0..frames / 4 {
            all.add_note(&mut chance, frames);
        }
        all
    }

    fn add_note(&mut self, chance: &mut Chance, frames: usize) {
        let start = chance.below(frames as u32) as usize;
        let length = 3 + chance.below(60) as usize;
        let (key, level) = (chance.below(88) as usize, 90 + chance.below(150) as i32);
        let (has_onset, onset) = (chance.below(4) > 0, 100 + chance.below(155));
        let gap = chance.below(60) as usize;
        let gap = gap..gap + chance.below(14) as usize;
        let in_gap = |n: &usize| gap.contains(n);
        for n in (0..length.min(frames - start)).filter(|n| !in_gap(n)) {
            let value = (level - n as i32).max(60);
            raise(&mut self.notes, KEYS, start + n, key as i32, value);
            raise(&mut self.notes, KEYS, start + n, key as i32 - 1, value / 3);
            raise(&mut self.notes, KEYS, start + n, key as i32 + 1, value / 3);
            for away in -3..=3i32 {
                let column = 3 * key as i32 + away + (n / 8 % 3) as i32;
                raise(&mut self.contours, CONTOURS, start + n, column, value - 20 * away.abs());
            }
        }
        let onset = if has_onset { onset as i32 } else { 0 };
        for (frame, part) in [(start.wrapping_sub(1), 2), (start, 1), (start + 1, 2)] {
            if frame < frames {
                raise(&mut self.onsets, KEYS, frame, key as i32, onset / part);
            }
        }
    }

    /// What is in a file of `golden.py`.
    fn of_file(bytes: &[u8]) -> Self {
        let frames = bytes.len() / (2 * KEYS + CONTOURS);
        let (notes, rest) = bytes.split_at(frames * KEYS);
        let (onsets, contours) = rest.split_at(frames * KEYS);
        Activations { notes: notes.to_vec(), onsets: onsets.to_vec(), contours: contours.to_vec() }
    }

    fn frames(&self) -> usize {
        self.notes.len() / KEYS
    }

    fn push_to(&self, roll: &mut Roll, frame: usize, found: &mut Vec<FrameNote>) {
        let row = |values: &[u8], width: usize| -> Vec<f32> {
            values[frame * width..][..width].iter().map(|value| f32::from(*value) / 255.0).collect()
        };
        let contours = row(&self.contours, CONTOURS);
        roll.push(&row(&self.notes, KEYS), &row(&self.onsets, KEYS), &contours, found);
    }

    /// The notes, and how many times the roll was cut.
    fn decoded(&self, mut roll: Roll) -> (Vec<FrameNote>, u64) {
        let mut found = Vec::new();
        (0..self.frames()).for_each(|frame| self.push_to(&mut roll, frame, &mut found));
        let cuts = roll.finish(&mut found);
        found.sort_by_key(|note| (note.start, note.end, note.key));
        (found, cuts)
    }
}

/// Raises a value to at least another, if there is such a column.
fn raise(values: &mut [u8], width: usize, frame: usize, column: i32, to: i32) {
    if let Some(column) = usize::try_from(column).ok().filter(|column| *column < width) {
        let value = &mut values[frame * width + column];
        *value = (*value).max(to.clamp(0, 255) as u8);
    }
}

/// As `golden.py` writes a note.
fn line(note: &FrameNote) -> String {
    let bends: Vec<u8> = note.bends.iter().map(|bend| *bend as u8).collect();
    let digits: String = Sha256::digest(&bends).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let key = usize::from(LOWEST_KEY) + note.key;
    format!("{} {} {key} {} {digits}", note.start, note.end, note.amplitude.to_bits())
}

fn lines(notes: &[FrameNote]) -> Vec<String> {
    notes.iter().map(line).collect()
}

fn compare(name: &str, activations: &Activations, rules: Rules, golden: &[u8]) {
    let golden: Vec<&str> = std::str::from_utf8(golden).unwrap().lines().collect();
    let (notes, cuts) = activations.decoded(Roll::new(rules, true));
    println!("{name}: {} notes", notes.len());
    assert!(golden.len() > 10, "{name}: {} golden notes", golden.len());
    assert_eq!(lines(&notes), golden, "{name}");
    assert_eq!(cuts, 0);
}

#[test]
fn notes_of_made_up_activations_are_those_of_the_package() {
    let of_seed = |seed| Activations::of_seed(seed, 1500);
    compare("seed 1", &of_seed(1), DEFAULT, data!("seed-1.notes"));
    let eager = Rules { onset_threshold: 0.3, frame_threshold: 0.2, min_frames: 5, ..DEFAULT };
    compare("seed 2", &of_seed(2), eager, data!("seed-2.notes"));
    // A2 to A6, the last one left out.
    compare("seed 3", &of_seed(3), Rules { keys: (24, 72), ..DEFAULT }, data!("seed-3.notes"));
    let strict = Rules { onset_threshold: 0.7, frame_threshold: 0.45, min_frames: 20, ..DEFAULT };
    compare("seed 4", &of_seed(4), strict, data!("seed-4.notes"));
}

#[test]
fn notes_of_songs_are_those_of_the_package() {
    compare("piano", &Activations::of_file(data!("piano.u8")), DEFAULT, data!("piano.notes"));
    compare("band", &Activations::of_file(data!("band.u8")), DEFAULT, data!("band.notes"));
}

#[test]
fn control_another_threshold_gives_other_notes() {
    let activations = Activations::of_file(data!("piano.u8"));
    let (notes, _) = activations.decoded(Roll::new(Rules { frame_threshold: 0.35, ..DEFAULT }, true));
    let golden: Vec<&str> = std::str::from_utf8(data!("piano.notes")).unwrap().lines().collect();
    assert_ne!(lines(&notes), golden);
}

#[test]
fn a_piece_that_does_not_fit_is_cut_and_few_notes_differ() {
    let activations = Activations::of_seed(5, 6000);
    let (whole, _) = activations.decoded(Roll::new(DEFAULT, true));
    let (pieces, cuts) = activations.decoded(Roll::holding(DEFAULT, true, 1024));
    let (whole, pieces) = (lines(&whole), lines(&pieces));
    let same = whole.iter().filter(|note| pieces.contains(note)).count();
    println!("{cuts} cuts: {same} of {} notes are the same", whole.len());
    assert!(cuts >= 5, "{cuts} cuts");
    assert!(same * 100 >= whole.len() * 95, "{same} of {} notes are the same", whole.len());
    // Nothing twice, and nothing made up beside them.
    assert!(pieces.len().abs_diff(whole.len()) * 50 <= whole.len(), "{} of {}", pieces.len(), whole.len());
}

#[test]
fn silence_and_too_little_sound_hold_no_notes() {
    for frames in [0, 1, 2, 3, 400] {
        let silent = vec![0; frames * KEYS];
        let contours = vec![0; frames * CONTOURS];
        let silence = Activations { notes: silent.clone(), onsets: silent, contours };
        assert!(silence.decoded(Roll::new(DEFAULT, true)).0.is_empty(), "{frames} frames");
    }
}

#[test]
fn noise_takes_no_more_memory_than_a_piece_may() {
    // Every key of every frame above the threshold, twice as long as what is held.
    let mut roll = Roll::holding(DEFAULT, false, 2048);
    let (mut chance, mut found) = (Chance(1), Vec::new());
    for _ in 0..4096 {
        let mut row = || -> Vec<f32> { (0..KEYS).map(|_| 0.5 + chance.below(100) as f32 / 200.0).collect() };
        roll.push(&row(), &row(), &[], &mut found);
    }
    assert!(roll.finish(&mut found) > 0);
    assert!(found.iter().all(|note| note.end > note.start && note.end <= 4096));
}
