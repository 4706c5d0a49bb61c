//! What the music of a feeling is like, in figures.
use serde::Serialize;

use super::Affect;
use crate::plan::TensionCurve;
use crate::theory::{Chord, Key, Roman, Scale, diatonic_chord};

/// What the music of a feeling is like.
#[derive(Clone, Debug, PartialEq)]
pub struct AffectPreset {
    /// The feeling.
    pub affect: Affect,
    /// Its mode.
    pub scale: Scale,
    /// Modes that suit it, and how well: what is left to choose for those who want another. They add up to 1.
    pub modes: &'static [(Scale, f64)],
    /// Tempo before chaos has a say, in quarter notes a minute.
    pub base_tempo_bpm: f64,
    /// Slowest and fastest that suit it.
    pub tempo_range_bpm: (f64, f64),
    /// Its chords, as steps of the mode; in C these are what `kmidi emotions` prints.
    pub progression: &'static [Step],
    /// Chords of sections that are to sound different.
    pub contrast: &'static [Step],
    /// Everything that is not pitch and tempo.
    pub character: Character,
    /// How tension goes through the piece.
    pub curve: TensionCurve,
    /// How open it is to be: 0 to 1. Quiet and uneven where it is high, even and loud where it is low.
    pub vulnerability: f64,
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f64,
    /// Asleep (0) to wide awake (1).
    pub arousal: f64,
    /// Where its figures are from.
    pub source: &'static str,
}

/// A chord of a progression that goes with any key and mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The triad on a degree of the mode, 1 to 7.
    Triad(u8),
    /// The chord with a seventh on a degree of the mode, 1 to 7.
    Seventh(u8),
    /// A Roman numeral, for a chord that is not of the mode: `bVII` in a major key, `V7` in a minor one.
    Borrowed(&'static str),
}

impl Step {
    /// The chord in a key. A scale that has not seven tones has its own chord on the degree that lies nearest and sounds best.
    pub fn in_key(self, key: Key) -> Chord {
        match self {
            Self::Triad(degree) => on_degree(key, degree, false),
            Self::Seventh(degree) => on_degree(key, degree, true),
            Self::Borrowed(numeral) => roman(numeral).in_key(key.seven_tones()),
        }
    }

    /// The same degree without anything borrowed: for modes that somebody asked for, of which no tone is to be left.
    #[must_use]
    pub fn diatonic(self) -> Self {
        let Self::Borrowed(numeral) = self else { return self };
        let degree = roman(numeral).degree() as u8 + 1;
        if numeral.ends_with('7') { Self::Seventh(degree) } else { Self::Triad(degree) }
    }

    /// The same without diminished and augmented triads, which nobody hears as calm or glad: for each the triad of the same
    /// function that shares two tones with it (II for the fourth degree of lydian). A tonic stays what it is.
    #[must_use]
    pub fn softened(self, key: Key) -> Self {
        let Self::Triad(degree) = self else { return self };
        let partner = [1, 4, 5, 2, 7, 4, 5][usize::from(degree - 1) % 7];
        if roughness(&self.in_key(key)) == 2 && degree != 1 { Self::Triad(partner) } else { self }
    }
}

fn roman(numeral: &str) -> Roman {
    numeral.parse().expect("numerals here are right")
}

/// The chord of a key's own tones on a degree, 1 to 7, of a scale of seven tones.
fn on_degree(key: Key, degree: u8, sevenths: bool) -> Chord {
    let degree = usize::from(degree - 1);
    let count = key.scale.semitones().len();
    if count == 7 {
        return diatonic_chord(key, degree, sevenths);
    }
    let wanted = key.seven_tones().scale.semitones()[degree];
    let cost = |at: &usize| {
        let away = key.scale.semitones()[*at].abs_diff(wanted);
        2 * away.min(12 - away) + roughness(&diatonic_chord(key, *at, false))
    };
    diatonic_chord(key, (0..count).min_by_key(cost).unwrap_or(0), sevenths)
}

/// How far a triad is from one that can be rested on: 0 is major or minor.
fn roughness(chord: &Chord) -> u8 {
    let tones: Vec<u8> = chord.tones().iter().map(|tone| tone.semitones).collect();
    match tones[..] {
        [0, 3 | 4, 7] => 0,
        [0, 2 | 5, 7] => 1,
        [0, 3, 6] | [0, 4, 8] => 2,
        [0, 7] => 3,
        // Hardly a chord at all.
        [_] => 24,
        _ => 4,
    }
}

/// How music sounds apart from its chords and its tempo. Every value can be changed by an option or a rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Character {
    /// Where melodies are.
    pub register: Register,
    /// How loud.
    pub dynamics: Dynamics,
    /// Melody notes per beat where there is melody, 0 to 4.
    pub density_per_beat: f64,
    /// The part of the time that is rest, 0 to 1.
    pub space: f64,
    /// 0 (consonant) to 1: how much of added seconds, sevenths, ninths, suspensions.
    pub dissonance: f64,
    /// Where notes lie against the beat.
    pub feel: Feel,
    /// Instruments.
    pub programs: Programs,
    /// How long a note sounds of what is written, 0 to 1; 1 is legato.
    pub articulation: f64,
    /// The shape of a phrase.
    pub contour: Contour,
    /// 0 straight, 0.33 triplets, up to 0.67.
    pub swing: f64,
    /// How much the drums do: 0 none, 1 all they have.
    pub drums: f64,
    /// Name of the groove preset.
    pub groove: &'static str,
    /// Chords in a bar: 0.5 is one for two bars; 1.5 is one and two in turns.
    pub chords_per_bar: f64,
}

impl Character {
    /// With every value in its range.
    pub(crate) fn within_ranges(mut self) -> Self {
        self.density_per_beat = self.density_per_beat.clamp(0.1, 4.0);
        for part in [&mut self.space, &mut self.dissonance, &mut self.articulation, &mut self.drums] {
            *part = part.clamp(0.0, 1.0);
        }
        self
    }

    /// Mixed with another, which has this part of both (0 to 1). What is not a number stays.
    pub(crate) fn mixed(mut self, other: &Self, part: f64) -> Self {
        let mix = |own: &mut f64, other: f64| *own += (other - *own) * part;
        let key = |own: &mut u8, other: u8| {
            *own = (f64::from(*own) + (f64::from(other) - f64::from(*own)) * part).round() as u8
        };
        key(&mut self.register.low, other.register.low);
        key(&mut self.register.high, other.register.high);
        key(&mut self.register.centre, other.register.centre);
        mix(&mut self.dynamics.floor, other.dynamics.floor);
        mix(&mut self.dynamics.ceiling, other.dynamics.ceiling);
        mix(&mut self.dynamics.variation, other.dynamics.variation);
        mix(&mut self.density_per_beat, other.density_per_beat);
        mix(&mut self.space, other.space);
        mix(&mut self.dissonance, other.dissonance);
        mix(&mut self.articulation, other.articulation);
        mix(&mut self.swing, other.swing);
        mix(&mut self.drums, other.drums);
        self
    }
}

/// MIDI keys: lowest, highest, and where it is most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Register {
    /// Lowest key.
    pub low: u8,
    /// Highest key.
    pub high: u8,
    /// Around here.
    pub centre: u8,
}

impl Register {
    /// All of it higher by some semitones, as far as MIDI has keys.
    pub(crate) fn raised(self, semitones: u8) -> Self {
        let by = semitones.min(127 - self.high.min(127));
        Self { low: self.low + by, high: self.high + by, centre: self.centre + by }
    }
}

/// Loudness as a part of the largest velocity (127).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dynamics {
    /// Softest, 0 to 1.
    pub floor: f64,
    /// Loudest, 0 to 1.
    pub ceiling: f64,
    /// How much neighbouring notes differ, 0 to 1, as a part of the range between floor and ceiling.
    pub variation: f64,
}

impl Dynamics {
    /// Between floor and ceiling.
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.floor, self.ceiling)
    }
}

/// Where notes lie against the beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Feel {
    /// A little late.
    Behind,
    /// On it.
    On,
    /// A little early.
    Ahead,
}

/// The shape of a phrase of melody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contour {
    /// From high to low.
    Falling,
    /// From low to high.
    Rising,
    /// Up, then down.
    Arch,
    /// Up and down and up again, in steps.
    Wave,
    /// Close to one pitch.
    Level,
    /// In leaps both ways.
    Jagged,
}

/// General MIDI programs, 0 to 127, of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Programs {
    /// Chords.
    pub chords: u8,
    /// Bass.
    pub bass: u8,
    /// Melody.
    pub melody: u8,
    /// Guide tones: thirds and sevenths, held.
    pub guide_tones: u8,
}
