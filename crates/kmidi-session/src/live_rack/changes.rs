//! From one rack to another: what a session has to be told.

use crate::chain::PluginChoice;
use crate::command::Command;
use crate::rack::{InputRequest, ParameterValue, PluginRequest, Routing};
use crate::rack_file::{Rack, RackSlot, RackTarget, RackValue};

/// A slot as the session is asked for it. Parameters are set afterwards: one that cannot be set is told, and the rest plays.
pub(super) fn request_of(slot: &RackSlot, state: Option<Vec<u8>>) -> PluginRequest {
    PluginRequest {
        choice: PluginChoice {
            plugin: slot.plugin.to_string(),
            // A state has been saved after the preset was taken up.
            preset: slot.preset.clone().filter(|_| state.is_none()),
            settings: vec![],
        },
        state,
        bypassed: slot.bypassed,
        input: Some(input_of(slot)),
        ..PluginRequest::default()
    }
}

fn input_of(slot: &RackSlot) -> InputRequest {
    InputRequest { zone: slot.zone, map: slot.map.clone() }
}

pub(super) fn value_of(slot: &RackSlot, value: &RackValue) -> ParameterValue {
    match value {
        RackValue::Number(part) if slot.counts_parts && (0.0..=1.0).contains(part) => {
            ParameterValue::Part(*part)
        }
        RackValue::Number(number) => ParameterValue::Plain(*number),
        RackValue::Text(text) => ParameterValue::Text(text.clone()),
    }
}

/// Where the sound of each slot comes from and goes, with the session's numbers.
fn routing_of(slot: &RackSlot, number_of: impl Fn(&str) -> Option<u32>) -> Routing {
    let outputs = slot.outputs.iter().filter_map(|output| match &output.to {
        RackTarget::Slot(name) => Some((output.port - 1, number_of(name)?)),
        RackTarget::Device(_) => None,
    });
    let devices = slot.outputs.iter().filter_map(|output| match &output.to {
        RackTarget::Device(channels) => Some((output.port - 1, *channels)),
        RackTarget::Slot(_) => None,
    });
    Routing {
        side_chain: slot.side_chain.as_deref().and_then(&number_of),
        audio_in: slot.audio_in,
        outputs: outputs.collect(),
        devices: devices.collect(),
    }
}

/// What the states that a rack names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum States {
    /// What the plugins gave themselves: they are in them already.
    OfPlugins,
    /// What somebody has written: plugins are to be in them.
    OfFile,
}

/// The commands that lead from one rack to the other. `numbers` are the session's numbers of the slots, in the order of the
/// rack; `next_number` is the last that was given out.
pub(super) fn commands_between(
    before: &Rack,
    after: &Rack,
    states: States,
    numbers: &mut Vec<(String, u32)>,
    next_number: &mut u32,
    mut request: impl FnMut(&RackSlot) -> PluginRequest,
) -> Vec<Command> {
    let mut commands = Vec::new();
    if before.gain_db != after.gain_db {
        commands.push(Command::GainDb(after.gain_db));
    }
    numbers.retain(|(name, slot)| {
        let stays = after.slot(name).is_some();
        if !stays {
            commands.push(Command::RemovePlugin { slot: *slot });
        }
        stays
    });
    for (at, slot) in after.slots.iter().enumerate() {
        match numbers.iter().position(|(name, _)| *name == slot.name) {
            None => {
                *next_number += 1;
                commands.push(Command::AddPlugin { at, plugin: request(slot) });
                numbers.insert(at, (slot.name.clone(), *next_number));
                set_parameters(&mut commands, *next_number, None, slot);
            }
            Some(place) => {
                let moved = numbers.remove(place);
                let number = moved.1;
                if place != at {
                    commands.push(Command::MovePlugin { slot: number, to: at });
                }
                numbers.insert(at, moved);
                let Some(old) = before.slot(&slot.name) else { continue };
                let is_other = (&old.plugin, &old.preset) != (&slot.plugin, &slot.preset)
                    || states == States::OfFile && old.state != slot.state;
                match is_other {
                    true => {
                        commands.push(Command::ReplacePlugin { slot: number, plugin: request(slot) });
                        set_parameters(&mut commands, number, None, slot);
                    }
                    false => change(&mut commands, number, old, slot),
                }
            }
        }
    }
    // Slots name each other: this comes when all are there.
    let of = |name: &str| numbers.iter().find(|(it, _)| it == name).map(|(_, number)| *number);
    for slot in &after.slots {
        let (Some(number), old) = (of(&slot.name), before.slot(&slot.name)) else { continue };
        let routing = routing_of(slot, of);
        let is_new = old.is_none_or(|old| {
            (&old.side_chain, &old.audio_in, &old.outputs)
                != (&slot.side_chain, &slot.audio_in, &slot.outputs)
        });
        if is_new && (old.is_some() || routing != Routing::default()) {
            commands.push(Command::RoutePlugin { slot: number, routing });
        }
    }
    commands
}

/// The same plugin, set in another way.
fn change(commands: &mut Vec<Command>, number: u32, old: &RackSlot, slot: &RackSlot) {
    if old.bypassed != slot.bypassed {
        commands.push(Command::BypassPlugin { slot: number, bypassed: slot.bypassed });
    }
    if (old.zone, &old.map) != (slot.zone, &slot.map) {
        commands.push(Command::SetPluginInput { slot: number, input: input_of(slot) });
    }
    set_parameters(commands, number, Some(old), slot);
}

/// Sets what is another value than before; of a new plugin, all.
fn set_parameters(commands: &mut Vec<Command>, number: u32, old: Option<&RackSlot>, slot: &RackSlot) {
    for (symbol, value) in &slot.parameters {
        let has_it = |old: &RackSlot| {
            old.counts_parts == slot.counts_parts
                && old.parameters.iter().any(|(it, old)| it == symbol && old == value)
        };
        if !old.is_some_and(has_it) {
            commands.push(Command::SetPluginParameter {
                slot: number,
                parameter: symbol.clone(),
                value: value_of(slot, value),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::rack_file::RackOutput;

    /// Number, plugin, parameters and routes of a slot.
    type ModelSlot = (u32, PluginRequest, Vec<(String, ParameterValue)>, Routing);

    /// What a session has after some commands: numbers in their order, and what was asked for them.
    #[derive(Default)]
    struct Model {
        slots: Vec<ModelSlot>,
        given: u32,
        gain_db: f32,
    }

    impl Model {
        fn obey(&mut self, command: Command) {
            let at = |slot: u32, slots: &[ModelSlot]| {
                slots.iter().position(|it| it.0 == slot).unwrap_or_else(|| panic!("no slot {slot}"))
            };
            match command {
                Command::GainDb(gain_db) => self.gain_db = gain_db,
                Command::AddPlugin { at, plugin } => {
                    self.given += 1;
                    self.slots
                        .insert(at.min(self.slots.len()), (self.given, plugin, vec![], Routing::default()));
                }
                Command::RemovePlugin { slot } => drop(self.slots.remove(at(slot, &self.slots))),
                Command::ReplacePlugin { slot, plugin } => {
                    let at = at(slot, &self.slots);
                    (self.slots[at].1, self.slots[at].2) = (plugin, vec![]);
                }
                Command::MovePlugin { slot, to } => {
                    let moved = self.slots.remove(at(slot, &self.slots));
                    self.slots.insert(to, moved);
                }
                Command::BypassPlugin { slot, bypassed } => {
                    let at = at(slot, &self.slots);
                    self.slots[at].1.bypassed = bypassed;
                }
                Command::SetPluginInput { slot, input } => {
                    let at = at(slot, &self.slots);
                    self.slots[at].1.input = Some(input);
                }
                Command::RoutePlugin { slot, routing } => {
                    let at = at(slot, &self.slots);
                    self.slots[at].3 = routing;
                }
                Command::SetPluginParameter { slot, parameter, value } => {
                    let at = at(slot, &self.slots);
                    let set = &mut self.slots[at].2;
                    set.retain(|(it, _)| *it != parameter);
                    set.push((parameter, value));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn random_rack(random: &mut Rng) -> Rack {
        let mut names = vec!["a", "b", "c", "d", "e"];
        random.shuffle(&mut names);
        names.truncate(random.usize(..6));
        let slot = |name: &&str, random: &mut Rng| {
            let text = format!(
                "[[slot]]\nname = \"{name}\"\nplugin = \"clap:{}\"\nbypass = {}\nparameters = {{ x = {}, y = \"{}\" }}\n\
                 zone = {{ transpose = {} }}\n",
                random.u8(..2),
                random.bool(),
                random.u8(..2),
                random.u8(..2),
                random.u8(..2),
            );
            let path = std::path::Path::new("r.toml");
            crate::rack_file::parsed(path, &text).unwrap().slots.remove(0)
        };
        let mut slots: Vec<RackSlot> = names.iter().map(|name| slot(name, random)).collect();
        if let [first, second, ..] = slots.as_mut_slice()
            && random.bool()
        {
            let to = match random.bool() {
                true => RackTarget::Slot(second.name.clone()),
                false => RackTarget::Device("3-4".parse().unwrap()),
            };
            first.outputs = vec![RackOutput { port: 2, to }];
        }
        Rack { gain_db: f32::from(random.u8(..2)), slots }
    }

    #[test]
    fn from_any_rack_to_any_other_the_session_has_what_the_file_says() {
        let mut random = Rng::with_seed(5);
        let (mut model, mut numbers, mut next) = (Model::default(), vec![], 0);
        let mut before = Rack::default();
        for _ in 0..500 {
            let after = random_rack(&mut random);
            let commands =
                commands_between(&before, &after, States::OfFile, &mut numbers, &mut next, |slot| {
                    request_of(slot, None)
                });
            commands.into_iter().for_each(|command| model.obey(command));
            assert_eq!(model.gain_db, after.gain_db);
            assert_eq!(model.slots.len(), after.slots.len());
            for (slot, (number, request, set, routing)) in after.slots.iter().zip(&model.slots) {
                assert!(numbers.contains(&(slot.name.clone(), *number)));
                let wanted = request_of(slot, None);
                assert_eq!(request.choice.plugin, wanted.choice.plugin);
                assert_eq!((request.bypassed, &request.input), (wanted.bypassed, &wanted.input));
                let of = |name: &str| numbers.iter().find(|it| it.0 == name).map(|it| it.1);
                assert_eq!(*routing, routing_of(slot, of));
                for (symbol, value) in &slot.parameters {
                    let set = set.iter().rev().find(|(it, _)| it == symbol).map(|(_, value)| value.clone());
                    assert_eq!(set, Some(value_of(slot, value)), "{}: {symbol}", slot.name);
                }
            }
            before = after;
        }
        // Nothing changes where nothing has changed.
        let request = |slot: &RackSlot| request_of(slot, None);
        let none = commands_between(&before, &before, States::OfFile, &mut numbers, &mut next, request);
        assert_eq!(none, []);
    }

    #[test]
    fn numbers_of_an_old_rack_mean_what_they_meant_until_the_file_says_otherwise() {
        let path = std::path::Path::new("r.toml");
        let rack = |version: &str, plugin: &str| {
            let text = format!(
                "{version}\n[[slot]]\nname = \"a\"\nplugin = \"{plugin}:x\"\nparameters = {{ x = 0.5, y = -3, z = \"0.5\" }}\n"
            );
            crate::rack_file::parsed(path, &text).unwrap()
        };
        let set = |before: Option<&Rack>, after: &Rack| {
            let before = before.cloned().unwrap_or_default();
            let mut numbers = before.slots.iter().map(|slot| (slot.name.clone(), 1)).collect();
            let request = |slot: &RackSlot| request_of(slot, None);
            let commands = commands_between(&before, after, States::OfFile, &mut numbers, &mut 0, request);
            let value = |command: Command| match command {
                Command::SetPluginParameter { value, .. } => Some(value),
                _ => None,
            };
            commands.into_iter().filter_map(value).collect::<Vec<_>>()
        };
        use ParameterValue::{Part, Plain, Text};
        let (old, new) = (rack("", "vst3"), rack("version = 2", "vst3"));
        assert_eq!(set(None, &old), [Part(0.5), Plain(-3.0), Text("0.5".into())]);
        assert_eq!(set(None, &rack("version = 1", "vst3")), set(None, &old));
        let plain = [Plain(0.5), Plain(-3.0), Text("0.5".into())];
        assert_eq!((set(None, &new), set(None, &rack("", "clap"))), (plain.to_vec(), plain.to_vec()));
        assert_eq!(set(Some(&old), &new), plain, "the same figures, another meaning");
        assert_eq!(set(Some(&old), &old), []);
    }

    #[test]
    fn another_state_in_the_file_is_taken_up_and_one_that_the_plugin_gave_is_not() {
        let path = std::path::Path::new("r.toml");
        let rack = |state: &str| {
            let text = format!("[[slot]]\nname = \"a\"\nplugin = \"clap:x\"\n{state}");
            crate::rack_file::parsed(path, &text).unwrap()
        };
        let (none, one, other) =
            (rack(""), rack("state = \"r.states/a.1.state\"\n"), rack("state = \"r.states/a.2.state\"\n"));
        let commands = |before: &Rack, after: &Rack, states| {
            let request = |slot: &RackSlot| request_of(slot, None);
            commands_between(before, after, states, &mut vec![("a".into(), 1)], &mut 1, request)
        };
        for (before, after) in [(&one, &other), (&none, &one), (&one, &none)] {
            let replaced = commands(before, after, States::OfFile);
            assert!(matches!(replaced[..], [Command::ReplacePlugin { slot: 1, .. }]), "{replaced:?}");
            assert_eq!(commands(before, after, States::OfPlugins), []);
        }
        assert_eq!(commands(&one, &one, States::OfFile), []);
    }
}
