//! Plugins that do not stay as they came: with another latency, activated anew, or not there in time.

use super::Rack;
use super::entry::Entry;
use super::transition::Transition;
use super::worker::Order;
use crate::rig::Rig;

impl Rack {
    /// A plugin that runs is later, or less late, than it was: the paths beside it follow.
    pub(super) fn latency_changed(&mut self, instance: u64, frames: u32, rig: Option<&mut Rig>) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.instance == instance) else { return };
        let (Some(nodes), Some(rig)) = (&entry.nodes, rig) else { return };
        match rig.graph.set_latency(nodes.plugin, frames) {
            Ok(()) => {
                entry.latency_frames = frames;
                self.resend(rig);
            }
            Err(error) => {
                let text = format!("{}: {error}", entry.name());
                self.warn(text);
            }
        }
    }

    pub(super) fn resend(&mut self, rig: &mut Rig) {
        // A transition sends the graph anyway.
        if self.transition.is_none() {
            let mut transition = Transition::new(self.wiring.clone(), self.wiring.clone(), vec![]);
            let progress = transition.begin(rig);
            self.transition = Some(transition);
            self.note(progress, rig);
        }
    }

    /// A plugin wants to be activated anew, which it can only while it does not run: a second instance with its
    /// state takes its place.
    pub(super) fn renew(&mut self, instance: u64) {
        let Some(activation) = self.activation else { return };
        let Some(at) = self.entries.iter().position(|entry| entry.instance == instance) else { return };
        let entry = &self.entries[at];
        if !entry.is_active() || entry.is_leaving() {
            return;
        }
        let (slot, request, routing) = (entry.slot, entry.request.clone(), entry.routing.clone());
        self.discard(|entry| entry.slot == slot && entry.replaces);
        let copy = self.next_instance();
        let mut entry = Entry::new(slot, copy, request);
        entry.routing = routing;
        (entry.replaces, entry.is_asked_for, entry.copy_of) = (true, true, Some(instance));
        self.entries.insert(at + 1, entry);
        self.order(Order::Copy { like: instance, instance: copy, activation });
    }

    /// There is no second instance: the plugin is taken out, activated anew and put in again. For how long it is
    /// not heard is told and counted.
    pub(super) fn mute_and_activate(&mut self, instance: u64) {
        let Some(activation) = self.activation else { return };
        let Some(entry) = self.entry(instance) else { return };
        let Some(nodes) = entry.nodes.take() else { return };
        let text = format!("{} is muted while it is activated anew", entry.name());
        entry.begin_muted();
        self.gone.extend(nodes.all());
        self.warn(text);
        self.order(Order::Activate { instance, activation });
    }

    /// A plugin does not come: others do not wait for it any longer.
    pub(super) fn go_on_without(&mut self, overdue: u64) {
        let Some(name) = self.entry(overdue).map(|entry| entry.name()) else { return };
        let seconds = self.threads.patience.as_secs();
        self.warn(format!(
            "{name} has not come within {seconds} s and may hang: the rest plays without it until it comes. Plugins that came \
             before it keep on, but what they change cannot be saved meanwhile. `kmidi certify {name}` shows what it does"
        ));
        let threads = &self.threads;
        let waits = |entry: &&mut Entry| {
            entry.is_asked_for && entry.description.is_none() && threads.is_held(entry.instance)
        };
        let behind = self.entries.iter_mut().filter(|entry| entry.instance != overdue).filter(waits);
        let mut given_up = vec![];
        for entry in behind.filter(|entry| entry.copy_of.is_none()) {
            self.instances += 1;
            given_up.push(std::mem::replace(&mut entry.instance, self.instances));
            entry.is_asked_for = false;
        }
        given_up.into_iter().for_each(|instance| self.order(Order::Unload { instance }));
        self.load_waiting();
    }
}
