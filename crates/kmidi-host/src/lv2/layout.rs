//! Which of a plugin's ports are channels of which audio port, and which are for events.

use kmidi_core::limits::MAX_NODE_CHANNELS;

use super::bundle::{Group, PluginText};
use super::ports::{Direction, Port, PortType};
use super::uris::{LV2_IS_SIDE_CHAIN, MIDI_EVENT};
use crate::{AudioPort, EventPort, PortRole};

/// Audio ports of one direction and what is behind their channels.
#[derive(Clone, Debug, Default)]
pub struct AudioSide {
    /// As the graph sees them.
    pub ports: Vec<AudioPort>,
    /// Index of the plugin's port behind each channel.
    pub channels: Vec<usize>,
}

/// All ports that are not parameters.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Audio in.
    pub inputs: AudioSide,
    /// Audio out.
    pub outputs: AudioSide,
    /// Indices of the atom inputs.
    pub event_inputs: Vec<usize>,
    /// Indices of the atom outputs.
    pub event_outputs: Vec<usize>,
}

impl Layout {
    /// The layout of a plugin. A plugin's group of ports is one audio port; ports of no group are one as well, as hosts
    /// of old treat them; each control voltage is one of its own. More channels than a node may have
    /// ([`MAX_NODE_CHANNELS`]) are left out: the plugin gets silence there.
    pub fn of(text: &PluginText) -> Self {
        let events = |direction| {
            let is_event = |(_, port): &(usize, &Port)| port.is(direction, PortType::Atom);
            text.ports.iter().enumerate().filter(is_event).map(|(index, _)| index).collect()
        };
        Layout {
            inputs: side(text, Direction::Input),
            outputs: side(text, Direction::Output),
            event_inputs: events(Direction::Input),
            event_outputs: events(Direction::Output),
        }
    }

    /// The event ports at these indices.
    pub fn event_ports(text: &PluginText, indices: &[usize]) -> Vec<EventPort> {
        let port = |index: &usize| {
            let port = &text.ports[*index];
            EventPort { name: port.name.clone(), midi: port.takes(MIDI_EVENT) }
        };
        indices.iter().map(port).collect()
    }
}

/// Ports that become one audio port.
struct Bus<'a> {
    group: Option<&'a Group>,
    key: (Option<&'a str>, bool),
    role: PortRole,
    channels: Vec<usize>,
}

fn side(text: &PluginText, direction: Direction) -> AudioSide {
    let mut buses = buses(text, direction);
    if !buses.iter().any(|bus| bus.role == PortRole::Main)
        && let Some(first) = buses.iter_mut().find(|bus| bus.role == PortRole::Aux)
    {
        first.role = PortRole::Main;
    }
    buses.sort_by_key(|bus| match bus.role {
        PortRole::Main => 0,
        PortRole::SideChain | PortRole::Aux => 1,
        PortRole::Cv => 2,
    });
    let mut side = AudioSide::default();
    for mut bus in buses {
        bus.channels.truncate(MAX_NODE_CHANNELS - side.channels.len());
        if bus.channels.is_empty() {
            break;
        }
        let name = name_of(text, &bus, direction);
        side.ports.push(AudioPort { name, channels: bus.channels.len() as u16, role: bus.role });
        side.channels.append(&mut bus.channels);
    }
    side
}

fn buses(text: &PluginText, direction: Direction) -> Vec<Bus<'_>> {
    let mut buses: Vec<Bus<'_>> = Vec::new();
    for (index, port) in text.ports.iter().enumerate() {
        if port.is(direction, PortType::Cv) {
            buses.push(Bus { group: None, key: (None, false), role: PortRole::Cv, channels: vec![index] });
        }
        if !port.is(direction, PortType::Audio) {
            continue;
        }
        let group = port.group.as_ref().and_then(|iri| text.groups.get(iri));
        let steers = port.is_side_chain || port.has(LV2_IS_SIDE_CHAIN);
        let key = (port.group.as_deref(), steers);
        match buses.iter_mut().find(|bus| bus.key == key && bus.role != PortRole::Cv) {
            Some(bus) => bus.channels.push(index),
            None => {
                let role = role_of(group, steers);
                buses.push(Bus { group, key, role, channels: vec![index] });
            }
        }
    }
    buses
}

fn role_of(group: Option<&Group>, steers: bool) -> PortRole {
    match group {
        _ if steers => PortRole::SideChain,
        Some(group) if group.is_side_chain => PortRole::SideChain,
        Some(group) if group.is_main => PortRole::Main,
        _ => PortRole::Aux,
    }
}

fn name_of(text: &PluginText, bus: &Bus<'_>, direction: Direction) -> String {
    let of_group = bus.group.map(|group| group.name.clone()).filter(|name| !name.is_empty());
    let of_role = match (bus.role, direction) {
        (PortRole::SideChain, _) => "Sidechain",
        (_, Direction::Input) => "Input",
        (_, Direction::Output) => "Output",
    };
    of_group.unwrap_or_else(|| match bus.channels.as_slice() {
        [one] => text.ports[*one].name.clone(),
        _ => of_role.to_owned(),
    })
}
