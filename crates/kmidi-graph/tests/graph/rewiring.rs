//! Rewiring while notes sound: no note and no pedal hangs anywhere.

use std::collections::HashMap;

use fastrand::Rng;
use kmidi_core::Event;
use kmidi_graph::NodeId;
use kmidi_rt::ChannelFilter;

use crate::rig::{Late, Log, Rig, info, recorder};

/// Notes and pedals that have begun and not ended, by port.
fn hanging(log: &[(u16, Event)]) -> Vec<String> {
    let mut sounding: HashMap<(u16, u8, u8), i32> = HashMap::new();
    for (port, event) in log {
        match *event {
            Event::NoteOn { channel, key, .. } => *sounding.entry((*port, channel, key)).or_default() += 1,
            Event::NoteOff { channel, key, .. } => {
                let count = sounding.entry((*port, channel, key)).or_default();
                *count = (*count - 1).max(0);
            }
            Event::ControlChange { channel, controller, value } => {
                sounding.insert((*port, channel | 128, controller), i32::from(value >= 64));
            }
            _ => {}
        }
    }
    sounding
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(key, count)| format!("{count} x {key:?}"))
        .collect()
}

struct Case {
    rig: Rig,
    random: Rng,
    song: NodeId,
    /// An arpeggiator of sorts, late: its events are delayed against the song's.
    late: NodeId,
    receivers: Vec<(NodeId, Log)>,
    midi: NodeId,
    down: Vec<Event>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut rig = Rig::new(16);
        let graph = &mut rig.graph;
        let (song, midi) = (graph.add_sequencer().unwrap(), graph.add_midi_out().unwrap());
        let late = graph.add_processor(info("late", 0, 1, 50), Late::new(1, 50)).unwrap();
        graph.connect_events((song, 0), (late, 0)).unwrap();
        let receivers = (0..3)
            .map(|_| {
                let log = Log::default();
                (graph.add_processor(info("receiver", 0, 1, 0), recorder(&log)).unwrap(), log)
            })
            .collect();
        rig.swap_at_once();
        Case { rig, random: Rng::with_seed(seed), song, late, receivers, midi, down: vec![] }
    }

    fn rewire(&mut self) {
        let random = &mut self.random;
        let from = if random.bool() { self.song } else { self.late };
        let at = random.usize(..self.receivers.len() + 1);
        let to = self.receivers.get(at).map_or(self.midi, |(id, _)| *id);
        match random.usize(..10) {
            0..4 => self.rig.graph.connect_events((from, 0), (to, random.usize(..4) as u16)).unwrap(),
            4..7 => self.rig.graph.disconnect_events(from, to),
            7..9 => {
                let filter = ChannelFilter { notes: random.u16(..), controls: random.u16(..) };
                // They may not be connected.
                let _ = self.rig.graph.set_event_filter(from, to, filter);
            }
            _ => {
                let latency = random.usize(..120) as u32;
                self.rig.graph.set_latency(self.late, latency).unwrap();
            }
        }
        if random.usize(..3) == 0 { self.rig.swap_at_once() } else { self.rig.swap() }
    }

    fn play(&mut self) {
        let random = &mut self.random;
        let mut events = vec![];
        for time in 0..3 {
            let event = match random.usize(..5) {
                0 => Event::ControlChange { channel: random.usize(..2) as u8, controller: 64, value: 127 },
                1 | 2 => Event::note_on(random.usize(..2) as u8, 60 + random.usize(..8) as u8, 100),
                _ => match self.down.pop() {
                    Some(down) => ended(down),
                    None => continue,
                },
            };
            if !event.ends_sound() {
                self.down.push(event);
                let last = self.down.len() - 1;
                self.down.swap(random.usize(..last + 1), last);
            }
            events.push((time * 5, 0, event));
        }
        self.rig.quantum(&events);
    }

    fn all_off(&mut self) {
        for down in std::mem::take(&mut self.down) {
            self.rig.quantum(&[(0, 0, ended(down))]);
        }
        self.rig.run(30);
    }
}

fn ended(event: Event) -> Event {
    match event {
        Event::NoteOn { channel, key, .. } => Event::note_off(channel, key, 64),
        Event::ControlChange { channel, controller, .. } => {
            Event::ControlChange { channel, controller, value: 0 }
        }
        other => other,
    }
}

#[test]
fn no_rewiring_leaves_anything_hanging() {
    for seed in 0..if cfg!(miri) { 1 } else { 100 } {
        let mut case = Case::new(seed);
        for _ in 0..60 {
            for _ in 0..case.random.usize(..3) {
                case.rewire();
            }
            case.play();
        }
        case.all_off();
        let sent = case.rig.sent.iter().map(|(_, port, event)| (*port, *event)).collect::<Vec<_>>();
        assert_eq!(hanging(&sent), [""; 0], "seed {seed}: at the MIDI output");
        for (at, (_, log)) in case.receivers.iter().enumerate() {
            assert_eq!(hanging(&log.lock().unwrap()), [""; 0], "seed {seed}: at receiver {at}");
        }
    }
}

#[test]
fn an_edge_that_goes_sends_exactly_what_it_owes_and_what_stays_hears_nothing() {
    let mut case = Case::new(1);
    let (gone, stays) = (case.receivers[0].clone(), case.receivers[1].clone());
    for (receiver, _) in [&gone, &stays] {
        case.rig.graph.connect_events((case.song, 0), (*receiver, 2)).unwrap();
    }
    case.rig.swap();
    let pedal = |value| Event::ControlChange { channel: 1, controller: 66, value };
    let played = [Event::note_on(0, 60, 1), Event::note_on(0, 60, 1), Event::note_off(0, 60, 1), pedal(127)];
    case.rig.quantum(&played.map(|event| (3, 0, event)));
    gone.1.lock().unwrap().clear();
    case.rig.graph.disconnect_events(case.song, gone.0);
    case.rig.swap();
    // A second graph at once: what is owed is kept by the receiver, not by the schedule.
    case.rig.swap_at_once();
    assert!(hanging(&stays.1.lock().unwrap()).len() == 2, "the check sees what sounds");
    case.rig.run(5);
    let off = Event::NoteOff { channel: 0, key: 60, velocity: 0.5 };
    assert_eq!(*gone.1.lock().unwrap(), [(2, off), (2, pedal(0))]);
    assert_eq!(*stays.1.lock().unwrap(), played.map(|event| (2, event)));
}

#[test]
fn a_channel_that_is_taken_away_gets_the_ends_of_what_sounds_there_and_nothing_else() {
    let on = |channel, key| (0, 0, Event::note_on(channel, key, 100));
    let off = |channel, key| (0, 0, Event::note_off(channel, key, 64));
    let control = |channel, controller, value| (0, 0, Event::ControlChange { channel, controller, value });
    for delay in [0, 100] {
        let mut rig = Rig::new(16);
        let log = Log::default();
        let graph = &mut rig.graph;
        let song = graph.add_sequencer().unwrap();
        let node = graph.add_processor(info("receiver", 0, 1, 0), recorder(&log)).unwrap();
        let late = graph.add_processor(info("late", 0, 1, delay), Late::new(1, delay)).unwrap();
        graph.connect_events((song, 0), (late, 0)).unwrap();
        graph.connect_events((late, 0), (node, 1)).unwrap();
        graph.connect_events((song, 0), (node, 0)).unwrap();
        rig.swap_at_once();
        rig.quantum(&[on(2, 60), on(3, 61), control(2, 64, 127)]);
        // What has been played arrives, also behind the delay.
        rig.run(20);
        rig.graph.set_event_filter(song, node, ChannelFilter::only(1 << 3)).unwrap();
        rig.graph.disconnect_events(late, node);
        rig.swap_at_once();
        rig.quantum(&[off(2, 60), off(2, 62), on(2, 63), control(2, 7, 3), control(3, 7, 4), off(3, 61)]);
        rig.quantum(&[control(2, 64, 0), control(2, 64, 0)]);
        rig.run(20);
        let log = log.lock().unwrap();
        let heard: Vec<Event> = log.iter().filter(|(port, _)| *port == 0).map(|(_, event)| *event).collect();
        let expected = [
            on(2, 60),
            on(3, 61),
            control(2, 64, 127),
            off(2, 60),
            control(3, 7, 4),
            off(3, 61),
            control(2, 64, 0),
        ];
        assert_eq!(heard, expected.map(|(_, _, event)| event), "behind {delay} frames");
    }
}
