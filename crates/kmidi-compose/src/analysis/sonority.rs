use super::templates::{Heard, rotated};
use crate::theory::Chord;

/// What matters of a chord when functions are judged: pitch classes and the kinds of its third, fifth and seventh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sonority {
    /// Pitch class of the root.
    pub root: u8,
    /// Pitch class of the bass.
    pub bass: u8,
    /// Its pitch classes, a bit each.
    pub tones: u16,
    /// Whether its third is minor; `None` if it has none.
    pub minor_third: Option<bool>,
    /// How long it sounds, in beats.
    pub beats: f64,
}

impl Sonority {
    pub(crate) fn heard(heard: &Heard, beats: f64) -> Self {
        let tones = heard.template().tones;
        Self {
            root: heard.root,
            bass: heard.bass,
            tones: rotated(tones, heard.root),
            minor_third: third(tones),
            beats,
        }
    }

    pub(crate) fn chord(chord: &Chord, beats: f64) -> Self {
        let root = chord.root().pitch_class().number();
        let tones = chord.tones().iter().fold(0u16, |set, tone| set | 1 << (tone.semitones % 12));
        Self {
            root,
            bass: chord.bass().pitch_class().number(),
            tones: rotated(tones, root),
            minor_third: third(tones),
            beats,
        }
    }

    /// A single tone that stands for a harmony.
    pub(crate) fn tone(class: u8, beats: f64) -> Self {
        Self { root: class, bass: class, tones: 1 << class, minor_third: None, beats }
    }

    /// Whether the chord has a tone so many semitones above its root.
    pub(crate) fn has(&self, semitones: u8) -> bool {
        self.tones & (1 << ((self.root + semitones) % 12)) != 0
    }

    /// A major third without a diminished or augmented fifth alone: what can be a dominant without a seventh.
    pub(crate) fn is_major(&self) -> bool {
        self.minor_third == Some(false) && (self.has(7) || !(self.has(6) || self.has(8)))
    }

    pub(crate) fn is_minor(&self) -> bool {
        self.minor_third == Some(true) && !self.is_diminished()
    }

    /// Minor third and diminished fifth.
    pub(crate) fn is_diminished(&self) -> bool {
        self.minor_third == Some(true) && self.has(6) && !self.has(7)
    }

    /// Major third and augmented fifth.
    pub(crate) fn is_augmented(&self) -> bool {
        self.minor_third == Some(false) && self.has(8) && !self.has(7)
    }

    /// Major third and minor seventh.
    pub(crate) fn is_dominant_seventh(&self) -> bool {
        self.minor_third == Some(false) && self.has(10)
    }
}

fn third(tones_above_root: u16) -> Option<bool> {
    if tones_above_root & (1 << 4) != 0 {
        Some(false)
    } else if tones_above_root & (1 << 3) != 0 {
        Some(true)
    } else {
        None
    }
}
