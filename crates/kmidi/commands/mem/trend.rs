//! Figures of a version, to be compared with those of another one: bytes that are counted, which do not
//! depend on the machine as resident pages do.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use kmidi_memory::Budgets;
use kmidi_ml::model::{FileState, ModelName};
use serde::{Deserialize, Serialize};

use super::args::{self, Operation};
use super::demo::Song;
use super::profile::What;
use super::text::mib;
use super::{phases, profile};
use crate::exit::Unreadable;
use crate::models_flag::ModelsFlag;
use crate::output::{print, print_json};

/// Growth that counts, in percent.
const MOST_PERCENT: u64 = 10;
/// Peaks are known no better than this for each thread, and small figures have no percent.
const LEAST_BYTES: u64 = 256 << 10;
/// Longest baseline that is read.
const LONGEST_FILE: u64 = 1 << 20;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// Bytes.
    figures: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    record: Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
struct Comparison {
    /// More than is allowed.
    grown: Vec<Change>,
    shrunk: Vec<Change>,
    /// Figures that one side lacks.
    new: Vec<String>,
    gone: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Change {
    figure: String,
    before_bytes: u64,
    now_bytes: u64,
}

pub fn run(args: &args::Trend) -> Result<ExitCode> {
    let before = args.baseline.as_deref().map(read).transpose().map_err(Unreadable)?;
    let record = Record {
        version: env!("CARGO_PKG_VERSION").into(),
        commit: args.commit.clone(),
        figures: figures()?,
    };
    if let Some(path) = &args.output {
        let mut text = serde_json::to_string_pretty(&record)?;
        text.push('\n');
        std::fs::write(path, text).with_context(|| path.display().to_string())?;
    }
    let comparison = before.map(|before| compare(&before.figures, &record.figures));
    let has_grown = comparison.as_ref().is_some_and(|comparison| !comparison.grown.is_empty());
    let report = Report { record, comparison };
    if args.json {
        print_json(&report)?
    } else {
        print(text(&report).as_bytes())?
    }
    Ok(if has_grown { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> Result<Record> {
    let named = || path.display().to_string();
    let mut text = String::new();
    let file = File::open(path).with_context(named)?;
    file.take(LONGEST_FILE).read_to_string(&mut text).with_context(named)?;
    serde_json::from_str(&text).with_context(named)
}

/// Of the demo song, the built-in SoundFont, and the model for texts where it has been fetched.
fn figures() -> Result<BTreeMap<String, u64>> {
    let song = Song::or_demo(None)?;
    let mut figures = BTreeMap::new();
    for phase in phases::measure(song.path(), &[])? {
        for live in &phase.domains {
            figures.insert(format!("phase {}: {} in use", phase.name, live.domain), live.live_bytes);
        }
    }
    let models = ModelsFlag { models: None }.cache(&Budgets::default(), &[]);
    let is_there = models.state(ModelName::MiniLm).0 == FileState::There;
    for operation in Operation::ALL.into_iter().chain(is_there.then_some(Operation::Embed)) {
        let profiled = profile::measure(operation, &What::demo(song.path()))?;
        let (name, usage) = (profiled.operation, &profiled.usage);
        // Without what was there before: another operation may have left it.
        let live: u64 = usage.domains.iter().map(|it| it.live_bytes).sum();
        let before = live.saturating_add_signed(-profiled.net_bytes);
        let peak = usage.total_peak_bytes.saturating_sub(before);
        // How many sounds a load decodes at once depends on the processors.
        if operation != Operation::Load {
            figures.insert(format!("{name}: peak"), peak);
        }
        // Less than nothing is as good as nothing.
        let bytes = |net_bytes: i64| u64::try_from(net_bytes).unwrap_or(0);
        if let Some(tables) = profiled.table_bytes {
            figures.insert(format!("{name}: tables"), bytes(tables));
        }
        let left = bytes(profiled.net_bytes - profiled.table_bytes.unwrap_or(0));
        figures.insert(format!("{name}: left behind"), left);
    }
    Ok(figures)
}

fn compare(before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> Comparison {
    let mut result = Comparison::default();
    for (figure, &now_bytes) in now {
        let Some(&before_bytes) = before.get(figure) else {
            result.new.push(figure.clone());
            continue;
        };
        let allowed = (before_bytes / 100).saturating_mul(MOST_PERCENT).max(LEAST_BYTES);
        if now_bytes.abs_diff(before_bytes) > allowed {
            let list = if now_bytes > before_bytes { &mut result.grown } else { &mut result.shrunk };
            list.push(Change { figure: figure.clone(), before_bytes, now_bytes });
        }
    }
    result.gone = before.keys().filter(|figure| !now.contains_key(*figure)).cloned().collect();
    result
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for (figure, bytes) in &report.record.figures {
        out += &format!("{figure:<36} {:>8} MiB\n", mib(*bytes));
    }
    let Some(comparison) = &report.comparison else { return out };
    out.push('\n');
    for (word, changes) in [("GROWN", &comparison.grown), ("less", &comparison.shrunk)] {
        for it in changes {
            out += &format!(
                "{word}: {}: {} MiB, was {} MiB\n",
                it.figure,
                mib(it.now_bytes),
                mib(it.before_bytes)
            );
        }
    }
    for (word, figures) in [("new", &comparison.new), ("gone", &comparison.gone)] {
        for figure in figures {
            out += &format!("{word}: {figure}\n");
        }
    }
    if comparison.grown.is_empty() {
        out += &format!("nothing has grown by more than {MOST_PERCENT} %\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn check(before: &[(&str, u64)], now: &[(&str, u64)], grown: &[&str], shrunk: &[&str]) {
        let map =
            |list: &[(&str, u64)]| list.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect();
        let found = compare(&map(before), &map(now));
        let names = |changes: &[Change]| changes.iter().map(|it| it.figure.clone()).collect::<Vec<_>>();
        assert_eq!(
            (names(&found.grown), names(&found.shrunk)),
            (
                grown.iter().map(ToString::to_string).collect(),
                shrunk.iter().map(ToString::to_string).collect()
            )
        );
    }

    #[test]
    fn more_than_a_tenth_is_growth_and_little_is_none() {
        check(&[("a", 100 * MIB)], &[("a", 110 * MIB)], &[], &[]);
        check(&[("a", 100 * MIB)], &[("a", 111 * MIB)], &["a"], &[]);
        check(&[("a", 100 * MIB)], &[("a", 80 * MIB)], &[], &["a"]);
        check(&[("a", 1000), ("b", 0)], &[("a", 200_000), ("b", 300_000)], &["b"], &[]);
        check(&[("gone", 1)], &[("new", 100 * MIB)], &[], &[]);
    }
}
