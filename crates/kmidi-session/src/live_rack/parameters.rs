//! The parameter that a person means, and its value: what a plugin refuses changes nothing.

use kmidi_host::{Description, Parameter};

use super::changes::value_of;
use super::{LiveRack, Severity};
use crate::command::Command;
use crate::rack_file::{RackEdit, RackValue};

impl LiveRack {
    /// The change that a person means, if it can be made at once. Otherwise the plugin is asked, or it is told why not.
    pub(super) fn settable(&mut self, slot: String, meant: &str, value: RackValue) -> Option<RackEdit> {
        let Some(symbol) = self.symbol(&slot, meant) else {
            let text = format!("{slot} has no parameter {meant:?}; `kmidi plugin info` shows those it has");
            self.tell(Severity::Warning, text);
            return None;
        };
        let place = (slot, symbol);
        let is_in = |&(min, max): &(f64, f64)| match value {
            RackValue::Number(number) => (min..=max).contains(&number),
            RackValue::Text(_) => false,
        };
        let range = self.baselines.get(&place.0).and_then(|baseline| baseline.ranges.get(&place.1));
        // Numbers of an old rack are parts of ranges: they are not known here.
        let slot = self.rack().slot(&place.0).filter(|slot| !slot.counts_parts);
        let number = self.numbers.iter().find(|(name, _)| *name == place.0);
        if let (Some(false), Some(slot), Some((_, number))) = (range.map(is_in), slot, number) {
            let (parameter, value) = (place.1.clone(), value_of(slot, &value));
            self.session.send(Command::SetPluginParameter { slot: *number, parameter, value });
            self.asked_for.insert(place);
            return None;
        }
        self.asked_for.remove(&place);
        self.set_at.insert(place.clone(), self.now());
        Some(RackEdit::Parameter { slot: place.0, symbol: place.1, value })
    }

    /// A plugin has understood a value: that of a person counts now.
    pub(super) fn understood(&mut self, slot: u32, symbol: String, value: f64) {
        let Some(name) = self.name_of(slot).map(str::to_owned) else { return };
        let place = (name, symbol);
        if self.asked_for.remove(&place) {
            self.set_at.insert(place.clone(), self.now());
            let value = RackValue::Number(value);
            self.edit(RackEdit::Parameter { slot: place.0, symbol: place.1, value });
        }
    }

    /// The symbol of a parameter that a person means, as far as the parameters of the slot are known.
    pub(super) fn symbol(&self, slot: &str, meant: &str) -> Option<String> {
        let known = self.baselines.get(slot).map(|baseline| &baseline.parameters).filter(|it| !it.is_empty());
        let Some(known) = known else { return Some(meant.to_owned()) };
        let exactly = known.keys().find(|symbol| *symbol == meant);
        let found =
            exactly.or_else(|| known.keys().find(|symbol| symbol.eq_ignore_ascii_case(meant))).cloned();
        found.or_else(|| self.symbol_of_name(slot, meant).filter(|symbol| known.contains_key(symbol)))
    }

    /// The symbol of the only parameter that is shown by this name, as the last scan found it.
    fn symbol_of_name(&self, slot: &str, name: &str) -> Option<String> {
        let plugin = self.rack().slot(slot)?.plugin.clone();
        let known = crate::plugins::lookup().ok()?;
        symbol_of_name(&known.find(&plugin.to_string()).ok()?, name).map(str::to_owned)
    }
}

/// The symbol of the only parameter of this name that can be set.
fn symbol_of_name<'a>(plugin: &'a Description, name: &str) -> Option<&'a str> {
    let is_meant = |it: &&Parameter| !it.is_output && it.name.to_lowercase() == name.to_lowercase();
    let mut named = plugin.parameters.iter().filter(is_meant);
    named.next().filter(|_| named.next().is_none()).map(|it| it.symbol.as_str())
}

#[cfg(test)]
mod tests {
    use kmidi_host::{Format, Kind, PluginId};

    use super::*;

    #[test]
    fn a_name_that_only_one_parameter_has_is_understood() {
        let parameter = |symbol: &str, name: &str, is_output| Parameter {
            id: 0,
            symbol: symbol.to_owned(),
            name: name.to_owned(),
            group: String::new(),
            unit: String::new(),
            min: 0.0,
            max: 1.0,
            default: 0.0,
            steps: 0,
            choices: vec![],
            is_part: false,
            is_output,
            is_hidden: false,
            is_bypass: false,
        };
        let plugin = Description {
            id: PluginId::new(Format::Clap, "x"),
            name: "x".into(),
            vendor: String::new(),
            version: String::new(),
            path: "x.clap".into(),
            kind: Kind::Effect,
            tags: vec![],
            audio_inputs: vec![],
            audio_outputs: vec![],
            event_inputs: vec![],
            event_outputs: vec![],
            parameters: vec![
                parameter("room_size", "Room Size", false),
                parameter("gain", "Gain", false),
                parameter("gain_2", "gain", false),
                parameter("level", "Level", true),
                parameter("level_2", "Level", false),
            ],
        };
        for (name, symbol) in
            [("room size", Some("room_size")), ("Gain", None), ("Level", Some("level_2")), ("Roomsize", None)]
        {
            assert_eq!(symbol_of_name(&plugin, name), symbol, "{name}");
        }
    }
}
