//! What a plan is asked to be, beside its mood.
use std::str::FromStr;

use kmidi_core::Meter;

use crate::theory::{
    Chord, ChordError, Key, KeyError, PitchName, Scale, parse_progression, parse_progression_in,
};

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

impl Scales {
    /// Motivation 1 to 10 and chaos 0 to 1.
    ///
    /// # Errors
    /// One of them is beyond its range, or no number.
    pub fn new(motivation: f64, chaos: f64) -> Result<Self, OptionError> {
        if !(1.0..=10.0).contains(&motivation) {
            return Err(OptionError::Motivation(motivation));
        }
        if !(0.0..=1.0).contains(&chaos) {
            return Err(OptionError::Chaos(chaos));
        }
        Ok(Self { motivation, chaos })
    }

    /// These, with values beyond taken to the nearest; NaN leaves what was.
    #[must_use]
    pub fn clamped(self, motivation: f64, chaos: f64) -> Self {
        let motivation = if motivation.is_nan() { self.motivation } else { motivation };
        let chaos = if chaos.is_nan() { self.chaos } else { chaos };
        Self { motivation: motivation.clamp(1.0, 10.0), chaos: chaos.clamp(0.0, 1.0) }
    }

    /// How much there is to say, 1 to 10: decides how long it gets.
    pub fn motivation(self) -> f64 {
        self.motivation
    }

    /// How wildly, 0 to 1: decides tempo and complexity.
    pub fn chaos(self) -> f64 {
        self.chaos
    }
}

/// What a plan is asked to be. What is `None` follows from the mood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanOptions {
    /// Tonic, and mode if it is said with it.
    pub key: Option<KeyChoice>,
    /// Quarter notes a minute, 20 to 400.
    pub bpm: Option<f64>,
    /// Mode; that of `key` must be the same, if it has one.
    pub mode: Option<Scale>,
    /// Chords.
    pub progression: Option<Chords>,
    /// Length, 1 to 1024.
    pub bars: Option<u32>,
    /// Beats of a bar: 1 to 16 halves, quarters, eighths or sixteenths.
    pub meter: Option<Meter>,
    /// Where chance comes from; from the text otherwise.
    pub seed: Option<u64>,
}

impl PlanOptions {
    /// Slowest and fastest tempo, in quarter notes a minute.
    pub const TEMPO_BPM: std::ops::RangeInclusive<f64> = 20.0..=400.0;
    /// Shortest and longest piece, in bars.
    pub const BARS: std::ops::RangeInclusive<u32> = 1..=1024;

    /// Whether all of them can be met.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self) -> Result<(), OptionError> {
        if let Some(bpm) = self.bpm.filter(|bpm| !Self::TEMPO_BPM.contains(bpm)) {
            return Err(OptionError::Tempo(bpm));
        }
        if let Some(bars) = self.bars.filter(|bars| !Self::BARS.contains(bars)) {
            return Err(OptionError::Bars(bars));
        }
        if let (Some(mode), Some(of_key)) = (self.mode, self.key.and_then(|key| key.scale))
            && mode != of_key
        {
            return Err(OptionError::TwoModes { of_key: of_key.name(), mode: mode.name() });
        }
        let can_be =
            |meter: &Meter| (1..=16).contains(&meter.numerator) && (1..=4).contains(&meter.denominator_log2);
        if let Some(meter) = self.meter.filter(|meter| !can_be(meter)) {
            return Err(OptionError::Meter(format!("{}/{}", meter.numerator, meter.denominator())));
        }
        Ok(())
    }
}

/// A meter as people write it: `6/8`.
///
/// # Errors
/// It is none, or none that a plan can have.
pub fn parse_meter(text: &str) -> Result<Meter, OptionError> {
    let unknown = || OptionError::Meter(crate::theory::shortened(text));
    let (beats, of) = text.trim().split_once('/').ok_or_else(unknown)?;
    let numerator = beats.trim().parse().map_err(|_| unknown())?;
    let denominator_log2 = match of.trim() {
        "2" => 1,
        "4" => 2,
        "8" => 3,
        "16" => 4,
        _ => return Err(unknown()),
    };
    let meter = Meter { numerator, denominator_log2 };
    PlanOptions { meter: Some(meter), ..PlanOptions::default() }.check().map_err(|_| unknown())?;
    Ok(meter)
}

/// A tonic, with a mode if one was said: `F`, `Am`, `F# dorian`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChoice {
    /// The tonic.
    pub tonic: PitchName,
    /// The mode; `None` leaves it to the mood.
    pub scale: Option<Scale>,
}

impl FromStr for KeyChoice {
    type Err = KeyError;

    /// A pitch alone leaves the mode to the mood; anything more is read as a [`Key`].
    fn from_str(text: &str) -> Result<Self, KeyError> {
        if let Ok(tonic) = text.trim().parse() {
            return Ok(Self { tonic, scale: None });
        }
        text.parse::<Key>().map(Self::from)
    }
}

impl From<Key> for KeyChoice {
    fn from(key: Key) -> Self {
        Self { tonic: key.tonic, scale: Some(key.scale) }
    }
}

/// Chords as symbols or Roman numerals, 1 to 64 of them: `C Am F G`, `i bVI iv i`. With bar lines (`C | Am F |`), bars have the chords
/// that are written; without, how many a bar has is the plan's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chords(String);

/// What can be read does not depend on the key.
const ANY_KEY: Key = Key::major(PitchName::new(crate::theory::Letter::C, 0));

impl Chords {
    /// The most there may be.
    pub const MOST: usize = 64;

    /// The chords in a key, which decides what numerals mean.
    pub fn in_key(&self, key: Key) -> Vec<Chord> {
        let chords = parse_progression_in(&self.0, key);
        chords.map_or_else(|_| Vec::new(), |progression| progression.chords().collect())
    }

    /// How many chords each bar has, if there are bar lines; a bar without any goes on with the last one.
    pub fn of_bars(&self) -> Option<Vec<usize>> {
        let progression = parse_progression_in(&self.0, ANY_KEY).ok().filter(|_| self.0.contains('|'))?;
        Some(progression.bars.iter().map(|bar| bar.iter().flatten().count()).collect())
    }

    /// The chords, if none is a numeral.
    pub fn without_key(&self) -> Option<Vec<Chord>> {
        parse_progression(&self.0).ok().map(|progression| progression.chords().collect())
    }
}

impl FromStr for Chords {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let count = parse_progression_in(text, ANY_KEY)?.chords().count();
        if !(1..=Self::MOST).contains(&count) {
            return Err(OptionError::ChordCount(count));
        }
        Ok(Self(text.to_owned()))
    }
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
    /// A mode, and a key with another.
    #[error("a mode can be said once: the key says {of_key}, the mode is to be {mode}")]
    TwoModes {
        /// The mode that was said with the key.
        of_key: &'static str,
        /// The mode that was said by itself.
        mode: &'static str,
    },
    /// Something in a progression that is neither a chord nor a numeral.
    #[error(transparent)]
    Chord(#[from] ChordError),
    /// None, or too many.
    #[error("a progression has 1 to 64 chords, not {0}")]
    ChordCount(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_refused_or_taken_to_the_nearest() {
        assert!(Scales::new(1.0, 0.0).is_ok() && Scales::new(10.0, 1.0).is_ok());
        assert_eq!(Scales::new(0.9, 0.0), Err(OptionError::Motivation(0.9)));
        assert_eq!(Scales::new(5.0, 1.01), Err(OptionError::Chaos(1.01)));
        assert!(matches!(Scales::new(f64::NAN, 0.0), Err(OptionError::Motivation(it)) if it.is_nan()));
        assert!(matches!(Scales::new(5.0, f64::NAN), Err(OptionError::Chaos(it)) if it.is_nan()));
        let clamped = Scales::default().clamped(99.0, -3.0);
        assert_eq!((clamped.motivation(), clamped.chaos()), (10.0, 0.0));
        assert_eq!(
            Scales::default().clamped(f64::NAN, f64::INFINITY),
            Scales { motivation: 5.0, chaos: 1.0 }
        );
    }

    #[test]
    fn options_that_cannot_be_met_are_refused() {
        let default = PlanOptions::default;
        assert_eq!(default().check(), Ok(()));
        for bpm in [19.9, 400.1, f64::INFINITY, -1.0] {
            assert_eq!(PlanOptions { bpm: Some(bpm), ..default() }.check(), Err(OptionError::Tempo(bpm)));
        }
        assert!(PlanOptions { bpm: Some(f64::NAN), ..default() }.check().is_err());
        for bars in [0, 1025] {
            assert_eq!(PlanOptions { bars: Some(bars), ..default() }.check(), Err(OptionError::Bars(bars)));
        }
        assert_eq!(parse_meter("6/8"), Ok(Meter { numerator: 6, denominator_log2: 3 }));
        for text in ["", "4", "0/4", "17/4", "4/3", "4/32", "-3/4", "a/b", "4/4/4"] {
            assert_eq!(parse_meter(text), Err(OptionError::Meter(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn two_modes_are_one_too_many() {
        let options = |key: &str, mode| PlanOptions { key: key.parse().ok(), mode, ..PlanOptions::default() };
        let error = options("F# dorian", Some(Scale::LYDIAN)).check().unwrap_err().to_string();
        assert!(error.contains("dorian") && error.contains("lydian"), "{error}");
        // Controls: the same twice, or one.
        for (key, mode) in [("F# dorian", Some(Scale::DORIAN)), ("F#", Some(Scale::LYDIAN)), ("F#m", None)] {
            assert_eq!(options(key, mode).check(), Ok(()), "{key}");
        }
    }

    #[test]
    fn bar_lines_say_how_many_chords_a_bar_has() {
        let of_bars = |text: &str| text.parse::<Chords>().unwrap().of_bars();
        assert_eq!(of_bars("C | Am F |"), Some(vec![1, 2]));
        assert_eq!(of_bars("| i bVI | % | NC | V7 |"), Some(vec![2, 2, 0, 1]));
        assert_eq!(of_bars("C Am F G"), None);
    }

    #[test]
    fn a_pitch_alone_leaves_the_mode_open() {
        let choice =
            |text: &str| text.parse::<KeyChoice>().map(|it| (it.tonic.to_string(), it.scale)).unwrap();
        assert_eq!(choice(" F "), ("F".to_owned(), None));
        assert_eq!(choice("Eb"), ("Eb".to_owned(), None));
        assert_eq!(choice("Am"), ("A".to_owned(), Some(Scale::AEOLIAN)));
        assert_eq!(choice("F# dorian"), ("F#".to_owned(), Some(Scale::DORIAN)));
        assert!("H".parse::<KeyChoice>().is_err() && "".parse::<KeyChoice>().is_err());
    }

    #[test]
    fn progressions_are_chords_or_numerals() {
        let in_f = |text: &str| -> Vec<String> {
            let key = "F".parse().unwrap();
            text.parse::<Chords>().unwrap().in_key(key).iter().map(ToString::to_string).collect()
        };
        assert_eq!(in_f("F, C"), ["F", "C"]);
        assert_eq!(in_f("I | V7 vi"), ["F", "C7", "Dm"]);
        assert!("F I".parse::<Chords>().unwrap().without_key().is_none());
        assert!(matches!("Am H7".parse::<Chords>(), Err(OptionError::Chord(_))));
        assert!(matches!("".parse::<Chords>(), Err(OptionError::Chord(_))));
        assert_eq!("NC".parse::<Chords>(), Err(OptionError::ChordCount(0)));
        assert_eq!("C ".repeat(65).parse::<Chords>(), Err(OptionError::ChordCount(65)));
    }
}
