use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Parameter, PluginId};

/// What a plugin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Notes in, sound out.
    Instrument,
    /// Sound in, sound out.
    Effect,
    /// Notes in, notes out.
    NoteEffect,
    /// Looks at sound.
    Analyzer,
}

/// What an audio port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortRole {
    /// The signal itself.
    Main,
    /// A signal that steers, such as a compressor's key.
    SideChain,
    /// A further signal, such as one drum of a kit.
    Aux,
    /// A control voltage: an audio-rate signal that is not sound (LV2).
    Cv,
}

/// An audio port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPort {
    /// Name shown to people.
    pub name: String,
    /// Its channels.
    pub channels: u16,
    /// What it is for.
    pub role: PortRole,
}

/// A port for notes and other events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPort {
    /// Name shown to people.
    pub name: String,
    /// Whether notes and MIDI go through it (an LV2 atom port may know patch messages alone).
    pub midi: bool,
}

/// What is known of a plugin: read from its bundle, or asked of an instance in a scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Which plugin.
    pub id: PluginId,
    /// Name shown to people.
    pub name: String,
    /// Who made it; may be empty.
    pub vendor: String,
    /// Version as the vendor writes it; may be empty.
    pub version: String,
    /// The file (`.clap`, `.vst3`) or bundle folder (`.vst3`, `.lv2`) it is in.
    pub path: PathBuf,
    /// What it is for.
    pub kind: Kind,
    /// The format's own words for what it does (CLAP features, VST3 sub-categories, LV2 classes).
    pub tags: Vec<String>,
    /// Audio inputs.
    pub audio_inputs: Vec<AudioPort>,
    /// Audio outputs.
    pub audio_outputs: Vec<AudioPort>,
    /// Event inputs.
    pub event_inputs: Vec<EventPort>,
    /// Event outputs.
    pub event_outputs: Vec<EventPort>,
    /// Parameters in the plugin's order.
    pub parameters: Vec<Parameter>,
}
