//! Says which chord and key are played: a node that listens to events, beside whatever plays them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kmidi_compose::analysis::follow::{Follower, Reading};
use kmidi_core::limits::MAX_MIDI_PORTS;
use kmidi_core::{Event, NodeInfo, ProcessContext, ProcessStatus, Processor};

const SUSTAIN: u8 = 64;
const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
/// All notes off, and the four changes of mode that bring it with them.
const ALL_NOTES_OFF: std::ops::RangeInclusive<u8> = 123..=127;

/// A follower: the node for the graph, and what reads it.
pub fn follower(sample_rate_hz: u32) -> (FollowerHandle, FollowerNode) {
    let reading = Arc::new(AtomicU64::new(Reading::default().to_bits()));
    let node = FollowerNode { follower: Follower::new(sample_rate_hz), reading: reading.clone() };
    (FollowerHandle { reading }, node)
}

/// Reads what a [`FollowerNode`] has heard. `[side B]`
pub struct FollowerHandle {
    reading: Arc<AtomicU64>,
}

impl FollowerHandle {
    /// The chord and the key at the end of the last quantum, both of the same moment.
    pub fn reading(&self) -> Reading {
        Reading::from_bits(self.reading.load(Relaxed))
    }
}

/// Listens to the notes of every port. It has no output: nothing that is played depends on it.
pub struct FollowerNode {
    follower: Follower,
    reading: Arc<AtomicU64>,
}

impl FollowerNode {
    /// What it is from outside: an event input for each MIDI port.
    pub fn info() -> NodeInfo {
        NodeInfo { name: "follower".into(), event_inputs: MAX_MIDI_PORTS as u16, ..NodeInfo::default() }
    }

    fn hear(&mut self, port: u8, event: Event) {
        let follower = &mut self.follower;
        match event {
            Event::NoteOn { channel, key, .. } => follower.note_on(port, channel, key),
            Event::NoteOff { channel, key, .. } => follower.note_off(port, channel, key),
            Event::ControlChange { channel, controller, value } => match controller {
                SUSTAIN => follower.sustain(port, channel, value >= 64),
                RESET_ALL_CONTROLLERS => follower.sustain(port, channel, false),
                ALL_SOUND_OFF => follower.all_sound_off(port, channel),
                it if ALL_NOTES_OFF.contains(&it) => follower.all_notes_off(port, channel),
                _ => (),
            },
            _ => (),
        }
    }
}

impl Processor for FollowerNode {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        // All at once, whatever their frames: nobody hears a chord by parts of a quantum, and a burst of events costs no
        // look at each.
        for event in cx.events_in {
            self.hear(u8::try_from(event.port).unwrap_or(u8::MAX), event.event);
        }
        self.follower.advance(cx.frames);
        self.reading.store(self.follower.reading().to_bits(), Relaxed);
        // What has been heard fades while nothing happens.
        ProcessStatus::Continue
    }

    fn reset(&mut self) {
        self.follower.reset();
        self.reading.store(Reading::default().to_bits(), Relaxed);
    }
}
