//! `kmidi reharm`: other chords for the same progression.

use anyhow::{Result, anyhow};
use clap::Args;
use kmidi_compose::analysis::{
    MAX_VARIANTS, Progression, Reharm as How, Style, Variant, key_name, reharmonise,
};
use kmidi_compose::theory::{Key, PitchClassSet, PitchName};
use serde::Serialize;

use crate::exit::Unreadable;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
STYLES:
  jazz          sevenths everywhere, ii-V before what comes next, tritone substitutes, passing diminished chords
  pop           added ninths, suspensions, a bass that goes by step, one borrowed chord
  rnb           ninths and elevenths, borrowed chords, chords that slide in from a semitone away
  classical     inversions, secondary dominants, leading-tone chords, the Neapolitan, the cadential six-four
  experimental  chords a third or a tritone away, fourths, parallels, foreign basses

The number of bars stays; but for the experimental style, so does a tonic at the beginning and at the end. With --melody no
new chord has a tone a semitone below a note of the melody, unless the old one had it so.

EXAMPLES:
  kmidi reharm \"C Am F G\" -s jazz -n 3
  kmidi reharm \"Am F C G\" -s rnb --seed 7
  kmidi reharm \"C Am F G\" -s pop --melody \"E C | C E | A F | G D\"";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Reharm {
    /// Chords, as for diagnose
    #[arg(value_name = "CHORDS", required = true)]
    pub chords: Vec<String>,
    /// Manner: jazz, pop, rnb, classical or experimental
    #[arg(long, short = 's', value_name = "STYLE", default_value_t = Style::Jazz)]
    pub style: Style,
    /// Variants
    #[arg(long, short = 'n', value_name = "N", default_value_t = 3, value_parser = variants)]
    pub variants: usize,
    /// What is chosen follows from this number
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = super::seed)]
    pub seed: u64,
    /// Key to think in; the one that the chords suggest otherwise
    #[arg(long, short = 'k', value_name = "KEY")]
    pub key: Option<Key>,
    /// Notes of the melody that must not clash, bars parted by |
    #[arg(long, value_name = "NOTES")]
    pub melody: Option<String>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

fn variants(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_VARIANTS).contains(number));
    number.ok_or_else(|| format!("a number of variants is 1 to {MAX_VARIANTS}"))
}

#[derive(Serialize)]
struct Output<'a> {
    original: &'a Progression,
    style: Style,
    seed: u64,
    variants: &'a [Variant],
}

pub fn run(args: Reharm) -> Result<()> {
    let (progression, key) = super::progression(&args.chords, args.key)?;
    let melody = args.melody.as_deref().map(melody).transpose().map_err(Unreadable)?;
    let how =
        How { style: args.style, variants: args.variants, seed: args.seed, key, melody: melody.as_deref() };
    let variants = reharmonise(&progression, how);
    if variants.len() < args.variants {
        eprintln!(
            "kmidi: {} of {} variants: the progression leaves no room for more",
            variants.len(),
            args.variants
        );
    }
    if args.json {
        return print_json(&Output {
            original: &progression,
            style: args.style,
            seed: args.seed,
            variants: &variants,
        });
    }
    let mut text = format!("{progression}\n");
    if let Some(first) = variants.first() {
        text += &format!("  in {}, {}\n", key_name(first.key), args.style);
    }
    for (variant, number) in variants.iter().zip(1..) {
        text += &format!("{number:>3}  {variant}");
    }
    print(text.as_bytes())
}

/// Names of notes, bars parted by `|`.
fn melody(text: &str) -> Result<Vec<PitchClassSet>> {
    let bar = |bar: &str| -> Result<PitchClassSet> {
        let note = |name: &str| name.parse::<PitchName>().map_err(|error| anyhow!("--melody: {error}"));
        bar.split_whitespace().map(|name| Ok(note(name)?.pitch_class())).collect()
    };
    text.split('|').map(bar).collect()
}
