//! Other chords for the same song, in the manner of a style, with what was changed and why.
mod chords;
mod colours;
mod functions;
mod moves;
mod scene;
mod strange;

use std::fmt;
use std::str::FromStr;

use kmidi_song::Random;
use serde::Serialize;

use self::moves::Move;
use self::scene::Scene;
use super::progression::Progression;
use super::text::as_text;
use crate::theory::{Key, PitchClassSet, nearest};

/// A manner of harmony.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Sevenths everywhere; second and fifth degrees of what comes next; tritone substitutes.
    Jazz,
    /// Added ninths, suspensions, a bass that moves by step, one borrowed chord.
    Pop,
    /// Ninths and elevenths, borrowed chords, chords that slide in from a semitone away.
    Rnb,
    /// Inversions, secondary dominants, leading-tone chords, the Neapolitan, the cadential six-four.
    Classical,
    /// Chords a third or a tritone away, fourths, parallels, foreign basses: the key may get lost.
    Experimental,
}

impl Style {
    /// All of them.
    pub const ALL: [Style; 5] = [Style::Jazz, Style::Pop, Style::Rnb, Style::Classical, Style::Experimental];

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Style::Jazz => "jazz",
            Style::Pop => "pop",
            Style::Rnb => "rnb",
            Style::Classical => "classical",
            Style::Experimental => "experimental",
        }
    }

    /// What may change some chords, and what then changes each chord with a probability.
    fn recipe(self) -> (&'static [Move], &'static [(Move, f64)]) {
        use Move::*;
        match self {
            Style::Jazz => (
                &[
                    TwoFive,
                    TritoneSubstitute,
                    SecondaryDominant,
                    SemitoneAbove,
                    PassingDiminished,
                    Relative,
                    Backdoor,
                ],
                &[(Seventh, 1.0), (Ninth, 0.3)],
            ),
            Style::Pop => (&[Suspension, StepwiseBass, Relative, Borrow, Pedal, AddedNinth, AddedNinth], &[]),
            Style::Rnb => (
                &[Borrow, TritoneSubstitute, SemitoneAbove, SecondaryDominant, Backdoor, ParallelApproach],
                &[(Eleventh, 0.35), (Ninth, 0.8), (Seventh, 1.0)],
            ),
            Style::Classical => (
                &[
                    StepwiseBass,
                    FirstInversion,
                    SecondaryDominant,
                    LeadingTone,
                    Neapolitan,
                    SixFour,
                    Relative,
                ],
                &[],
            ),
            Style::Experimental => {
                (&[Mediant, Fourths, ForeignBass, TritoneAway, Lydian, ParallelApproach, Planing], &[])
            }
        }
    }

    /// What is done where nothing else can be.
    fn last_resort(self) -> &'static [Move] {
        use Move::*;
        match self {
            Style::Jazz | Style::Rnb => &[Ninth, AddedSixth],
            Style::Pop => &[AddedNinth, Suspension, AddedSixth],
            Style::Classical => &[Neighbour, FirstInversion],
            Style::Experimental => &[Fourths, TritoneAway],
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A style that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is no style{}: jazz, pop, rnb, classical or experimental", .nearest.map_or_else(String::new, |it| format!("; did you mean {it}?")))]
pub struct StyleError {
    name: String,
    nearest: Option<&'static str>,
}

impl FromStr for Style {
    type Err = StyleError;

    fn from_str(text: &str) -> Result<Self, StyleError> {
        let name = if text.eq_ignore_ascii_case("r&b") { "rnb" } else { text };
        let found = Style::ALL.into_iter().find(|style| style.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| StyleError {
            name: text.chars().take(40).collect(),
            nearest: nearest(text, Style::ALL.iter().map(|style| style.name())),
        })
    }
}

/// How to reharmonise.
#[derive(Clone, Copy, Debug)]
pub struct Reharm<'a> {
    /// In what manner.
    pub style: Style,
    /// How many variants are wanted; at most [`MAX_VARIANTS`].
    pub variants: usize,
    /// What is chosen follows from it.
    pub seed: u64,
    /// The key; the one that the progression suggests if `None`.
    pub key: Option<Key>,
    /// Tones of the melody in each bar that must not clash: no tone of a new chord is a semitone below one of them,
    /// unless the old chord has it so. Bars behind the list have none.
    pub melody: Option<&'a [PitchClassSet]>,
}

/// Most variants of one call.
pub const MAX_VARIANTS: usize = 64;

/// What was done to one chord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The bar, from 1.
    pub bar: u32,
    /// What stood there.
    pub from: String,
    /// What stands there now.
    pub to: String,
    /// What it is called.
    pub what: &'static str,
    /// What it does.
    pub because: String,
}

/// A progression with other chords.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// Its chords; as many bars as before.
    pub progression: Progression,
    /// The key that it was thought in.
    #[serde(serialize_with = "as_text")]
    pub key: Key,
    /// What was changed, in the order it was done.
    pub changes: Vec<Change>,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.progression)?;
        for change in &self.changes {
            writeln!(
                f,
                "    bar {:>3}  {} -> {}: {} ({})",
                change.bar, change.from, change.to, change.what, change.because
            )?;
        }
        Ok(())
    }
}

/// Tries for each variant before no more is expected.
const TRIES: usize = 24;

/// Variants of a progression in a style: each differs from the original and from the others, has as many bars, and
/// (but for the experimental style) begins and ends on the tonic where the original does. Fewer than wanted, or none,
/// where the progression is short or its melody leaves no choice.
pub fn reharmonise(progression: &Progression, how: Reharm<'_>) -> Vec<Variant> {
    let key = how.key.unwrap_or_else(|| progression.key().key);
    let wanted = how.variants.min(MAX_VARIANTS);
    let mut random = Random::new(how.seed);
    let mut variants: Vec<Variant> = vec![];
    for _ in 0..wanted * TRIES {
        if variants.len() == wanted {
            break;
        }
        let variant = one_variant(progression, key, how, &mut random);
        let new = variant.progression != *progression
            && variants.iter().all(|other| other.progression != variant.progression);
        if new {
            variants.push(variant);
        }
    }
    variants
}

fn one_variant(progression: &Progression, key: Key, how: Reharm<'_>, random: &mut Random) -> Variant {
    let mut scene = Scene::new(progression, key, how);
    let (some, everywhere) = how.style.recipe();
    // About every second bar gets one of the style's moves, and one bar at least.
    let bars = progression.bars().len();
    let wanted = 1 + bars / 3 + random.below(1 + bars as u32 / 3) as usize;
    let mut done = 0;
    for _ in 0..wanted * 8 {
        let Some(&chosen) = random.pick(some) else { break };
        let bar = random.below(bars as u32) as usize;
        done += usize::from(scene.apply(chosen, bar, random));
        if done >= wanted {
            break;
        }
    }
    for &(chosen, probability) in everywhere {
        for bar in 0..bars {
            if random.chance(probability) {
                scene.apply(chosen, bar, random);
            }
        }
    }
    if scene.changes().is_empty() {
        let resorts = how.style.last_resort();
        let first = random.below(resorts.len() as u32) as usize;
        for at in 0..resorts.len() * bars {
            let chosen = resorts[(first + at / bars) % resorts.len()];
            if scene.apply(chosen, at % bars, random) {
                break;
            }
        }
    }
    scene.into_variant()
}
