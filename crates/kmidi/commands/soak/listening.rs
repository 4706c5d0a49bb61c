//! Has a model listen to the same recording again and again, and says whether memory or time pile up.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Error, Result};
use kmidi_memory::{Cancel, Domain};
use kmidi_ml::model::{ModelCache, ModelStatistics};
use serde::Serialize;

use super::measure::{Measurements, room};
use super::songs::Songs;
use super::verdict::{self, Verdict};
use super::{ALLOWED_LIVE_BYTES, ALLOWED_RSS_BYTES, progress_bar};
use crate::cli::Soak;
use crate::commands::listeners::{self, Listener};
use crate::exit::{Interrupted, on_signals};
use crate::output::{print, print_json};

/// The part of the calls that may be slower, and fill what is kept: nothing is measured yet.
const WARM_UP: f64 = 0.1;

/// How it went: what `--json` prints.
#[derive(Serialize)]
struct Report {
    ok: bool,
    calls: u64,
    interrupted: bool,
    file: Option<PathBuf>,
    /// Notes or phones that were heard each time.
    heard: usize,
    seconds: f64,
    /// The first call, with loading.
    first_call_seconds: f64,
    p50_seconds: f64,
    p95_seconds: f64,
    verdicts: Vec<Verdict>,
    models: Vec<ModelStatistics>,
}

/// What the calls did.
struct Calls {
    measured: Measurements,
    /// When each one ended, and how long it took; those of the warm-up are left out.
    seconds: Vec<(f64, f64)>,
    first_seconds: f64,
    heard: Vec<usize>,
    /// Of the models that are used, after the first call.
    first: Vec<ModelStatistics>,
    done: u64,
    interrupted: bool,
}

/// Exit code 1 where a verdict is bad.
pub fn run(args: &Soak, listener: Listener, calls: u64) -> Result<ExitCode> {
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let songs = Songs::write()?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => listeners::example(listener, &songs.good[0], songs.folder())?,
    };
    let models = args.models.cache(&memory.budgets, listener.models());
    let start = Instant::now();
    let bar = progress_bar();
    let show = |done: u64| bar.set_position(done * 1000 / calls);
    let listen = || listener.listen(&file, &models, &memory.budgets, &cancel);
    let done = repeat(calls, start, Measurements::new(&memory.budgets), &models, &listen, &show);
    bar.finish_and_clear();
    let done = done?;
    if done.interrupted && done.done == 0 {
        return Err(
            Error::new(Interrupted).context("interrupted in the first call: there is nothing to judge yet")
        );
    }
    let report = report(args, &done, used(&models), start.elapsed().as_secs_f64());
    if args.json {
        print_json(&report)?;
    } else {
        print(text(&report).as_bytes())?;
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn used(models: &ModelCache) -> Vec<ModelStatistics> {
    models.statistics().into_iter().filter(|it| it.loads > 0).collect()
}

fn repeat(
    calls: u64,
    start: Instant,
    mut measured: Measurements,
    models: &ModelCache,
    listen: &dyn Fn() -> Result<usize>,
    show: &dyn Fn(u64),
) -> Result<Calls> {
    let warm_up = ((calls as f64 * WARM_UP) as u64).max(1);
    // All of it beforehand: what grows here is no growth of what is measured.
    let (mut seconds, mut heard) = (room((1.0, 1.0), calls as usize), room(1, calls as usize));
    let mut first = vec![];
    let (mut first_seconds, mut done, mut interrupted) = (0.0, 0, false);
    while done < calls {
        let began = Instant::now();
        match listen() {
            Ok(count) => heard.push(count),
            Err(error) if error.is::<Interrupted>() => {
                interrupted = true;
                break;
            }
            Err(error) => return Err(error),
        }
        let took = began.elapsed().as_secs_f64();
        if done == 0 {
            (first_seconds, first) = (took, used(models));
        }
        if done >= warm_up {
            seconds.push((start.elapsed().as_secs_f64(), took));
            measured.take(start);
        }
        done += 1;
        show(done);
    }
    Ok(Calls { measured, seconds, first_seconds, heard, first, done, interrupted })
}

fn report(args: &Soak, calls: &Calls, models: Vec<ModelStatistics>, seconds: f64) -> Report {
    let mut sorted: Vec<f64> = calls.seconds.iter().map(|it| it.1).collect();
    sorted.sort_by(f64::total_cmp);
    let verdicts = verdicts(calls, &models);
    Report {
        ok: verdicts.iter().all(|verdict| verdict.ok),
        calls: calls.done,
        interrupted: calls.interrupted,
        file: args.file.clone(),
        heard: calls.heard.first().copied().unwrap_or(0),
        seconds,
        first_call_seconds: calls.first_seconds,
        p50_seconds: verdict::percentile(&sorted, 0.5),
        p95_seconds: verdict::percentile(&sorted, 0.95),
        verdicts,
        models,
    }
}

fn verdicts(calls: &Calls, models: &[ModelStatistics]) -> Vec<Verdict> {
    let measured = &calls.measured;
    let mut all = vec![verdict::growth("resident memory", measured.rss.values(), ALLOWED_RSS_BYTES)];
    for (domain, series) in Domain::ALL.into_iter().zip(&measured.live) {
        all.push(verdict::growth(&format!("memory in use, {domain}"), series.values(), ALLOWED_LIVE_BYTES));
    }
    let counts = |of: &[ModelStatistics]| of.iter().map(|it| (it.model.name(), it.loads, it.hits)).collect();
    all.extend([
        verdict::flat("time of a call, p95", &calls.seconds),
        verdict::loaded_once(counts(&calls.first), counts(models), calls.done),
        verdict::same("what was heard", &calls.heard),
    ]);
    all
}

fn text(report: &Report) -> String {
    let mut text = verdict::lines(&report.verdicts);
    let calls = if report.calls == 1 { "call" } else { "calls" };
    text += &format!(
        "{} in {} {calls}{}: the first took {:.0} ms",
        verdict::sum(&report.verdicts),
        report.calls,
        if report.interrupted { ", then interrupted" } else { "" },
        report.first_call_seconds * 1000.0,
    );
    let (p50, p95) = (report.p50_seconds * 1000.0, report.p95_seconds * 1000.0);
    // Of the calls that warm up there is none.
    if p95 > 0.0 {
        text += &format!(", then {p50:.0} (p50) and {p95:.0} (p95)");
    }
    text + "\n"
}
