//! What clients ask of a rack.

use super::entry::{self, Entry};
use super::input::{Input, InputRequest, Routing};
use super::worker::Saving;
use super::{MAX_PLUGINS, Order, ParameterValue, PluginRequest, Rack};
use crate::chain;

impl Rack {
    /// The plugin that clients mean by a slot: not one that leaves, nor one that waits to take its place.
    fn place_of(&mut self, slot: u32) -> Option<usize> {
        let found = self.entries.iter().position(|entry| entry.slot == slot && entry.is_shown());
        if found.is_none() {
            self.warn(format!("there is no plugin in slot {slot}"));
        }
        found
    }

    /// Takes the next slot, whatever becomes of it.
    pub fn add_plugin(&mut self, at: usize, request: PluginRequest) {
        self.slots += 1;
        let slot = self.slots;
        if self.entries.len() >= MAX_PLUGINS {
            let text = format!("{}: a rack has at most {MAX_PLUGINS} plugins", request.choice.plugin);
            return self.warn(text);
        }
        let entry = Entry::new(slot, self.next_instance(), request);
        let shown = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_shown());
        let place = shown.map(|(place, _)| place).nth(at).unwrap_or(self.entries.len());
        self.entries.insert(place, entry);
        self.load_waiting();
    }

    /// It lets go of its notes, and its tail rings out.
    pub fn remove_plugin(&mut self, slot: u32) {
        let Some(at) = self.place_of(slot) else { return };
        let place = self.entries[at].slot;
        // What was to take its place is not wanted any more.
        self.discard(|entry| entry.slot == place && entry.replaces);
        if let Some(at) = self.place_of(slot) {
            self.dismiss(at);
        }
    }

    /// The one before plays until the other is ready.
    pub fn replace_plugin(&mut self, slot: u32, request: PluginRequest) {
        let Some(at) = self.place_of(slot) else { return };
        self.discard(|entry| entry.slot == slot && entry.replaces);
        let instance = self.next_instance();
        let mut entry = Entry::new(slot, instance, request);
        entry.routing = self.entries[at].routing.clone();
        entry.replaces = self.entries[at].is_active();
        self.entries.insert(at + 1, entry);
        if !self.entries[at].is_active() {
            self.dismiss(at);
        }
        self.load_waiting();
    }

    /// To another place among those that are shown.
    pub fn move_plugin(&mut self, slot: u32, to: usize) {
        let Some(at) = self.place_of(slot) else { return };
        // With whatever is to take its place.
        let count = self.entries[at..].iter().take_while(|entry| entry.slot == slot).count();
        let moved: Vec<Entry> = self.entries.drain(at..at + count).collect();
        let shown = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_shown());
        let place = shown.map(|(place, _)| place).nth(to).unwrap_or(self.entries.len());
        self.entries.splice(place..place, moved);
    }

    /// Lets the sound go past a plugin, or through it.
    pub fn bypass_plugin(&mut self, slot: u32, bypassed: bool) {
        if self.place_of(slot).is_some() {
            let of_slot = self.entries.iter_mut().filter(|entry| entry.slot == slot && !entry.is_leaving());
            of_slot.for_each(|entry| entry.request.bypassed = bypassed);
        }
    }

    /// Moves the level of what comes out of a plugin.
    pub fn set_gain_db(&mut self, slot: u32, gain_db: f32) {
        if self.place_of(slot).is_some() {
            let gain_db = if gain_db.is_finite() { gain_db.clamp(-60.0, 24.0) } else { 0.0 };
            let of_slot = self.entries.iter_mut().filter(|entry| entry.slot == slot && !entry.is_leaving());
            of_slot.for_each(|entry| entry.request.gain_db = gain_db);
        }
    }

    /// Sets a parameter by its symbol or name. What a person wrote is first understood by the plugin itself.
    pub fn set_parameter(&mut self, slot: u32, name: String, value: ParameterValue) {
        let Some(at) = self.place_of(slot) else { return };
        // What waits to take its place gets it too; another plugin alone gets it.
        let shown = self.entries[at].id();
        for entry in self.entries.iter_mut().filter(|entry| entry.slot == slot && entry.replaces) {
            let is_other = entry.copy_of.is_none() && entry.request.choice.plugin != shown;
            entry.remember(name.clone(), value.clone());
            if is_other {
                return;
            }
        }
        let entry = &mut self.entries[at];
        let instance = entry.instance;
        let Some(description) = entry.description.as_ref().filter(|_| entry.is_active()) else {
            return entry.remember(name, value);
        };
        let Some(parameter) = chain::parameter(description, &name) else {
            let id = description.id.clone();
            return self.warn(format!(
                "{id} has no parameter {name:?}; `kmidi plugin info {id}` shows those it has"
            ));
        };
        let text = match value {
            ParameterValue::Text(text) => text,
            // It can be meant as the plugin shows it; if not, that is told.
            ParameterValue::Plain(value) if !(parameter.min..=parameter.max).contains(&value) => {
                value.to_string()
            }
            value => {
                let (id, value) = entry::plain(parameter, &value);
                return entry.set(id, value);
            }
        };
        self.order(Order::Parse { instance, parameter: name, text });
    }

    /// Has a plugin take up a state while it plays.
    pub fn set_state(&mut self, slot: u32, state: Vec<u8>) {
        let Some(at) = self.place_of(slot) else { return };
        let entry = &mut self.entries[at];
        entry.request.state = Some(state.clone());
        if entry.is_active() {
            let instance = entry.instance;
            self.order(Order::Restore { instance, state });
        }
    }

    /// What a plugin is played with from now on.
    pub fn set_input(&mut self, slot: u32, input: InputRequest) {
        if self.place_of(slot).is_some() {
            let of_slot = self.entries.iter_mut().filter(|entry| entry.slot == slot && !entry.is_leaving());
            for entry in of_slot {
                entry.request.input = Some(input.clone());
                entry.input.iter_mut().for_each(Input::change);
            }
        }
    }

    /// Where the sound of a plugin goes beside the row.
    pub fn route(&mut self, slot: u32, routing: Routing) {
        if self.place_of(slot).is_some() {
            let of_slot = self.entries.iter_mut().filter(|entry| entry.slot == slot && !entry.is_leaving());
            of_slot.for_each(|entry| entry.routing = routing.clone());
            self.tell_missing_channels(Some(slot));
        }
    }

    /// Parameters that knobs have moved since the last call, with their slots.
    pub fn moved(&mut self) -> Vec<(u32, Vec<(String, f64)>)> {
        let moved = self.entries.iter_mut().map(|entry| (entry.slot, entry.moved()));
        moved.filter(|(_, parameters)| !parameters.is_empty()).collect()
    }

    /// Collects the states of all plugins; they come as an `Answer::Saved`.
    pub fn save(&mut self, ticket: u64) {
        let shown = self.entries.iter().filter(|entry| entry.is_shown());
        let plugins = shown.map(|entry| (entry.is_active().then_some(entry.instance), entry.saved()));
        let plugins = plugins.collect();
        self.order(Order::Save(Saving { ticket, plugins, thread: 0 }));
    }
}
