use std::fmt;

use serde::Serialize;

use super::sonority::Sonority;
use super::spelling::name_in;
use crate::theory::{Chord, Key, PitchClass, PitchClassSet, Roman, Scale, diatonic_chord};

/// What a chord does in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Rest.
    Tonic,
    /// Away from rest.
    Subdominant,
    /// Towards rest, of the key or of one of its chords.
    Dominant,
    /// Colour: none of the three.
    Chromatic,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Function::Tonic => "tonic",
            Function::Subdominant => "subdominant",
            Function::Dominant => "dominant",
            Function::Chromatic => "chromatic",
        })
    }
}

/// Where a chord comes from. Numerals are of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// All its tones are in the key; in minor also with the leading tone, on the fifth and seventh degree.
    Diatonic,
    /// The dominant of another chord of the key.
    SecondaryDominant {
        /// That chord.
        of: String,
        /// Whether that chord follows.
        resolves: bool,
    },
    /// The diminished chord a semitone below another chord of the key, which follows.
    SecondaryLeadingTone {
        /// That chord.
        of: String,
    },
    /// The second degree of another chord of the key, before its dominant.
    RelatedSecond {
        /// That chord.
        of: String,
    },
    /// A dominant seventh a tritone from the dominant that it stands for: a semitone above the chord that follows.
    TritoneSubstitute {
        /// The chord that follows.
        of: String,
    },
    /// The dominant with altered fifth or ninth.
    AlteredDominant,
    /// The major chord on the lowered second degree.
    Neapolitan,
    /// The seventh of the blues on the first or fourth degree.
    Blues,
    /// A diminished chord between two chords, or before the chord on the same root.
    PassingDiminished,
    /// All its tones are in another mode on the same tonic.
    Borrowed {
        /// That mode: `the parallel minor`, `the dorian mode`.
        from: String,
    },
    /// A major or minor chord a third from the tonic, of which at most one tone is in the key's own chord there.
    ChromaticMediant,
    /// None of these.
    Foreign,
}

impl Origin {
    /// Whether the chord needs no explanation.
    pub fn is_diatonic(&self) -> bool {
        *self == Origin::Diatonic
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Diatonic => f.write_str("in the key"),
            Origin::SecondaryDominant { of, resolves: true } => write!(f, "secondary dominant of {of}"),
            Origin::SecondaryDominant { of, resolves: false } => {
                write!(f, "secondary dominant of {of}, which does not follow")
            }
            Origin::SecondaryLeadingTone { of } => write!(f, "leading-tone chord of {of}"),
            Origin::RelatedSecond { of } => write!(f, "second degree of {of}, before its dominant"),
            Origin::TritoneSubstitute { of } => write!(f, "tritone substitute for the dominant of {of}"),
            Origin::AlteredDominant => f.write_str("altered dominant"),
            Origin::Neapolitan => f.write_str("Neapolitan: major on the lowered second degree"),
            Origin::Blues => f.write_str("seventh of the blues"),
            Origin::PassingDiminished => f.write_str("passing diminished chord"),
            Origin::Borrowed { from } => write!(f, "borrowed from {from}"),
            Origin::ChromaticMediant => {
                f.write_str("chromatic mediant: a third away, with tones of another key")
            }
            Origin::Foreign => f.write_str("foreign to the key"),
        }
    }
}

/// A chord of a progression, read in its key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChordReading {
    /// Its symbol.
    pub chord: String,
    /// Bar that it is in, from 1.
    pub bar: u32,
    /// Its Roman numeral; of applied chords, with the chord that they belong to: `V7/ii`.
    pub roman: String,
    /// What it does.
    pub function: Function,
    /// Where it comes from.
    pub origin: Origin,
}

/// Reads the chord at `at` of a progression in a key; the last is followed by the first, as in a loop.
pub(crate) fn read(chords: &[Chord], at: usize, key: Key) -> (String, Function, Origin) {
    let around = Around::new(chords, at, key);
    let origin = around.origin();
    let function = around.function(&origin);
    (around.roman(&chords[at], &origin), function, origin)
}

/// Where the chord at `at` of a progression comes from, in a key.
pub(crate) fn origin_of(chords: &[Chord], at: usize, key: Key) -> Origin {
    Around::new(chords, at, key).origin()
}

/// A chord with its neighbours.
struct Around {
    key: Key,
    /// Semitones of the root above the tonic.
    degree: u8,
    here: Sonority,
    before: Option<Sonority>,
    next: Sonority,
    after_next: Sonority,
}

impl Around {
    fn new(chords: &[Chord], at: usize, key: Key) -> Self {
        let sonority = |place: usize| Sonority::chord(&chords[place % chords.len()], 1.0);
        let here = sonority(at);
        Self {
            key,
            degree: key.tonic.pitch_class().up_to(PitchClass::new(here.root.into())),
            here,
            before: at.checked_sub(1).map(sonority),
            next: sonority(at + 1),
            after_next: sonority(at + 2),
        }
    }

    fn origin(&self) -> Origin {
        if is_in(self.here, self.key) {
            return Origin::Diatonic;
        }
        self.diminished().or_else(|| self.applied()).or_else(|| self.coloured()).unwrap_or(Origin::Foreign)
    }

    /// Chords that lead to another one.
    fn applied(&self) -> Option<Origin> {
        let here = self.here;
        let down_a_fifth = (here.root + 5) % 12;
        let down_a_semitone = (here.root + 11) % 12;
        let resolves = self.next.root == down_a_fifth;
        let slides = here.is_dominant_seventh() && self.degree != 7 && !resolves;
        if let Some(of) = self.numeral_of(down_a_semitone)
            && slides
            && self.next.root == down_a_semitone
        {
            return Some(Origin::TritoneSubstitute { of });
        }
        if here.is_dominant_seventh() && !resolves && matches!(self.degree, 0 | 5) {
            return Some(Origin::Blues);
        }
        let leads = here.is_dominant_seventh() || (here.is_major() && !here.has(11)) || here.is_augmented();
        let to_tonic = down_a_fifth == self.tonic();
        if to_tonic && leads {
            return Some(Origin::AlteredDominant);
        }
        // Without the chord that it leads to, only a chord with the leading tone of that chord is meant as a dominant.
        let foreign_third = !holds(self.key, (here.root + 4) % 12);
        // The major chord on the fourth degree of a minor key is that of the dorian mode.
        let dorian = self.key.is_minor() && self.degree == 5;
        if let Some(of) = self.numeral_of(down_a_fifth)
            && leads
            && (resolves || (foreign_third && !dorian))
        {
            return Some(Origin::SecondaryDominant { of, resolves });
        }
        self.related_second()
    }

    fn related_second(&self) -> Option<Origin> {
        let second = self.here.minor_third == Some(true) && self.here.has(10);
        let dominant = self.next.is_dominant_seventh() && self.next.root == (self.here.root + 5) % 12;
        let target = (self.next.root + 5) % 12;
        if !second || !dominant || self.after_next.root != target || target == self.tonic() {
            return None;
        }
        self.numeral_of(target).map(|of| Origin::RelatedSecond { of })
    }

    fn diminished(&self) -> Option<Origin> {
        // On the seventh degree it is the leading-tone chord of the parallel minor key.
        if !self.here.is_diminished() || self.degree == 11 || (self.here.has(10) && !self.here.has(9)) {
            return None;
        }
        if self.next.root == (self.here.root + 1) % 12 {
            return self.numeral_of(self.next.root).map(|of| Origin::SecondaryLeadingTone { of });
        }
        // The four roots of a diminished seventh are one chord.
        let steps = self.before.map_or(0, |before| (self.here.root + 12 - before.root) % 12);
        let passes = matches!(steps, 1 | 11) || self.next.root == self.here.root || self.here.has(9);
        passes.then_some(Origin::PassingDiminished)
    }

    /// Chords that are there for their colour.
    fn coloured(&self) -> Option<Origin> {
        if self.degree == 1 && self.here.is_major() && !self.here.has(10) {
            return Some(Origin::Neapolitan);
        }
        if let Some(from) = borrowed_from(self.here, self.key) {
            return Some(Origin::Borrowed { from: lender_name(from) });
        }
        let third_away = matches!(self.degree, 3 | 4 | 8 | 9);
        let triad = self.here.is_major() || self.here.is_minor();
        (third_away && triad).then_some(Origin::ChromaticMediant)
    }

    fn tonic(&self) -> u8 {
        self.key.tonic.pitch_class().number()
    }

    /// The numeral of the key's own chord on a root, if that is major or minor: what can be led to.
    fn numeral_of(&self, root: u8) -> Option<String> {
        let degree = self.key.degree_of(PitchClass::new(root.into()))?;
        let chord = diatonic_chord(self.key, degree, false);
        let target = Sonority::chord(&chord, 1.0);
        (target.is_major() || target.is_minor()).then(|| Roman::of(&chord, self.key).to_string())
    }

    fn function(&self, origin: &Origin) -> Function {
        match origin {
            Origin::SecondaryDominant { .. }
            | Origin::SecondaryLeadingTone { .. }
            | Origin::TritoneSubstitute { .. }
            | Origin::AlteredDominant => Function::Dominant,
            Origin::RelatedSecond { .. } | Origin::Neapolitan => Function::Subdominant,
            Origin::Blues if self.degree == 0 => Function::Tonic,
            Origin::Blues => Function::Subdominant,
            Origin::PassingDiminished | Origin::ChromaticMediant | Origin::Foreign => Function::Chromatic,
            Origin::Diatonic | Origin::Borrowed { .. } => by_degree(self.degree, self.key.is_minor()),
        }
    }

    fn roman(&self, chord: &Chord, origin: &Origin) -> String {
        match origin {
            Origin::RelatedSecond { of } if self.here.is_diminished() => format!("iiø7/{of}"),
            Origin::RelatedSecond { of } => format!("ii7/{of}"),
            Origin::TritoneSubstitute { of } => format!("subV7/{of}"),
            // It leads nowhere, so it is none of the fourth degree's dominants.
            Origin::Blues if self.degree == 0 => format!("I{}", chord.quality()),
            _ => Roman::of(chord, self.key).to_string(),
        }
    }
}

fn by_degree(degree: u8, minor: bool) -> Function {
    match (degree, minor) {
        (0, _) | (4 | 9, false) | (3, _) => Function::Tonic,
        (7 | 11, _) | (10, true) => Function::Dominant,
        _ => Function::Subdominant,
    }
}

/// Whether the tone is in the key.
pub(crate) fn holds(key: Key, class: u8) -> bool {
    key.pitch_classes().contains(PitchClass::new(class.into()))
}

/// Whether all tones of a chord are in the key; in minor also with the leading tone, where it belongs.
pub(crate) fn is_in(chord: Sonority, key: Key) -> bool {
    let mut scale = key.pitch_classes();
    let degree = (chord.root + 12 - key.tonic.pitch_class().number()) % 12;
    if key.scale == Scale::AEOLIAN && (degree == 11 || (degree == 7 && chord.minor_third == Some(false))) {
        scale.insert(key.tonic.pitch_class().transposed(11));
    }
    within(chord, scale)
}

fn within(chord: Sonority, scale: PitchClassSet) -> bool {
    (0..12u8)
        .filter(|class| chord.tones & (1 << class) != 0)
        .all(|class| scale.contains(PitchClass::new(class.into())))
}

/// The modes that chords are borrowed from, the most usual first.
const LENDERS_TO_MAJOR: [Scale; 7] = [
    Scale::AEOLIAN,
    Scale::MIXOLYDIAN,
    Scale::DORIAN,
    Scale::HARMONIC_MINOR,
    Scale::LYDIAN,
    Scale::PHRYGIAN,
    Scale::LOCRIAN,
];
const LENDERS_TO_MINOR: [Scale; 7] = [
    Scale::DORIAN,
    Scale::IONIAN,
    Scale::PHRYGIAN,
    Scale::MELODIC_MINOR,
    Scale::MIXOLYDIAN,
    Scale::LYDIAN,
    Scale::LOCRIAN,
];

/// The mode on the same tonic that has all tones of the chord, the most usual of them; `None` if none has.
pub(crate) fn borrowed_from(chord: Sonority, key: Key) -> Option<Scale> {
    let lenders = if key.is_minor() { LENDERS_TO_MINOR } else { LENDERS_TO_MAJOR };
    let degree = (chord.root + 12 - key.tonic.pitch_class().number()) % 12;
    // Harmonic minor is there for its leading tone; chords on other degrees do not come from it.
    let fits = |scale: &Scale| *scale != Scale::HARMONIC_MINOR || matches!(degree, 2 | 7 | 11);
    let lends =
        |scale: &Scale| fits(scale) && within(chord, Key { tonic: key.tonic, scale: *scale }.pitch_classes());
    lenders.into_iter().filter(|scale| *scale != key.scale).find(lends)
}

fn lender_name(scale: Scale) -> String {
    if scale == Scale::IONIAN {
        "the parallel major".to_owned()
    } else if scale == Scale::AEOLIAN {
        "the parallel minor".to_owned()
    } else {
        format!("the {} mode", scale.name())
    }
}

/// The chords that a key can borrow from the parallel key: its mode's triads that are not in the key itself.
///
/// ```
/// use kmidi_compose::{analysis, theory::Key};
/// let key: Key = "C".parse().unwrap();
/// let symbols: Vec<String> = analysis::borrowed_chords(key).iter().map(ToString::to_string).collect();
/// assert_eq!(symbols, ["Cm", "Ddim", "Eb", "Fm", "Gm", "Ab", "Bb"]);
/// ```
pub fn borrowed_chords(key: Key) -> Vec<Chord> {
    let from = key.parallel();
    let chords = (0..7).map(|degree| diatonic_chord(from, degree, false));
    chords.filter(|chord| !is_in(Sonority::chord(chord, 1.0), key)).collect()
}

/// The name of a tone so many semitones above the tonic.
pub(crate) fn above_tonic(key: Key, semitones: u8) -> crate::theory::PitchName {
    name_in(key, (key.tonic.pitch_class().number() + semitones) % 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Progression;

    fn read_all(chords: &str, key: &str) -> Vec<(String, Function, Origin)> {
        let progression: Progression = chords.parse().unwrap();
        let chords: Vec<Chord> = progression.chords().copied().collect();
        (0..chords.len()).map(|at| read(&chords, at, key.parse().unwrap())).collect()
    }

    fn origins(chords: &str, key: &str) -> Vec<String> {
        read_all(chords, key).into_iter().map(|(_, _, origin)| origin.to_string()).collect()
    }

    #[test]
    fn chords_of_the_key_are_diatonic_in_every_key() {
        for tonic in ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"] {
            for mode in ["", "m"] {
                let key: Key = format!("{tonic}{mode}").parse().unwrap();
                for degree in 0..7 {
                    for sevenths in [false, true] {
                        let chord = diatonic_chord(key, degree, sevenths);
                        assert!(read(&[chord, chord], 0, key).2.is_diatonic(), "{chord} in {key}");
                    }
                }
            }
        }
        assert_eq!(origins("Am E7 Am G#dim7 Am", "Am"), ["in the key"; 5]);
    }

    #[test]
    fn applied_chords_name_what_they_lead_to() {
        let romans = |chords: &str| read_all(chords, "C").into_iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(romans("C A7 Dm D7 G")[1], "V7/ii");
        assert_eq!(romans("C A7 Dm D7 G")[3], "V7/V");
        assert_eq!(romans("C C#dim7 Dm")[1], "viio7/ii");
        assert_eq!(romans("C Gm7 C7 F")[1], "ii7/IV");
        assert_eq!(romans("C Dm7 Db7 C")[2], "subV7/I");
        assert_eq!(origins("C E F", "C")[1], "secondary dominant of vi, which does not follow");
    }

    #[test]
    fn colours_are_told_apart() {
        assert_eq!(origins("C Fm C", "C")[1], "borrowed from the parallel minor");
        assert_eq!(origins("C Ab Bb C", "C")[1..3], ["borrowed from the parallel minor"; 2]);
        assert!(origins("C Db G C", "C")[1].starts_with("Neapolitan"));
        assert!(origins("C Abm G", "C")[1].starts_with("chromatic mediant"));
        assert_eq!(origins("C7 G C7", "C")[0], "seventh of the blues");
        assert_eq!(origins("C G7b9 C", "C")[1], "altered dominant");
        assert_eq!(origins("Am D Am", "Am")[1], "borrowed from the dorian mode");
        assert_eq!(origins("C F#m7b5 Bbmaj7 C", "C")[2], "borrowed from the mixolydian mode");
    }

    #[test]
    fn functions_follow_the_degrees() {
        let functions = |chords, key| read_all(chords, key).into_iter().map(|it| it.1).collect::<Vec<_>>();
        use Function::{Dominant, Subdominant, Tonic};
        assert_eq!(
            functions("C Dm F G Am Fm", "C"),
            [Tonic, Subdominant, Subdominant, Dominant, Tonic, Subdominant]
        );
        assert_eq!(functions("Am Dm E7 F G", "Am"), [Tonic, Subdominant, Dominant, Subdominant, Dominant]);
    }
}
