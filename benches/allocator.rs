//! What counting costs: the same app-like work through the bare allocator and through the one that
//! counts, in turns, in one process.
//!
//! `cargo bench --bench allocator` exits with 1 where it takes more than 1.04 times the instructions; the time
//! is told.

use std::alloc::{GlobalAlloc, Layout};
use std::collections::{BTreeMap, HashMap};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use kmidi_memory::{Domain, Heap};
use kmidi_song::{SmfEvent, Song};
use mimalloc::MiMalloc;

/// The most that counting may cost.
const MOST: f64 = 1.04;
const ROUNDS: usize = 600;
/// Which way this process works, under callgrind.
const MEASURED: &str = "KMIDI_ALLOCATOR_MEASURED";
const BARE: &str = "bare";
const COUNTED: &str = "counted";
/// Times the work is done there: what comes before it does not matter then.
const MEASURED_READS: usize = 6;

/// One allocator or the other; what one has given goes back to it, as each round cleans up.
struct Switch;

static COUNTS: AtomicBool = AtomicBool::new(false);
static COUNTING: Heap = Heap::new();

// SAFETY: each block goes back to the allocator it came from, see `measured`.
unsafe impl GlobalAlloc for Switch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { if COUNTS.load(Relaxed) { COUNTING.alloc(layout) } else { MiMalloc.alloc(layout) } }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe {
            if COUNTS.load(Relaxed) { COUNTING.alloc_zeroed(layout) } else { MiMalloc.alloc_zeroed(layout) }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe {
            if COUNTS.load(Relaxed) {
                COUNTING.dealloc(block, layout)
            } else {
                MiMalloc.dealloc(block, layout)
            }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe {
            if COUNTS.load(Relaxed) {
                COUNTING.realloc(block, layout, size)
            } else {
                MiMalloc.realloc(block, layout, size)
            }
        }
    }
}

#[global_allocator]
static GLOBAL: Switch = Switch;

fn main() -> ExitCode {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom");
    let entries = std::fs::read_dir(folder).expect("the songs are there");
    let paths = entries.map(|entry| entry.expect("a folder that can be read").path());
    let songs: Vec<Vec<u8>> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "mid"))
        .map(|path| std::fs::read(path).expect("a song that can be read"))
        .collect();
    if let Ok(way) = std::env::var(MEASURED) {
        (0..MEASURED_READS).for_each(|_| {
            measured(&songs, way == COUNTED);
        });
        return ExitCode::SUCCESS;
    }
    let mut least = [f64::INFINITY; 2];
    for round in 0..2 * ROUNDS {
        // In turns, and not always in the same order: what else the machine does meets both alike.
        let counts = (round + round / 2) % 2 == 0;
        let least = &mut least[usize::from(counts)];
        *least = least.min(measured(&songs, counts));
    }
    let [bare, counted] = least;
    println!(
        "time, least of {ROUNDS} rounds: bare {:.2} ms, counting {:.2} ms: {:.3}",
        bare * 1e3,
        counted * 1e3,
        counted / bare
    );
    let tally = kmidi_memory::tally(Domain::Working);
    println!("{} blocks a round", tally.allocations / ROUNDS as u64);
    if tally.live_bytes() != 0 || tally.allocations == 0 {
        println!("allocator: FAILED: {tally:?}");
        return ExitCode::FAILURE;
    }
    let (Some(bare), Some(counted)) = (instructions(BARE), instructions(COUNTED)) else {
        println!("valgrind is not installed; instructions are not measured (apt-get install valgrind)");
        return ExitCode::SUCCESS;
    };
    let ratio = counted as f64 / bare as f64;
    println!("instructions: bare {bare}, counting {counted}: {ratio:.4}; at most {MOST}");
    if ratio <= MOST { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Instructions of the whole program when it does the work in one way, [`MEASURED_READS`] times: the same
/// on every run. None without valgrind.
fn instructions(way: &str) -> Option<u64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program has a path"))
        .env(MEASURED, way)
        .output()
        .ok()?;
    let told = String::from_utf8_lossy(&run.stderr);
    let collected =
        told.lines().find_map(|line| line.split_once("Collected :")).map(|(_, number)| number.trim());
    Some(collected.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("callgrind: {told}")))
}

/// Seconds of processor time that the work takes. All that it allocates is free again at the end.
fn measured(songs: &[Vec<u8>], counts: bool) -> f64 {
    COUNTS.store(counts, Relaxed);
    let start = cpu_seconds();
    Domain::Working.charge(|| work(songs));
    let seconds = cpu_seconds() - start;
    COUNTS.store(false, Relaxed);
    seconds
}

fn cpu_seconds() -> f64 {
    kmidi_sys::process_cpu_time().expect("this system counts processor time").as_secs_f64()
}

/// What a program around songs does: reads them, gathers, names, sorts, writes.
fn work(songs: &[Vec<u8>]) {
    let mut notes: HashMap<String, Vec<(i64, u8, u8)>> = HashMap::new();
    for (number, bytes) in songs.iter().enumerate() {
        let (song, _) = Song::from_smf(bytes).expect("a whole song");
        for (tick, event) in song.tracks.iter().flat_map(|track| &track.events) {
            if let SmfEvent::Channel([status, key, velocity]) = event {
                let name = format!("song {number}, channel {}, key {key}", status & 15);
                notes.entry(name).or_default().push((tick.0, *key, *velocity));
            }
        }
    }
    let mut sorted: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
    for (name, notes) in &mut notes {
        notes.sort_unstable_by_key(|note| note.2);
        sorted.insert(name, serde_json::json!({ "notes": notes.len(), "first": notes.first() }));
    }
    std::hint::black_box(serde_json::to_string(&sorted).expect("plain values"));
}
