//! `kmidi emotions`: what is known of each feeling, or what a text feels and who says so.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use kmidi_compose::mood::{Emotion, Mood, SecondOpinion, emotions};
use kmidi_compose::plan::TherapySession;
use serde::Serialize;

use super::therapy;
use crate::opinion_flag::OpinionFlag;
use crate::output::{print, print_json};

#[derive(Debug, Args)]
pub struct Emotions {
    /// Say what this text feels instead, and which words or which model say so; - reads standard input
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    #[command(flatten)]
    pub opinion: OpinionFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Report {
    emotions: Vec<Emotion>,
}

/// What a text feels, as `--json` has it.
#[derive(Serialize)]
struct Reading {
    mood: Mood,
}

pub fn run(args: Emotions) -> Result<()> {
    if !args.text.is_empty() {
        return of_text(&args);
    }
    let report = Report { emotions: emotions() };
    if args.json { print_json(&report) } else { print(text(&report.emotions)?.as_bytes()) }
}

fn of_text(args: &Emotions) -> Result<()> {
    let text = therapy::text(&args.text)?;
    therapy::offer_help(&text);
    let mut session = TherapySession::default();
    if let Some(model) = args.opinion.model() {
        session.set_model(Box::new(model));
    }
    let mood = session.process_core_input(&text).map_err(therapy::unreadable)?.clone();
    if args.json { print_json(&Reading { mood }) } else { print(told(&mood)?.as_bytes()) }
}

/// A mood, and what speaks for it.
fn told(mood: &Mood) -> Result<String, std::fmt::Error> {
    let mut out = mood.primary.to_string();
    if let Some(secondary) = mood.secondary {
        write!(out, " with {:.0} % of {secondary}", mood.blend * 100.0)?;
    }
    let Mood { intensity, valence, arousal, .. } = mood;
    writeln!(out, ", intensity {intensity:.2}, valence {valence:+.2}, arousal {arousal:.2}")?;
    for it in &mood.evidence {
        let why = if it.why.is_empty() { String::new() } else { format!(" ({})", it.why) };
        writeln!(out, "  `{}` speaks for {}, weight {:.2}{why}", it.word, it.affect, it.weight)?;
    }
    if let Some(it) = &mood.second_opinion {
        let SecondOpinion { model, affect, nearest, likeness, .. } = it;
        let decided = if it.decided { "decided" } else { "did not decide" };
        let sure = it.confidence * 100.0;
        writeln!(
            out,
            "  {model} says {affect}, {sure:.0} % sure, and {decided}: most like `{nearest}` ({likeness:.2})"
        )?;
        for (what, words, value, weight) in [
            ("valence", it.valence_of_words, it.valence, it.valence_weight),
            ("arousal", it.arousal_of_words, it.arousal, it.arousal_weight),
        ] {
            writeln!(out, "  {what}: words {words:+.2}, {model} {value:+.2} with weight {weight}")?;
        }
    }
    Ok(out)
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
