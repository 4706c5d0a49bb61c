//! What a child that asks plugins tells its parent: one JSON object a line.

use serde::{Deserialize, Serialize};

use crate::{Description, PluginId, Preset};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Report {
    /// The file has these plugins.
    Contents(Vec<PluginId>),
    /// It is now asking this one: what happens to it from here on is this plugin's fault.
    Begin(PluginId),
    /// The plugin it was asking is this one.
    Done(Box<Description>),
    /// And these are its presets.
    Presets(Vec<Preset>),
    /// The plugin it was asking, or the file, cannot be used.
    Failed(String),
    /// That was all.
    End,
}
