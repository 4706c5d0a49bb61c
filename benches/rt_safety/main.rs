//! What the engine never does in its callback, shown over a million quanta; and that the watch would see it.
//!
//! `cargo bench --bench rt_safety` runs the controls, the scenario and, where valgrind is installed, the
//! worst quantum's instruction count. It exits with 1 if anything was counted, a control was not caught or
//! the budget is exceeded. `KMIDI_RT_SAFETY_QUANTA` shortens the scenario.

mod crowd;
mod instructions;
mod nodes;
mod plant;
mod racks;
mod scenario;
mod watch;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use assert_no_alloc::AllocDisabler;
use kmidi_memory::Heap;
use plant::{Deed, Plant};
use scenario::Scenario;
use watch::{Counts, Watch};

/// The product's heap with its guard, over assert_no_alloc's, over the system's, which the watch looks into:
/// all three count, and must agree.
#[global_allocator]
static HEAP: Heap<AllocDisabler> = Heap::over(AllocDisabler);

const SEED: u64 = 0x006b_6d69_6469;
const QUANTA: u64 = 1_000_000;
/// Callbacks of each phase in which pages are touched for the first time.
const WARM_UP_CALLBACKS: u32 = 3000;
/// The phases: quantum in frames, and its share of all quanta in percent.
const PHASES: [(u32, u64); 4] = [(64, 60), (32, 20), (128, 10), (17, 10)];

fn main() -> ExitCode {
    if instructions::is_a_measured_run() {
        return ExitCode::SUCCESS;
    }
    let quanta = std::env::var("KMIDI_RT_SAFETY_QUANTA")
        .ok()
        .map_or(QUANTA, |text| text.parse().expect("KMIDI_RT_SAFETY_QUANTA is a number"));
    let mut watch = Watch::new();
    if !watch.traps_system_calls() {
        println!(
            "system calls cannot be trapped on this machine (x86-64 Linux from 5.11 on can): not watched"
        );
    }
    let mut passed = true;
    for deed in Deed::ALL {
        passed &= control(deed, &mut watch);
    }
    let mut life = Life::default();
    for (quantum, percent) in PHASES {
        passed &= phase(quantum, quanta * percent / 100, &mut watch, &mut life);
    }
    passed &= life.was_lively();
    passed &= crowd::phase((quanta / 50) as usize, &mut watch);
    passed &= racks::phase((quanta / 50) as usize, &mut watch);
    passed &= instructions::gate();
    println!("rt_safety: {}", if passed { "passed" } else { "FAILED" });
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the scenario with one quantum length; whether nothing was counted.
fn phase(quantum: u32, quanta: u64, watch: &mut Watch, life: &mut Life) -> bool {
    let mut scenario = Scenario::new(SEED + u64::from(quantum), quantum);
    for _ in 0..WARM_UP_CALLBACKS {
        scenario.step(&mut |engine, io| watch.watched(engine, io));
    }
    let warm_up = watch.take();
    let start = scenario.handle.status();
    let mut callbacks = 0;
    while scenario.handle.status().quanta - start.quanta < quanta {
        scenario.step(&mut |engine, io| watch.watched(engine, io));
        callbacks += 1;
    }
    let counts = watch.take();
    let status = scenario.handle.status();
    println!(
        "quantum {quantum}: {} quanta in {callbacks} callbacks, {} loud, peak {:.2}; {counts:?}",
        status.quanta - start.quanta,
        scenario.loud_callbacks,
        scenario.peak,
    );
    println!(
        "  seen on the way: {} loop wraps, {} SoundFonts, {} starvations, {:?}, {} guard trips; faults of the warm-up: {}",
        status.loop_wraps,
        scenario.swaps,
        status.starvations,
        status.drops,
        status.guard_trips,
        warm_up.faults
    );
    let clean = counts == Counts::default() && warm_up.but_first_touches() == Counts::default();
    if !clean {
        println!("  FAILED: counted; in the warm-up: {warm_up:?}");
    }
    if counts.system_calls > 0 {
        println!("  the last system call was number {}", watch.last_system_call());
    }
    life.callbacks += callbacks;
    life.loud += scenario.loud_callbacks;
    life.wraps += status.loop_wraps;
    life.starvations += status.starvations;
    life.drops += status.drops.song.min(status.drops.graph);
    life.swaps += scenario.swaps;
    clean && scenario.not_finite == 0 && status.guard_trips == 0
}

/// What happened in all phases: a scenario in which nothing happens would prove nothing.
#[derive(Default)]
struct Life {
    callbacks: u64,
    loud: u64,
    wraps: u64,
    starvations: u64,
    drops: u64,
    swaps: u64,
}

impl Life {
    fn was_lively(&self) -> bool {
        let lively = self.loud * 2 > self.callbacks
            && [self.wraps, self.starvations, self.drops, self.swaps].iter().all(|&count| count > 0);
        if !lively {
            println!("FAILED: the scenario did not do what it is for");
        }
        lively
    }
}

/// Runs a short scenario with a planted deed; whether the watch saw it, and nothing before it.
fn control(deed: Deed, watch: &mut Watch) -> bool {
    const WARM: u32 = 200;
    let mut scenario = Scenario::new(SEED, 64);
    let plant = Plant::new(deed);
    let (trigger, contended) = (plant.trigger(), plant.contender());
    let node = scenario.graph.add_processor(Plant::info(), plant).expect("there is room for one more");
    scenario.graph.connect_audio((node, 0), (scenario.output, 0)).expect("both are stereo");
    scenario.send_graph();
    let step = |scenario: &mut Scenario, watch: &mut Watch| {
        scenario.quiet_quantum(&mut |engine, io| watch.watched(engine, io));
    };
    (0..WARM).for_each(|_| step(&mut scenario, watch));
    let before = watch.take().but_first_touches();
    let (held, is_held) = mpsc::channel();
    let holder = std::thread::spawn(move || {
        let guard = contended.lock().expect("nobody panics");
        held.send(()).expect("the other end waits");
        // Until the engine waits for it, or surely has where that cannot be seen.
        let patience = if deed == Deed::ContendedLock { Duration::from_secs(2) } else { Duration::ZERO };
        let start = Instant::now();
        while Watch::system_calls() == 0 && start.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(guard);
    });
    is_held.recv().expect("the holder holds");
    trigger.store(true, Ordering::Relaxed);
    step(&mut scenario, watch);
    holder.join().expect("the holder ends");
    let seen = watch.take();
    let system_calls = seen.system_calls > 0 || !watch.traps_system_calls();
    let caught = match deed {
        Deed::Allocation => seen.allocations == 1,
        Deed::Free => seen.frees == 1,
        Deed::PthreadLock => seen.locks == 1,
        Deed::ContendedLock => system_calls && seen.voluntary_switches > 0,
        Deed::SystemCall | Deed::InlineSystemCall => system_calls,
        Deed::Fault => seen.faults > 0,
        Deed::Wait => system_calls && seen.voluntary_switches > 0,
        Deed::NotFinite => scenario.handle.status().guard_trips == 1 && scenario.not_finite == 0,
    };
    let clean_before = before == Counts::default();
    println!("control {deed:?}: {} {seen:?}", if caught { "caught" } else { "MISSED" });
    if !clean_before {
        println!("  FAILED: counted before the deed: {before:?}");
    }
    if !seen.agree() {
        println!("  FAILED: the guards do not agree");
    }
    caught && clean_before && seen.agree()
}
