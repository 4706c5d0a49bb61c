//! The same questions to the same vectors: `kmidi-library`'s search beside a plain scan in numpy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kmidi_library::{CacheLimits, DIMENSIONS, Query, Searcher};
use serde_json::Value;

use crate::measure::{self, Usage};
use crate::pack::{self, Hashing, Place, Recording};

/// What the figures mean.
pub const LEGEND: &str = "\
Search: a thousand questions, of which most differ, for the ten that are most alike; vectors of 384 numbers, made by hashing the
words of names. CPU: user and system time of the process, its start and its files included, the least of five rounds in
turns; start: the same with one question. Pss: the most seen. numpy: float32, one thread, one matrix product and
`argpartition` a question. KmiDi does more: words are searched too, and both orders made one; its cache is off. Equal: of the ten, how many are
among those of numpy, or exactly as much like the question as its tenth.
";

/// Runs of each; the least time counts.
const ROUNDS: usize = 5;
const ITEMS: [usize; 2] = [5_000, 50_000];
const QUESTIONS: usize = 1000;
/// Two that are as alike as this are equally alike.
const SAME: f32 = 2e-3;

/// Measures, and prints the table.
///
/// # Errors
/// Something cannot be run.
pub fn run(python: &Path) -> Result<()> {
    println!("| search | items | CPU s | start s | net µs a question | peak Pss MiB | equal |");
    println!("|---|---|---|---|---|---|---|");
    for items in ITEMS {
        eprintln!("library, {items} items");
        compare(python, items)?;
    }
    println!("\n{LEGEND}");
    Ok(())
}

/// Files that both read.
struct Files {
    place: Place,
    items: usize,
}

impl Files {
    fn new(items: usize) -> Result<Self> {
        let files = Files { place: Place::new(), items };
        pack::write_pack(&files.place.sounds(), items);
        let mut model = Recording::default();
        pack::add(files.place.indexer(), &[files.place.sounds()], Some(&mut model))?;
        let searcher = Searcher::open(&files.place.index(), CacheLimits::default())?;
        write_floats(&files.path("vectors.f32"), model.vectors(&searcher).as_flattened())?;
        let questions: Vec<f32> =
            pack::questions().iter().flat_map(|text| pack::unit(pack::vector(text))).collect();
        write_floats(&files.path("questions.f32"), &questions)?;
        Ok(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    fn kmidi(&self, count: usize) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("library").arg(self.place.index()).arg(count.to_string());
        Ok(command)
    }

    fn numpy(&self, python: &Path, count: usize) -> Command {
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/library/scan.py"));
        command.arg(self.path("vectors.f32")).arg(self.path("questions.f32")).arg(count.to_string());
        // Threads that wait for each other in a loop are processor time too: one takes the least.
        command.env("OPENBLAS_NUM_THREADS", "1");
        command
    }
}

fn compare(python: &Path, items: usize) -> Result<()> {
    let files = Files::new(items)?;
    let mut best: [Option<(f64, f64, f64)>; 2] = [None; 2];
    let mut answers = [vec![], vec![]];
    for round in 1..=ROUNDS {
        for who in 0..2 {
            eprintln!("  {}, {round} of {ROUNDS}", ["KmiDi", "numpy"][who]);
            let command = |count| if who == 0 { files.kmidi(count) } else { Ok(files.numpy(python, count)) };
            let start = measure::run(&mut command(1)?)?.cpu_seconds;
            let usage = measure::run(&mut command(QUESTIONS)?)?;
            let (cpu, first, pss) = best[who].unwrap_or((f64::MAX, f64::MAX, 0.0));
            best[who] = Some((cpu.min(usage.cpu_seconds), first.min(start), pss.max(usage.peak_pss_mib)));
            answers[who] = parse(&usage)?;
        }
    }
    let equal = equal(&files, &answers)?;
    for (who, best) in ["KmiDi", "numpy"].iter().zip(best) {
        let (cpu, start, pss) = best.context("each has run")?;
        let net = (cpu - start).max(0.0) * 1e6 / (QUESTIONS - 1) as f64;
        println!("| {who} | {items} | {cpu:.2} | {start:.2} | {net:.0} | {pss:.1} | {equal:.4} |");
    }
    Ok(())
}

/// Ten items a question.
fn parse(usage: &Usage) -> Result<Vec<Vec<u32>>> {
    let value: Value = serde_json::from_str(usage.stdout.trim()).context("a list of lists")?;
    Ok(serde_json::from_value(value)?)
}

/// The part of KmiDi's ten that numpy has too, or that are as much alike as its tenth.
fn equal(files: &Files, [ours, theirs]: &[Vec<Vec<u32>>; 2]) -> Result<f64> {
    ensure!(ours.len() == QUESTIONS && theirs.len() == QUESTIONS, "a thousand answers");
    let vectors = read_floats(&files.path("vectors.f32"))?;
    let questions = read_floats(&files.path("questions.f32"))?;
    ensure!(vectors.len() == files.items * DIMENSIONS, "a vector an item");
    let row = |all: &[f32], at: usize| all[at * DIMENSIONS..][..DIMENSIONS].to_vec();
    let (mut same, mut all) = (0, 0);
    for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let question = row(&questions, number);
        let alike =
            |item: &u32| row(&vectors, *item as usize).iter().zip(&question).map(|(a, b)| a * b).sum::<f32>();
        let tenth = theirs.iter().map(alike).fold(f32::MAX, f32::min);
        // What is hardly alike has no place in KmiDi's order.
        let counted =
            ours.len().min(theirs.iter().filter(|it| alike(it) > kmidi_library::LEAST_LIKENESS).count());
        same += ours.iter().filter(|it| theirs.contains(it) || alike(it) >= tenth - SAME).count();
        all += counted.max(ours.len());
    }
    Ok(same as f64 / all.max(1) as f64)
}

/// The part of the comparison that runs in a process of its own: asks `count` questions.
///
/// # Errors
/// The index cannot be read.
pub fn ask(index: &Path, count: &str) -> Result<()> {
    let none = CacheLimits { bytes: 0, answers: 0, age: Duration::ZERO };
    let mut searcher = Searcher::open(index, none)?;
    let mut model = Hashing::new();
    let mut answers = vec![];
    for text in pack::questions().iter().take(count.parse()?) {
        let query = Query { limit: 200, ..Query::of(text) };
        let hits = searcher.search(&query, Some(&mut model))?;
        let alike = hits.iter().filter(|hit| (1..=10).contains(&hit.likeness_rank));
        answers.push(alike.map(|hit| hit.item).collect::<Vec<_>>());
    }
    println!("{}", serde_json::to_string(&answers)?);
    Ok(())
}

fn write_floats(path: &Path, numbers: &[f32]) -> Result<()> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    Ok(fs::write(path, bytes)?)
}

fn read_floats(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect())
}
