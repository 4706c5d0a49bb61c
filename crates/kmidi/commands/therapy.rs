//! `kmidi therapy`: a feeling becomes a plan becomes music.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use kmidi_compose::Score;
use kmidi_compose::arrange::{arrange, piano_roll};
use kmidi_compose::mood::speaks_of_suicide;
use kmidi_compose::plan::{Chords, HarmonyPlan, KeyChoice, PlanOptions, Scales, TherapySession, parse_meter};
use kmidi_compose::theory::Scale;
use kmidi_core::Meter;
use kmidi_session::STDIN;

use crate::cli::Output;
use crate::exit::Unreadable;
use crate::output::{print, print_json, write_whole};
use crate::trace_flag::{Entry, TraceArgs};

/// What is read of a text that comes through standard input; longer ones are refused.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Bars that a picture shows.
const PICTURED_BARS: u32 = 16;

/// For whoever may be in danger.
const HELP: &str = "\
this program makes music and is no help in an emergency. If you think of ending your life or of hurting yourself, please speak
with somebody now: a friend, a doctor, the emergency number, or a line for it in your country (https://findahelpline.com).";

const AFTER_HELP: &str = "\
The plan says why each choice was made. The same words, scales and seed give the same music, byte for byte.

EXAMPLES:
  kmidi therapy \"I miss the old days\" --play
  kmidi therapy \"not angry any more, just tired\" --motivation 7 --chaos 0.5 -o tired.mid
  kmidi therapy \"we made it\" --key Eb --mode lydian --bpm 96 --meter 6/8 --bars 24 -o made-it.mid
  kmidi therapy \"heavy rain\" --progression \"Am F C G\" --json";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Therapy {
    /// What you feel, in your words; - reads standard input
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// How much you want to say, 1 to 10: how long the piece is
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub motivation: f64,
    /// How wild it may be, 0 to 1: tempo, syncopation, extensions, leaps
    #[arg(long, value_name = "X", default_value_t = 0.3)]
    pub chaos: f64,
    /// Key: a pitch, and a mode if you like (F, Am, 'Eb major', 'F# dorian')
    #[arg(long)]
    pub key: Option<KeyChoice>,
    /// Quarter notes a minute
    #[arg(long, value_name = "N")]
    pub bpm: Option<f64>,
    /// Mode or scale (kmidi teach scales lists them)
    #[arg(long, value_parser = mode)]
    pub mode: Option<Scale>,
    /// Chords, as symbols or Roman numerals ('Am F C G', 'i bVI bIII bVII')
    #[arg(long, value_name = "CHORDS")]
    pub progression: Option<Chords>,
    /// Length in bars
    #[arg(long, value_name = "N")]
    pub bars: Option<u32>,
    /// Beats of a bar: 4/4, 3/4, 6/8 ...
    #[arg(long, value_parser = parse_meter)]
    pub meter: Option<Meter>,
    /// Other music of the same plan
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// MIDI file to write; it appears when it is complete
    #[arg(short, long, value_name = "FILE.mid")]
    pub output: Option<PathBuf>,
    /// Draw the music as a piano roll into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    pub picture: Option<PathBuf>,
    /// Play it
    #[arg(long)]
    pub play: bool,
    #[command(flatten)]
    pub device: Output,
    /// Print the plan as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub trace: TraceArgs,
}

pub fn run(args: Therapy, entry: &mut Entry) -> Result<ExitCode> {
    let mut session = TherapySession::default();
    let text = text(&args.text)?;
    if speaks_of_suicide(&text) {
        eprintln!("kmidi: {HELP}");
    }
    session.process_core_input(&text).map_err(unreadable)?;
    let scales = Scales::new(args.motivation, args.chaos).map_err(unreadable)?;
    session.set_scales(scales.motivation(), scales.chaos());
    let options = PlanOptions {
        key: args.key,
        bpm: args.bpm,
        mode: args.mode,
        progression: args.progression,
        bars: args.bars,
        meter: args.meter,
        seed: args.seed,
    };
    session.set_options(options).map_err(unreadable)?;
    let plan = session.generate_plan();
    note(&plan, entry);
    entry.param("motivation", scales.motivation());
    entry.param("chaos", scales.chaos());
    let wanted = Wanted { file: args.output, picture: args.picture, play: args.play };
    let score = wanted.is_music().then(|| arrange(&plan));
    // First what can fail: where something does, its message is all that is printed as JSON.
    if let Some(score) = &score {
        wanted.write(score)?;
    }
    if args.json {
        print_json(&plan)?;
    } else {
        print(format!("{plan}\n").as_bytes())?;
    }
    match score {
        Some(score) if wanted.play => wanted.play(&score, &args.device, entry),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// A plan, for the log: what it is, and nothing of the words that it was made of.
pub(super) fn note(plan: &HarmonyPlan, entry: &mut Entry) {
    entry.param("key", plan.key.to_string());
    entry.param("meter", format!("{}/{}", plan.meter.numerator, plan.meter.denominator()));
    for (name, value) in [
        ("tempo_bpm", plan.tempo_bpm),
        ("length_bars", plan.length_bars.into()),
        ("complexity", plan.complexity),
        ("intensity", plan.mood.intensity),
        ("valence", plan.mood.valence),
        ("arousal", plan.mood.arousal),
    ] {
        entry.metric(name, value);
    }
    entry.feature(&format!("affect:{}", plan.mood.primary.name()));
    entry.confidence(plan.mood.intensity);
}

/// What is made of a score.
struct Wanted {
    file: Option<PathBuf>,
    picture: Option<PathBuf>,
    play: bool,
}

impl Wanted {
    fn is_music(&self) -> bool {
        self.file.is_some() || self.picture.is_some() || self.play
    }

    /// Writes what is to be written: all of it, or nothing that could have been known to fail.
    fn write(&self, score: &Score) -> Result<()> {
        if let (Some(file), Some(picture)) = (&self.file, &self.picture)
            && file == picture
        {
            let error = anyhow!("{}: song and picture cannot be the same file", file.display());
            return Err(Unreadable(error).into());
        }
        if let Some(file) = &self.file {
            write(file, &score.to_song().to_smf()?)?;
        }
        if let Some(picture) = &self.picture {
            write(picture, piano_roll(score, 0..PICTURED_BARS).as_bytes())?;
        }
        Ok(())
    }

    fn play(&self, score: &Score, device: &Output, entry: &mut Entry) -> Result<ExitCode> {
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let title = if score.title.is_empty() { "song" } else { &score.title };
        let name: String = title.chars().map(|it| if it.is_alphanumeric() { it } else { '-' }).collect();
        let played = folder.path().join(format!("{}.mid", name.chars().take(40).collect::<String>()));
        std::fs::write(&played, score.to_song().to_smf()?).with_context(|| played.display().to_string())?;
        super::play::file(&played, device, entry)
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.as_os_str() == STDIN {
        return Err(Unreadable(anyhow!("-o -: name a file; standard output has the plan")).into());
    }
    write_whole(path, bytes).with_context(|| path.display().to_string())?;
    eprintln!("kmidi: wrote {}", path.display());
    Ok(())
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    Unreadable(error.into()).into()
}

/// The words of a command line, or what standard input has.
fn text(words: &[String]) -> Result<String> {
    if words != [STDIN] {
        return Ok(words.join(" "));
    }
    let mut text = String::new();
    let mut input = std::io::stdin().take(MAX_TEXT_BYTES + 1);
    input.read_to_string(&mut text).context("standard input").map_err(Unreadable)?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        return Err(
            Unreadable(anyhow!("standard input: more than {} KiB of text", MAX_TEXT_BYTES >> 10)).into()
        );
    }
    Ok(text)
}

fn mode(name: &str) -> Result<Scale, String> {
    Scale::named(name).ok_or_else(|| format!("no scale is called {name}; `kmidi teach scales` lists them"))
}
