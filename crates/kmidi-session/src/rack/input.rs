//! What a plugin is played with, when it is played live: its zone and its MIDI map.

use std::collections::BTreeMap;

use kmidi_host::Description;
use kmidi_rt::{Mapping, MidiMap, RackInput, RackInputHandle, rack_input};
use serde::{Deserialize, Serialize};

use super::channels::DeviceChannels;
use crate::rack_file::{RackMapping, ZoneFields};

/// What a plugin is played with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputRequest {
    /// The events that it gets.
    #[serde(with = "ZoneFields")]
    pub zone: kmidi_rt::Zone,
    /// Controllers that move its parameters.
    pub map: Vec<RackMapping>,
}

/// Where the sound of a plugin goes beside the row, and what comes in beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// The slot that its side-chain listens to.
    pub side_chain: Option<u32>,
    /// Whether it hears the audio input of the device.
    pub audio_in: bool,
    /// Output ports, counted from 0, and the slots that they go into. One whose first port is here is not heard otherwise.
    pub outputs: Vec<(u16, u32)>,
    /// Output ports, counted from 0, and the channels of the device that they go to, the same way.
    pub devices: Vec<(u16, DeviceChannels)>,
}

/// Side B's end of the node in front of a plugin.
pub(super) struct Input {
    handle: RackInputHandle,
    /// Values of parameters as far as they are known.
    values: BTreeMap<u32, f64>,
    /// It has not been told what it is to do now.
    unsent: bool,
}

impl Input {
    /// The node for a plugin with these values. What cannot be mapped is told.
    pub fn new(
        request: &InputRequest,
        description: &Description,
        values: Vec<(u32, f64)>,
        warn: impl FnMut(String),
    ) -> (Self, RackInput) {
        let values = BTreeMap::from_iter(values);
        let map = midi_map(&request.map, description, &values, warn);
        let (handle, node) = rack_input(request.zone, &map);
        (Input { handle, values, unsent: false }, node)
    }

    /// The request has changed.
    pub fn change(&mut self) {
        self.unsent = true;
    }

    /// Tells the node what has changed. Whether it has to be woken for it.
    pub fn send(
        &mut self,
        request: &InputRequest,
        description: &Description,
        warn: impl FnMut(String),
    ) -> bool {
        if !self.unsent {
            return false;
        }
        let map = midi_map(&request.map, description, &self.values, warn);
        // A node that does not run yet is told later.
        self.unsent = self.handle.set(request.zone, &map).is_err();
        true
    }

    /// Somebody has set a parameter.
    pub fn set(&mut self, id: u32, value: f64) {
        self.values.insert(id, value);
        // Where there is no room, the knob jumps at worst.
        let _ = self.handle.present(id, value);
    }

    /// What knobs have moved since the last call, by symbols.
    pub fn moved(&mut self, description: &Description) -> Vec<(String, f64)> {
        let mut moved = BTreeMap::new();
        while let Some((id, value)) = self.handle.moved() {
            self.values.insert(id, value);
            moved.insert(id, value);
        }
        let symbol =
            |id: u32| description.parameters.iter().find(|it| it.id == id).map(|it| it.symbol.clone());
        moved.into_iter().filter_map(|(id, value)| Some((symbol(id)?, value))).collect()
    }
}

fn midi_map(
    mappings: &[RackMapping],
    description: &Description,
    values: &BTreeMap<u32, f64>,
    mut warn: impl FnMut(String),
) -> MidiMap {
    let mut map = MidiMap::default();
    for mapping in mappings {
        let Some(parameter) = crate::chain::parameter(description, &mapping.parameter) else {
            let (name, id) = (&mapping.parameter, &description.id);
            warn(format!(
                "{id} has no parameter {name:?} to map; `kmidi plugin info {id}` shows those it has"
            ));
            continue;
        };
        let within = |value: f64| match mapping.counts_parts {
            true => parameter.at(value),
            false => value.clamp(parameter.min, parameter.max),
        };
        let (at_lowest, at_highest) =
            mapping.range.map_or((parameter.min, parameter.max), |(low, high)| (within(low), within(high)));
        let mapped = map.push(Mapping {
            source: mapping.source,
            channels: mapping.channels,
            parameter: parameter.id,
            at_lowest,
            at_highest,
            pick_up: mapping.pick_up,
            present: values.get(&parameter.id).copied().unwrap_or(parameter.default),
        });
        if mapped.is_err() {
            warn(format!(
                "{}: {} cannot be mapped: there is no room for more",
                description.name, mapping.parameter
            ));
        }
    }
    map
}
