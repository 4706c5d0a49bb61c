//! What loading and running a model takes, measured.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use kmidi_memory::{Domain, MIB, Scope};
use kmidi_ml::model::{FileState, ModelCache, ModelName};
use serde::Serialize;

use super::super::mem::text::mib;
use super::args::Profile;
use crate::output::{print, print_json};

/// A model that takes more than this is worth a word.
const LARGE_BYTES: u64 = 200 * MIB;
/// So are all of them together.
const LARGE_IN_ALL_BYTES: u64 = 500 * MIB;
/// Runs of which the time is told; the first one is not among them.
const RUNS: usize = 5;

/// A model, measured.
#[derive(Serialize)]
struct Profiled {
    model: ModelName,
    weights: String,
    file_bytes: u64,
    load_seconds: f64,
    /// In use of the models' memory before it was loaded.
    before_bytes: u64,
    /// And after.
    after_bytes: u64,
    /// What it has allocated.
    heap_bytes: u64,
    /// What it maps.
    mapped_bytes: u64,
    /// The most that loading took, with what stays.
    load_peak_bytes: u64,
    /// What was promised for that.
    load_lease_bytes: u64,
    /// The middle one of a few runs.
    run_seconds: f64,
    /// The most that a run took beyond the model.
    run_peak_bytes: u64,
    /// What was promised for that.
    run_lease_bytes: u64,
    /// Whether neither took more than was promised.
    within_lease: bool,
    /// What could be done about its size.
    advice: Option<String>,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    models: Vec<Profiled>,
    /// Models that were not measured because they are not there.
    missing: Vec<ModelName>,
    total_bytes: u64,
    advice: Option<String>,
}

/// Exit code 1 where something took more than was promised.
pub fn run(args: &Profile) -> Result<ExitCode> {
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let names = if args.names.is_empty() { ModelName::ALL.to_vec() } else { args.names.clone() };
    let models = args.models.cache(&memory.budgets, &names);
    let mut report = Report { ok: true, models: vec![], missing: vec![], total_bytes: 0, advice: None };
    for model in names {
        // Who names a model is told why it cannot be measured.
        if args.names.is_empty() && models.state(model).0 == FileState::Missing {
            report.missing.push(model);
        } else {
            report.models.push(measure(&models, model)?);
        }
    }
    report.ok = report.models.iter().all(|it| it.within_lease);
    report.total_bytes = report.models.iter().map(|it| it.heap_bytes + it.mapped_bytes).sum();
    report.advice = advice_on_all(report.total_bytes);
    if args.json {
        print_json(&report)?;
    } else {
        print(text(&report).as_bytes())?;
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(models: &ModelCache, model: ModelName) -> Result<Profiled> {
    let live = || kmidi_memory::tally(Domain::Models).live_bytes();
    let before_bytes = live();
    let loading = Scope::start();
    let started = Instant::now();
    let loaded = models.get(model)?;
    let load_seconds = started.elapsed().as_secs_f64();
    let load_peak_bytes = loading.finish().of(Domain::Models).peak_bytes.saturating_sub(before_bytes);
    let after_bytes = live();

    let running = Scope::start();
    loaded.warm_up()?;
    let mut seconds = [0.0; RUNS];
    for seconds in &mut seconds {
        let started = Instant::now();
        loaded.warm_up()?;
        *seconds = started.elapsed().as_secs_f64();
    }
    seconds.sort_by(f64::total_cmp);
    let run_peak_bytes = running.finish().of(Domain::Models).peak_bytes.saturating_sub(after_bytes);

    let entry = loaded.entry();
    let (load_lease_bytes, run_lease_bytes) = (entry.load_bytes(), entry.run_bytes());
    let load_peak_bytes = load_peak_bytes + loaded.mapped_bytes();
    Ok(Profiled {
        model,
        weights: entry.weights.clone(),
        file_bytes: entry.file_bytes(),
        load_seconds,
        before_bytes,
        after_bytes,
        heap_bytes: loaded.heap_bytes(),
        mapped_bytes: loaded.mapped_bytes(),
        load_peak_bytes,
        load_lease_bytes,
        run_seconds: seconds[RUNS / 2],
        run_peak_bytes,
        run_lease_bytes,
        within_lease: load_peak_bytes <= load_lease_bytes && run_peak_bytes <= run_lease_bytes,
        advice: advice_on(loaded.heap_bytes(), loaded.mapped_bytes()),
    })
}

/// What could be done about a model of this size.
fn advice_on(heap_bytes: u64, mapped_bytes: u64) -> Option<String> {
    let bytes = heap_bytes + mapped_bytes;
    (bytes > LARGE_BYTES).then(|| {
        let how = match heap_bytes > mapped_bytes {
            true => "weights of 8 bits, in a file that is mapped, would take a quarter",
            false => "most of it is mapped, and goes when memory is short",
        };
        format!("{} MiB are more than {}: {how}", mib(bytes), mib(LARGE_BYTES))
    })
}

/// What could be done about all of them.
fn advice_on_all(bytes: u64) -> Option<String> {
    (bytes > LARGE_IN_ALL_BYTES).then(|| {
        let (all, limit) = (mib(bytes), mib(LARGE_IN_ALL_BYTES));
        format!("{all} MiB together are more than {limit}: lower --memory-models-mb, and idle models are unloaded sooner")
    })
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "{:<18} {:>7} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>9} {:>9}\n",
        "MiB", "file", "heap", "mapped", "load ms", "load peak", "promised", "run ms", "run peak", "promised"
    );
    for it in &report.models {
        text += &format!(
            "{:<18} {:>7} {:>8} {:>8} {:>8.1} {:>9} {:>9} {:>8.1} {:>9} {:>9}{}\n",
            it.model.name(),
            mib(it.file_bytes),
            mib(it.heap_bytes),
            mib(it.mapped_bytes),
            it.load_seconds * 1000.0,
            mib(it.load_peak_bytes),
            mib(it.load_lease_bytes),
            it.run_seconds * 1000.0,
            mib(it.run_peak_bytes),
            mib(it.run_lease_bytes),
            if it.within_lease { "" } else { "  MORE THAN PROMISED" },
        );
    }
    text += &format!("{:<18} {:>7} {:>8}\n", "all", "", mib(report.total_bytes));
    for model in &report.missing {
        text += &format!("{model} is not there: `kmidi models fetch {model}` gets it\n");
    }
    let of_models =
        report.models.iter().filter_map(|it| Some(format!("{}: {}\n", it.model, it.advice.as_ref()?)));
    text += &of_models.collect::<String>();
    text += &match &report.advice {
        Some(advice) => format!("{advice}\n"),
        None if report.models.iter().all(|it| it.advice.is_none()) => {
            format!(
                "none takes more than {} MiB, nor all together more than {}: nothing to do\n",
                mib(LARGE_BYTES),
                mib(LARGE_IN_ALL_BYTES)
            )
        }
        None => String::new(),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_large_beyond_200_mib_and_all_beyond_500() {
        assert_eq!(advice_on(200 * MIB, 0), None);
        assert!(advice_on(200 * MIB, 1).unwrap().contains("8 bits"));
        assert!(advice_on(1, 200 * MIB).unwrap().contains("mapped"));
        assert_eq!(advice_on_all(500 * MIB), None);
        assert!(advice_on_all(500 * MIB + 1).unwrap().contains("500.0"));
    }
}
