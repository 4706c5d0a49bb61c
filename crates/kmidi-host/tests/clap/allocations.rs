//! What side A allocates: nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use kmidi_core::{Event, TimedEvent};
use kmidi_test_clap::{deeds, ids, parameters};

use crate::probe;
use crate::rig::{QUANTUM, Rig, at};

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count of the calls on each thread.
pub struct Counting;

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

fn calls(work: impl FnOnce()) -> u64 {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

fn busy(quantum: u32) -> Vec<TimedEvent> {
    let mut events = vec![
        at(0, Event::Parameter { id: parameters::GAIN, value: f64::from(quantum % 2) }),
        at(0, Event::PitchBend { channel: 0, value: 99 }),
        at(1, Event::Tempo(kmidi_core::Tempo::default())),
        at(2, Event::ControlChange { channel: 0, controller: 120, value: 0 }),
    ];
    events.extend((3..QUANTUM).map(|frame| at(frame, Event::note_on(0, frame as u8, 100))));
    events
}

#[test]
fn the_host_allocates_nothing_while_a_plugin_runs() {
    for id in [ids::GAIN, ids::CLAP, ids::MIDI, ids::BOTH] {
        let mut rig = Rig::new(probe::load(id));
        let sysex = rig.sysex.push(&[0xf0, 1, 0xf7]).unwrap();
        let mut quanta: Vec<_> = (0..200).map(busy).collect();
        quanta[7].push(at(QUANTUM - 1, Event::SysEx(sysex)));
        if id != ids::GAIN {
            let deeds = [deeds::FLOOD, deeds::LOG, deeds::RESTART, deeds::WRONG_THREAD];
            for (events, value) in quanta[20..].iter_mut().zip(deeds) {
                events.insert(0, at(0, Event::Parameter { id: parameters::DEED, value }));
            }
            let statuses = [2.0, 3.0, 4.0, 1.0];
            for (events, value) in quanta[100..].iter_mut().step_by(10).zip(statuses) {
                events.insert(0, at(0, Event::Parameter { id: parameters::STATUS, value }));
            }
        }
        // The first quantum starts the plugin; it counts as well.
        let counted = calls(|| {
            for events in &quanta {
                rig.run(events);
            }
            rig.half.reset();
            rig.silent_inputs = u64::MAX;
            (0..100).for_each(|_| {
                rig.run(&[]);
            });
        });
        assert_eq!(counted, 0, "{id}");
    }
}

#[test]
fn control_an_allocation_is_counted() {
    assert_eq!(calls(|| drop(black_box(Box::new(1)))), 2);
}
