//! Pitch classes, letters, names of pitches, and sets of pitch classes.
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::Key;

/// One of the twelve classes of pitch, whatever its octave and its name: 0 is C, 11 is B.
///
/// ```
/// use kmidi_compose::theory::PitchClass;
/// assert_eq!(PitchClass::new(-1), PitchClass::new(71));
/// assert_eq!(PitchClass::new(71).number(), 11);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PitchClass(u8);

impl PitchClass {
    /// The class of any number of semitones above (or below) a C, such as a MIDI key.
    pub const fn new(semitones: i32) -> Self {
        Self(semitones.rem_euclid(12) as u8)
    }

    /// 0 (C) to 11 (B).
    pub const fn number(self) -> u8 {
        self.0
    }

    /// So many semitones higher (or lower).
    pub const fn transposed(self, semitones: i32) -> Self {
        Self::new(self.0 as i32 + semitones.rem_euclid(12))
    }

    /// Semitones from this one up to the next `other`: 0 to 11.
    pub const fn up_to(self, other: Self) -> u8 {
        (other.0 + 12 - self.0) % 12
    }

    /// Its name under a rule of spelling.
    ///
    /// ```
    /// use kmidi_compose::theory::{PitchClass, Spelling};
    /// assert_eq!(PitchClass::new(3).spelled(Spelling::Flats).to_string(), "Eb");
    /// assert_eq!(PitchClass::new(3).spelled(Spelling::Sharps).to_string(), "D#");
    /// ```
    pub fn spelled(self, spelling: impl Into<Spelling>) -> PitchName {
        const SHARPS: [(Letter, i8); 12] = [
            (Letter::C, 0),
            (Letter::C, 1),
            (Letter::D, 0),
            (Letter::D, 1),
            (Letter::E, 0),
            (Letter::F, 0),
            (Letter::F, 1),
            (Letter::G, 0),
            (Letter::G, 1),
            (Letter::A, 0),
            (Letter::A, 1),
            (Letter::B, 0),
        ];
        const FLATS: [(Letter, i8); 12] = [
            (Letter::C, 0),
            (Letter::D, -1),
            (Letter::D, 0),
            (Letter::E, -1),
            (Letter::E, 0),
            (Letter::F, 0),
            (Letter::G, -1),
            (Letter::G, 0),
            (Letter::A, -1),
            (Letter::A, 0),
            (Letter::B, -1),
            (Letter::B, 0),
        ];
        let (letter, accidental) = match spelling.into() {
            Spelling::Sharps => SHARPS[usize::from(self.0)],
            Spelling::Flats => FLATS[usize::from(self.0)],
            Spelling::In(key) => return key.spell(self),
        };
        PitchName { letter, accidental }
    }
}

/// How a pitch that has several names gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Black keys are sharps.
    Sharps,
    /// Black keys are flats.
    Flats,
    /// As this key writes it: its own degrees, and the customary chromatic ones.
    In(Key),
}

impl From<Key> for Spelling {
    fn from(key: Key) -> Self {
        Self::In(key)
    }
}

/// The seven letters of pitch names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the letters say it")]
pub enum Letter {
    C,
    D,
    E,
    F,
    G,
    A,
    B,
}

impl Letter {
    /// All seven, from C.
    pub const ALL: [Self; 7] = [Self::C, Self::D, Self::E, Self::F, Self::G, Self::A, Self::B];

    /// 0 (C) to 6 (B).
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// The letter so many letters higher; after B comes C.
    pub const fn up(self, letters: u8) -> Self {
        Self::ALL[(self as usize + letters as usize) % 7]
    }

    /// Letters from this one up to the next `other`: 0 to 6.
    pub const fn up_to(self, other: Self) -> u8 {
        (other as u8 + 7 - self as u8) % 7
    }

    /// Its class without an accidental.
    pub const fn pitch_class(self) -> PitchClass {
        PitchClass([0, 2, 4, 5, 7, 9, 11][self as usize])
    }

    /// The letter that a character names, in either case.
    pub const fn from_char(letter: char) -> Option<Self> {
        Some(match letter {
            'C' | 'c' => Self::C,
            'D' | 'd' => Self::D,
            'E' | 'e' => Self::E,
            'F' | 'f' => Self::F,
            'G' | 'g' => Self::G,
            'A' | 'a' => Self::A,
            'B' | 'b' => Self::B,
            _ => return None,
        })
    }

    const fn as_str(self) -> &'static str {
        ["C", "D", "E", "F", "G", "A", "B"][self as usize]
    }
}

/// A pitch as it is written: a letter and up to two sharps or flats, without an octave.
///
/// Names that sound alike differ: F# is not Gb.
///
/// ```
/// use kmidi_compose::theory::PitchName;
/// let name: PitchName = "B♭".parse()?;
/// assert_eq!(name.to_string(), "Bb");
/// assert_eq!(name.pitch_class().number(), 10);
/// # Ok::<(), kmidi_compose::theory::PitchError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PitchName {
    letter: Letter,
    accidental: i8,
}

impl PitchName {
    /// A letter with sharps (positive) or flats (negative); `accidental` is held within two of each.
    pub const fn new(letter: Letter, accidental: i8) -> Self {
        let accidental = if accidental > 2 {
            2
        } else if accidental < -2 {
            -2
        } else {
            accidental
        };
        Self { letter, accidental }
    }

    /// Its letter.
    pub const fn letter(self) -> Letter {
        self.letter
    }

    /// -2 (double flat) to 2 (double sharp).
    pub const fn accidental(self) -> i8 {
        self.accidental
    }

    /// What it sounds like.
    pub const fn pitch_class(self) -> PitchClass {
        self.letter.pitch_class().transposed(self.accidental as i32)
    }

    /// The name with this letter that sounds like `class`, if two accidentals reach.
    ///
    /// ```
    /// use kmidi_compose::theory::{Letter, PitchClass, PitchName};
    /// assert_eq!(PitchName::with_letter(Letter::F, PitchClass::new(7)).unwrap().to_string(), "F##");
    /// assert_eq!(PitchName::with_letter(Letter::F, PitchClass::new(9)), None);
    /// ```
    pub const fn with_letter(letter: Letter, class: PitchClass) -> Option<Self> {
        let up = letter.pitch_class().up_to(class) as i8;
        let accidental = if up > 6 { up - 12 } else { up };
        if accidental < -2 || accidental > 2 { None } else { Some(Self { letter, accidental }) }
    }

    /// The name of the pitch that is `letters` letters and `semitones` semitones higher: a minor third is (2, 3). Where that
    /// would take more than two accidentals, the simplest name that leans to the same side.
    ///
    /// ```
    /// use kmidi_compose::theory::PitchName;
    /// let d_sharp: PitchName = "D#".parse()?;
    /// assert_eq!(d_sharp.up(2, 4).to_string(), "F##");
    /// assert_eq!(d_sharp.up(2, 3).to_string(), "F#");
    /// # Ok::<(), kmidi_compose::theory::PitchError>(())
    /// ```
    pub fn up(self, letters: u8, semitones: i32) -> Self {
        let class = self.pitch_class().transposed(semitones);
        let named = Self::with_letter(self.letter.up(letters % 7), class);
        named.unwrap_or_else(|| class.spelled(self.lean()))
    }

    /// Sharps for a name with sharps, flats for one with flats; of naturals, F alone leans to flats.
    pub fn lean(self) -> Spelling {
        match self.accidental {
            1.. => Spelling::Sharps,
            0 if self.letter != Letter::F => Spelling::Sharps,
            _ => Spelling::Flats,
        }
    }

    /// Reads a name at the start of `text`; gives the name and what follows it. Lower-case letters are read too; the letter
    /// takes all accidentals behind it that make sense, so that `Bb5` begins with B flat.
    pub(crate) fn read_prefix(text: &str) -> Option<(Self, &str)> {
        let letter = Letter::from_char(text.chars().next()?)?;
        let (accidental, rest) = read_accidental(&text[1..]);
        Some((Self { letter, accidental }, rest))
    }
}

/// Sharps or flats at the start of `text`, two at most, and what follows.
pub(crate) fn read_accidental(text: &str) -> (i8, &str) {
    let first = text.chars().next();
    let single = |sign: char| match sign {
        '#' | '♯' => 1,
        'b' | '♭' => -1,
        _ => 0,
    };
    match first {
        Some('x' | '𝄪') => (2, &text[first.map_or(0, char::len_utf8)..]),
        Some('𝄫') => (-2, &text['𝄫'.len_utf8()..]),
        Some('♮') => (0, &text['♮'.len_utf8()..]),
        Some(sign) if single(sign) != 0 => {
            let rest = &text[sign.len_utf8()..];
            match rest.chars().next() {
                Some(second) if single(second) == single(sign) => {
                    (2 * single(sign), &rest[second.len_utf8()..])
                }
                _ => (single(sign), rest),
            }
        }
        _ => (0, text),
    }
}

/// What is written for sharps and flats.
pub(crate) const fn accidental_text(accidental: i8) -> &'static str {
    match accidental {
        i8::MIN..=-2 => "bb",
        -1 => "b",
        0 => "",
        1 => "#",
        2..=i8::MAX => "##",
    }
}

impl fmt::Display for PitchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter.as_str())?;
        f.write_str(accidental_text(self.accidental))
    }
}

/// A text that names no pitch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no name of a pitch: a letter from A to G, then up to two of # or b, as in Eb or F#")]
pub struct PitchError {
    /// What was read, cut short.
    pub text: String,
}

impl FromStr for PitchName {
    type Err = PitchError;

    fn from_str(text: &str) -> Result<Self, PitchError> {
        match Self::read_prefix(text.trim()) {
            Some((name, "")) => Ok(name),
            _ => Err(PitchError { text: super::shortened(text) }),
        }
    }
}

/// A set of pitch classes.
///
/// ```
/// use kmidi_compose::theory::{PitchClass, PitchClassSet};
/// let triad: PitchClassSet = [0, 4, 7].map(PitchClass::new).into_iter().collect();
/// assert!(triad.transposed(7).contains(PitchClass::new(2)));
/// assert_eq!(triad.len(), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PitchClassSet(u16);

impl PitchClassSet {
    /// No pitch class.
    pub const EMPTY: Self = Self(0);

    /// The set whose bit `n` is pitch class `n`; bits above 11 do not count.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0xfff)
    }

    /// Bit `n` is pitch class `n`.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Is this class in it?
    pub const fn contains(self, class: PitchClass) -> bool {
        self.0 & (1 << class.0) != 0
    }

    /// Are all of `other` in it?
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Puts a class in.
    pub const fn insert(&mut self, class: PitchClass) {
        self.0 |= 1 << class.0;
    }

    /// How many are in it.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Is none in it?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each class so many semitones higher.
    pub const fn transposed(self, semitones: i32) -> Self {
        let by = semitones.rem_euclid(12) as u32;
        Self(((self.0 << by) | (self.0 >> (12 - by))) & 0xfff)
    }

    /// What is in both.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its classes, from C upwards.
    pub fn iter(self) -> impl Iterator<Item = PitchClass> + Clone {
        (0..12).filter(move |class| self.0 & (1 << class) != 0).map(PitchClass)
    }
}

impl FromIterator<PitchClass> for PitchClassSet {
    fn from_iter<I: IntoIterator<Item = PitchClass>>(classes: I) -> Self {
        let mut set = Self::EMPTY;
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for (text, printed, number) in [
            ("C", "C", 0),
            ("Eb", "Eb", 3),
            ("F#", "F#", 6),
            ("B♭", "Bb", 10),
            ("C♯", "C#", 1),
            ("Fx", "F##", 7),
            ("F𝄪", "F##", 7),
            ("B𝄫", "Bbb", 9),
            ("Cb", "Cb", 11),
            ("B#", "B#", 0),
            ("bb", "Bb", 10),
            ("e♮", "E", 4),
        ] {
            let name: PitchName = text.parse().unwrap();
            assert_eq!((name.to_string().as_str(), name.pitch_class().number()), (printed, number), "{text}");
        }
        for text in ["", "H", "Es", "C###", "C#b", "Cbbb", "♭", "C ", "7"] {
            assert_eq!(text.parse::<PitchName>().is_ok(), text.trim() == "C", "{text}");
        }
    }

    #[test]
    fn every_name_is_found_again_by_its_letter_and_sound() {
        for letter in Letter::ALL {
            for accidental in -2..=2 {
                let name = PitchName::new(letter, accidental);
                assert_eq!(PitchName::with_letter(letter, name.pitch_class()), Some(name));
                assert_eq!(name.to_string().parse(), Ok(name));
            }
        }
        assert_eq!(PitchName::new(Letter::C, 9).accidental(), 2);
    }

    #[test]
    fn a_name_that_would_take_three_sharps_is_respelled_but_sounds_the_same() {
        let b_sharp = PitchName::new(Letter::B, 2);
        assert_eq!(b_sharp.up(2, 4).pitch_class(), b_sharp.pitch_class().transposed(4));
        assert_eq!(b_sharp.up(2, 4).to_string(), "F");
    }

    #[test]
    fn sets_turn_in_a_circle() {
        let set: PitchClassSet = [0, 4, 11].map(PitchClass::new).into_iter().collect();
        for by in -30..30 {
            let moved: PitchClassSet = set.iter().map(|class| class.transposed(by)).collect();
            assert_eq!(set.transposed(by), moved, "{by}");
        }
    }
}
