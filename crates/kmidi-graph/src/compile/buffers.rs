use std::collections::BTreeMap;

use kmidi_rt::{EventSource, Plan, Run, Step};

use super::Places;
use super::latency::Latency;
use crate::graph::{AudioKey, Graph, Node, NodeId, NodeKind};

/// Writes the steps: gives each channel a buffer while it is needed, each edge its delay, gain and
/// ledger.
pub fn buffers(
    graph: &Graph,
    order: &[NodeId],
    latency: &Latency,
    slots: &[Option<NodeId>],
    start_gain: impl Fn(&AudioKey) -> Option<f32>,
) -> (Plan, Places) {
    let mut writer = Writer {
        graph,
        latency,
        start_gain,
        plan: Plan::default(),
        places: Places::default(),
        pool: Pool::default(),
        outputs: BTreeMap::new(),
        outboxes: BTreeMap::new(),
    };
    for &id in order {
        let slot = slots.iter().position(|slot| *slot == Some(id)).map(|slot| slot as u16);
        writer.node(id, &graph.nodes[&id], slot);
    }
    writer.plan.buffers = writer.pool.made;
    (writer.plan, writer.places)
}

/// Buffers that are free again, newest first.
#[derive(Default)]
struct Pool {
    free: Vec<u16>,
    made: u16,
}

impl Pool {
    fn take(&mut self) -> u16 {
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made - 1
        })
    }

    fn give_back(&mut self, buffer: u16) {
        self.free.push(buffer);
    }
}

/// The buffer of an output channel, and how many edges have still to read it.
struct Held {
    buffer: u16,
    readers: usize,
}

struct Writer<'a, G> {
    graph: &'a Graph,
    latency: &'a Latency,
    start_gain: G,
    plan: Plan,
    places: Places,
    pool: Pool,
    outputs: BTreeMap<(NodeId, u16), Held>,
    outboxes: BTreeMap<NodeId, u16>,
}

impl<G: Fn(&AudioKey) -> Option<f32>> Writer<'_, G> {
    fn node(&mut self, id: NodeId, node: &Node, slot: Option<u16>) {
        let inbox = matches!(node.kind, NodeKind::Processor | NodeKind::MidiOut).then(|| self.inbox(id));
        let mut borrowed = vec![];
        let inputs: Vec<u16> =
            (0..node.inputs()).map(|channel| self.input((id, channel), &mut borrowed)).collect();
        let outputs: Vec<u16> = (0..node.outputs()).map(|_| self.pool.take()).collect();
        match node.kind {
            NodeKind::Sequencer | NodeKind::LiveIn => {}
            NodeKind::DeviceIn => {
                for (channel, &dst) in (0..).zip(&outputs) {
                    self.plan.steps.push(Step::ReadDevice { channel, dst });
                }
            }
            NodeKind::Output => {
                for (channel, &src) in (0..).zip(&inputs) {
                    self.plan.steps.push(Step::WriteDevice { src, channel });
                }
            }
            NodeKind::MidiOut => {
                let inbox = inbox.expect("made above");
                self.plan.steps.push(Step::SendMidi { inbox });
            }
            NodeKind::Processor => {
                let outbox = (node.info.event_outputs > 0).then(|| self.outbox(id));
                let step = Step::Process {
                    slot: slot.expect("every processor has a slot"),
                    inputs: self.run(&inputs),
                    outputs: self.run(&outputs),
                    inbox: inbox.expect("made above"),
                    outbox,
                    behind_frames: self.latency.behind_frames(id),
                };
                self.plan.steps.push(step);
            }
        }
        borrowed.into_iter().for_each(|buffer| self.pool.give_back(buffer));
        for (channel, buffer) in (0..).zip(outputs) {
            let readers = self.graph.audio.keys().filter(|key| key.from == (id, channel)).count();
            if readers == 0 {
                self.pool.give_back(buffer);
            } else {
                self.outputs.insert((id, channel), Held { buffer, readers });
            }
        }
    }

    /// The buffer that an input channel is read from; `borrowed` collects what is free afterwards.
    fn input(&mut self, to: (NodeId, u16), borrowed: &mut Vec<u16>) -> u16 {
        let edges: Vec<(AudioKey, f32)> = self
            .graph
            .audio
            .iter()
            .filter(|(key, _)| key.to == to)
            .map(|(key, gain)| (*key, *gain))
            .collect();
        if let [(key, 1.0)] = edges[..]
            && self.latency.delay_frames(key.from.0, to.0) == 0
            && (self.start_gain)(&key).is_none()
        {
            // Its gain is kept all the same: a later schedule may have to move it.
            self.gain(key, 1.0);
            return self.read(key.from, borrowed);
        }
        let dst = self.pool.take();
        if edges.is_empty() {
            self.plan.steps.push(Step::Clear { dst });
        }
        for (at, &(key, gain)) in edges.iter().enumerate() {
            let mut done = vec![];
            let mut src = self.read(key.from, &mut done);
            let delay_frames = self.latency.delay_frames(key.from.0, to.0);
            if delay_frames > 0 {
                let delayed = self.pool.take();
                let line = self.plan.delays.len() as u16;
                self.plan.delays.push(delay_frames);
                self.places.delays.insert(key, line);
                self.plan.steps.push(Step::Delay { line, src, dst: delayed });
                done.push(delayed);
                src = delayed;
            }
            let gain = self.gain(key, gain);
            let step = if at == 0 { Step::Copy { src, dst, gain } } else { Step::Add { src, dst, gain } };
            self.plan.steps.push(step);
            done.into_iter().for_each(|buffer| self.pool.give_back(buffer));
        }
        borrowed.push(dst);
        dst
    }

    fn read(&mut self, from: (NodeId, u16), done: &mut Vec<u16>) -> u16 {
        let held = self.outputs.get_mut(&from).expect("sources come first");
        held.readers -= 1;
        if held.readers == 0 {
            done.push(held.buffer);
        }
        held.buffer
    }

    fn gain(&mut self, key: AudioKey, target: f32) -> u16 {
        let index = self.plan.gains.len() as u16;
        self.plan.gains.push(((self.start_gain)(&key).unwrap_or(target), target));
        self.places.gains.insert(key, index);
        index
    }

    fn inbox(&mut self, id: NodeId) -> u16 {
        let inbox = self.plan.inboxes.len() as u16;
        let edges: Vec<_> = self.graph.events.iter().filter(|key| key.to.0 == id).copied().collect();
        self.plan.inboxes.push(self.graph.nodes[&id].info.event_inputs > 0);
        self.places.inboxes.insert(id, inbox);
        for key in edges {
            let ledger = self.plan.ledgers;
            self.plan.ledgers += 1;
            self.places.ledgers.insert(key, ledger);
            let delay_frames = self.latency.delay_frames(key.from.0, id);
            let delay = (delay_frames > 0).then(|| {
                let delay = self.plan.event_delays.len() as u16;
                self.plan.event_delays.push(delay_frames);
                self.places.event_delays.insert(key, delay);
                delay
            });
            let source = match self.graph.nodes[&key.from.0].kind {
                NodeKind::Sequencer => EventSource::Sequencer { port: key.from.1 },
                NodeKind::LiveIn => EventSource::Live,
                _ => EventSource::Outbox { outbox: self.outboxes[&key.from.0], port: key.from.1 },
            };
            self.plan.steps.push(Step::Deliver { source, ledger, delay, inbox, port: key.to.1 });
        }
        inbox
    }

    fn outbox(&mut self, id: NodeId) -> u16 {
        let outbox = self.plan.outboxes;
        self.plan.outboxes += 1;
        self.outboxes.insert(id, outbox);
        outbox
    }

    fn run(&mut self, buffers: &[u16]) -> Run {
        let start = self.plan.indices.len() as u16;
        self.plan.indices.extend_from_slice(buffers);
        Run { start, len: buffers.len() as u16 }
    }
}
