//! Moves that colour a chord or change its bass: the harmony stays.
use kmidi_song::Random;

use super::moves::{Edit, edit};
use super::scene::Here;
use crate::analysis::function::is_in;
use crate::analysis::spelling::chord;
use crate::theory::PitchName;

impl Here {
    pub(super) fn seventh(&self) -> Option<Edit> {
        if !self.is_triad() {
            return None;
        }
        let it = self.sonority;
        let suffix = match () {
            _ if it.is_diminished() && self.in_key(10) => "m7b5",
            _ if it.is_diminished() => "dim7",
            _ if it.is_minor() => "m7",
            _ if it.is_augmented() => "7#5",
            _ if self.is_dominant() || (self.in_key(10) && !self.in_key(11)) => "7",
            _ => "maj7",
        };
        edit([self.with(suffix)], "a fourth tone binds it to the next chord")
    }

    pub(super) fn ninth(&self) -> Option<Edit> {
        let it = self.sonority;
        if it.tones.count_ones() > 4
            || it.is_diminished()
            || it.is_augmented()
            || !self.in_key(2) && !self.is_dominant()
        {
            return None;
        }
        let suffix = match it.minor_third? {
            true => "m9",
            false if self.is_dominant() && self.in_key(2) => "9",
            false if self.is_dominant() => "7b9",
            false if it.has(10) => "9",
            false => "maj9",
        };
        edit([self.with(suffix)], "the ninth opens the sound")
    }

    pub(super) fn eleventh(&self) -> Option<Edit> {
        let it = self.sonority;
        if it.tones.count_ones() > 5 || it.is_diminished() || it.is_augmented() || !self.in_key(2) {
            return None;
        }
        match it.minor_third? {
            true if self.in_key(5) => edit([self.with("m11")], "the eleventh is soft against a minor third"),
            false if self.is_dominant() && self.in_key(9) => {
                edit([self.with("13")], "the thirteenth brightens a dominant")
            }
            false if self.degree == 5 && !it.has(10) && self.in_key(6) => {
                edit([self.with("maj7#11")], "the raised eleventh is in the key on this degree")
            }
            _ => None,
        }
    }

    pub(super) fn added_ninth(&self) -> Option<Edit> {
        if !self.is_triad()
            || !self.in_key(2)
            || self.sonority.is_diminished()
            || self.sonority.is_augmented()
        {
            return None;
        }
        let suffix = if self.sonority.is_minor() { "madd9" } else { "add9" };
        edit([self.with(suffix)], "a ninth without a seventh: wide, and still a plain triad")
    }

    pub(super) fn added_sixth(&self) -> Option<Edit> {
        if !self.is_triad()
            || !self.in_key(9)
            || self.sonority.is_diminished()
            || self.sonority.is_augmented()
        {
            return None;
        }
        let suffix = if self.sonority.is_minor() { "m6" } else { "6" };
        edit([self.with(suffix)], "a sixth warms a chord that does not want to move")
    }

    pub(super) fn suspension(&self, random: &mut Random) -> Option<Edit> {
        if !self.is_triad() || !self.sonority.has(7) || !self.in_key(5) || self.chord.bass() != self.root() {
            return None;
        }
        if self.last || random.chance(0.6) {
            edit([chord(self.root(), "sus4"), Some(self.chord)], "the fourth is held and falls to the third")
        } else if self.in_key(2) {
            edit([chord(self.root(), "sus2")], "without its third the chord floats")
        } else {
            None
        }
    }

    /// The third in the bass, where that makes the bass go by step to the next chord or from the one before.
    pub(super) fn stepwise_bass(&self) -> Option<Edit> {
        let before = self.before?;
        let third = self.third_name()?;
        let step = |from: PitchName, to: PitchName| {
            let up = from.pitch_class().up_to(to.pitch_class());
            matches!(up, 1 | 2 | 10 | 11)
        };
        let already = step(before.bass(), self.chord.bass()) && step(self.chord.bass(), self.next.bass());
        if already
            || !step(third, self.next.bass()) && !step(before.bass(), third)
            || self.chord.bass() != self.root()
        {
            return None;
        }
        edit([Some(self.chord.over(third))], format!("with {third} below, the bass goes by step"))
    }

    pub(super) fn first_inversion(&self) -> Option<Edit> {
        self.before?;
        if self.last || self.chord.bass() != self.root() || self.sonority.is_augmented() {
            return None;
        }
        let third = self.third_name()?;
        edit([Some(self.chord.over(third))], "in first inversion it moves on instead of standing")
    }

    pub(super) fn pedal(&self) -> Option<Edit> {
        let held = self.key.tonic;
        let over = self.sonority.tones & (1 << ((held.pitch_class().number() + 1) % 12)) == 0;
        if self.before.is_none()
            || self.last
            || self.chord.bass() == held
            || !is_in(self.sonority, self.key)
            || !over
        {
            return None;
        }
        edit(
            [Some(self.chord.over(held))],
            format!("the bass stays on {held} while the chord changes above it"),
        )
    }
}
