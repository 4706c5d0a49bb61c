//! Moves that leave the key.
use kmidi_song::Random;

use super::chords::up;
use super::moves::{Edit, edit};
use super::scene::Here;
use crate::analysis::sonority::Sonority;
use crate::analysis::spelling::chord;

impl Here {
    pub(super) fn parallel_approach(&self, random: &mut Random) -> Option<Edit> {
        if !self.moves_on() || (self.last && self.anchored) {
            return None;
        }
        let suffix = if self.next_is_minor() { "m7" } else { "maj7" };
        let (root, side) = if random.chance(0.5) {
            (up(self.next.root(), 1, 1), "above")
        } else {
            (up(self.next.root(), 6, 11), "below")
        };
        edit(
            [Some(self.chord), chord(root, suffix)],
            format!("the shape of {} a semitone {side}, sliding into place", self.next),
        )
    }

    pub(super) fn planing(&self) -> Option<Edit> {
        let before = self.before?;
        let quality = Sonority::chord(&before, 1.0);
        let suffix = match quality.minor_third? {
            true if quality.has(10) => "m7",
            true => "m",
            false if quality.has(11) => "maj7",
            false if quality.has(10) => "7",
            false => "",
        };
        let moved = chord(self.root(), suffix)?;
        let same = Sonority::chord(&moved, 1.0).tones == self.sonority.tones;
        if same {
            None
        } else {
            edit([Some(moved)], format!("the shape of {before} moves along, whatever the key says"))
        }
    }

    pub(super) fn fourths(&self) -> Option<Edit> {
        if self.sonority.minor_third == Some(true) {
            edit([chord(self.root(), "m11")], "built of fourths, it points nowhere")
        } else {
            edit(
                [chord(self.root(), "7sus4")],
                "root, fourth and seventh: two fourths on each other, without a third",
            )
        }
    }

    pub(super) fn mediant(&self, random: &mut Random) -> Option<Edit> {
        if !self.is_triad() || self.sonority.is_diminished() {
            return None;
        }
        let (letters, semitones) = *random.pick(&[(2u8, 3), (2, 4), (5, 8), (5, 9)])?;
        let suffix = if self.sonority.is_minor() { "m" } else { "" };
        edit(
            [chord(up(self.root(), letters, semitones), suffix)],
            format!("the same kind of chord a third from {}, with a tone in common", self.chord),
        )
    }

    pub(super) fn foreign_bass(&self, random: &mut Random) -> Option<Edit> {
        let (letters, semitones) = *random.pick(&[(1u8, 2), (1, 1), (6, 11), (3, 6)])?;
        let bass = up(self.root(), letters, semitones);
        if self.sonority.tones & (1 << bass.pitch_class().number()) != 0 {
            return None;
        }
        edit(
            [Some(self.chord.over(bass))],
            format!("two harmonies at once: {} over a bass that is not in it", self.chord),
        )
    }

    pub(super) fn tritone_away(&self) -> Option<Edit> {
        let suffix = if self.sonority.minor_third == Some(true) { "m7" } else { "maj7" };
        edit([chord(up(self.root(), 3, 6), suffix)], "as far from home as a chord can be")
    }

    pub(super) fn lydian(&self) -> Option<Edit> {
        if self.sonority.minor_third != Some(false) {
            return None;
        }
        let suffix = if self.sonority.has(10) { "7#11" } else { "maj7#11" };
        edit([chord(self.root(), suffix)], "the raised fourth takes the weight from the root")
    }
}
