//! Plugins one behind the other, as a command line names them.

use std::path::PathBuf;

use kmidi_core::{NodeInfo, Processor};
use kmidi_host::scan::{FindError, Index};
use kmidi_host::{
    ActivateError, Activation, ActivePlugin, Description, LoadError, Parameter, Plugin, StateError,
};
use kmidi_memory::{BudgetExceeded, audio_heap};
use serde::{Deserialize, Serialize};

use crate::plugins::{self, ScanError};

/// A plugin, and how it is to be set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
    Index(Box<ScanError>),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Activate(#[from] ActivateError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Budget(#[from] BudgetExceeded),
    #[error("{plugin} has no parameter {name:?}; `kmidi plugin info {plugin}` shows those it has")]
    NoParameter { plugin: String, name: String },
    #[error("{plugin}: {value:?} is no value of {name}, which goes from {min} to {max}")]
    NoValue { plugin: String, name: String, value: String, min: String, max: String },
    #[error("{plugin} has no preset {name:?}; it has {count}: `kmidi plugin presets {plugin}` shows them")]
    NoPreset { plugin: String, name: String, count: usize },
}

/// A plugin at work, and its audio half until the graph takes it.
pub(crate) struct Link {
    // Dropped first: the plugin can end only without it.
    pub processor: Box<dyn Processor>,
    pub plugin: ActivePlugin,
    pub info: NodeInfo,
}

/// What is done to a plugin on its way into a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is looked up in the index.
    Finding,
    /// Its file is opened, and it is made.
    Loading,
    /// It takes up a state, a preset, values of parameters.
    Setting,
    /// It is made ready to run.
    Activating,
}

/// Why a plugin cannot be had, and on which part of the way. Says which plugin, in which file, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {source}{}", self.plugin, self.place(), self.next_step())]
pub struct LinkError {
    /// As it was asked for.
    pub plugin: String,
    /// The file or bundle it is in, if it has been found.
    pub file: Option<PathBuf>,
    /// The part of the way.
    pub phase: Phase,
    /// What went wrong.
    pub source: Box<ChainError>,
}

impl LinkError {
    fn place(&self) -> String {
        let doing = match self.phase {
            Phase::Finding => return String::new(),
            Phase::Loading => "loading it",
            Phase::Setting => "setting it",
            Phase::Activating => "activating it",
        };
        let file = self.file.as_ref().map_or(String::new(), |file| format!(" in {}", file.display()));
        format!("{file}, {doing}")
    }

    fn next_step(&self) -> String {
        match self.phase {
            // What is wrong there says itself what can be done.
            Phase::Finding | Phase::Setting => String::new(),
            Phase::Loading | Phase::Activating => {
                format!(". `kmidi certify {}` shows what it does", self.plugin)
            }
        }
    }
}

/// Loads, sets and activates plugins in their order. May take seconds, and runs foreign code.
pub(crate) fn load(
    index: &Index,
    choices: &[PluginChoice],
    activation: &Activation,
) -> Result<Vec<Link>, LinkError> {
    let find = |text: &str| -> Result<Description, ChainError> { Ok(index.find(text)?.clone()) };
    let link = |choice: &PluginChoice| link(&find, choice, activation, |plugin| set(plugin, choice), |_| {});
    choices.iter().map(link).collect()
}

/// What finds a plugin by its id or its name.
pub(crate) type Find = dyn Fn(&str) -> Result<Description, ChainError> + Send + Sync;

/// As the index of this machine has it by now.
pub(crate) fn find(text: &str) -> Result<Description, ChainError> {
    let index = plugins::open_index().map_err(|error| ChainError::Index(Box::new(error)))?;
    Ok(index.find(text)?.clone())
}

/// Loads one plugin, has it prepared, and activates it; `before` it is loaded, what it is is shown.
pub(crate) fn link(
    find: &dyn Fn(&str) -> Result<Description, ChainError>,
    choice: &PluginChoice,
    activation: &Activation,
    prepare: impl FnOnce(&mut Plugin) -> Result<(), ChainError>,
    before: impl FnOnce(&Description),
) -> Result<Link, LinkError> {
    let failed = |file: Option<&PathBuf>, phase, source| LinkError {
        plugin: choice.plugin.clone(),
        file: file.cloned(),
        phase,
        source: Box::new(source),
    };
    let found = find(&choice.plugin).map_err(|error| failed(None, Phase::Finding, error))?;
    let file = Some(&found.path);
    before(&found);
    let loaded = Plugin::load(&found.path, &found.id);
    let mut plugin = loaded.map_err(|error| failed(file, Phase::Loading, error.into()))?;
    prepare(&mut plugin).map_err(|error| failed(file, Phase::Setting, error))?;
    activate(plugin, activation).map_err(|error| failed(file, Phase::Activating, error))
}

/// Activates a plugin; what side A will own of it is on side A's heap.
pub(crate) fn activate(plugin: Plugin, activation: &Activation) -> Result<Link, ChainError> {
    let activated = audio_heap("a plugin", || {
        let (plugin, processor) = plugin.activate(activation).map_err(|(_, error)| error)?;
        let info = plugin.node_info().clone();
        Ok::<_, ActivateError>(Link { processor, plugin, info })
    });
    Ok(activated??)
}

/// Takes up the preset and the settings of a choice.
pub(crate) fn set(plugin: &mut Plugin, choice: &PluginChoice) -> Result<(), ChainError> {
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

/// What a plugin says of its parameters, at work or not.
pub(crate) trait Parameters {
    fn description(&self) -> &Description;
    fn value_of(&self, id: u32, text: &str) -> Option<f64>;
    fn text_of(&self, id: u32, value: f64) -> Option<String>;
}

macro_rules! parameters_of {
    ($plugin:ty) => {
        impl Parameters for $plugin {
            fn description(&self) -> &Description {
                <$plugin>::description(self)
            }
            fn value_of(&self, id: u32, text: &str) -> Option<f64> {
                <$plugin>::value_of(self, id, text)
            }
            fn text_of(&self, id: u32, value: f64) -> Option<String> {
                <$plugin>::text_of(self, id, value)
            }
        }
    };
}

parameters_of!(Plugin);
parameters_of!(ActivePlugin);

/// The parameter that a person means, by its symbol or its name.
pub(crate) fn parameter<'a>(description: &'a Description, name: &str) -> Option<&'a Parameter> {
    let settable = || description.parameters.iter().filter(|parameter| !parameter.is_output);
    let by_symbol = settable().find(|parameter| parameter.symbol == name);
    by_symbol.or_else(|| settable().find(|parameter| is_same(&parameter.name, name)))
}

/// The parameter and the value that a person means.
pub(crate) fn parse(
    plugin: &impl Parameters,
    said: &str,
    name: &str,
    text: &str,
) -> Result<(u32, f64), ChainError> {
    let parameter = parameter(plugin.description(), name)
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
