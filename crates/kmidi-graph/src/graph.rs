use std::collections::BTreeMap;

use kmidi_core::limits::{MAX_DEVICE_CHANNELS, MAX_EDGES, MAX_LATENCY_FRAMES, MAX_MIDI_PORTS, MAX_NODES};
use kmidi_core::{NodeInfo, Processor};
use kmidi_rt::ChannelFilter;

use crate::limits_of_node;

/// Largest linear gain of a connection: +40 dB.
const MAX_GAIN: f32 = 100.0;

/// Names a node of one [`Graph`]; never used again after the node is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u64);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// The song: an event output for each of its MIDI ports.
    Sequencer,
    /// Live MIDI of the device: one event output.
    LiveIn,
    /// Captured audio of the device: one audio output.
    DeviceIn,
    /// A processor of any kind.
    Processor,
    /// The device's audio, behind master gain and ceiling: one audio input.
    Output,
    /// The device's MIDI: an event input for each MIDI port.
    MidiOut,
}

/// An audio connection of one channel to one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AudioKey {
    pub from: (NodeId, u16),
    pub to: (NodeId, u16),
}

/// The level of an audio connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AudioGain {
    /// What the user has set, linear.
    pub set: f32,
    /// What the adaptation of channel counts asks for.
    pub adapted: f32,
}

/// An event connection of one port to one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventKey {
    pub from: (NodeId, u16),
    pub to: (NodeId, u16),
}

pub(crate) struct Node {
    pub kind: NodeKind,
    pub info: NodeInfo,
    pub slot: Option<u16>,
    /// Until the node is in a schedule.
    pub processor: Option<Box<dyn Processor>>,
}

impl Node {
    pub fn inputs(&self) -> u16 {
        self.info.audio_inputs.iter().sum()
    }

    pub fn outputs(&self) -> u16 {
        self.info.audio_outputs.iter().sum()
    }
}

/// Why an edit of a graph was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// The node is not (or no longer) in the graph.
    #[error("there is no such node in the graph")]
    NoSuchNode,
    /// The node has no such port.
    #[error("'{node}' has no {what} {port}; it has {ports}")]
    NoSuchPort {
        /// The node's name.
        node: String,
        /// Kind of port.
        what: &'static str,
        /// What was asked for.
        port: u16,
        /// How many there are.
        ports: usize,
    },
    /// The two audio ports have channel counts that no rule adapts.
    #[error(
        "cannot connect {from_channels} channels to {to_channels}: connect equal counts, or mono and stereo"
    )]
    ChannelMismatch {
        /// Channels of the source port.
        from_channels: u16,
        /// Channels of the destination port.
        to_channels: u16,
    },
    /// A limit of [`kmidi_core::limits`] would be passed.
    #[error("the graph would have more than {limit} {what}; remove some first")]
    TooMany {
        /// What there would be too many of.
        what: &'static str,
        /// The most there can be.
        limit: usize,
    },
    /// Only one output node and one MIDI output node can be there.
    #[error("the graph has this device node already")]
    Duplicate,
    /// Nothing of the kind goes from one node to the other.
    #[error("the two nodes are not connected; connect them first")]
    NotConnected,
    /// A gain is not a number or too large.
    #[error("gain {gain} is not between -{MAX_GAIN} and {MAX_GAIN} (linear)")]
    GainOutOfRange {
        /// What was asked for.
        gain: f32,
    },
}

/// A graph as side B edits it. Nothing is heard of an edit until the graph is compiled and sent.
/// `[side B]`
pub struct Graph {
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    pub(crate) audio: BTreeMap<AudioKey, AudioGain>,
    pub(crate) events: BTreeMap<EventKey, ChannelFilter>,
    next_id: u64,
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Graph { nodes: BTreeMap::new(), audio: BTreeMap::new(), events: Default::default(), next_id: 1 }
    }

    /// Adds a processor. `info` must stay true as long as the node is there.
    ///
    /// # Errors
    /// [`GraphError::TooMany`] nodes, channels or frames of latency.
    pub fn add_processor(
        &mut self,
        info: NodeInfo,
        processor: Box<dyn Processor>,
    ) -> Result<NodeId, GraphError> {
        limits_of_node(&info)?;
        self.add(NodeKind::Processor, info, Some(processor))
    }

    /// Adds the song's events.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_sequencer(&mut self) -> Result<NodeId, GraphError> {
        let info = device_node("song", 0, 0, 0, MAX_MIDI_PORTS as u16);
        self.add(NodeKind::Sequencer, info, None)
    }

    /// Adds live MIDI.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_live_in(&mut self) -> Result<NodeId, GraphError> {
        self.add(NodeKind::LiveIn, device_node("MIDI input", 0, 0, 0, 1), None)
    }

    /// Adds captured audio of `channels` channels.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_device_in(&mut self, channels: u16) -> Result<NodeId, GraphError> {
        device_channels(channels)?;
        self.add(NodeKind::DeviceIn, device_node("audio input", 0, channels, 0, 0), None)
    }

    /// Adds the output of `channels` channels.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_output(&mut self, channels: u16) -> Result<NodeId, GraphError> {
        self.add_output_ports(&[channels])
    }

    /// Adds the output with several ports; the device's channels are theirs, port by port.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_output_ports(&mut self, ports: &[u16]) -> Result<NodeId, GraphError> {
        device_channels(ports.iter().fold(0, |all, channels| all.saturating_add(*channels)))?;
        let info = NodeInfo { audio_inputs: ports.to_vec(), ..device_node("output", 0, 0, 0, 0) };
        self.add(NodeKind::Output, info, None)
    }

    /// Adds the MIDI output.
    ///
    /// # Errors
    /// [`GraphError::Duplicate`], [`GraphError::TooMany`].
    pub fn add_midi_out(&mut self) -> Result<NodeId, GraphError> {
        self.add(NodeKind::MidiOut, device_node("MIDI output", 0, 0, MAX_MIDI_PORTS as u16, 0), None)
    }

    fn add(
        &mut self,
        kind: NodeKind,
        info: NodeInfo,
        processor: Option<Box<dyn Processor>>,
    ) -> Result<NodeId, GraphError> {
        if kind != NodeKind::Processor && self.nodes.values().any(|node| node.kind == kind) {
            return Err(GraphError::Duplicate);
        }
        if self.nodes.len() == MAX_NODES {
            return Err(GraphError::TooMany { what: "nodes", limit: MAX_NODES });
        }
        let id = NodeId(self.next_id);
        self.next_id += 1;
        self.nodes.insert(id, Node { kind, info, slot: None, processor });
        Ok(id)
    }

    /// Removes a node and its connections. A processor that is sounding comes home with the swap
    /// that removes it.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`].
    pub fn remove_node(&mut self, id: NodeId) -> Result<(), GraphError> {
        self.nodes.remove(&id).ok_or(GraphError::NoSuchNode)?;
        self.audio.retain(|key, _| key.from.0 != id && key.to.0 != id);
        self.events.retain(|key, _| key.from.0 != id && key.to.0 != id);
        Ok(())
    }

    /// Tells that a node's latency has changed; compensation follows with the next compile.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`], [`GraphError::TooMany`] frames.
    pub fn set_latency(&mut self, id: NodeId, latency_frames: u32) -> Result<(), GraphError> {
        let node = self.nodes.get_mut(&id).ok_or(GraphError::NoSuchNode)?;
        let info = NodeInfo { latency_frames, ..node.info.clone() };
        limits_of_node(&info)?;
        node.info = info;
        Ok(())
    }

    /// Connects two audio ports at unity gain: equal channel counts one to one; mono to stereo on
    /// both sides; stereo to mono as the mean of both.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`], [`GraphError::NoSuchPort`], [`GraphError::ChannelMismatch`],
    /// [`GraphError::TooMany`] edges.
    pub fn connect_audio(&mut self, from: (NodeId, u16), to: (NodeId, u16)) -> Result<(), GraphError> {
        let (first_from, from_channels) = self.channels(from, |info| &info.audio_outputs, "audio output")?;
        let (first_to, to_channels) = self.channels(to, |info| &info.audio_inputs, "audio input")?;
        let pairs: Vec<(u16, u16, f32)> = match (from_channels, to_channels) {
            (a, b) if a == b => (0..a).map(|channel| (channel, channel, 1.0)).collect(),
            (1, 2) => vec![(0, 0, 1.0), (0, 1, 1.0)],
            (2, 1) => vec![(0, 0, 0.5), (1, 0, 0.5)],
            _ => return Err(GraphError::ChannelMismatch { from_channels, to_channels }),
        };
        let key =
            |source, sink| AudioKey { from: (from.0, first_from + source), to: (to.0, first_to + sink) };
        let more = pairs.iter().filter(|(source, sink, _)| !self.audio.contains_key(&key(*source, *sink)));
        self.room_for_edges(more.count())?;
        for (source, sink, gain) in pairs {
            let key = key(source, sink);
            self.audio.insert(key, AudioGain { set: 1.0, adapted: gain });
        }
        Ok(())
    }

    /// Connects one channel to one at a gain (linear). Channels are counted over all audio ports of their node.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`], [`GraphError::NoSuchPort`], [`GraphError::GainOutOfRange`],
    /// [`GraphError::TooMany`] edges.
    pub fn connect_channel(
        &mut self,
        from: (NodeId, u16),
        to: (NodeId, u16),
        gain: f32,
    ) -> Result<(), GraphError> {
        for ((id, channel), outgoing) in [(from, true), (to, false)] {
            let node = self.nodes.get(&id).ok_or(GraphError::NoSuchNode)?;
            let (channels, what) = match outgoing {
                true => (node.outputs(), "output channel"),
                false => (node.inputs(), "input channel"),
            };
            if channel >= channels {
                let (node, ports) = (node.info.name.clone(), channels.into());
                return Err(GraphError::NoSuchPort { node, what, port: channel, ports });
            }
        }
        if !(-MAX_GAIN..=MAX_GAIN).contains(&gain) {
            return Err(GraphError::GainOutOfRange { gain });
        }
        let key = AudioKey { from, to };
        self.room_for_edges(usize::from(!self.audio.contains_key(&key)))?;
        self.audio.insert(key, AudioGain { set: 1.0, adapted: gain });
        Ok(())
    }

    /// Moves the gain of all connections between two nodes to `gain` (linear), smoothly.
    ///
    /// # Errors
    /// [`GraphError::NotConnected`], [`GraphError::GainOutOfRange`].
    pub fn set_connection_gain(&mut self, from: NodeId, to: NodeId, gain: f32) -> Result<(), GraphError> {
        if !(-MAX_GAIN..=MAX_GAIN).contains(&gain) {
            return Err(GraphError::GainOutOfRange { gain });
        }
        let between = |key: &AudioKey| key.from.0 == from && key.to.0 == to;
        let gains = self.audio.iter_mut().filter(|(key, _)| between(key));
        match gains.map(|(_, value)| value.set = gain).count() {
            0 => Err(GraphError::NotConnected),
            _ => Ok(()),
        }
    }

    /// Disconnects all audio between two nodes.
    pub fn disconnect_audio(&mut self, from: NodeId, to: NodeId) {
        self.audio.retain(|key, _| key.from.0 != from || key.to.0 != to);
    }

    /// Connects two event ports.
    ///
    /// # Errors
    /// [`GraphError::NoSuchNode`], [`GraphError::NoSuchPort`], [`GraphError::TooMany`] edges.
    pub fn connect_events(&mut self, from: (NodeId, u16), to: (NodeId, u16)) -> Result<(), GraphError> {
        for ((id, port), outgoing) in [(from, true), (to, false)] {
            let info = &self.nodes.get(&id).ok_or(GraphError::NoSuchNode)?.info;
            let ports = if outgoing { info.event_outputs } else { info.event_inputs };
            if port >= ports {
                let what = if outgoing { "event output" } else { "event input" };
                return Err(GraphError::NoSuchPort {
                    node: info.name.clone(),
                    what,
                    port,
                    ports: ports.into(),
                });
            }
        }
        let key = EventKey { from, to };
        if !self.events.contains_key(&key) {
            self.room_for_edges(1)?;
            self.events.insert(key, ChannelFilter::ALL);
        }
        Ok(())
    }

    /// Lets only these MIDI channels go from one node to the other. Notes that sound get their ends.
    ///
    /// # Errors
    /// [`GraphError::NotConnected`].
    pub fn set_event_filter(
        &mut self,
        from: NodeId,
        to: NodeId,
        filter: ChannelFilter,
    ) -> Result<(), GraphError> {
        let between = |key: &EventKey| key.from.0 == from && key.to.0 == to;
        let filters = self.events.iter_mut().filter(|(key, _)| between(key));
        match filters.map(|(_, value)| *value = filter).count() {
            0 => Err(GraphError::NotConnected),
            _ => Ok(()),
        }
    }

    /// Disconnects all events between two nodes. What they owe is sent with the swap.
    pub fn disconnect_events(&mut self, from: NodeId, to: NodeId) {
        self.events.retain(|key, _| key.from.0 != from || key.to.0 != to);
    }

    /// What a node is from outside.
    pub fn info(&self, id: NodeId) -> Option<&NodeInfo> {
        self.nodes.get(&id).map(|node| &node.info)
    }

    /// The node's place in the engine, once the graph has been compiled.
    pub fn slot(&self, id: NodeId) -> Option<u16> {
        self.nodes.get(&id)?.slot
    }

    /// The name of the node in a slot, for reports.
    pub fn name_of_slot(&self, slot: u16) -> Option<&str> {
        let node = self.nodes.values().find(|node| node.slot == Some(slot))?;
        Some(&node.info.name)
    }

    pub(crate) fn name(&self, id: NodeId) -> String {
        self.nodes.get(&id).map_or_else(String::new, |node| node.info.name.clone())
    }

    fn channels(
        &self,
        (id, port): (NodeId, u16),
        ports: impl Fn(&NodeInfo) -> &Vec<u16>,
        what: &'static str,
    ) -> Result<(u16, u16), GraphError> {
        let info = &self.nodes.get(&id).ok_or(GraphError::NoSuchNode)?.info;
        let ports = ports(info);
        match ports.get(usize::from(port)) {
            Some(&channels) => Ok((ports[..usize::from(port)].iter().sum(), channels)),
            None => {
                let node = info.name.clone();
                Err(GraphError::NoSuchPort { node, what, port, ports: ports.len() })
            }
        }
    }

    fn room_for_edges(&self, more: usize) -> Result<(), GraphError> {
        if self.audio.len() + self.events.len() + more > MAX_EDGES {
            return Err(GraphError::TooMany { what: "connections", limit: MAX_EDGES });
        }
        Ok(())
    }
}

fn device_channels(channels: u16) -> Result<(), GraphError> {
    if usize::from(channels) > MAX_DEVICE_CHANNELS {
        return Err(GraphError::TooMany { what: "device channels", limit: MAX_DEVICE_CHANNELS });
    }
    Ok(())
}

fn device_node(name: &str, inputs: u16, outputs: u16, event_inputs: u16, event_outputs: u16) -> NodeInfo {
    let port = |channels: u16| if channels == 0 { vec![] } else { vec![channels] };
    NodeInfo {
        name: name.to_owned(),
        audio_inputs: port(inputs),
        audio_outputs: port(outputs),
        event_inputs,
        event_outputs,
        ..NodeInfo::default()
    }
}

const _: () = assert!(MAX_LATENCY_FRAMES <= u32::MAX as usize && MAX_EDGES <= u16::MAX as usize);
