use std::path::PathBuf;

use crate::PluginId;

/// Why a plugin cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum LoadError {
    /// The file cannot be opened as a library of its format.
    #[error("{path} cannot be loaded: {why}. Look whether the package it needs is installed (`ldd` names it)", path = path.display())]
    Library { path: PathBuf, why: String },
    /// The file is of the format, but the plugin is not in it.
    #[error("{id} is not in {path}. Scan again: `kmidi plugin scan`", path = path.display())]
    NotInFile { id: PluginId, path: PathBuf },
    /// The plugin did not come to life.
    #[error("{id} cannot be started: {why}")]
    Instance { id: PluginId, why: String },
    /// It needs something of a host that this one has not.
    #[error("{id} needs {what}, which KmiDi does not offer")]
    NeedsFeature { id: PluginId, what: String },
    /// The text that describes it cannot be read.
    #[error("{path}: {why}", path = path.display())]
    Bundle { path: PathBuf, why: String },
}

/// Why a plugin cannot be made to run.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum ActivateError {
    /// It refused.
    #[error("{id} does not run at {sample_rate_hz} Hz in blocks of {quantum_frames} frames: {why}")]
    Refused { id: PluginId, sample_rate_hz: u32, quantum_frames: u32, why: String },
}

/// Why a state is not saved or not taken.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum StateError {
    /// The plugin has none.
    #[error("{id} has no state to save")]
    None { id: PluginId },
    /// The plugin refused.
    #[error("{id} did not {what} its state: {why}")]
    Refused { id: PluginId, what: &'static str, why: String },
    /// It is another plugin's.
    #[error("this is a state of {of}, not of {id}")]
    Other { id: PluginId, of: PluginId },
    /// It was damaged on the way: no plugin is given it.
    #[error("the state is damaged: {0}")]
    Damaged(String),
}
