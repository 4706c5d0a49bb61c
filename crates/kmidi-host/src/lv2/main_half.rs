//! The half of a plugin that lives on its main thread. `[side B]`

use std::path::Path;
use std::sync::Arc;

use kmidi_core::limits::DEFAULT_QUANTUM_FRAMES;
use kmidi_core::{NodeInfo, Processor};

use super::audio_half::{AudioHalf, Plan, latency_port};
use super::bundle::{Bundle, PluginText};
use super::features::Config;
use super::files::Files;
use super::instance::Instance;
use super::layout::{AudioSide, Layout};
use super::packed::Saved;
use super::parameters::{Parameters, Place};
use super::presets::{self, Found};
use super::uris::{BUF_POWER_OF_2, STATE_LOAD_DEFAULT, STATE_THREAD_SAFE_RESTORE};
use super::values::Values;
use super::worker::WorkerThread;
use super::{FIRST_SAMPLE_RATE_HZ, description, state};
use crate::plugin::MainHalf;
use crate::told::tellings;
use crate::{
    ActivateError, Activation, Description, LoadError, Parameter, PluginId, Preset, StateError, Tellings,
    Told,
};

/// A loaded plugin.
pub struct Lv2Main {
    // In order of dropping: what is active goes before the instance.
    active: Option<Active>,
    instance: Arc<Instance>,
    plan: Arc<Plan>,
    description: Description,
    values: Arc<Values>,
    files: Arc<Files>,
    presets: Option<Vec<Found>>,
}

/// What there is while an audio half is lent.
struct Active {
    _worker: Option<WorkerThread>,
    tellings: Tellings,
    latency_frames: u32,
}

impl Lv2Main {
    /// Loads a plugin and makes an instance of it.
    pub fn load(folder: &Path, uri: &str) -> Result<Self, LoadError> {
        Self::with_text(Bundle::open(folder)?.plugin(uri)?)
    }

    /// Makes an instance of what a bundle describes.
    pub fn with_text(text: PluginText) -> Result<Self, LoadError> {
        let quantum_frames = DEFAULT_QUANTUM_FRAMES as u32;
        Self::with_config(text, Config { sample_rate_hz: FIRST_SAMPLE_RATE_HZ, quantum_frames })
    }

    /// Makes an instance for a rate and a quantum: activated with these, it need not be made again.
    pub fn with_config(text: PluginText, config: Config) -> Result<Self, LoadError> {
        let files = Arc::new(Files::default());
        let instance = Instance::new(&text, config, files.clone())?;
        let description = description(&text);
        let plan = plan(text, config);
        let values = Arc::new(Values::new(&plan.parameters));
        let mut half = Lv2Main { active: None, instance, plan, description, values, files, presets: None };
        half.restore_default();
        Ok(half)
    }

    fn id(&self) -> PluginId {
        self.description.id.clone()
    }

    fn wants(&self, feature: &str) -> bool {
        let text = &self.plan.text;
        text.required.iter().chain(&text.optional).any(|it| it == feature)
    }

    /// Gives a fresh instance the state that its bundle has for that. One that it does not take is none of the user's.
    fn restore_default(&mut self) {
        let entries = &self.plan.text.default_state;
        if self.wants(STATE_LOAD_DEFAULT) && !entries.is_empty() {
            // SAFETY: the instance is fresh: no audio half is there.
            let _ = unsafe { state::restore(&self.instance, entries) };
        }
    }

    /// All that is to be the same next time.
    fn collect(&self) -> Result<Saved, String> {
        self.files.begin_save();
        let entries = state::save(&self.instance);
        let files = self.files.end_save();
        Ok(Saved { entries: entries?, values: self.input_values(), files: files? })
    }

    /// The plugin's values of all inputs. Properties are part of the state of a plugin that keeps one.
    fn input_values(&self) -> Vec<(String, f64)> {
        let keeps_state = self.instance.state().is_some();
        let parameters = &self.plan.parameters;
        let inputs = parameters.list.iter().enumerate().filter(|(_, it)| !it.is_output);
        let value = |(at, _): (usize, &Parameter)| {
            let name = match parameters.sources[at].place {
                Place::Property(_) if keeps_state => return None,
                place => self.name_of(place).to_owned(),
            };
            Some((name, parameters.turn(at, self.values.get(at))))
        };
        inputs.filter_map(value).collect()
    }

    fn name_of(&self, place: Place) -> &str {
        match place {
            Place::Port(index) => &self.plan.text.ports[index].symbol,
            Place::Property(place) => &self.plan.text.properties[place].uri,
        }
    }

    /// Gives all of a state to the plugin.
    fn apply(&mut self, saved: &Saved) -> Result<(), String> {
        if !saved.files.is_empty() {
            self.files.restore(&saved.files)?;
        }
        // SAFETY: the audio half is kept out, or there is none, or the plugin allows it.
        let restore = || unsafe { state::restore(&self.instance, &saved.entries) };
        match self.active.is_some() && !self.wants(STATE_THREAD_SAFE_RESTORE) {
            true => self.instance.hold(restore)?,
            false => restore()?,
        }
        let parameters = &self.plan.parameters;
        for (at, parameter) in parameters.list.iter().enumerate().filter(|(_, it)| !it.is_output) {
            let name = self.name_of(parameters.sources[at].place);
            let Some((_, value)) = saved.values.iter().find(|(it, _)| it == name) else { continue };
            if let Some(value) = parameters.clamp(at, parameters.turn(at, *value)) {
                debug_assert!((parameter.min..=parameter.max).contains(&value));
                self.values.set(at, value);
            }
        }
        self.note_restored(saved);
        Ok(())
    }

    /// Values of properties in a state, which the plugin has taken itself.
    fn note_restored(&self, saved: &Saved) {
        let parameters = &self.plan.parameters;
        for (at, source) in parameters.sources.iter().enumerate() {
            let Place::Property(place) = source.place else { continue };
            let uri = &self.plan.text.properties[place].uri;
            let number = saved.entries.iter().find(|it| it.key == *uri).and_then(|it| it.number());
            if let Some(value) = number.and_then(|number| parameters.clamp(at, number)) {
                self.values.note(at, value);
            }
        }
    }

    /// Makes an instance for another sample rate or quantum, in the state of the one before.
    fn remake(&mut self, config: Config) -> Result<(), String> {
        // One that cannot save its state starts afresh but for its parameters.
        let only_values = |_| Saved { values: self.input_values(), ..Saved::default() };
        let saved = self.collect().unwrap_or_else(only_values);
        let text = self.plan.text.clone();
        let fresh = Instance::new(&text, config, self.files.clone()).map_err(|error| error.to_string())?;
        self.instance = fresh;
        self.plan = plan(text, config);
        self.description.parameters = self.plan.parameters.list.clone();
        self.restore_default();
        self.apply(&saved)
    }

    fn refused(&self, activation: &Activation, why: String) -> ActivateError {
        ActivateError::Refused {
            id: self.id(),
            sample_rate_hz: activation.sample_rate_hz,
            quantum_frames: activation.quantum_frames,
            why,
        }
    }

    /// Takes all values to the ports of an instance that no audio half runs.
    fn set_ports(&self) {
        let parameters = &self.plan.parameters;
        for (at, parameter) in parameters.list.iter().enumerate().filter(|(_, it)| !it.is_output) {
            if let Place::Port(index) = parameters.sources[at].place {
                let value = self.values.get(at).clamp(parameter.min, parameter.max);
                // SAFETY: no audio half is there.
                unsafe { self.instance.set_control(index, parameters.turn(at, value) as f32) };
            }
        }
    }

    fn node_info(&self) -> NodeInfo {
        let channels = |side: &AudioSide| side.ports.iter().map(|port| port.channels).collect();
        let layout = &self.plan.layout;
        NodeInfo {
            name: self.description.name.clone(),
            audio_inputs: channels(&layout.inputs),
            audio_outputs: channels(&layout.outputs),
            event_inputs: layout.event_inputs.len() as u16,
            event_outputs: layout.event_outputs.len() as u16,
            latency_frames: self.values.latency_frames(),
            // LV2 has no word for it: who renders must listen until there is silence.
            tail_frames: 0,
        }
    }
}

fn plan(text: PluginText, config: Config) -> Arc<Plan> {
    let layout = Layout::of(&text);
    let parameters = Parameters::of(&text, config.sample_rate_hz);
    Arc::new(Plan { layout, parameters, text })
}

impl MainHalf for Lv2Main {
    fn description(&self) -> &Description {
        &self.description
    }

    fn value(&self, id: u32) -> Option<f64> {
        Some(self.values.get(self.plan.parameters.find(id)?))
    }

    fn set_value(&mut self, id: u32, value: f64) {
        let parameters = &self.plan.parameters;
        let Some(at) = parameters.find(id).filter(|at| !parameters.list[*at].is_output) else { return };
        if let Some(value) = parameters.clamp(at, value) {
            self.values.set(at, value);
        }
    }

    fn text_of(&self, id: u32, value: f64) -> Option<String> {
        self.plan.parameters.text_of(id, value)
    }

    fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        self.plan.parameters.value_of(id, text)
    }

    fn save(&mut self) -> Result<Vec<u8>, StateError> {
        let refused = |why| StateError::Refused { id: self.id(), what: "save", why };
        let saved = self.collect().map_err(refused)?;
        if self.instance.state().is_none() && saved.values.is_empty() {
            return Err(StateError::None { id: self.id() });
        }
        Ok(saved.to_bytes())
    }

    fn load(&mut self, data: &[u8]) -> Result<(), StateError> {
        let saved = Saved::from_bytes(data).map_err(StateError::Damaged)?;
        self.apply(&saved).map_err(|why| StateError::Refused { id: self.id(), what: "take", why })
    }

    fn presets(&mut self) -> Vec<Preset> {
        let text = &self.plan.text;
        let found = self.presets.get_or_insert_with(|| presets::find(&text.uri, &text.folder));
        found.iter().map(|found| found.preset.clone()).collect()
    }

    fn load_preset(&mut self, key: &str) -> Result<(), StateError> {
        let id = self.id();
        let refused = |why| StateError::Refused { id, what: "take", why };
        self.presets();
        let found = self.presets.iter().flatten().find(|found| found.preset.key == key).cloned();
        let read = found.ok_or_else(|| format!("{key} is none of its presets"));
        let saved = read.and_then(|found| presets::read(&found).map_err(|error| error.to_string()));
        saved.and_then(|saved| self.apply(&saved)).map_err(refused)
    }

    /// A plugin that says its latency says it from the first run on: such a one runs a quantum of silence first, and is
    /// activated anew to forget that.
    fn activate(&mut self, activation: &Activation) -> Result<(Box<dyn Processor>, NodeInfo), ActivateError> {
        let quantum_frames = activation.quantum_frames;
        let config = Config { sample_rate_hz: activation.sample_rate_hz, quantum_frames };
        let needs_power = self.plan.text.required.iter().any(|it| it == BUF_POWER_OF_2);
        if needs_power && !quantum_frames.is_power_of_two() {
            let why = "it runs in blocks of a power of two alone".to_owned();
            return Err(self.refused(activation, why));
        }
        if config != self.instance.config {
            self.remake(config).map_err(|why| self.refused(activation, why))?;
        }
        self.set_ports();
        let (teller, tellings) = tellings();
        let parts = (self.instance.clone(), self.plan.clone(), self.values.clone());
        // SAFETY: an audio half is made only here, and this half is active until that one is gone.
        let mut audio = unsafe { AudioHalf::new(parts.0, parts.1, parts.2, teller, activation.offline) };
        // SAFETY: it is not active, and nothing else is in it.
        unsafe { self.instance.activate() };
        if latency_port(&self.plan.text).is_some() {
            audio.run_silence();
            // SAFETY: it is active, and nothing else is in it.
            unsafe {
                self.instance.deactivate();
                self.instance.activate();
            }
        }
        let worker = match !activation.offline && self.instance.worker().is_used() {
            true => WorkerThread::start(self.instance.clone(), |instance: &Instance| instance.worker()),
            false => return Ok(self.begin(None, tellings, audio)),
        };
        match worker {
            Ok(worker) => Ok(self.begin(Some(worker), tellings, audio)),
            Err(error) => {
                // SAFETY: it is active, and its audio half has not run.
                unsafe { self.instance.deactivate() };
                Err(self.refused(activation, format!("no thread for its work: {error}")))
            }
        }
    }

    fn deactivate(&mut self) {
        if self.active.take().is_some() {
            // SAFETY: it is active; its audio half is gone, and its worker with what was taken.
            unsafe { self.instance.deactivate() };
        }
    }

    /// LV2 asks for nothing on the main thread.
    fn idle(&mut self) {}

    fn told(&mut self) -> Option<Told> {
        self.active.as_mut()?.tellings.next()
    }

    fn new_latency_frames(&mut self) -> Option<u32> {
        let active = self.active.as_mut()?;
        let now = self.values.latency_frames();
        let before = std::mem::replace(&mut active.latency_frames, now);
        (now != before).then_some(now)
    }

    /// LV2 has no word for it.
    fn wants_restart(&mut self) -> bool {
        false
    }
}

impl Lv2Main {
    fn begin(
        &mut self,
        worker: Option<WorkerThread>,
        tellings: Tellings,
        audio: AudioHalf,
    ) -> (Box<dyn Processor>, NodeInfo) {
        let latency_frames = self.values.latency_frames();
        self.active = Some(Active { _worker: worker, tellings, latency_frames });
        (Box::new(audio), self.node_info())
    }
}
