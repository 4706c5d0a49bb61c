//! What clients give and get of a rack: plain values, for a file, a log or a wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::input::InputRequest;
use crate::chain::PluginChoice;

/// A plugin of a rack, and what it is to play.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginRequest {
    /// Which, and how it is to be set.
    pub choice: PluginChoice,
    /// Of an instrument: the MIDI channels (1 to 16) that it plays; empty for all that no other one names.
    pub channels: Vec<u8>,
    /// [`State::to_bytes`](kmidi_host::State::to_bytes); taken up before the preset and the settings of `choice`.
    pub state: Option<Vec<u8>>,
    /// Whether the sound goes past it.
    pub bypassed: bool,
    /// Level of what comes out of it.
    pub gain_db: f32,
    /// What it is played with live; by its channels alone if there is nothing.
    pub input: Option<InputRequest>,
}

/// Plugins that a song is played with.
#[derive(Clone, Debug, PartialEq)]
pub struct RackConfig {
    /// In their order: instruments sound side by side, effects follow each other.
    pub plugins: Vec<PluginRequest>,
    /// Whether the SoundFont synthesiser plays the channels that no instrument of `plugins` has.
    pub synthesiser: bool,
    /// Which paths are delayed so that all arrive together.
    pub compensation: Compensation,
}

impl Default for RackConfig {
    fn default() -> Self {
        RackConfig { plugins: vec![], synthesiser: true, compensation: Compensation::Song }
    }
}

/// Which paths are delayed so that all arrive together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compensation {
    /// What the song plays; what is played live is not delayed.
    #[default]
    Song,
    /// Everything.
    All,
    /// Nothing.
    Off,
}

impl From<Compensation> for kmidi_graph::Compensation {
    fn from(compensation: Compensation) -> Self {
        match compensation {
            Compensation::Song => kmidi_graph::Compensation::Song,
            Compensation::All => kmidi_graph::Compensation::All,
            Compensation::Off => kmidi_graph::Compensation::Off,
        }
    }
}

/// A value for a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterValue {
    /// As a person writes it, in the plugin's unit or the name of a choice.
    Text(String),
    /// The plugin's own value; one beyond its range is understood as text is.
    Plain(f64),
    /// The part of the range from its lowest (0) to its highest value (1).
    Part(f64),
}

/// How a plugin of a rack is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginState {
    /// It is being loaded and made ready.
    #[default]
    Loading,
    /// It plays.
    Active,
    /// It is there and does not run; sound goes past it.
    Failed {
        /// Why, and what can be done.
        reason: String,
    },
    /// It is not on this machine, or cannot be loaded; sound goes past it.
    Missing {
        /// Why, and what can be done.
        reason: String,
    },
}

/// A plugin of a rack, as far as a client can see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PluginSnapshot {
    /// Its number, from 1 on; never used for another place of the rack.
    pub slot: u32,
    /// Its id; as it was asked for until it has been found.
    pub id: String,
    /// Its name; as above.
    pub name: String,
    /// Whether it makes sound of notes (and does not change sound).
    pub is_instrument: bool,
    /// The MIDI channels (1 to 16) that were named for it.
    pub channels: Vec<u8>,
    /// Frames by which it is late.
    pub latency_frames: u32,
    /// Whether the sound goes past it.
    pub bypassed: bool,
    /// Level of what comes out of it.
    pub gain_db: f32,
    /// How it is doing.
    pub state: PluginState,
}

/// All that is needed to have a plugin of a rack again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedPlugin {
    /// Its number.
    pub slot: u32,
    /// Its id; as it was asked for if it has not been found.
    pub id: String,
    /// The MIDI channels that were named for it.
    pub channels: Vec<u8>,
    /// Whether the sound goes past it.
    pub bypassed: bool,
    /// Level of what comes out of it.
    pub gain_db: f32,
    /// Its state, for [`PluginRequest::state`]; of a plugin that does not run, the one that it was to get. None if
    /// it has none.
    pub state: Option<Vec<u8>>,
    /// Symbols of its parameters and their values as the plugin knows them.
    pub parameters: Vec<(String, f64)>,
    /// From where to where these go.
    pub ranges: BTreeMap<String, (f64, f64)>,
    /// Why there is no state where there should be one.
    pub error: Option<String>,
}
