//! How notes are to be played: what engines, styles and presets are made of.

use serde::Serialize;

use super::error::in_range;
use super::pockets::Pocket;
use super::{Drum, GrooveError};

/// How chance moves notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Each displacement within its bounds is alike, and a note is as often too early as too late.
    Uniform,
    /// A drummer's: displacements are normally distributed with the long-range correlations that people have, the hi-hat wanders
    /// more than the feet, and all is a little late.
    Drummer,
}

/// MIDI channels, a bit each; channel 1 is the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels(pub u16);

impl Channels {
    /// All sixteen.
    pub const ALL: Channels = Channels(u16::MAX);
    /// The drum channel alone.
    pub const DRUMS: Channels = Channels(1 << super::DRUM_CHANNEL);

    /// One channel, 0 to 15.
    pub fn one(channel: u8) -> Self {
        Channels(1 << (channel & 0x0f))
    }

    /// Whether a channel (0 to 15) is among them.
    pub fn contains(self, channel: u8) -> bool {
        self.0 >> (channel & 0x0f) & 1 == 1
    }

    /// Their numbers as musicians count them, 1 to 16.
    pub fn numbers(self) -> Vec<u8> {
        (0..16).filter(|&channel| self.contains(channel)).map(|channel| channel + 1).collect()
    }
}

/// How much the timing of each part of the kit wanders, as a share of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Looseness {
    /// Of the bass drum.
    pub kick: f64,
    /// Of the snare drum.
    pub snare: f64,
    /// Of the hi-hat, however it is played.
    pub hat: f64,
    /// Of everything else, and of what is not a drum.
    pub other: f64,
}

impl Looseness {
    pub(crate) fn of(&self, drum: Option<Drum>) -> f64 {
        match drum {
            Some(Drum::Kick) => self.kick,
            Some(Drum::Snare) => self.snare,
            Some(Drum::ClosedHat | Drum::OpenHat | Drum::PedalHat) => self.hat,
            _ => self.other,
        }
    }
}

impl Default for Looseness {
    fn default() -> Self {
        Looseness { kick: 0.5, snare: 0.7, hat: 1.2, other: 1.0 }
    }
}

/// What does not depend on chance: how a style lies against the beat.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Feel {
    /// How much later the second eighth of each quarter note is, 0 (straight) to 1 (a dotted eighth and a sixteenth); two
    /// thirds are triplets.
    pub swing: f64,
    /// Everything later (1) or earlier (-1) by as much as a thirty-second note; 0 is on the beat.
    pub depth: f64,
    /// Drums later or earlier than each other.
    pub pocket: Pocket,
    /// Velocity of each quarter of a bar, as a share of the written one; the fifth is as the first again.
    pub accents: [f64; 4],
    /// How far velocities vary evenly about what they are, as a share of it, 0 to 1.
    pub velocity_variation: f64,
}

impl Default for Feel {
    fn default() -> Self {
        Feel { swing: 0.0, depth: 0.0, pocket: Pocket::NONE, accents: [1.0; 4], velocity_variation: 0.0 }
    }
}

/// How notes are humanised. `..` of one of the constructors gives the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Humanize {
    /// How chance moves notes.
    pub algorithm: Algorithm,
    /// How loosely it is played, 0 to 1: how far notes are moved.
    pub complexity: f64,
    /// How exposed it is, 0 to 1: the higher, the softer and the less even.
    pub vulnerability: f64,
    /// Where chance comes from: the same seed, song and settings give the same bytes.
    pub seed: u64,
    /// With which probability a soft stroke is added after a stroke of a drum that takes it, 0 to 1; with the drummer.
    pub ghosts: f64,
    /// With which probability a note is left out, 0 to 1; `None` is a fifth of the complexity. Of a drum that carries the beat the
    /// drummer leaves out less, and of what is no drum nothing.
    pub dropout: Option<f64>,
    /// How the wandering is shared out; with the drummer.
    pub looseness: Looseness,
    /// Softest and loudest velocity that a note gets, 1 to 127.
    pub velocities: (u8, u8),
    /// What does not depend on chance.
    pub feel: Feel,
    /// Whose notes.
    pub channels: Channels,
}

impl Humanize {
    /// The uniform algorithm, on all channels.
    pub fn uniform(complexity: f64, vulnerability: f64, seed: u64) -> Self {
        Humanize {
            algorithm: Algorithm::Uniform,
            complexity,
            vulnerability,
            seed,
            ghosts: 0.0,
            dropout: None,
            looseness: Looseness::default(),
            velocities: (1, 127),
            feel: Feel::default(),
            channels: Channels::ALL,
        }
    }

    /// The drummer, on all channels; with ghost notes where it is vulnerable (above 0.6).
    pub fn drummer(complexity: f64, vulnerability: f64, seed: u64) -> Self {
        Humanize {
            algorithm: Algorithm::Drummer,
            ghosts: if vulnerability > 0.6 { 0.15 } else { 0.0 },
            velocities: (20, 120),
            ..Self::uniform(complexity, vulnerability, seed)
        }
    }

    /// See [`Humanize::dropout`]: what it amounts to.
    pub fn dropout(&self) -> f64 {
        self.dropout.unwrap_or(self.complexity * 0.2)
    }

    /// The same, if all its numbers can be used.
    ///
    /// # Errors
    /// [`GrooveError::Range`] for the first number that is outside its range, or none.
    pub fn checked(self) -> Result<Self, GrooveError> {
        let Looseness { kick, snare, hat, other } = self.looseness;
        in_range("complexity", self.complexity, 0.0, 1.0)?;
        in_range("vulnerability", self.vulnerability, 0.0, 1.0)?;
        in_range("the probability of ghost notes", self.ghosts, 0.0, 1.0)?;
        in_range("the probability of leaving a note out", self.dropout(), 0.0, 1.0)?;
        for looseness in [kick, snare, hat, other] {
            in_range("looseness", looseness, 0.0, 4.0)?;
        }
        let (softest, loudest) = (f64::from(self.velocities.0), f64::from(self.velocities.1));
        in_range("the softest velocity", softest, 1.0, loudest.min(127.0))?;
        in_range("the loudest velocity", loudest, softest, 127.0)?;
        in_range("swing", self.feel.swing, 0.0, 1.0)?;
        in_range("the depth of the pocket", self.feel.depth, -1.0, 1.0)?;
        in_range("the variation of velocity", self.feel.velocity_variation, 0.0, 1.0)?;
        for accent in self.feel.accents {
            in_range("an accent", accent, 0.0, 4.0)?;
        }
        self.feel.pocket.check()?;
        Ok(self)
    }
}

/// Vulnerability for a word of an intent: `low`, `medium`, `high`.
pub fn vulnerability_of(level: &str) -> Option<f64> {
    match super::error::plain_name(level).as_str() {
        "low" => Some(0.2),
        "medium" => Some(0.5),
        "high" => Some(0.8),
        _ => None,
    }
}

/// Complexity for the groove feel of an intent (`straight`, `laid back`, `push pull` ...) and its tension, 0 to 1.
pub fn complexity_of(feel: &str, tension: f64) -> Option<f64> {
    let base = match super::error::plain_name(feel).as_str() {
        "straight" | "straightdriving" => 0.2,
        "mechanical" => 0.0,
        "laidback" => 0.6,
        "swung" => 0.4,
        "syncopated" => 0.5,
        "rubato" | "rubatofree" => 0.9,
        "organic" | "organicbreathing" => 0.7,
        "pushpull" => 0.5,
        _ => return None,
    };
    let tension = if tension.is_nan() { 0.5 } else { tension.clamp(0.0, 1.0) };
    Some(f64::min(base * (0.8 + 0.4 * tension), 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_their_range_are_refused_by_name() {
        let refused = |settings: Humanize| settings.checked().unwrap_err().to_string();
        let good = Humanize::drummer(0.5, 0.5, 1);
        assert!(good.clone().checked().is_ok());
        for (bad, word) in [
            (Humanize { complexity: f64::NAN, ..good.clone() }, "complexity"),
            (Humanize { complexity: 1.01, ..good.clone() }, "complexity"),
            (Humanize { vulnerability: -0.1, ..good.clone() }, "vulnerability"),
            (Humanize { ghosts: f64::INFINITY, ..good.clone() }, "ghost"),
            (Humanize { dropout: Some(1.5), ..good.clone() }, "leaving"),
            (Humanize { velocities: (0, 127), ..good.clone() }, "softest"),
            (Humanize { velocities: (100, 90), ..good.clone() }, "softest"),
            (Humanize { feel: Feel { swing: 2.0, ..Feel::default() }, ..good.clone() }, "swing"),
            (Humanize { feel: Feel { depth: -2.0, ..Feel::default() }, ..good.clone() }, "depth"),
        ] {
            assert!(refused(bad).contains(word), "{word}");
        }
    }

    #[test]
    fn words_of_an_intent_are_numbers() {
        assert_eq!([vulnerability_of("Low"), vulnerability_of("HIGH")], [Some(0.2), Some(0.8)]);
        assert_eq!(vulnerability_of("none"), None);
        assert_eq!(complexity_of("Laid Back", 0.5), Some(0.6));
        assert_eq!(complexity_of("Rubato", 1.0), Some(1.0));
        assert_eq!(complexity_of("mechanical", 1.0), Some(0.0));
    }
}
