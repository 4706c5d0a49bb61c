//! The half of a plugin that stays on its main thread. `[side B]`

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::vst3::Steinberg::Vst::RestartFlags_::{
    kIoChanged, kLatencyChanged, kMidiCCAssignmentChanged, kParamTitlesChanged, kParamValuesChanged,
    kReloadComponent,
};
use kmidi_core::{NodeInfo, Processor};

use super::audio_half::{AudioHalf, Parts};
use super::component::is_done;
use super::controller::Controller;
use super::exchange::Exchange;
use super::factory::{ClassInfo, Factory};
use super::flush::run_one_quantum;
use super::instance::Instance;
use super::layout::{self, Layout};
use super::parameters::Parameters;
use super::preset_file::PresetFile;
use super::range::Range;
use super::text::class_id_text;
use super::{description, presets};
use crate::plugin::MainHalf;
use crate::told::tellings;
use crate::{
    ActivateError, Activation, Description, LoadError, Parameter, Preset, StateError, Tellings, Told,
};

/// What has to be read anew while the plugin is not active.
const NEEDS_RESTART: i32 = kReloadComponent | kIoChanged | kMidiCCAssignmentChanged | kParamTitlesChanged;

/// How a plugin runs for one quantum when its processor has to hear of parameters and it was never activated.
const UNKNOWN_ACTIVATION: Activation =
    Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };

/// A loaded plugin.
pub struct Vst3 {
    instance: Instance,
    class: ClassInfo,
    layout: Layout,
    parameters: Parameters,
    description: Description,
    /// Where the parameters of the description are, by id.
    shown: BTreeMap<u32, usize>,
    exchange: Arc<Exchange>,
    /// What the controller is known to have, by the places of the exchange.
    known: Vec<Cell<f64>>,
    tellings: Option<Tellings>,
    told: VecDeque<Told>,
    activation: Activation,
    /// What it was activated with; `None` while it is not active.
    latency_frames: Option<u32>,
    /// What of [`NEEDS_RESTART`] has been passed on since it was activated.
    restart_said: i32,
}

impl Vst3 {
    /// Brings a plugin to life and asks it what it is.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn load(factory: Rc<Factory>, class: ClassInfo) -> Result<Self, LoadError> {
        let instance = Instance::new(factory, &class)?;
        let mut plugin = Vst3 {
            description: description::of_class(&class, &instance.factory.path),
            instance,
            class,
            layout: Layout::default(),
            parameters: Parameters::default(),
            shown: BTreeMap::new(),
            exchange: Arc::new(Exchange::new([])),
            known: Vec::new(),
            tellings: None,
            told: VecDeque::new(),
            activation: UNKNOWN_ACTIVATION,
            latency_frames: None,
            restart_said: 0,
        };
        plugin.read().map_err(|what| LoadError::NeedsFeature { id: plugin.description.id.clone(), what })?;
        let exchange = plugin.exchange.clone();
        plugin.instance.handler().attach(exchange);
        Ok(plugin)
    }

    /// Reads buses and parameters.
    ///
    /// # Errors
    /// What it has too many of.
    fn read(&mut self) -> Result<(), String> {
        self.layout = Layout::settle(&self.instance.component)?;
        self.parameters = match &self.instance.controller {
            Some(controller) => Parameters::read(controller, self.layout.event_inputs.len()),
            None => Parameters::default(),
        };
        let value = |id: &u32| {
            let value = self.instance.controller.as_ref().map_or(0.0, |it| it.value(*id));
            let range = self.parameters.ranges.get(id).copied().unwrap_or(Range::NORMALISED);
            (*id, value, range)
        };
        self.exchange = Arc::new(Exchange::new(self.parameters.ids.iter().map(value)));
        self.known = (0..self.exchange.len()).map(|place| Cell::new(self.exchange.value(place))).collect();
        description::fill(&mut self.description, &self.layout, &self.parameters);
        let parameters = self.description.parameters.iter().enumerate();
        self.shown = parameters.map(|(at, parameter)| (parameter.id, at)).collect();
        Ok(())
    }

    /// Reads anew what the plugin says has changed. Values that its processor has yet to hear of stay so.
    fn read_again(&mut self) -> Result<(), String> {
        if self.exchange.take_restart(NEEDS_RESTART) == 0 {
            return Ok(());
        }
        let before = self.exchange.clone();
        self.read()?;
        let exchange = self.exchange.clone();
        before.to_processor.take(|place| {
            if let Some(now) = exchange.place(before.id(place)) {
                exchange.store(now, before.value(place));
                exchange.to_processor.set(now);
            }
        });
        self.instance.new_handler().attach(exchange);
        Ok(())
    }

    fn controller(&self) -> Option<&Controller> {
        self.instance.controller.as_ref()
    }

    fn parameter(&self, id: u32) -> Option<&Parameter> {
        self.description.parameters.get(*self.shown.get(&id)?)
    }

    /// Tells the controller what its processor has been given or has said.
    fn tell_controller(&self) {
        let Some(controller) = self.controller() else { return self.exchange.to_controller.clear() };
        self.exchange.to_controller.take(|place| {
            let id = self.exchange.id(place);
            // A stand-in for a controller of MIDI has reached the processor as such.
            if self.shown.contains_key(&id) {
                self.set_controller(controller, place, self.exchange.value(place));
            }
        });
    }

    fn set_controller(&self, controller: &Controller, place: usize, value: f64) {
        let id = self.exchange.id(place);
        controller.set_value(id, value);
        // What it has made of it.
        self.know(place, controller.value(id));
    }

    /// Sets a parameter of an instance that is not active to a value as VST3 has them.
    fn set_normalised(&self, place: usize, value: f64) {
        self.exchange.store(place, value);
        self.exchange.to_processor.set(place);
        if let Some(controller) = self.controller() {
            self.set_controller(controller, place, value);
        }
    }

    /// What people count a parameter in.
    fn range(&self, id: u32) -> Range {
        self.exchange.place(id).map_or(Range::NORMALISED, |place| self.exchange.range(place))
    }

    fn know(&self, place: usize, value: f64) {
        if let Some(known) = self.known.get(place) {
            known.set(value);
        }
    }

    /// Finds what the plugin has changed without saying which. The exchange is left alone: the audio half may know better.
    fn find_changed_values(&mut self) {
        self.tell_controller();
        let Some(controller) = &self.instance.controller else { return };
        for parameter in &self.description.parameters {
            let Some(place) = self.exchange.place(parameter.id) else { continue };
            let value = controller.value(parameter.id);
            if self.known.get(place).is_some_and(|known| known.replace(value) != value) {
                let value = self.exchange.range(place).plain(value);
                self.told.push_back(Told::Parameter { id: parameter.id, value });
            }
        }
    }

    fn refused(&self, why: String) -> ActivateError {
        let Activation { sample_rate_hz, quantum_frames, .. } = self.activation;
        ActivateError::Refused { id: self.description.id.clone(), sample_rate_hz, quantum_frames, why }
    }

    fn node_info(&self) -> NodeInfo {
        let component = &self.instance.component;
        NodeInfo {
            name: self.description.name.clone(),
            audio_inputs: layout::ports(&self.layout.inputs).map(|port| port.channels).collect(),
            audio_outputs: layout::ports(&self.layout.outputs).map(|port| port.channels).collect(),
            event_inputs: self.layout.event_inputs.len() as u16,
            event_outputs: self.layout.event_outputs.len() as u16,
            latency_frames: component.latency_frames(),
            tail_frames: component.tail_frames(),
        }
    }

    /// Lets the processor hear of parameters that were set while it was not active: only a quantum can tell it.
    fn flush(&mut self) {
        if self.latency_frames.is_some() || !self.exchange.to_processor.any() {
            return;
        }
        let activation = self.activation;
        if let Ok((mut processor, info)) = self.activate(&activation) {
            run_one_quantum(processor.as_mut(), &info, activation.quantum_frames);
            drop(processor);
            self.deactivate();
        }
    }

    fn state_refused(&self, what: &'static str, why: impl Into<String>) -> StateError {
        StateError::Refused { id: self.description.id.clone(), what, why: why.into() }
    }

    fn load_state(&mut self, preset: &PresetFile) -> Result<(), StateError> {
        if preset.class_id != class_id_text(&self.class.id) {
            let why = format!("it is one of the class {}", preset.class_id);
            return Err(self.state_refused("load", why));
        }
        // What was set before belongs to the state before.
        self.exchange.to_processor.clear();
        self.exchange.to_controller.clear();
        let component = preset.component.as_deref().filter(|bytes| !bytes.is_empty());
        if let Some(bytes) = component {
            let result = self.instance.component.set_state(bytes);
            // One that has nothing to remember may refuse even its own state: then it is in it already.
            if !is_done(result) && self.instance.component.state().as_deref() != Some(bytes) {
                return Err(self.state_refused("load", format!("code {result}")));
            }
        }
        if let Some(controller) = self.controller() {
            if let Some(bytes) = component {
                controller.set_component_state(bytes);
            }
            if let Some(bytes) = &preset.controller {
                controller.set_state(bytes);
            }
        }
        self.find_changed_values();
        Ok(())
    }
}

impl MainHalf for Vst3 {
    fn description(&self) -> &Description {
        &self.description
    }

    fn value(&self, id: u32) -> Option<f64> {
        self.parameter(id)?;
        self.tell_controller();
        Some(self.range(id).plain(self.controller()?.value(id)))
    }

    fn set_value(&mut self, id: u32, value: f64) {
        let can_be_set = self.parameter(id).is_some_and(|it| !it.is_output);
        if let (Some(place), Some(value), true) =
            (self.exchange.place(id), self.range(id).normalised(value), can_be_set)
        {
            self.set_normalised(place, value);
        }
    }

    fn text_of(&self, id: u32, value: f64) -> Option<String> {
        let parameter = self.parameter(id)?;
        let text = self.controller()?.text_of(id, self.range(id).normalised(value)?)?;
        let needs_unit = !parameter.unit.is_empty() && !text.ends_with(&parameter.unit);
        Some(if needs_unit { format!("{text} {}", parameter.unit) } else { text })
    }

    fn value_of(&self, id: u32, text: &str) -> Option<f64> {
        let parameter = self.parameter(id)?;
        let text = text.trim();
        let choice = parameter.choices.iter().find(|choice| choice.1.eq_ignore_ascii_case(text));
        if let Some((value, _)) = choice {
            return Some(*value);
        }
        let bare = text.strip_suffix(&parameter.unit).unwrap_or(text).trim();
        let controller = self.controller()?;
        let read = controller.value_of(id, bare);
        let read = read.or_else(|| controller.value_of_plain(id, bare.parse().ok()?));
        read.map(|value| self.range(id).plain(value))
    }

    fn save(&mut self) -> Result<Vec<u8>, StateError> {
        self.flush();
        self.tell_controller();
        let preset = PresetFile {
            class_id: class_id_text(&self.class.id),
            component: self.instance.component.state(),
            controller: self.controller().and_then(Controller::state),
        };
        match (&preset.component, &preset.controller) {
            (None, None) => Err(StateError::None { id: self.description.id.clone() }),
            _ => Ok(preset.to_bytes()),
        }
    }

    fn load(&mut self, data: &[u8]) -> Result<(), StateError> {
        let preset = PresetFile::from_bytes(data).map_err(|why| StateError::Damaged(why.to_owned()))?;
        self.load_state(&preset)
    }

    fn presets(&mut self) -> Vec<Preset> {
        let files = presets::files(&self.description.vendor, &self.description.name);
        let programs = self.controller().map(|it| presets::programs(it, &self.parameters.programs));
        files.into_iter().chain(programs.unwrap_or_default()).collect()
    }

    fn load_preset(&mut self, key: &str) -> Result<(), StateError> {
        if let Some(program) = key.strip_prefix(presets::PROGRAM) {
            let found =
                self.controller().and_then(|it| presets::program(it, &self.parameters.programs, program));
            let (id, value) = found.ok_or_else(|| self.state_refused("load", "there is no such program"))?;
            if let Some(place) = self.exchange.place(id) {
                self.set_normalised(place, value);
            }
            return Ok(());
        }
        let bytes = presets::read_file(&self.description.vendor, &self.description.name, key);
        let bytes = bytes.map_err(|why| self.state_refused("load", why))?;
        self.load(&bytes)
    }

    fn activate(&mut self, activation: &Activation) -> Result<(Box<dyn Processor>, NodeInfo), ActivateError> {
        self.activation = *activation;
        self.restart_said = 0;
        self.read_again().map_err(|what| self.refused(format!("it has {what}")))?;
        let component = &self.instance.component;
        let result = component.set_up(activation);
        if !is_done(result) {
            return Err(self.refused(format!("it does not take this set-up (code {result})")));
        }
        self.layout.activate(component, true);
        let result = component.set_active(true);
        if !is_done(result) {
            component.set_active(false);
            self.layout.activate(component, false);
            return Err(self.refused(format!("it does not become active (code {result})")));
        }
        component.set_processing(true);
        let info = self.node_info();
        self.latency_frames = Some(info.latency_frames);
        let (teller, tellings) = tellings();
        self.tellings = Some(tellings);
        let parts = Parts {
            processor: component.processor.clone(),
            module: self.instance.factory.module.clone(),
            layout: &self.layout,
            exchange: self.exchange.clone(),
            midi: self.parameters.midi.clone(),
            teller,
        };
        Ok((Box::new(AudioHalf::new(parts, activation)), info))
    }

    fn deactivate(&mut self) {
        let component = &self.instance.component;
        component.set_processing(false);
        component.set_active(false);
        self.layout.activate(component, false);
        self.latency_frames = None;
        self.tell_controller();
    }

    fn idle(&mut self) {
        self.tell_controller();
        if self.exchange.take_restart(kParamValuesChanged) != 0 {
            self.find_changed_values();
        }
    }

    fn told(&mut self) -> Option<Told> {
        if self.told.is_empty() {
            self.told.extend(self.tellings.as_mut().and_then(Tellings::next));
        }
        if self.told.is_empty() {
            let Vst3 { exchange, told, shown, known, .. } = self;
            exchange.to_user.take(|place| {
                let (id, value) = (exchange.id(place), exchange.value(place));
                if shown.contains_key(&id) {
                    known[place].set(value);
                    let value = exchange.range(place).plain(value);
                    told.push_back(Told::Parameter { id, value });
                }
            });
        }
        self.told.pop_front()
    }

    fn new_latency_frames(&mut self) -> Option<u32> {
        let before = self.latency_frames?;
        if self.exchange.take_restart(kLatencyChanged) == 0 {
            return None;
        }
        let now = self.instance.component.latency_frames();
        (now != before).then_some(now)
    }

    fn has_changed(&mut self) -> bool {
        self.exchange.dirty.swap(false, Ordering::AcqRel)
    }

    fn wants_restart(&mut self) -> bool {
        // The flags stay for the next activation, which reads anew what they name.
        let flags = self.exchange.take_restart(NEEDS_RESTART);
        self.exchange.ask_restart(flags);
        let asks = flags & (NEEDS_RESTART & !kParamTitlesChanged) & !self.restart_said;
        self.restart_said |= asks;
        asks != 0
    }
}
