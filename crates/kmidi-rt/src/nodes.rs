use kmidi_core::limits::MAX_NODES;
use kmidi_core::{Event, EventBuffer, Processor, TimedEvent};

use crate::guard::Guard;

/// Parameter changes that can wait for one node's next quantum.
const PENDING_PARAMETERS: usize = 256;

/// A processor in its place, with what belongs to it whatever the schedule is.
pub struct NodeEntry {
    pub(crate) processor: Box<dyn Processor>,
    pub(crate) guard: Guard,
    /// It said it has nothing to do until an event or a sound comes.
    pub(crate) asleep: bool,
    /// Parameter changes for its next quantum.
    pub(crate) pending: EventBuffer,
}

impl NodeEntry {
    /// `[side B]` A processor with `output_channels` audio channels out, ready to be inserted.
    #[allow(clippy::disallowed_methods, reason = "side B")]
    pub fn new(processor: Box<dyn Processor>, output_channels: usize, sample_rate_hz: u32) -> Box<Self> {
        Box::new(NodeEntry {
            processor,
            guard: Guard::new(output_channels, sample_rate_hz),
            asleep: false,
            pending: EventBuffer::with_capacity(PENDING_PARAMETERS),
        })
    }
}

/// The processors of an engine, by slot: they stay while schedules come and go.
pub struct NodeTable {
    slots: Box<[Option<Box<NodeEntry>>]>,
    /// Parameter changes for slots that are empty.
    misdirected: u64,
}

impl NodeTable {
    /// `[side B]` An empty table.
    #[allow(clippy::new_without_default, reason = "allocates its full size: not a cheap default")]
    pub fn new() -> Self {
        NodeTable { slots: (0..MAX_NODES).map(|_| None).collect(), misdirected: 0 }
    }

    pub(crate) fn slot(&mut self, slot: u16) -> Option<&mut NodeEntry> {
        self.slots.get_mut(usize::from(slot))?.as_deref_mut()
    }

    /// Puts `entry` into a slot and gives back what was there.
    pub(crate) fn replace(&mut self, slot: u16, entry: Option<Box<NodeEntry>>) -> Option<Box<NodeEntry>> {
        std::mem::replace(&mut self.slots[usize::from(slot)], entry)
    }

    /// `[side A]` Sets a parameter at the start of the node's next quantum. What does not fit is counted.
    pub fn parameter(&mut self, slot: u16, id: u32, value: f64) {
        match self.slot(slot) {
            // A full buffer counts the drop itself.
            Some(node) => {
                let event = TimedEvent { time: 0, port: 0, event: Event::Parameter { id, value } };
                node.pending.push(event).unwrap_or(());
                node.asleep = false;
            }
            None => self.misdirected += 1,
        }
    }

    /// `[side A]` Every node forgets its sound.
    pub fn reset_all(&mut self) {
        for node in self.slots.iter_mut().flatten() {
            node.processor.reset();
            node.asleep = false;
        }
    }

    /// Times an output guard muted a node that is still there.
    pub fn guard_trips(&self) -> u64 {
        self.slots.iter().flatten().map(|node| node.guard.trips()).sum()
    }

    /// Parameter changes that found no node or no room.
    pub fn dropped_parameters(&self) -> u64 {
        let pending: u64 = self.slots.iter().flatten().map(|node| node.pending.dropped()).sum();
        self.misdirected + pending
    }
}
