use std::collections::BTreeMap;
use std::ops::Range;

use kmidi_rt::{
    AudioEdgeSpec, ChannelFilter, EventEdgeSpec, EventSource, Mix, ProcessStep, ScheduleSpec, Step,
};

use super::latency::Latency;
use super::{Place, Places};
use crate::graph::{AudioKey, EventKey, Graph, Node, NodeId, NodeKind};

/// Writes the steps: gives each channel and each list of events a buffer while it is needed, and each
/// edge its place. `previous` is where the edges are now.
pub fn buffers(
    graph: &Graph,
    order: &[NodeId],
    latency: &Latency,
    slots: &[Option<NodeId>],
    previous: &Places,
) -> (ScheduleSpec, Places) {
    let mut writer = Writer {
        graph,
        latency,
        previous,
        spec: ScheduleSpec::default(),
        places: Places::default(),
        audio: Pool::default(),
        events: Pool::default(),
        outputs: BTreeMap::new(),
        outboxes: BTreeMap::new(),
    };
    for &id in order {
        let slot = slots.iter().position(|slot| *slot == Some(id)).map(|slot| slot as u16);
        writer.node(id, &graph.nodes[&id], slot);
    }
    writer.spec.audio_buffers = writer.audio.made;
    writer.spec.event_buffers = writer.events.made;
    (writer.spec, writer.places)
}

/// Buffers that are free again, newest first.
#[derive(Default)]
struct Pool {
    free: Vec<u32>,
    made: u32,
}

impl Pool {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made - 1
        })
    }

    fn give_back(&mut self, buffer: u32) {
        self.free.push(buffer);
    }
}

/// A buffer that has been written, and how many edges have still to read it.
struct Held {
    buffer: u32,
    readers: usize,
}

impl Held {
    /// Its buffer, and whether this was the last to read it.
    fn read(&mut self) -> (u32, bool) {
        self.readers -= 1;
        (self.buffer, self.readers == 0)
    }
}

struct Writer<'a> {
    graph: &'a Graph,
    latency: &'a Latency,
    previous: &'a Places,
    spec: ScheduleSpec,
    places: Places,
    audio: Pool,
    events: Pool,
    /// What output channels have written.
    outputs: BTreeMap<(NodeId, u16), Held>,
    /// What nodes have sent.
    outboxes: BTreeMap<NodeId, Held>,
}

impl Writer<'_> {
    fn node(&mut self, id: NodeId, node: &Node, slot: Option<u16>) {
        let inputs: Vec<u32> = (0..node.inputs()).map(|channel| self.input((id, channel))).collect();
        let outputs: Vec<u32> = (0..node.outputs()).map(|_| self.audio.take()).collect();
        match node.kind {
            NodeKind::Sequencer | NodeKind::LiveIn => {}
            NodeKind::DeviceIn => {
                let channels = (0..).zip(&outputs);
                self.spec.steps.extend(channels.map(|(channel, &to)| Step::DeviceIn { channel, to }));
            }
            NodeKind::Output => {
                let inputs = self.list(&inputs);
                self.spec.steps.push(Step::Output { inputs });
            }
            NodeKind::MidiOut => {
                let (edges, done) = self.event_edges(id);
                self.spec.steps.push(Step::MidiOut { edges });
                done.into_iter().for_each(|buffer| self.events.give_back(buffer));
            }
            NodeKind::Processor => {
                let slot = slot.expect("every processor has a slot");
                self.process(id, node, slot, &inputs, &outputs);
            }
        }
        inputs.into_iter().for_each(|buffer| self.audio.give_back(buffer));
        for (channel, buffer) in (0..).zip(outputs) {
            let readers = self.graph.audio.keys().filter(|key| key.from == (id, channel)).count();
            if readers == 0 {
                self.audio.give_back(buffer);
            } else {
                self.outputs.insert((id, channel), Held { buffer, readers });
            }
        }
    }

    fn process(&mut self, id: NodeId, node: &Node, slot: u16, inputs: &[u32], outputs: &[u32]) {
        let (edges, done) = self.event_edges(id);
        let inbox = self.events.take();
        self.spec.steps.push(Step::MergeEvents { slot, edges, to: inbox });
        done.into_iter().for_each(|buffer| self.events.give_back(buffer));
        let outbox = (node.info.event_outputs > 0).then(|| self.events.take());
        let step = ProcessStep {
            slot,
            inputs: self.list(inputs),
            outputs: self.list(outputs),
            events_in: inbox,
            events_out: outbox,
            behind_frames: self.latency.behind_frames(id),
        };
        self.spec.steps.push(Step::Process(step));
        self.events.give_back(inbox);
        if let Some(buffer) = outbox {
            match self.graph.events.keys().filter(|key| key.from.0 == id).count() {
                0 => self.events.give_back(buffer),
                readers => {
                    self.outboxes.insert(id, Held { buffer, readers });
                }
            }
        }
    }

    /// Mixes what arrives at an input channel into a buffer of its own.
    fn input(&mut self, to: (NodeId, u16)) -> u32 {
        let mixed = self.audio.take();
        let edges: Vec<AudioKey> = self.graph.audio.keys().filter(|key| key.to == to).copied().collect();
        if edges.is_empty() {
            self.spec.steps.push(Step::Clear { to: mixed });
        }
        for (at, &key) in edges.iter().enumerate() {
            let (source, last) = self.outputs.get_mut(&key.from).expect("sources come first").read();
            let edge = self.audio_edge(key);
            let mut from = source;
            if self.spec.audio_edges[edge as usize].delay_frames.is_some() {
                from = self.audio.take();
                self.spec.steps.push(Step::Delay { edge, from: source, to: from });
                self.audio.give_back(from);
            }
            let mix = Mix { edge, from, to: mixed };
            self.spec.steps.push(if at == 0 { Step::Copy(mix) } else { Step::Add(mix) });
            if last {
                self.audio.give_back(source);
            }
        }
        mixed
    }

    fn audio_edge(&mut self, key: AudioKey) -> u32 {
        let index = self.spec.audio_edges.len() as u32;
        let delay_frames =
            delay(self.latency.delay_frames(key.from.0, key.to.0), self.previous.audio.get(&key));
        let gain = self.graph.audio[&key];
        self.spec.audio_edges.push(AudioEdgeSpec { gain: gain.set * gain.adapted, delay_frames });
        self.places.audio.insert(key, Place { index, delayed: delay_frames.is_some() });
        index
    }

    /// Makes the edges that bring events to a node; also returns the buffers that nobody else reads.
    fn event_edges(&mut self, id: NodeId) -> (Range<u32>, Vec<u32>) {
        let of_node = self.graph.events.iter().filter(|(key, _)| key.to.0 == id);
        let keys: Vec<(EventKey, ChannelFilter)> = of_node.map(|(key, filter)| (*key, *filter)).collect();
        let first = self.spec.event_edges.len() as u32;
        let mut done = vec![];
        for (index, (key, filter)) in (first..).zip(keys) {
            let source = match self.graph.nodes[&key.from.0].kind {
                NodeKind::Sequencer => EventSource::Sequencer { port: key.from.1 },
                NodeKind::LiveIn => EventSource::LiveIn,
                _ => {
                    let outbox = self.outboxes.get_mut(&key.from.0).expect("sources come first");
                    let (buffer, last) = outbox.read();
                    done.extend(last.then_some(buffer));
                    EventSource::Node { buffer, port: key.from.1 }
                }
            };
            let delay_frames =
                delay(self.latency.delay_frames(key.from.0, id), self.previous.events.get(&key));
            self.spec.event_edges.push(EventEdgeSpec { source, filter, port: key.to.1, delay_frames });
            self.places.events.insert(key, Place { index, delayed: delay_frames.is_some() });
            if delay_frames.is_some() {
                self.spec.steps.push(Step::DelayEvents { edge: index });
            }
        }
        (first..self.spec.event_edges.len() as u32, done)
    }

    fn list(&mut self, buffers: &[u32]) -> Range<u32> {
        let start = self.spec.lists.len() as u32;
        self.spec.lists.extend_from_slice(buffers);
        start..start + buffers.len() as u32
    }
}

/// An edge that has a delay keeps it, if only with length 0: what is inside must come out.
fn delay(frames: u32, previous: Option<&Place>) -> Option<u32> {
    (frames > 0 || previous.is_some_and(|place| place.delayed)).then_some(frames)
}
