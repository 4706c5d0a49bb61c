//! From the plugins of a rack to the connections of a graph. Nothing here changes a graph that plays.

use std::collections::BTreeMap;

use kmidi_core::NodeInfo;
use kmidi_graph::{Graph, GraphError, NodeId};
use kmidi_host::{AudioPort, Description, Kind, PortRole};
use kmidi_rt::{ChannelFilter, Junction, Quiet, RackInput};

use super::channels::DeviceChannels;
use super::taps::{Link, Tap};

/// Where sound goes past a plugin.
const DRY: Tap = Tap::stereo(Junction::DRY);

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
    role: Role,
    /// Whether notes go in.
    takes_notes: bool,
    /// Its outputs, in their order.
    outputs: Vec<Tap>,
    /// Which of them is the sound itself.
    main_output: usize,
    side_chain: Option<Tap>,
}

impl Nodes {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = NodeId> {
        [self.plugin, self.junction].into_iter().chain(self.inlet)
    }

    /// The port that takes the sound of the row.
    fn audio_in(&self) -> Option<Tap> {
        match self.role {
            Role::Effect { audio_in } => Some(audio_in),
            Role::Instrument | Role::NoteEffect => None,
        }
    }

    /// Where events for it go in.
    fn first(&self) -> NodeId {
        self.inlet.unwrap_or(self.plugin)
    }
}

/// What a plugin is in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Makes sound of notes.
    Instrument,
    /// Makes sound of sound.
    Effect { audio_in: Tap },
    /// Makes notes of notes.
    NoteEffect,
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

/// The connections of a rig, by their two nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Wiring {
    pub audio: BTreeMap<(NodeId, NodeId), Wire>,
    pub events: BTreeMap<(NodeId, NodeId), ChannelFilter>,
    /// Plugins that make notes which nothing plays.
    pub unheard: Vec<NodeId>,
}

/// A plugin that has no place in a row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum NoPlace {
    #[error("it has no audio {what}: it cannot stand in a rack")]
    NoAudio { what: &'static str },
    #[error("nothing comes out of it, neither sound nor notes: it cannot stand in a rack")]
    NothingOut,
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// What is to be told of a plugin of this name that is in [`Wiring::unheard`].
pub(crate) fn unheard_text(name: &str) -> String {
    format!(
        "{name} changes notes, and no instrument behind it plays them: it is not heard. Put one behind it"
    )
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
    let role = role(description, info)?;
    let outputs = Tap::all(&info.audio_outputs, role == Role::Instrument);
    let main_output = match role {
        Role::NoteEffect => 0,
        Role::Instrument | Role::Effect { .. } => main(&description.audio_outputs, &outputs, "output")?,
    };
    let is_side_chain = |port: &AudioPort| port.role == PortRole::SideChain;
    let side_chain = description.audio_inputs.iter().position(is_side_chain);
    let inputs = Tap::all(&info.audio_inputs, false);
    let side_chain = side_chain.and_then(|port| inputs.into_iter().find(|tap| usize::from(tap.port) == port));
    let (junction, quiet) = Junction::new();
    let takes_notes = info.event_inputs > 0;
    // Parameters from its map come as events, also to a plugin that takes no notes.
    let event_inputs = info.event_inputs.max(u16::from(input.is_some()));
    let plugin = graph.add_processor(NodeInfo { event_inputs, ..info.clone() }, processor)?;
    let name = format!("the sum behind {}", info.name);
    let junction = graph.add_processor(Junction::info(name), Box::new(junction));
    let info = RackInput::info(&format!("what plays {}", info.name));
    let inlet = input.map(|input| graph.add_processor(info, Box::new(input))).transpose();
    match (junction, inlet) {
        (Ok(junction), Ok(inlet)) => {
            Ok(Nodes { plugin, junction, inlet, quiet, role, takes_notes, outputs, main_output, side_chain })
        }
        (junction, inlet) => {
            let made =
                [Some(plugin), junction.as_ref().ok().copied(), inlet.as_ref().ok().copied().flatten()];
            made.into_iter().flatten().try_for_each(|node| graph.remove_node(node))?;
            Err(junction.err().or(inlet.err()).unwrap_or(GraphError::NoSuchNode).into())
        }
    }
}

/// What it can be in a row.
fn role(description: &Description, info: &NodeInfo) -> Result<Role, NoPlace> {
    match description.kind {
        Kind::Instrument => Ok(Role::Instrument),
        Kind::NoteEffect if info.event_outputs == 0 => Err(NoPlace::NothingOut),
        Kind::NoteEffect => Ok(Role::NoteEffect),
        Kind::Effect | Kind::Analyzer => {
            let inputs = Tap::all(&info.audio_inputs, false);
            let main = main(&description.audio_inputs, &inputs, "input")?;
            Ok(Role::Effect { audio_in: inputs[main] })
        }
    }
}

/// Where the sound itself is.
fn main(described: &[AudioPort], taps: &[Tap], what: &'static str) -> Result<usize, NoPlace> {
    let main = described.iter().position(|port| port.role == PortRole::Main).unwrap_or(0);
    let of_main = taps.iter().position(|tap| usize::from(tap.port) == main);
    of_main.or_else(|| (!taps.is_empty()).then_some(0)).ok_or(NoPlace::NoAudio { what })
}

impl Wiring {
    /// Instruments sound side by side with the synthesiser; effects follow each other behind them. What changes notes plays
    /// the next instrument of the row, and the synthesiser where none follows. `hears_device`: what the device captures goes to
    /// the output as it is.
    pub fn new(parts: &Parts, row: &[Place], has_synthesiser: bool, hears_device: bool) -> Self {
        let mut wiring = Wiring::default();
        wiring.events(parts, row, has_synthesiser);
        let mut sources = vec![parts.synth];
        for place in row.iter().filter(|place| place.nodes.role == Role::Instrument) {
            wiring.wire(place.nodes.plugin, place.nodes.junction, place.wet_taps(), place.wet());
            if place.is_heard() {
                sources.push(place.nodes.junction);
            }
        }
        for place in row {
            let Nodes { plugin, junction, role: Role::Effect { audio_in }, .. } = *place.nodes else {
                continue;
            };
            for source in sources {
                if !place.is_leaving {
                    wiring.wire(source, plugin, (Tap::MAIN, audio_in), 1.0);
                }
                // It is there while nothing goes over it, with its delay full: so the way past the effect is in time.
                let dry = if place.is_bypassed || place.is_leaving { 1.0 } else { 0.0 };
                wiring.wire(source, junction, (Tap::MAIN, DRY), dry);
            }
            wiring.wire(plugin, junction, place.wet_taps(), place.wet());
            // What all goes to channels of its own goes no further.
            sources = if place.is_for_device() { vec![] } else { vec![junction] };
        }
        // What a plugin would have heard that is not there.
        sources.extend(parts.device_in.filter(|_| hears_device));
        for source in sources {
            wiring.wire(source, parts.output, (Tap::MAIN, Tap::MAIN), 1.0);
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
        if let (Some(device), Some(port)) = (parts.device_in.filter(|_| routes.audio_in), nodes.audio_in()) {
            self.wire(device, nodes.plugin, (Tap::MAIN, port), 1.0);
            let dry = if place.is_bypassed { 1.0 } else { 0.0 };
            self.wire(device, nodes.junction, (Tap::MAIN, DRY), dry);
        }
        if let (Some(from), Some(port)) = (routes.side_chain, nodes.side_chain) {
            self.wire(from.junction, nodes.plugin, (Tap::MAIN, port), 1.0);
        }
        for &(port, to) in &routes.outputs {
            let Some(into) = to.audio_in() else { continue };
            // The first port goes through the junction, where level and bypass are.
            match nodes.outputs.get(usize::from(port)) {
                _ if usize::from(port) == nodes.main_output => {
                    self.wire(nodes.junction, to.plugin, (Tap::MAIN, into), 1.0);
                }
                Some(tap) => self.wire(nodes.plugin, to.plugin, (*tap, into), 1.0),
                None => {}
            }
        }
        for &(port, channels) in &routes.devices {
            let (from, first, count, gain) = match nodes.outputs.get(usize::from(port)) {
                _ if usize::from(port) == nodes.main_output => (nodes.junction, 0, 2, 1.0),
                Some(tap) => (nodes.plugin, tap.first, tap.count, place.wet()),
                None => continue,
            };
            channels.links(first, count).for_each(|link| self.link(from, parts.output, link, gain));
        }
    }

    fn wire(&mut self, from: NodeId, to: NodeId, (out, into): (Tap, Tap), gain: f32) {
        out.to(into).into_iter().for_each(|link| self.link(from, to, link, gain));
    }

    fn link(&mut self, from: NodeId, to: NodeId, link: Link, gain: f32) {
        let wire = self.audio.entry((from, to)).or_insert(Wire { links: vec![], gain });
        if !wire.links.contains(&link) {
            wire.links.push(link);
        }
    }

    /// Instruments share the channels; the synthesiser has those that are left.
    fn events(&mut self, parts: &Parts, row: &[Place], has_synthesiser: bool) {
        let staying = || row.iter().filter(|place| !place.is_leaving);
        let instruments = || staying().filter(|place| place.nodes.role == Role::Instrument);
        let named = instruments().fold(0, |all, place| all | place.channels);
        let plays_the_rest = instruments().any(|place| place.channels == 0);
        let rest = if plays_the_rest || !has_synthesiser { 0 } else { !named };
        let mut before = vec![];
        for place in staying() {
            match place.nodes.role {
                Role::NoteEffect => before.push(place),
                Role::Instrument => {
                    let channels = if place.channels == 0 { !named } else { place.channels };
                    let sources = self.through(parts, &before, ChannelFilter::only(channels));
                    self.enter(place.nodes, &sources);
                    before.clear();
                }
                // What is played live moves its parameters.
                Role::Effect { .. } if place.nodes.inlet.is_some() => {
                    self.enter(place.nodes, &players(parts, ChannelFilter::ALL));
                }
                Role::Effect { .. } => {}
            }
        }
        if rest == 0 {
            let at_the_end = before.iter().filter(|place| !place.is_bypassed);
            self.unheard = at_the_end.map(|place| place.nodes.plugin).collect();
        }
        // Of the others it hears all but the notes, so that it is ready to play them.
        let filter = ChannelFilter { notes: rest, controls: u16::MAX };
        let sources = self.through(parts, &before, filter);
        self.events.extend(sources.into_iter().map(|(from, filter)| ((from, parts.synth), filter)));
    }

    /// What comes out behind these, of what the song and the keyboard play: each changes the channels that were named for
    /// it, and the others pass by.
    fn through(&mut self, parts: &Parts, effects: &[&Place], filter: ChannelFilter) -> Vec<Source> {
        let mut sources = players(parts, filter);
        for Place { nodes, channels, is_bypassed, .. } in effects {
            let own = if *channels == 0 { u16::MAX } else { *channels };
            let within = |channels| move |&(from, filter): &Source| (from, filter & channels);
            let into: Vec<Source> = sources.iter().map(within(own)).collect();
            self.enter(nodes, &into);
            if *is_bypassed {
                continue;
            }
            if nodes.takes_notes {
                sources = sources.iter().map(within(!own)).collect();
            }
            // Who plays no notes plays none of its, either.
            let notes = if filter.notes == 0 { 0 } else { u16::MAX };
            sources.push((nodes.plugin, ChannelFilter { notes, controls: u16::MAX }));
        }
        sources.retain(|(_, filter)| !filter.is_empty());
        sources
    }

    fn enter(&mut self, nodes: &Nodes, sources: &[Source]) {
        let sources = sources.iter().filter(|(_, filter)| !filter.is_empty());
        self.events.extend(sources.map(|&(from, filter)| ((from, nodes.first()), filter)));
        if let Some(inlet) = nodes.inlet {
            self.events.insert((inlet, nodes.plugin), ChannelFilter::ALL);
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

    /// Whether sound or notes come out of this plugin or go in.
    pub fn has_plugin(&self, nodes: &Nodes) -> bool {
        let has = |node: NodeId| self.events.keys().any(|&(from, to)| from == node || to == node);
        self.has(nodes.junction) || has(nodes.first())
    }
}

/// Where events come from, and which.
type Source = (NodeId, ChannelFilter);

fn players(parts: &Parts, filter: ChannelFilter) -> Vec<Source> {
    [Some(parts.song), parts.live].into_iter().flatten().map(|from| (from, filter)).collect()
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
        self.nodes.audio_in().is_some()
    }

    /// Whether its sound goes along the row.
    fn is_heard(&self) -> bool {
        !self.is_for_device()
            && !self
                .routes
                .outputs
                .iter()
                .any(|(port, to)| usize::from(*port) == self.nodes.main_output && to.audio_in().is_some())
    }

    /// Whether its sound goes to channels of the device that were named for it.
    fn is_for_device(&self) -> bool {
        self.routes.devices.iter().any(|(port, _)| usize::from(*port) == self.nodes.main_output)
    }

    fn wet(&self) -> f32 {
        if self.is_bypassed { 0.0 } else { self.gain }
    }

    fn wet_taps(&self) -> (Tap, Tap) {
        (self.nodes.outputs[self.nodes.main_output], Tap::stereo(Junction::WET))
    }
}
