//! `kmidi plugin`: what plugins there are.

pub mod args;
mod text;

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::Result;
use kmidi_session::certify::{self, Certificate, Grade, Summary};
use kmidi_session::plugins::{
    self, Description, Failure, Index, Kind, PluginId, ScanProgress, ScanRequest, ScanSummary,
};
use serde::Serialize;

use self::args::{Info, List, Plugin, Scan, What};
use super::progress_bar;
use crate::exit::{self, Interrupted, Unreadable, on_signals};
use crate::output::{print, print_json};

pub fn run(args: Plugin) -> Result<ExitCode> {
    match args.what {
        What::Scan(args) => scan(args),
        What::List(args) => list(args),
        What::Info(args) => info(args),
        What::Presets(args) => presets(args),
    }
}

/// A plugin in a list.
#[derive(Serialize)]
struct Row<'a> {
    id: String,
    format: &'a str,
    name: &'a str,
    vendor: &'a str,
    version: &'a str,
    kind: Kind,
    path: &'a std::path::Path,
    audio_inputs: u16,
    audio_outputs: u16,
    parameters: usize,
    /// None where the file as it is now has not been certified.
    grade: Option<Grade>,
}

impl<'a> Row<'a> {
    fn of(description: &'a Description, grades: &HashMap<PluginId, Summary>) -> Self {
        let channels = |ports: &[plugins::AudioPort]| ports.iter().map(|port| port.channels).sum();
        Row {
            id: description.id.to_string(),
            format: description.id.format.name(),
            name: &description.name,
            vendor: &description.vendor,
            version: &description.version,
            kind: description.kind,
            path: &description.path,
            audio_inputs: channels(&description.audio_inputs),
            audio_outputs: channels(&description.audio_outputs),
            parameters: description.parameters.len(),
            grade: grades.get(&description.id).map(|summary| summary.grade),
        }
    }
}

/// A plugin or file that cannot be used.
#[derive(Serialize)]
struct Failed<'a> {
    path: &'a std::path::Path,
    #[serde(flatten)]
    failure: &'a Failure,
}

fn failed(index: &Index) -> Vec<Failed<'_>> {
    index.failures().map(|(path, failure)| Failed { path, failure }).collect()
}

fn scan(args: Scan) -> Result<ExitCode> {
    let request = ScanRequest {
        folders: args.folders,
        limit: args.timeout,
        retry_failed: args.retry,
        rescan_all: args.all,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    on_signals(move || told.store(true, Relaxed))?;
    let bar = progress_bar();
    let scanned = plugins::scan(&request, &stop, |ScanProgress { done, total, path }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    });
    bar.finish_and_clear();
    let (index, summary) = scanned?;
    for path in &summary.unnamed {
        eprintln!("kmidi: warning: {path}: passed over, as its name is not UTF-8: rename it");
    }
    let (plugins, failures) = (index.plugins(), failed(&index));
    if args.json {
        #[derive(Serialize)]
        struct Report<'a> {
            #[serde(flatten)]
            summary: ScanSummary,
            plugins: usize,
            failures: Vec<Failed<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            exit_code: Option<u8>,
        }
        let interrupted = summary.is_cut_short.then(|| anyhow::Error::from(Interrupted));
        let exit_code = interrupted.as_ref().map(exit::code);
        let error = interrupted.as_ref().map(exit::describe);
        print_json(&Report { summary, plugins: plugins.len(), failures, error, exit_code })?;
        return Ok(ExitCode::from(exit_code.unwrap_or(0)));
    }
    print(text::scan(&summary, plugins.len(), &failures)?.as_bytes())?;
    match summary.is_cut_short {
        true => Err(Interrupted.into()),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn list(args: List) -> Result<ExitCode> {
    let index = plugins::open_index()?;
    if index.files.is_empty() {
        eprintln!("kmidi: no plugins are known; `kmidi plugin scan` finds those that are installed");
    }
    if args.failed {
        let failures = failed(&index);
        match args.json {
            true => print_json(&serde_json::json!({ "failures": failures }))?,
            false => print(text::failures(&failures)?.as_bytes())?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (format, kind) = (args.format.map(Into::into), args.kind.map(Into::into));
    let wanted = |description: &&&Description| {
        format.is_none_or(|format| description.id.format == format)
            && kind.is_none_or(|kind| description.kind == kind)
    };
    let all = index.plugins();
    let grades = certify::grades(&index)?;
    let rows: Vec<_> = all.iter().filter(wanted).map(|description| Row::of(description, &grades)).collect();
    match args.json {
        true => print_json(&serde_json::json!({ "plugins": rows }))?,
        false => print(text::list(&rows)?.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn info(args: Info) -> Result<ExitCode> {
    let description = &plugins::lookup()?.find(&args.plugin).map_err(|error| Unreadable(error.into()))?;
    let certificate = match certify::summary(description) {
        Some(summary) => certify::certificate(&summary)?,
        None => None,
    };
    match args.json {
        true => print_json(&Known { description, certificate: certificate.as_ref() })?,
        false => {
            print(text::info(description)?.as_bytes())?;
            print(text::certificate(certificate.as_ref())?.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known of a plugin.
#[derive(Serialize)]
struct Known<'a> {
    #[serde(flatten)]
    description: &'a Description,
    certificate: Option<&'a Certificate>,
}

fn presets(args: Info) -> Result<ExitCode> {
    let presets = plugins::presets(&args.plugin).map_err(|error| Unreadable(error.into()))?;
    if presets.is_empty() {
        eprintln!("kmidi: {} has no presets", args.plugin);
    }
    match args.json {
        true => print_json(&serde_json::json!({ "presets": presets }))?,
        false => print(text::presets(&presets)?.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}
