//! Plugins one behind the other, as a command line names them.

use std::path::PathBuf;

use kmidi_core::{NodeInfo, Processor};
use kmidi_host::scan::FindError;
use kmidi_host::{
    ActivateError, Activation, ActivePlugin, Description, Kind, LoadError, Parameter, Plugin, StateError,
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
    #[error("it has no parameter {name:?}; `kmidi plugin info {plugin}` shows those it has")]
    NoParameter { plugin: String, name: String },
    #[error(
        "{value:?} is no value of {name}, which goes from {min} to {max}{}",
        if *has_no_unit { ": these are numbers without a unit" } else { "" }
    )]
    NoValue { name: String, value: String, min: String, max: String, has_no_unit: bool },
    #[error("it has no preset {name:?}; it has {count}: `kmidi plugin presets {plugin}` shows them")]
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
    find: &dyn Fn(&str) -> Result<Description, ChainError>,
    choices: &[PluginChoice],
    activation: &Activation,
) -> Result<Vec<Link>, LinkError> {
    let link = |choice: &PluginChoice| link(find, choice, activation, |plugin| set(plugin, choice), |_| {});
    choices.iter().map(link).collect()
}

/// What finds a plugin by its id or its name.
pub(crate) type Find = dyn Fn(&str) -> Result<Description, ChainError> + Send + Sync;

/// As the index of this machine has it by now.
pub(crate) fn find(text: &str) -> Result<Description, ChainError> {
    let known = plugins::lookup().map_err(|error| ChainError::Index(Box::new(error)))?;
    Ok(known.find(text)?)
}

/// Whether one of them is of this kind, as far as the index of this machine knows.
pub(crate) fn has_kind<'a>(mut choices: impl Iterator<Item = &'a PluginChoice>, kind: Kind) -> bool {
    let Some(first) = choices.next() else { return false };
    let Ok(known) = plugins::lookup() else { return false };
    let is_one = |choice: &PluginChoice| known.find(&choice.plugin).is_ok_and(|it| it.kind == kind);
    is_one(first) || choices.any(is_one)
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
    let value = value_of(plugin, parameter, text).ok_or_else(|| {
        let shown = |value: f64| shown(plugin, parameter, value);
        ChainError::NoValue {
            name: name.to_owned(),
            value: text.to_owned(),
            min: shown(parameter.min),
            max: shown(parameter.max),
            has_no_unit: has_unit(text)
                && parameter.unit.is_empty()
                && ![parameter.min, parameter.max].into_iter().any(|end| has_unit(&shown(end))),
        }
    })?;
    Ok((parameter.id, value))
}

/// A bare number that the parameter can have is that; all else is what the plugin shows.
fn value_of(plugin: &impl Parameters, parameter: &Parameter, text: &str) -> Option<f64> {
    let is_in = |value: &f64| (parameter.min..=parameter.max).contains(value);
    let written = number_and_unit(text);
    if let Some((number, "")) = written.filter(|(number, _)| is_in(number)) {
        return Some(number);
    }
    // Many plugins take the beginning of any text for a number, and nothing for 0; some go to the end of the range.
    let shows = |value: &f64, must_be_near: bool| {
        let shown = plugin.text_of(parameter.id, *value).unwrap_or_default();
        let Some((number, unit)) = written else { return is_same(shown.trim(), text.trim()) };
        let shown_number = number_and_unit(&shown);
        let of_shown = shown_number.map_or("", |(_, unit)| unit);
        let known = [of_shown, &parameter.unit].into_iter().map(measure);
        let known = known.filter(|(_, base)| !base.is_empty() || unit.is_empty());
        let is_it = |(_, base): &(f64, String)| unit.is_empty() || *base == measure(unit).1;
        let Some((shown_factor, _)) = known.into_iter().find(is_it) else { return false };
        let factor = if unit.is_empty() { shown_factor } else { measure(unit).0 };
        let is_near = |shown_number: f64| {
            let tolerance = (rounding(&shown) + 1e-3 * shown_number.abs()) * shown_factor;
            (shown_number * shown_factor - number * factor).abs() <= tolerance
        };
        // What is converted is looked at in any case.
        let is_believed = !must_be_near && factor == shown_factor;
        is_believed || shown_number.is_none_or(|(number, _)| is_near(number))
    };
    let at_end = 1e-6 * (parameter.max - parameter.min);
    let is_end = |value: f64| value - parameter.min <= at_end || parameter.max - value <= at_end;
    // Without an exponent, which some take for the unit.
    let plain = written.filter(|(_, unit)| unit.is_empty()).map(|(number, _)| number.to_string());
    let read = plugin.value_of(parameter.id, plain.as_deref().unwrap_or(text));
    let value = read.filter(is_in).filter(|value| shows(value, is_end(*value)));
    // Some understand no unit, or no other than the one that they show.
    let converted = written.map(|(number, unit)| {
        let (factor, own) = (measure(unit).0, measure(&parameter.unit).0);
        [number * factor / own, number * factor, number * factor * 1e3, number]
    });
    let converted = || converted.into_iter().flatten().filter(is_in).find(|value| shows(value, true));
    let value = value.or_else(converted);
    value.or_else(|| match (parameter.steps, text.trim().to_lowercase().as_str()) {
        (1, "on" | "true" | "yes") => Some(parameter.max),
        (1, "off" | "false" | "no") => Some(parameter.min),
        _ => None,
    })
}

/// A finite number, and what stands behind it.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let is_of_number = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let (number, unit) = text.split_at(text.find(|c| !is_of_number(c)).unwrap_or(text.len()));
    // An exponent has no unit behind it.
    let whole = text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| (number, ""));
    whole.or_else(|| Some((number.parse().ok()?, unit.trim_start())))
}

fn has_unit(text: &str) -> bool {
    number_and_unit(text).is_some_and(|(_, unit)| !unit.is_empty())
}

/// By how much a number that is shown can be another one: half of its last digit.
fn rounding(shown: &str) -> f64 {
    let number = shown.trim().split(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).next();
    let places = number.and_then(|number| number.split_once('.')).map_or(0, |(_, places)| places.len());
    0.5 * 0.1f64.powi(places as i32)
}

/// How many of its base a unit is, and that: hertz and seconds are written with prefixes.
fn measure(unit: &str) -> (f64, String) {
    let unit = unit.trim();
    let lower = unit.to_lowercase();
    for base in ["hz", "s"] {
        let prefix = lower.strip_suffix(base).and_then(|prefix| unit.get(..prefix.len()));
        let factor = match prefix {
            Some("") => 1.0,
            Some("k" | "K") => 1e3,
            Some("M") if base == "hz" => 1e6,
            Some("m" | "M") => 1e-3,
            Some("µ" | "μ" | "u") => 1e-6,
            _ => continue,
        };
        return (factor, base.to_owned());
    }
    (1.0, lower)
}

fn shown(plugin: &impl Parameters, parameter: &Parameter, value: f64) -> String {
    match plugin.text_of(parameter.id, value) {
        // A number alone says nothing more.
        Some(text) if text.trim().parse() != Ok(value) => format!("{value} ({})", text.trim()),
        _ => value.to_string(),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use kmidi_host::{Format, PluginId};

    use super::*;

    /// What many plugins are: what begins as a number is that number, all else is 0.
    struct Careless(Description);

    impl Parameters for Careless {
        fn description(&self) -> &Description {
            &self.0
        }

        fn value_of(&self, id: u32, text: &str) -> Option<f64> {
            if text == "Hall" {
                return Some(3.0);
            }
            // Some read numbers alone.
            if id >= 4 {
                return text.parse().ok();
            }
            let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
            let number: f64 = digits.parse().unwrap_or(0.0);
            let value = if text.ends_with("kHz") { number * 1000.0 } else { number };
            let parameter = &self.0.parameters[id as usize];
            Some(value.clamp(parameter.min, parameter.max))
        }

        fn text_of(&self, id: u32, value: f64) -> Option<String> {
            Some(match id {
                0 => format!("{value} dB"),
                1 => ["Room", "Plate", "Spring", "Hall"][value as usize].to_owned(),
                2 => format!("{value:.0} Hz"),
                4 => format!("{value:.2} dB"),
                5 => value.to_string(),
                6 if value >= 1000.0 => format!("{:.2} kHz", value / 1000.0),
                6 => format!("{value:.0} Hz"),
                7 => format!("{value:.1} ms"),
                _ => format!("{:.0} %", value * 100.0),
            })
        }
    }

    fn careless() -> Careless {
        let parameter = |id: u32, min: f64, max: f64| Parameter {
            id,
            symbol: format!("p{id}"),
            name: format!("P {id}"),
            group: String::new(),
            unit: String::new(),
            min,
            max,
            default: min,
            steps: 0,
            choices: vec![],
            is_part: false,
            is_output: false,
            is_hidden: false,
            is_bypass: false,
        };
        Careless(Description {
            id: PluginId::new(Format::Clap, "x"),
            name: "x".into(),
            vendor: String::new(),
            version: String::new(),
            path: PathBuf::new(),
            kind: Kind::Effect,
            tags: vec![],
            audio_inputs: vec![],
            audio_outputs: vec![],
            event_inputs: vec![],
            event_outputs: vec![],
            parameters: vec![
                parameter(0, -80.0, 0.0),
                parameter(1, 0.0, 3.0),
                parameter(2, 20.0, 20_000.0),
                parameter(3, 0.0, 1.0),
                parameter(4, -60.0, 0.0),
                parameter(5, -60.0, 0.0),
                parameter(6, 20.0, 20_000.0),
                parameter(7, 1.0, 500.0),
            ],
        })
    }

    #[test]
    fn a_value_that_is_none_is_refused_though_the_plugin_takes_anything() {
        let plugin = careless();
        let value = |name: &str, text: &str| parse(&plugin, "x", name, text).ok().map(|(_, value)| value);
        for (name, text, wanted) in [
            ("p0", "-40", -40.0),
            ("P 0", " -40.5 ", -40.5),
            ("p0", "-40 dB", -40.0),
            ("p0", "-40db", -40.0),
            ("p1", "Hall", 3.0),
            ("p1", "2", 2.0),
            ("p2", "2 kHz", 2000.0),
            ("p2", "20 kHz", 20_000.0),
            ("p2", "1e3", 1000.0),
            ("p3", "0.5", 0.5),
            ("p4", "-40 dB", -40.0),
            ("p4", "-60.00 dB", -60.0),
            ("p6", "2 kHz", 2000.0),
            ("p6", "2000 Hz", 2000.0),
            ("p6", "0.002 MHz", 2000.0),
            ("p7", "0.01 s", 10.0),
            ("p7", "10 ms", 10.0),
        ] {
            assert_eq!(value(name, text), Some(wanted), "{name} {text}");
        }
        for text in
            ["abc", "", "inf", "nan", "-20abc", "-1,5", "-40 dBx", "- 40", "dB", "10", "-1000", "20 dB"]
        {
            assert_eq!(value("p0", text), None, "{text:?}");
        }
        assert_eq!(value("p1", "Cathedral"), None);
        for (name, text) in [
            ("p2", "30 kHz"),
            ("p2", "20100"),
            ("p2", "19 Hz"),
            ("p2", "1e9"),
            ("p3", "150 %"),
            ("p3", "102 %"),
            ("p3", "1e9"),
            ("p4", "-60.1 dB"),
            ("p4", "-40 Hz"),
            ("p4", "-40 mdB"),
            ("p3", "5 m%"),
            ("p3", "0.05 k%"),
            ("p2", "2000 MHz"),
            ("p2", "100 mHz"),
            ("p6", "2000 kHz"),
            ("p6", "2000 MHz"),
            ("p6", "100 mHz"),
            ("p7", "10 s"),
            ("p7", "10 Hz"),
        ] {
            assert_eq!(value(name, text), None, "{name} {text}");
        }
        let refused = parse(&plugin, "x", "p0", "abc").unwrap_err().to_string();
        assert_eq!(refused, "\"abc\" is no value of p0, which goes from -80 (-80 dB) to 0 (0 dB)");
        for (name, is_told) in [("p5", true), ("p4", false)] {
            let refused = parse(&plugin, "x", name, "-70 dB").unwrap_err().to_string();
            assert_eq!(refused.ends_with("numbers without a unit"), is_told, "{refused}");
        }
    }
}
