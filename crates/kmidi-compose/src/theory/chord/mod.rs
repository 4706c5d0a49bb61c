//! Chords, as lead sheets name them.
use std::fmt;

mod error;
mod parse;
mod print;
mod progression;
#[cfg(test)]
mod tests;
mod tones;

pub use error::ChordError;
pub(crate) use parse::suffix as parse_suffix;
pub use progression::{Progression, Step, parse_progression, parse_progression_in};
pub use tones::Tone;
pub(crate) use tones::Tones;

use super::{Key, PitchClass, PitchClassSet, PitchName, Spelling};

/// A chord: a root, tones above it, and perhaps another bass.
///
/// It is read from symbols as lead sheets write them and printed in one canonical way; what is printed is read as the same chord.
///
/// ```
/// use kmidi_compose::theory::Chord;
/// let chord: Chord = "DbMaj7/F".parse()?;
/// assert_eq!(chord.to_string(), "Dbmaj7/F");
/// let names: Vec<String> = chord.spelled().map(|name| name.to_string()).collect();
/// assert_eq!(names, ["Db", "F", "Ab", "C"]);
/// assert_eq!("C-7(b5)".parse::<Chord>()?.to_string(), "Cm7b5");
/// # Ok::<(), kmidi_compose::theory::ChordError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    root: PitchName,
    /// A bass that is not the root.
    bass: Option<PitchName>,
    tones: Tones,
}

impl Chord {
    /// Longest symbol that is read, in bytes.
    pub const LONGEST: usize = 64;
    /// Most tones that a chord has.
    pub const MOST_TONES: usize = Tones::MOST;

    pub(crate) const fn from_tones(root: PitchName, tones: Tones) -> Self {
        Self { root, bass: None, tones }
    }

    /// The major triad on a root.
    pub fn major(root: PitchName) -> Self {
        Self::from_tones(root, Tones::MAJOR)
    }

    /// The minor triad on a root.
    pub fn minor(root: PitchName) -> Self {
        Self::from_tones(root, Tones::MINOR)
    }

    /// The chord on `root` with the quality that a symbol has behind its root: `""`, `m7`, `7b9`.
    ///
    /// # Errors
    /// If the quality is none.
    pub fn new(root: PitchName, quality: &str) -> Result<Self, ChordError> {
        Ok(Self::from_tones(root, parse::suffix(quality)?))
    }

    /// Its root.
    pub const fn root(&self) -> PitchName {
        self.root
    }

    /// The lowest tone: what is behind the slash, else the root.
    pub const fn bass(&self) -> PitchName {
        match self.bass {
            Some(bass) => bass,
            None => self.root,
        }
    }

    /// The same chord over another bass.
    ///
    /// ```
    /// use kmidi_compose::theory::Chord;
    /// let chord: Chord = "C".parse()?;
    /// assert_eq!(chord.over("E".parse().unwrap()).to_string(), "C/E");
    /// # Ok::<(), kmidi_compose::theory::ChordError>(())
    /// ```
    #[must_use]
    pub fn over(mut self, bass: PitchName) -> Self {
        self.bass = (bass.pitch_class() != self.root.pitch_class()).then_some(bass);
        self
    }

    /// Its tones in the order of their degrees, the root first; a bass behind a slash is none of them.
    pub fn tones(&self) -> &[Tone] {
        self.tones.as_slice()
    }

    pub(crate) const fn tone_set(&self) -> Tones {
        self.tones
    }

    /// What it sounds like: the classes of its tones and of its bass.
    pub fn pitch_classes(&self) -> PitchClassSet {
        let mut set: PitchClassSet = self.tones().iter().map(|tone| self.class_of(*tone)).collect();
        set.insert(self.bass().pitch_class());
        set
    }

    /// The class of one of its tones.
    pub fn class_of(&self, tone: Tone) -> PitchClass {
        self.root.pitch_class().transposed(i32::from(tone.semitones))
    }

    /// The tone that a pitch class is in it.
    pub fn tone_of(&self, class: PitchClass) -> Option<Tone> {
        self.tones().iter().copied().find(|tone| self.class_of(*tone) == class)
    }

    fn degree(&self, degree: u8) -> Option<Tone> {
        self.tones().iter().copied().find(|tone| tone.degree == degree)
    }

    /// Its third, minor or major; `None` of suspended and open chords.
    pub fn third(&self) -> Option<Tone> {
        self.degree(3)
    }

    /// Its fifth, the lower one of two.
    pub fn fifth(&self) -> Option<Tone> {
        self.degree(5)
    }

    /// Its seventh: diminished, minor or major.
    pub fn seventh(&self) -> Option<Tone> {
        self.degree(7)
    }

    /// Has it a minor third?
    pub fn is_minor(&self) -> bool {
        self.third().is_some_and(|third| third.semitones == 3)
    }

    /// Has it a major third and a minor seventh?
    pub fn is_dominant(&self) -> bool {
        self.third().is_some_and(|it| it.semitones == 4)
            && self.seventh().is_some_and(|it| it.semitones == 10)
    }

    /// Its quality alone, as [`Chord::new`] reads it: `m7b5`.
    pub fn quality(&self) -> String {
        let mut text = String::new();
        // A String takes whatever is written.
        let _ = print::suffix(self.tones, &mut text);
        text
    }

    /// Its tones by name, each with the letter of its degree: the seventh of Cdim7 is Bbb. The simplest name where that would
    /// take more than two accidentals.
    pub fn spelled(&self) -> impl Iterator<Item = PitchName> + '_ {
        self.tones().iter().map(|tone| self.name_of(*tone))
    }

    /// The name of one of its tones.
    pub fn name_of(&self, tone: Tone) -> PitchName {
        self.root.up((tone.degree - 1) % 7, i32::from(tone.semitones))
    }

    /// So many semitones higher, spelled for a key, or with sharps or flats.
    ///
    /// ```
    /// use kmidi_compose::theory::{Chord, Key, Spelling};
    /// let chord: Chord = "C7/E".parse()?;
    /// assert_eq!(chord.transposed(1, Spelling::Flats).to_string(), "Db7/F");
    /// let key: Key = "F#".parse().unwrap();
    /// assert_eq!(chord.transposed(1, key).to_string(), "C#7/E#");
    /// # Ok::<(), kmidi_compose::theory::ChordError>(())
    /// ```
    #[must_use]
    pub fn transposed(&self, semitones: i32, spelling: impl Into<Spelling>) -> Self {
        let root = self.root.pitch_class().transposed(semitones).spelled(spelling);
        // The bass keeps its distance in letters, so that a chord tone stays the chord tone that it was.
        let bass = self.bass.map(|bass| {
            let up = self.root.pitch_class().up_to(bass.pitch_class());
            root.up(self.root.letter().up_to(bass.letter()), i32::from(up))
        });
        Self { root, bass, tones: self.tones }
    }

    /// Is it the same to the ear: the same tones over the same bass, whatever their names?
    pub fn sounds_like(&self, other: &Self) -> bool {
        self.root.pitch_class() == other.root.pitch_class()
            && self.bass().pitch_class() == other.bass().pitch_class()
            && self.tones == other.tones
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        print::suffix(self.tones, f)?;
        match self.bass {
            Some(bass) => write!(f, "/{bass}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chord({self})")
    }
}

impl std::str::FromStr for Chord {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        parse::chord(text)
    }
}

/// The chord that a key builds on one of its degrees (counted from 0, and again from the first after the last) out of its own tones:
/// a triad, or a seventh chord.
///
/// Scales of seven tones are stacked in thirds. Where that makes no chord that has a name, and in scales of more or fewer tones, the
/// first of major, minor, diminished, augmented, suspended and open that the scale has; without a seventh where there is none.
///
/// ```
/// use kmidi_compose::theory::{Key, diatonic_chord};
/// let key: Key = "A harmonic minor".parse()?;
/// let chords: Vec<String> = (0..7).map(|degree| diatonic_chord(key, degree, true).to_string()).collect();
/// assert_eq!(chords, ["AmMaj7", "Bm7b5", "Cmaj7#5", "Dm7", "E7", "Fmaj7", "G#dim7"]);
/// # Ok::<(), kmidi_compose::theory::KeyError>(())
/// ```
pub fn diatonic_chord(key: Key, degree: usize, sevenths: bool) -> Chord {
    let root = key.degree(degree);
    let scale = key.pitch_classes().transposed(-i32::from(root.pitch_class().number()));
    let stacked = |steps: usize| {
        let tone = key.degree(degree + steps).pitch_class();
        (key.scale.semitones().len() == 7).then(|| root.pitch_class().up_to(tone))
    };
    Chord::from_tones(root, Tones::of_scale(scale, [stacked(2), stacked(4), stacked(6)], sevenths))
}
