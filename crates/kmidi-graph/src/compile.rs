//! From a [`Graph`] to the schedule the engine runs, in passes: order, latency, buffers, verify.

mod buffers;
mod latency;
mod order;
mod verify;

use std::collections::BTreeMap;

use kmidi_core::limits::{MAX_LATENCY_FRAMES, MAX_NODES};
use kmidi_rt::{Carried, GraphSwap, NodeEntry, Plan, Schedule};

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

/// Where each edge's state lives in a schedule.
#[derive(Default)]
struct Places {
    delays: BTreeMap<AudioKey, u16>,
    event_delays: BTreeMap<EventKey, u16>,
    gains: BTreeMap<AudioKey, u16>,
    ledgers: BTreeMap<EventKey, u16>,
    inboxes: BTreeMap<NodeId, u16>,
}

/// Compiles one engine's graph again and again; knows what the engine will run by then, so that
/// delay lines, note ledgers and gains go on where they are. `[side B]`
pub struct Compiler {
    quantum_frames: u32,
    sample_rate_hz: u32,
    compensation: Compensation,
    /// Of the schedule sent last; `None` before the first.
    previous: Option<Places>,
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
            previous: None,
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

    /// Makes the swap that brings the engine from the graph compiled last to this one. Every
    /// compiled swap must be sent, in order. On an error nothing has changed.
    ///
    /// # Errors
    /// [`CompileError`].
    pub fn compile(&mut self, graph: &mut Graph) -> Result<GraphSwap, CompileError> {
        let order = order::order(graph)?;
        let latency = latency::latency(graph, &order, self.compensation)?;
        let slots = self.assign_slots(graph);
        let (plan, places) = buffers::buffers(graph, &order, &latency, &slots, |key| self.start_gain(key));
        verify::verify(&plan, &slots)?;
        self.latency_frames = latency.output_frames;
        Ok(self.swap(graph, plan, places, slots))
    }

    /// A new connection of a graph that is already heard fades in.
    fn start_gain(&self, key: &AudioKey) -> Option<f32> {
        let previous = self.previous.as_ref()?;
        (!previous.gains.contains_key(key)).then_some(0.0)
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
        plan: Plan,
        places: Places,
        slots: Vec<Option<NodeId>>,
    ) -> GraphSwap {
        let previous = self.previous.take().unwrap_or_default();
        let mut swap = GraphSwap {
            schedule: Schedule::new(plan, self.quantum_frames, self.sample_rate_hz),
            insert: vec![],
            remove: vec![],
            delays: carried(&previous.delays, &places.delays),
            event_delays: carried(&previous.event_delays, &places.event_delays),
            gains: carried(&previous.gains, &places.gains),
            ledgers: carried(&previous.ledgers, &places.ledgers),
            orphans: vec![],
        };
        for (key, &ledger) in &previous.ledgers {
            if !places.ledgers.contains_key(key)
                && let Some(&inbox) = places.inboxes.get(&key.to.0)
            {
                swap.orphans.push((ledger, inbox, key.to.1));
            }
        }
        for (slot, (old, new)) in (0u16..).zip(self.slots.iter().zip(&slots)) {
            if old == new {
                continue;
            }
            if old.is_some() && new.is_none() {
                swap.remove.push((slot, None));
            }
            if let Some(id) = new {
                let node = graph.nodes.get_mut(id).expect("slots name nodes of the graph");
                node.slot = Some(slot);
                let channels = usize::from(node.outputs());
                let entry = node.processor.take().map(|p| NodeEntry::new(p, channels, self.sample_rate_hz));
                swap.insert.push((slot, entry));
            }
        }
        self.previous = Some(places);
        self.slots = slots;
        swap
    }
}

fn carried<K: Ord>(old: &BTreeMap<K, u16>, new: &BTreeMap<K, u16>) -> Vec<Carried> {
    old.iter().filter_map(|(key, &from)| Some((from, *new.get(key)?))).collect()
}
