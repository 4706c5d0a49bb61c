//! The plugins that a song is played with: which there are to be, and how the graph gets there.
//!
//! Plugins live on a thread of their own ([`thread`]); their audio halves are in the graph of the [`Rig`]. Here is what
//! knows of both: it never waits for either. Edits change what is wanted at once; the graph follows, one
//! [`Transition`] after the other.

mod channels;
mod edits;
mod entry;
mod input;
pub(crate) mod offline;
mod order;
mod renewal;
mod request;
mod sides;
mod taps;
mod thread;
mod threads;
mod transition;
mod wiring;
mod worker;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kmidi_host::Activation;
use kmidi_memory::audio_heap;

pub use self::channels::{DeviceChannels, ParseChannelsError};
use self::entry::{Entry, Leaving};
use self::input::Input;
pub use self::input::{InputRequest, Routing};
pub use self::request::{
    Compensation, ParameterValue, PluginRequest, PluginSnapshot, PluginState, RackConfig, SavedPlugin,
};
pub(crate) use self::sides::Sides;
pub(crate) use self::threads::Tell;
use self::threads::Threads;
use self::transition::{Progress, Transition};
pub use self::wiring::NoPlace;
pub(crate) use self::wiring::Parts;
use self::wiring::{Nodes, Place, Routes, Wiring, add, unheard_text};
pub(crate) use self::worker::Answer;
use self::worker::Order;
use crate::chain::Find;
use crate::rig::Rig;
use crate::snapshot::Severity;

/// Plugins in one rack; there are nodes for as many that leave at the same time.
pub const MAX_PLUGINS: usize = 48;

/// How long a song waits for plugins.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which plugins there are to be, and how far the graph is.
pub(crate) struct Rack {
    config: RackConfig,
    /// Start with the first plugin.
    threads: Threads,
    /// In their order. Where one takes another's place, it stands behind it until it is ready.
    entries: Vec<Entry>,
    slots: u32,
    instances: u64,
    /// What plugins are activated for; none before there is an engine.
    activation: Option<Activation>,
    /// Of the device, once there is one.
    channels_out: Option<u16>,
    /// What the engine has.
    wiring: Wiring,
    transition: Option<Transition>,
    /// Could not be had: not tried again.
    refused: Option<Wiring>,
    /// Nodes of plugins that are no longer in the rack.
    gone: Vec<kmidi_graph::NodeId>,
    /// Since when songs wait for all of it, in an engine that is new.
    holds: Option<Instant>,
    /// To be told to the user.
    said: Vec<(Severity, String)>,
    /// Slots, symbols and values that plugins have understood as they show them.
    understood: Vec<(u32, String, f64)>,
    muted_frames: u64,
    /// What is in the wiring's `unheard`, and has been told.
    unheard: Vec<kmidi_graph::NodeId>,
    /// Slots whose plugins have said that their states are others.
    changed: BTreeSet<u32>,
    changes_notes: bool,
}

impl Rack {
    /// `find` and `tell` are called on plugin threads: the one to look up plugins, the other with all that it
    /// has to say.
    pub fn new(config: RackConfig, find: Box<Find>, tell: Box<Tell>) -> Self {
        let plugins = config.plugins.clone();
        let mut rack = Rack {
            config,
            threads: Threads::new(find, tell),
            entries: vec![],
            slots: 0,
            instances: 0,
            activation: None,
            channels_out: None,
            wiring: Wiring::default(),
            transition: None,
            refused: None,
            gone: vec![],
            holds: None,
            said: vec![],
            understood: vec![],
            muted_frames: 0,
            unheard: vec![],
            changed: BTreeSet::new(),
            changes_notes: false,
        };
        plugins.into_iter().for_each(|plugin| rack.add_plugin(usize::MAX, plugin));
        rack
    }

    /// Whether a song should wait for the plugins that it is to begin with. One that does not answer is not waited for.
    pub fn holds_songs(&self) -> bool {
        self.holds.is_some_and(|since| since.elapsed() < PATIENCE)
    }

    /// Whether nothing is on its way.
    fn is_settled(&self) -> bool {
        self.transition.is_none() && !self.entries.iter().any(Entry::is_loading)
    }

    /// Whether all that was asked for is done, and what has left is gone.
    #[cfg(test)]
    fn is_at_rest(&self, rig: &Rig) -> bool {
        self.is_settled()
            && self.gone.is_empty()
            && !self.entries.iter().any(|entry| entry.is_leaving() || entry.replaces)
            && self.wanted(rig) == self.wiring
    }

    /// What is to be told to the user since the last call.
    pub fn said(&mut self) -> Vec<(Severity, String)> {
        std::mem::take(&mut self.said)
    }

    /// Slots, symbols and values that plugins have understood since the last call.
    pub fn understood(&mut self) -> Vec<(u32, String, f64)> {
        std::mem::take(&mut self.understood)
    }

    /// Slots whose plugins have changed their states themselves since the last call.
    pub fn changed(&mut self) -> BTreeSet<u32> {
        std::mem::take(&mut self.changed)
    }

    /// Whether a plugin that has been here changes notes: then others may sound than are written.
    pub fn changes_notes(&self) -> bool {
        self.changes_notes
    }

    /// Frames for which plugins were muted because they had to be activated anew.
    pub fn muted_frames(&self) -> u64 {
        self.muted_frames
    }

    /// The rack as clients see it.
    pub fn snapshot(&self) -> Vec<PluginSnapshot> {
        self.entries.iter().filter(|entry| entry.is_shown()).map(Entry::snapshot).collect()
    }

    fn warn(&mut self, text: String) {
        self.said.push((Severity::Warning, text));
    }

    fn order(&mut self, order: Order) {
        if let Err(error) = self.threads.order(order) {
            self.warn(format!("no thread for plugins: {error}"));
        }
    }

    fn next_instance(&mut self) -> u64 {
        self.instances += 1;
        self.instances
    }

    fn entry(&mut self, instance: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.instance == instance)
    }

    /// Takes an answer; what a client waits for is given back.
    pub fn hear(&mut self, answer: Answer, rig: Option<&mut Rig>) -> Option<(u64, Vec<SavedPlugin>)> {
        match answer {
            Answer::Begins { instance } => self.threads.begins(instance),
            Answer::ChangesNotes => self.changes_notes = true,
            Answer::Ready { instance, half } => {
                self.threads.ends(instance);
                self.ready(instance, *half, rig);
            }
            Answer::Failed { instance, is_missing, reason } => {
                self.threads.ends(instance);
                self.failed(instance, is_missing, reason);
            }
            Answer::Parsed { instance, id, value } => {
                if let Some(entry) = self.entry(instance) {
                    let understood = entry.understand(id, value);
                    self.understood.extend(understood);
                }
            }
            Answer::Said { instance, text } => {
                if let Some(name) = self.entry(instance).map(|entry| entry.name()) {
                    self.warn(format!("{name}: {text}"));
                }
            }
            Answer::Latency { instance, frames } => self.latency_changed(instance, frames, rig),
            Answer::WantsRestart { instance } => self.renew(instance),
            Answer::Changed { instance } => {
                let slot = self.entry(instance).map(|entry| entry.slot);
                self.changed.extend(slot);
            }
            Answer::Saved(mut saving) => {
                if !self.threads.has_more(&mut saving) {
                    let plugins = saving.plugins.into_iter().map(|(_, plugin)| plugin).collect();
                    return Some((saving.ticket, plugins));
                }
            }
        }
        None
    }

    fn ready(&mut self, instance: u64, half: worker::Half, rig: Option<&mut Rig>) {
        let activation = self.activation;
        let Some(entry) = self.entry(instance) else {
            // Removed meanwhile: it is ended as soon as its audio half has been dropped.
            drop(half);
            return self.order(Order::Unload { instance });
        };
        let Some(rig) = rig.filter(|_| activation == Some(half.activation)) else {
            // Made for an engine that is no more.
            drop(half);
            if let Some(activation) = activation {
                self.order(Order::Activate { instance, activation });
            }
            return;
        };
        let worker::Half { processor, info, description, values, .. } = half;
        let mut said = vec![];
        let request = entry.request.input.clone();
        let added = audio_heap("a plugin's nodes", || {
            let made = request.map(|request| {
                let warn = |text| said.push((Severity::Warning, text));
                Input::new(&request, &description, values, warn)
            });
            let (input, node) = made.unzip();
            add(&mut rig.graph, &description, &info, processor, node).map(|nodes| (nodes, input))
        });
        entry.describe(description, info.latency_frames);
        self.said.append(&mut said);
        let problem = match added {
            Ok(Ok((nodes, input))) => return self.arrived(instance, nodes, input),
            Ok(Err(problem)) => problem.to_string(),
            Err(exceeded) => exceeded.to_string(),
        };
        let name = self.entry(instance).map(|entry| entry.name()).unwrap_or_default();
        self.failed(instance, false, format!("{name}: {problem}"));
        self.order(Order::Unload { instance });
    }

    /// It is in the graph: the one whose place it takes leaves.
    fn arrived(&mut self, instance: u64, nodes: Nodes, input: Option<Input>) {
        let Some(entry) = self.entry(instance) else { return };
        let early = entry.arrive(nodes, input);
        let (slot, replaces) = (entry.slot, std::mem::take(&mut entry.replaces));
        if replaces {
            let others =
                |entry: &Entry| entry.slot == slot && entry.instance != instance && !entry.is_leaving();
            while let Some(at) = self.entries.iter().position(others) {
                self.dismiss(at);
            }
        }
        early.into_iter().for_each(|(name, value)| self.set_parameter(slot, name, value));
    }

    fn failed(&mut self, instance: u64, is_missing: bool, reason: String) {
        self.said.push((Severity::UnreadableInput, reason.clone()));
        let Some(entry) = self.entry(instance) else { return };
        if entry.replaces {
            let original = entry.copy_of;
            self.discard(|entry| entry.instance == instance);
            match original {
                Some(original) => self.mute_and_activate(original),
                None => self.warn("the plugin before it stays".to_owned()),
            }
            return;
        }
        entry.fail(is_missing, reason);
    }

    /// Channels that the device does not have cannot be had: what is for them is not lost.
    fn tell_missing_channels(&mut self, slot: Option<u32>) {
        let Some(channels_out) = self.channels_out else { return };
        let meant = |entry: &&Entry| entry.is_shown() && slot.is_none_or(|slot| entry.slot == slot);
        let mut told = vec![];
        for entry in self.entries.iter().filter(meant) {
            for (port, channels) in entry.routing.devices.iter().filter(|(_, it)| it.last() > channels_out) {
                let (name, port) = (entry.name(), port + 1);
                told.push(format!(
                    "{name}: output {port} is for channels {channels}, and the device has {channels_out}: it goes to 1-2"
                ));
            }
        }
        told.into_iter().for_each(|text| self.warn(text));
    }

    /// There is another engine, with nothing of the rack in it: plugins are activated anew for it.
    pub fn rig_built(&mut self, rig: &Rig) {
        self.activation = Some(Activation {
            sample_rate_hz: rig.config.sample_rate_hz,
            quantum_frames: rig.config.quantum_frames,
            offline: false,
        });
        self.channels_out = Some(rig.config.channels_out);
        self.tell_missing_channels(None);
        self.holds = (!self.entries.is_empty()).then(Instant::now);
        self.wiring = Wiring::new(&rig.parts, &[], true, false);
        (self.transition, self.refused) = (None, None);
        self.discard(Entry::is_leaving);
        let active: Vec<u64> = self.entries.iter_mut().filter_map(Entry::begin_again).collect();
        // They were nodes of the graph before.
        self.gone.clear();
        self.load_waiting();
        let Some(activation) = self.activation else { return };
        active.into_iter().for_each(|instance| self.order(Order::Activate { instance, activation }));
    }

    /// Has loaded what has not been asked for yet, once it is known for which engine.
    fn load_waiting(&mut self) {
        let Some(activation) = self.activation else { return };
        let waiting = self.entries.iter_mut().filter(|entry| !entry.is_asked_for);
        let orders: Vec<Order> = waiting.map(|entry| entry.ask(activation)).collect();
        orders.into_iter().for_each(|order| self.order(order));
    }

    /// It begins to leave: nothing goes in any more.
    fn dismiss(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        entry.leaving = Some(Leaving::Wanted);
        if entry.nodes.is_none() {
            let instance = entry.instance;
            self.discard(|entry| entry.instance == instance);
        }
    }

    /// They are no longer in the rack, and soon not in the graph; then the plugin thread ends them.
    fn discard(&mut self, which: impl Fn(&Entry) -> bool) {
        for at in (0..self.entries.len()).rev() {
            if which(&self.entries[at]) {
                let entry = self.entries.remove(at);
                self.gone.extend(entry.nodes.iter().flat_map(Nodes::all));
                self.order(Order::Unload { instance: entry.instance });
            }
        }
    }

    /// Goes on with what is under way, or begins with what is wanted.
    pub fn pump(&mut self, rig: &mut Rig) {
        if let Some(instance) = self.threads.overdue() {
            self.go_on_without(instance);
        }
        if let Some(mut transition) = self.transition.take() {
            let progress = transition.advance(rig);
            self.transition = Some(transition);
            self.note(progress, rig);
        }
        if self.transition.is_none() {
            self.retire(rig);
            self.begin_wanted(rig);
        }
        if self.is_settled() {
            self.holds = None;
            self.tell_unheard();
        }
        for entry in &mut self.entries {
            entry.send_parameters(rig);
            entry.send_input(rig, |text| self.said.push((Severity::Warning, text)));
        }
    }

    /// Says once which plugins make notes that nothing plays.
    fn tell_unheard(&mut self) {
        if self.unheard == self.wiring.unheard {
            return;
        }
        let before = std::mem::replace(&mut self.unheard, self.wiring.unheard.clone());
        let is_new = |entry: &&Entry| {
            let plugin = entry.nodes.as_ref().map(|nodes| nodes.plugin);
            plugin.is_some_and(|plugin| self.unheard.contains(&plugin) && !before.contains(&plugin))
        };
        let told: Vec<String> =
            self.entries.iter().filter(is_new).map(|entry| unheard_text(&entry.name())).collect();
        told.into_iter().for_each(|text| self.warn(text));
    }

    /// What has left and rung out is taken away.
    fn retire(&mut self, rig: &Rig) {
        let (now, rate) = (rig.handle.status().frames, rig.config.sample_rate_hz);
        self.discard(|entry| entry.has_rung_out(now, rate));
    }

    fn begin_wanted(&mut self, rig: &mut Rig) {
        // While a song waits for its plugins they come in together.
        if self.wiring.audio.len() == 1 && self.entries.iter().any(Entry::is_loading) {
            return;
        }
        let wanted = self.wanted(rig);
        if (wanted == self.wiring && self.gone.is_empty()) || self.refused.as_ref() == Some(&wanted) {
            return;
        }
        let gone = std::mem::take(&mut self.gone);
        let mut transition = Transition::new(self.wiring.clone(), wanted, gone);
        let progress = transition.begin(rig);
        self.transition = Some(transition);
        self.note(progress, rig);
    }

    /// The connections that there are to be; where effects change places, first without those that move.
    fn wanted(&self, rig: &Rig) -> Wiring {
        let nodes_of = |slot: u32| {
            let playing = self.entries.iter().filter(|entry| entry.slot == slot && !entry.is_leaving());
            playing.filter_map(|entry| entry.nodes.as_ref()).next()
        };
        let mut row: Vec<Place> = vec![];
        // What a plugin should hear of the device that is not there goes to the next one.
        let mut orphaned = false;
        for entry in &self.entries {
            let Routing { side_chain, audio_in, outputs, devices } = &entry.routing;
            let Some(place) = entry.place() else {
                orphaned |= *audio_in && entry.is_absent();
                continue;
            };
            let takes_over = orphaned && place.is_effect() && !place.is_leaving;
            orphaned &= !takes_over;
            let outputs = outputs.iter().filter_map(|(port, slot)| Some((*port, nodes_of(*slot)?)));
            let has = |channels: &DeviceChannels| channels.last() <= rig.config.channels_out;
            let on_device =
                |channels: &DeviceChannels| Some(*channels).filter(has).unwrap_or(DeviceChannels::MAIN);
            let devices = devices.iter().map(|(port, channels)| (*port, on_device(channels)));
            let routes = Routes {
                side_chain: side_chain.and_then(nodes_of),
                audio_in: *audio_in || takes_over,
                outputs: outputs.collect(),
                devices: devices.collect(),
            };
            row.push(Place { routes, ..place });
        }
        let staying = order::without_movers(&row, &self.wiring);
        Wiring::new(&rig.parts, &staying, self.config.synthesiser, orphaned)
    }

    fn note(&mut self, progress: Progress, rig: &Rig) {
        match progress {
            Progress::UnderWay => {}
            Progress::Done(wiring) => {
                self.wiring = wiring;
                self.transition = None;
                let now = rig.handle.status().frames;
                let muted = self.entries.iter_mut().map(|entry| entry.is_wired(now)).sum::<u64>();
                self.muted_frames += muted;
            }
            Progress::Refused(reason) => self.refuse(&reason, rig),
        }
    }

    /// The graph cannot be had: what is new in it is given up.
    fn refuse(&mut self, reason: &str, rig: &Rig) {
        let Some(transition) = self.transition.take() else { return };
        let (wiring, gone) = transition.into_from();
        self.wiring = wiring;
        self.gone.extend(gone);
        let mut given_up = vec![];
        for entry in &self.entries {
            let is_new = |nodes: &&Nodes| !self.wiring.has_plugin(nodes);
            let Some(nodes) = entry.nodes.as_ref().filter(is_new) else { continue };
            self.gone.extend(nodes.all());
            given_up.push((entry.instance, format!("{}: {reason}", entry.name())));
        }
        if given_up.is_empty() {
            self.warn(format!("the rack stays as it was: {reason}"));
            self.refused = Some(self.wanted(rig));
        }
        for (instance, reason) in given_up {
            self.failed(instance, false, reason);
            self.order(Order::Unload { instance });
        }
    }

    /// Ends all plugins. The engine and the rig must be gone: what they still have is never ended.
    pub fn close(self) -> bool {
        self.threads.close()
    }
}

#[cfg(test)]
mod tests;
