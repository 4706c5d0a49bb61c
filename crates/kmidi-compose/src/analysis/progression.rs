use std::fmt;
use std::str::FromStr;

use super::AnalysisError;
use super::key::{self, KeyEstimate};
use super::sonority::Sonority;
use crate::theory::{self, Chord, Key};

/// Most chords of a progression that is typed.
pub const MAX_CHORDS: usize = 256;

/// Chords in bars, as somebody types them: `C Am F G` (a bar each), `C Am | F G` (bars as written).
#[derive(Clone, Debug, PartialEq)]
pub struct Progression {
    bars: Vec<Vec<Chord>>,
}

impl Progression {
    /// Chords in bars; a bar may have none. `None` if there is no chord at all, or more than [`MAX_CHORDS`] chords or bars.
    pub fn new(bars: Vec<Vec<Chord>>) -> Option<Self> {
        let chords: usize = bars.iter().map(Vec::len).sum();
        let sound = (1..=MAX_CHORDS).contains(&chords) && bars.len() <= MAX_CHORDS;
        sound.then_some(Self { bars })
    }

    /// One chord a bar; `None` as for [`Progression::new`].
    pub fn one_a_bar(chords: &[Chord]) -> Option<Self> {
        Self::new(chords.iter().map(|chord| vec![*chord]).collect())
    }

    /// Reads chords as [`theory::parse_progression`] does; with a key, Roman numerals among them as well.
    ///
    /// # Errors
    /// [`AnalysisError`] that says what is wrong with the text.
    pub fn read(text: &str, key: Option<Key>) -> Result<Self, AnalysisError> {
        let read = match key {
            Some(key) => theory::parse_progression_in(text, key)?,
            None => theory::parse_progression(text)?,
        };
        let chords = read.chords().count();
        if chords == 0 {
            return Err(AnalysisError::NoChords);
        }
        let bars = read.bars.into_iter().map(|bar| bar.into_iter().flatten().collect()).collect();
        Self::new(bars).ok_or(AnalysisError::ManyChords)
    }

    /// Its bars; one without a chord is empty. The chords of a bar share it evenly.
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
            let beats = 4.0 / bar.len().max(1) as f64;
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

    fn from_str(text: &str) -> Result<Self, AnalysisError> {
        Self::read(text, None)
    }
}

impl fmt::Display for Progression {
    /// As it can be read again: bar lines only where a bar has several chords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let barred = self.bars.iter().any(|bar| bar.len() > 1);
        let between = if barred { " | " } else { " " };
        for (at, bar) in self.bars.iter().enumerate() {
            if at > 0 {
                f.write_str(between)?;
            }
            if bar.is_empty() {
                f.write_str("NC")?;
            }
            for (place, chord) in bar.iter().enumerate() {
                if place > 0 {
                    f.write_str(" ")?;
                }
                write!(f, "{chord}")?;
            }
        }
        // A single bar of several chords needs a line to be one bar.
        if self.bars.len() == 1 && barred { f.write_str(" |") } else { Ok(()) }
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
        assert_eq!(bars("C, Am, F - G"), [1, 1, 1, 1]);
        assert_eq!(bars("| C Am | F G |"), [2, 2]);
        assert_eq!(bars("C Am | NC | F"), [2, 0, 1]);
        assert_eq!(bars("Cmaj7#11/E"), [1]);
        let numerals = Progression::read("ii7 V7 I", "Bb".parse().ok()).unwrap();
        assert_eq!(numerals.to_string(), "Cm7 F7 Bb");
    }

    #[test]
    fn what_is_printed_is_read_as_the_same() {
        for text in ["C Am F G", "C Am | F G", "C Am | F", "C Am |", "Dm7b5/Ab", "C NC F", "C Am | NC | F"] {
            let progression: Progression = text.parse().unwrap();
            assert_eq!(progression.to_string().parse::<Progression>().unwrap(), progression, "{text}");
        }
    }

    #[test]
    fn what_is_no_progression_says_why() {
        let error = |text: &str| text.parse::<Progression>().unwrap_err();
        for text in ["", " | | ", "%", "C Hx7 G", "C 🎵", "grief"] {
            assert!(matches!(error(text), AnalysisError::Unreadable(_)), "{text}");
        }
        assert!(matches!(error("NC | NC"), AnalysisError::NoChords));
        assert!(matches!(error(&"C ".repeat(300)), AnalysisError::ManyChords));
        assert!(matches!(error(&"C ".repeat(50_000)), AnalysisError::Unreadable(_)));
    }
}
