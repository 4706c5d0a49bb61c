//! Keys: a tonic and a scale, and how they spell.
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{PitchClass, PitchClassSet, PitchName, Scale, pitch::read_accidental};

/// Longest text that is read as a key, in bytes.
const LONGEST: usize = 64;

/// A tonic and the scale on it.
///
/// Read from what people write: `C`, `Am`, `Eb major`, `F# dorian`, `b flat minor`, `C:min`. A letter alone is major, in either case.
///
/// ```
/// use kmidi_compose::theory::Key;
/// let key: Key = "F# dorian".parse()?;
/// let names: Vec<String> = (0..7).map(|degree| key.degree(degree).to_string()).collect();
/// assert_eq!(names, ["F#", "G#", "A", "B", "C#", "D#", "E"]);
/// assert_eq!("Am".parse::<Key>()?.to_string(), "A aeolian");
/// # Ok::<(), kmidi_compose::theory::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Its first degree.
    pub tonic: PitchName,
    /// The scale on it.
    pub scale: Scale,
}

impl Key {
    /// A key of this tonic and scale.
    pub const fn new(tonic: PitchName, scale: Scale) -> Self {
        Self { tonic, scale }
    }

    /// A major key.
    pub const fn major(tonic: PitchName) -> Self {
        Self::new(tonic, Scale::IONIAN)
    }

    /// A natural minor key.
    pub const fn minor(tonic: PitchName) -> Self {
        Self::new(tonic, Scale::AEOLIAN)
    }

    /// Its pitch classes.
    pub fn pitch_classes(self) -> PitchClassSet {
        self.scale.set().transposed(i32::from(self.tonic.pitch_class().number()))
    }

    /// The name of degree `n`, counted from 0; after the last comes the first again.
    ///
    /// Each degree has the letter that its scale gives it; where that would take more than two accidentals (in keys such as
    /// G## major, which nobody writes), the simplest name.
    pub fn degree(self, n: usize) -> PitchName {
        let n = n % self.scale.semitones().len();
        self.tonic.up(self.scale.letters()[n], i32::from(self.scale.semitones()[n]))
    }

    /// Which degree a pitch class is, counted from 0.
    pub fn degree_of(self, class: PitchClass) -> Option<usize> {
        let semitones = self.tonic.pitch_class().up_to(class);
        self.scale.semitones().iter().position(|it| *it == semitones)
    }

    /// How the key writes a pitch class: a degree of its own has its letter; others are, over the tonic, b2 b3 #4 b6 b7, and
    /// natural where the scale's own degree is lowered or raised.
    ///
    /// ```
    /// use kmidi_compose::theory::{Key, PitchClass};
    /// let key: Key = "Gb".parse()?;
    /// assert_eq!(key.spell(PitchClass::new(11)).to_string(), "Cb");
    /// assert_eq!(key.spell(PitchClass::new(4)).to_string(), "Fb");
    /// assert_eq!("E".parse::<Key>()?.spell(PitchClass::new(10)).to_string(), "A#");
    /// # Ok::<(), kmidi_compose::theory::KeyError>(())
    /// ```
    pub fn spell(self, class: PitchClass) -> PitchName {
        const LETTERS: [u8; 12] = [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6];
        if let Some(degree) = self.degree_of(class) {
            return self.degree(degree);
        }
        let semitones = self.tonic.pitch_class().up_to(class);
        self.tonic.up(LETTERS[usize::from(semitones)], i32::from(semitones))
    }

    /// Sharps (positive) or flats of the key signature that fits it best: of the major key with its tonic, or of the minor key if
    /// its third is minor, and of the church modes their own. D dorian has 0.
    pub fn signature(self) -> i32 {
        // Fifths above C of the letters.
        let letter = [0, 2, 4, -1, 1, 3, 5][usize::from(self.tonic.letter().index())];
        let tonic = letter + 7 * i32::from(self.tonic.accidental());
        let mode = match self.scale.mode_of() {
            Some((parent, degree)) if parent == Scale::IONIAN => [0, -2, -4, 1, -1, -3, -5][degree],
            _ if self.scale.is_minor() => -3,
            _ => 0,
        };
        tonic + mode
    }

    /// Is its third minor (and not major)?
    pub fn is_minor(self) -> bool {
        self.scale.is_minor()
    }

    /// The major key of its tonic, or the natural minor one if its third is minor, if it has not seven tones; else itself.
    pub fn seven_tones(self) -> Self {
        match self.scale.semitones().len() {
            7 => self,
            _ if self.is_minor() => Self::minor(self.tonic),
            _ => Self::major(self.tonic),
        }
    }

    /// The key with the same tonic, but minor for major and major for minor.
    pub fn parallel(self) -> Self {
        if self.is_minor() { Self::major(self.tonic) } else { Self::minor(self.tonic) }
    }

    /// The minor key with the signature of a major one, and the other way round.
    ///
    /// ```
    /// use kmidi_compose::theory::Key;
    /// assert_eq!("Eb".parse::<Key>()?.relative(), "Cm".parse()?);
    /// # Ok::<(), kmidi_compose::theory::KeyError>(())
    /// ```
    pub fn relative(self) -> Self {
        if self.is_minor() { Self::major(self.tonic.up(2, 3)) } else { Self::minor(self.tonic.up(5, 9)) }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.tonic, self.scale)
    }
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Nothing, or far too much.
    #[error(
        "a key is a tonic and perhaps a scale, as in `Eb`, `Am` or `F# dorian`, of at most {} bytes",
        LONGEST
    )]
    Length,
    /// It does not begin with a pitch.
    #[error("`{text}` does not begin with a tonic: a letter from A to G, then # or b, as in `F# dorian`")]
    Tonic {
        /// What was read, cut short.
        text: String,
    },
    /// What follows the tonic is no scale.
    #[error("no scale is called `{name}`{}", suggestion(.nearest))]
    Scale {
        /// What was read, cut short.
        name: String,
        /// The scale that it may mean.
        nearest: Option<&'static str>,
    },
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(KeyError::Length);
        }
        let (tonic, rest) =
            read_tonic(text).ok_or_else(|| KeyError::Tonic { text: super::shortened(text) })?;
        let minor_sign = rest == "-";
        let rest = rest.trim_start_matches(SEPARATORS);
        let scale = match rest {
            "m" => Some(Scale::AEOLIAN),
            "" if minor_sign => Some(Scale::AEOLIAN),
            "" | "M" => Some(Scale::IONIAN),
            name => Scale::named(name),
        };
        let scale = scale.ok_or_else(|| KeyError::Scale {
            name: super::shortened(rest),
            nearest: Scale::nearest_name(rest),
        })?;
        Ok(Self { tonic, scale })
    }
}

const SEPARATORS: [char; 4] = [' ', '_', ':', '-'];

/// A tonic, with its accidental as a sign or as a word, and what follows.
fn read_tonic(text: &str) -> Option<(PitchName, &str)> {
    let letter = super::Letter::from_char(text.chars().next()?)?;
    let (accidental, rest) = read_accidental(&text[1..]);
    if accidental == 0 {
        let word = rest.trim_start_matches(SEPARATORS);
        for (name, accidental) in [("sharp", 1), ("flat", -1)] {
            if word.get(..name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name)) {
                return Some((PitchName::new(letter, accidental), &word[name.len()..]));
            }
        }
    }
    Some((PitchName::new(letter, accidental), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn spelled(text: &str) -> String {
        let key = key(text);
        let names = (0..key.scale.semitones().len()).map(|degree| key.degree(degree).to_string());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn keys_are_read_as_people_write_them() {
        for (text, printed) in [
            ("C", "C ionian"),
            ("c", "C ionian"),
            ("Am", "A aeolian"),
            ("am", "A aeolian"),
            ("A-", "A aeolian"),
            ("Bb", "Bb ionian"),
            ("bb", "Bb ionian"),
            ("b minor", "B aeolian"),
            ("B♭m", "Bb aeolian"),
            ("Eb major", "Eb ionian"),
            ("E flat major", "Eb ionian"),
            ("f sharp minor", "F# aeolian"),
            ("F# dorian", "F# dorian"),
            ("F#-dorian", "F# dorian"),
            ("C:min", "C aeolian"),
            ("CM", "C ionian"),
            ("Cmaj", "C ionian"),
            ("  D Harmonic Minor ", "D harmonic minor"),
            ("a blues", "A blues"),
            ("C# hijaz", "C# phrygian dominant"),
        ] {
            assert_eq!(key(text).to_string(), printed, "{text}");
            assert_eq!(key(printed), key(text));
        }
    }

    #[test]
    fn what_is_no_key_is_told_with_a_suggestion() {
        let error = |text: &str| text.parse::<Key>().unwrap_err();
        assert_eq!(error("C dorain").to_string(), "no scale is called `dorain`; did you mean `dorian`?");
        assert!(matches!(error("es"), KeyError::Scale { .. }));
        assert!(matches!(error("H major"), KeyError::Tonic { .. }));
        for text in ["", "  ", &"C".repeat(100_000)] {
            assert_eq!(error(text), KeyError::Length);
        }
        assert!(matches!(error("C 💥"), KeyError::Scale { .. }));
    }

    #[test]
    fn every_key_has_the_right_letter_for_each_degree() {
        for (text, names) in [
            ("C", "C D E F G A B"),
            ("G", "G A B C D E F#"),
            ("D", "D E F# G A B C#"),
            ("A", "A B C# D E F# G#"),
            ("E", "E F# G# A B C# D#"),
            ("B", "B C# D# E F# G# A#"),
            ("F#", "F# G# A# B C# D# E#"),
            ("C#", "C# D# E# F# G# A# B#"),
            ("F", "F G A Bb C D E"),
            ("Bb", "Bb C D Eb F G A"),
            ("Eb", "Eb F G Ab Bb C D"),
            ("Ab", "Ab Bb C Db Eb F G"),
            ("Db", "Db Eb F Gb Ab Bb C"),
            ("Gb", "Gb Ab Bb Cb Db Eb F"),
            ("Cb", "Cb Db Eb Fb Gb Ab Bb"),
            ("Am", "A B C D E F G"),
            ("Ebm", "Eb F Gb Ab Bb Cb Db"),
            ("D#m", "D# E# F# G# A# B C#"),
            ("G# harmonic minor", "G# A# B C# D# E F##"),
            ("Ab minor", "Ab Bb Cb Db Eb Fb Gb"),
            ("D# ionian", "D# E# F## G# A# B# C##"),
            ("Fb", "Fb Gb Ab Bbb Cb Db Eb"),
            ("Eb locrian", "Eb Fb Gb Ab Bbb Cb Db"),
            ("C altered", "C Db Eb Fb Gb Ab Bb"),
            ("C altered bb7", "C Db Eb Fb Gb Ab Bbb"),
            ("A minor pentatonic", "A C D E G"),
            ("C blues", "C Eb F Gb G Bb"),
            ("C whole tone", "C D E F# G# Bb"),
            ("C diminished", "C D Eb F Gb Ab A B"),
        ] {
            assert_eq!(spelled(text), names, "{text}");
        }
    }

    #[test]
    fn degrees_sound_as_the_scale_says_on_every_tonic() {
        for letter in super::super::Letter::ALL {
            for accidental in -2..=2 {
                for scale in Scale::all() {
                    let key = Key::new(PitchName::new(letter, accidental), scale);
                    for (degree, semitones) in scale.semitones().iter().enumerate() {
                        let class = key.tonic.pitch_class().transposed(i32::from(*semitones));
                        assert_eq!(key.degree(degree).pitch_class(), class, "{key} {degree}");
                        assert_eq!(key.degree_of(class), Some(degree));
                    }
                    for class in (0..12).map(PitchClass::new) {
                        assert_eq!(key.spell(class).pitch_class(), class, "{key}");
                    }
                }
            }
        }
    }

    #[test]
    fn chromatic_notes_get_their_customary_names() {
        let names = |text: &str| -> String {
            let key = key(text);
            let all = (0..12).map(|up| key.spell(key.tonic.pitch_class().transposed(up)).to_string());
            all.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("C"), "C Db D Eb E F F# G Ab A Bb B");
        assert_eq!(names("A minor"), "A Bb B C C# D D# E F F# G G#");
        assert_eq!(names("D"), "D Eb E F F# G G# A Bb B C C#");
        assert_eq!(names("Eb"), "Eb Fb F Gb G Ab A Bb Cb C Db D");
        assert_eq!(names("F#"), "F# G G# A A# B B# C# D D# E E#");
        assert_eq!(names("Gb"), "Gb Abb Ab Bbb Bb Cb C Db Ebb Eb Fb F");
        assert_eq!(names("C# minor"), "C# D D# E E# F# F## G# A A# B B#");
    }

    #[test]
    fn signatures_are_those_of_the_circle_of_fifths() {
        for (text, fifths) in [
            ("C", 0),
            ("G", 1),
            ("F", -1),
            ("Gb", -6),
            ("F#", 6),
            ("Am", 0),
            ("Ebm", -6),
            ("D dorian", 0),
            ("F lydian", 0),
            ("E phrygian", 0),
            ("B locrian", 0),
            ("G mixolydian", 0),
            ("A harmonic minor", 0),
            ("A blues", 0),
        ] {
            assert_eq!(key(text).signature(), fifths, "{text}");
        }
        assert_eq!(key("D# minor").relative(), key("F#"));
        assert_eq!(key("Db").parallel(), key("Db minor"));
    }
}
