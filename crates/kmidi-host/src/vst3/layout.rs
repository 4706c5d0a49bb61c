//! The buses of a plugin, and the ports that the graph sees of them. `[side B]`

use kmidi_core::limits::MAX_NODE_CHANNELS;

use super::component::{BusFacts, Component, Direction, Media};
use super::limits::{MAX_AUDIO_BUSES, MAX_BUS_CHANNELS, MAX_EVENT_BUSES};
use crate::{AudioPort, EventPort, PortRole};

/// Left and right (`SpeakerArr::kStereo`).
const STEREO: u64 = 0b11;
/// One speaker (`SpeakerArr::kMono`).
const MONO: u64 = 1 << 19;

/// An audio bus.
#[derive(Clone)]
pub struct Bus {
    pub port: AudioPort,
    /// Channels for which buffers are at hand: no less than the port's, whatever the plugin says elsewhere.
    pub room: usize,
    /// Whether the graph sees it. One without channels, or beyond the channels of a node, it does not.
    pub is_port: bool,
}

/// All buses.
#[derive(Clone, Default)]
pub struct Layout {
    pub inputs: Vec<Bus>,
    pub outputs: Vec<Bus>,
    pub event_inputs: Vec<EventPort>,
    pub event_outputs: Vec<EventPort>,
}

impl Layout {
    /// Settles the speakers of all buses and reads them. The plugin's own are kept; if it does not confirm even these,
    /// all buses stereo and then all mono are offered.
    ///
    /// # Errors
    /// What it has too many of.
    pub fn settle(component: &Component) -> Result<Self, String> {
        let counts = [Direction::Input, Direction::Output].map(|it| component.bus_count(Media::Audio, it));
        if let Some(count) = counts.into_iter().find(|&count| count > MAX_AUDIO_BUSES) {
            return Err(format!("{count} audio buses"));
        }
        let own = |direction, count| -> Option<Vec<u64>> {
            (0..count).map(|index| component.arrangement(direction, index)).collect()
        };
        let speakers = (own(Direction::Input, counts[0]), own(Direction::Output, counts[1]));
        // Of a plugin that does not name its speakers none are asked for: no speakers would switch its buses off.
        if let (Some(mut inputs), Some(mut outputs)) = speakers
            && component.refuses_arrangements(&mut inputs, &mut outputs)
        {
            for speakers in [STEREO, MONO] {
                inputs.fill(speakers);
                outputs.fill(speakers);
                if !component.refuses_arrangements(&mut inputs, &mut outputs) {
                    break;
                }
            }
        }
        Layout::read(component)
    }

    fn read(component: &Component) -> Result<Self, String> {
        Ok(Layout {
            inputs: audio_buses(component, Direction::Input)?,
            outputs: audio_buses(component, Direction::Output)?,
            event_inputs: event_ports(component, Direction::Input),
            event_outputs: event_ports(component, Direction::Output),
        })
    }

    /// Switches every bus that is a port on, or all off.
    pub fn activate(&self, component: &Component, on: bool) {
        for (direction, buses) in [(Direction::Input, &self.inputs), (Direction::Output, &self.outputs)] {
            for (index, bus) in buses.iter().enumerate() {
                component.activate_bus(Media::Audio, direction, index, on && bus.is_port);
            }
        }
        for (direction, ports) in
            [(Direction::Input, &self.event_inputs), (Direction::Output, &self.event_outputs)]
        {
            for index in 0..ports.len() {
                component.activate_bus(Media::Event, direction, index, on);
            }
        }
    }
}

/// What the graph sees of buses.
pub fn ports(buses: &[Bus]) -> impl Iterator<Item = &AudioPort> {
    buses.iter().filter(|bus| bus.is_port).map(|bus| &bus.port)
}

fn audio_buses(component: &Component, direction: Direction) -> Result<Vec<Bus>, String> {
    let count = component.bus_count(Media::Audio, direction);
    let mut buses = Vec::new();
    let mut channels_seen = 0;
    for index in 0..count.min(MAX_AUDIO_BUSES) {
        let facts = component.bus(Media::Audio, direction, index);
        let said = facts.as_ref().map_or(0, |facts| facts.channels);
        let speakers = component.arrangement(direction, index).map(|speakers| speakers.count_ones() as usize);
        let channels = speakers.unwrap_or(said);
        let room = channels.max(said);
        if room > MAX_BUS_CHANNELS {
            return Err(format!("an audio bus of {room} channels"));
        }
        let is_port = channels > 0 && channels_seen + channels <= MAX_NODE_CHANNELS;
        if is_port {
            channels_seen += channels;
        }
        let role = role(direction, facts.as_ref());
        let name = facts.map(|facts| facts.name).unwrap_or_default();
        buses.push(Bus { port: AudioPort { name, channels: channels as u16, role }, room, is_port });
    }
    Ok(buses)
}

fn role(direction: Direction, facts: Option<&BusFacts>) -> PortRole {
    match facts {
        Some(facts) if facts.is_control_voltage => PortRole::Cv,
        Some(facts) if !facts.is_main && direction == Direction::Input => PortRole::SideChain,
        Some(facts) if !facts.is_main => PortRole::Aux,
        _ => PortRole::Main,
    }
}

fn event_ports(component: &Component, direction: Direction) -> Vec<EventPort> {
    let count = component.bus_count(Media::Event, direction).min(MAX_EVENT_BUSES);
    let name =
        |index| component.bus(Media::Event, direction, index).map(|facts| facts.name).unwrap_or_default();
    (0..count).map(|index| EventPort { name: name(index), midi: true }).collect()
}
