//! Notes that are passed on later.

use std::collections::VecDeque;

use clack_plugin::events::Pckn;
use clack_plugin::events::event_types::{NoteOffEvent, NoteOnEvent};
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::Event as _;

/// Notes that can wait; more are lost.
const MAX_HELD: usize = 4096;

struct Note {
    due: u64,
    is_on: bool,
    pckn: Pckn,
    velocity: f64,
}

/// Notes on their way.
pub struct HeldNotes {
    waiting: VecDeque<Note>,
    frame: u64,
    late_frames: u32,
}

impl HeldNotes {
    pub fn new(late_frames: u32) -> Self {
        HeldNotes { waiting: VecDeque::with_capacity(MAX_HELD), frame: 0, late_frames }
    }

    /// A quantum: what comes in, and what is due.
    pub fn pass(&mut self, input: &InputEvents<'_>, output: &mut OutputEvents<'_>, frames: u32) {
        for event in input {
            let (time, is_on, pckn, velocity) = match event.as_core_event() {
                Some(CoreEventSpace::NoteOn(it)) => (it.time(), true, it.pckn(), it.velocity()),
                Some(CoreEventSpace::NoteOff(it)) => (it.time(), false, it.pckn(), it.velocity()),
                _ => continue,
            };
            if self.waiting.len() < MAX_HELD {
                let due = self.frame + u64::from(time) + u64::from(self.late_frames);
                self.waiting.push_back(Note { due, is_on, pckn, velocity });
            }
        }
        let end = self.frame + u64::from(frames);
        while let Some(note) = self.waiting.pop_front_if(|note| note.due < end) {
            let time = (note.due - self.frame) as u32;
            let _ = match note.is_on {
                true => output.try_push(NoteOnEvent::new(time, note.pckn, note.velocity)),
                false => output.try_push(NoteOffEvent::new(time, note.pckn, note.velocity)),
            };
        }
        self.frame = end;
    }

    /// Nothing is on its way any more.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}
