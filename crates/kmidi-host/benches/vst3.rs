//! What hosting a VST3 plugin costs over calling it: both in one run, in turn.
//!
//! Another program on the machine slows the median; the best times are what to hold against the target.
//!
//! `cargo bench -p kmidi-host --bench vst3`

#[path = "../tests/vst3/plugin.rs"]
mod plugin;
#[path = "../tests/vst3/rig.rs"]
mod rig;

use std::hint::black_box;
use std::time::{Duration, Instant};

use kmidi_core::{Event, TimedEvent};
use kmidi_host::{Activation, load_vst3_of};
use null::NullFactory;
use plugin::wide;
use rig::Rig;
use vst3::ComPtr;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessor, IAudioProcessorTrait as _, IComponent,
    ProcessData,
};

/// Blocks between two looks at the clock: one block is too short for it.
const BATCH: usize = 64;
const ROUNDS: usize = 4000;
const RUN: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };
/// The most that hosting may cost in a block without events.
const TARGET: Duration = Duration::from_nanos(200);

fn main() {
    let factory = NullFactory::com();
    let plugin = load_vst3_of(factory.clone(), null::CLASS).unwrap();
    let (active, mut processor) = plugin.activate(&RUN).map_err(|error| error.1).unwrap();
    let mut rig = Rig::new(active.node_info(), RUN);
    let mut bare = Bare::new();
    let events: Vec<TimedEvent> = (0..8)
        .map(|at| TimedEvent { time: at * 8, port: 0, event: Event::note_on(0, at as u8, 100) })
        .chain([TimedEvent { time: 63, port: 0, event: Event::Parameter { id: 0, value: 0.5 } }])
        .collect();
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(per_block(|| bare.process()));
        times[1].push(per_block(|| _ = black_box(rig.run(processor.as_mut(), &[]))));
        times[2].push(per_block(|| _ = black_box(rig.run(processor.as_mut(), &events))));
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    let over = |at: usize, rank: usize| times[at][rank].saturating_sub(times[0][rank]);
    println!("a block of 64 frames, stereo in and out, {ROUNDS} batches of {BATCH} blocks:");
    println!("{:20} {:>10} {:>10} {:>12} {:>12}", "", "best", "median", "best - bare", "median - bare");
    for (at, what) in ["called bare", "hosted", "with nine events"].into_iter().enumerate() {
        let [best, median] = [0, ROUNDS / 2].map(|rank| (times[at][rank], over(at, rank)));
        println!("{what:20} {:>10.1?} {:>10.1?} {:>12.1?} {:>12.1?}", best.0, median.0, best.1, median.1);
    }
    let over = over(1, 0);
    processor.reset();
    drop(processor);
    // A test run of the benchmark is not optimised.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    assert!(!is_measured || over <= TARGET, "hosting costs {over:?} a block");
}

fn per_block(mut block: impl FnMut()) -> Duration {
    let began = Instant::now();
    (0..BATCH).for_each(|_| block());
    began.elapsed() / BATCH as u32
}

/// The plugin with buffers set up once, and nothing around it.
struct Bare {
    processor: ComPtr<IAudioProcessor>,
    data: ProcessData,
    _memory: (Vec<Vec<f32>>, Vec<*mut f32>, Box<[AudioBusBuffers; 2]>),
}

impl Bare {
    fn new() -> Self {
        let component: ComPtr<IComponent> = null::component();
        let processor = component.cast::<IAudioProcessor>().unwrap();
        let mut channels = vec![vec![0.0f32; 64]; 4];
        let mut pointers: Vec<*mut f32> = channels.iter_mut().map(|it| it.as_mut_ptr()).collect();
        let bus = |pointers: &mut [*mut f32]| AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers.as_mut_ptr() },
        };
        let mut buses = Box::new([bus(&mut pointers[..2]), bus(&mut pointers[2..])]);
        let data = ProcessData {
            processMode: 0,
            symbolicSampleSize: 0,
            numSamples: 64,
            numInputs: 1,
            numOutputs: 1,
            inputs: &mut buses[0],
            outputs: &mut buses[1],
            inputParameterChanges: std::ptr::null_mut(),
            outputParameterChanges: std::ptr::null_mut(),
            inputEvents: std::ptr::null_mut(),
            outputEvents: std::ptr::null_mut(),
            processContext: std::ptr::null_mut(),
        };
        Bare { processor, data, _memory: (channels, pointers, buses) }
    }

    fn process(&mut self) {
        // SAFETY: the buffers are valid, and the plugin takes null where there are no events and changes.
        black_box(unsafe { self.processor.process(&mut self.data) });
    }
}

/// A plugin that copies its input.
mod null {
    use super::wide;
    use std::ffi::c_void;
    use vst3::Steinberg::Vst::*;
    use vst3::Steinberg::*;
    use vst3::{Class, ComPtr, ComWrapper};

    pub const CLASS: &str = "20202020202020202020202020202020";

    struct Null;

    impl Class for Null {
        type Interfaces = (IComponent, IAudioProcessor, IEditController);
    }

    pub fn component() -> ComPtr<IComponent> {
        ComWrapper::new(Null).to_com_ptr::<IComponent>().unwrap()
    }

    impl IPluginBaseTrait for Null {
        unsafe fn initialize(&self, _: *mut FUnknown) -> tresult {
            kResultOk
        }
        unsafe fn terminate(&self) -> tresult {
            kResultOk
        }
    }

    impl IComponentTrait for Null {
        unsafe fn getControllerClassId(&self, _: *mut TUID) -> tresult {
            kNotImplemented
        }
        unsafe fn setIoMode(&self, _: IoMode) -> tresult {
            kNotImplemented
        }
        unsafe fn getBusCount(&self, media: MediaType, direction: BusDirection) -> int32 {
            i32::from(media == 0 || direction == 0)
        }
        unsafe fn getBusInfo(&self, media: i32, direction: i32, _: int32, bus: *mut BusInfo) -> tresult {
            let channel_count = if media == 0 { 2 } else { 16 };
            // SAFETY: the host gives room for it.
            unsafe {
                bus.write(BusInfo {
                    mediaType: media,
                    direction,
                    channelCount: channel_count,
                    name: wide("Bus"),
                    busType: 0,
                    flags: 1,
                });
            }
            kResultOk
        }
        unsafe fn getRoutingInfo(&self, _: *mut RoutingInfo, _: *mut RoutingInfo) -> tresult {
            kNotImplemented
        }
        unsafe fn activateBus(&self, _: MediaType, _: BusDirection, _: int32, _: TBool) -> tresult {
            kResultOk
        }
        unsafe fn setActive(&self, _: TBool) -> tresult {
            kResultOk
        }
        unsafe fn setState(&self, _: *mut IBStream) -> tresult {
            kNotImplemented
        }
        unsafe fn getState(&self, _: *mut IBStream) -> tresult {
            kNotImplemented
        }
    }

    impl IAudioProcessorTrait for Null {
        unsafe fn setBusArrangements(&self, _: *mut u64, _: int32, _: *mut u64, _: int32) -> tresult {
            kResultOk
        }
        unsafe fn getBusArrangement(&self, _: BusDirection, _: int32, _: *mut u64) -> tresult {
            kNotImplemented
        }
        unsafe fn canProcessSampleSize(&self, _: int32) -> tresult {
            kResultOk
        }
        unsafe fn getLatencySamples(&self) -> uint32 {
            0
        }
        unsafe fn setupProcessing(&self, _: *mut ProcessSetup) -> tresult {
            kResultOk
        }
        unsafe fn setProcessing(&self, _: TBool) -> tresult {
            kResultOk
        }
        unsafe fn process(&self, data: *mut ProcessData) -> tresult {
            // SAFETY: the caller gives one stereo bus in and one out with 64 frames.
            unsafe {
                let data = &mut *data;
                let input = (*data.inputs).__field0.channelBuffers32;
                let output = (*data.outputs).__field0.channelBuffers32;
                for channel in 0..2 {
                    (*output.add(channel)).copy_from(*input.add(channel), data.numSamples as usize);
                }
            }
            kResultOk
        }
        unsafe fn getTailSamples(&self) -> uint32 {
            0
        }
    }

    impl IEditControllerTrait for Null {
        unsafe fn setComponentState(&self, _: *mut IBStream) -> tresult {
            kNotImplemented
        }
        unsafe fn setState(&self, _: *mut IBStream) -> tresult {
            kNotImplemented
        }
        unsafe fn getState(&self, _: *mut IBStream) -> tresult {
            kNotImplemented
        }
        unsafe fn getParameterCount(&self) -> int32 {
            100
        }
        unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
            // SAFETY: the host gives room for it.
            unsafe {
                info.write(ParameterInfo {
                    id: index as u32,
                    title: wide("Parameter"),
                    shortTitle: [0; 128],
                    units: [0; 128],
                    stepCount: 0,
                    defaultNormalizedValue: 0.0,
                    unitId: 0,
                    flags: 1,
                });
            }
            kResultOk
        }
        unsafe fn getParamStringByValue(&self, _: ParamID, _: f64, _: *mut String128) -> tresult {
            kNotImplemented
        }
        unsafe fn getParamValueByString(&self, _: ParamID, _: *mut TChar, _: *mut f64) -> tresult {
            kNotImplemented
        }
        unsafe fn normalizedParamToPlain(&self, _: ParamID, value: f64) -> f64 {
            value
        }
        unsafe fn plainParamToNormalized(&self, _: ParamID, value: f64) -> f64 {
            value
        }
        unsafe fn getParamNormalized(&self, _: ParamID) -> f64 {
            0.0
        }
        unsafe fn setParamNormalized(&self, _: ParamID, _: f64) -> tresult {
            kResultOk
        }
        unsafe fn setComponentHandler(&self, _: *mut IComponentHandler) -> tresult {
            kResultOk
        }
        unsafe fn createView(&self, _: FIDString) -> *mut IPlugView {
            std::ptr::null_mut()
        }
    }

    pub struct NullFactory;

    impl NullFactory {
        pub fn com() -> ComPtr<IPluginFactory> {
            ComWrapper::new(NullFactory).to_com_ptr::<IPluginFactory>().unwrap()
        }
    }

    impl Class for NullFactory {
        type Interfaces = (IPluginFactory,);
    }

    impl IPluginFactoryTrait for NullFactory {
        unsafe fn getFactoryInfo(&self, _: *mut PFactoryInfo) -> tresult {
            kNotImplemented
        }
        unsafe fn countClasses(&self) -> int32 {
            1
        }
        unsafe fn getClassInfo(&self, _: int32, info: *mut PClassInfo) -> tresult {
            let (category, name) =
                (super::plugin::narrow("Audio Module Class"), super::plugin::narrow("Null"));
            // SAFETY: the host gives room for it.
            unsafe { info.write(PClassInfo { cid: [0x20; 16], cardinality: 1, category, name }) };
            kResultOk
        }
        unsafe fn createInstance(&self, _: FIDString, _: FIDString, obj: *mut *mut c_void) -> tresult {
            // SAFETY: the host gives room for it.
            unsafe { obj.write(component().into_raw().cast()) };
            kResultOk
        }
    }
}
