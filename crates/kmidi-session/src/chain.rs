//! Plugins one behind the other, as a command line names them.

use kmidi_core::{NodeInfo, Processor};
use kmidi_host::scan::{FindError, Index};
use kmidi_host::{ActivateError, Activation, ActivePlugin, Description, LoadError, Plugin, StateError};

/// A plugin, and how it is to be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginChoice {
    /// Its id, or its name.
    pub plugin: String,
    /// A preset that it offers, by name or key.
    pub preset: Option<String>,
    /// Parameters, by symbol or name, and their values as a person writes them; set after the preset.
    pub settings: Vec<(String, String)>,
}

/// Why a chain of plugins cannot be had.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the messages say")]
pub enum ChainError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Activate(#[from] ActivateError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{plugin} has no parameter {name:?}; `kmidi plugin info {plugin}` shows those it has")]
    NoParameter { plugin: String, name: String },
    #[error("{plugin}: {value:?} is no value of {name}, which goes from {min} to {max}")]
    NoValue { plugin: String, name: String, value: String, min: String, max: String },
    #[error("{plugin} has no preset {name:?}; it has {count}: `kmidi plugin presets {plugin}` shows them")]
    NoPreset { plugin: String, name: String, count: usize },
}

/// A plugin at work, and its audio half until the graph takes it.
pub(crate) struct Link {
    pub plugin: ActivePlugin,
    pub processor: Box<dyn Processor>,
    pub info: NodeInfo,
}

/// Loads, sets and activates plugins in their order. May take seconds, and runs foreign code.
pub(crate) fn load(
    index: &Index,
    choices: &[PluginChoice],
    activation: &Activation,
) -> Result<Vec<Link>, ChainError> {
    let link = |choice: &PluginChoice| {
        let found = index.find(&choice.plugin)?;
        let mut plugin = Plugin::load(&found.path, &found.id)?;
        set(&mut plugin, choice)?;
        let (plugin, processor) = plugin.activate(activation).map_err(|(_, error)| error)?;
        let info = plugin.node_info().clone();
        Ok(Link { plugin, processor, info })
    };
    choices.iter().map(link).collect()
}

fn set(plugin: &mut Plugin, choice: &PluginChoice) -> Result<(), ChainError> {
    if let Some(name) = &choice.preset {
        let presets = plugin.presets();
        let is_meant = |preset: &&kmidi_host::Preset| preset.key == *name || is_same(&preset.name, name);
        let preset = presets.iter().find(is_meant).ok_or_else(|| ChainError::NoPreset {
            plugin: choice.plugin.clone(),
            name: name.clone(),
            count: presets.len(),
        })?;
        plugin.load_preset(&preset.key)?;
    }
    for (name, value) in &choice.settings {
        let (id, value) = parse(plugin, &choice.plugin, name, value)?;
        plugin.set_value(id, value);
    }
    Ok(())
}

/// The parameter and the value that a person means.
fn parse(plugin: &Plugin, said: &str, name: &str, text: &str) -> Result<(u32, f64), ChainError> {
    let Description { parameters, .. } = plugin.description();
    let settable = || parameters.iter().filter(|parameter| !parameter.is_output);
    let parameter = settable()
        .find(|parameter| parameter.symbol == name)
        .or_else(|| settable().find(|parameter| is_same(&parameter.name, name)))
        .ok_or_else(|| ChainError::NoParameter { plugin: said.to_owned(), name: name.to_owned() })?;
    let value = plugin.value_of(parameter.id, text);
    let value = value.filter(|value| (parameter.min..=parameter.max).contains(value)).ok_or_else(|| {
        let shown = |value: f64| plugin.text_of(parameter.id, value).unwrap_or_else(|| value.to_string());
        ChainError::NoValue {
            plugin: said.to_owned(),
            name: name.to_owned(),
            value: text.to_owned(),
            min: shown(parameter.min),
            max: shown(parameter.max),
        }
    })?;
    Ok((parameter.id, value))
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
