//! Chords in a row, in bars.
use super::{Chord, ChordError};
use crate::theory::{Key, Roman};

/// What stands in a bar: a chord, or none (`NC`).
pub type Step = Option<Chord>;

/// Chords in bars, as read from a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progression {
    /// What is in each bar; its steps share the bar evenly. No bar is empty.
    pub bars: Vec<Vec<Step>>,
}

impl Progression {
    /// Longest text that is read, in bytes.
    pub const LONGEST: usize = 16 << 10;
    /// Most steps that it has, with those that repeat signs stand for.
    pub const MOST_STEPS: usize = 4096;

    /// All chords in order, without the places that have none.
    pub fn chords(&self) -> impl Iterator<Item = Chord> + '_ {
        self.bars.iter().flatten().filter_map(|step| *step)
    }
}

const EMPTY: &str = "at least one chord, as in `C | Am7 D7 | % | NC`";
const SHORT: &str = "a progression of at most 16384 bytes";
const FEWER: &str = "at most 4096 chords, with the repeated ones";
const REPEATED: &str = "a bar before the repeat sign";

/// Reads chords in bars: `C | Am7 D7 | % | NC`.
///
/// Chords are parted by spaces or commas, bars by `|`; without any `|`, each chord is a bar. `%` is the bar before once more, `/` the
/// chord before, `NC` or `N.C.` no chord; a lone `-` parts chords too.
///
/// ```
/// use kmidi_compose::theory::parse_progression;
/// let progression = parse_progression("C | Am7 D7 | % | NC")?;
/// assert_eq!(progression.bars.len(), 4);
/// assert_eq!(progression.bars[1], progression.bars[2]);
/// assert_eq!(progression.bars[3], [None]);
/// # Ok::<(), kmidi_compose::theory::ChordError>(())
/// ```
///
/// # Errors
/// Where a chord cannot be read, with its column in the whole text.
pub fn parse_progression(text: &str) -> Result<Progression, ChordError> {
    parse(text, None)
}

/// Reads chords in bars as [`parse_progression`] does, and Roman numerals among them, which mean chords of `key`.
///
/// ```
/// use kmidi_compose::theory::parse_progression_in;
/// let progression = parse_progression_in("ii7 V7/V | bVI C", "G".parse().unwrap())?;
/// let chords: Vec<String> = progression.chords().map(|chord| chord.to_string()).collect();
/// assert_eq!(chords, ["Am7", "A7", "Eb", "C"]);
/// # Ok::<(), kmidi_compose::theory::ChordError>(())
/// ```
///
/// # Errors
/// Where a chord or numeral cannot be read, with its column in the whole text.
pub fn parse_progression_in(text: &str, key: Key) -> Result<Progression, ChordError> {
    parse(text, Some(key))
}

fn parse(text: &str, key: Option<Key>) -> Result<Progression, ChordError> {
    if text.len() > Progression::LONGEST {
        return Err(ChordError::at(text, text, SHORT));
    }
    let barred = text.contains('|');
    let mut bars: Vec<Vec<Step>> = Vec::new();
    let mut bar: Vec<Step> = Vec::new();
    let mut last: Option<Step> = None;
    let mut steps = 0;
    for (column, word) in words(text) {
        let fail = |expected| Err(ChordError::at(text, &text[column..], expected));
        steps += if word == "%" { bars.last().map_or(0, Vec::len) } else { 1 };
        if steps > Progression::MOST_STEPS {
            return fail(FEWER);
        }
        match word {
            "|" => {
                steps -= 1;
                bars.extend((!bar.is_empty()).then(|| std::mem::take(&mut bar)));
            }
            "-" | "–" | "—" => steps -= 1,
            "%" => match bars.last() {
                Some(before) if bar.is_empty() => bars.push(before.clone()),
                _ => return fail(REPEATED),
            },
            "/" if last.is_none() => return fail(EMPTY),
            _ => {
                let step = match word {
                    "/" => last.flatten(),
                    _ => step(word, key).map_err(|error| error.after(&text[..column]))?,
                };
                last = Some(step);
                bar.push(step);
                if !barred {
                    bars.push(std::mem::take(&mut bar));
                }
            }
        }
    }
    bars.extend((!bar.is_empty()).then_some(bar));
    if bars.iter().flatten().next().is_none() {
        return Err(ChordError::at(text, "", EMPTY));
    }
    Ok(Progression { bars })
}

/// What is parted by spaces, commas outside parentheses, and bar lines, which are words themselves; with the byte where it begins.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let skipped = text[at..].find(|it: char| !it.is_whitespace() && it != ',')?;
        at += skipped;
        let start = at;
        let mut depth = 0u32;
        for (offset, char) in text[start..].char_indices() {
            let ends = match char {
                '|' => true,
                ',' => depth == 0,
                '(' => {
                    depth += 1;
                    false
                }
                ')' => {
                    depth = depth.saturating_sub(1);
                    false
                }
                // A space inside parentheses that are never closed ends the word all the same.
                _ if char.is_whitespace() => depth == 0 || !text[start + offset..].contains(')'),
                _ => false,
            };
            if ends && offset > 0 {
                at = start + offset;
                return Some((start, &text[start..at]));
            }
            if ends {
                at = start + char.len_utf8();
                return Some((start, &text[start..at]));
            }
        }
        at = text.len();
        Some((start, &text[start..]))
    })
}

fn step(word: &str, key: Option<Key>) -> Result<Step, ChordError> {
    if word.eq_ignore_ascii_case("NC") || word.eq_ignore_ascii_case("N.C.") {
        return Ok(None);
    }
    match key {
        Some(key) if Roman::looks_like(word) => Ok(Some(word.parse::<Roman>()?.in_key(key))),
        _ => word.parse().map(Some),
    }
}
