//! `kmidi phonemes`: what is said in a recording, and how it differs from what should be.

pub mod args;
mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use kmidi_memory::{Cancel, JobContext, JobError, MIB};
use kmidi_ml::Progress;
use kmidi_ml::model::{ModelCache, ModelName, ModelStatistics};
use kmidi_ml::phonemes::{Analysis, Fault, PhonemeError, SAMPLE_RATE_HZ, analyse, text_grid};
use kmidi_session::{Heard, Listening};
use serde::Serialize;

use self::args::Phonemes;
use super::progress_bar;
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::output::{print, print_json};
use crate::trace_flag::Entry;

/// The models that listen, and that spell a text.
const USED: [ModelName; 4] =
    [ModelName::SileroVad, ModelName::HamaAsr, ModelName::HamaG2pEncoder, ModelName::HamaG2pDecoder];

/// What `--json` prints: the analysis, and what came of it.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a Path,
    source: Heard,
    #[serde(flatten)]
    analysis: &'a Analysis,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<ModelStatistics>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    exit_code: u8,
}

pub fn run(args: Phonemes, entry: &mut Entry) -> Result<ExitCode> {
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let models = args.models.cache(&memory.budgets, &USED);
    // Before signals are heard: a pipe waits for its other end here.
    let mut source = Listening::open(&args.file, SAMPLE_RATE_HZ).map_err(|error| Unreadable(error.into()))?;
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let settings = args.settings();
    let bar = progress_bar();
    bar.set_message("listening");
    let mut told = |progress: Progress| {
        if let Some(of) = progress.of.filter(|it| *it > 0) {
            bar.set_position(progress.frames * 1000 / of);
        }
    };
    let mut need = settings.need();
    need.bytes += source.bytes();
    let done = JobContext::run(&memory.budgets, need, &cancel, |job| {
        analyse(&models, &mut source, &settings, &job, &mut told)
    });
    bar.finish_and_clear();
    let analysis =
        done.map_err(PhonemeError::from).and_then(|it| it).map_err(|error| failed(&args.file, error))?;
    note(&analysis, entry);
    show(&args, &analysis, source.heard(), &models)
}

/// What was said is nobody's business: figures only.
fn note(analysis: &Analysis, entry: &mut Entry) {
    entry.metric("duration_seconds", analysis.duration_seconds);
    entry.metric("phones", analysis.phones.len() as f64);
    if let Some(score) = analysis.score {
        entry.metric("phoneme_error_rate", score.phoneme_error_rate);
    }
    if !analysis.quality.accepted {
        entry.feature("not good enough");
    }
}

fn show(args: &Phonemes, analysis: &Analysis, source: Heard, models: &ModelCache) -> Result<ExitCode> {
    let damage = source.to_string();
    if !damage.is_empty() {
        eprintln!("kmidi: warning: {}: {damage}", args.file.display());
    }
    let is_damaged = source.not_numbers + source.too_loud > 0;
    let faults: Vec<String> = analysis.quality.faults.iter().map(|fault| told(fault, is_damaged)).collect();
    for fault in &faults {
        eprintln!("kmidi: {}: {fault}", args.file.display());
    }
    let refused = !analysis.quality.accepted && !args.force;
    let statistics = || models.statistics().into_iter().filter(|it| it.loads > 0).collect::<Vec<_>>();
    if args.json {
        print_json(&Report {
            file: &args.file,
            source,
            analysis,
            models: args.stats.then(statistics),
            error: refused.then(|| format!("{}: {}", args.file.display(), faults.join("; "))),
            exit_code: refused.into(),
        })?;
    } else if !refused {
        let shown = if args.textgrid { text_grid(analysis) } else { text::text(&args.file, analysis) };
        print(shown.as_bytes())?;
    }
    if args.stats && !args.json {
        for it in statistics() {
            let mib = (it.heap_bytes + it.mapped_bytes) as f64 / MIB as f64;
            eprintln!(
                "kmidi: {}: loaded {} times, used {} times, {mib:.1} MiB",
                it.model,
                it.loads,
                it.loads + it.hits
            );
        }
    }
    Ok(ExitCode::from(u8::from(refused)))
}

/// A fault in words. Where samples are damaged it is no question of the microphone.
fn told(fault: &Fault, is_damaged: bool) -> String {
    match fault {
        Fault::NoSound if is_damaged => "there is no sound in it beside samples that are damaged".to_owned(),
        fault => fault.to_string(),
    }
}

fn failed(path: &Path, error: PhonemeError) -> anyhow::Error {
    let told = || anyhow!("{}: {error}", path.display());
    match &error {
        PhonemeError::Cancelled | PhonemeError::Job(JobError::Cancelled) => Interrupted.into(),
        PhonemeError::Source(_) | PhonemeError::RecordingTooLong { .. } => Unreadable(told()).into(),
        PhonemeError::NoPhone(_)
        | PhonemeError::UnknownPhone { .. }
        | PhonemeError::NoWords
        | PhonemeError::Unreadable { .. }
        | PhonemeError::TextChars { .. }
        | PhonemeError::WordTooLong { .. }
        | PhonemeError::TextTooLong { .. } => Unreadable(error.into()).into(),
        _ => error.into(),
    }
}
