use std::fmt;
use std::str::FromStr;

use super::AnalysisError;
use super::key::{self, KeyEstimate};
use super::sonority::Sonority;
use crate::theory::Chord;

/// Most chords of a progression that is typed.
pub const MAX_CHORDS: usize = 256;
/// Most bytes of its text.
pub const MAX_PROGRESSION_BYTES: usize = 4096;

/// Chords in bars, as somebody types them: `C Am F G` (a bar each), `C Am | F G` (bars as written).
#[derive(Clone, Debug, PartialEq)]
pub struct Progression {
    bars: Vec<Vec<Chord>>,
}

impl Progression {
    /// Chords in bars; `None` if there is no chord, an empty bar, or more than [`MAX_CHORDS`].
    pub fn new(bars: Vec<Vec<Chord>>) -> Option<Self> {
        let chords: usize = bars.iter().map(Vec::len).sum();
        let sound = chords > 0 && chords <= MAX_CHORDS && bars.iter().all(|bar| !bar.is_empty());
        sound.then_some(Self { bars })
    }

    /// One chord a bar; `None` as for [`Progression::new`].
    pub fn one_a_bar(chords: &[Chord]) -> Option<Self> {
        Self::new(chords.iter().map(|chord| vec![*chord]).collect())
    }

    /// Its bars; none is empty. The chords of a bar share it evenly.
    pub fn bars(&self) -> &[Vec<Chord>] {
        &self.bars
    }

    /// All its chords in order.
    pub fn chords(&self) -> impl Iterator<Item = &Chord> {
        self.bars.iter().flatten()
    }

    /// Its chords with the share of a bar that each has, times four.
    pub(crate) fn sonorities(&self) -> Vec<Sonority> {
        let of_bar = |bar: &Vec<Chord>| {
            let beats = 4.0 / bar.len() as f64;
            bar.iter().map(|chord| Sonority::chord(chord, beats)).collect::<Vec<_>>()
        };
        self.bars.iter().flat_map(of_bar).collect()
    }

    /// The key that it is in: by its tones, its first and last chord, and its cadences.
    pub fn key(&self) -> KeyEstimate {
        let sonorities = self.sonorities();
        let mut chroma = [0.0; 12];
        for chord in &sonorities {
            for class in (0..12).filter(|class| chord.tones & (1 << class) != 0) {
                // The bass usually doubles the root.
                let doubled = if class == chord.root { 2.0 } else { 1.0 };
                chroma[usize::from(class)] += doubled * chord.beats;
            }
        }
        key::estimate(&chroma, &sonorities)
    }
}

impl FromStr for Progression {
    type Err = AnalysisError;

    /// Chords between blanks, commas, arrows or bar lines; `%` is the chord before it again. Without bar lines each
    /// chord has a bar.
    fn from_str(text: &str) -> Result<Self, AnalysisError> {
        if text.len() > MAX_PROGRESSION_BYTES {
            return Err(AnalysisError::LongText { bytes: text.len() });
        }
        let written = text.contains('|');
        let text = text.replace("->", " ").replace(['→', ',', ';', '–', '—', '\n', '\t'], " ");
        let mut bars: Vec<Vec<Chord>> = vec![];
        let mut last: Option<Chord> = None;
        let mut count = 0;
        for bar in text.split('|') {
            let mut chords = vec![];
            for symbol in bar.split_whitespace() {
                for chord in chords_of(symbol, last)? {
                    last = Some(chord);
                    chords.push(chord);
                    count += 1;
                    if count > MAX_CHORDS {
                        return Err(AnalysisError::ManyChords);
                    }
                }
            }
            if written && !chords.is_empty() {
                bars.push(chords);
            } else {
                bars.extend(chords.into_iter().map(|chord| vec![chord]));
            }
        }
        Self::new(bars).ok_or(AnalysisError::NoChords)
    }
}

/// The chord of a symbol; several if they are joined by hyphens (`C-Am-F-G`), which is no chord by itself.
fn chords_of(symbol: &str, last: Option<Chord>) -> Result<Vec<Chord>, AnalysisError> {
    if symbol == "%" {
        return last.map(|chord| vec![chord]).ok_or(AnalysisError::NothingToRepeat);
    }
    let bad = |why: String| AnalysisError::BadChord { symbol: symbol.chars().take(40).collect(), why };
    match symbol.parse::<Chord>() {
        Ok(chord) => Ok(vec![chord]),
        Err(error) if !symbol.contains('-') => Err(bad(error.to_string())),
        Err(error) => {
            let parts: Result<Vec<Chord>, _> = symbol.split('-').map(str::parse::<Chord>).collect();
            parts.map_err(|_| bad(error.to_string()))
        }
    }
}

impl fmt::Display for Progression {
    /// As it can be read again: bar lines only where a bar has several chords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = if self.bars.iter().any(|bar| bar.len() > 1) { " | " } else { " " };
        for (at, bar) in self.bars.iter().enumerate() {
            if at > 0 {
                f.write_str(between)?;
            }
            for (place, chord) in bar.iter().enumerate() {
                if place > 0 {
                    f.write_str(" ")?;
                }
                write!(f, "{chord}")?;
            }
        }
        // A single bar of several chords needs a line to be one bar.
        if self.bars.len() == 1 && self.bars[0].len() > 1 { f.write_str(" |") } else { Ok(()) }
    }
}

impl serde::Serialize for Progression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(text: &str) -> Vec<usize> {
        text.parse::<Progression>().unwrap().bars().iter().map(Vec::len).collect()
    }

    #[test]
    fn what_people_type_is_read() {
        assert_eq!(bars("C Am F G"), [1, 1, 1, 1]);
        assert_eq!(bars("C-Am-F-G"), [1, 1, 1, 1]);
        assert_eq!(bars("C, Am -> F → G"), [1, 1, 1, 1]);
        assert_eq!(bars("| C Am | F G |"), [2, 2]);
        assert_eq!(bars("C % | F"), [2, 1]);
        assert_eq!(bars("Cmaj7#11/E"), [1]);
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        for text in ["C Am F G", "C Am | F G", "C Am | F", "C Am |", "Dm7b5/Ab"] {
            let progression: Progression = text.parse().unwrap();
            assert_eq!(progression.to_string().parse::<Progression>().unwrap(), progression, "{text}");
        }
    }

    #[test]
    fn what_is_no_progression_says_why() {
        let error = |text: &str| text.parse::<Progression>().unwrap_err();
        assert!(matches!(error(""), AnalysisError::NoChords));
        assert!(matches!(error(" | | "), AnalysisError::NoChords));
        assert!(matches!(error("%"), AnalysisError::NothingToRepeat));
        assert!(matches!(error("C Hx7 G"), AnalysisError::BadChord { symbol, .. } if symbol == "Hx7"));
        assert!(matches!(error("C 🎵"), AnalysisError::BadChord { .. }));
        assert!(matches!(error(&"C ".repeat(300)), AnalysisError::ManyChords));
        assert!(matches!(error(&"C ".repeat(50_000)), AnalysisError::LongText { bytes: 100_000 }));
    }
}
