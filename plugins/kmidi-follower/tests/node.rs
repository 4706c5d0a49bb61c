//! The node in a quantum: it hears what comes, at its frame, and allocates nothing.

use assert_no_alloc::{AllocDisabler, assert_no_alloc, reset_violation_count, violation_count};
use kmidi_core::{
    AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus, Processor, SysExPool, TimedEvent,
    Transport,
};
use kmidi_follower::{FollowerHandle, FollowerNode, follower};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATE: u32 = 48_000;
const Q: u32 = 64;

struct Rig {
    handle: FollowerHandle,
    node: FollowerNode,
    out: EventBuffer,
    sysex: SysExPool,
    transport: Transport,
}

impl Rig {
    fn new() -> Self {
        let (handle, node) = follower(RATE);
        let (out, sysex) = (EventBuffer::with_capacity(256), SysExPool::new());
        Rig { handle, node, out, sysex, transport: Transport::default() }
    }

    fn quantum(&mut self, events: &[TimedEvent]) -> ProcessStatus {
        self.out.clear();
        self.node.process(&mut ProcessContext {
            frames: Q,
            transport: &self.transport,
            audio: AudioPorts { inputs: &[], outputs: &mut [], silent_inputs: 0, silent_outputs: 0 },
            events_in: events,
            events_out: &mut self.out,
            sysex: &mut self.sysex,
        })
    }

    /// Quanta in which nothing happens.
    fn pass(&mut self, seconds: f64) {
        for _ in 0..(seconds * f64::from(RATE / Q)) as u32 {
            assert_eq!(self.quantum(&[]), ProcessStatus::Continue);
        }
    }

    fn chord(&self) -> Option<String> {
        self.handle.reading().chord_symbol()
    }
}

fn at(time: u32, port: u16, event: Event) -> TimedEvent {
    TimedEvent { time, port, event }
}

fn notes(keys: &[u8]) -> Vec<TimedEvent> {
    keys.iter().enumerate().map(|(n, &key)| at(n as u32, 0, Event::note_on(0, key, 90))).collect()
}

#[test]
fn a_chord_is_read_on_the_other_side() {
    let mut rig = Rig::new();
    assert_eq!(rig.chord(), None);
    let mut events = notes(&[57, 60, 64, 67]);
    events.push(at(40, 1, Event::Jump));
    events.push(at(63, 3, Event::ControlChange { channel: 2, controller: 7, value: 3 }));
    rig.quantum(&events);
    rig.pass(0.1);
    assert_eq!(rig.chord().as_deref(), Some("Am7"));
    rig.node.reset();
    assert_eq!(rig.chord(), None);
}

#[test]
fn pedals_and_all_notes_off_are_heard() {
    let pedal = |value| at(0, 0, Event::ControlChange { channel: 0, controller: 64, value });
    let mut rig = Rig::new();
    rig.quantum(&[pedal(127)]);
    rig.quantum(&notes(&[60, 64, 67]));
    rig.quantum(&[60, 64, 67].map(|key| at(0, 0, Event::note_off(0, key, 0))));
    rig.pass(5.0);
    assert_eq!(rig.chord().as_deref(), Some("C"), "the pedal holds it");
    rig.quantum(&[pedal(0)]);
    rig.pass(1.5);
    assert_eq!(rig.chord(), None);
    for controller in [120, 123, 126] {
        rig.quantum(&notes(&[62, 65, 69]));
        rig.pass(0.2);
        assert_eq!(rig.chord().as_deref(), Some("Dm"));
        rig.quantum(&[at(0, 0, Event::ControlChange { channel: 0, controller, value: 0 })]);
        rig.pass(1.5);
        assert_eq!(rig.chord(), None, "after controller {controller}");
    }
}

#[test]
fn drums_and_ports_that_there_are_not_are_not_heard() {
    let mut rig = Rig::new();
    let drums: Vec<_> = [36, 40, 43].map(|key| at(0, 0, Event::note_on(9, key, 90))).into();
    let nowhere: Vec<_> = [36, 40, 43].map(|key| at(0, 999, Event::note_on(0, key, 90))).into();
    rig.quantum(&drums);
    rig.quantum(&nowhere);
    rig.pass(1.0);
    assert_eq!(rig.handle.reading(), Default::default());
}

#[test]
fn it_neither_allocates_nor_frees() {
    let mut rig = Rig::new();
    let mut seed = 1u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut chords = 0;
    reset_violation_count();
    for _ in 0..20_000 {
        let events: Vec<_> = (0..random(40))
            .map(|n| {
                let (channel, value) = (random(16) as u8, random(128) as u8);
                // So that what sounds is a chord, whatever it is.
                let key = 12 * random(10) as u8 + [0, 4, 7, 9][random(4) as usize];
                let event = match random(6) {
                    0..=2 => Event::note_on(channel, key, value),
                    3 | 4 => Event::note_off(channel, key, 0),
                    _ => Event::ControlChange { channel, controller: 60 + value / 2, value },
                };
                at(n as u32, random(5) as u16, event)
            })
            .collect();
        assert_no_alloc(|| rig.quantum(&events));
        chords += usize::from(rig.handle.reading().chord.is_some());
    }
    assert_eq!(violation_count(), 0);
    assert!(chords > 0, "nothing was heard");
    // The watch is awake: the same with a planted allocation.
    assert_no_alloc(|| drop(std::hint::black_box(Box::new(1))));
    assert!(violation_count() > 0, "a planted allocation must be caught");
}
