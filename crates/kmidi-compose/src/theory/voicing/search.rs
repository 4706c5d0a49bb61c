//! The voicing of least cost: depth first, voice by voice from the bass, with everything on the stack.
use std::ops::RangeInclusive;

use arrayvec::ArrayVec;

use super::cost::{Leading, UNPAIRED, UNRESOLVED, Weights, leap, of_voice, outer, spacing};
use super::{Voicer, Voicing};
use crate::theory::{Chord, PitchClass, PitchClassSet};

pub(super) struct Found {
    pub voicing: Voicing,
    pub looked_at: u32,
    pub cut_short: bool,
}

struct Search<'a> {
    chord: &'a Chord,
    /// What may sound above the bass.
    upper: PitchClassSet,
    range: RangeInclusive<u8>,
    voices: usize,
    from: &'a [u8],
    leading: Leading,
    weights: Weights,
    /// What the voices from each one upwards move at least.
    still_to_move: [u32; Voicing::MOST + 1],
    keys: ArrayVec<u8, { Voicing::MOST }>,
    best: ArrayVec<u8, { Voicing::MOST }>,
    best_cost: u32,
    looked_at: u32,
    cut_short: bool,
}

/// Widest gap between neighbours: to the bass, and above it, in semitones.
const WIDEST: [u8; 2] = [24, 16];

/// The least costly voicing after `from`, among those of this range whose neighbours are not too far apart.
pub(super) fn least(
    chord: &Chord,
    range: RangeInclusive<u8>,
    voices: usize,
    from: &Voicing,
    before: Option<Chord>,
) -> Found {
    let range = *range.start()..=(*range.end()).min(127);
    let upper = chord.tones().iter().map(|tone| chord.class_of(*tone)).collect();
    let mut search = Search {
        chord,
        upper,
        range,
        voices,
        from: from.keys(),
        leading: before.as_ref().map_or_else(Leading::default, Leading::of),
        weights: Weights::of(chord),
        still_to_move: [0; Voicing::MOST + 1],
        keys: ArrayVec::new(),
        best: ArrayVec::new(),
        best_cost: u32::MAX,
        looked_at: 0,
        cut_short: false,
    };
    search.look_ahead();
    search.go(0);
    if search.best.is_empty() {
        let bass = search.range.clone().find(|key| class(*key) == chord.bass().pitch_class());
        search.best.extend(bass);
    }
    Found { voicing: Voicing(search.best), looked_at: search.looked_at, cut_short: search.cut_short }
}

fn class(key: u8) -> PitchClass {
    PitchClass::new(i32::from(key))
}

impl Search<'_> {
    /// Without this, most of what is looked at would be voicings whose upper voices cannot be had for what is left.
    fn look_ahead(&mut self) {
        for voice in (1..self.voices).rev() {
            let least = self.from.get(voice).map_or(UNPAIRED, |was| {
                let keys = self.range.clone().filter(|key| self.upper.contains(class(*key)));
                keys.map(|key| leap(was.abs_diff(key))).min().unwrap_or(0)
            });
            let least = if self.from.is_empty() { 0 } else { least };
            self.still_to_move[voice] = self.still_to_move[voice + 1] + least;
        }
    }

    /// Adds the next voice in every way that can still cost less than the best; `so_far` is what those below it cost.
    fn go(&mut self, so_far: u32) {
        let voice = self.keys.len();
        if voice == self.voices {
            return self.finish(so_far);
        }
        let (lowest, highest) = match self.keys.last() {
            None => (*self.range.start(), *self.range.end()),
            Some(last) => {
                let widest = WIDEST[usize::from(voice > 1)];
                (*last + 1, last.saturating_add(widest).min(*self.range.end()))
            }
        };
        // Near to where the voice was first: a good voicing found early spares most others.
        let near = self.from.get(voice).copied().unwrap_or(lowest).clamp(lowest, highest.max(lowest));
        for distance in 0..=highest.saturating_sub(lowest) {
            let below = near.checked_sub(distance).filter(|key| *key >= lowest);
            let above = near.checked_add(distance).filter(|key| distance > 0 && *key <= highest);
            for key in below.into_iter().chain(above) {
                self.try_key(key, so_far);
            }
        }
    }

    fn try_key(&mut self, key: u8, so_far: u32) {
        let fits = match self.keys.is_empty() {
            true => class(key) == self.chord.bass().pitch_class(),
            false => self.upper.contains(class(key)),
        };
        if !fits || self.cut_short || key > *self.range.end() {
            return;
        }
        if self.looked_at >= Voicer::MOST_LOOKED_AT {
            self.cut_short = true;
            return;
        }
        self.looked_at += 1;
        self.keys.push(key);
        let motion = if self.from.is_empty() { 0 } else { of_voice(self.from, &self.keys).total };
        let voice = self.keys.len() - 1;
        let owed = if self.leading.breaks(self.from, voice, key) { UNRESOLVED } else { 0 };
        let cost = so_far + motion + owed + spacing(&self.keys, &self.range);
        let free = self.voices - self.keys.len();
        let at_least = cost + self.still_to_move[voice + 1] + self.weights.content(&self.keys, free);
        if at_least <= self.best_cost {
            self.go(cost);
        }
        self.keys.pop();
    }

    fn finish(&mut self, so_far: u32) {
        let gone = self.from.len().saturating_sub(self.voices) as u32;
        let motion =
            if self.from.is_empty() { 0 } else { outer(self.from, &self.keys).total + gone * UNPAIRED };
        let cost = so_far + motion + self.weights.content(&self.keys, 0);
        if cost < self.best_cost || (cost == self.best_cost && self.keys < self.best) {
            self.best_cost = cost;
            self.best.clone_from(&self.keys);
        }
    }
}
