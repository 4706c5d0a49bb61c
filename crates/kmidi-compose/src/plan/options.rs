//! What a plan is asked to be, beside its mood.
use kmidi_core::Meter;

use crate::theory::{Chord, Key, PitchName, Roman, Scale};

/// How much there is to say, and how wildly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    motivation: f64,
    chaos: f64,
}

impl Default for Scales {
    /// Motivation 5, chaos 0.3.
    fn default() -> Self {
        Self { motivation: 5.0, chaos: 0.3 }
    }
}

/// What a plan is asked to be. What is `None` follows from the mood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanOptions {
    /// Tonic, and mode if it is said with it.
    pub key: Option<KeyChoice>,
    /// Quarter notes a minute, 20 to 400.
    pub bpm: Option<f64>,
    /// Mode; comes before that of `key`.
    pub mode: Option<Scale>,
    /// Chords.
    pub progression: Option<Chords>,
    /// Length, 1 to 1024.
    pub bars: Option<u32>,
    /// Beats of a bar.
    pub meter: Option<Meter>,
    /// Where chance comes from; from the text otherwise.
    pub seed: Option<u64>,
}

/// A tonic, with a mode if one was said: `F`, `Am`, `F# dorian`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChoice {
    /// The tonic.
    pub tonic: PitchName,
    /// The mode; `None` leaves it to the mood.
    pub scale: Option<Scale>,
}

/// Chords as symbols or Roman numerals, 1 to 64 of them: `C Am F G`, `i - bVI - iv`.
#[derive(Clone, Debug, PartialEq)]
pub struct Chords(Vec<Symbol>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Symbol {
    Chord(Chord),
    Roman(Roman),
}

/// An option that cannot be met, and what can be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OptionError {
    /// Not in 1 to 10.
    #[error("motivation is a number from 1 to 10, not {0}")]
    Motivation(f64),
    /// Not in 0 to 1.
    #[error("chaos is a number from 0 to 1, not {0}")]
    Chaos(f64),
    /// Not in 20 to 400.
    #[error("a tempo is a number from 20 to 400 beats a minute, not {0}")]
    Tempo(f64),
    /// Not in 1 to 1024.
    #[error("a piece has 1 to 1024 bars, not {0}")]
    Bars(u32),
    /// Not a meter that a plan can have.
    #[error("`{0}` is no meter for a plan: 1 to 16 beats of a 2nd, 4th, 8th or 16th note, as in 6/8")]
    Meter(String),
    /// Not a pitch, with or without a mode.
    #[error("`{0}` is no key: a pitch, and a mode if you like, as in F, Am, Eb major, F# dorian")]
    Key(String),
    /// Not a mode.
    #[error("no mode is called `{0}`; `kmidi teach modes` lists them")]
    Mode(String),
    /// Something in a progression that is neither a chord nor a numeral.
    #[error("`{0}` is neither a chord (Am7, F/A) nor a Roman numeral (ii, bVI)")]
    Chord(String),
    /// None, or too many.
    #[error("a progression has 1 to 64 chords, not {0}")]
    ChordCount(usize),
}

/// Pitches without a mode leave the mode to the mood.
impl From<Key> for KeyChoice {
    fn from(key: Key) -> Self {
        Self { tonic: key.tonic, scale: Some(key.scale) }
    }
}
