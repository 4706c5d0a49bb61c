//! What looking at memory costs: a scope around a piece of work, and the monitor beside all work.
//!
//! `cargo bench --bench profile_scope` exits with 1 where a scope takes over 10 µs, or the monitor over 1 % of
//! a processor.

use std::process::ExitCode;
use std::sync::Barrier;
use std::time::Duration;

use kmidi_memory::{Budgets, Domain, LeakRules, LeakWatch, Limits, Monitor, MonitorConfig, Scope};

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// The most that a scope may take.
const MOST_SCOPE_S: f64 = 10e-6;
/// The most of a processor that the monitor may take.
const MOST_MONITOR: f64 = 0.01;
/// Threads that have counted: a scope adds up what each of them has.
const THREADS: usize = 16;
const ROUNDS: usize = 50;
const SCOPES: usize = 1000;

fn main() -> ExitCode {
    let _held = crowd();
    let scope_s = scope();
    let monitor = monitor();
    println!("a scope {:.2} µs; at most {:.0}", scope_s * 1e6, MOST_SCOPE_S * 1e6);
    println!(
        "the monitor, a look each second: {:.3} % of a processor; at most {}",
        monitor * 100.0,
        MOST_MONITOR * 100.0
    );
    if scope_s <= MOST_SCOPE_S && monitor <= MOST_MONITOR {
        ExitCode::SUCCESS
    } else {
        println!("profile_scope: FAILED");
        ExitCode::FAILURE
    }
}

/// Threads that have all been there at once, and blocks to be found by samples.
fn crowd() -> Vec<Vec<u8>> {
    let all = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let allocate = || {
            all.wait();
            Domain::Working.charge(|| (0..500).map(|_| Vec::with_capacity(100_000)).collect::<Vec<Vec<u8>>>())
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(allocate)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("plain work")).collect()
    })
}

fn cpu_s() -> f64 {
    kmidi_sys::process_cpu_time().expect("this system counts processor time").as_secs_f64()
}

/// Seconds of processor time of one, the least of all rounds.
fn scope() -> f64 {
    let round = || {
        let start = cpu_s();
        for _ in 0..SCOPES {
            std::hint::black_box(Scope::start().finish());
        }
        (cpu_s() - start) / SCOPES as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// Part of a processor, where it looks each second: what a look takes, and what it takes to look for leaks.
fn monitor() -> f64 {
    const LOOKS: u32 = 200;
    const INTERVAL: Duration = Duration::from_millis(5);
    let limits = Limits::default();
    let config = MonitorConfig { interval: INTERVAL, ..MonitorConfig::new(&limits) };
    let start = cpu_s();
    let monitor = Monitor::start(Budgets::new(limits), config, drop).expect("a thread");
    std::thread::sleep(INTERVAL * LOOKS);
    let looks = monitor.series(Domain::Working).len().max(1);
    drop(monitor);
    let look = (cpu_s() - start) / looks as f64;
    let mut watch = LeakWatch::new(LeakRules::default());
    let start = cpu_s();
    (0..LOOKS).for_each(|n| watch.see(f64::from(n), &kmidi_memory::sites()));
    let leaks = (cpu_s() - start) / f64::from(LOOKS);
    println!("a look {:.1} µs, one for leaks {:.1} µs", look * 1e6, leaks * 1e6);
    look + leaks
}
