//! A rack as a text file that people write: plugins by their ids, how they are set, what they are played with.
//!
//! The states of plugins lie in files beside it; a journal beside both has what was changed since the last save.

mod document;
mod edit;
mod journal;
mod parse;
mod states;
mod store;

use std::path::PathBuf;

use kmidi_host::PluginId;
use kmidi_rt::{MapSource, Zone};
use serde::{Deserialize, Serialize};

use crate::rack::DeviceChannels;

pub use edit::RackEdit;
pub use store::{RackStore, Reopened};

/// Longest rack file, in bytes.
pub const MAX_RACK_BYTES: u64 = 1 << 20;
/// Most slots of a rack.
pub const MAX_SLOTS: usize = crate::rack::MAX_PLUGINS;
/// Most parameters that a slot can set.
const MAX_PARAMETERS: usize = 4096;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// Longest other text, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// Longest state of a plugin that is kept, in bytes.
const MAX_STATE_BYTES: u64 = 64 << 20;

/// What a rack file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rack {
    /// Master gain in decibels, -60 to 24.
    pub gain_db: f32,
    /// The slots in their order.
    pub slots: Vec<RackSlot>,
}

/// A plugin of a rack and how it is set and played.
#[derive(Clone, Debug, PartialEq)]
pub struct RackSlot {
    /// Its name in the rack.
    pub name: String,
    /// Which plugin.
    pub plugin: PluginId,
    /// A preset that it offers.
    pub preset: Option<String>,
    /// The file that has its state, from the rack file's folder.
    pub state: Option<PathBuf>,
    /// Whether it passes on what comes in.
    pub bypassed: bool,
    /// Parameters by their symbols, in the file's order; set after state and preset.
    pub parameters: Vec<(String, RackValue)>,
    /// Whether numbers of its parameters from 0 to 1 are parts of their ranges: of VST3 plugins in racks before version 2.
    pub counts_parts: bool,
    /// What it is played with.
    pub zone: Zone,
    /// Controllers that move its parameters.
    pub map: Vec<RackMapping>,
    /// The slot that its side-chain listens to.
    pub side_chain: Option<String>,
    /// Whether it hears the audio input of the device.
    pub audio_in: bool,
    /// Where its outputs go; where they usually go if there is nothing.
    pub outputs: Vec<RackOutput>,
}

impl RackSlot {
    /// A plugin as it comes, which plays everything.
    pub fn new(name: String, plugin: PluginId) -> Self {
        RackSlot {
            name,
            plugin,
            preset: None,
            state: None,
            bypassed: false,
            parameters: Vec::new(),
            counts_parts: false,
            zone: Zone::default(),
            map: Vec::new(),
            side_chain: None,
            audio_in: false,
            outputs: Vec::new(),
        }
    }
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RackValue {
    /// As the plugin counts.
    Number(#[serde(with = "edit::exact")] f64),
    /// As the plugin shows it.
    Text(String),
}

/// A controller and the parameter that it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RackMapping {
    /// The controller.
    #[serde(with = "SourceFields")]
    pub source: MapSource,
    /// Its channels, a bit each.
    pub channels: u16,
    /// The parameter's symbol.
    pub parameter: String,
    /// Values at both ends; the parameter's own range if not given.
    pub range: Option<(f64, f64)>,
    /// Whether `range` is in parts of the parameter's own range, 0 to 1.
    #[serde(default)]
    pub counts_parts: bool,
    /// Whether nothing moves before the controller meets the present value.
    pub pick_up: bool,
}

/// Where an output port goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RackOutput {
    /// The port, counted from 1.
    pub port: u16,
    /// Where it goes.
    pub to: RackTarget,
}

/// What an output port goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RackTarget {
    /// A slot, by its name.
    Slot(String),
    /// Channels of the device.
    Device(DeviceChannels),
}

/// A zone as it is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Zone")]
pub(crate) struct ZoneFields {
    channels: u16,
    keys: (u8, u8),
    velocities: (u8, u8),
    transpose: i8,
}

/// A controller as it is written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "MapSource", rename_all = "snake_case")]
enum SourceFields {
    Controller(u8),
    ControllerPair(u8),
    Nrpn { parameter: u16, fine: bool },
    PitchBend,
    ChannelPressure,
}

impl Rack {
    /// Channels of the device that its slots name; at least the two that everything else goes to.
    pub fn device_channels(&self) -> usize {
        let outputs = self.slots.iter().flat_map(|slot| &slot.outputs);
        let last = outputs.filter_map(|output| match &output.to {
            RackTarget::Device(channels) => Some(usize::from(channels.last())),
            RackTarget::Slot(_) => None,
        });
        last.max().unwrap_or(0).max(2)
    }

    /// The slot of this name.
    pub fn slot(&self, name: &str) -> Option<&RackSlot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    fn slot_mut(&mut self, name: &str) -> Option<&mut RackSlot> {
        self.slots.iter_mut().find(|slot| slot.name == name)
    }
}

#[cfg(test)]
pub(crate) fn parsed(path: &std::path::Path, text: &str) -> Result<Rack, RackFileError> {
    parse::parse(path, text).map(|(rack, _)| rack)
}

/// Why a rack file cannot be used. Each is one line and names the file.
#[derive(Debug, thiserror::Error)]
pub enum RackFileError {
    /// It cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that cannot be.
    #[error("{path}:{line}: {what}", path = path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong, and how it is right.
        what: String,
    },
    /// It cannot be written; what was there before is still there.
    #[error("{path} cannot be saved: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else has it open.
    #[error("{path} is in use by another kmidi: end that one first", path = path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// There is no such slot.
    #[error("the rack has no slot {0:?}")]
    NoSlot(String),
}
