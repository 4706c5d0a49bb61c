//! From a sentence to a plan: how long it takes, how many blocks it asks for, and that nothing stays.
//!
//! `cargo bench --bench therapy` exits with 1 where a million calls leave a byte behind, or where a call asks for more blocks
//! than is said here. Times are reported.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use kmidi_compose::plan::TherapySession;
use kmidi_memory::{Domain, Scope};

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// Most blocks that reading a text may ask for: its evidence.
const MOST_BLOCKS_READ: u64 = 40;
/// Most blocks that a plan may ask for: its chords, its sections, its reasons.
const MOST_BLOCKS_PLAN: u64 = 400;
/// Calls that are timed, of each text.
const TIMED: usize = 20_000;
const CALLS: usize = 1_000_000;

const TEXTS: [&str; 5] = [
    "feeling grief and loss",
    "I am furious",
    "a glove in the software wallet",
    "I am so happy, but also a little scared 😢",
    "I used to be strong; now nothing feels real, and I can't breathe. I miss my home, the old days, and you.",
];

fn main() -> ExitCode {
    let start = Instant::now();
    let mut session = TherapySession::default();
    let _ = session.process_core_input(TEXTS[0]);
    black_box(session.generate_plan());
    println!("the first text, with all tables made: {:.0} µs", start.elapsed().as_secs_f64() * 1e6);
    let mut failed = false;
    for text in TEXTS {
        failed |= !blocks(&mut session, text);
        times(&mut session, text);
    }
    let scope = Scope::start();
    for turn in 0..CALLS {
        let _ = session.process_core_input(TEXTS[turn % TEXTS.len()]);
        session.set_scales((turn % 10) as f64, 0.5);
        black_box(session.generate_plan());
    }
    let usage = scope.finish();
    let (left, seconds) = (usage.net_bytes(), usage.seconds);
    println!("{CALLS} calls: {:.1} µs each, {left} bytes left", seconds / CALLS as f64 * 1e6);
    failed |= left != 0;
    if failed {
        println!("therapy: FAILED");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Whether a text asks for no more blocks than it may.
fn blocks(session: &mut TherapySession, text: &str) -> bool {
    let _ = session.process_core_input(text);
    let scope = Scope::start();
    let _ = black_box(session.process_core_input(text));
    let read = scope.usage().of(Domain::Program).allocations;
    black_box(session.generate_plan());
    let plan = scope.finish().of(Domain::Program).allocations - read;
    println!("{text:?}");
    println!(
        "  {read} blocks to read it, {MOST_BLOCKS_READ} at most; {plan} for the plan, {MOST_BLOCKS_PLAN} at most"
    );
    read <= MOST_BLOCKS_READ && plan <= MOST_BLOCKS_PLAN
}

fn times(session: &mut TherapySession, text: &str) {
    let mut times_us: Vec<f64> = (0..TIMED)
        .map(|_| {
            let start = Instant::now();
            let _ = black_box(session.process_core_input(text));
            session.set_scales(7.0, 0.5);
            black_box(session.generate_plan());
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times_us.sort_by(f64::total_cmp);
    let at = |part: f64| times_us[((TIMED - 1) as f64 * part) as usize];
    println!("  p50 {:.1} µs, p99 {:.1} µs, most {:.1} µs, of {TIMED}", at(0.5), at(0.99), at(1.0));
}
