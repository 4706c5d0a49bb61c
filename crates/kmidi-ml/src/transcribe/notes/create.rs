//! What the package's `note_creation.py` does with a piece, frame by frame as it does it.
//!
//! Its numbers are doubles made of singles, and its comparisons are kept: `>=` where it has `>=`.

use super::mean::mean;
use super::{FrameNote, Keys, Rules, with_neighbours};
use crate::transcribe::network::KEYS;

/// Frames that a note may be below the threshold without ending.
const PATIENCE: usize = 11;

/// A stretch of a piece.
pub(super) struct Stretch<'a> {
    /// [`KEYS`] a frame.
    pub frames: &'a [f32],
    /// Bends of the same keys.
    pub bends: &'a [i8],
    /// Onsets that are no less than the threshold: frame, key and value, in this order. What is less decides nothing.
    pub onsets: &'a [(u32, u8, f32)],
    /// What has been given to notes, and is silence for others.
    pub taken: &'a mut [Keys],
    /// Frames at the start in which nothing begins any more.
    pub history: usize,
    /// Number of the first frame in the piece.
    pub number: u64,
    /// The largest onset and the largest rise of the piece as far as it is known.
    pub largest_onset: f32,
    pub largest_rise: f64,
}

impl Stretch<'_> {
    fn len(&self) -> usize {
        self.taken.len()
    }

    fn frame(&self, frame: usize, key: usize) -> f64 {
        f64::from(self.frames[frame * KEYS + key])
    }

    fn remaining(&self, frame: usize, key: usize) -> f64 {
        if self.taken[frame] >> key & 1 == 1 { 0.0 } else { self.frame(frame, key) }
    }

    /// All notes that begin behind the history: those with an onset, then what else sounds.
    pub fn notes(&mut self, rules: &Rules) -> Vec<FrameNote> {
        let mut notes = Vec::new();
        // Back in time, and downwards.
        for (frame, key) in self.peaks(rules).into_iter().rev() {
            notes.extend(self.note_from(frame, key, rules));
        }
        self.melodies(rules, &mut notes);
        notes
    }

    /// Onsets as the network tells them and as frames rise, whichever is more, where they are most: frame and key,
    /// in this order.
    fn peaks(&self, rules: &Rules) -> Vec<(usize, usize)> {
        // Where nothing rises, rises are scaled by nothing, and no number is a peak.
        if self.largest_rise == 0.0 || self.len() < 3 {
            return Vec::new();
        }
        let told = told_onsets(self.onsets, self.len());
        let mut row = [[0.0; KEYS]; 3];
        let mut peaks = Vec::new();
        for frame in 0..self.len() {
            row.rotate_left(1);
            self.strengths(frame, &told, &mut row[2]);
            // The row before has its neighbours now; the first and the last frame have not.
            if frame < 2 || frame - 1 < self.history {
                continue;
            }
            let [before, here, after] = &row;
            for (key, ((&before, &here), &after)) in before.iter().zip(here).zip(after).enumerate() {
                if here >= rules.onset_threshold && here > before && here > after {
                    peaks.push((frame - 1, key));
                }
            }
        }
        peaks
    }

    /// How strongly each key begins in a frame.
    fn strengths(&self, frame: usize, told: &[std::ops::Range<usize>], into: &mut [f64; KEYS]) {
        for (key, strength) in into.iter_mut().enumerate() {
            let rise = self.rise(frame, key);
            *strength = f64::from(self.largest_onset) * rise / self.largest_rise;
        }
        for (_, key, value) in &self.onsets[told[frame].clone()] {
            let strength = &mut into[usize::from(*key)];
            *strength = strength.max(f64::from(*value));
        }
    }

    fn rise(&self, frame: usize, key: usize) -> f64 {
        if self.number + (frame as u64) < 2 || frame < 2 {
            return 0.0;
        }
        let here = self.frame(frame, key);
        rise([self.frame(frame - 2, key), self.frame(frame - 1, key), here])
    }

    /// The note of an onset, unless it is too short.
    fn note_from(&mut self, start: usize, key: usize, rules: &Rules) -> Option<FrameNote> {
        if start + 1 >= self.len() {
            return None;
        }
        let (mut frame, mut quiet) = (start + 1, 0);
        while frame < self.len() - 1 && quiet < PATIENCE {
            quiet = if self.remaining(frame, key) < rules.frame_threshold { quiet + 1 } else { 0 };
            frame += 1;
        }
        let end = frame - quiet;
        if end - start <= rules.min_frames {
            return None;
        }
        self.take(start..end, key);
        Some(self.note(start, end, key))
    }

    fn take(&mut self, frames: std::ops::Range<usize>, key: usize) {
        let keys = with_neighbours(key);
        self.taken[frames].iter_mut().for_each(|taken| *taken |= keys);
    }

    /// What sounds without an onset: from the strongest frame that is left, forwards and backwards.
    fn melodies(&mut self, rules: &Rules, notes: &mut Vec<FrameNote>) {
        for place in self.strongest_first(rules) {
            let (middle, key) = (place as usize / KEYS, place as usize % KEYS);
            if self.taken[middle] >> key & 1 == 1 {
                continue;
            }
            self.taken[middle] |= 1 << key;
            let end = self.forwards(middle, key, rules);
            let start = self.backwards(middle, key, rules);
            if end - start > rules.min_frames as i64 && start >= self.history as i64 {
                // Both lie within the stretch: the end is behind the start.
                notes.push(self.note(start as usize, end as usize, key));
            }
        }
    }

    /// Places above the threshold, the largest first; of equals the one that comes first.
    fn strongest_first(&self, rules: &Rules) -> Vec<u32> {
        let above = |place: &usize| f64::from(self.frames[*place]) > rules.frame_threshold;
        let free = |place: &usize| self.taken[place / KEYS] >> (place % KEYS) & 1 == 0;
        let left = || (0..self.frames.len()).filter(above).filter(free).map(|place| place as u32);
        // Counted first: growing would take twice as much.
        let mut places = Vec::with_capacity(left().count());
        places.extend(left());
        let value = |place: u32| self.frames[place as usize];
        places.sort_unstable_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
        places
    }

    /// Takes what sounds on from a frame; the frame behind it.
    fn forwards(&mut self, middle: usize, key: usize, rules: &Rules) -> i64 {
        let (mut frame, mut quiet) = (middle + 1, 0);
        while frame < self.len() - 1 && quiet < PATIENCE {
            quiet = if self.remaining(frame, key) < rules.frame_threshold { quiet + 1 } else { 0 };
            self.taken[frame] |= with_neighbours(key);
            frame += 1;
        }
        frame as i64 - 1 - quiet as i64
    }

    /// Takes what sounds before a frame; where that begins.
    fn backwards(&mut self, middle: usize, key: usize, rules: &Rules) -> i64 {
        let (mut frame, mut quiet) = (middle as i64 - 1, 0);
        while frame > 0 && quiet < PATIENCE {
            let at = frame as usize;
            quiet = if self.remaining(at, key) < rules.frame_threshold { quiet + 1 } else { 0 };
            self.taken[at] |= with_neighbours(key);
            frame -= 1;
        }
        frame + 1 + quiet as i64
    }

    fn note(&self, start: usize, end: usize, key: usize) -> FrameNote {
        let column = || (start..end).map(|frame| frame * KEYS + key);
        let values: Vec<f32> = column().map(|place| self.frames[place]).collect();
        FrameNote {
            start: self.number + start as u64,
            end: self.number + end as u64,
            key,
            amplitude: mean(&values),
            bends: if self.bends.is_empty() {
                Vec::new()
            } else {
                column().map(|place| self.bends[place]).collect()
            },
        }
    }
}

/// By how much a key rises from both of the frames before; nothing where it falls.
pub(super) fn rise([two_before, before, here]: [f64; 3]) -> f64 {
    (here - before).min(here - two_before).max(0.0)
}

/// For each frame, which of the onsets are in it.
fn told_onsets(onsets: &[(u32, u8, f32)], frames: usize) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let next = |frame: usize| {
        let start = at;
        at += onsets[at..].iter().take_while(|onset| onset.0 as usize == frame).count();
        start..at
    };
    (0..frames).map(next).collect()
}
