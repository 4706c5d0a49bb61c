//! A node behind latency: its transport, its events and its audio belong together.

use std::sync::{Arc, Mutex};

use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor};

use crate::rig::{Recorder, Rig, at, frames};

/// Says it is late by its latency; what it plays is of no matter.
struct Late;

impl Processor for Late {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    }
    fn reset(&mut self) {}
}

/// Song time of each note-on, by the transport that the node is told.
struct Witness {
    seen: Arc<Mutex<Vec<i64>>>,
}

impl Processor for Witness {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        for event in cx.events_in {
            if let Event::NoteOn { .. } = event.event {
                let spans = cx.transport.spans.iter();
                let span = spans.rev().find(|span| span.offset <= event.time).expect("the song plays");
                let position = span.position.to_frames().0 + i64::from(event.time - span.offset);
                self.seen.lock().unwrap().push(position);
            }
        }
        cx.audio.silence_outputs();
        ProcessStatus::Continue
    }
    fn reset(&mut self) {}
}

#[test]
fn a_note_that_is_delayed_finds_the_transport_where_the_song_has_it() {
    for latency_frames in [0, 1, 63, 64, 100, 1000] {
        let written = [0, 5, 64, 127, 700, 1500];
        let song = written.map(|frame| at(frames(frame), 0, Event::note_on(0, 60, 90)));
        let mut rig = Rig::new(64);
        let seen = Arc::new(Mutex::new(vec![]));
        let late = NodeInfo { audio_outputs: vec![1], latency_frames, ..Recorder::info("late") };
        let late = rig.graph.add_processor(late, Box::new(Late)).unwrap();
        let witness = NodeInfo { audio_inputs: vec![1], ..Recorder::info("witness") };
        let witness = rig.graph.add_processor(witness, Box::new(Witness { seen: seen.clone() })).unwrap();
        rig.graph.connect_events((rig.sequencer, 0), (late, 0)).unwrap();
        rig.graph.connect_audio((late, 0), (witness, 0)).unwrap();
        rig.graph.connect_events((rig.sequencer, 0), (witness, 0)).unwrap();
        rig.graph.connect_audio((witness, 0), (rig.output, 0)).unwrap();
        rig.handle.set_graph(&mut rig.graph).unwrap();
        rig.load(&song, frames(9000));
        rig.handle.play().unwrap();
        rig.render(4000, std::iter::repeat(64));
        assert_eq!(*seen.lock().unwrap(), written, "latency {latency_frames}");
        assert_eq!(rig.handle.compiler().latency_frames(), latency_frames);
    }
}
