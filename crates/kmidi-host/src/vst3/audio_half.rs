//! The half of a plugin that runs on side A.

use std::sync::Arc;

use ::vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use ::vst3::Steinberg::Vst::{
    IAudioProcessor, IAudioProcessorTrait as _, IEventList, IParameterChanges, ProcessContext as SongContext,
    ProcessData,
};
use ::vst3::Steinberg::kResultOk;
use ::vst3::{ComPtr, ComWrapper};
use kmidi_core::{ProcessContext, ProcessStatus, Processor};
use kmidi_sys::FloatModes;

use super::buffers::BusBuffers;
use super::changes::Changes;
use super::component::process_mode;
use super::event_list::EventList;
use super::exchange::Exchange;
use super::inbound::Inbound;
use super::layout::Layout;
use super::limits::{OUTPUT_EVENTS, OUTPUT_SYSEX_BYTES};
use super::midi_map::MidiMap;
use super::module::Module;
use super::outbound;
use super::song;
use crate::Activation;
use crate::role::AudioThread;
use crate::told::{Line, Teller, Told};

/// What runs. The main half keeps the plugin active until this has been dropped.
///
/// It never says [`Sleep`](ProcessStatus::Sleep): VST3 has no word for it, and edits of the plugin's controller, of which
/// the engine knows nothing, come in with the next quantum.
pub struct AudioHalf {
    // Before the module: it is released first.
    processor: ComPtr<IAudioProcessor>,
    inbound: Inbound,
    changes_out: ComWrapper<Changes>,
    events_out: ComWrapper<EventList>,
    event_outputs: usize,
    inputs: BusBuffers,
    outputs: BusBuffers,
    song: SongContext,
    mode: i32,
    max_frames: u32,
    exchange: Arc<Exchange>,
    teller: Teller,
    has_failed: bool,
    has_lost: bool,
    has_changed_modes: bool,
    _module: Option<Arc<Module>>,
}

// SAFETY: VST3 lets `process` and `setProcessing` be called on any thread as long as it is one at a time, which
// `&mut self` sees to. The lists and buffers belong to this half alone, the exchange is made of atomics.
unsafe impl Send for AudioHalf {}

/// What an audio half is made of.
pub struct Parts<'a> {
    pub processor: ComPtr<IAudioProcessor>,
    pub module: Option<Arc<Module>>,
    pub layout: &'a Layout,
    pub exchange: Arc<Exchange>,
    pub midi: Arc<MidiMap>,
    pub teller: Teller,
}

impl AudioHalf {
    /// Makes it with all the room it will need. `[side B]`
    pub fn new(parts: Parts<'_>, activation: &Activation) -> Self {
        let Parts { processor, module, layout, exchange, midi, teller } = parts;
        let frames = activation.quantum_frames as usize;
        let (events, bytes) = match layout.event_outputs.len() {
            0 => (0, 0),
            _ => (OUTPUT_EVENTS, OUTPUT_SYSEX_BYTES),
        };
        AudioHalf {
            processor,
            inbound: Inbound::new(layout.event_inputs.len(), exchange.clone(), midi),
            changes_out: ComWrapper::new(Changes::new()),
            events_out: ComWrapper::new(EventList::new(events, bytes)),
            event_outputs: layout.event_outputs.len(),
            inputs: BusBuffers::new(&layout.inputs, frames),
            outputs: BusBuffers::new(&layout.outputs, frames),
            song: song::blank(activation.sample_rate_hz),
            mode: process_mode(activation.offline),
            max_frames: activation.quantum_frames,
            exchange,
            teller,
            has_failed: false,
            has_lost: false,
            has_changed_modes: false,
            _module: module,
        }
    }

    fn call(&mut self, frames: u32) -> bool {
        let (num_inputs, inputs) = self.inputs.as_raw();
        let (num_outputs, outputs) = self.outputs.as_raw();
        let mut data = ProcessData {
            processMode: self.mode,
            symbolicSampleSize: kSample32 as i32,
            numSamples: frames as i32,
            numInputs: num_inputs,
            numOutputs: num_outputs,
            inputs,
            outputs,
            inputParameterChanges: changes_pointer(&self.inbound.changes),
            outputParameterChanges: changes_pointer(&self.changes_out),
            inputEvents: events_pointer(&self.inbound.events),
            outputEvents: events_pointer(&self.events_out),
            processContext: &mut self.song,
        };
        // SAFETY: the plugin is active and processing; every pointer of `data` is to what outlives the call, with room
        // for as many buses, channels and frames as it says.
        unsafe { self.processor.process(&mut data) == kResultOk }
    }

    fn tell_parameters(&self) {
        for (id, value) in self.changes_out.last_values() {
            if let Some(place) = self.exchange.place(id) {
                self.exchange.store(place, value);
                self.exchange.to_controller.set(place);
                self.exchange.to_user.set(place);
            }
        }
    }

    /// Said once: a plugin that does it does it all the time.
    fn tell_losses(&mut self) {
        let events = self.inbound.events.take_lost() | self.events_out.take_lost();
        let changes = self.inbound.changes.take_lost() | self.changes_out.take_lost();
        if (events || changes) && !self.has_lost {
            self.has_lost = true;
            let line =
                "more events or parameter changes in a quantum than there is room for: some were dropped";
            self.teller.tell(Told::Log(Line::new(line)));
        }
    }

    fn tell_modes(&mut self) {
        if !self.has_changed_modes {
            self.has_changed_modes = true;
            self.teller
                .tell(Told::Log(Line::new("it left other floating-point modes behind: they were put back")));
        }
    }

    fn fail(&mut self, cx: &mut ProcessContext<'_>) {
        cx.audio.silence_outputs();
        if !self.has_failed {
            self.teller.tell(Told::ProcessFailed);
        }
        self.has_failed = true;
    }
}

impl Processor for AudioHalf {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let frames = cx.frames;
        if frames == 0 || frames > self.max_frames {
            self.fail(cx);
            return ProcessStatus::Continue;
        }
        let _role = AudioThread::enter();
        self.inbound.translate(cx.events_in, cx.sysex, frames);
        self.changes_out.clear();
        self.events_out.clear();
        self.inputs.point_to_inputs(cx.audio.inputs, cx.audio.silent_inputs, frames as usize);
        self.outputs.point_to_outputs(cx.audio.outputs, frames as usize);
        song::tell(&mut self.song, cx.transport);
        let modes = FloatModes::current();
        let is_done = self.call(frames);
        if modes.restore() {
            self.tell_modes();
        }
        self.song.continousTimeSamples += i64::from(frames);
        if is_done {
            self.has_failed = false;
            cx.audio.silent_outputs = silence(cx.audio.outputs, self.outputs.silent_channels());
            outbound::send(&self.events_out, self.event_outputs, frames, cx.events_out, cx.sysex);
            self.tell_parameters();
        } else {
            self.fail(cx);
        }
        self.tell_losses();
        ProcessStatus::Continue
    }

    /// Stops and starts the processing on this thread, as VST3 allows: it is to be as light as a quantum, and is the
    /// plugin's sign to empty its buffers.
    fn reset(&mut self) {
        let _role = AudioThread::enter();
        let modes = FloatModes::current();
        // SAFETY: a plain call of a live, active object.
        unsafe { self.processor.setProcessing(0) };
        // SAFETY: as above.
        unsafe { self.processor.setProcessing(1) };
        modes.restore();
        // A plugin that does not know the call still has its notes.
        self.inbound.let_go();
    }
}

/// Writes zeros to channels that the plugin says are silent: some say so and leave what was there.
fn silence(outputs: &mut [kmidi_core::AudioBuffer], silent: u64) -> u64 {
    let mut rest = silent;
    let mut silenced = 0;
    while rest != 0 {
        let channel = rest.trailing_zeros();
        if let Some(output) = outputs.get_mut(channel as usize) {
            output.fill(0.0);
            silenced |= 1 << channel;
        }
        rest &= rest - 1;
    }
    silenced
}

fn changes_pointer(changes: &ComWrapper<Changes>) -> *mut IParameterChanges {
    changes.as_com_ref::<IParameterChanges>().map_or(std::ptr::null_mut(), |it| it.as_ptr())
}

fn events_pointer(events: &ComWrapper<EventList>) -> *mut IEventList {
    events.as_com_ref::<IEventList>().map_or(std::ptr::null_mut(), |it| it.as_ptr())
}
