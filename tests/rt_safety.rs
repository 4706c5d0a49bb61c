//! The engine's callback allocates and frees nothing, seen by the allocator itself: a short part of the scenario of
//! `benches/rt_safety`, which watches for much more. In a binary of its own: the allocator is the whole program's.
#![forbid(unsafe_code)]

#[path = "../benches/rt_safety/nodes.rs"]
mod nodes;
#[path = "../benches/rt_safety/scenario.rs"]
mod scenario;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_core::{DeviceCallback, NodeInfo, ProcessContext, ProcessStatus, Processor};
use scenario::{ALLOCATIONS_OF_A_SOUNDFONT, Scenario};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Callbacks with `Box::new` in every quantum: the control.
struct Allocating;

impl Processor for Allocating {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        drop(std::hint::black_box(Box::new(cx.frames)));
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

// One test, since the count of violations is the whole program's.
#[test]
fn the_callback_neither_allocates_nor_frees_and_a_planted_box_is_seen() {
    for quantum in [64, 17] {
        let mut scenario = Scenario::new(11, quantum);
        reset_violation_count();
        for _ in 0..4000 {
            scenario.step(&mut |engine, io| assert_no_alloc(|| engine.process(io)));
        }
        assert_eq!(violation_count(), 0, "quantum of {quantum} frames");
        assert!(scenario.loud_callbacks > 1000 && scenario.peak > 0.1, "it plays");
        // In memory are the last SoundFont and what the voices that still sound hold of those before.
        let allocations = scenario.sound_allocations();
        assert!(scenario.swaps > 80, "{} SoundFonts", scenario.swaps);
        assert!(allocations < 10 * ALLOCATIONS_OF_A_SOUNDFONT, "{allocations}: those before are not freed");
        assert_eq!((scenario.not_finite, scenario.handle.status().guard_trips), (0, 0));
    }

    let mut scenario = Scenario::new(11, 64);
    let info = NodeInfo { name: "allocating".into(), audio_outputs: vec![2], ..NodeInfo::default() };
    let node = scenario.graph.add_processor(info, Box::new(Allocating)).unwrap();
    scenario.graph.connect_audio((node, 0), (scenario.output, 0)).unwrap();
    scenario.send_graph();
    reset_violation_count();
    for _ in 0..10 {
        scenario.quiet_quantum(&mut |engine, io| assert_no_alloc(|| engine.process(io)));
    }
    assert!(violation_count() > 0, "a planted allocation must be caught");
}
