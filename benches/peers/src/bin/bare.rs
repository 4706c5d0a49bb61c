//! A VST3 effect over a file with no host around it: `bare PLUGIN.vst3 IN.wav OUT.f32 BLOCK [ID=NORMALISED]...`
//!
//! The whole file is in memory; each block is a call of the plugin on pointers into it. Prints the processor time of the
//! calls alone as JSON. What any host takes beyond that is its own.

use std::error::Error;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use rustix::time::{ClockId, clock_gettime};
use vst3::Steinberg::Vst::*;
use vst3::Steinberg::*;
use vst3::{Class, ComPtr, ComWrapper, Interface};

type Failure = Box<dyn Error>;
type Settings = Vec<(u32, f64)>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plugin, input, output, block, settings @ ..] = &arguments[..] else {
        return Err("usage: bare PLUGIN.vst3 IN.wav OUT.f32 BLOCK [ID=NORMALISED]...".into());
    };
    let block: usize = block.parse()?;
    let mut parsed: Settings = Vec::new();
    for setting in settings {
        let (id, value) = setting.split_once('=').ok_or("a setting is ID=NORMALISED")?;
        parsed.push((id.parse()?, value.parse()?));
    }
    let (mut sound, rate_hz) = read(Path::new(input))?;
    // Whole blocks, as all hosts have them.
    let frames = sound[0].len();
    sound.iter_mut().for_each(|channel| channel.resize(frames.next_multiple_of(block), 0.0));
    let mut result = vec![vec![0.0f32; sound[0].len()]; sound.len()];
    let effect = Effect::load(Path::new(plugin), rate_hz, block, sound.len())?;
    effect.set(parsed, block)?;
    // The memory is there before the clock runs.
    result.iter_mut().flatten().for_each(|sample| *sample = 1.0);
    let began = cpu_seconds();
    for at in (0..sound[0].len()).step_by(block) {
        effect.process(&mut sound, &mut result, at, block, std::ptr::null_mut())?;
    }
    let seconds = cpu_seconds() - began;
    let interleaved = (0..frames).flat_map(|frame| result.iter().map(move |channel| channel[frame]));
    let bytes: Vec<u8> = interleaved.flat_map(f32::to_le_bytes).collect();
    std::fs::write(output, bytes)?;
    println!("{{\"chain_cpu_seconds\": {seconds}}}");
    Ok(())
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn read(path: &Path) -> Result<(Vec<Vec<f32>>, u32), Failure> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    let mut sound = vec![Vec::new(); spec.channels.into()];
    for (n, sample) in reader.samples::<i16>().enumerate() {
        sound[n % usize::from(spec.channels)].push(f32::from(sample?) / 32768.0);
    }
    Ok((sound, spec.sample_rate))
}

/// A plugin at work. It is never taken apart: the process ends.
struct Effect {
    /// Takes what the plugin says of its parameters: DPF's plugins complain in every block where there is none.
    unheard: ComPtr<IParameterChanges>,
    processor: ComPtr<IAudioProcessor>,
    _component: ComPtr<IComponent>,
    _library: Library,
}

impl Effect {
    fn load(bundle: &Path, rate_hz: u32, block: usize, channels: usize) -> Result<Self, Failure> {
        let file = library_file(bundle)?;
        // SAFETY: foreign code, which whoever runs this wants to run.
        let handle = unsafe { Library::open(Some(&file), RTLD_NOW | RTLD_LOCAL) }?.into_raw();
        // SAFETY: the handle has just been given up.
        let library = unsafe { Library::from_raw(handle) };
        // SAFETY: what every VST3 module on Linux exports, with these signatures, in the order that VST3 asks for.
        let factory = unsafe {
            type Entry = unsafe extern "system" fn(*mut std::ffi::c_void) -> bool;
            type Get = unsafe extern "system" fn() -> *mut IPluginFactory;
            if !library.get::<Entry>(b"ModuleEntry")?(handle) {
                return Err("ModuleEntry failed".into());
            }
            ComPtr::from_raw(library.get::<Get>(b"GetPluginFactory")?()).ok_or("no factory")?
        };
        let component = component(&factory)?;
        let processor: ComPtr<IAudioProcessor> = component.cast().ok_or("it is no IAudioProcessor")?;
        let mut setup = ProcessSetup {
            processMode: ProcessModes_::kOffline as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            maxSamplesPerBlock: block as i32,
            sampleRate: rate_hz.into(),
        };
        let mut arrangement = if channels == 2 { SpeakerArr::kStereo } else { SpeakerArr::kMono };
        let arrangement = &raw mut arrangement;
        // SAFETY: the plugin is alive and this is its one thread; the order is the one that VST3 asks for.
        unsafe {
            done(component.initialize(std::ptr::null_mut()), "initialize")?;
            processor.setBusArrangements(arrangement, 1, arrangement, 1);
            done(processor.setupProcessing(&mut setup), "setupProcessing")?;
            for direction in [BusDirections_::kInput, BusDirections_::kOutput] {
                let (audio, direction) = (MediaTypes_::kAudio as i32, direction as i32);
                done(component.activateBus(audio, direction, 0, 1), "activateBus")?;
            }
            done(component.setActive(1), "setActive")?;
            processor.setProcessing(1);
        }
        let unheard = ComWrapper::new(Unheard(queue(0, 0.0))).to_com_ptr().expect("it is one");
        Ok(Effect { unheard, processor, _component: component, _library: library })
    }

    /// Sets parameters in a block of silence, as hosts do before there is sound.
    fn set(&self, settings: Settings, block: usize) -> Result<(), Failure> {
        let queues = settings.into_iter().map(|(id, value)| queue(id, value)).collect();
        let changes = ComWrapper::new(Changes(queues));
        let changes = changes.to_com_ptr::<IParameterChanges>().expect("it is one");
        let mut silence = vec![vec![0.0; block]; 2];
        let mut unheard = silence.clone();
        self.process(&mut silence, &mut unheard, 0, block, changes.as_ptr())
    }

    /// One block that begins at a frame of the sound.
    #[inline]
    fn process(
        &self,
        sound: &mut [Vec<f32>],
        result: &mut [Vec<f32>],
        at: usize,
        block: usize,
        changes: *mut IParameterChanges,
    ) -> Result<(), Failure> {
        let channels = sound.len();
        let mut pointers = [[std::ptr::null_mut(); 2]; 2];
        for channel in 0..channels {
            pointers[0][channel] = sound[channel][at..at + block].as_mut_ptr();
            pointers[1][channel] = result[channel][at..at + block].as_mut_ptr();
        }
        let mut buses = pointers.each_mut().map(|pointers| AudioBusBuffers {
            numChannels: channels as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 { channelBuffers32: pointers.as_mut_ptr() },
        });
        let [inputs, outputs] = &mut buses;
        let mut data = ProcessData {
            processMode: ProcessModes_::kOffline as i32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            numSamples: block as i32,
            numInputs: 1,
            numOutputs: 1,
            inputs,
            outputs,
            inputParameterChanges: changes,
            outputParameterChanges: self.unheard.as_ptr(),
            inputEvents: std::ptr::null_mut(),
            outputEvents: std::ptr::null_mut(),
            processContext: std::ptr::null_mut(),
        };
        // SAFETY: the plugin processes, and all pointers are to `block` samples that nobody else has.
        done(unsafe { self.processor.process(&mut data) }, "process")
    }
}

/// The first effect or instrument of a module.
fn component(factory: &ComPtr<IPluginFactory>) -> Result<ComPtr<IComponent>, Failure> {
    // SAFETY: the factory is alive, and writes to places of the right types.
    unsafe {
        for index in 0..factory.countClasses() {
            let mut info: PClassInfo = std::mem::zeroed();
            done(factory.getClassInfo(index, &mut info), "getClassInfo")?;
            let category = info.category.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0);
            if !category.eq(*b"Audio Module Class") {
                continue;
            }
            let mut object = std::ptr::null_mut();
            let iid = IComponent::IID;
            done(
                factory.createInstance(info.cid.as_ptr(), iid.as_ptr().cast(), &mut object),
                "createInstance",
            )?;
            return ComPtr::from_raw(object.cast()).ok_or_else(|| "createInstance gave nothing".into());
        }
    }
    Err("there is no audio class in it".into())
}

fn library_file(bundle: &Path) -> Result<PathBuf, Failure> {
    let folder = bundle.join(format!("Contents/{}-linux", std::env::consts::ARCH));
    let name = bundle.file_stem().ok_or("a bundle has a name")?;
    Ok(folder.join(name).with_extension("so"))
}

fn done(result: tresult, what: &str) -> Result<(), Failure> {
    if result == kResultOk { Ok(()) } else { Err(format!("{what} answered {result}").into()) }
}

/// One change of one parameter at the first frame.
struct Queue {
    id: u32,
    value: f64,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }

    unsafe fn getPointCount(&self) -> int32 {
        1
    }

    unsafe fn getPoint(&self, _: int32, offset: *mut int32, value: *mut ParamValue) -> tresult {
        // SAFETY: the plugin gives room for both.
        unsafe {
            offset.write(0);
            value.write(self.value);
        }
        kResultOk
    }

    unsafe fn addPoint(&self, _: int32, _: ParamValue, _: *mut int32) -> tresult {
        kResultOk
    }
}

fn queue(id: u32, value: f64) -> ComPtr<IParamValueQueue> {
    ComWrapper::new(Queue { id, value }).to_com_ptr().expect("it is one")
}

struct Changes(Vec<ComPtr<IParamValueQueue>>);

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.0.get(index as usize).map_or(std::ptr::null_mut(), ComPtr::as_ptr)
    }

    unsafe fn addParameterData(&self, _: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }
}

/// Changes that nobody wants to know.
struct Unheard(ComPtr<IParamValueQueue>);

impl Class for Unheard {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Unheard {
    unsafe fn getParameterCount(&self) -> int32 {
        0
    }

    unsafe fn getParameterData(&self, _: int32) -> *mut IParamValueQueue {
        std::ptr::null_mut()
    }

    unsafe fn addParameterData(&self, _: *const ParamID, _: *mut int32) -> *mut IParamValueQueue {
        self.0.as_ptr()
    }
}
