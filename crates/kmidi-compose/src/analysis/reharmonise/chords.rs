//! What moves look at, and chords that they need.
use super::scene::Here;
use crate::analysis::function::{holds, is_in};
use crate::analysis::sonority::Sonority;
use crate::analysis::spelling::{chord, name_in, simple};
use crate::theory::{Chord, PitchName};

/// A name so many letters and semitones higher, without double accidentals.
pub(super) fn up(name: PitchName, letters: u8, semitones: i32) -> PitchName {
    simple(name.up(letters, semitones))
}

/// A chord that can be led to: major or minor.
pub(super) fn is_target(chord: &Chord) -> bool {
    let sonority = Sonority::chord(chord, 1.0);
    sonority.is_major() || sonority.is_minor()
}

impl Here {
    pub(super) fn root(&self) -> PitchName {
        self.chord.root()
    }

    pub(super) fn with(&self, suffix: &str) -> Option<Chord> {
        Some(chord(self.root(), suffix)?.over(self.chord.bass()))
    }

    pub(super) fn on_tonic(&self, semitones: u8, suffix: &str) -> Option<Chord> {
        chord(name_in(self.key, (self.key.tonic.pitch_class().number() + semitones) % 12), suffix)
    }

    pub(super) fn in_key(&self, above_root: u8) -> bool {
        holds(self.key, (self.sonority.root + above_root) % 12)
    }

    /// Three tones or fewer, and a third.
    pub(super) fn is_triad(&self) -> bool {
        self.sonority.tones.count_ones() <= 3 && self.sonority.minor_third.is_some()
    }

    pub(super) fn is_dominant(&self) -> bool {
        self.sonority.is_dominant_seventh()
            || (self.sonority.is_major() && self.degree == 7)
            || (self.sonority.is_major() && !is_in(self.sonority, self.key) && self.resolves())
    }

    pub(super) fn resolves(&self) -> bool {
        self.next.root().pitch_class() == self.root().pitch_class().transposed(5)
    }

    pub(super) fn moves_on(&self) -> bool {
        self.next.root().pitch_class() != self.root().pitch_class()
    }

    pub(super) fn next_is_minor(&self) -> bool {
        Sonority::chord(&self.next, 1.0).minor_third == Some(true)
    }

    pub(super) fn third_name(&self) -> Option<PitchName> {
        let semitones = if self.sonority.minor_third? { 3 } else { 4 };
        Some(up(self.root(), 2, semitones))
    }

    pub(super) fn dominant_of_next(&self, suffix: &str) -> Option<Chord> {
        chord(up(self.next.root(), 4, 7), suffix)
    }
}
