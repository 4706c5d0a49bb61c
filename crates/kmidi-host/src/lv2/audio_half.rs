//! The half of a plugin that the audio callback runs.

use std::sync::Arc;

use kmidi_core::limits::MAX_LATENCY_FRAMES;
use kmidi_core::{Event, ProcessContext, ProcessStatus, Processor, TimedEvent, Transport};

use kmidi_sys::FloatModes;

use super::atom_ports::AtomPorts;
use super::bundle::PluginText;
use super::instance::Instance;
use super::layout::Layout;
use super::parameters::{Parameters, Place};
use super::ports::{Direction, PortType};
use super::position::{Field, Position};
use super::uris::{LV2_FREE_WHEELING, LV2_LATENCY, LV2_REPORTS_LATENCY};
use super::values::Values;
use crate::Told;
use crate::role::AudioThread;
use crate::told::Teller;

/// How often a change of an output is told, in times a second: as often as a person sees.
const TELLS_PER_SECOND: u32 = 50;

/// What does not change about a plugin.
pub struct Plan {
    /// What its bundle says.
    pub text: PluginText,
    /// Its ports by what they are for.
    pub layout: Layout,
    /// Its parameters.
    pub parameters: Parameters,
}

/// What the host sets and reads on its own, as indices of control ports.
struct HostPorts {
    free_wheeling: Vec<usize>,
    fields: Vec<(usize, Field)>,
    latency: Option<usize>,
}

/// The audio half.
pub struct AudioHalf {
    instance: Arc<Instance>,
    plan: Arc<Plan>,
    values: Arc<Values>,
    teller: Teller,
    offline: bool,
    atoms: AtomPorts,
    host_ports: HostPorts,
    /// Outputs: place of the parameter, index of the port.
    outputs: Box<[(usize, usize)]>,
    /// Where each port is connected to, as address.
    connected: Box<[usize]>,
    silence: Box<[f32]>,
    /// What nobody hears.
    unheard: Box<[f32]>,
    last_position: Option<Position>,
    /// Notes may have been missed: all are to be ended.
    end_notes: bool,
    /// Values last told, of all parameters.
    told: Box<[f64]>,
    /// Frames until outputs are told again.
    until_told: u32,
    sample_rate_hz: u32,
}

impl AudioHalf {
    /// An audio half. The instance is activated before its first quantum. `[side B]`
    ///
    /// # Safety
    /// It is the only one of the instance, which is not run otherwise while it lives.
    pub unsafe fn new(
        instance: Arc<Instance>,
        plan: Arc<Plan>,
        values: Arc<Values>,
        teller: Teller,
        offline: bool,
    ) -> Self {
        let config = instance.config;
        let frames = config.quantum_frames as usize;
        let list = &plan.parameters.list;
        let mut half = AudioHalf {
            atoms: AtomPorts::new(&plan),
            host_ports: HostPorts::of(&plan.text),
            outputs: output_ports(&plan.parameters),
            connected: vec![0; plan.text.ports.len()].into(),
            silence: vec![0.0; frames].into(),
            unheard: vec![0.0; frames].into(),
            last_position: None,
            end_notes: false,
            told: (0..list.len()).map(|at| values.get(at)).collect(),
            until_told: 0,
            sample_rate_hz: config.sample_rate_hz,
            instance,
            plan,
            values,
            teller,
            offline,
        };
        // SAFETY: the caller's promise; the buffers live as long as the audio half.
        unsafe {
            half.atoms.connect(&half.instance);
            half.connect_unheard();
        }
        half
    }

    /// Connects every channel, those that the graph does not see for good.
    ///
    /// # Safety
    /// As [`AudioHalf::new`].
    unsafe fn connect_unheard(&mut self) {
        let plan = self.plan.clone();
        for (index, port) in plan.text.ports.iter().enumerate() {
            let data = match (port.carries, port.direction) {
                (PortType::Audio | PortType::Cv, Direction::Input) => self.silence.as_ptr().cast_mut(),
                (PortType::Audio | PortType::Cv, Direction::Output) => self.unheard.as_mut_ptr(),
                _ => continue,
            };
            // SAFETY: the caller's promise.
            unsafe { self.connect(index, data) };
        }
    }

    /// # Safety
    /// `data` has a quantum of samples until the port is connected anew, and this half may run the instance.
    unsafe fn connect(&mut self, index: usize, data: *mut f32) {
        if self.connected[index] != data as usize {
            self.connected[index] = data as usize;
            // SAFETY: the caller's promise.
            unsafe { self.instance.connect(index, data.cast()) };
        }
    }

    /// # Safety
    /// This half may run the instance.
    unsafe fn connect_audio(&mut self, cx: &mut ProcessContext<'_>) {
        let plan = self.plan.clone();
        let frames = cx.frames as usize;
        for (channel, index) in plan.layout.inputs.channels.iter().enumerate() {
            let input = cx.audio.inputs.get(channel).filter(|it| it.len() >= frames);
            let data = input.map_or(self.silence.as_ptr(), |it| it.as_ptr());
            // SAFETY: it has `frames` samples, and is connected anew before the next run.
            unsafe { self.connect(*index, data.cast_mut()) };
        }
        for (channel, index) in plan.layout.outputs.channels.iter().enumerate() {
            let output = cx.audio.outputs.get_mut(channel).filter(|it| it.len() >= frames);
            let data = output.map_or(self.unheard.as_mut_ptr(), |it| it.as_mut_ptr());
            // SAFETY: as above.
            unsafe { self.connect(*index, data) };
        }
    }

    /// Takes a parameter to its port; whether it has one.
    fn set_port(&self, at: usize, value: f64) -> bool {
        let Place::Port(index) = self.plan.parameters.sources[at].place else { return false };
        // SAFETY: called in `process` alone, while the gate is this half's.
        unsafe { self.instance.set_control(index, self.plan.parameters.turn(at, value) as f32) };
        true
    }

    /// Which input a parameter event is for, and its value.
    fn parameter(&self, event: &TimedEvent) -> Option<(usize, f64)> {
        let Event::Parameter { id, value } = event.event else { return None };
        let at = self.plan.parameters.find(id).filter(|at| !self.plan.parameters.list[*at].is_output)?;
        Some((at, self.plan.parameters.clamp(at, value)?))
    }

    /// Sets the ports whose parameters change at the first frame, or later.
    fn set_ports(&mut self, events: &[TimedEvent], later: bool) {
        for event in events.iter().filter(|event| (event.time > 0) == later) {
            let Some((at, value)) = self.parameter(event) else { continue };
            if self.set_port(at, value) {
                self.values.note(at, value);
                self.told[at] = value;
            }
        }
    }

    fn set_host_ports(&self, position: &Position) {
        // SAFETY: called in `process` alone, while the gate is this half's.
        unsafe {
            for index in &self.host_ports.free_wheeling {
                self.instance.set_control(*index, f32::from(u8::from(self.offline)));
            }
            for (index, field) in &self.host_ports.fields {
                self.instance.set_control(*index, position.field(*field));
            }
        }
    }

    fn write_atoms(&mut self, cx: &ProcessContext<'_>, position: &Position) {
        self.atoms.start();
        if std::mem::take(&mut self.end_notes) {
            self.atoms.push_end_of_notes();
        }
        let expected =
            self.last_position.is_some_and(|last| position.follows(&last, cx.transport, cx.frames));
        if !expected {
            self.atoms.push_position(position);
        }
        self.last_position = Some(*position);
        let (values, plan) = (self.values.clone(), self.plan.clone());
        values.take_pending(|at, value| {
            self.told[at] = value;
            match plan.parameters.sources[at].place {
                Place::Port(_) => self.set_port(at, value),
                Place::Property(place) => self.atoms.push_property(0, place, value),
            }
        });
        for event in cx.events_in {
            match self.parameter(event) {
                Some((at, value)) => self.push_parameter(event.time, at, value),
                None => self.atoms.push_event(event, cx.sysex),
            }
        }
        self.atoms.push_question(cx.frames.saturating_sub(1));
    }

    fn push_parameter(&mut self, time: u32, at: usize, value: f64) {
        let Place::Property(place) = self.plan.parameters.sources[at].place else { return };
        self.told[at] = value;
        match self.atoms.push_property(time, place, value) {
            true => self.values.note(at, value),
            // No room: in the next quantum.
            false => self.values.set(at, value),
        }
    }

    fn run(&mut self, cx: &mut ProcessContext<'_>) {
        let position = Position::of(cx.transport);
        self.write_atoms(cx, &position);
        self.set_ports(cx.events_in, false);
        self.set_host_ports(&position);
        // SAFETY: this half alone runs the instance, whose gate it has; all ports are connected to what has `frames` frames.
        unsafe {
            self.connect_audio(cx);
            let modes = FloatModes::current();
            self.instance.run(cx.frames);
            self.instance.worker().deliver(self.offline);
            modes.restore();
        }
        self.set_ports(cx.events_in, true);
        let (values, plan) = (&self.values, &self.plan);
        self.atoms.read(cx, |place, value| {
            let at = plan.parameters.list.len() - plan.text.properties.len() + place;
            if let Some(value) = plan.parameters.clamp(at, value) {
                values.note(at, value);
            }
        });
        self.read_ports();
        self.until_told = self.until_told.saturating_sub(cx.frames);
        if self.until_told == 0 {
            self.until_told = self.sample_rate_hz / TELLS_PER_SECOND;
            self.tell();
        }
        cx.audio.silent_outputs = 0;
    }

    fn read_ports(&mut self) {
        for (at, index) in &self.outputs {
            // SAFETY: called in `process` alone, while the gate is this half's.
            let value = unsafe { self.instance.control(*index) };
            if value.is_finite()
                && let Some(value) = self.plan.parameters.clamp(*at, f64::from(value))
            {
                self.values.note(*at, value);
            }
        }
        if let Some(index) = self.host_ports.latency {
            // SAFETY: as above.
            let frames = unsafe { self.instance.control(index) };
            self.values.note_latency(frames.clamp(0.0, MAX_LATENCY_FRAMES as f32).round() as u32);
        }
    }

    fn tell(&mut self) {
        for (at, parameter) in self.plan.parameters.list.iter().enumerate() {
            let value = self.values.get(at);
            if value != self.told[at] {
                self.told[at] = value;
                self.teller.tell(Told::Parameter { id: parameter.id, value });
            }
        }
    }

    /// What is left of a quantum in which the main half has the instance.
    fn stand_by(&mut self, cx: &mut ProcessContext<'_>) {
        for event in cx.events_in {
            if let Some((at, value)) = self.parameter(event) {
                self.values.set(at, value);
            }
        }
        self.end_notes = true;
        cx.audio.silence_outputs();
    }

    /// Forgets what the plugin has heard of the song. `[side A]`
    pub fn forget_position(&mut self) {
        self.last_position = None;
        self.atoms.ask_again();
    }

    /// Runs one quantum of silence, for plugins that know their latency only then. `[side B]`
    pub fn run_silence(&mut self) {
        let frames = self.instance.config.quantum_frames as usize;
        let inputs = vec![0.0; frames];
        let inputs = vec![inputs.as_slice(); self.plan.layout.inputs.channels.len()];
        let channels = self.plan.layout.outputs.channels.len();
        let mut outputs: Vec<_> = (0..channels).map(|_| kmidi_core::AudioBuffer::silent(frames)).collect();
        let mut events_out = kmidi_core::EventBuffer::with_capacity(64);
        let audio = kmidi_core::AudioPorts {
            inputs: &inputs,
            outputs: &mut outputs,
            silent_inputs: u64::MAX,
            silent_outputs: 0,
        };
        self.process(&mut ProcessContext {
            frames: frames as u32,
            transport: &Transport::default(),
            audio,
            events_in: &[],
            events_out: &mut events_out,
            sysex: &mut kmidi_core::SysExPool::new(),
        });
        // SAFETY: the caller of `new` promised that this half alone runs the instance. The buffers above end here.
        unsafe { self.connect_unheard() };
        self.forget_position();
    }
}

impl Processor for AudioHalf {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        if cx.frames > self.instance.config.quantum_frames || !self.instance.enter() {
            self.stand_by(cx);
            return ProcessStatus::Continue;
        }
        let thread = AudioThread::enter();
        self.run(cx);
        drop(thread);
        self.instance.leave();
        ProcessStatus::Continue
    }

    /// LV2 has no call for this on the audio thread: all notes are ended, and offline the plugin is activated anew; live
    /// the tail of an effect goes on.
    fn reset(&mut self) {
        if self.offline && self.instance.enter() {
            // SAFETY: the gate is this half's, and an audio half exists only while the instance is active.
            unsafe {
                self.instance.deactivate();
                self.instance.activate();
            }
            self.instance.leave();
        }
        self.end_notes = true;
        self.forget_position();
    }
}

impl HostPorts {
    fn of(text: &PluginText) -> Self {
        let inputs = text.ports.iter().enumerate();
        let inputs: Vec<_> = inputs.filter(|(_, it)| it.is(Direction::Input, PortType::Control)).collect();
        let is_free_wheeling = |it: &&(usize, &super::ports::Port)| it.1.is_for(LV2_FREE_WHEELING);
        let field =
            |it: &(usize, &super::ports::Port)| Some((it.0, Field::of(it.1.designation.as_deref()?)?));
        HostPorts {
            free_wheeling: inputs.iter().filter(is_free_wheeling).map(|(index, _)| *index).collect(),
            fields: inputs.iter().filter_map(field).collect(),
            latency: latency_port(text),
        }
    }
}

fn output_ports(parameters: &Parameters) -> Box<[(usize, usize)]> {
    let port = |(at, parameter): (usize, &crate::Parameter)| match parameters.sources[at].place {
        Place::Port(index) if parameter.is_output => Some((at, index)),
        _ => None,
    };
    parameters.list.iter().enumerate().filter_map(port).collect()
}

/// The output that says the latency.
pub fn latency_port(text: &PluginText) -> Option<usize> {
    text.ports.iter().position(|port| {
        let says = port.has(LV2_REPORTS_LATENCY) || port.is_for(LV2_LATENCY);
        says && port.is(Direction::Output, PortType::Control)
    })
}
