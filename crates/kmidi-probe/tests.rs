//! Each kind of deed, done by foreign code, is counted; and what does none counts nothing.

use kmidi_core::{
    AudioBuffer, AudioPorts, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};
use kmidi_host::certify::{Deed, Site, Tally, Watch};
use kmidi_host::{Activation, ActivePlugin, Format, Plugin, PluginId};

use crate::watch::Hooks;

#[path = "../../tests/support/misdeeds.rs"]
mod misdeeds;

use misdeeds::Misdeeds;

const FRAMES: u32 = 64;
const BLOCKS: u64 = 200;
const ACTIVATION: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: FRAMES, offline: false };
const NO_EVENTS: &[TimedEvent] = &[];

/// An audio half with all that it needs to run.
struct Bench {
    processor: Box<dyn Processor>,
    input: Vec<f32>,
    outputs: Vec<AudioBuffer>,
    events_out: EventBuffer,
    sysex: SysExPool,
    transport: Transport,
}

impl Bench {
    fn new(processor: Box<dyn Processor>) -> Self {
        Bench {
            processor,
            input: vec![0.25; FRAMES as usize],
            outputs: vec![AudioBuffer::silent(FRAMES as usize)],
            events_out: EventBuffer::with_capacity(16),
            sysex: SysExPool::new(),
            transport: Transport::default(),
        }
    }

    fn run(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.processor.process(&mut ProcessContext {
                frames: FRAMES,
                transport: &self.transport,
                audio: AudioPorts {
                    inputs: &[&self.input],
                    outputs: &mut self.outputs,
                    silent_inputs: 0,
                    silent_outputs: 0,
                },
                events_in: NO_EVENTS,
                events_out: &mut self.events_out,
                sysex: &mut self.sysex,
            });
        }
    }
}

fn load(misdeeds: &Misdeeds, name: &str) -> Plugin {
    let id = PluginId::new(Format::Lv2, format!("urn:misdeed:{name}"));
    Plugin::load(&misdeeds.bundle(), &id).expect("it loads")
}

fn activate(plugin: Plugin) -> (ActivePlugin, Bench) {
    let (active, processor) = plugin.activate(&ACTIVATION).map_err(|(_, error)| error).expect("it activates");
    (active, Bench::new(processor))
}

/// What is counted of so many blocks on a thread of their own, after `warm_up` others.
fn counted(misdeeds: &Misdeeds, name: &str, warm_up: u64, trap: bool) -> Tally {
    let mut hooks = Hooks::new();
    let (active, mut bench) = activate(load(misdeeds, name));
    let tally = std::thread::scope(|scope| {
        let audio = scope.spawn(|| {
            bench.run(warm_up);
            hooks.begin(trap);
            bench.run(BLOCKS);
            hooks.end()
        });
        audio.join().expect("it does not panic")
    });
    drop(bench);
    drop(active);
    tally
}

/// The one site of a deed by this call.
fn site<'a>(tally: &'a Tally, deed: Deed, call: &str) -> &'a Site {
    let sites: Vec<_> = tally.sites.iter().filter(|it| it.deed == deed && it.call == call).collect();
    assert_eq!(sites.len(), 1, "{deed:?} by {call}: {tally:#?}");
    sites[0]
}

/// What each does in a block: the deed, the call, the function whose deed it is.
const DEEDS: &[(&str, Deed, &str, &str)] = &[
    ("allocates", Deed::Allocation, "malloc", "allocates"),
    ("frees", Deed::Free, "free", "frees"),
    ("locks", Deed::Lock, "pthread_mutex_lock", "locks"),
    ("locks-contended", Deed::ContendedLock, "pthread_mutex_lock", "locks_contended"),
    ("waits", Deed::Wait, "pthread_cond_timedwait", "waits"),
    ("sleeps", Deed::Wait, "usleep", "sleeps"),
    ("reads-a-file", Deed::Io, "open", "reads_a_file"),
    ("reads-a-file", Deed::Io, "read", "reads_a_file"),
    ("reads-a-file", Deed::Io, "close", "reads_a_file"),
    #[cfg(target_arch = "x86_64")]
    ("prints", Deed::Io, "dprintf", "prints"),
    ("maps", Deed::Mapping, "mmap", "maps"),
    ("maps", Deed::Mapping, "munmap", "maps"),
    ("starts-a-thread", Deed::Thread, "pthread_create", "starts_a_thread"),
    ("starts-a-thread", Deed::Wait, "pthread_join", "starts_a_thread"),
    #[cfg(target_arch = "x86_64")]
    ("loads", Deed::Loading, "dlopen", "loads"),
    #[cfg(target_arch = "x86_64")]
    ("loads", Deed::Loading, "dlsym", "loads"),
];

#[test]
fn each_deed_is_counted_under_the_function_that_did_it() {
    let misdeeds = Misdeeds::new();
    for trap in [false, true] {
        for (name, deed, call, function) in DEEDS {
            let tally = counted(&misdeeds, name, 10, trap);
            let site = site(&tally, *deed, call);
            assert_eq!(site.count, BLOCKS, "{name}, trapped {trap}: {site:#?}");
            let own = &site.stack[0];
            assert!(own.starts_with(&format!("{function} misdeeds.so+0x")), "{name}: {site:#?}");
            assert_eq!(tally.unplaced, 0);
        }
    }
}

#[test]
fn what_a_hook_tells_the_kernel_does_not_tell_again() {
    let misdeeds = Misdeeds::new();
    for name in ["allocates", "locks", "sleeps", "reads-a-file", "prints", "maps"] {
        let without = counted(&misdeeds, name, 10, false);
        let with = counted(&misdeeds, name, 10, true);
        let deeds = |tally: &Tally| {
            let mut all: Vec<_> = tally.sites.iter().map(|it| (it.call.clone(), it.count)).collect();
            all.sort();
            all
        };
        assert_eq!(deeds(&with), deeds(&without), "{name}");
    }
}

#[test]
fn what_does_no_harm_counts_nothing() {
    let misdeeds = Misdeeds::new();
    for name in ["good", "holds-memory", "forgets-its-state"] {
        for trap in [false, true] {
            assert_eq!(counted(&misdeeds, name, 10, trap), Tally::default(), "{name}, trapped {trap}");
        }
    }
}

#[test]
fn a_call_by_hand_is_seen_by_the_kernel_alone() {
    let misdeeds = Misdeeds::new();
    let without = counted(&misdeeds, "calls-raw", 10, false);
    assert_eq!(without, Tally::default());
    if !Hooks::new().sees_system_calls() {
        println!("passed over: this system does not dispatch system calls");
        return;
    }
    let with = counted(&misdeeds, "calls-raw", 10, true);
    let site = site(&with, Deed::SystemCall, "getppid (system call 110)");
    assert_eq!(site.count, BLOCKS);
    assert!(site.stack[0].starts_with("calls_raw misdeeds.so+0x"), "{site:#?}");
    assert_eq!(with.sites.len(), 1, "{with:#?}");
}

#[test]
fn faults_and_waits_come_from_the_kernels_own_count() {
    let misdeeds = Misdeeds::new();
    for trap in [false, true] {
        let faults = counted(&misdeeds, "faults", 10, trap);
        assert_eq!((faults.minor_faults, faults.sites.len()), (BLOCKS, 0), "{faults:#?}");
        let waits = counted(&misdeeds, "sleeps", 10, trap);
        assert!(waits.voluntary_switches >= BLOCKS, "{waits:#?}");
    }
}

#[test]
fn what_is_done_in_the_first_blocks_is_not_counted_in_later_ones() {
    let misdeeds = Misdeeds::new();
    // It allocates in eight, of which one is run when it is activated.
    let first = counted(&misdeeds, "first-blocks-allocate", 0, false);
    assert_eq!(site(&first, Deed::Allocation, "malloc").count, 7);
    assert_eq!(counted(&misdeeds, "first-blocks-allocate", 7, false), Tally::default());
}

#[test]
fn the_memory_of_a_plugin_is_known_from_its_loading_to_its_end() {
    const HELD_BYTES: u64 = 1 << 20;
    // A block so large is mapped by the C library: with its own words before it, rounded up to a page;
    // and of small blocks it counts what it gave, which is some bytes more one time than another.
    const ROUNDING_BYTES: u64 = 4096 + 512;
    let misdeeds = Misdeeds::new();
    let mut hooks = Hooks::new();
    let mut life = |name: &str| {
        hooks.begin(false);
        let (active, bench) = activate(load(&misdeeds, name));
        let tally = hooks.end();
        let held = hooks.held();
        drop(bench);
        drop(active);
        (tally, held, hooks.held())
    };
    // What the linker keeps once it has loaded anything is the same for both.
    life("good");
    let (good, good_held, good_after) = life("good");
    let (tally, held, after) = life("holds-memory");
    assert!(held.live_bytes >= good_held.live_bytes + HELD_BYTES, "{held:?} {good_held:?}");
    assert!(held.live_bytes <= good_held.live_bytes + HELD_BYTES + ROUNDING_BYTES, "{held:?} {good_held:?}");
    assert!(held.peak_bytes >= held.live_bytes);
    assert_eq!(after.live_bytes, good_after.live_bytes);
    let more = tally.live_bytes - good.live_bytes;
    assert!((HELD_BYTES as i64..=(HELD_BYTES + ROUNDING_BYTES) as i64).contains(&more), "{more}");
    assert_eq!(tally.allocated_bytes() - good.allocated_bytes(), HELD_BYTES);
    let site = tally.sites.iter().find(|it| it.bytes == HELD_BYTES).expect("it is told where");
    assert!(site.stack[0].starts_with("instantiate misdeeds.so+0x"), "{site:#?}");
}

#[test]
fn memory_of_other_threads_is_held_and_not_counted_here() {
    let misdeeds = Misdeeds::new();
    let mut hooks = Hooks::new();
    let (active, mut bench) = activate(load(&misdeeds, "allocates"));
    let before = hooks.held();
    hooks.begin(true);
    std::thread::scope(|scope| scope.spawn(|| bench.run(BLOCKS)).join().expect("it does not panic"));
    let tally = hooks.end();
    assert_eq!((tally.sites.len(), tally.live_bytes), (0, 0), "{tally:#?}");
    let bytes = hooks.held().live_bytes - before.live_bytes;
    assert!((BLOCKS * 64..BLOCKS * 128).contains(&bytes), "{bytes}");
    drop(bench);
    drop(active);
}

#[test]
fn what_has_no_room_is_counted_all_the_same() {
    use crate::table::{Recorder, What};
    let mut recorder = Recorder::new();
    const MORE: u64 = 100;
    for number in 0..2048 + MORE {
        // A frame above all others: nobody is seen there, so nobody of the probe either.
        recorder.note(What::System(number as i64, Deed::SystemCall), 0, usize::MAX);
        recorder.note(What::System(number as i64, Deed::SystemCall), 0, usize::MAX);
    }
    assert_eq!(recorder.entries().len(), 2048);
    assert!(recorder.entries().iter().all(|it| it.count == 2));
    assert_eq!(recorder.unplaced, 2 * MORE);
}

#[test]
fn a_plugin_finds_every_hook_and_each_finds_what_it_stands_before() {
    let ground = crate::stack::Ground::now();
    let functions = crate::hooks::all();
    assert!(functions.len() > 100);
    for function in functions {
        let name = std::ffi::CString::new(function.name()).expect("no zero in it");
        // SAFETY: a name that ends with a zero.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        assert!(ground.is_probe(found as usize), "{} is not exported", function.name());
        assert!(!ground.is_probe(function.address() as usize), "{} goes round in a circle", function.name());
    }
}
