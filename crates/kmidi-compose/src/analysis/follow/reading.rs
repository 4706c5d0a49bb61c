//! What the follower has heard, in words and in 64 bits.

use std::fmt;

use serde::Serialize;

use super::chord_table::ChordQuality;
use super::key::Mode;

const SHARPS: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
const FLATS: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
/// Each as most chords and keys on it are written.
const USUAL: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// A chord that sounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChordReading {
    /// Pitch class of its root, 0 (C) to 11.
    pub root: u8,
    /// What it is.
    pub quality: ChordQuality,
    /// Pitch class of the lowest tone, 0 to 11.
    pub bass: u8,
    /// The share of its tones that fit, of those that sound and those that are missing, 0 to 1.
    pub confidence: f32,
}

/// The key of the last seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KeyReading {
    /// Pitch class of its tonic, 0 (C) to 11.
    pub tonic: u8,
    /// Its scale.
    pub mode: Mode,
    /// How well it fits and how far it is ahead of the next one, 0 to 1.
    pub confidence: f32,
}

/// What a [`Follower`](super::Follower) has heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Reading {
    /// The chord, if what sounds makes one.
    pub chord: Option<ChordReading>,
    /// The key, if enough was heard.
    pub key: Option<KeyReading>,
}

impl KeyReading {
    /// Whether its signature has flats (and not sharps, or nothing). Six of either are flats in minor (Eb minor) and sharps
    /// in major (F# major), as most music has it.
    fn has_flats(&self) -> bool {
        let major = (self.tonic + 12 - self.mode.above_major()) % 12;
        matches!(major, 5 | 10 | 3 | 8 | 1) || (major == 6 && self.mode == Mode::Aeolian)
    }

    fn spelled(&self, pitch_class: u8) -> &'static str {
        let names = if self.has_flats() { &FLATS } else { &SHARPS };
        names[usize::from(pitch_class % 12)]
    }
}

impl fmt::Display for KeyReading {
    /// `Eb major`, `F# minor`, `D dorian`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.spelled(self.tonic), self.mode.name())
    }
}

impl ChordReading {
    /// Its symbol, spelled as that key spells: `Am7`, `C/E`, `Bb7sus4`.
    pub fn symbol(&self, key: Option<KeyReading>) -> String {
        let name =
            |pitch_class| key.map_or(USUAL[usize::from(pitch_class % 12)], |key| key.spelled(pitch_class));
        let mut symbol = format!("{}{}", name(self.root), self.quality.suffix());
        if self.bass != self.root {
            symbol.push('/');
            symbol += name(self.bass);
        }
        symbol
    }
}

impl fmt::Display for ChordReading {
    /// Its symbol, without a key to spell by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symbol(None))
    }
}

/// Where each part stands in the 64 bits.
const CHORD_IS_THERE: u64 = 1 << 24;
const KEY_IS_THERE: u64 = 1 << 56;

impl Reading {
    /// The chord's symbol, spelled as the key spells.
    pub fn chord_symbol(&self) -> Option<String> {
        self.chord.map(|chord| chord.symbol(self.key))
    }

    /// All of it in one word, so that one store hands it over whole; confidences in steps of 1/255. `[side A]`
    pub fn to_bits(self) -> u64 {
        let confidence = |it: f32| u64::from((it.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        let chord = self.chord.map_or(0, |chord| {
            CHORD_IS_THERE
                | u64::from(chord.root & 15)
                | u64::from(chord.bass & 15) << 4
                | (chord.quality as u64) << 8
                | confidence(chord.confidence) << 16
        });
        let key = self.key.map_or(0, |key| {
            KEY_IS_THERE
                | u64::from(key.tonic & 15) << 32
                | (key.mode as u64) << 40
                | confidence(key.confidence) << 48
        });
        chord | key
    }

    /// What [`Reading::to_bits`] made; what it never makes has no chord, or no key.
    pub fn from_bits(bits: u64) -> Self {
        let part = |at: u32, mask: u64| ((bits >> at) & mask) as u8;
        let confidence = |at| f32::from(part(at, 255)) / 255.0;
        let pitch_class = |at| Some(part(at, 15)).filter(|&it| it < 12);
        let chord = || {
            Some(ChordReading {
                root: pitch_class(0)?,
                bass: pitch_class(4)?,
                quality: ChordQuality::numbered(usize::from(part(8, 255)))?,
                confidence: confidence(16),
            })
        };
        let key = || {
            Some(KeyReading {
                tonic: pitch_class(32)?,
                mode: *Mode::ALL.get(usize::from(part(40, 255)))?,
                confidence: confidence(48),
            })
        };
        Reading {
            chord: if bits & CHORD_IS_THERE != 0 { chord() } else { None },
            key: if bits & KEY_IS_THERE != 0 { key() } else { None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(root: u8, quality: ChordQuality, bass: u8) -> ChordReading {
        ChordReading { root, quality, bass, confidence: 1.0 }
    }

    fn key(tonic: u8, mode: Mode) -> KeyReading {
        KeyReading { tonic, mode, confidence: 0.2 }
    }

    #[test]
    fn every_reading_comes_back_from_its_bits() {
        assert_eq!(Reading::from_bits(0), Reading::default());
        for root in 0..12 {
            for quality in ChordQuality::all() {
                for mode in Mode::ALL {
                    let reading = Reading {
                        chord: Some(chord(root, quality, (root + 5) % 12)),
                        key: Some(key(11 - root, mode)),
                    };
                    assert_eq!(Reading::from_bits(reading.to_bits()), reading);
                    let chord_only = Reading { key: None, ..reading };
                    assert_eq!(Reading::from_bits(chord_only.to_bits()), chord_only);
                }
            }
        }
    }

    #[test]
    fn bits_that_are_no_reading_are_none() {
        let reading = Reading::from_bits(u64::MAX);
        assert_eq!(reading, Reading::default());
        assert!(Reading::from_bits(CHORD_IS_THERE | 200 << 8).chord.is_none());
        assert!(Reading::from_bits(KEY_IS_THERE | 7 << 40).key.is_none());
    }

    #[test]
    fn names_are_spelled_as_the_key_spells() {
        assert_eq!(chord(9, ChordQuality::Minor7, 9).to_string(), "Am7");
        assert_eq!(chord(0, ChordQuality::Major, 4).to_string(), "C/E");
        let flat = chord(10, ChordQuality::Dominant7, 10);
        assert_eq!(flat.symbol(Some(key(5, Mode::Ionian))), "Bb7");
        assert_eq!(flat.symbol(Some(key(11, Mode::Ionian))), "A#7");
        let keys =
            [(3, Mode::Ionian), (6, Mode::Aeolian), (3, Mode::Aeolian), (2, Mode::Dorian), (5, Mode::Dorian)];
        let names: Vec<_> = keys.map(|(tonic, mode)| key(tonic, mode).to_string()).into();
        assert_eq!(names, ["Eb major", "F# minor", "Eb minor", "D dorian", "F dorian"]);
    }
}
