use std::collections::{BTreeMap, BTreeSet};

use kmidi_core::limits::MAX_LATENCY_FRAMES;

use super::{Compensation, CompileError};
use crate::graph::{Graph, NodeId, NodeKind};

/// How late everything is.
pub struct Latency {
    /// Frames by which the input of each node lags the song.
    arrival: BTreeMap<NodeId, u32>,
    /// Frames by which the output of each node lags the song.
    departure: BTreeMap<NodeId, u32>,
    /// Nodes whose output is not delayed.
    undelayed: BTreeSet<NodeId>,
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
        if self.undelayed.contains(&from) {
            return 0;
        }
        self.arrival[&to].saturating_sub(self.departure[&from])
    }
}

/// Works out when what the song plays arrives at each node.
pub fn latency(graph: &Graph, order: &[NodeId], compensation: Compensation) -> Result<Latency, CompileError> {
    let mut latency = Latency {
        arrival: BTreeMap::new(),
        departure: BTreeMap::new(),
        undelayed: BTreeSet::new(),
        output_frames: 0,
    };
    for &id in order {
        let sources: Vec<NodeId> = sources(graph, id).collect();
        let node = &graph.nodes[&id];
        let live = matches!(node.kind, NodeKind::LiveIn | NodeKind::DeviceIn)
            || sources.iter().any(|source| latency.undelayed.contains(source));
        let undelayed = match compensation {
            Compensation::Song => live,
            Compensation::All => false,
            Compensation::Off => true,
        };
        if undelayed {
            latency.undelayed.insert(id);
        }
        // Nobody waits for what is not compensated itself.
        let waited_for = sources.iter().filter(|source| !latency.undelayed.contains(source));
        let arrival = waited_for.map(|source| latency.departure[source]).max().unwrap_or(0);
        let departure = arrival.saturating_add(node.info.latency_frames);
        if departure as usize > MAX_LATENCY_FRAMES {
            return Err(CompileError::TooLate { node: node.info.name.clone(), frames: departure });
        }
        latency.arrival.insert(id, arrival);
        latency.departure.insert(id, departure);
        if node.kind == NodeKind::Output {
            latency.output_frames = arrival;
        }
    }
    Ok(latency)
}

fn sources(graph: &Graph, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let audio = graph.audio.keys().filter(move |key| key.to.0 == id).map(|key| key.from.0);
    audio.chain(graph.events.iter().filter(move |key| key.to.0 == id).map(|key| key.from.0))
}
