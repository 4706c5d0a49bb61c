//! The half of a plugin that is spoken to.

use std::cell::RefCell;
use std::ffi::CString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use clack_extensions::latency::PluginLatency;
use clack_extensions::params::PluginParams;
use clack_extensions::render::{PluginRender, RenderMode};
use clack_extensions::tail::{PluginTail, TailLength};
use clack_extensions::timer::PluginTimer;
use clack_host::events::Pckn;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::events::io::{InputEvents, OutputEvents};
use clack_host::prelude::*;
use kmidi_core::{NodeInfo, Processor};

use super::audio_half::AudioHalf;
use super::describe::{self, Layout};
use super::host::{Common, Host, Main, Shared};
use super::presets::{self, Found};
use super::state::{self, SaveError};
use super::{host_info, params};
use crate::plugin::{MainHalf, Preset};
use crate::told::{Tellings, tellings};
use crate::{ActivateError, Activation, Description, Format, LoadError, PluginId, StateError, Told};

/// Restored states that can wait for an active plugin that has parameters alone.
const RESTORED_AT_ONCE: usize = 4;

/// The main half of a CLAP plugin.
pub(super) struct ClapPlugin {
    // Asking a plugin for a value takes it exclusively here, but not at the face.
    instance: RefCell<PluginInstance<Host>>,
    entry: PluginEntry,
    common: Arc<Common>,
    tellings: Tellings,
    description: Description,
    layout: Layout,
    /// Asked for once: crawling folders takes time.
    presets: Option<Vec<Found>>,
    /// While it is active: values for its audio half.
    restored: Option<rtrb::Producer<(u32, f64)>>,
    /// As it was activated with, or was last asked for.
    latency_frames: u32,
}

impl ClapPlugin {
    /// Makes an instance.
    pub fn new(entry: &PluginEntry, path: &Path, id: &str) -> Result<Self, LoadError> {
        let plugin_id = PluginId::new(Format::Clap, id);
        let name = CString::new(id)
            .map_err(|_| LoadError::NotInFile { id: plugin_id.clone(), path: path.to_owned() })?;
        let (teller, tellings) = tellings();
        let common = Arc::new(Common::new(teller));
        let (shared, main) = (Shared(common.clone()), Main::new(common.clone()));
        let mut instance = PluginInstance::<Host>::new(|_| shared, |_| main, entry, &name, &host_info())
            .map_err(|error| match error {
                PluginInstanceError::PluginNotFound => {
                    LoadError::NotInFile { id: plugin_id.clone(), path: path.to_owned() }
                }
                _ => LoadError::Instance { id: plugin_id, why: error.to_string() },
            })?;
        let (description, layout) = describe::describe(id, path, &instance.plugin_handle());
        common.stale.store(false, Relaxed);
        Ok(ClapPlugin {
            instance: RefCell::new(instance),
            entry: entry.clone(),
            common,
            tellings,
            description,
            layout,
            presets: None,
            restored: None,
            latency_frames: 0,
        })
    }

    /// What an instance says of itself now.
    fn describe_again(&mut self) {
        if self.common.stale.swap(false, Relaxed) {
            let id = self.description.id.name.clone();
            let path = self.description.path.clone();
            let mut instance = self.instance.borrow_mut();
            (self.description, self.layout) = describe::describe(&id, &path, &instance.plugin_handle());
        }
    }

    fn with_params<T>(
        &self,
        ask: impl FnOnce(PluginParams, &PluginMainThreadHandle<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut instance = self.instance.borrow_mut();
        let handle = instance.plugin_handle();
        ask(handle.get_extension()?, &handle)
    }

    /// Gives an inactive plugin a parameter, or a chance to say its own.
    fn flush(&mut self, events: &InputEvents<'_>) {
        let mut instance = self.instance.borrow_mut();
        let Some(mut handle) = instance.inactive_plugin_handle() else { return };
        if let Some(params) = handle.get_extension::<PluginParams>() {
            // What it says is read from it when it is wanted.
            params.flush(&mut handle, events, &mut OutputEvents::void());
        }
    }

    /// What can be set, and what it is.
    fn values(&self) -> Vec<(u32, f64)> {
        let ids = self.layout.settable.iter().map(|it| it.id.get());
        ids.filter_map(|id| Some((id, self.value(id)?))).collect()
    }

    /// Sets parameters: an inactive plugin's at once, an active one's at its next quantum.
    fn restore_values(&mut self, values: &[(u32, f64)]) -> Result<(), String> {
        let Some(restored) = &mut self.restored else {
            values.iter().for_each(|(id, value)| self.set_value(*id, *value));
            return Ok(());
        };
        if restored.slots() < values.len() {
            return Err("it has not taken up the last one yet".to_owned());
        }
        values.iter().try_for_each(|value| restored.push(*value)).map_err(|error| error.to_string())
    }

    fn run_timers(&mut self) {
        let mut instance = self.instance.borrow_mut();
        let due = instance.access_handler(|main| main.due_timers(Instant::now()));
        let handle = instance.plugin_handle();
        if let Some(timer) = handle.get_extension::<PluginTimer>() {
            due.into_iter().for_each(|id| timer.on_timer(&handle, id));
        }
    }

    fn set_render_mode(&mut self, offline: bool) {
        let mut instance = self.instance.borrow_mut();
        let handle = instance.plugin_handle();
        if let Some(render) = handle.get_extension::<PluginRender>() {
            let offline = offline && !render.has_realtime_requirement(&handle);
            let mode = if offline { RenderMode::Offline } else { RenderMode::Realtime };
            // One that refuses renders as it does live.
            let _ = render.set(&handle, mode);
        }
    }

    fn latency(&self) -> u32 {
        let mut instance = self.instance.borrow_mut();
        let handle = instance.plugin_handle();
        handle.get_extension::<PluginLatency>().map_or(0, |latency| latency.get(&handle))
    }

    fn node_info(&self, tail_frames: u32) -> NodeInfo {
        let described = &self.description;
        let channels = |ports: &[crate::AudioPort]| ports.iter().map(|port| port.channels).collect();
        // Parameters come as events, so what has any has an input for them.
        let event_inputs = described.event_inputs.len().max(usize::from(!self.layout.settable.is_empty()));
        NodeInfo {
            name: described.name.clone(),
            audio_inputs: channels(&described.audio_inputs),
            audio_outputs: channels(&described.audio_outputs),
            event_inputs: event_inputs as u16,
            event_outputs: described.event_outputs.len() as u16,
            latency_frames: self.latency_frames,
            tail_frames,
        }
    }

    fn refused(&self, activation: &Activation, why: impl ToString) -> ActivateError {
        ActivateError::Refused {
            id: self.description.id.clone(),
            sample_rate_hz: activation.sample_rate_hz,
            quantum_frames: activation.quantum_frames,
            why: why.to_string(),
        }
    }
}

impl MainHalf for ClapPlugin {
    fn description(&self) -> &Description {
        &self.description
    }

    fn value(&self, id: u32) -> Option<f64> {
        self.with_params(|params, handle| params.get_value(handle, ClapId::from_raw(id)?))
    }

    fn set_value(&mut self, id: u32, value: f64) {
        let Some(id) = ClapId::from_raw(id) else { return };
        let Ok(at) = self.layout.settable.binary_search_by_key(&id, |it| it.id) else { return };
        let Some(value) = self.layout.settable[at].legal(value) else { return };
        let event = ParamValueEvent::new(0, id, Pckn::match_all(), value);
        self.flush(&InputEvents::from_buffer(&event));
    }

    fn text_of(&self, id: u32, value: f64) -> Option<String> {
        self.with_params(|params, handle| params::text_of(params, handle, ClapId::from_raw(id)?, value))
    }

    fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        let parameter = self.description.parameters.iter().find(|parameter| parameter.id == id)?;
        self.with_params(|it, handle| params::value_of(Some(it), handle, parameter, text))
    }

    fn save(&mut self) -> Result<Vec<u8>, StateError> {
        let id = self.description.id.clone();
        let saved = state::save(&self.instance.borrow_mut().plugin_handle());
        match saved {
            Ok(bytes) => Ok(bytes),
            Err(SaveError::None) if self.layout.settable.is_empty() => Err(StateError::None { id }),
            Err(SaveError::None) => Ok(state::of_values(&self.values())),
            Err(SaveError::Refused(why)) => Err(StateError::Refused { id, what: "save", why }),
        }
    }

    fn load(&mut self, data: &[u8]) -> Result<(), StateError> {
        let id = self.description.id.clone();
        let loaded = state::load(&self.instance.borrow_mut().plugin_handle(), data);
        match loaded.or_else(|| Some(self.restore_values(&state::to_values(data)?))) {
            None => Err(StateError::None { id }),
            Some(Err(why)) => Err(StateError::Refused { id, what: "take up", why }),
            Some(Ok(())) => Ok(()),
        }
    }

    fn presets(&mut self) -> Vec<Preset> {
        let found = presets::find(&self.entry, &self.description.id.name);
        let listed = found.iter().map(|it| Preset { key: it.key.clone(), name: it.name.clone() }).collect();
        self.presets = Some(found);
        listed
    }

    fn load_preset(&mut self, key: &str) -> Result<(), StateError> {
        let id = self.description.id.clone();
        let refused =
            |why: &str| StateError::Refused { id, what: "take up a preset as", why: why.to_owned() };
        if self.presets.is_none() {
            self.presets();
        }
        let found = self.presets.iter().flatten().find(|it| it.key == key);
        let Some(found) = found else { return Err(refused("it has no such preset")) };
        presets::load(&self.instance.borrow_mut().plugin_handle(), found).map_err(|why| refused(&why))
    }

    fn activate(&mut self, activation: &Activation) -> Result<(Box<dyn Processor>, NodeInfo), ActivateError> {
        self.describe_again();
        if let Some(why) = &self.layout.impossible {
            return Err(self.refused(activation, why));
        }
        if activation.quantum_frames == 0 || activation.sample_rate_hz == 0 {
            return Err(self.refused(activation, "there is nothing to run"));
        }
        self.set_render_mode(activation.offline);
        // Earlier wishes are fulfilled hereby.
        self.common.restart.store(false, Relaxed);
        let config = PluginAudioConfiguration {
            sample_rate: f64::from(activation.sample_rate_hz),
            min_frames_count: 1,
            max_frames_count: activation.quantum_frames,
        };
        let stopped = self.instance.get_mut().activate(|_, _| super::host::Audio, config);
        let mut stopped = stopped.map_err(|error| self.refused(activation, error))?;
        self.common.latency.store(false, Relaxed);
        self.latency_frames = self.latency();
        let handle = stopped.plugin_handle();
        let tail_frames = match handle.get_extension::<PluginTail>().map(|tail| tail.get(&handle)) {
            Some(TailLength::Infinite) => u32::MAX,
            Some(TailLength::Finite(frames)) => frames,
            None => 0,
        };
        let info = self.node_info(tail_frames);
        let (producer, restored) =
            rtrb::RingBuffer::new(self.layout.settable.len().max(1) * RESTORED_AT_ONCE);
        self.restored = Some(producer);
        let half = AudioHalf::new(
            stopped,
            self.common.clone(),
            &self.layout,
            restored,
            activation.sample_rate_hz,
            activation.quantum_frames,
        );
        Ok((Box::new(half), info))
    }

    fn deactivate(&mut self) {
        // It can only refuse while the audio half lives, which it does not.
        let _ = self.instance.get_mut().try_deactivate();
        self.restored = None;
        self.describe_again();
    }

    fn idle(&mut self) {
        if self.common.callback.swap(false, Relaxed) {
            self.instance.get_mut().call_on_main_thread_callback();
        }
        self.run_timers();
        let is_active = self.instance.get_mut().is_active();
        if !is_active && self.common.flush.swap(false, Relaxed) {
            self.flush(&InputEvents::empty());
        }
        // While it is active, its ports and its parameters' ids are those that the audio half knows.
        if !is_active {
            self.describe_again();
        }
    }

    fn told(&mut self) -> Option<Told> {
        self.tellings.next().or_else(|| self.common.next_line().map(Told::Log))
    }

    fn new_latency_frames(&mut self) -> Option<u32> {
        if !self.common.latency.swap(false, Relaxed) {
            return None;
        }
        let now = self.latency();
        let is_new = now != self.latency_frames;
        self.latency_frames = now;
        is_new.then_some(now)
    }

    fn wants_restart(&mut self) -> bool {
        self.common.restart.swap(false, Relaxed)
    }

    fn has_changed(&mut self) -> bool {
        self.common.dirty.swap(false, Relaxed)
    }
}
