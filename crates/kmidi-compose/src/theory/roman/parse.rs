//! Roman numerals, read.
use super::{Above, MAJOR, NUMERALS, Place, Roman};
use crate::theory::chord::{ChordError, Tones, parse_suffix};
use crate::theory::pitch::read_accidental;

const NUMERAL: &str =
    "a numeral from I to VII (capitals: major) or i to vii (minor), perhaps with b or # before it";
const BEHIND: &str = "a degree for the bass (/3, /b7) or the numeral of a key (/V) behind the slash";
const SHORT: &str = "a Roman numeral of at most 64 bytes";

/// Chords that have names instead of numerals, longest first, and their numerals.
const NAMED: [(&str, &str); 12] = [
    ("Ger+6", "bVI7"),
    ("Ger65", "bVI7"),
    ("Ger6", "bVI7"),
    ("Ger", "bVI7"),
    ("Fr+6", "bVI7b5"),
    ("Fr43", "bVI7b5"),
    ("Fr6", "bVI7b5"),
    ("Fr", "bVI7b5"),
    ("It+6", "bVI7no5"),
    ("It6", "bVI7no5"),
    ("N6", "bII6"),
    ("N", "bII"),
];

/// The numeral for a chord that has a name, and what follows the name: nothing, or a slash.
pub(super) fn named_chord(text: &str) -> Option<(&'static str, &str)> {
    NAMED.iter().find_map(|(name, numeral)| {
        let rest = text.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('/')).then_some((*numeral, rest))
    })
}

impl std::str::FromStr for Roman {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let text = text.trim();
        if text.len() > Self::LONGEST {
            return Err(ChordError::at(text, text, SHORT));
        }
        match named_chord(text) {
            Some((numeral, rest)) => parse(&format!("{numeral}{rest}")),
            None => parse(text),
        }
    }
}

fn parse(text: &str) -> Result<Roman, ChordError> {
    let (place, rest) = place(text).ok_or_else(|| ChordError::at(text, text, NUMERAL))?;
    let (quality, mut rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (tones, inversion) = quality_of(quality, place.small).map_err(|error| {
        let before = &text[..text.len() - quality.len() - rest.len()];
        error.after(before)
    })?;
    let small = tones.has_minor_third() || (place.small && !tones.has_major_third());
    let bass = inversion.and_then(|degree| {
        let tone = tones.as_slice().iter().find(|tone| tone.degree == degree)?;
        Some(Above { letters: degree - 1, semitones: tone.semitones })
    });
    let mut roman = Roman { place: Place { small, ..place }, tones, bass, of: None };
    while let Some(behind) = rest.strip_prefix('/') {
        let (part, after) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
        let free = roman.bass.is_none() && roman.of.is_none();
        if let (Some(bass), true) = (bass_degree(part), free) {
            roman.bass = (bass.semitones != 0).then_some(bass);
        } else if let (Some((of, "")), None) = (self::place(part), roman.of) {
            roman.of = Some(of);
        } else {
            return Err(ChordError::at(text, behind, BEHIND));
        }
        rest = after;
    }
    Ok(roman)
}

/// Accidentals and a numeral, and what follows.
fn place(text: &str) -> Option<(Place, &str)> {
    let (accidental, rest) = read_accidental(text);
    // Longer ones first: IV begins like I, VI like V.
    const LONGEST_FIRST: [u8; 7] = [6, 2, 5, 3, 1, 4, 0];
    let found = [false, true].into_iter().find_map(|small| {
        let of_case = NUMERALS[usize::from(small)];
        LONGEST_FIRST.into_iter().find_map(|degree| {
            let after = rest.strip_prefix(of_case[usize::from(degree)])?;
            Some((Place { accidental, degree, small }, after))
        })
    });
    // Letters left over are a numeral that there is not, such as IIII or Iv.
    found.filter(|(_, after)| !after.starts_with(['I', 'V', 'i', 'v']))
}

/// The tones that the text between numeral and slash says, and the chord tone that its figures put into the bass.
fn quality_of(text: &str, small: bool) -> Result<(Tones, Option<u8>), ChordError> {
    /// Figures, how the chord's symbol ends without them, and the degree in the bass.
    const FIGURES: [(&str, &str, u8); 6] =
        [("64", "", 5), ("65", "7", 3), ("43", "7", 5), ("42", "7", 7), ("6", "", 3), ("2", "7", 7)];
    let mark = text.trim_end_matches(|it: char| it.is_ascii_digit());
    let figures = &text[mark.len()..];
    let triad = matches!(mark, "" | "o" | "°" | "dim" | "+" | "aug");
    let seventh = triad || matches!(mark, "ø" | "maj" | "M" | "Δ" | "Maj" | "omaj" | "+maj");
    let figured = FIGURES.iter().find(|(name, end, _)| *name == figures && (triad || seventh && *end == "7"));
    let (symbol, bass) = match figured {
        Some((_, end, degree)) => (format!("{mark}{end}"), Some(*degree)),
        None => (text.to_owned(), None),
    };
    let diminished =
        symbol.starts_with(['o', '°', 'ø', 'Ø']) && !symbol.starts_with("omit") || symbol.starts_with("dim");
    let prefix = if small && !diminished { "m" } else { "" };
    let tones = parse_suffix(&format!("{prefix}{symbol}")).map_err(|mut error| {
        error.column = error.column.saturating_sub(prefix.len()).max(1);
        error
    })?;
    Ok((tones, bass))
}

/// A degree above the root, 1 to 7, with accidentals over the major scale.
fn bass_degree(text: &str) -> Option<Above> {
    let (accidental, rest) = read_accidental(text);
    let degree: u8 = rest.parse().ok().filter(|degree| (1..=7).contains(degree) && rest.len() == 1)?;
    let semitones = (MAJOR[usize::from(degree - 1)] + accidental).rem_euclid(12);
    Some(Above { letters: degree - 1, semitones: semitones as u8 })
}
