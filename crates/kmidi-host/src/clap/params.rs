//! Parameters: what they are, and their text.

use std::collections::HashSet;
use std::ffi::CString;

use clack_extensions::params::{ParamInfo, ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_host::prelude::*;
use clack_host::utils::Cookie;

use super::text::lossy;
use crate::Parameter;

/// Parameters of one plugin; it may say that it has more, these are not seen.
const MAX_PARAMETERS: u32 = 16_384;
/// Steps of which each is asked for its name.
const MAX_NAMED_STEPS: u32 = 64;
/// Bytes of a value's text.
const VALUE_TEXT: usize = 256;
/// Longest suffix of a value that is taken for a unit, in bytes.
const MAX_UNIT: usize = 8;

/// What the audio half must know of a parameter that the host may set.
#[derive(Clone, Copy)]
pub(super) struct Settable {
    pub id: ClapId,
    pub cookie: Cookie,
    pub min: f64,
    pub max: f64,
    pub is_stepped: bool,
}

impl Settable {
    /// The value in the parameter's range and on a step; `None` of what is not a number. `[side A]`
    pub fn legal(&self, value: f64) -> Option<f64> {
        let value = if self.is_stepped { value.round() } else { value };
        (!value.is_nan()).then(|| value.clamp(self.min, self.max))
    }
}

/// All parameters in the plugin's order, and those that can be set in the order of their ids.
pub(super) fn read(params: PluginParams, handle: &PluginMainThreadHandle) -> (Vec<Parameter>, Vec<Settable>) {
    let (mut described, mut settable) = (Vec::new(), Vec::new());
    let (mut ids, mut symbols) = (HashSet::new(), HashSet::new());
    let mut buffer = ParamInfoBuffer::new();
    for index in 0..params.count(handle).min(MAX_PARAMETERS) {
        let Some(info) = params.get_info(handle, index, &mut buffer) else { continue };
        if !ids.insert(info.id.get()) {
            continue;
        }
        let parameter = describe(&info, &mut symbols, &|value| text_of(params, handle, info.id, value));
        if !parameter.is_output {
            settable.push(Settable {
                id: info.id,
                cookie: info.cookie,
                min: parameter.min,
                max: parameter.max,
                is_stepped: info.flags.contains(ParamInfoFlags::IS_STEPPED),
            });
        }
        described.push(parameter);
    }
    settable.sort_unstable_by_key(|it| it.id);
    (described, settable)
}

fn describe(
    info: &ParamInfo<'_>,
    symbols: &mut HashSet<String>,
    text: &dyn Fn(f64) -> Option<String>,
) -> Parameter {
    let finite = |value: f64, or: f64| if value.is_finite() { value } else { or };
    let min = finite(info.min_value, 0.0);
    let max = finite(info.max_value, 1.0).max(min);
    let stepped = info.flags.intersects(ParamInfoFlags::IS_STEPPED | ParamInfoFlags::IS_ENUM);
    let steps = if stepped { (max - min).round().min(f64::from(u32::MAX)) as u32 } else { 0 };
    let name = lossy(info.name);
    Parameter {
        id: info.id.get(),
        symbol: unique(&slug(&name), symbols),
        group: lossy(info.module).trim_matches('/').to_owned(),
        unit: if stepped { String::new() } else { unit(text, min, max) },
        min,
        max,
        default: finite(info.default_value, min).clamp(min, max),
        steps,
        choices: choices(min, steps, info.flags.contains(ParamInfoFlags::IS_ENUM), text),
        is_part: false,
        is_output: info.flags.contains(ParamInfoFlags::IS_READONLY),
        is_hidden: info.flags.contains(ParamInfoFlags::IS_HIDDEN),
        is_bypass: info.flags.contains(ParamInfoFlags::IS_BYPASS),
        name,
    }
}

/// The names of the steps, if these are names: an integer range shows its numbers.
fn choices(min: f64, steps: u32, is_enum: bool, text: &dyn Fn(f64) -> Option<String>) -> Vec<(f64, String)> {
    if steps == 0 || steps > MAX_NAMED_STEPS {
        return Vec::new();
    }
    let named = (0..=steps).map(|step| min + f64::from(step));
    let named: Option<Vec<_>> = named.map(|value| Some((value, text(value)?))).collect();
    let is_number =
        |text: &str| text.trim().starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    match named {
        Some(named) if is_enum || !named.iter().any(|(_, text)| is_number(text)) => named,
        _ => Vec::new(),
    }
}

/// What both ends of the range write behind their number, where they write the same.
fn unit(text: &dyn Fn(f64) -> Option<String>, min: f64, max: f64) -> String {
    let suffix = |value| {
        let text = text(value)?;
        let number = |c: char| c.is_ascii_digit() || "+-.,".contains(c);
        let rest = text.trim().trim_start_matches(number);
        (rest.len() < text.trim().len()).then(|| rest.trim().to_owned())
    };
    match (suffix(min), suffix(max)) {
        (Some(low), Some(high)) if low == high && low.len() <= MAX_UNIT => low,
        _ => String::new(),
    }
}

/// Small letters and digits of the name, with hyphens between the words.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "parameter".to_owned() } else { slug.to_owned() }
}

/// The symbol, with a number if it is taken.
fn unique(symbol: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{symbol}-{number}"));
    let mut free = std::iter::once(symbol.to_owned()).chain(numbered);
    let free = free.find(|it| !taken.contains(it)).expect("numbers do not end");
    taken.insert(free.clone());
    free
}

/// A value as the plugin shows it.
pub(super) fn text_of(
    params: PluginParams,
    handle: &PluginMainThreadHandle,
    id: ClapId,
    value: f64,
) -> Option<String> {
    let mut buffer = [0; VALUE_TEXT];
    let text = params.value_to_text(handle, id, value, &mut buffer).ok()?;
    Some(lossy(text))
}

/// What a person means: as the plugin reads it, else the name of a choice, else a plain number.
pub(super) fn value_of(
    params: Option<PluginParams>,
    handle: &PluginMainThreadHandle,
    parameter: &Parameter,
    text: &str,
) -> Option<f64> {
    let text = text.trim();
    let choice = parameter.choices.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
    let plugins = || {
        let text = CString::new(text).ok()?;
        params?.text_to_value(handle, ClapId::from_raw(parameter.id)?, &text)
    };
    let value = choice.map(|(value, _)| *value).or_else(plugins).or_else(|| text.parse().ok())?;
    (!value.is_nan()).then(|| value.clamp(parameter.min, parameter.max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_words_and_unique() {
        let mut taken = HashSet::new();
        let names = ["Attack Time (ms)", "attack  time [ms]", "", "¼", "Größe", "--"];
        let symbols = names.map(|name| unique(&slug(name), &mut taken));
        let want = ["attack-time-ms", "attack-time-ms-2", "parameter", "¼", "größe", "parameter-2"];
        assert_eq!(symbols, want);
    }

    #[test]
    fn a_unit_is_what_both_ends_share_and_an_integer_range_has_no_choices() {
        let decibels = |value: f64| Some(format!("{value:.1} dB"));
        let times = |value: f64| Some(if value < 1.0 { "0.5 ms".to_owned() } else { "2.0 s".to_owned() });
        assert_eq!((unit(&decibels, -1.0, 1.0), unit(&times, 0.0, 1.0)), ("dB".to_owned(), String::new()));
        let modes = |value: f64| Some(if value < 0.5 { "off".to_owned() } else { "on".to_owned() });
        assert_eq!(choices(0.0, 1, false, &modes), [(0.0, "off".to_owned()), (1.0, "on".to_owned())]);
        assert_eq!(choices(0.0, 1, false, &decibels), []);
        assert_eq!(choices(0.0, 1, true, &decibels).len(), 2);
        assert_eq!(choices(0.0, u32::MAX, true, &decibels), []);
    }
}
