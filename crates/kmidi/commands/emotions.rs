//! `kmidi emotions`: what is known of each feeling.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use kmidi_compose::mood::{Emotion, emotions};
use serde::Serialize;

use crate::output::{print, print_json};

#[derive(Debug, Args)]
pub struct Emotions {
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report {
    emotions: Vec<Emotion>,
}

pub fn run(args: Emotions) -> Result<()> {
    let report = Report { emotions: emotions() };
    if args.json { print_json(&report) } else { print(text(&report.emotions)?.as_bytes()) }
}

fn text(emotions: &[Emotion]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "{:<13} {:>7} {:>7}  {:>7}  {:<10}  {:<22}  words",
        "feeling", "valence", "arousal", "bpm", "mode", "chords in C"
    )?;
    for it in emotions {
        let chords: Vec<_> = it.progression.iter().map(ToString::to_string).collect();
        let words = it.words.iter().take(6).copied().collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "{:<13} {:>7.1} {:>7.1}  {:>3.0}-{:<3.0}  {:<10}  {:<22}  {words}",
            it.name.name(),
            it.valence,
            it.arousal,
            it.tempo_bpm.min,
            it.tempo_bpm.max,
            it.modes.first().map_or("", |mode| mode.name),
            chords.join(" "),
        )?;
    }
    Ok(out)
}
