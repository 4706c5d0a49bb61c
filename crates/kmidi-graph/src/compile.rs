//! From a [`Graph`] to the schedule the engine runs, in passes: order, latency, buffers, verify.

mod buffers;
mod latency;
mod order;
mod verify;

use std::collections::BTreeMap;

use kmidi_core::limits::{MAX_LATENCY_FRAMES, MAX_NODES};
use kmidi_rt::{Carry, GraphSwap, LostEdge, NodeEntry, Schedule, ScheduleSpec, SlotChange};

use crate::graph::{AudioKey, EventKey, Graph, NodeId, NodeKind};

/// Which paths are delayed so that all arrive together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compensation {
    /// What the song plays; paths from live inputs are not delayed.
    #[default]
    Song,
    /// Everything.
    All,
    /// Nothing.
    Off,
}

/// Why a graph has no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// Nodes feed themselves.
    #[error("these nodes feed back into themselves: {}; disconnect one of them", .0.join(" -> "))]
    Cycle(Vec<String>),
    /// The latencies along one path add up to more than can be compensated.
    #[error("the latency of {frames} frames up to '{node}' is over the limit of {MAX_LATENCY_FRAMES}")]
    TooLate {
        /// Where the path ends.
        node: String,
        /// Latency of the path.
        frames: u32,
    },
    /// The compiler contradicted itself; the old schedule stays. This is a defect to be reported.
    #[error("internal error in the graph compiler: {0}")]
    Inconsistent(String),
}

/// Where an edge is in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    index: u32,
    /// Whether it has a delay, of whatever length.
    delayed: bool,
}

/// Where all edges are in a schedule.
#[derive(Default)]
struct Places {
    audio: BTreeMap<AudioKey, Place>,
    events: BTreeMap<EventKey, Place>,
}

/// Compiles one engine's graph again and again; knows what the engine will run by then, so that
/// delay lines, note ledgers and gains go on where they are. `[side B]`
pub struct Compiler {
    quantum_frames: u32,
    sample_rate_hz: u32,
    compensation: Compensation,
    /// The schedule sent last.
    previous: Places,
    /// Schedules sent.
    generation: u64,
    /// Which node each slot will hold.
    slots: Vec<Option<NodeId>>,
    latency_frames: u32,
}

impl Compiler {
    /// For an engine with this quantum and sample rate.
    pub fn new(quantum_frames: u32, sample_rate_hz: u32) -> Self {
        Compiler {
            quantum_frames,
            sample_rate_hz,
            compensation: Compensation::default(),
            previous: Places::default(),
            generation: 0,
            slots: vec![None; MAX_NODES],
            latency_frames: 0,
        }
    }

    /// Chooses what is compensated from the next compile on.
    pub fn set_compensation(&mut self, compensation: Compensation) {
        self.compensation = compensation;
    }

    /// Latency of the last compiled graph from song to output, in frames.
    pub fn latency_frames(&self) -> u32 {
        self.latency_frames
    }

    /// Makes the swap that brings the engine from the graph compiled last to this one. The graph's
    /// new processors go with it. Every compiled swap must be sent, in order; on an error nothing has changed.
    ///
    /// # Errors
    /// [`CompileError`].
    pub fn compile(&mut self, graph: &mut Graph) -> Result<GraphSwap, CompileError> {
        let order = order::order(graph)?;
        let latency = latency::latency(graph, &order, self.compensation)?;
        let slots = self.assign_slots(graph);
        let (mut spec, places) = buffers::buffers(graph, &order, &latency, &slots, &self.previous);
        spec.quantum_frames = self.quantum_frames;
        spec.sample_rate_hz = self.sample_rate_hz;
        spec.generation = self.generation + 1;
        verify::verify(graph, &latency, &slots, &spec, &places)?;
        let schedule = Schedule::new(&spec).map_err(|fault| CompileError::Inconsistent(fault.to_string()))?;
        self.latency_frames = latency.output_frames;
        Ok(self.swap(graph, schedule, &spec, places, slots))
    }

    fn assign_slots(&self, graph: &Graph) -> Vec<Option<NodeId>> {
        let there = |id: &NodeId| graph.nodes.contains_key(id);
        let mut slots: Vec<Option<NodeId>> = self.slots.iter().map(|slot| slot.filter(there)).collect();
        let processors = graph.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Processor);
        for (id, _) in processors {
            if !slots.contains(&Some(*id)) {
                let free = slots.iter().position(Option::is_none).expect("MAX_NODES nodes have room");
                slots[free] = Some(*id);
            }
        }
        slots
    }

    fn swap(
        &mut self,
        graph: &mut Graph,
        schedule: Schedule,
        spec: &ScheduleSpec,
        places: Places,
        slots: Vec<Option<NodeId>>,
    ) -> GraphSwap {
        let carry = self.carry(graph, &places, &slots);
        let changes = self.changes(graph, &slots);
        let swap = GraphSwap::new(schedule, changes, carry, self.generation);
        self.previous = places;
        self.generation = spec.generation;
        self.slots = slots;
        swap
    }

    fn carry(&self, graph: &Graph, places: &Places, slots: &[Option<NodeId>]) -> Carry {
        let mut carry = Carry::default();
        for (key, old) in &self.previous.audio {
            match places.audio.get(key) {
                Some(new) => carry.audio.push((old.index, new.index)),
                None => carry.fade_out.push(old.index),
            }
        }
        // The first graph begins as it is: there is nothing that it could click against.
        let heard = self.generation > 0;
        let new = places.audio.iter().filter(|(key, _)| heard && !self.previous.audio.contains_key(*key));
        carry.fade_in.extend(new.map(|(_, place)| place.index));
        for (key, old) in &self.previous.events {
            let (id, port) = key.to;
            match (places.events.get(key), graph.nodes.get(&id)) {
                (Some(new), _) => carry.events.push((old.index, new.index)),
                (None, Some(_)) => {
                    let slot = slots.iter().position(|slot| *slot == Some(id)).map(|slot| slot as u16);
                    carry.lost.push(LostEdge { edge: old.index, slot, port });
                }
                (None, None) => {}
            }
        }
        carry
    }

    fn changes(&self, graph: &mut Graph, slots: &[Option<NodeId>]) -> Vec<SlotChange> {
        let mut changes = vec![];
        for (slot, (old, new)) in (0u16..).zip(self.slots.iter().zip(slots)) {
            if old == new {
                continue;
            }
            let entry = new.and_then(|id| {
                let node = graph.nodes.get_mut(&id).expect("slots name nodes of the graph");
                node.slot = Some(slot);
                let processor = node.processor.take()?;
                Some(NodeEntry::new(processor, &node.info, self.sample_rate_hz))
            });
            changes.push(SlotChange { slot, entry });
        }
        changes
    }
}
