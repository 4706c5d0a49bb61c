use arrayvec::ArrayVec;
use kmidi_core::limits::{MAX_MIDI_PORTS, MAX_NODES, MAX_PARAMETER_CHANGES};
use kmidi_core::{NodeInfo, Processor};

use crate::guard::Guard;
use crate::ledger::{Ledger, MOST_PER_KEY};

/// A node on side A: its processor and all that belongs to the node, not to the schedule.
pub struct NodeEntry {
    pub(crate) processor: Box<dyn Processor>,
    pub(crate) guard: Guard,
    /// Said [`Sleep`](kmidi_core::ProcessStatus::Sleep) and nothing has come since.
    pub(crate) asleep: bool,
    /// Note-offs and pedals of edges that are gone, or that had no room; one for each event input port.
    pub(crate) owed: Box<[Ledger]>,
    /// Parameters to change at the next quantum, each once.
    pub(crate) parameters: ArrayVec<(u32, f64), MAX_PARAMETER_CHANGES>,
}

impl NodeEntry {
    /// `[side B]`
    pub fn new(processor: Box<dyn Processor>, info: &NodeInfo, sample_rate_hz: u32) -> Self {
        let outputs = info.audio_outputs.iter().map(|&channels| usize::from(channels)).sum();
        NodeEntry {
            processor,
            guard: Guard::new(outputs, sample_rate_hz),
            asleep: false,
            owed: (0..info.event_inputs).map(|_| Ledger::new(MOST_PER_KEY)).collect(),
            parameters: ArrayVec::new(),
        }
    }

    /// `[side B]` The processor, for whoever made it.
    pub fn into_processor(self) -> Box<dyn Processor> {
        self.processor
    }
}

/// The processors of the graph by slot. They stay here while schedules come and go. `[side A]`
pub struct NodeTable {
    pub(crate) slots: Box<[Option<NodeEntry>]>,
    /// As [`NodeEntry::owed`], of the MIDI output.
    pub(crate) midi_out_owed: Box<[Ledger]>,
    pub(crate) guard_trips: u64,
    pub(crate) dropped_parameters: u64,
}

impl NodeTable {
    /// `[side B]` A table of [`MAX_NODES`] empty slots.
    #[allow(clippy::new_without_default, reason = "allocates its full size: not a cheap default")]
    pub fn new() -> Self {
        NodeTable {
            slots: (0..MAX_NODES).map(|_| None).collect(),
            midi_out_owed: (0..MAX_MIDI_PORTS).map(|_| Ledger::new(MOST_PER_KEY)).collect(),
            guard_trips: 0,
            dropped_parameters: 0,
        }
    }

    pub(crate) fn get_mut(&mut self, slot: u16) -> Option<&mut NodeEntry> {
        self.slots.get_mut(usize::from(slot))?.as_mut()
    }

    /// `[side A]` Changes a parameter of a node at the first frame of its next quantum; of several
    /// values for one parameter the last counts. More than [`MAX_PARAMETER_CHANGES`] at once, and those of an
    /// empty slot, are dropped and counted.
    pub fn parameter(&mut self, slot: u16, id: u32, value: f64) {
        let stored = self.get_mut(slot).is_some_and(|node| {
            match node.parameters.iter_mut().find(|parameter| parameter.0 == id) {
                Some(parameter) => {
                    parameter.1 = value;
                    true
                }
                None => node.parameters.try_push((id, value)).is_ok(),
            }
        });
        self.dropped_parameters += u64::from(!stored);
    }

    /// Times that an output guard has muted a node.
    pub fn guard_trips(&self) -> u64 {
        self.guard_trips
    }

    /// Parameter changes that had no room or no node.
    pub fn dropped_parameters(&self) -> u64 {
        self.dropped_parameters
    }
}
