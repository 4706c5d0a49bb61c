//! `kmidi diagnose`: what a progression does, and what it could do.

use anyhow::Result;
use clap::Args;
use kmidi_compose::analysis::diagnose;
use kmidi_compose::theory::Key;

use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
Chords are parted by blanks, bars by |; without a |, each chord has a bar. % is the bar before again. Roman numerals are of
--key, or of C if no key is named.

EXAMPLES:
  kmidi diagnose \"C Am F G\"
  kmidi diagnose \"Dm7 G7 | Cmaj7 A7\"
  kmidi diagnose --key Eb \"I bVI IV V7\"";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Diagnose {
    /// Chords
    #[arg(value_name = "CHORDS", required = true)]
    pub chords: Vec<String>,
    /// Key to read them in; the one that they suggest otherwise
    #[arg(long, short = 'k', value_name = "KEY")]
    pub key: Option<Key>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: Diagnose) -> Result<()> {
    let (progression, key) = super::progression(&args.chords, args.key)?;
    let found = diagnose(&progression, key);
    if args.json { print_json(&found) } else { print(found.to_string().as_bytes()) }
}
