//! The audio half of a VST3 plugin takes and gives back no memory, whatever comes in and out.

#[path = "vst3/plugin.rs"]
mod plugin;
#[path = "vst3/rig.rs"]
mod rig;

use std::sync::atomic::Ordering::SeqCst;

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use kmidi_core::{Event, TimedEvent};
use kmidi_host::{Activation, load_vst3_of};
use plugin::{Config, Factory, GAIN, Shared, config};
use rig::Rig;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const CLASS: &str = "10101010101010101010101010101000";
const RUN: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };

/// Allocations and releases in a quantum of everything at once, in one that follows, and in a reset.
fn violations(config: Config, prepare: impl FnOnce(&Shared)) -> u32 {
    let shared = Shared::new(config);
    let plugin = load_vst3_of(Factory::of(std::slice::from_ref(&shared)), CLASS).unwrap();
    let (mut active, mut processor) = plugin.activate(&RUN).map_err(|error| error.1).unwrap();
    let mut rig = Rig::new(active.node_info(), RUN);
    let message = rig.sysex.push(&[0xf0, 1, 2, 0xf7]).unwrap();
    let mut events = Vec::new();
    for time in 0..64u32 {
        for key in 0..40 {
            events.push(Event::note_on(0, key, 100));
            events.push(Event::note_off(0, key, 0));
            events.push(Event::Parameter { id: GAIN, value: f64::from(time) / 63.0 });
            events.push(Event::ControlChange { channel: key % 16, controller: time as u8, value: key });
        }
        events.push(Event::PitchBend { channel: 0, value: 1 });
        events.push(Event::ProgramChange { channel: 0, program: 1 });
        events.push(Event::SysEx(message));
    }
    let events: Vec<_> =
        events.iter().enumerate().map(|(at, &event)| timed(at * 64 / events.len(), event)).collect();
    prepare(&shared);
    let before = violation_count();
    assert_no_alloc(|| {
        rig.run(processor.as_mut(), &events);
        rig.run(processor.as_mut(), &[]);
        processor.reset();
        rig.run(processor.as_mut(), &events);
    });
    let count = violation_count() - before;
    active.idle();
    while active.told().is_some() {}
    drop(processor);
    active.deactivate().map_err(|error| error.1).unwrap();
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    count
}

fn timed(time: usize, event: Event) -> TimedEvent {
    TimedEvent { time: time as u32, port: 0, event }
}

fn synth() -> Config {
    Config { event_inputs: 1, event_outputs: 1, ..config(&[(2, true), (2, false)], &[(2, true), (2, false)]) }
}

#[test]
fn floods_edits_and_failures_take_no_memory() {
    assert_eq!(violations(synth(), |_| {}), 0);
    assert_eq!(violations(Config { maps_midi: true, ..synth() }, |_| {}), 0);
    assert_eq!(violations(Config { floods: true, ..synth() }, |_| {}), 0);
    assert_eq!(
        violations(Config { is_separate: true, ..synth() }, |it| it.edits_in_process.store(true, SeqCst)),
        0
    );
    assert_eq!(violations(synth(), |it| it.fails.store(true, SeqCst)), 0);
    assert_eq!(violations(synth(), |it| it.edit(GAIN, 0.5)), 0);
}

#[test]
fn memory_that_the_plugin_takes_is_seen() {
    assert!(violations(synth(), |it| it.allocates.store(true, SeqCst)) >= 6, "the control");
}
