//! What can be found.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum ItemKind {
    /// A recording: WAV, FLAC, MP3, Ogg Vorbis.
    Audio,
    /// A Standard MIDI File.
    Midi,
    /// A preset of a SoundFont or of a plugin.
    Preset,
    /// A plugin.
    Plugin,
}

impl ItemKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [ItemKind; 4] = [ItemKind::Audio, ItemKind::Midi, ItemKind::Preset, ItemKind::Plugin];

    /// The name that flags and results use.
    pub const fn name(self) -> &'static str {
        match self {
            ItemKind::Audio => "audio",
            ItemKind::Midi => "midi",
            ItemKind::Preset => "preset",
            ItemKind::Plugin => "plugin",
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// A major or minor key. Enharmonic names are one: `Db` is `C#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Semitones above C, 0..=11.
    tonic: u8,
    minor: bool,
}

/// A text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no key: Am, A minor, F#, F# major or Bbm are")]
pub struct ParseKeyError(String);

const TONICS: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

impl Key {
    /// A key with the tonic so many semitones above C; octaves do not count.
    pub fn new(tonic: u8, minor: bool) -> Self {
        Key { tonic: tonic % 12, minor }
    }

    /// 1..=24; 0 is no key.
    pub(crate) fn number(key: Option<Key>) -> u8 {
        key.map_or(0, |key| 1 + key.tonic + 12 * u8::from(key.minor))
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        (1..=24).contains(&number).then(|| Key::new((number - 1) % 12, number > 12))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", TONICS[usize::from(self.tonic % 12)], if self.minor { "minor" } else { "major" })
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Key {
    type Err = ParseKeyError;

    /// `Am`, `A min`, `a minor`, `F#`, `F#maj`, `Bb major`.
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let error = || ParseKeyError(text.chars().take(40).collect());
        let mut chars = text.trim().chars();
        let tonic = match chars.next().ok_or_else(error)?.to_ascii_uppercase() {
            'C' => 0,
            'D' => 2,
            'E' => 4,
            'F' => 5,
            'G' => 7,
            'A' => 9,
            'B' => 11,
            _ => return Err(error()),
        };
        let rest = chars.as_str();
        let (step, mode) = match rest.chars().next() {
            Some('#' | '♯') => (1, &rest[rest.chars().next().map_or(0, char::len_utf8)..]),
            Some('♭') => (11, &rest['♭'.len_utf8()..]),
            Some('b') => (11, &rest[1..]),
            _ => (0, rest),
        };
        let mode = mode.trim_start_matches([' ', '-', '_']);
        let minor = match mode {
            "m" => true,
            "" | "M" => false,
            _ => match mode.to_ascii_lowercase().as_str() {
                "min" | "minor" => true,
                "maj" | "major" => false,
                _ => return Err(error()),
            },
        };
        Ok(Key::new(tonic + step, minor))
    }
}

/// What is known of something that can be found. `[side B]`
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Which part of its file it is: empty for the whole file, bank and program of a SoundFont's preset (`0:48`), the id
    /// of a plugin (and behind a blank the key of its preset).
    pub part: String,
    /// Name shown to people; empty where it is the file's without its ending.
    pub name: String,
    /// What else it is found by: tags, instruments, what analysis heard.
    pub text: String,
    /// Its key.
    pub key: Option<Key>,
    /// Beats a minute.
    pub bpm: Option<f32>,
    /// Its length.
    pub duration_seconds: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them_and_anything_else_is_none() {
        for (text, name) in [
            ("Am", "A minor"),
            ("a minor", "A minor"),
            ("F#", "F# major"),
            ("Gb major", "F# major"),
            ("Bbm", "Bb minor"),
            ("B", "B major"),
            ("bb", "Bb major"),
            ("C♯ min", "C# minor"),
            ("Cb", "B major"),
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), name, "{text}");
        }
        for text in ["", "H", "Amo", "minor", "C##", "♭"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        for number in 1..=24 {
            assert_eq!(Key::number(Key::from_number(number)), number);
        }
        assert_eq!((Key::from_number(0), Key::from_number(25)), (None, None));
    }
}
