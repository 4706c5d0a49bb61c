//! A mood as a plan of harmony, with the reason for each choice.
mod build;
mod curve;
mod keys;
mod options;
mod session;
mod write;

use kmidi_core::Meter;

use crate::mood::{Character, Modifier, Mood};
use crate::theory::{Chord, Key};

pub use curve::{Section, SectionKind, TensionCurve, sections};
pub use options::{Chords, KeyChoice, OptionError, PlanOptions, Scales, parse_meter};
pub use session::TherapySession;

/// What is to be played, before there are notes: harmony, tempo, form, character. `[side B]`
///
/// Serialised, it has the fields `affect, secondary, intensity, mode, key, tempo_bpm, length_bars, complexity, progression,
/// reasons` and more; displayed, it is for people.
#[derive(Clone, Debug, PartialEq)]
pub struct HarmonyPlan {
    /// What it is about.
    pub mood: Mood,
    /// Tonic and mode.
    pub key: Key,
    /// Quarter notes a minute.
    pub tempo_bpm: f64,
    /// Beats of a bar.
    pub meter: Meter,
    /// How long; the sum of its sections' bars.
    pub length_bars: u32,
    /// 0 (plain) to 1: how far rhythm and harmony stray.
    pub complexity: f64,
    /// 0 to 1: how open, which is quiet and uneven.
    pub vulnerability: f64,
    /// Its chords, over and over; never empty.
    pub progression: Vec<Chord>,
    /// How many of the chords each bar has, over and over, where the user drew bar lines; empty where
    /// [`Character::chords_per_bar`] says it.
    pub chords_of_bars: Vec<usize>,
    /// Chords of sections with [`Section::contrast`]; never empty.
    pub contrast: Vec<Chord>,
    /// Whether the chords are the user's, to be kept to the letter in every bar.
    pub progression_given: bool,
    /// Whether the piece comes to rest at its end, on the tonic where the chords are not the user's.
    pub resolves: bool,
    /// Its sections in order.
    pub sections: Vec<Section>,
    /// All that is not pitch and tempo.
    pub character: Character,
    /// Why all this.
    pub reasons: Vec<Reason>,
    /// Where all chance in it comes from.
    pub seed: u64,
}

impl HarmonyPlan {
    /// The plan of a mood, without a text. The same in gives the same out.
    pub fn of(mood: Mood, scales: Scales, options: &PlanOptions) -> Self {
        build::plan(mood, scales, options)
    }

    /// The same, with something come over it.
    #[must_use]
    pub fn with(mut self, modifier: Modifier) -> Self {
        (self.tempo_bpm, self.character) = modifier.apply(self.tempo_bpm, self.character);
        let what = format!("tempo {}, {} notes a beat", self.tempo_bpm, self.character.density_per_beat);
        self.reasons.push(Reason::new(what, format!("{} came over it", modifier.name())));
        self
    }
}

/// Why a value of a plan is what it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// The value: `tempo 122`.
    pub what: String,
    /// Why: `rage begins at 130, chaos 0.30 takes 8 off`.
    pub because: String,
}

impl Reason {
    /// A value and why.
    pub fn new(what: impl Into<String>, because: impl Into<String>) -> Self {
        Self { what: what.into(), because: because.into() }
    }
}
