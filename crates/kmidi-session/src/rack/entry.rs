//! One plugin of a rack, from being asked for to having rung out.

use kmidi_host::{Activation, Description, Parameter};

use super::input::{Input, Routing};
use super::request::{ParameterValue, PluginRequest, PluginSnapshot, PluginState, SavedPlugin};
use super::wiring::{Nodes, Place, Routes, is_instrument};
use super::worker::Order;
use crate::command::channel_mask;
use crate::rig::{Rig, db_to_linear};

/// How long a plugin that leaves must have been silent, in seconds.
const SILENT_SECONDS: f64 = 0.5;
/// How long it may ring, in seconds.
const LONGEST_TAIL_SECONDS: f64 = 15.0;
/// Values that wait for a plugin to be ready.
const MAX_EARLY: usize = 1024;

/// A plugin on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// The graph still feeds it.
    Wanted,
    /// Nothing goes in since this frame of the engine.
    Rings { since: u64 },
}

pub(super) struct Entry {
    pub slot: u32,
    pub instance: u64,
    pub request: PluginRequest,
    pub description: Option<Description>,
    pub latency_frames: u32,
    pub nodes: Option<Nodes>,
    /// The other end of the node in front of it.
    pub input: Option<Input>,
    pub routing: Routing,
    pub leaving: Option<Leaving>,
    /// It waits to take the place of the one before it, which has the same slot.
    pub replaces: bool,
    /// It is the second instance of this one.
    pub copy_of: Option<u64>,
    /// Since when it is not heard because it is activated anew, if the graph has followed.
    muted: Option<Option<u64>>,
    /// The plugin thread has been asked for it.
    pub is_asked_for: bool,
    state: PluginState,
    /// Values for the engine.
    values: Vec<(u32, f64)>,
    /// Values from before anything was known of it.
    early: Vec<(String, ParameterValue)>,
}

impl Entry {
    pub fn new(slot: u32, instance: u64, request: PluginRequest) -> Self {
        Entry {
            slot,
            instance,
            request,
            description: None,
            latency_frames: 0,
            nodes: None,
            input: None,
            routing: Routing::default(),
            leaving: None,
            replaces: false,
            copy_of: None,
            muted: None,
            is_asked_for: false,
            state: PluginState::Loading,
            values: vec![],
            early: vec![],
        }
    }

    pub fn ask(&mut self, activation: Activation) -> Order {
        self.is_asked_for = true;
        Order::Load { instance: self.instance, request: Box::new(self.request.clone()), activation }
    }

    pub fn is_active(&self) -> bool {
        self.state == PluginState::Active
    }

    pub fn is_loading(&self) -> bool {
        self.state == PluginState::Loading
    }

    /// Whether it cannot be had: its place is passed over.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, PluginState::Missing { .. } | PluginState::Failed { .. })
    }

    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether it is the one that clients know by its slot.
    pub fn is_shown(&self) -> bool {
        !self.is_leaving() && !self.replaces
    }

    /// Its name, or what it was asked for by.
    pub fn name(&self) -> String {
        self.description.as_ref().map_or_else(|| self.request.choice.plugin.clone(), |it| it.name.clone())
    }

    pub fn id(&self) -> String {
        let id = self.description.as_ref().map(|description| description.id.to_string());
        id.unwrap_or_else(|| self.request.choice.plugin.clone())
    }

    pub fn describe(&mut self, description: Description, latency_frames: u32) {
        (self.description, self.latency_frames) = (Some(description), latency_frames);
    }

    /// It is in the graph. What has waited for it is given back.
    pub fn arrive(&mut self, nodes: Nodes, input: Option<Input>) -> Vec<(String, ParameterValue)> {
        (self.nodes, self.input, self.state) = (Some(nodes), input, PluginState::Active);
        std::mem::take(&mut self.early)
    }

    pub fn fail(&mut self, is_missing: bool, reason: String) {
        self.nodes = None;
        self.state = match is_missing {
            true => PluginState::Missing { reason },
            false => PluginState::Failed { reason },
        };
    }

    /// Its engine is gone; the instance, if there is one to be activated anew.
    pub fn begin_again(&mut self) -> Option<u64> {
        let was_active = self.is_active();
        self.nodes = None;
        if was_active {
            self.state = PluginState::Loading;
        }
        was_active.then_some(self.instance)
    }

    /// It is not heard from now on, until it has been activated anew.
    pub fn begin_muted(&mut self) {
        (self.muted, self.state) = (Some(None), PluginState::Loading);
    }

    /// A transition has ended. For how many frames it was muted, if it is heard again.
    pub fn is_wired(&mut self, now: u64) -> u64 {
        if self.leaving == Some(Leaving::Wanted) {
            self.leaving = Some(Leaving::Rings { since: now });
        }
        match (self.muted, &self.nodes) {
            (Some(None), _) => self.muted = Some(Some(now)),
            (Some(Some(since)), Some(_)) => {
                self.muted = None;
                return now.saturating_sub(since);
            }
            _ => {}
        }
        0
    }

    /// Whether it has left and is silent by now.
    pub fn has_rung_out(&self, now: u64, sample_rate_hz: u32) -> bool {
        let (Some(Leaving::Rings { since }), Some(nodes)) = (self.leaving, &self.nodes) else { return false };
        let frames = |seconds: f64| (seconds * f64::from(sample_rate_hz)) as u64;
        let left = now.saturating_sub(since);
        // What was silent before may yet answer to the end of its notes.
        let silent = u64::from(nodes.quiet.frames()).min(left);
        silent >= frames(SILENT_SECONDS) + u64::from(self.latency_frames)
            || left >= frames(LONGEST_TAIL_SECONDS)
    }

    /// How it stands in the graph.
    pub fn place(&self) -> Option<Place<'_>> {
        Some(Place {
            nodes: self.nodes.as_ref()?,
            gain: db_to_linear(self.request.gain_db),
            is_bypassed: self.request.bypassed,
            is_leaving: self.is_leaving(),
            channels: channel_mask(&self.request.channels),
            routes: Routes::default(),
        })
    }

    /// A value for the engine; of several for one parameter the last counts.
    pub fn set(&mut self, id: u32, value: f64) {
        self.input.iter_mut().for_each(|input| input.set(id, value));
        match self.values.iter_mut().find(|(other, _)| *other == id) {
            Some(waiting) => waiting.1 = value,
            None => self.values.push((id, value)),
        }
    }

    /// A value that the plugin has understood: its slot, the symbol, and it.
    pub fn understand(&mut self, id: u32, value: f64) -> Option<(u32, String, f64)> {
        self.set(id, value);
        let parameter = self.description.as_ref()?.parameters.iter().find(|it| it.id == id)?;
        Some((self.slot, parameter.symbol.clone(), value))
    }

    /// A value for later.
    pub fn remember(&mut self, name: String, value: ParameterValue) {
        if let Some(waiting) = self.early.iter_mut().find(|(other, _)| *other == name) {
            waiting.1 = value;
        } else if self.early.len() < MAX_EARLY {
            self.early.push((name, value));
        }
    }

    /// Sends the values that wait, as many as there is room for; the rest waits.
    pub fn send_parameters(&mut self, rig: &mut Rig) {
        if self.values.is_empty() {
            return;
        }
        let Some(slot) = self.nodes.as_ref().and_then(|nodes| rig.graph.slot(nodes.plugin)) else { return };
        let room = MAX_AT_ONCE.min(rig.handle.room() / 2);
        let sent = self.values.len().min(room);
        for (id, value) in self.values.drain(..sent) {
            // There is room for all of them.
            let _ = rig.handle.parameter(slot, id, value);
        }
    }

    /// Tells its input what has changed; what is wrong with that is told.
    pub fn send_input(&mut self, rig: &mut Rig, warn: impl FnMut(String)) {
        let (Some(input), Some(request), Some(description)) =
            (&mut self.input, &self.request.input, &self.description)
        else {
            return;
        };
        if input.send(request, description, warn)
            && let Some(slot) = self.nodes.as_ref().and_then(|nodes| rig.graph.slot(nodes.inlet?))
        {
            // It wakes with the next event at the latest.
            let _ = rig.handle.parameter(slot, 0, 0.0);
        }
    }

    /// Parameters that knobs have moved since the last call.
    pub fn moved(&mut self) -> Vec<(String, f64)> {
        let (Some(input), Some(description)) = (&mut self.input, &self.description) else { return vec![] };
        input.moved(description)
    }

    pub fn snapshot(&self) -> PluginSnapshot {
        PluginSnapshot {
            slot: self.slot,
            id: self.id(),
            name: self.name(),
            is_instrument: self.description.as_ref().is_some_and(is_instrument),
            channels: self.request.channels.clone(),
            latency_frames: self.latency_frames,
            bypassed: self.request.bypassed,
            gain_db: self.request.gain_db,
            state: self.state.clone(),
        }
    }

    /// What is known of it here.
    pub fn saved(&self) -> SavedPlugin {
        SavedPlugin {
            slot: self.slot,
            id: self.id(),
            channels: self.request.channels.clone(),
            bypassed: self.request.bypassed,
            gain_db: self.request.gain_db,
            state: self.request.state.clone(),
            ..SavedPlugin::default()
        }
    }
}

/// Values of one plugin that are sent at once: fewer than a node takes in one quantum.
const MAX_AT_ONCE: usize = kmidi_core::limits::MAX_PARAMETER_CHANGES / 2;

/// The plugin's own value.
pub(super) fn plain(parameter: &Parameter, value: &ParameterValue) -> (u32, f64) {
    let (min, max) = (parameter.min, parameter.max);
    let value = match *value {
        ParameterValue::Plain(value) => value,
        ParameterValue::Part(part) => parameter.at(part),
        ParameterValue::Text(_) => parameter.default,
    };
    let value = if value.is_finite() { value.clamp(min, max) } else { parameter.default };
    let value = if parameter.steps > 0 && max > min {
        let step = (max - min) / f64::from(parameter.steps);
        min + ((value - min) / step).round() * step
    } else {
        value
    };
    (parameter.id, value)
}
