//! The flags `--trace` and `--trace-file`, and what a command notes in the log while it runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use kmidi_trace::{Draft, Kind, TraceLog};
use serde::Serialize;

use crate::cli::Command;
use crate::commands::{index, intent};

pub const FILE_FLAG: &str = "trace-file";

/// A record keeps so many bytes of a text.
const MOST_TEXT_BYTES: usize = 128;

/// What commands that can be traced share.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Trace")]
pub struct TraceArgs {
    /// Note in the log what was done (never the words of a feeling); kmidi trace reads it
    #[arg(long)]
    pub trace: bool,
    /// The log; $XDG_STATE_HOME/kmidi/trace.jsonl otherwise
    #[arg(long = FILE_FLAG, value_name = "FILE", hide_short_help = true)]
    pub trace_file: Option<PathBuf>,
}

/// The log that a flag names, or the user's own.
pub fn log_path(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let folder = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".local/state")));
    let folder =
        folder.context("no place for the log: set HOME or XDG_STATE_HOME, or name a --trace-file")?;
    Ok(folder.join("kmidi/trace.jsonl"))
}

/// What becomes a record when a command ends; nothing where it is not traced.
#[derive(Default)]
pub struct Entry {
    open: Option<Open>,
}

struct Open {
    log: TraceLog,
    draft: Draft,
    since: Instant,
}

impl Entry {
    /// Begins with a command, where it is to be traced.
    pub fn begin(command: &Command) -> Self {
        let Some((kind, name, source, args)) = traced(command).filter(|(.., args)| args.trace) else {
            return Entry::default();
        };
        match log_path(args.trace_file.as_deref()) {
            Ok(path) => {
                let draft = Draft::new(kind, format!("kmidi::{name}"), short(&source), name);
                Entry { open: Some(Open { log: TraceLog::new(path), draft, since: Instant::now() }) }
            }
            Err(error) => {
                eprintln!("kmidi: warning: nothing is traced: {error:#}");
                Entry::default()
            }
        }
    }

    /// What was asked for.
    pub fn param(&mut self, name: &str, value: impl Serialize) {
        if let (Some(open), Ok(value)) = (&mut self.open, serde_json::to_value(value)) {
            open.draft.seed_params.insert(name.to_owned(), value);
        }
    }

    /// What was measured; what is no number is not noted.
    pub fn metric(&mut self, name: &str, value: f64) {
        if let Some(open) = self.open.as_mut().filter(|_| value.is_finite()) {
            open.draft.metrics.insert(name.to_owned(), value);
        }
    }

    /// What can be said of it, in a word to search for.
    pub fn feature(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.draft.features.push(short(text));
        }
    }

    /// How sure it is, 0 to 1.
    pub fn confidence(&mut self, part: f64) {
        if let Some(open) = &mut self.open {
            open.draft.metadata.insert("confidence".to_owned(), part.clamp(0.0, 1.0).into());
        }
    }

    /// Writes the record. Where that fails, the command has done what it has done all the same.
    pub fn end(mut self, result: &Result<ExitCode>) {
        let is_done = matches!(result, Ok(code) if *code == ExitCode::SUCCESS);
        let seconds = self.open.as_ref().map_or(0.0, |open| open.since.elapsed().as_secs_f64());
        self.metric("seconds", seconds);
        self.feature(if is_done { "done" } else { "failed" });
        let Some(Open { log, mut draft, .. }) = self.open else { return };
        draft.score = Some(if is_done { 1.0 } else { 0.0 });
        let written =
            draft.finish().map_err(anyhow::Error::from).and_then(|record| Ok(log.append(&[record])?));
        if let Err(error) = written {
            eprintln!("kmidi: warning: nothing is traced: {error:#}");
        }
    }
}

/// Of a command that can be traced: what it is, its name, what it is made of, its flags.
fn traced(command: &Command) -> Option<(Kind, &'static str, String, &TraceArgs)> {
    let file = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let first = |files: &[PathBuf]| files.first().map_or_else(|| "nothing".into(), |path| file(path));
    match command {
        Command::Play(args) => Some((Kind::Session, "play", first(&args.files), &args.sound.trace)),
        Command::Serve(args) => Some((Kind::Session, "serve", first(&args.play), &args.sound.trace)),
        Command::Run(args) => Some((Kind::Session, "run", file(&args.rack), &args.trace)),
        Command::Render(args) => Some((Kind::Job, "render", first(&args.files), &args.sound.trace)),
        Command::Fx(args) => Some((Kind::Job, "fx", file(&args.file), &args.trace)),
        Command::Transcribe(args) => Some((Kind::Job, "transcribe", file(&args.file), &args.trace)),
        Command::Phonemes(args) => Some((Kind::Job, "phonemes", file(&args.file), &args.trace)),
        Command::Index(args) => match &args.what {
            index::What::Add(args) => Some((Kind::Job, "index", first(&args.folders), &args.trace)),
            _ => None,
        },
        Command::Therapy(args) => Some((Kind::Plan, "therapy", "words".into(), &args.trace)),
        Command::Intent(args) => match &args.what {
            intent::What::Process(args) => Some((Kind::Plan, "intent", file(&args.file), &args.trace)),
            _ => None,
        },
        _ => None,
    }
}

/// As a record takes it: not empty, not long, without control characters.
fn short(text: &str) -> String {
    let text = if text.is_empty() { "-" } else { text };
    let mut text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    text.truncate(text.floor_char_boundary(MOST_TEXT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_made_one_that_a_record_takes() {
        for text in ["", "a\nb", "é".repeat(200).as_str(), "\u{85}", "song.mid"] {
            Draft::new(Kind::Job, "kmidi::x", short(text), short(text)).finish().expect("taken");
        }
        assert_eq!(short("song.mid"), "song.mid");
    }
}
