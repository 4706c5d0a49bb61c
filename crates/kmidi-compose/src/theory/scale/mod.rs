//! Scales: named, with the steps of their degrees and a source of each.
use std::fmt;

mod table;

use super::{PitchClassSet, nearest};
use table::TABLE;

/// What is known of a scale.
#[derive(Debug)]
struct ScaleInfo {
    name: &'static str,
    aliases: &'static [&'static str],
    family: Family,
    /// From the tonic, ascending, below 12; the first is 0.
    semitones: &'static [u8],
    /// Letters from the tonic's letter, 0 to 6, for each degree.
    letters: &'static [u8],
    /// The scale that it is a mode of, and from which degree (counted from 0).
    mode_of: Option<(&'static str, u8)>,
    source: &'static str,
}

/// What a scale belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Major, natural minor and the other modes of the white keys.
    Church,
    /// The ascending melodic minor and its modes.
    MelodicMinor,
    /// The harmonic minor and its modes.
    HarmonicMinor,
    /// The harmonic major and its modes.
    HarmonicMajor,
    /// Scales of one tradition, and of composers.
    World,
    /// Five tones.
    Pentatonic,
    /// The blues.
    Blues,
    /// Eight tones whose chord tones fall on beats.
    Bebop,
    /// Scales that repeat within the octave, or are made of such halves.
    Symmetric,
}

/// A scale of the table, such as [`Scale::DORIAN`].
///
/// ```
/// use kmidi_compose::theory::Scale;
/// let scale = Scale::named("Hijaz").unwrap();
/// assert_eq!((scale.name(), scale.semitones()), ("phrygian dominant", &[0, 1, 4, 5, 7, 8, 10][..]));
/// ```
#[derive(Clone, Copy)]
pub struct Scale(&'static ScaleInfo);

macro_rules! named {
    ($($constant:ident $name:literal),* $(,)?) => {
        impl Scale {
            $(
                #[doc = concat!("The scale `", $name, "`.")]
                pub const $constant: Self = Self(&TABLE[index_of($name)]);
            )*
        }
    };
}

named! {
    IONIAN "ionian",
    DORIAN "dorian",
    PHRYGIAN "phrygian",
    LYDIAN "lydian",
    MIXOLYDIAN "mixolydian",
    AEOLIAN "aeolian",
    LOCRIAN "locrian",
    HARMONIC_MINOR "harmonic minor",
    MELODIC_MINOR "melodic minor",
    LYDIAN_DOMINANT "lydian dominant",
    ALTERED "altered",
    PHRYGIAN_DOMINANT "phrygian dominant",
    HARMONIC_MAJOR "harmonic major",
    DOUBLE_HARMONIC "double harmonic",
    HUNGARIAN_MINOR "hungarian minor",
    MAJOR_PENTATONIC "major pentatonic",
    MINOR_PENTATONIC "minor pentatonic",
    BLUES "blues",
    MAJOR_BLUES "major blues",
    WHOLE_TONE "whole tone",
    OCTATONIC_HALF_WHOLE "octatonic half-whole",
    OCTATONIC_WHOLE_HALF "octatonic whole-half",
    AUGMENTED "augmented",
    CHROMATIC "chromatic",
}

/// Where a scale stands in the table; fails to compile for a name that is not there.
const fn index_of(name: &str) -> usize {
    let mut at = 0;
    while !same(TABLE[at].name, name) {
        at += 1;
    }
    at
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}

impl Scale {
    /// Every scale there is, by family.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(Self)
    }

    /// The scale of this name or alias; case, spaces, hyphens and a final `scale` or `mode` do not matter.
    ///
    /// ```
    /// use kmidi_compose::theory::Scale;
    /// assert_eq!(Scale::named("Natural-Minor scale"), Some(Scale::AEOLIAN));
    /// assert_eq!(Scale::named("ionian mode"), Some(Scale::IONIAN));
    /// assert_eq!(Scale::named("happy"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let known =
            |wanted: &str| Self::all().find(|scale| scale.names().any(|it| folded(it).eq(folded(wanted))));
        let name = name.trim();
        known(name).or_else(|| known(without_ending(name)?))
    }

    /// The name that comes nearest to one that [`Scale::named`] does not know, if any is near.
    pub fn nearest_name(name: &str) -> Option<&'static str> {
        nearest(name, Self::all().flat_map(|scale| scale.names()))
    }

    /// Its name: `aeolian`, `harmonic minor`.
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Other names of it.
    pub const fn aliases(self) -> &'static [&'static str] {
        self.0.aliases
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.0.name).chain(self.0.aliases.iter().copied())
    }

    /// What it belongs to.
    pub const fn family(self) -> Family {
        self.0.family
    }

    /// Semitones of its degrees above the tonic: from 0, ascending, below 12.
    pub const fn semitones(self) -> &'static [u8] {
        self.0.semitones
    }

    /// Letters of its degrees above the tonic's letter, 0 to 6: how it is spelled.
    pub const fn letters(self) -> &'static [u8] {
        self.0.letters
    }

    /// The scale that it is a mode of, with the degree (counted from 0) on which it begins there.
    pub fn mode_of(self) -> Option<(Self, usize)> {
        let (name, degree) = self.0.mode_of?;
        Some((Self::named(name)?, usize::from(degree)))
    }

    /// Author, title and year of a text or a piece that has it.
    pub const fn source(self) -> &'static str {
        self.0.source
    }

    /// Its pitch classes over the tonic C.
    pub fn set(self) -> PitchClassSet {
        let bits = self.0.semitones.iter().fold(0, |bits, semitones| bits | 1 << semitones);
        PitchClassSet::from_bits(bits)
    }

    /// Has it a degree so many semitones (0 to 11) above the tonic?
    pub fn has(self, semitones: u8) -> bool {
        self.0.semitones.contains(&semitones)
    }

    /// Has it a minor third and no major one?
    pub fn is_minor(self) -> bool {
        self.has(3) && !self.has(4)
    }
}

/// What of a name counts when it is looked for.
fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    let plain = name.chars().map(|char| match char {
        '♯' => '#',
        '♭' => 'b',
        other => other.to_ascii_lowercase(),
    });
    plain.filter(|char| char.is_alphanumeric() || *char == '#')
}

fn without_ending(name: &str) -> Option<&str> {
    ["scale", "mode"].iter().find_map(|ending| {
        let cut = name.len().checked_sub(ending.len())?;
        name.get(cut..)?.eq_ignore_ascii_case(ending).then(|| &name[..cut])
    })
}

impl PartialEq for Scale {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Scale {}

impl std::hash::Hash for Scale {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl fmt::Debug for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scale").field(&self.0.name).finish()
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// The scale that begins on another degree.
    fn rotated(semitones: &[u8], degree: usize) -> Vec<u8> {
        let root = semitones[degree];
        let mut turned: Vec<u8> = semitones.iter().map(|it| (it + 12 - root) % 12).collect();
        turned.sort_unstable();
        turned
    }

    #[test]
    fn there_are_fifty_scales_or_more_each_with_a_source() {
        assert!(Scale::all().len() >= 50, "{}", Scale::all().len());
        for scale in Scale::all() {
            let year = scale.source().rsplit(", ").next().and_then(|year| year.parse::<u32>().ok());
            assert!(year.is_some_and(|year| (1500..2026).contains(&year)), "{scale}: {}", scale.source());
            assert!(scale.source().split(", ").count() >= 3, "{scale}: author, title, year");
        }
    }

    #[test]
    fn semitones_ascend_from_0_and_stay_below_12() {
        for scale in Scale::all() {
            let semitones = scale.semitones();
            assert_eq!(semitones[0], 0, "{scale}");
            assert!(semitones.windows(2).all(|pair| pair[0] < pair[1]), "{scale}");
            assert!(semitones.last().is_some_and(|last| *last < 12), "{scale}");
        }
    }

    #[test]
    fn letters_climb_and_take_no_more_than_two_accidentals_over_c() {
        const MAJOR: [i8; 7] = [0, 2, 4, 5, 7, 9, 11];
        for scale in Scale::all() {
            let (semitones, letters) = (scale.semitones(), scale.letters());
            assert_eq!(semitones.len(), letters.len(), "{scale}");
            assert!(letters.windows(2).all(|pair| pair[0] <= pair[1]), "{scale}");
            for (semitone, letter) in semitones.iter().zip(letters) {
                assert!((*semitone as i8 - MAJOR[usize::from(*letter)]).abs() <= 2, "{scale}");
            }
            if semitones.len() == 7 {
                assert_eq!(letters, [0, 1, 2, 3, 4, 5, 6], "{scale}");
            }
        }
    }

    #[test]
    fn modes_are_rotations_of_their_parent() {
        let mut modes = 0;
        for scale in Scale::all() {
            if scale.0.mode_of.is_some() {
                let (parent, degree) = scale.mode_of().expect("the parent is in the table");
                assert_eq!(scale.semitones(), rotated(parent.semitones(), degree), "{scale} of {parent}");
                modes += 1;
            }
        }
        assert!(modes >= 30, "{modes}");
    }

    #[test]
    fn no_two_scales_have_a_name_or_their_tones_in_common() {
        let mut names = BTreeMap::new();
        let mut tones = BTreeSet::new();
        for scale in Scale::all() {
            assert!(tones.insert(scale.semitones()), "{scale} is there twice");
            for name in scale.names() {
                let before = names.insert(folded(name).collect::<String>(), scale);
                assert_eq!(before, None, "{name}");
                assert_eq!(Scale::named(name), Some(scale), "{name}");
                assert_eq!(Scale::named(&name.to_uppercase().replace(' ', "_")), Some(scale), "{name}");
            }
        }
    }

    #[test]
    fn a_name_that_is_not_there_gets_the_nearest() {
        assert_eq!(Scale::named("dorain"), None);
        assert_eq!(Scale::nearest_name("dorain"), Some("dorian"));
        assert_eq!(Scale::nearest_name("xylophone"), None);
        for name in ["", " ", "scale", "mode", "💥", "\u{0}"] {
            assert_eq!(Scale::named(name), None, "{name:?}");
        }
    }
}
