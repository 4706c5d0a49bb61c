use kmidi_song::Random;

use super::scene::Here;
use crate::analysis::function::{holds, is_in};
use crate::analysis::sonority::Sonority;
use crate::analysis::spelling::{chord, name_in, simple};
use crate::theory::{Chord, PitchName, diatonic_chord};

/// What can be done to a chord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Seventh,
    Ninth,
    Eleventh,
    AddedNinth,
    AddedSixth,
    Suspension,
    StepwiseBass,
    FirstInversion,
    Pedal,
    Relative,
    Borrow,
    Backdoor,
    TritoneSubstitute,
    SecondaryDominant,
    TwoFive,
    SemitoneAbove,
    PassingDiminished,
    LeadingTone,
    Neapolitan,
    SixFour,
    Neighbour,
    ParallelApproach,
    Planing,
    Fourths,
    Mediant,
    ForeignBass,
    TritoneAway,
    Lydian,
}

/// The chords that take the place of one, and why.
pub(super) struct Edit {
    pub chords: Vec<Chord>,
    pub because: String,
}

fn edit(chords: impl IntoIterator<Item = Option<Chord>>, because: impl Into<String>) -> Option<Edit> {
    let chords = chords.into_iter().collect::<Option<Vec<Chord>>>()?;
    Some(Edit { chords, because: because.into() })
}

impl Move {
    pub fn name(self) -> &'static str {
        match self {
            Move::Seventh => "seventh",
            Move::Ninth => "ninth",
            Move::Eleventh => "eleventh or thirteenth",
            Move::AddedNinth => "added ninth",
            Move::AddedSixth => "added sixth",
            Move::Suspension => "suspension",
            Move::StepwiseBass => "bass by step",
            Move::FirstInversion => "first inversion",
            Move::Pedal => "pedal",
            Move::Relative => "relative chord",
            Move::Borrow => "borrowed chord",
            Move::Backdoor => "backdoor dominant",
            Move::TritoneSubstitute => "tritone substitute",
            Move::SecondaryDominant => "secondary dominant",
            Move::TwoFive => "ii-V",
            Move::SemitoneAbove => "chromatic approach",
            Move::PassingDiminished => "passing diminished chord",
            Move::LeadingTone => "leading-tone chord",
            Move::Neapolitan => "Neapolitan sixth",
            Move::SixFour => "cadential six-four",
            Move::Neighbour => "neighbouring dominant",
            Move::ParallelApproach => "parallel approach",
            Move::Planing => "parallel chords",
            Move::Fourths => "quartal chord",
            Move::Mediant => "chromatic mediant",
            Move::ForeignBass => "foreign bass",
            Move::TritoneAway => "tritone away",
            Move::Lydian => "lydian colour",
        }
    }

    /// Whether it changes the harmony, and not only its colour.
    pub fn is_structural(self) -> bool {
        !matches!(self, Move::Seventh | Move::Ninth | Move::Eleventh | Move::AddedNinth | Move::AddedSixth)
    }

    /// What this move makes of a chord; `None` where it has no place.
    pub fn propose(self, here: &Here, random: &mut Random) -> Option<Edit> {
        match self {
            Move::Seventh => here.seventh(),
            Move::Ninth => here.ninth(),
            Move::Eleventh => here.eleventh(),
            Move::AddedNinth => here.added_ninth(),
            Move::AddedSixth => here.added_sixth(),
            Move::Suspension => here.suspension(random),
            Move::StepwiseBass => here.stepwise_bass(),
            Move::FirstInversion => here.first_inversion(),
            Move::Pedal => here.pedal(),
            Move::Relative => here.relative(random),
            Move::Borrow => here.borrow(),
            Move::Backdoor => here.backdoor(),
            Move::TritoneSubstitute => here.tritone_substitute(),
            Move::SecondaryDominant => here.secondary_dominant(),
            Move::TwoFive => here.two_five(),
            Move::SemitoneAbove => here.semitone_above(),
            Move::PassingDiminished => here.passing_diminished(),
            Move::LeadingTone => here.leading_tone(),
            Move::Neapolitan => here.neapolitan(),
            Move::SixFour => here.six_four(),
            Move::Neighbour => here.neighbour(),
            Move::ParallelApproach => here.parallel_approach(random),
            Move::Planing => here.planing(),
            Move::Fourths => here.fourths(),
            Move::Mediant => here.mediant(random),
            Move::ForeignBass => here.foreign_bass(random),
            Move::TritoneAway => here.tritone_away(),
            Move::Lydian => here.lydian(),
        }
    }
}

/// A name so many letters and semitones higher, without double accidentals.
fn up(name: PitchName, letters: u8, semitones: i32) -> PitchName {
    simple(name.up(letters, semitones))
}

/// A chord that can be led to: major or minor.
fn is_target(chord: &Chord) -> bool {
    let sonority = Sonority::chord(chord, 1.0);
    sonority.is_major() || sonority.is_minor()
}

impl Here {
    fn root(&self) -> PitchName {
        self.chord.root()
    }

    fn with(&self, suffix: &str) -> Option<Chord> {
        Some(chord(self.root(), suffix)?.over(self.chord.bass()))
    }

    fn on_tonic(&self, semitones: u8, suffix: &str) -> Option<Chord> {
        chord(name_in(self.key, (self.key.tonic.pitch_class().number() + semitones) % 12), suffix)
    }

    fn in_key(&self, above_root: u8) -> bool {
        holds(self.key, (self.sonority.root + above_root) % 12)
    }

    /// Three tones or fewer, and a third.
    fn is_triad(&self) -> bool {
        self.sonority.tones.count_ones() <= 3 && self.sonority.minor_third.is_some()
    }

    fn is_dominant(&self) -> bool {
        self.sonority.is_dominant_seventh()
            || (self.sonority.is_major() && self.degree == 7)
            || (self.sonority.is_major() && !is_in(self.sonority, self.key) && self.resolves())
    }

    fn resolves(&self) -> bool {
        self.next.root().pitch_class() == self.root().pitch_class().transposed(5)
    }

    fn moves_on(&self) -> bool {
        self.next.root().pitch_class() != self.root().pitch_class()
    }

    fn next_is_minor(&self) -> bool {
        Sonority::chord(&self.next, 1.0).minor_third == Some(true)
    }

    fn seventh(&self) -> Option<Edit> {
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

    fn ninth(&self) -> Option<Edit> {
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

    fn eleventh(&self) -> Option<Edit> {
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

    fn added_ninth(&self) -> Option<Edit> {
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

    fn added_sixth(&self) -> Option<Edit> {
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

    fn suspension(&self, random: &mut Random) -> Option<Edit> {
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
    fn stepwise_bass(&self) -> Option<Edit> {
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

    fn third_name(&self) -> Option<PitchName> {
        let semitones = if self.sonority.minor_third? { 3 } else { 4 };
        Some(up(self.root(), 2, semitones))
    }

    fn first_inversion(&self) -> Option<Edit> {
        self.before?;
        if self.last || self.chord.bass() != self.root() || self.sonority.is_augmented() {
            return None;
        }
        let third = self.third_name()?;
        edit([Some(self.chord.over(third))], "in first inversion it moves on instead of standing")
    }

    fn pedal(&self) -> Option<Edit> {
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

    /// A chord of the key that shares two tones and the function.
    fn relative(&self, random: &mut Random) -> Option<Edit> {
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

    fn borrow(&self) -> Option<Edit> {
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
    fn backdoor(&self) -> Option<Edit> {
        let to_tonic = self.next.root().pitch_class() == self.key.tonic.pitch_class();
        if self.key.is_minor() || !to_tonic || !matches!(self.degree, 5 | 7) {
            return None;
        }
        edit(
            [self.on_tonic(5, "m7"), self.on_tonic(10, "7")],
            "it comes home from the lowered seventh degree, without the leading tone",
        )
    }

    fn tritone_substitute(&self) -> Option<Edit> {
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

    fn dominant_of_next(&self, suffix: &str) -> Option<Chord> {
        chord(up(self.next.root(), 4, 7), suffix)
    }

    fn secondary_dominant(&self) -> Option<Edit> {
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

    fn two_five(&self) -> Option<Edit> {
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

    fn semitone_above(&self) -> Option<Edit> {
        if !is_target(&self.next) || !self.moves_on() || (self.last && self.anchored) {
            return None;
        }
        let above = chord(up(self.next.root(), 1, 1), "7")?;
        if above.root().pitch_class() == self.root().pitch_class() {
            return None;
        }
        edit([Some(self.chord), Some(above)], format!("it slides down a semitone to {}", self.next))
    }

    fn passing_diminished(&self) -> Option<Edit> {
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

    fn leading_tone(&self) -> Option<Edit> {
        if !is_target(&self.next) || !self.moves_on() || self.last {
            return None;
        }
        let below = chord(up(self.next.root(), 6, 11), "dim7");
        edit([Some(self.chord), below], format!("each of its tones is a step from a tone of {}", self.next))
    }

    fn neapolitan(&self) -> Option<Edit> {
        let to_dominant = self.key.tonic.pitch_class().up_to(self.next.root().pitch_class()) == 7;
        if !to_dominant || !matches!(self.degree, 2 | 5) {
            return None;
        }
        let flat_second = name_in(self.key, (self.key.tonic.pitch_class().number() + 1) % 12);
        let sixth = Some(Chord::major(flat_second).over(up(flat_second, 2, 4)));
        edit([sixth], "the lowered second degree, in first inversion, before the dominant")
    }

    fn six_four(&self) -> Option<Edit> {
        let to_tonic = self.next.root().pitch_class() == self.key.tonic.pitch_class();
        if self.degree != 7 || !self.sonority.is_major() || !to_tonic || self.chord.bass() != self.root() {
            return None;
        }
        let suffix = if self.key.is_minor() { "m" } else { "" };
        let six_four = Some(chord(self.key.tonic, suffix)?.over(self.root()));
        edit([six_four, Some(self.chord)], "the tonic over the fifth is held before the dominant")
    }

    fn neighbour(&self) -> Option<Edit> {
        let dominant = up(self.root(), 4, 7);
        let between = Some(chord(dominant, "7")?.over(up(dominant, 2, 4)));
        edit(
            [Some(self.chord), between, Some(self.chord)],
            "the bass dips to the leading tone and comes back",
        )
    }

    fn parallel_approach(&self, random: &mut Random) -> Option<Edit> {
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

    fn planing(&self) -> Option<Edit> {
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

    fn fourths(&self) -> Option<Edit> {
        if self.sonority.minor_third == Some(true) {
            edit([chord(self.root(), "m11")], "built of fourths, it points nowhere")
        } else {
            edit(
                [chord(self.root(), "7sus4")],
                "root, fourth and seventh: two fourths on each other, without a third",
            )
        }
    }

    fn mediant(&self, random: &mut Random) -> Option<Edit> {
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

    fn foreign_bass(&self, random: &mut Random) -> Option<Edit> {
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

    fn tritone_away(&self) -> Option<Edit> {
        let suffix = if self.sonority.minor_third == Some(true) { "m7" } else { "maj7" };
        edit([chord(up(self.root(), 3, 6), suffix)], "as far from home as a chord can be")
    }

    fn lydian(&self) -> Option<Edit> {
        if self.sonority.minor_third != Some(false) {
            return None;
        }
        let suffix = if self.sonority.has(10) { "7#11" } else { "maj7#11" };
        edit([chord(self.root(), suffix)], "the raised fourth takes the weight from the root")
    }
}
