//! The component of the test plugin.

use std::ffi::c_char;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use vst3::Steinberg::Vst::Event_::EventTypes_::{
    kDataEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use vst3::Steinberg::Vst::RestartFlags_::kLatencyChanged;
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComRef, ComWrapper, Interface};

use super::controller::{Controller, Editor, HasEditor, controller_interfaces, read_number, write_number};
use super::factory::CONTROLLER_CLASS;
use super::shared::MIDI;
use super::shared::{Bus, GAIN, LATENCY, Life, METER, PROGRAM, Seen, Shared};
use super::wide;

const ALIVE: [Life; 4] = [Life::Initialised, Life::SetUp, Life::Active, Life::Processing];
const INACTIVE: [Life; 2] = [Life::Initialised, Life::SetUp];

/// What both kinds of component do.
pub struct Core {
    shared: Arc<Shared>,
    editor: Editor,
    context: std::cell::RefCell<Option<ComPtr<IHostApplication>>>,
    other: std::cell::RefCell<Option<ComPtr<IConnectionPoint>>>,
}

impl Core {
    fn new(shared: Arc<Shared>) -> Self {
        shared.live_objects.fetch_add(1, SeqCst);
        Core { editor: Editor(shared.clone()), shared, context: None.into(), other: None.into() }
    }

    fn buses(&self, media: i32, direction: i32) -> Vec<Bus> {
        let config = &self.shared.config;
        match (media, direction) {
            (0, 0) => config.inputs.clone(),
            (0, _) => config.outputs.clone(),
            (_, 0) => vec![(16, true); config.event_inputs.max(0) as usize],
            _ => vec![(16, true); config.event_outputs.max(0) as usize],
        }
    }

    fn count(&self, media: i32, direction: i32) -> i32 {
        let config = &self.shared.config;
        match (config.is_hostile, media, direction) {
            (true, 0, _) => -5,
            (true, 1, _) => i32::MAX,
            _ => self.buses(media, direction).len() as i32,
        }
    }

    fn bus_info(&self, media: i32, direction: i32, index: i32) -> Option<BusInfo> {
        if self.shared.config.is_hostile {
            return None;
        }
        let &(channels, is_main) = self.buses(media, direction).get(index as usize)?;
        Some(BusInfo {
            mediaType: media,
            direction,
            channelCount: channels,
            name: wide(&format!("Bus {index}")),
            busType: i32::from(!is_main),
            flags: 1,
        })
    }

    fn send_message(&self) -> tresult {
        let (context, other) = (self.context.borrow(), self.other.borrow());
        let (Some(context), Some(other)) = (context.as_ref(), other.as_ref()) else { return kResultFalse };
        let mut message = std::ptr::null_mut();
        let mut id: TUID = IMessage::IID.map(|byte| byte as c_char);
        let mut class = id;
        // SAFETY: plain calls of live objects with valid pointers.
        unsafe {
            let result = context.createInstance(&mut class, &mut id, &mut message);
            let Some(message) = ComPtr::from_raw(message.cast::<IMessage>()) else { return result };
            message.setMessageID(c"hello".as_ptr());
            let attributes = ComRef::from_raw(message.getAttributes()).unwrap();
            attributes.setInt(c"number".as_ptr(), 5);
            other.notify(message.as_ptr())
        }
    }

    fn arrange(&self, inputs: &[u64], outputs: &[u64]) -> tresult {
        self.shared.on_main("setBusArrangements", &INACTIVE);
        match self.shared.config.speakers_wanted {
            Some(wanted) if inputs.iter().chain(outputs).any(|&it| it != wanted) => kResultFalse,
            _ => kResultOk,
        }
    }

    fn process(&self, data: &mut ProcessData) -> tresult {
        let shared = &*self.shared;
        shared.in_life("process", &[Life::Processing]);
        shared.forget_seen();
        // SAFETY: null or what outlives the call.
        if let Some(song) = unsafe { data.processContext.as_ref() } {
            *shared.song.lock().unwrap() = Some(*song);
        }
        if shared.allocates.load(SeqCst) {
            drop(std::hint::black_box(vec![0u8; 100]));
        }
        self.see_events(data);
        self.render(data);
        self.send(data);
        if shared.edits_in_process.swap(false, SeqCst) {
            shared.edit(GAIN, 0.25);
            shared.message_in_process.store(self.send_message(), SeqCst);
        }
        if shared.breaks_float_modes.load(SeqCst) {
            std::mem::forget(kmidi_sys::FlushDenormals::enable());
        }
        if shared.fails.load(SeqCst) { kInternalError } else { kResultOk }
    }

    fn see_events(&self, data: &ProcessData) {
        // SAFETY: null or live objects.
        let (events, echo) =
            unsafe { (ComRef::from_raw(data.inputEvents), ComRef::from_raw(data.outputEvents)) };
        let Some(events) = events else { return };
        // SAFETY: plain calls of a live object; the event has room.
        unsafe {
            let mut last = 0;
            for at in 0..events.getEventCount() {
                let mut event: Event = std::mem::zeroed();
                assert_eq!(events.getEvent(at, &mut event), kResultOk);
                if event.sampleOffset < last || event.sampleOffset >= data.numSamples {
                    self.shared.violate(format!("an event at {} after {last}", event.sampleOffset));
                }
                last = event.sampleOffset;
                let content = event.__field0;
                let (channel, pitch, value) = match u32::from(event.r#type) {
                    kNoteOnEvent => (content.noteOn.channel, content.noteOn.pitch, content.noteOn.velocity),
                    kNoteOffEvent => {
                        (content.noteOff.channel, content.noteOff.pitch, content.noteOff.velocity)
                    }
                    kPolyPressureEvent => (
                        content.polyPressure.channel,
                        content.polyPressure.pitch,
                        content.polyPressure.pressure,
                    ),
                    kDataEvent => (content.data.size as i16, (*content.data.bytes).into(), 0.0),
                    _ => (0, 0, 0.0),
                };
                let (kind, offset, bus) = (event.r#type, event.sampleOffset, event.busIndex);
                self.shared.see(Seen { kind, offset, bus, channel, pitch, value });
                if let Some(echo) = echo.filter(|_| self.shared.config.echoes) {
                    echo.addEvent(&mut event);
                }
            }
        }
    }

    /// Outputs are the inputs of the same number times the gain, exact to the frame.
    fn render(&self, data: &mut ProcessData) {
        let frames = data.numSamples as usize;
        let mut gains = [(0usize, 0.0f64); 64];
        let mut changes = 0;
        let mut note = |id: u32, offset: i32, value: f64| {
            self.shared.see_point((id, offset, value));
            if id == GAIN && changes < gains.len() {
                gains[changes] = (offset as usize, value);
                changes += 1;
            }
            if id == LATENCY {
                self.shared.latency.store((value * 1000.0) as u32, SeqCst);
                self.shared.restart(kLatencyChanged);
            }
        };
        for_each_point(data.inputParameterChanges, &mut note);
        let mut gain = self.shared.gain();
        // SAFETY: the host gives as many buses, channels and frames as it says.
        unsafe {
            let inputs = buses(data.inputs, data.numInputs);
            let outputs = buses(data.outputs, data.numOutputs);
            let silence = inputs.iter().rev().fold(0, |bits, bus| bits << 8 | bus.silenceFlags & 0xff);
            self.shared.input_silence.store(silence, SeqCst);
            for frame in 0..frames {
                for &(at, value) in &gains[..changes] {
                    gain = if at == frame { value } else { gain };
                }
                for (bus, out) in outputs.iter().enumerate() {
                    for channel in 0..out.numChannels as usize {
                        let input = inputs.get(bus).filter(|it| channel < it.numChannels as usize);
                        let sample =
                            input.map_or(0.5, |it| *(*it.__field0.channelBuffers32.add(channel)).add(frame));
                        *(*out.__field0.channelBuffers32.add(channel)).add(frame) = sample * gain as f32;
                    }
                }
            }
            for bus in 0..data.numOutputs as usize {
                (*data.outputs.add(bus)).silenceFlags = self.shared.says_silent.load(SeqCst);
            }
        }
        self.shared.gain.store(gain.to_bits(), SeqCst);
    }

    fn send(&self, data: &mut ProcessData) {
        // SAFETY: null or live objects.
        let changes = unsafe { ComRef::from_raw(data.outputParameterChanges) };
        let Some(changes) = changes else { return };
        let count = if self.shared.config.floods { 5000 } else { 1 };
        // SAFETY: plain calls of live objects with valid pointers.
        unsafe {
            for at in 0..count {
                let mut index = 0;
                let id = METER + at * 10;
                let Some(queue) = ComRef::from_raw(changes.addParameterData(&id, &mut index)) else {
                    continue;
                };
                for offset in 0..if self.shared.config.floods { 100 } else { 1 } {
                    queue.addPoint(offset, self.shared.gain() / 2.0, &mut index);
                }
            }
            if self.shared.config.floods
                && let Some(events) = ComRef::from_raw(data.outputEvents)
            {
                let mut event: Event = std::mem::zeroed();
                event.__field0.noteOn =
                    NoteOnEvent { channel: 0, pitch: 60, tuning: 0.0, velocity: 0.5, length: 0, noteId: -1 };
                for _ in 0..20_000 {
                    events.addEvent(&mut event);
                }
            }
        }
    }
}

/// # Safety
/// `first` is valid for `count` buses.
unsafe fn buses<'a>(first: *mut AudioBusBuffers, count: i32) -> &'a [AudioBusBuffers] {
    match count {
        0 => &[],
        // SAFETY: the caller's promise.
        _ => unsafe { std::slice::from_raw_parts(first, count as usize) },
    }
}

fn for_each_point(changes: *mut IParameterChanges, each: &mut impl FnMut(u32, i32, f64)) {
    // SAFETY: null or a live object; plain calls with valid pointers.
    unsafe {
        let Some(changes) = ComRef::from_raw(changes) else { return };
        for at in 0..changes.getParameterCount() {
            let queue = ComRef::from_raw(changes.getParameterData(at)).unwrap();
            for point in 0..queue.getPointCount() {
                let (mut offset, mut value) = (0, 0.0);
                assert_eq!(queue.getPoint(point, &mut offset, &mut value), kResultOk);
                each(queue.getParameterId(), offset, value);
            }
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shared.live_objects.fetch_sub(1, SeqCst);
        self.shared.in_life("release", &[Life::Terminated, Life::Made]);
    }
}

macro_rules! component_interfaces {
    ($type:ty) => {
        impl IPluginBaseTrait for $type {
            unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
                self.0.shared.on_main("initialize", &[Life::Made]);
                self.0.shared.set_life(Life::Initialised);
                // SAFETY: the host gives a live object.
                *self.0.context.borrow_mut() = unsafe { ComRef::from_raw(context) }.and_then(|it| it.cast());
                kResultOk
            }
            unsafe fn terminate(&self) -> tresult {
                self.0.shared.on_main("terminate", &INACTIVE);
                self.0.context.borrow_mut().take();
                self.0.shared.set_life(Life::Terminated);
                kResultOk
            }
        }

        impl IComponentTrait for $type {
            unsafe fn getControllerClassId(&self, class: *mut TUID) -> tresult {
                if !self.0.shared.config.is_separate {
                    return kNotImplemented;
                }
                // SAFETY: the host gives room for it.
                unsafe { class.write(CONTROLLER_CLASS) };
                kResultOk
            }
            unsafe fn setIoMode(&self, _mode: IoMode) -> tresult {
                kNotImplemented
            }
            unsafe fn getBusCount(&self, media: MediaType, direction: BusDirection) -> int32 {
                self.0.shared.in_life("getBusCount", &ALIVE);
                self.0.count(media, direction)
            }
            unsafe fn getBusInfo(
                &self,
                media: i32,
                direction: i32,
                index: i32,
                info: *mut BusInfo,
            ) -> tresult {
                let Some(found) = self.0.bus_info(media, direction, index) else { return kInvalidArgument };
                // SAFETY: the host gives room for it.
                unsafe { info.write(found) };
                kResultOk
            }
            unsafe fn getRoutingInfo(&self, _: *mut RoutingInfo, _: *mut RoutingInfo) -> tresult {
                kNotImplemented
            }
            unsafe fn activateBus(&self, _: MediaType, _: BusDirection, _: int32, _: TBool) -> tresult {
                self.0.shared.on_main("activateBus", &[Life::SetUp]);
                kResultOk
            }
            unsafe fn setActive(&self, on: TBool) -> tresult {
                let (call, from, to) = match on {
                    0 => ("setActive(0)", Life::Active, Life::SetUp),
                    _ => ("setActive(1)", Life::SetUp, Life::Active),
                };
                self.0.shared.on_main(call, &[from]);
                self.0.shared.set_life(to);
                kResultOk
            }
            unsafe fn setState(&self, state: *mut IBStream) -> tresult {
                self.0.shared.on_main("setState", &ALIVE);
                if self.0.shared.config.has_no_state {
                    return kNotImplemented;
                }
                let Some(gain) = read_number(state) else { return kResultFalse };
                self.0.shared.gain.store(gain.to_bits(), SeqCst);
                kResultOk
            }
            unsafe fn getState(&self, state: *mut IBStream) -> tresult {
                self.0.shared.on_main("getState", &ALIVE);
                if self.0.shared.config.has_no_state {
                    return kNotImplemented;
                }
                write_number(state, self.0.shared.gain())
            }
        }

        impl IAudioProcessorTrait for $type {
            unsafe fn setBusArrangements(&self, ins: *mut u64, n: i32, outs: *mut u64, m: i32) -> tresult {
                // SAFETY: the host gives as many as it says.
                let lists = unsafe {
                    [(ins, n), (outs, m)].map(|(list, len)| std::slice::from_raw_parts(list, len as usize))
                };
                self.0.arrange(lists[0], lists[1])
            }
            unsafe fn getBusArrangement(&self, direction: i32, index: i32, speakers: *mut u64) -> tresult {
                let Some(bus) = self.0.bus_info(0, direction, index) else { return kInvalidArgument };
                let own = if bus.channelCount >= 64 { u64::MAX } else { (1 << bus.channelCount) - 1 };
                // SAFETY: the host gives room for it.
                unsafe { speakers.write(own) };
                kResultOk
            }
            unsafe fn canProcessSampleSize(&self, size: int32) -> tresult {
                if size == 0 { kResultOk } else { kResultFalse }
            }
            unsafe fn getLatencySamples(&self) -> uint32 {
                self.0.shared.in_life("getLatencySamples", &[Life::Active, Life::Processing]);
                self.0.shared.latency.load(SeqCst)
            }
            unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
                // SAFETY: the host's promise.
                self.0.shared.process_mode.store(unsafe { (*setup).processMode }, SeqCst);
                self.0.shared.on_main("setupProcessing", &INACTIVE);
                self.0.shared.set_life(Life::SetUp);
                kResultOk
            }
            unsafe fn setProcessing(&self, on: TBool) -> tresult {
                let (call, from, to) = match on {
                    0 => ("setProcessing(0)", Life::Processing, Life::Active),
                    _ => ("setProcessing(1)", Life::Active, Life::Processing),
                };
                self.0.shared.in_life(call, &[from]);
                if self.0.shared.is_main() {
                    self.0.shared.calls.lock().unwrap().push(call);
                }
                self.0.shared.set_life(to);
                kNotImplemented
            }
            unsafe fn process(&self, data: *mut ProcessData) -> tresult {
                // SAFETY: the host gives a valid struct.
                self.0.process(unsafe { &mut *data })
            }
            unsafe fn getTailSamples(&self) -> uint32 {
                kInfiniteTail
            }
        }

        impl IConnectionPointTrait for $type {
            unsafe fn connect(&self, other: *mut IConnectionPoint) -> tresult {
                self.0.shared.on_main("connect", &[Life::Initialised]);
                // SAFETY: the host gives a live object.
                let other = unsafe { ComRef::from_raw(other) };
                *self.0.other.borrow_mut() = other.map(|other| other.to_com_ptr());
                if self.0.send_message() != kResultOk {
                    self.0.shared.violate("a message did not arrive".to_owned());
                }
                kResultOk
            }
            unsafe fn disconnect(&self, _other: *mut IConnectionPoint) -> tresult {
                self.0.shared.on_main("disconnect", &INACTIVE);
                self.0.other.borrow_mut().take();
                kResultOk
            }
            unsafe fn notify(&self, _message: *mut IMessage) -> tresult {
                kResultOk
            }
        }
    };
}

/// A component whose controller is an object of its own.
struct Separate(Core);

impl Class for Separate {
    type Interfaces = (IComponent, IAudioProcessor, IConnectionPoint);
}

component_interfaces!(Separate);

/// A component that is its own controller.
struct Single(Core);

impl Class for Single {
    type Interfaces =
        (IComponent, IAudioProcessor, IConnectionPoint, IEditController, IMidiMapping, IUnitInfo);
}

impl HasEditor for Single {
    fn editor(&self) -> &Editor {
        &self.0.editor
    }
}

component_interfaces!(Single);
controller_interfaces!(Single);

/// A component of the kind that its plugin is to be.
pub fn component(shared: Arc<Shared>) -> ComPtr<IComponent> {
    let is_separate = shared.config.is_separate;
    let core = Core::new(shared);
    let com = match is_separate {
        true => ComWrapper::new(Separate(core)).to_com_ptr::<IComponent>(),
        false => ComWrapper::new(Single(core)).to_com_ptr::<IComponent>(),
    };
    com.unwrap()
}
