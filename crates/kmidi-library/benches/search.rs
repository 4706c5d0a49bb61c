//! `cargo bench -p kmidi-library --bench search [FOLDER...]`: the memory of each phase beside that of the system whose goal
//! this is, the time of questions, and how many of the ten most alike are found. Fails where a promise is not kept.
//!
//! 5,000 items: the presets of the SoundFonts that Debian installs, the songs of `assets/midi` and what is in the folders
//! that are named, filled up with songs named like a sample pack: General MIDI's sounds in the words that people describe sounds with.
//! Vectors are made by hashing words, which costs nothing: what a model takes is told by its own bench.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kmidi_library::{
    CacheLimits, DIMENSIONS, Embed, EmbedError, Filter, IndexSettings, Indexer, ItemKind, LEAST_LIKENESS,
    Query, Range, Searcher, status,
};
use kmidi_memory::{Domain, Meter, process_memory, tally};

#[path = "../tests/support/mod.rs"]
mod support;

use support::{Hashing, Place, add, questions, unit, vector, write_pack};

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

const ITEMS: u64 = 5000;
/// What the engine may have in steady state.
const GOAL_BYTES: u64 = 3_000_000;
/// What a question that was asked before may take.
const CACHED_LIMIT: Duration = Duration::from_millis(1);
/// Memory of the process in each phase, in MB, as the report of the other system has it (10 files).
const OTHER_MB: [f64; 5] = [17.02, 34.83, 45.02, 68.54, 69.61];
const PHASES: [&str; 5] = ["initial", "init", "index", "query", "final"];

/// Likenesses that differ by less are the same.
const SAME: f32 = 1e-3;
/// Of the ten most alike so many are to be found.
const LEAST_RECALL: f64 = 0.99;

/// Keeps the vectors that it makes.
struct Keeping(Vec<[f32; DIMENSIONS]>);

impl Embed for Keeping {
    fn id(&self) -> &str {
        "hashing 1"
    }

    fn knows(&self, _: &str) -> bool {
        true
    }

    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        let vector = vector(text);
        self.0.push(unit(vector));
        Ok(vector)
    }
}

/// What is in memory in one phase.
#[derive(Clone, Copy)]
struct Phase {
    process_bytes: u64,
    tracked_bytes: u64,
    resident_index_bytes: u64,
    cache_bytes: u64,
}

impl Phase {
    fn now(meter: &Meter, searcher: Option<&Searcher>) -> Self {
        let memory = searcher.map(|searcher| searcher.memory().expect("the kernel knows"));
        let process = process_memory().expect("the kernel knows");
        Phase {
            process_bytes: process.rss_anon_bytes + process.rss_file_bytes + process.rss_shmem_bytes,
            tracked_bytes: u64::try_from(meter.net_bytes()).unwrap_or(0),
            resident_index_bytes: memory.map_or(0, |it| it.index_resident_bytes),
            cache_bytes: memory.map_or(0, |it| it.cache_bytes),
        }
    }

    fn engine_bytes(&self) -> u64 {
        self.tracked_bytes + self.resident_index_bytes
    }
}

fn main() {
    let folders: Vec<PathBuf> =
        std::env::args().skip(1).filter(|it| !it.starts_with('-')).map(PathBuf::from).collect();
    let place = Place::new();
    Domain::Working.charge(|| run(&place, &folders));
}

fn run(place: &Place, named: &[PathBuf]) {
    let meter = Meter::start(Domain::Working);
    let mut phases = vec![Phase::now(&meter, None)];
    std::fs::create_dir_all(place.sounds()).expect("a folder");
    add(place.indexer(), &[place.sounds()], Some(&mut Hashing::new())).expect("an empty index");
    let empty = Searcher::open(&place.index(), CacheLimits::default()).expect("it opens");
    phases.push(Phase::now(&meter, Some(&empty)));
    drop(empty);
    let folders = index(place, named);
    let mut searcher = Searcher::open(&place.index(), CacheLimits::default()).expect("it opens");
    phases.push(Phase::now(&meter, Some(&searcher)));
    let (fresh, repeated) = ask(&mut searcher);
    phases.push(Phase::now(&meter, Some(&searcher)));
    let cached = ask_again(&mut searcher);
    phases.push(Phase::now(&meter, Some(&searcher)));
    print_phases(&phases);
    let last = phases.last().expect("five").engine_bytes();
    println!("\nsteady state of the engine: {:.2} MB of at most {:.2}", mb(last), mb(GOAL_BYTES));
    println!(
        "new questions      p50 {:?}, p95 {:?}, most {:?}",
        at(&fresh, 50),
        at(&fresh, 95),
        at(&fresh, 100)
    );
    println!(
        "asked before       p50 {:?}, p95 {:?}, most {:?}, of {}",
        at(&cached, 50),
        at(&cached, 95),
        at(&cached, 100),
        cached.len()
    );
    let recall = recall(place, &folders);
    println!("recall@10 against exact arithmetic: {recall:.4}");
    println!("hits in the first thousand: {repeated}; {:?}", searcher.cache_counts());
    assert!(recall >= LEAST_RECALL, "of the ten most alike, {recall} are found");
    assert!(last < GOAL_BYTES, "the engine has {last} bytes");
    // Once in a while the machine is elsewhere.
    assert!(at(&cached, 95) < CACHED_LIMIT, "a question that was asked before took {:?}", at(&cached, 95));
}

/// Returns the folders that are in the index.
fn index(place: &Place, named: &[PathBuf]) -> Vec<PathBuf> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/midi");
    let fonts = Path::new("/usr/share/sounds");
    let found = [assets, fonts.to_owned()].into_iter().filter(|it| it.is_dir());
    let mut folders: Vec<PathBuf> = found.chain(named.iter().cloned()).collect();
    let started = Instant::now();
    let real = add(place.indexer(), &folders, Some(&mut Hashing::new())).expect("it is indexed").items;
    write_pack(&place.sounds(), ITEMS.saturating_sub(real) as usize);
    folders.push(place.sounds());
    let report = add(place.indexer(), &folders, Some(&mut Hashing::new())).expect("it is indexed");
    assert!(report.items >= ITEMS, "{report:?}");
    let status = status(&place.index()).expect("it opens");
    println!("{:?}, of which {real} are installed, in {:?}", status.items, started.elapsed());
    println!(
        "index {:.2} MB, of which a search maps {:.2} MB",
        mb(status.file_bytes),
        mb(status.mapped_bytes)
    );
    folders
}

/// Of the ten texts that are most like a question by exact arithmetic, how many are found, all questions together.
fn recall(place: &Place, folders: &[PathBuf]) -> f64 {
    let (path, mut model) = (place.path("again.index"), Keeping(vec![]));
    let indexer = Indexer::open(&path, IndexSettings::default()).expect("a new index");
    add(indexer, folders, Some(&mut model)).expect("it is indexed");
    let mut searcher = Searcher::open(&path, CacheLimits::default()).expect("it opens");
    let vectors = model.0;
    let (mut found, mut all) = (0, 0);
    for text in questions() {
        let question = unit(vector(&text)).map(f64::from);
        let cosine =
            |it: &[f32; DIMENSIONS]| it.iter().zip(&question).map(|(a, b)| f64::from(*a) * b).sum::<f64>();
        let mut exact: Vec<f32> = vectors.iter().map(|it| cosine(it) as f32).collect();
        exact.sort_by(|a, b| b.total_cmp(a));
        exact.truncate(10);
        exact.retain(|it| *it > LEAST_LIKENESS + SAME);
        let query = Query { limit: 1000, ..Query::of(&text) };
        let hits = searcher.search(&query, Some(&mut Hashing::new())).expect("no model fails here");
        let mut ours: Vec<f32> = hits.iter().map(|it| it.likeness).filter(|it| *it > 0.0).collect();
        ours.sort_by(|a, b| b.total_cmp(a));
        // Several items may have one text.
        ours.dedup();
        let least = exact.last().copied().unwrap_or(0.0) - SAME;
        found += ours.iter().take(exact.len()).filter(|it| **it >= least).count();
        all += exact.len();
    }
    found as f64 / all.max(1) as f64
}

/// A thousand questions, filters and limits of all kinds. The time of each that was new, and how many were not.
fn ask(searcher: &mut Searcher) -> (Vec<Duration>, u64) {
    let mut model = Hashing::new();
    let mut times = vec![];
    for (number, text) in questions().iter().enumerate() {
        let filter = Filter {
            kind: (number % 7 == 0).then_some(ItemKind::Midi),
            bpm: (number % 11 == 0).then_some(Range { from: 80.0, to: 130.0 }),
            ..Filter::default()
        };
        let query = Query { filter, limit: [5, 10, 50][number % 3], ..Query::of(text) };
        let (before, started) = (searcher.cache_counts().misses, Instant::now());
        searcher.search(&query, Some(&mut model)).expect("no model fails here");
        let time = started.elapsed();
        if searcher.cache_counts().misses > before {
            times.push(time);
        }
    }
    times.sort();
    (times, searcher.cache_counts().hits)
}

/// The time of questions that were asked just before; none of them takes memory.
fn ask_again(searcher: &mut Searcher) -> Vec<Duration> {
    let mut model = Hashing::new();
    let texts: Vec<String> = questions().into_iter().take(100).collect();
    let mut times = Vec::with_capacity(10 * texts.len());
    for text in &texts {
        searcher.search(&Query::of(text), Some(&mut model)).expect("no model fails here");
    }
    let before = tally(Domain::Working);
    for _ in 0..10 {
        for text in &texts {
            let started = Instant::now();
            searcher.search(&Query::of(text), Some(&mut model)).expect("no model fails here");
            times.push(started.elapsed());
        }
    }
    let after = tally(Domain::Working);
    assert_eq!(after.allocated_bytes, before.allocated_bytes, "bytes for questions that were asked before");
    times.sort();
    times
}

fn print_phases(phases: &[Phase]) {
    println!(
        "\n| phase | process MB | tracked MB | index resident MB | of tracked: cache MB | engine MB | the other's process MB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for ((name, phase), other) in PHASES.iter().zip(phases).zip(OTHER_MB) {
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {other:.2} |",
            mb(phase.process_bytes),
            mb(phase.tracked_bytes),
            mb(phase.resident_index_bytes),
            mb(phase.cache_bytes),
            mb(phase.engine_bytes()),
        );
    }
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}
