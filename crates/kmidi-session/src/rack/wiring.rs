//! From the plugins of a rack to the connections of a graph. Nothing here changes a graph that plays.

use std::collections::BTreeMap;

use kmidi_core::NodeInfo;
use kmidi_graph::{Graph, GraphError, NodeId};
use kmidi_host::{AudioPort, Description, Kind, PortRole};
use kmidi_rt::{ChannelFilter, Junction, Quiet, RackInput};

use super::channels::DeviceChannels;

/// What every rig has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub song: NodeId,
    pub live: Option<NodeId>,
    pub device_in: Option<NodeId>,
    pub synth: NodeId,
    pub output: NodeId,
}

/// A plugin in the graph, and the junction behind it.
#[derive(Clone)]
pub(crate) struct Nodes {
    pub plugin: NodeId,
    pub junction: NodeId,
    /// What is in front of it, where it is played live.
    pub inlet: Option<NodeId>,
    pub quiet: Quiet,
    /// The port that takes sound; none of an instrument.
    audio_in: Option<u16>,
    audio_out: u16,
    side_chain: Option<u16>,
    /// Channels of its output ports.
    outputs: Vec<u16>,
}

impl Nodes {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = NodeId> {
        [self.plugin, self.junction].into_iter().chain(self.inlet)
    }
}

/// What goes beside the row.
#[derive(Clone, Default)]
pub(crate) struct Routes<'a> {
    /// What its side-chain listens to.
    pub side_chain: Option<&'a Nodes>,
    /// Whether it hears the device.
    pub audio_in: bool,
    /// Its output ports, and who gets them.
    pub outputs: Vec<(u16, &'a Nodes)>,
    /// Its output ports, and the channels of the device that they go to.
    pub devices: Vec<(u16, DeviceChannels)>,
}

/// How a plugin stands in the row.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub nodes: &'a Nodes,
    /// Linear.
    pub gain: f32,
    pub is_bypassed: bool,
    /// Nothing goes in any more; what is inside comes out.
    pub is_leaving: bool,
    /// The channels that were named for it, a bit for each; 0 for all that are left.
    pub channels: u16,
    pub routes: Routes<'a>,
}

/// The audio connections of two nodes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wire {
    pub links: Vec<Link>,
    pub gain: f32,
}

/// One connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Link {
    /// Of two ports, whose channels are adapted.
    Ports(u16, u16),
    /// Of two channels, counted over all ports of their nodes; and its part of the gain.
    Channels { from: u16, to: u16, part: f32 },
}

impl Link {
    /// Makes the connection.
    pub fn connect(&self, graph: &mut Graph, from: NodeId, to: NodeId) -> Result<(), GraphError> {
        match *self {
            Link::Ports(out, into) => graph.connect_audio((from, out), (to, into)),
            Link::Channels { from: out, to: into, part } => {
                graph.connect_channel((from, out), (to, into), part)
            }
        }
    }
}

/// The connections of a rig, by their two nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wiring {
    pub audio: BTreeMap<(NodeId, NodeId), Wire>,
    pub events: BTreeMap<(NodeId, NodeId), ChannelFilter>,
}

/// A plugin that has no place in a row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum NoPlace {
    #[error("it has no audio {what}: it cannot stand in a rack")]
    NoAudio { what: &'static str },
    #[error("its audio {what} has {channels} channels: a rack takes one or two")]
    Channels { what: &'static str, channels: u16 },
    #[error("it changes notes, not sound: it cannot stand in a rack yet")]
    NoteEffect,
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Whether it makes sound of notes.
pub(crate) fn is_instrument(description: &Description) -> bool {
    description.kind == Kind::Instrument
}

/// Puts a plugin and its junction into a graph, with no connections yet.
///
/// # Errors
/// [`NoPlace`]; the audio half has been dropped then.
pub(crate) fn add(
    graph: &mut Graph,
    description: &Description,
    info: &NodeInfo,
    processor: Box<dyn kmidi_core::Processor>,
    input: Option<RackInput>,
) -> Result<Nodes, NoPlace> {
    if description.kind == Kind::NoteEffect {
        return Err(NoPlace::NoteEffect);
    }
    let audio_out = port(&description.audio_outputs, &info.audio_outputs, "output")?;
    let audio_in = match is_instrument(description) {
        true => None,
        false => Some(port(&description.audio_inputs, &info.audio_inputs, "input")?),
    };
    let is_side_chain = |port: &AudioPort| port.role == PortRole::SideChain;
    let side_chain = description.audio_inputs.iter().position(is_side_chain);
    let side_chain = side_chain.filter(|at| *at < info.audio_inputs.len()).map(|at| at as u16);
    let outputs = info.audio_outputs.clone();
    let (junction, quiet) = Junction::new();
    // Parameters from its map come as events, also to a plugin that takes no notes.
    let event_inputs = info.event_inputs.max(u16::from(input.is_some()));
    let plugin = graph.add_processor(NodeInfo { event_inputs, ..info.clone() }, processor)?;
    let name = format!("the sum behind {}", info.name);
    let junction = graph.add_processor(Junction::info(name), Box::new(junction));
    let info = RackInput::info(&format!("what plays {}", info.name));
    let inlet = input.map(|input| graph.add_processor(info, Box::new(input))).transpose();
    match (junction, inlet) {
        (Ok(junction), Ok(inlet)) => {
            Ok(Nodes { plugin, junction, inlet, quiet, audio_in, audio_out, side_chain, outputs })
        }
        (junction, inlet) => {
            let made =
                [Some(plugin), junction.as_ref().ok().copied(), inlet.as_ref().ok().copied().flatten()];
            made.into_iter().flatten().try_for_each(|node| graph.remove_node(node))?;
            Err(junction.err().or(inlet.err()).unwrap_or(GraphError::NoSuchNode).into())
        }
    }
}

/// The port for the sound itself.
fn port(described: &[AudioPort], channels: &[u16], what: &'static str) -> Result<u16, NoPlace> {
    let main = described.iter().position(|port| port.role == PortRole::Main).unwrap_or(0);
    let at = if main < channels.len() { main } else { 0 };
    match channels.get(at) {
        Some(1 | 2) => Ok(at as u16),
        Some(0) | None => Err(NoPlace::NoAudio { what }),
        Some(&channels) => Err(NoPlace::Channels { what, channels }),
    }
}

impl Wiring {
    /// Instruments sound side by side with the synthesiser; effects follow each other behind them.
    pub fn new(parts: &Parts, row: &[Place], has_synthesiser: bool) -> Self {
        let mut wiring = Wiring::default();
        let (instruments, effects): (Vec<&Place>, Vec<&Place>) =
            row.iter().partition(|place| place.nodes.audio_in.is_none());
        wiring.events(parts, &instruments, has_synthesiser);
        wiring.live_events(parts, row);
        let mut sources = vec![parts.synth];
        for place in instruments {
            wiring.wire(place.nodes.plugin, place.nodes.junction, place.wet_ports(), place.wet());
            if place.is_heard() {
                sources.push(place.nodes.junction);
            }
        }
        for place in effects {
            let Nodes { plugin, junction, audio_in, .. } = *place.nodes;
            for source in sources {
                if let Some(port) = audio_in.filter(|_| !place.is_leaving) {
                    wiring.wire(source, plugin, (0, port), 1.0);
                }
                // It is there while nothing goes over it, with its delay full: so the way past the effect is in time.
                let dry = if place.is_bypassed || place.is_leaving { 1.0 } else { 0.0 };
                wiring.wire(source, junction, (0, Junction::DRY), dry);
            }
            wiring.wire(plugin, junction, place.wet_ports(), place.wet());
            // What all goes to channels of its own goes no further.
            sources = if place.is_for_device() { vec![] } else { vec![junction] };
        }
        for source in sources {
            wiring.wire(source, parts.output, (0, 0), 1.0);
        }
        row.iter().for_each(|place| wiring.route(parts, place));
        wiring
    }

    /// What goes beside the row.
    fn route(&mut self, parts: &Parts, place: &Place) {
        let (nodes, routes) = (place.nodes, &place.routes);
        if place.is_leaving {
            return;
        }
        if let (Some(device), Some(port)) = (parts.device_in.filter(|_| routes.audio_in), nodes.audio_in) {
            self.wire(device, nodes.plugin, (0, port), 1.0);
        }
        if let (Some(from), Some(port)) = (routes.side_chain, nodes.side_chain) {
            self.wire(from.junction, nodes.plugin, (0, port), 1.0);
        }
        for &(port, to) in &routes.outputs {
            let Some(into) = to.audio_in else { continue };
            // The first port goes through the junction, where level and bypass are.
            match port == nodes.audio_out {
                true => self.wire(nodes.junction, to.plugin, (0, into), 1.0),
                false => self.wire(nodes.plugin, to.plugin, (port, into), 1.0),
            }
        }
        for &(port, channels) in &routes.devices {
            let (from, first, count, gain) = match port == nodes.audio_out {
                true => (nodes.junction, 0, 2, 1.0),
                false => {
                    let first = nodes.outputs.iter().take(port.into()).sum();
                    let count = nodes.outputs.get(usize::from(port)).copied().unwrap_or(0);
                    (nodes.plugin, first, count, place.wet())
                }
            };
            channels.links(first, count).for_each(|link| self.link(from, parts.output, link, gain));
        }
    }

    fn wire(&mut self, from: NodeId, to: NodeId, (out, into): (u16, u16), gain: f32) {
        self.link(from, to, Link::Ports(out, into), gain);
    }

    fn link(&mut self, from: NodeId, to: NodeId, link: Link, gain: f32) {
        let wire = self.audio.entry((from, to)).or_insert(Wire { links: vec![], gain });
        if !wire.links.contains(&link) {
            wire.links.push(link);
        }
    }

    /// What is played live goes through the nodes in front of the plugins.
    fn live_events(&mut self, parts: &Parts, row: &[Place]) {
        for place in row.iter().filter(|place| !place.is_leaving) {
            let Some(inlet) = place.nodes.inlet else { continue };
            for source in [Some(parts.song), parts.live].into_iter().flatten() {
                self.events.remove(&(source, place.nodes.plugin));
                self.events.insert((source, inlet), ChannelFilter::ALL);
            }
            self.events.insert((inlet, place.nodes.plugin), ChannelFilter::ALL);
        }
    }

    fn events(&mut self, parts: &Parts, instruments: &[&Place], has_synthesiser: bool) {
        let playing = || instruments.iter().filter(|place| !place.is_leaving);
        let named = playing().fold(0, |all, place| all | place.channels);
        let plays_the_rest = playing().any(|place| place.channels == 0);
        let rest = if plays_the_rest || !has_synthesiser { 0 } else { !named };
        // Of the others it hears all but the notes, so that it is ready to play them.
        let mut filters = vec![(parts.synth, ChannelFilter { notes: rest, controls: u16::MAX })];
        filters.extend(playing().map(|place| {
            let channels = if place.channels == 0 { !named } else { place.channels };
            (place.nodes.plugin, ChannelFilter::only(channels))
        }));
        for (to, filter) in filters {
            let sources = [Some(parts.song), parts.live].into_iter().flatten();
            self.events.extend(sources.map(|from| ((from, to), filter)));
        }
    }

    /// Connects exactly these events in a graph that has those of `before`.
    pub fn connect_events(&self, before: &Wiring, graph: &mut Graph) -> Result<(), GraphError> {
        for &(from, to) in before.events.keys().filter(|key| !self.events.contains_key(key)) {
            graph.disconnect_events(from, to);
        }
        for (&(from, to), &filter) in &self.events {
            if !before.events.contains_key(&(from, to)) {
                connect_all_events(graph, from, to)?;
            }
            if graph.info(to).is_some_and(|info| info.event_inputs > 0) {
                graph.set_event_filter(from, to, filter)?;
            }
        }
        Ok(())
    }

    /// Makes these connections in a graph that has those of `before`, at once.
    pub fn connect(&self, before: &Wiring, graph: &mut Graph) -> Result<(), GraphError> {
        for &(from, to) in before.audio.keys().filter(|key| !self.audio.contains_key(key)) {
            graph.disconnect_audio(from, to);
        }
        for (&(from, to), wire) in &self.audio {
            let had = before.audio.get(&(from, to)).map_or(&[][..], |before| &before.links);
            for link in wire.links.iter().filter(|link| !had.contains(link)) {
                link.connect(graph, from, to)?;
            }
            graph.set_connection_gain(from, to, wire.gain)?;
        }
        self.connect_events(before, graph)
    }

    /// Whether sound goes into this node or comes out of it.
    pub fn has(&self, node: NodeId) -> bool {
        self.audio.keys().any(|&(from, to)| from == node || to == node)
    }
}

/// Each MIDI port to one of the same number; what a plugin has no port for goes to its last one.
fn connect_all_events(graph: &mut Graph, from: NodeId, to: NodeId) -> Result<(), GraphError> {
    let outputs = graph.info(from).ok_or(GraphError::NoSuchNode)?.event_outputs;
    let inputs = graph.info(to).ok_or(GraphError::NoSuchNode)?.event_inputs;
    if inputs == 0 {
        return Ok(());
    }
    (0..outputs).try_for_each(|port| graph.connect_events((from, port), (to, port.min(inputs - 1))))
}

impl Place<'_> {
    /// Whether sound goes into it.
    pub fn is_effect(&self) -> bool {
        self.nodes.audio_in.is_some()
    }

    /// Whether its sound goes along the row.
    fn is_heard(&self) -> bool {
        !self.is_for_device()
            && !self
                .routes
                .outputs
                .iter()
                .any(|(port, to)| *port == self.nodes.audio_out && to.audio_in.is_some())
    }

    /// Whether its sound goes to channels of the device that were named for it.
    fn is_for_device(&self) -> bool {
        self.routes.devices.iter().any(|(port, _)| *port == self.nodes.audio_out)
    }

    fn wet(&self) -> f32 {
        if self.is_bypassed { 0.0 } else { self.gain }
    }

    fn wet_ports(&self) -> (u16, u16) {
        (self.nodes.audio_out, Junction::WET)
    }
}
