//! Control ports and properties as parameters.

use super::bundle::PluginText;
use super::ports::{Direction, Port, PortType};
use super::properties::{Property, ValueType, last_word};
use super::units::{Unit, number_in};
use super::uris::*;
use crate::Parameter;

/// The ids of properties begin here.
pub const FIRST_PROPERTY_ID: u32 = 1 << 31;

/// What is behind a parameter.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where its value is.
    pub place: Place,
    /// Whether the plugin's value is high when the parameter's is low: `lv2:enabled` as bypass.
    pub is_inverted: bool,
    /// Its unit.
    pub unit: Unit,
}

/// Where the value of a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The port of this index.
    Port(usize),
    /// The property at this place.
    Property(usize),
}

/// The parameters of a plugin, in order of their ids, and what is behind each.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// As others see them.
    pub list: Vec<Parameter>,
    /// What is behind each.
    pub sources: Vec<Source>,
}

impl Parameters {
    /// The parameters of a plugin at a sample rate, which some ranges are multiples of.
    pub fn of(text: &PluginText, sample_rate_hz: u32) -> Self {
        let mut parameters = Parameters::default();
        for (index, port) in text.ports.iter().enumerate() {
            if port.carries != PortType::Control {
                continue;
            }
            let has_bypass = text.ports.iter().any(|it| it.symbol == "bypass");
            let is_inverted = port.direction == Direction::Input && port.is_for(LV2_ENABLED) && !has_bypass;
            parameters.list.push(of_port(text, index, port, is_inverted, sample_rate_hz));
            let unit = port.unit.clone();
            parameters.sources.push(Source { place: Place::Port(index), is_inverted, unit });
        }
        for (place, property) in text.properties.iter().enumerate() {
            let symbol = free_symbol(&parameters.list, last_word(&property.uri));
            parameters.list.push(of_property(place, property, symbol));
            let unit = property.unit.clone();
            parameters.sources.push(Source { place: Place::Property(place), is_inverted: false, unit });
        }
        parameters
    }

    /// Which of the parameters has an id.
    pub fn find(&self, id: u32) -> Option<usize> {
        self.list.binary_search_by_key(&id, |it| it.id).ok()
    }

    /// The value nearest to this that the parameter may have; `None` for what is not a number.
    pub fn clamp(&self, at: usize, value: f64) -> Option<f64> {
        let it = &self.list[at];
        (!value.is_nan()).then(|| value.clamp(it.min, it.max))
    }

    /// From a parameter's value to the plugin's and back.
    pub fn turn(&self, at: usize, value: f64) -> f64 {
        match self.sources[at].is_inverted {
            true => self.list[at].max + self.list[at].min - value,
            false => value,
        }
    }

    /// A value as text.
    pub fn text_of(&self, id: u32, value: f64) -> Option<String> {
        let at = self.find(id)?;
        let parameter = &self.list[at];
        if let Some(name) = choice_at(parameter, value) {
            return Some(name.to_owned());
        }
        if self.sources[at].is_inverted || (parameter.steps == 1 && parameter.choices.is_empty()) {
            return Some(if value > (parameter.min + parameter.max) / 2.0 { "on" } else { "off" }.to_owned());
        }
        Some(self.sources[at].unit.show(value, parameter.steps > 0))
    }

    /// The value that a text means.
    pub fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        let at = self.find(id)?;
        let parameter = &self.list[at];
        let text = text.trim();
        let choice = parameter.choices.iter().find(|(_, name)| name.trim().eq_ignore_ascii_case(text));
        let value = match (choice, parameter.steps, text.to_ascii_lowercase().as_str()) {
            (Some((value, _)), _, _) => *value,
            (None, 1, "on" | "true" | "yes") => parameter.max,
            (None, 1, "off" | "false" | "no") => parameter.min,
            _ => number_in(text)?,
        };
        self.clamp(at, value)
    }
}

/// The choice whose value this is, as near as 32-bit floating point can tell.
fn choice_at(parameter: &Parameter, value: f64) -> Option<&str> {
    let near = (parameter.max - parameter.min).abs() * 1e-6;
    let choice = parameter.choices.iter().find(|(it, _)| (it - value).abs() <= near);
    choice.map(|(_, name)| name.as_str())
}

fn of_port(
    text: &PluginText,
    index: usize,
    port: &Port,
    is_inverted: bool,
    sample_rate_hz: u32,
) -> Parameter {
    let scale = if port.has(LV2_SAMPLE_RATE) { f64::from(sample_rate_hz) } else { 1.0 };
    let scaled = |value: Option<f64>| value.map(|it| it * scale);
    let (min, max, default) =
        range(scaled(port.min), scaled(port.max), scaled(port.default), &port.scale_points);
    let group = port.group.as_ref().and_then(|iri| text.groups.get(iri));
    let is_output = port.direction == Direction::Output;
    let for_host = [LV2_FREE_WHEELING, LV2_LATENCY].iter().any(|it| port.is_for(it))
        || port.has(LV2_REPORTS_LATENCY)
        || port.designation.as_ref().is_some_and(|it| it.starts_with(TIME));
    Parameter {
        id: index as u32,
        symbol: if is_inverted { "bypass".to_owned() } else { port.symbol.clone() },
        name: if is_inverted { "Bypass".to_owned() } else { port.name.clone() },
        group: group.map_or(String::new(), |group| group.name.clone()),
        unit: port.unit.symbol.clone(),
        min,
        max,
        default: if is_inverted { max + min - default } else { default },
        steps: steps(port, min, max),
        choices: if is_inverted { Vec::new() } else { port.scale_points.clone() },
        is_part: false,
        is_output,
        is_hidden: for_host || port.has(PPROPS_NOT_ON_GUI),
        is_bypass: is_inverted,
    }
}

fn of_property(place: usize, property: &Property, symbol: String) -> Parameter {
    let points = &property.scale_points;
    let (mut min, mut max, default) = range(property.min, property.max, property.default, points);
    if property.value_type == ValueType::Bool {
        (min, max) = (0.0, 1.0);
    }
    let steps = match property.value_type {
        ValueType::Bool => 1,
        ValueType::Int | ValueType::Long => (max - min) as u32,
        ValueType::Float | ValueType::Double => 0,
    };
    Parameter {
        id: FIRST_PROPERTY_ID + place as u32,
        symbol,
        name: property.name.clone(),
        group: String::new(),
        unit: property.unit.symbol.clone(),
        min,
        max,
        default: default.clamp(min, max),
        steps,
        choices: points.clone(),
        is_part: false,
        is_output: !property.is_writable,
        is_hidden: false,
        is_bypass: false,
    }
}

/// Lowest, highest and first value. What is not said is made up: 0 to 1, and wide enough for what is said.
fn range(
    min: Option<f64>,
    max: Option<f64>,
    default: Option<f64>,
    points: &[(f64, String)],
) -> (f64, f64, f64) {
    let known = || default.into_iter().chain(points.iter().map(|(value, _)| *value));
    let min = min.unwrap_or_else(|| known().fold(max.map_or(0.0, |max| max.min(0.0)), f64::min));
    let max = max.unwrap_or_else(|| known().fold(min.max(1.0), f64::max)).max(min);
    (min, max, default.unwrap_or(min).clamp(min, max))
}

fn steps(port: &Port, min: f64, max: f64) -> u32 {
    if port.has(LV2_TOGGLED) {
        return 1;
    }
    if port.has(LV2_INTEGER) {
        return (max - min).round() as u32;
    }
    let points = &port.scale_points;
    if !port.has(LV2_ENUMERATION) || points.len() < 2 {
        return 0;
    }
    let step = (max - min) / (points.len() - 1) as f64;
    let is_even = |(place, (value, _)): (usize, &(f64, String))| {
        (value - (min + step * place as f64)).abs() <= step * 1e-6
    };
    match points.iter().enumerate().all(is_even) {
        true => points.len() as u32 - 1,
        false => 0,
    }
}

fn free_symbol(list: &[Parameter], word: &str) -> String {
    let is_taken = |word: &str| list.iter().any(|it| it.symbol == word);
    match is_taken(word) {
        false => word.to_owned(),
        true => (2..).map(|n| format!("{word}_{n}")).find(|it| !is_taken(it)).expect("numbers do not end"),
    }
}
