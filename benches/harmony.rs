//! What a note costs the follower of chords and keys, and a block the detector of onsets: the time of each call, and that none
//! of them allocates.
//!
//! `cargo bench --bench harmony`, or on its own, without the rest of the workspace,
//! `cargo run --release -p kmidi-compose --example bench_harmony`. `KMIDI_HARMONY_EVENTS` shortens it. It exits with 1 if anything was
//! allocated, or if an event takes more instructions than its budget where valgrind can count them; nothing is gated on time.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Instant;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_compose::analysis::audio::OnsetDetector;
use kmidi_compose::analysis::follow::Follower;
use kmidi_song::Random;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATE: u32 = 48_000;
const EVENTS: usize = 1_000_000;
const BLOCK: usize = 512;
const BLOCKS: usize = 100_000;
/// Most instructions an event may take in the mean, the time until the next one included. Measured: 6,200 in a build for tests
/// (x86-64); raise it only with a reason in the commit.
const INSTRUCTIONS_PER_EVENT: u64 = 9_000;
/// How many events this process is to play and then end, without measuring.
const MEASURED: &str = "KMIDI_HARMONY_MEASURED";

fn main() -> ExitCode {
    if let Some(events) = number(MEASURED) {
        play(events, |work| work());
        return ExitCode::SUCCESS;
    }
    let events = number("KMIDI_HARMONY_EVENTS").unwrap_or(EVENTS);
    reset_violation_count();
    let mut times = Vec::with_capacity(events);
    let chords = play(events, |work| {
        let start = Instant::now();
        assert_no_alloc(work);
        times.push(start.elapsed().as_nanos() as u64);
    });
    report("follower, an event and the quantum behind it", &mut times);
    println!("  a chord was told after {chords} of {events} events");
    let mut times = listen(events.min(BLOCKS));
    report("onset detector, 512 frames", &mut times);
    let allocations = violation_count();
    println!("allocations: {allocations}");
    // The watch is awake: the same with a planted allocation.
    assert_no_alloc(|| drop(black_box(Box::new(1))));
    let awake = violation_count() > allocations;
    if !awake {
        println!("FAILED: a planted allocation was not seen");
    }
    let passed = awake && allocations == 0 && chords > events / 10 && within_budget();
    println!("harmony: {}", if passed { "passed" } else { "FAILED" });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// Plays chords, tunes and pedals on some channels, each event (and a quantum of 64 to 1000 frames) through `call`; after how many
/// of them a chord was told.
fn play(events: usize, mut call: impl FnMut(&mut dyn FnMut())) -> usize {
    let mut follower = Follower::new(RATE);
    let mut random = Random::new(25);
    let mut held: [Option<(u8, u8)>; 12] = [None; 12];
    let mut chords = 0;
    for event in 0..events {
        let slot = random.below(held.len() as u32) as usize;
        let (channel, key) = (random.below(8) as u8, 28 + random.below(72) as u8);
        // Mostly in C, so that there are chords.
        let key = if [1, 3, 6, 8, 10].contains(&(key % 12)) && random.chance(0.9) { key - 1 } else { key };
        let frames = 64 + random.below(937);
        let ended = held[slot].take();
        if ended.is_none() {
            held[slot] = Some((channel, key));
        }
        call(&mut || {
            match ended {
                _ if event % 97 == 0 => follower.sustain(0, channel, event % 2 == 0),
                Some((channel, key)) => follower.note_off(0, channel, key),
                None => follower.note_on(0, channel, key),
            }
            follower.advance(frames);
        });
        chords += usize::from(black_box(follower.reading()).chord.is_some());
    }
    chords
}

/// Beats in noise, block by block.
fn listen(blocks: usize) -> Vec<u64> {
    let mut detector = OnsetDetector::new(RATE).expect("the rate is within its range");
    let mut random = Random::new(26);
    let mut samples = [0.0f32; BLOCK];
    let mut onsets = 0;
    let times = (0..blocks)
        .map(|block| {
            for (n, sample) in samples.iter_mut().enumerate() {
                let since = ((block * BLOCK + n) % 19_200) as f32;
                *sample = (random.unit() as f32 - 0.5) * (0.01 + 0.8 * (-since / 500.0).exp());
            }
            let start = Instant::now();
            assert_no_alloc(|| detector.push(&samples, |_| onsets += 1)).expect("they are numbers");
            start.elapsed().as_nanos() as u64
        })
        .collect();
    println!("  {onsets} onsets in {blocks} blocks");
    times
}

fn report(name: &str, nanoseconds: &mut [u64]) {
    nanoseconds.sort_unstable();
    let at = |share: f64| {
        let place = (nanoseconds.len() as f64 * share) as usize;
        nanoseconds.get(place.min(nanoseconds.len() - 1)).map_or(0.0, |&time| time as f64 / 1e3)
    };
    println!(
        "{name}: p50 {:.2} µs, p99 {:.2} µs, p99.9 {:.2} µs, max {:.2} µs ({} calls)",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        nanoseconds.len()
    );
}

/// Whether an event keeps within its budget of instructions: two runs under valgrind, whose difference is
/// events alone. Without valgrind nothing is measured, which is said and passes.
fn within_budget() -> bool {
    const FEW: u64 = 1000;
    const MANY: u64 = 21_000;
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: valgrind is not installed; not measured (apt-get install valgrind)");
        return true;
    }
    let (Some(few), Some(many)) = (instructions(FEW), instructions(MANY)) else {
        println!("instructions: FAILED: callgrind gave no figure");
        return false;
    };
    let each = many.saturating_sub(few) / (MANY - FEW);
    println!("instructions an event: {each}, budget {INSTRUCTIONS_PER_EVENT}");
    (1..=INSTRUCTIONS_PER_EVENT).contains(&each)
}

/// Instructions of a run of so many events, start and end of the process included.
fn instructions(events: u64) -> Option<u64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .env(MEASURED, events.to_string())
        .output()
        .ok()?;
    // Its summary: `==1== Collected : 12345`.
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    let figure = text.lines().find_map(|line| line.split_once("Collected : "))?.1;
    figure.split_whitespace().next()?.parse().ok()
}
