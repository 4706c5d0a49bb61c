use std::collections::BTreeMap;

use kmidi_rt::{EventSource, ScheduleSpec, Step};

use super::latency::Latency;
use super::{CompileError, Places};
use crate::graph::{Graph, NodeId, NodeKind};

/// One channel of a node's output on its way: over which edge, and how much delayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Term {
    from: (NodeId, u16),
    edge: Option<u32>,
    delay_frames: u32,
}

/// Runs the steps with names in place of samples, and holds what reaches each node against what the
/// graph says: each connection once, over its own edge, delayed as it must be. (That no step reads what
/// none has written is for [`Schedule::new`](kmidi_rt::Schedule::new) to find, and again for side A.)
pub fn verify(
    graph: &Graph,
    latency: &Latency,
    slots: &[Option<NodeId>],
    spec: &ScheduleSpec,
    places: &Places,
) -> Result<(), CompileError> {
    let mut check = Check {
        graph,
        latency,
        places,
        spec,
        audio: vec![vec![]; spec.audio_buffers as usize],
        events: vec![None; spec.event_buffers as usize],
        ran: vec![],
    };
    for (at, step) in spec.steps.iter().enumerate() {
        check.step(step, slots).map_err(|what| inconsistent(at, step, &what))?;
    }
    let runs = |node: &crate::graph::Node| !matches!(node.kind, NodeKind::Sequencer | NodeKind::LiveIn);
    for (id, node) in graph.nodes.iter().filter(|(_, node)| runs(node)) {
        // A device input without channels has nothing to do.
        if node.kind != NodeKind::DeviceIn && !check.ran.contains(id) {
            return Err(CompileError::Inconsistent(format!("'{}' is never run", node.info.name)));
        }
    }
    Ok(())
}

fn inconsistent(at: usize, step: &Step, what: &str) -> CompileError {
    CompileError::Inconsistent(format!("step {at} ({step:?}): {what}"))
}

struct Check<'a> {
    graph: &'a Graph,
    latency: &'a Latency,
    places: &'a Places,
    spec: &'a ScheduleSpec,
    audio: Vec<Vec<Term>>,
    /// Whose events a buffer holds.
    events: Vec<Option<NodeId>>,
    ran: Vec<NodeId>,
}

type Found = Result<(), String>;

impl Check<'_> {
    fn step(&mut self, step: &Step, slots: &[Option<NodeId>]) -> Found {
        match step {
            Step::Clear { to } => self.audio[*to as usize].clear(),
            Step::Copy(mix) => self.audio[mix.to as usize] = self.over_edge(mix.from, mix.edge),
            Step::Add(mix) => {
                let terms = self.over_edge(mix.from, mix.edge);
                self.audio[mix.to as usize].extend(terms);
            }
            Step::Delay { edge, from, to } => {
                let frames = self.spec.audio_edges[*edge as usize].delay_frames;
                let mut terms = self.over_edge(*from, *edge);
                terms.iter_mut().for_each(|term| term.delay_frames += frames.unwrap_or(0));
                self.audio[*to as usize] = terms;
            }
            Step::DeviceIn { channel, to } => {
                let id = self.only(NodeKind::DeviceIn)?;
                self.audio[*to as usize] = vec![output(id, *channel as u16)];
            }
            Step::DelayEvents { edge } => self.event_source(*edge)?,
            Step::MergeEvents { slot, edges, to } => {
                let id = slots[usize::from(*slot)].ok_or("an empty slot is run")?;
                self.merge(id, edges.clone())?;
                self.events[*to as usize] = Some(id);
            }
            Step::Process(step) => {
                let id = slots[usize::from(step.slot)].ok_or("an empty slot is run")?;
                self.inputs(id, step.inputs.clone())?;
                if self.events[step.events_in as usize] != Some(id) {
                    return Err("reads another node's events".into());
                }
                let outputs = &self.spec.lists[step.outputs.start as usize..step.outputs.end as usize];
                for (channel, &to) in (0..).zip(outputs) {
                    self.audio[to as usize] = vec![output(id, channel)];
                }
                if let Some(to) = step.events_out {
                    self.events[to as usize] = Some(id);
                }
            }
            Step::Output { inputs } => {
                let id = self.only(NodeKind::Output)?;
                self.inputs(id, inputs.clone())?;
            }
            Step::MidiOut { edges } => {
                let id = self.only(NodeKind::MidiOut)?;
                self.run(id)?;
                self.merge(id, edges.clone())?;
            }
        }
        Ok(())
    }

    fn only(&self, kind: NodeKind) -> Result<NodeId, String> {
        let mut nodes = self.graph.nodes.iter().filter(|(_, node)| node.kind == kind);
        nodes.next().map(|(id, _)| *id).ok_or_else(|| format!("there is no {kind:?}"))
    }

    fn over_edge(&self, from: u32, edge: u32) -> Vec<Term> {
        let mut terms = self.audio[from as usize].clone();
        terms.iter_mut().for_each(|term| term.edge = Some(edge));
        terms
    }

    fn run(&mut self, id: NodeId) -> Found {
        if self.ran.contains(&id) {
            return Err("runs a node twice".into());
        }
        self.ran.push(id);
        Ok(())
    }

    fn inputs(&mut self, id: NodeId, inputs: std::ops::Range<u32>) -> Found {
        self.run(id)?;
        let inputs = &self.spec.lists[inputs.start as usize..inputs.end as usize];
        if inputs.len() != usize::from(self.graph.nodes[&id].inputs()) {
            return Err("has another number of inputs".into());
        }
        for (channel, &buffer) in (0..).zip(inputs) {
            let mut there = self.audio[buffer as usize].clone();
            let edges = self.graph.audio.keys().filter(|key| key.to == (id, channel));
            let mut meant: Vec<Term> = edges
                .map(|key| Term {
                    from: key.from,
                    edge: self.places.audio.get(key).map(|place| place.index),
                    delay_frames: self.latency.delay_frames(key.from.0, id),
                })
                .collect();
            there.sort();
            meant.sort();
            if there != meant {
                return Err(format!("input {channel} gets {there:?}, not {meant:?}"));
            }
        }
        Ok(())
    }

    /// An edge that reads a node's events reads them from where they are.
    fn event_source(&self, edge: u32) -> Found {
        let key = self.places.events.iter().find(|(_, place)| place.index == edge);
        let (key, _) = key.ok_or("an event edge that is none")?;
        let spec = &self.spec.event_edges[edge as usize];
        let meant = match spec.source {
            EventSource::Sequencer { port } => (self.only(NodeKind::Sequencer)?, port),
            EventSource::LiveIn => (self.only(NodeKind::LiveIn)?, 0),
            EventSource::Node { buffer, port } => {
                (self.events[buffer as usize].ok_or("reads events before they are sent")?, port)
            }
        };
        if meant != key.from || spec.port != key.to.1 {
            return Err(format!("event edge {edge} does not carry {key:?}"));
        }
        if self.graph.events.get(key) != Some(&spec.filter) {
            return Err(format!("event edge {edge} lets other channels through"));
        }
        let delay_frames = self.latency.delay_frames(key.from.0, key.to.0);
        if spec.delay_frames.unwrap_or(0) != delay_frames {
            return Err(format!("event edge {edge} delays by another length than {delay_frames}"));
        }
        Ok(())
    }

    fn merge(&self, id: NodeId, edges: std::ops::Range<u32>) -> Found {
        let meant: BTreeMap<u32, NodeId> =
            self.places.events.iter().map(|(key, place)| (place.index, key.to.0)).collect();
        let all = meant.iter().filter(|(_, to)| **to == id).map(|(edge, _)| *edge);
        if !all.eq(edges.clone()) {
            return Err("does not merge exactly the edges of its node".into());
        }
        // Sources of delayed edges may be gone by now: they were held against the graph when read.
        edges
            .filter(|&edge| self.spec.event_edges[edge as usize].delay_frames.is_none())
            .try_for_each(|edge| self.event_source(edge))
    }
}

fn output(id: NodeId, channel: u16) -> Term {
    Term { from: (id, channel), edge: None, delay_frames: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Compensation, buffers, latency, order};
    use kmidi_core::{NodeInfo, ProcessContext, ProcessStatus, Processor};

    struct Nothing;
    impl Processor for Nothing {
        fn process(&mut self, _: &mut ProcessContext<'_>) -> ProcessStatus {
            ProcessStatus::Continue
        }
        fn reset(&mut self) {}
    }

    fn info(latency_frames: u32) -> NodeInfo {
        NodeInfo {
            name: "node".into(),
            audio_inputs: vec![1],
            audio_outputs: vec![1],
            event_inputs: 1,
            event_outputs: 1,
            latency_frames,
            ..NodeInfo::default()
        }
    }

    /// Two nodes side by side, one of them late, then a third; all connected for audio and events.
    fn graph() -> Graph {
        let mut graph = Graph::new();
        let song = graph.add_sequencer().unwrap();
        let nodes = [0, 100, 0].map(|latency| graph.add_processor(info(latency), Box::new(Nothing)).unwrap());
        let output = graph.add_output(1).unwrap();
        for node in &nodes[..2] {
            graph.connect_events((song, 0), (*node, 0)).unwrap();
            graph.connect_events((*node, 0), (nodes[2], 0)).unwrap();
            graph.connect_audio((*node, 0), (nodes[2], 0)).unwrap();
        }
        graph.connect_audio((nodes[2], 0), (output, 0)).unwrap();
        graph
    }

    #[test]
    fn a_schedule_that_does_not_do_what_the_graph_says_is_caught() {
        let graph = graph();
        let order = order::order(&graph).unwrap();
        let latency = latency::latency(&graph, &order, Compensation::Song).unwrap();
        let processors = graph.nodes.iter().filter(|(_, node)| node.kind == NodeKind::Processor);
        let slots: Vec<_> = processors.map(|(id, _)| Some(*id)).collect();
        let (good, places) = buffers::buffers(&graph, &order, &latency, &slots, &Places::default());
        let found = |spec: &ScheduleSpec| {
            verify(&graph, &latency, &slots, spec, &places).is_err() || kmidi_rt::Schedule::new(spec).is_err()
        };
        assert!(!found(&good));
        for at in 0..good.steps.len() {
            let mut without = good.clone();
            without.steps.remove(at);
            // Its buffer may still be silent from before.
            let harmless = at > 0 && matches!(good.steps[at], Step::Clear { .. });
            assert!(harmless || found(&without), "without {:?}", good.steps[at]);
            let mut twice = good.clone();
            twice.steps.insert(at, good.steps[at].clone());
            let harmless = matches!(good.steps[at], Step::Copy(_) | Step::Clear { .. });
            assert!(harmless || found(&twice), "twice {:?}", good.steps[at]);
            if at > 0 {
                let mut late = good.clone();
                late.steps.swap(at - 1, at);
                let order_matters = !matches!(
                    (&good.steps[at - 1], &good.steps[at]),
                    (Step::Clear { .. } | Step::Copy(_), Step::MergeEvents { .. } | Step::DelayEvents { .. })
                        | (Step::Add(_), Step::MergeEvents { .. } | Step::DelayEvents { .. })
                        | (Step::Process(_), Step::Clear { .. })
                );
                assert!(!order_matters || found(&late), "{:?}\n{:#?}", good.steps[at], good.steps);
            }
        }
        for edge in 0..good.event_edges.len() {
            let mut other = good.clone();
            other.event_edges[edge].delay_frames = Some(99);
            assert!(found(&other));
            let mut other = good.clone();
            other.event_edges[edge].port = 7;
            assert!(found(&other));
        }
    }
}
