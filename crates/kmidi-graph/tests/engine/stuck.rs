//! No sequence of interruptions leaves a note or a pedal hanging.

use std::collections::HashMap;

use fastrand::Rng;
use kmidi_core::{Event, TempoScale};
use kmidi_graph::{NodeId, SetGraphError};

use crate::rig::{Log, Recorder, Rig, dense_song, frames, locate};

/// What still sounds at the end of a log: keys and pedals. `Err` names a note-off of nothing.
fn hanging(log: &[(u64, u16, Event)]) -> (Vec<String>, usize) {
    let (mut notes, mut pedals, mut superfluous) = (HashMap::new(), HashMap::new(), 0);
    for &(_, port, event) in log {
        match event {
            Event::NoteOn { channel, key, .. } => *notes.entry((port, channel, key)).or_insert(0) += 1,
            Event::NoteOff { channel, key, .. } => match notes.get_mut(&(port, channel, key)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => superfluous += 1,
            },
            Event::ControlChange { channel, controller: controller @ (64 | 66 | 69), value } => {
                pedals.insert((port, channel, controller), value);
            }
            _ => {}
        }
    }
    let notes =
        notes.into_iter().filter(|(_, count)| *count > 0).map(|(key, n)| format!("{n} notes {key:?}"));
    let pedals =
        pedals.into_iter().filter(|(_, value)| *value >= 64).map(|(key, _)| format!("pedal {key:?}"));
    (notes.chain(pedals).collect(), superfluous)
}

struct Case {
    rig: Rig,
    random: Rng,
    second: Log,
    second_node: Option<NodeId>,
    rewired: bool,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut rig = Rig::new(64);
        let mut random = Rng::with_seed(seed);
        let song = dense_song(random.u64(..), 400, frames(60_000));
        rig.load(&song, frames(60_000));
        Case { rig, random, second: Log::default(), second_node: None, rewired: false }
    }

    /// One random deed. What finds the border full is not done, as for any user.
    fn step(&mut self, song: &[kmidi_rt::PageEvent], rewire: bool) {
        let random = &mut self.random;
        let (a, b) = (random.u64(..60_000) as i64, 4096 + random.u64(..20_000) as i64);
        let handle = &mut self.rig.handle;
        let _ = match random.u64(..if rewire { 14 } else { 10 }) {
            0 => handle.pause(),
            1 | 2 => handle.play(),
            3 => handle.locate(locate(song, frames(a), None)),
            4 => handle.locate(locate(song, frames(a), Some((frames(a / 2), frames(a / 2 + b))))),
            5 => handle.locate(kmidi_rt::Locate {
                position: None,
                ..locate(song, frames(a), Some((frames(a), frames(a + b))))
            }),
            6 => handle.mute(random.u64(..5) as u8, random.u64(..) as u16),
            7 => handle.transpose(random.u64(..60) as i8 - 30, [random.u64(..) as u16; 4]),
            8 => handle.set_tempo_scale(TempoScale::new(1 + random.u64(..40) as u32, 10).unwrap()),
            9 => handle.panic(),
            _ => return self.rewire(),
        };
    }

    fn rewire(&mut self) {
        if self.rig.handle.room() == 0 {
            return;
        }
        self.rewired = true;
        let (graph, sequencer, recorder) = (&mut self.rig.graph, self.rig.sequencer, self.rig.recorder);
        let port = self.random.u64(..4) as u16;
        match (self.random.u64(..4), self.second_node) {
            (0, _) => graph.disconnect_events(sequencer, recorder),
            (1, _) => graph.connect_events((sequencer, port), (recorder, port)).unwrap(),
            (2, None) => {
                let node =
                    graph.add_processor(Recorder::info("second"), Recorder::new(&self.second)).unwrap();
                graph.connect_audio((node, 0), (self.rig.output, 0)).unwrap();
                self.second_node = Some(node);
            }
            (_, Some(node)) => graph.connect_events((sequencer, port), (node, port)).unwrap(),
            (_, None) => {}
        }
        match self.rig.handle.set_graph(graph) {
            Ok(()) | Err(SetGraphError::BorderFull(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn check(seed: u64, rewire: bool) {
    let mut case = Case::new(seed);
    let song = dense_song(Rng::with_seed(seed).u64(..), 400, frames(60_000));
    for _ in 0..80 {
        // Single deeds, and bursts between two callbacks.
        for _ in 0..1 + case.random.u64(..3) * case.random.u64(..6) {
            case.step(&song, rewire);
        }
        let size = 1 + case.random.u64(..500) as usize;
        case.rig.callback(size);
        if case.random.u64(..3) == 0 {
            case.rig.handle.collect();
        }
    }
    // Until everything sent is taken, and once more: then all must be still.
    for _ in 0..20 {
        case.rig.handle.collect();
        case.rig.callback(640);
    }
    case.rig.handle.pause().unwrap();
    case.rig.render(640, std::iter::repeat(64));
    assert_eq!(case.rig.handle.status().notes_owed, 0, "seed {seed}");
    assert_eq!(case.rig.handle.status().drops.graph, 0, "seed {seed}");
    for log in [&case.rig.log, &case.second] {
        let (hanging, superfluous) = hanging(&log.lock().unwrap());
        assert!(hanging.is_empty(), "seed {seed}: {hanging:?}");
        assert!(
            case.rewired || superfluous == 0,
            "seed {seed}: {superfluous} note-offs that nobody was owed"
        );
    }
}

#[test]
fn no_interruption_leaves_a_note_hanging() {
    (0..150).for_each(|seed| check(seed, false));
}

#[test]
fn no_rewiring_leaves_a_note_hanging() {
    (1000..1150).for_each(|seed| check(seed, true));
}

#[test]
fn the_check_sees_a_note_and_a_pedal_that_hang() {
    let mut case = Case::new(3);
    case.rig.handle.play().unwrap();
    case.rig.render(30_000, std::iter::repeat(64));
    let playing = hanging(&case.rig.log.lock().unwrap()).0;
    assert!(playing.iter().any(|what| what.contains("notes")), "{playing:?}");
    assert!(playing.iter().any(|what| what.contains("pedal")), "{playing:?}");
    case.rig.handle.pause().unwrap();
    case.rig.render(64, std::iter::repeat(64));
    let mut log = case.rig.log.lock().unwrap();
    assert_eq!(hanging(&log), (vec![], 0));
    let last_off = log.iter().rposition(|(_, _, event)| matches!(event, Event::NoteOff { .. })).unwrap();
    log.remove(last_off);
    assert_eq!(hanging(&log).0.len(), 1, "one lost note-off is seen");
}

#[test]
fn a_flood_of_notes_is_counted_and_ends_in_silence() {
    // More notes at one moment than a quantum can hold, all over the keyboard.
    let on = (0..20_000).map(|n: u32| {
        crate::rig::at(frames(100), 0, Event::note_on((n % 16) as u8, (n / 16 % 128) as u8, 100))
    });
    let song: Vec<_> = on.collect();
    let mut rig = Rig::new(64);
    rig.load(&song, frames(10_000));
    rig.handle.play().unwrap();
    rig.render(640, std::iter::repeat(64));
    assert!(rig.handle.status().drops.song > 10_000);
    rig.handle.pause().unwrap();
    rig.render(640, std::iter::repeat(64));
    assert_eq!(rig.handle.status().notes_owed, 0);
    assert_eq!(hanging(&rig.log.lock().unwrap()), (vec![], 0));
}
