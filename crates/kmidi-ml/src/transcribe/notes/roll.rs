//! As much of a piece as there is room for.

use super::create::{Stretch, rise};
use super::{BendFinder, FrameNote, Keys, Rules, with_neighbours};
use crate::transcribe::network::{CONTOURS, KEYS};

/// Frames that are held: more than two minutes. A piece that is no longer is looked at as a whole.
pub(in crate::transcribe) const HELD_FRAMES: usize = 12_288;
/// Frames before a cut that are kept, from which rises behind it are told.
const HISTORY: usize = 3;
/// A cut has at least so many frames behind it: no note is cut off that is shorter.
const AHEAD: usize = HELD_FRAMES / 2;

/// Frames of a piece, from which notes are taken as soon as there is no room for more.
pub(in crate::transcribe) struct Roll {
    rules: Rules,
    bends: Option<BendFinder>,
    held_frames: usize,
    values: Vec<f32>,
    bent: Vec<i8>,
    onsets: Vec<(u32, u8, f32)>,
    taken: Vec<Keys>,
    /// Number of the first frame that is held.
    number: u64,
    history: usize,
    largest_onset: f32,
    largest_rise: f64,
    cuts: u64,
}

impl Roll {
    /// An empty one that finds bends, or does not.
    pub fn new(rules: Rules, with_bends: bool) -> Self {
        Self::holding(rules, with_bends, HELD_FRAMES)
    }

    pub(super) fn holding(rules: Rules, with_bends: bool, held_frames: usize) -> Self {
        Roll {
            rules,
            bends: with_bends.then(BendFinder::new),
            held_frames,
            values: Vec::with_capacity(held_frames * KEYS),
            bent: Vec::with_capacity(if with_bends { held_frames * KEYS } else { 0 }),
            onsets: Vec::new(),
            taken: Vec::with_capacity(held_frames),
            number: 0,
            history: 0,
            largest_onset: 0.0,
            largest_rise: 0.0,
            cuts: 0,
        }
    }

    /// Takes the next frame; hands over the notes that it leaves no room for.
    pub fn push(&mut self, notes: &[f32], onsets: &[f32], contours: &[f32], found: &mut Vec<FrameNote>) {
        if self.taken.len() == self.held_frames {
            self.cut(found);
        }
        let (frame, (first, end)) = (self.taken.len(), self.rules.keys);
        let counts = |key: usize| (first..end).contains(&key);
        self.values
            .extend(notes.iter().enumerate().map(|(key, value)| if counts(key) { *value } else { 0.0 }));
        self.taken.push(0);
        for (key, value) in onsets.iter().enumerate().filter(|(key, _)| counts(*key)) {
            self.largest_onset = self.largest_onset.max(*value);
            if f64::from(*value) >= self.rules.onset_threshold {
                // Columns are fewer than 88, and frames no more than are held.
                self.onsets.push((frame as u32, key as u8, *value));
            }
        }
        if self.number + (frame as u64) >= 2 {
            self.note_rises(frame);
        }
        if let Some(bends) = &self.bends {
            debug_assert_eq!(contours.len(), CONTOURS);
            self.bent.extend((0..KEYS).map(|key| bends.of(contours, key)));
        }
    }

    fn note_rises(&mut self, frame: usize) {
        let [two_before, before, here] =
            [frame - 2, frame - 1, frame].map(|frame| &self.values[frame * KEYS..][..KEYS]);
        for ((two_before, before), here) in two_before.iter().zip(before).zip(here) {
            let rise = rise([*two_before, *before, *here].map(f64::from));
            self.largest_rise = self.largest_rise.max(rise);
        }
    }

    /// The notes of all that is held: the piece is over. Then how many times the piece was cut before.
    pub fn finish(mut self, found: &mut Vec<FrameNote>) -> u64 {
        found.extend(self.stretch_notes());
        self.cuts
    }

    fn stretch_notes(&mut self) -> Vec<FrameNote> {
        let mut stretch = Stretch {
            frames: &self.values,
            bends: &self.bent,
            onsets: &self.onsets,
            taken: &mut self.taken,
            history: self.history,
            number: self.number,
            largest_onset: self.largest_onset,
            largest_rise: self.largest_rise,
        };
        stretch.notes(&self.rules)
    }

    /// Finds the notes of all that is held, and keeps those that begin before the cut; what is behind it will be
    /// looked at again, with what follows.
    fn cut(&mut self, found: &mut Vec<FrameNote>) {
        let cut = self.quietest();
        let end = self.number + cut as u64;
        let before = self.taken.clone();
        let notes = self.stretch_notes();
        self.taken = before;
        for note in notes.into_iter().filter(|note| note.start < end) {
            // What sounds on beyond the cut is taken there.
            let frames = (note.start - self.number) as usize..(note.end - self.number) as usize;
            self.taken[frames].iter_mut().for_each(|taken| *taken |= with_neighbours(note.key));
            found.push(note);
        }
        self.forget(cut - HISTORY);
        self.cuts += 1;
    }

    /// A frame in the first half in which as few keys sound as in any, the latest of such.
    fn quietest(&self) -> usize {
        let ahead = AHEAD.min(self.held_frames / 2);
        let sounding = |frame: usize| {
            let keys = self.values[frame * KEYS..][..KEYS].iter();
            keys.filter(|value| f64::from(**value) >= self.rules.frame_threshold).count()
        };
        let candidates = (self.held_frames - ahead) / 2..self.held_frames - ahead;
        candidates.rev().min_by_key(|frame| sounding(*frame)).unwrap_or(self.held_frames / 2)
    }

    fn forget(&mut self, frames: usize) {
        self.values.drain(..frames * KEYS);
        if self.bends.is_some() {
            self.bent.drain(..frames * KEYS);
        }
        self.taken.drain(..frames);
        self.onsets.retain(|onset| onset.0 as usize >= frames);
        self.onsets.iter_mut().for_each(|onset| onset.0 -= frames as u32);
        self.number += frames as u64;
        self.history = HISTORY;
        // Nothing that begins there is looked for again.
        self.taken[..HISTORY].fill(Keys::MAX);
    }
}
