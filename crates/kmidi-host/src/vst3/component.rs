//! Safe calls of a plugin's component: `IComponent` and `IAudioProcessor`. `[side B]`

use std::mem::zeroed;

use ::vst3::ComPtr;
use ::vst3::Steinberg::Vst::BusDirections_::{kInput, kOutput};
use ::vst3::Steinberg::Vst::BusInfo_::BusFlags_::kIsControlVoltage;
use ::vst3::Steinberg::Vst::BusTypes_::kMain;
use ::vst3::Steinberg::Vst::MediaTypes_::{kAudio, kEvent};
use ::vst3::Steinberg::Vst::ProcessModes_::{kOffline, kRealtime};
use ::vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use ::vst3::Steinberg::Vst::{
    BusInfo, IAudioProcessor, IAudioProcessorTrait as _, IComponent, IComponentTrait as _, ProcessSetup,
    SpeakerArrangement,
};
use ::vst3::Steinberg::{
    IPluginBaseTrait as _, TUID, kInvalidArgument, kNotImplemented, kResultFalse, kResultOk, tresult,
};

use super::host::host_context;
use super::stream::{reading, writing};
use super::text::from_utf16;
use crate::Activation;

/// Audio or events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Media {
    Audio = kAudio as isize,
    Event = kEvent as isize,
}

/// Into the plugin or out of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Input = kInput as isize,
    Output = kOutput as isize,
}

/// What a plugin says of a bus.
pub struct BusFacts {
    pub name: String,
    /// Never negative.
    pub channels: usize,
    pub is_main: bool,
    pub is_control_voltage: bool,
}

/// Whether the call was done or is not needed: many plugins answer `kNotImplemented` to what they have no use for.
pub fn is_done(result: tresult) -> bool {
    result == kResultOk || result == kNotImplemented
}

/// A component, initialised or not.
pub struct Component {
    // Before the component: a plugin may count the references of its interfaces apart, and wants this one first.
    pub processor: ComPtr<IAudioProcessor>,
    pub com: ComPtr<IComponent>,
}

impl Component {
    /// Initialises it.
    pub fn initialise(&self) -> tresult {
        // SAFETY: the context is a valid object that is never dropped.
        unsafe { self.com.initialize(host_context()) }
    }

    /// Ends it; it is released only after this.
    pub fn terminate(&self) {
        // SAFETY: it was initialised and is not active.
        unsafe { self.com.terminate() };
    }

    /// The class of its controller, if that is an object of its own.
    pub fn controller_class(&self) -> Option<TUID> {
        let mut id: TUID = [0; 16];
        // SAFETY: the id outlives the call.
        let result = unsafe { self.com.getControllerClassId(&mut id) };
        (result == kResultOk && id != [0; 16]).then_some(id)
    }

    /// Number of buses; never negative.
    pub fn bus_count(&self, media: Media, direction: Direction) -> usize {
        // SAFETY: a plain call of a live object.
        let count = unsafe { self.com.getBusCount(media as i32, direction as i32) };
        usize::try_from(count).unwrap_or(0)
    }

    /// What it says of a bus.
    pub fn bus(&self, media: Media, direction: Direction, index: usize) -> Option<BusFacts> {
        // SAFETY: a plain C struct of numbers and text, for which all zero is valid.
        let mut info: BusInfo = unsafe { zeroed() };
        // SAFETY: the struct outlives the call.
        let result = unsafe { self.com.getBusInfo(media as i32, direction as i32, index as i32, &mut info) };
        (result == kResultOk).then(|| BusFacts {
            name: from_utf16(&info.name),
            channels: usize::try_from(info.channelCount).unwrap_or(0),
            is_main: info.busType == kMain as i32,
            is_control_voltage: info.flags & kIsControlVoltage != 0,
        })
    }

    /// Switches a bus on or off. What it answers changes nothing: buffers are given for all of them.
    pub fn activate_bus(&self, media: Media, direction: Direction, index: usize, on: bool) {
        // SAFETY: a plain call of a live object that is not active.
        unsafe { self.com.activateBus(media as i32, direction as i32, index as i32, on.into()) };
    }

    /// Makes it ready to run, or not.
    pub fn set_active(&self, on: bool) -> tresult {
        // SAFETY: a plain call of a live object, on its main thread.
        unsafe { self.com.setActive(on.into()) }
    }

    /// Its state, if it has one.
    pub fn state(&self) -> Option<Vec<u8>> {
        // SAFETY: the stream outlives the call.
        let (result, bytes) = writing(|stream| unsafe { self.com.getState(stream) });
        (result == kResultOk).then_some(bytes)
    }

    /// Gives it a state.
    pub fn set_state(&self, bytes: &[u8]) -> tresult {
        // SAFETY: the stream outlives the call.
        reading(bytes, |stream| unsafe { self.com.setState(stream) })
    }

    /// The speakers of an audio bus.
    pub fn arrangement(&self, direction: Direction, index: usize) -> Option<SpeakerArrangement> {
        let mut speakers = 0;
        // SAFETY: the number outlives the call.
        let result =
            unsafe { self.processor.getBusArrangement(direction as i32, index as i32, &mut speakers) };
        (result == kResultOk).then_some(speakers)
    }

    /// Asks for speakers for all audio buses; says whether it refused.
    pub fn refuses_arrangements(
        &self,
        inputs: &mut [SpeakerArrangement],
        outputs: &mut [SpeakerArrangement],
    ) -> bool {
        let (ins, outs) = (inputs.len() as i32, outputs.len() as i32);
        // SAFETY: both lists outlive the call and have the lengths that are told.
        let result = unsafe {
            self.processor.setBusArrangements(inputs.as_mut_ptr(), ins, outputs.as_mut_ptr(), outs)
        };
        !is_done(result)
    }

    /// Whether it says that it cannot take 32-bit samples.
    pub fn refuses_f32(&self) -> bool {
        // SAFETY: a plain call of a live object.
        let result = unsafe { self.processor.canProcessSampleSize(kSample32 as i32) };
        result == kResultFalse || result == kInvalidArgument
    }

    /// Tells it how it is going to run.
    pub fn set_up(&self, activation: &Activation) -> tresult {
        let mut setup = ProcessSetup {
            processMode: process_mode(activation.offline),
            symbolicSampleSize: kSample32 as i32,
            maxSamplesPerBlock: activation.quantum_frames as i32,
            sampleRate: f64::from(activation.sample_rate_hz),
        };
        // SAFETY: the struct outlives the call.
        unsafe { self.processor.setupProcessing(&mut setup) }
    }

    /// Tells it that quanta are about to come, or come no longer. It may not know this call.
    pub fn set_processing(&self, on: bool) {
        // SAFETY: a plain call of a live, active object.
        unsafe { self.processor.setProcessing(on.into()) };
    }

    /// Its latency in frames. Valid while it is active.
    pub fn latency_frames(&self) -> u32 {
        // SAFETY: a plain call of a live object.
        unsafe { self.processor.getLatencySamples() }
    }

    /// Its tail in frames; [`u32::MAX`] (`kInfiniteTail`) if unbounded.
    pub fn tail_frames(&self) -> u32 {
        // SAFETY: a plain call of a live object.
        unsafe { self.processor.getTailSamples() }
    }
}

/// The mode of a run as VST3 numbers it.
pub fn process_mode(offline: bool) -> i32 {
    if offline { kOffline as i32 } else { kRealtime as i32 }
}
