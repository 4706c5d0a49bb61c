//! Roman numerals: chords by their place in a key.
use std::fmt;

mod name;
mod parse;
#[cfg(test)]
mod tests;

use super::chord::Tones;
use super::pitch::accidental_text;
use super::{Chord, Key, PitchName};

/// A chord by its place in a key: `ii7`, `bVI`, `V65/V`, `viio7`, `I64`, `N6`.
///
/// - Capitals have a major third, small letters a minor one; `o` is diminished, `ø` half-diminished, `+` augmented.
/// - What follows is what a chord symbol has behind its root, so that `I7` has a minor seventh and `Imaj7` a major one.
/// - Except for figures, which are inversions: 6 64 of triads, 65 43 42 of seventh chords; a sixth is `add6`. Any other bass is a
///   degree above the root behind a slash: `Iadd9/3`, `I/b7`.
/// - A degree is that of the key's own scale: VI is F in A minor. In minor keys, small `vi` and `vii` are on the raised degrees, as
///   in `viio7`, G#dim7 in A minor. `b` before a degree that is lowered already changes nothing: bVI, too, is F in A minor.
/// - What follows a slash as a numeral is the key for it: `V7/V`. The augmented sixths (`It6 Ger65 Fr43`) are read as the dominant
///   sevenths on bVI that they sound like, and `N6` as bII6.
///
/// ```
/// use kmidi_compose::theory::{Chord, Key, Roman};
/// let key: Key = "Bb".parse()?;
/// let chord: Chord = "V7/V".parse::<Roman>().unwrap().in_key(key);
/// assert_eq!(chord.to_string(), "C7");
/// assert_eq!(Roman::of(&chord, key).to_string(), "V7/V");
/// assert_eq!(Roman::of(&"Gb".parse().unwrap(), key).to_string(), "bVI");
/// # Ok::<(), kmidi_compose::theory::KeyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Roman {
    place: Place,
    tones: Tones,
    /// A bass that is not the root.
    bass: Option<Above>,
    /// The key for it, if that is not the key itself.
    of: Option<Place>,
}

/// A degree with its accidental, and the letters it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// As written: -2 to 2.
    accidental: i8,
    /// 0 to 6.
    degree: u8,
    /// Small letters.
    small: bool,
}

/// An interval: letters and semitones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Above {
    letters: u8,
    semitones: u8,
}

/// Semitones of the major scale's degrees.
const MAJOR: [i8; 7] = [0, 2, 4, 5, 7, 9, 11];

impl Place {
    /// Semitones of a degree without accidental above the tonic of a key of seven tones.
    fn plain(degree: u8, small: bool, key: Key) -> i8 {
        let own = key.scale.semitones()[usize::from(degree)] as i8;
        let major = MAJOR[usize::from(degree)];
        if small && degree >= 5 && own < major && key.is_minor() { major } else { own }
    }

    /// Where it is in a key of seven tones.
    fn root(self, key: Key) -> PitchName {
        let plain = Self::plain(self.degree, self.small, key);
        let cautionary = match plain.cmp(&MAJOR[usize::from(self.degree)]) {
            std::cmp::Ordering::Less if self.accidental < 0 => 1,
            std::cmp::Ordering::Greater if self.accidental > 0 => -1,
            _ => 0,
        };
        key.tonic.up(self.degree, i32::from(plain + self.accidental + cautionary))
    }

    /// The place whose root has this very name, if two accidentals are enough.
    fn named(root: PitchName, small: bool, key: Key) -> Option<Self> {
        let degree = key.tonic.letter().up_to(root.letter());
        (-2..=2)
            .map(|accidental| Self { accidental, degree, small })
            .filter(|place| place.root(key) == root)
            .min_by_key(
                // A cautionary accidental is left out.
                |place| place.accidental.abs(),
            )
    }

    /// The place that sounds like `root`, by the plainest name: a tone of the key's own is never another one altered, however it is
    /// written (Ab is V in C# minor, and not bbVI), and one sign is better than two.
    fn of(root: PitchName, small: bool, key: Key) -> Self {
        let class = root.pitch_class();
        let names = [root, key.spell(class), class.spelled(root.lean())];
        let places = || names.into_iter().filter_map(|name| Self::named(name, small, key));
        let own = key.degree_of(class).and_then(|_| places().find(|place| place.accidental == 0));
        let place = own.or_else(|| places().min_by_key(|place| place.accidental.abs()));
        place.unwrap_or_else(|| {
            // In keys that nobody writes, by sound alone.
            let degrees = 0..7;
            let all =
                degrees.flat_map(|degree| (-2..=2).map(move |accidental| Self { accidental, degree, small }));
            let same = all.filter(|place| place.root(key).pitch_class() == class);
            same.min_by_key(|place| place.accidental.abs()).unwrap_or(Self {
                accidental: 0,
                degree: 0,
                small,
            })
        })
    }

    /// The key that has its chord as tonic.
    fn key(self, key: Key) -> Key {
        let tonic = self.root(key);
        if self.small { Key::minor(tonic) } else { Key::major(tonic) }
    }
}

impl Roman {
    /// Longest numeral that is read, in bytes.
    pub const LONGEST: usize = 64;

    /// The chord that it is in a key. Of scales that have not seven tones, the major or minor key counts.
    pub fn in_key(&self, key: Key) -> Chord {
        let key = key.seven_tones();
        let key = self.of.map_or(key, |place| place.key(key));
        let root = self.place.root(key);
        let chord = Chord::from_tones(root, self.tones);
        match self.bass {
            Some(bass) => chord.over(root.up(bass.letters, i32::from(bass.semitones))),
            None => chord,
        }
    }

    /// What a chord is in a key: out of its own tones (in minor keys also of the harmonic and the melodic scale), a dominant or a
    /// leading-tone chord of one of its degrees, or a borrowed or chromatic chord on its degree.
    pub fn of(chord: &Chord, key: Key) -> Self {
        name::of(chord, key.seven_tones())
    }

    /// The degree of its root in the key that it is in (or in the key behind its slash), counted from 0.
    pub fn degree(&self) -> usize {
        usize::from(self.place.degree)
    }

    /// The sharps (positive) or flats written before it.
    pub fn accidental(&self) -> i8 {
        self.place.accidental
    }

    /// Is it applied to another degree, as V/V is?
    pub fn is_applied(&self) -> bool {
        self.of.is_some()
    }

    /// Could a word be a numeral, by its beginning? No chord symbol begins so.
    pub(crate) fn looks_like(word: &str) -> bool {
        let numeral = word.trim_start_matches(['b', '♭', '#', '♯']);
        numeral.starts_with(['I', 'V', 'i', 'v']) || parse::named_chord(word).is_some()
    }
}

const NUMERALS: [[&str; 7]; 2] =
    [["I", "II", "III", "IV", "V", "VI", "VII"], ["i", "ii", "iii", "iv", "v", "vi", "vii"]];

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(accidental_text(self.accidental))?;
        f.write_str(NUMERALS[usize::from(self.small)][usize::from(self.degree)])
    }
}

impl fmt::Display for Roman {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.place, name::suffix(self))?;
        match self.of {
            Some(of) => write!(f, "/{of}"),
            None => Ok(()),
        }
    }
}
