//! A copy of a model whose weights take less, and what that costs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use kmidi_memory::Budgets;
use kmidi_ml::MonoSource;
use kmidi_ml::model::{ModelCache, ModelFolders, ModelName};
use kmidi_ml::shrink::{Counted, Difference, Precision, sample_rate_hz, write_copy};
use kmidi_session::Listening;
use serde::Serialize;

use super::super::mem::text::mib;
use super::args::Quantise;
use crate::commands::listeners;
use crate::exit::Unreadable;
use crate::output::{print, print_json};

/// Seconds of a recording that the model and its copy are compared on.
const SECONDS: usize = 20;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    model: ModelName,
    /// How its weights are kept, and how those of the copy.
    weights: String,
    to: Precision,
    /// The graph's file.
    file_bytes: u64,
    copy_bytes: u64,
    #[serde(flatten)]
    counted: Counted,
    /// What both allocate when they are loaded.
    heap_bytes: u64,
    copy_heap_bytes: u64,
    difference: Option<Difference>,
    /// The folder of models that has the copy, if it is kept.
    output: Option<PathBuf>,
}

pub fn run(args: &Quantise) -> Result<ExitCode> {
    if args.on.is_some() && sample_rate_hz(args.model).is_none() {
        return Err(
            Unreadable(anyhow!("--on means nothing to {}: it hears no recording here", args.model)).into()
        );
    }
    let budgets = Budgets::default();
    let models = args.models.originals(&budgets);
    let scratch = tempfile::tempdir()?;
    let folder = args.output.as_deref().unwrap_or(scratch.path());
    let (counted, copy_bytes) = write_copy(&models, args.model, args.to, folder)?;
    let entry = models.entry(args.model);
    let mut report = Report {
        model: args.model,
        weights: entry.weights.clone(),
        to: args.to,
        file_bytes: entry.files.first().map_or(0, |file| file.bytes),
        copy_bytes,
        counted,
        heap_bytes: models.get(args.model)?.heap_bytes(),
        copy_heap_bytes: 0,
        difference: None,
        output: args.output.clone().filter(|_| counted.changed > 0),
    };
    if counted.changed > 0 {
        let copies = ModelCache::new(budgets, ModelFolders::new([folder.to_owned()]));
        report.copy_heap_bytes = copies.get(args.model)?.heap_bytes();
        let sound = sound(args.model, args.on.as_deref(), scratch.path())?;
        report.difference = Difference::measure(args.model, &models, &copies, &sound)?;
    }
    if args.json {
        print_json(&report)?;
    } else {
        print(text(&report).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A recording as a model hears it; nothing for one that reads.
fn sound(model: ModelName, file: Option<&Path>, scratch: &Path) -> Result<Vec<f32>> {
    let Some(rate_hz) = sample_rate_hz(model) else { return Ok(vec![]) };
    let file = match file {
        Some(file) => file.to_owned(),
        None => listeners::speech(scratch)?,
    };
    let mut source = Listening::open(&file, rate_hz).map_err(|error| Unreadable(error.into()))?;
    let mut sound = vec![0.0; rate_hz as usize * SECONDS];
    let frames = source.read(&mut sound).with_context(|| file.display().to_string())?;
    if frames == 0 {
        return Err(Unreadable(anyhow!("{}: there is no sound in it", file.display())).into());
    }
    let faults = source.heard().to_string();
    if !faults.is_empty() {
        eprintln!("kmidi: warning: {}: {faults}", file.display());
    }
    sound.truncate(frames);
    Ok(sound)
}

fn text(report: &Report) -> String {
    let Report { model, weights, to, counted, .. } = report;
    if counted.changed == 0 {
        return format!("{model}: its weights ({weights}) are no larger than {to} would be: nothing to do\n");
    }
    let kib = |bytes: u64| bytes.div_ceil(1024);
    let mut text = format!(
        "{model}, {weights} to {to}: {} KiB of {}, {:.0} % less\n",
        kib(report.copy_bytes),
        kib(report.file_bytes),
        100.0 - report.copy_bytes as f64 / report.file_bytes.max(1) as f64 * 100.0
    );
    text += &format!(
        "  {} tensors take {} KiB of {}; {} are as they were\n",
        counted.changed,
        kib(counted.after_bytes),
        kib(counted.before_bytes),
        counted.kept
    );
    text +=
        &format!("  loaded: {} MiB, and {} before\n", mib(report.copy_heap_bytes), mib(report.heap_bytes));
    match &report.difference {
        Some(Difference { inputs, relative_rms: Some(rms), largest: Some(largest), .. }) => {
            text += &format!(
                "  what it says differs by {:.3} % (RMS) and {largest:.2e} at most, on {inputs}\n",
                rms * 100.0
            );
        }
        Some(Difference { inputs, other_words: Some(other), .. }) => {
            text += &format!("  of {inputs} it spells {other} in another way\n");
        }
        _ => {}
    }
    if let Some(folder) = &report.output {
        text += &format!("  it is in {0}: --models {0} uses it\n", folder.display());
    }
    text
}
