//! Moves that put other chords with the same function, or chords that lead to the next one.
use kmidi_song::Random;

use super::chords::{is_target, up};
use super::moves::{Edit, edit};
use super::scene::Here;
use crate::analysis::function::is_in;
use crate::analysis::sonority::Sonority;
use crate::analysis::spelling::{chord, name_in};
use crate::theory::{Chord, diatonic_chord};

impl Here {
    /// A chord of the key that shares two tones and the function.
    pub(super) fn relative(&self, random: &mut Random) -> Option<Edit> {
        let degree = self.key.degree_of(self.root().pitch_class())?;
        if !is_in(self.sonority, self.key) {
            return None;
        }
        let others: &[usize] = match degree {
            0 => &[5, 2],
            1 => &[3],
            2 => &[0],
            3 => &[1],
            5 => &[0, 3],
            _ => return None,
        };
        let other = diatonic_chord(self.key, *random.pick(others)?, self.sonority.tones.count_ones() > 3);
        let sonority = Sonority::chord(&other, 1.0);
        // The same harmony twice in a row is no harmony.
        let repeats = self.before.is_some_and(|before| before.root() == other.root())
            || self.next.root() == other.root();
        if sonority.is_diminished() || repeats {
            return None;
        }
        edit([Some(other)], format!("it shares two tones with {} and does the same", self.chord))
    }

    pub(super) fn borrow(&self) -> Option<Edit> {
        if !is_in(self.sonority, self.key) {
            return None;
        }
        let (borrowed, because) = match (self.key.is_minor(), self.degree) {
            (false, 5) => (self.on_tonic(5, "m"), "the minor fourth degree: its third falls by a semitone"),
            (false, 2) => (self.on_tonic(2, "m7b5"), "the second degree of the minor key"),
            (false, 9) => (self.on_tonic(8, "maj7"), "the lowered sixth degree of the minor key"),
            (false, 4) => (self.on_tonic(3, "maj7"), "the lowered third degree of the minor key"),
            (false, 7) => (
                self.on_tonic(10, ""),
                "the lowered seventh degree instead of the dominant: broader, less urgent",
            ),
            (true, 5) => (self.on_tonic(5, ""), "the major fourth degree of the dorian mode"),
            (true, 10) => (self.on_tonic(7, ""), "the major dominant, with the leading tone"),
            (true, 8) => (self.on_tonic(9, "m7b5"), "the raised sixth degree of the melodic minor"),
            _ => return None,
        };
        edit([borrowed], because)
    }

    /// The minor fourth degree and the lowered seventh degree, before the tonic.
    pub(super) fn backdoor(&self) -> Option<Edit> {
        let to_tonic = self.next.root().pitch_class() == self.key.tonic.pitch_class();
        if self.key.is_minor() || !to_tonic || !matches!(self.degree, 5 | 7) {
            return None;
        }
        edit(
            [self.on_tonic(5, "m7"), self.on_tonic(10, "7")],
            "it comes home from the lowered seventh degree, without the leading tone",
        )
    }

    pub(super) fn tritone_substitute(&self) -> Option<Edit> {
        if !self.is_dominant() || !self.resolves() {
            return None;
        }
        let root = up(self.next.root(), 1, 1);
        edit(
            [chord(root, "7")],
            format!(
                "it has the third and seventh of {}, and its root falls a semitone to {}",
                self.dominant_of_next("7")?,
                self.next.root()
            ),
        )
    }

    pub(super) fn secondary_dominant(&self) -> Option<Edit> {
        let dominant = self.dominant_of_next("7")?;
        if !is_target(&self.next)
            || !self.moves_on()
            || dominant.root().pitch_class() == self.root().pitch_class()
        {
            return None;
        }
        let anchored_end = self.last && self.anchored;
        if anchored_end {
            None
        } else {
            edit([Some(self.chord), Some(dominant)], format!("the dominant of {} before it", self.next))
        }
    }

    pub(super) fn two_five(&self) -> Option<Edit> {
        if !is_target(&self.next) || !self.moves_on() || (self.last && self.anchored) {
            return None;
        }
        let second = chord(up(self.next.root(), 1, 2), if self.next_is_minor() { "m7b5" } else { "m7" });
        let dominant = self.dominant_of_next(if self.next_is_minor() { "7b9" } else { "7" });
        let because = format!("second and fifth degree of {} lead to it", self.next);
        if self.before.is_none() || self.anchored {
            // What is at an end stays, and the bar gets fuller.
            return edit([Some(self.chord), second, dominant], because);
        }
        edit([second, dominant], because)
    }

    pub(super) fn semitone_above(&self) -> Option<Edit> {
        if !is_target(&self.next) || !self.moves_on() || (self.last && self.anchored) {
            return None;
        }
        let above = chord(up(self.next.root(), 1, 1), "7")?;
        if above.root().pitch_class() == self.root().pitch_class() {
            return None;
        }
        edit([Some(self.chord), Some(above)], format!("it slides down a semitone to {}", self.next))
    }

    pub(super) fn passing_diminished(&self) -> Option<Edit> {
        let steps = self.root().pitch_class().up_to(self.next.root().pitch_class());
        if steps != 2 || self.last {
            return None;
        }
        let between = chord(up(self.next.root(), 6, 11), "dim7");
        edit(
            [Some(self.chord), between],
            format!("the bass climbs by semitones from {} to {}", self.root(), self.next.root()),
        )
    }

    pub(super) fn leading_tone(&self) -> Option<Edit> {
        if !is_target(&self.next) || !self.moves_on() || self.last {
            return None;
        }
        let below = chord(up(self.next.root(), 6, 11), "dim7");
        edit([Some(self.chord), below], format!("each of its tones is a step from a tone of {}", self.next))
    }

    pub(super) fn neapolitan(&self) -> Option<Edit> {
        let to_dominant = self.key.tonic.pitch_class().up_to(self.next.root().pitch_class()) == 7;
        if !to_dominant || !matches!(self.degree, 2 | 5) {
            return None;
        }
        let flat_second = name_in(self.key, (self.key.tonic.pitch_class().number() + 1) % 12);
        let sixth = Some(Chord::major(flat_second).over(up(flat_second, 2, 4)));
        edit([sixth], "the lowered second degree, in first inversion, before the dominant")
    }

    pub(super) fn six_four(&self) -> Option<Edit> {
        let to_tonic = self.next.root().pitch_class() == self.key.tonic.pitch_class();
        if self.degree != 7 || !self.sonority.is_major() || !to_tonic || self.chord.bass() != self.root() {
            return None;
        }
        let suffix = if self.key.is_minor() { "m" } else { "" };
        let six_four = Some(chord(self.key.tonic, suffix)?.over(self.root()));
        edit([six_four, Some(self.chord)], "the tonic over the fifth is held before the dominant")
    }

    pub(super) fn neighbour(&self) -> Option<Edit> {
        let dominant = up(self.root(), 4, 7);
        let between = Some(chord(dominant, "7")?.over(up(dominant, 2, 4)));
        edit(
            [Some(self.chord), between, Some(self.chord)],
            "the bass dips to the leading tone and comes back",
        )
    }
}
