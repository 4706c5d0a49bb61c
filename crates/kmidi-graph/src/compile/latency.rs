use std::collections::{BTreeMap, BTreeSet};

use kmidi_core::limits::MAX_LATENCY_FRAMES;

use super::{Compensation, CompileError};
use crate::graph::{Graph, NodeId, NodeKind};

/// How late everything is.
pub struct Latency {
    compensation: Compensation,
    /// Frames by which the input of each node lags the song.
    arrival: BTreeMap<NodeId, u32>,
    /// Frames by which the output of each node lags the song.
    departure: BTreeMap<NodeId, u32>,
    /// Nodes that a live input reaches.
    live: BTreeSet<NodeId>,
    /// Nodes that something else than a live input reaches.
    song: BTreeSet<NodeId>,
    /// Latency at the output.
    pub output_frames: u32,
}

impl Latency {
    /// What the input of `id` lags the song by.
    pub fn behind_frames(&self, id: NodeId) -> u32 {
        self.arrival[&id]
    }

    /// The delay that a connection needs so that everything arrives at `to` together.
    pub fn delay_frames(&self, from: NodeId, to: NodeId) -> u32 {
        let delayed = match self.compensation {
            Compensation::Song => !self.live.contains(&from),
            Compensation::All => true,
            Compensation::Off => false,
        };
        if delayed { self.arrival[&to].saturating_sub(self.departure[&from]) } else { 0 }
    }

    /// When the latest of `sources` arrives: of those that carry the song, if there are any. The
    /// song does not wait for what is played live, which is late as it is.
    fn latest(&self, sources: &[NodeId]) -> u32 {
        let departure = |id: &NodeId| self.departure[id];
        let song = sources.iter().filter(|id| self.waits_for(id)).map(departure).max();
        song.or_else(|| sources.iter().map(departure).max()).unwrap_or(0)
    }

    fn waits_for(&self, id: &NodeId) -> bool {
        self.compensation == Compensation::All || self.song.contains(id)
    }
}

/// Works out when everything arrives at each node.
pub fn latency(graph: &Graph, order: &[NodeId], compensation: Compensation) -> Result<Latency, CompileError> {
    let mut latency = Latency {
        compensation,
        arrival: BTreeMap::new(),
        departure: BTreeMap::new(),
        live: BTreeSet::new(),
        song: BTreeSet::new(),
        output_frames: 0,
    };
    for &id in order {
        let sources: Vec<NodeId> = sources(graph, id).collect();
        let node = &graph.nodes[&id];
        let live_input = matches!(node.kind, NodeKind::LiveIn | NodeKind::DeviceIn);
        if live_input || sources.iter().any(|source| latency.live.contains(source)) {
            latency.live.insert(id);
        }
        let begins_here = sources.is_empty() && !live_input;
        if begins_here || sources.iter().any(|source| latency.song.contains(source)) {
            latency.song.insert(id);
        }
        let arrival = latency.latest(&sources);
        let departure = arrival.saturating_add(node.info.latency_frames);
        if departure as usize > MAX_LATENCY_FRAMES {
            return Err(CompileError::TooLate { node: node.info.name.clone(), frames: departure });
        }
        latency.arrival.insert(id, arrival);
        latency.departure.insert(id, departure);
    }
    leave_together(graph, &mut latency);
    Ok(latency)
}

/// What is heard and what is sent as MIDI leave the engine at the same time.
fn leave_together(graph: &Graph, latency: &mut Latency) {
    let sinks: Vec<NodeId> = graph
        .nodes
        .iter()
        .filter(|(_, node)| matches!(node.kind, NodeKind::Output | NodeKind::MidiOut))
        .map(|(id, _)| *id)
        .collect();
    let carries_song = |id: &&NodeId| latency.waits_for(id);
    let together = sinks.iter().filter(carries_song).map(|id| latency.arrival[id]).max().unwrap_or(0);
    for id in sinks {
        if latency.compensation != Compensation::Off && latency.waits_for(&id) {
            latency.arrival.insert(id, together);
        }
        if graph.nodes[&id].kind == NodeKind::Output {
            latency.output_frames = latency.arrival[&id];
        }
    }
}

fn sources(graph: &Graph, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let audio = graph.audio.keys().filter(move |key| key.to.0 == id).map(|key| key.from.0);
    audio.chain(graph.events.keys().filter(move |key| key.to.0 == id).map(|key| key.from.0))
}
