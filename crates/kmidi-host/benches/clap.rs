//! What a quantum of a CLAP plugin costs over the plugin itself: the same plugin called bare and through the adapter, by
//! turns in one run. Prints nanoseconds for each quantum, of the fastest of many short batches (what else the machine
//! does slows down the rest); fails if the adapter takes more than `TARGET_NS` where nothing happens. What events cost is
//! shown beside it.

use std::env;
use std::ffi::CString;
use std::time::Instant;

use clack_host::events::event_types::{ParamValueEvent, TransportEvent};
use clack_host::events::io::{InputEvents, OutputEvents};
use clack_host::events::{EventFlags, EventHeader, Pckn};
use clack_host::prelude::*;
use clack_host::process::audio_buffers::{InputAudioBuffers, OutputAudioBuffers};
use clap_sys::audio_buffer::clap_audio_buffer;
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, Processor, SysExPool, TimedEvent, Transport,
};
use kmidi_host::{Activation, Format, Plugin, PluginId};
use kmidi_test_clap::ids;

const FRAMES: usize = 64;
const BATCH: u32 = 100;
const BATCHES: usize = 5000;
/// Most that the adapter may add to a quantum without events, in nanoseconds.
const TARGET_NS: f64 = 200.0;

fn fastest(of: &[f64]) -> f64 {
    of.iter().copied().fold(f64::INFINITY, f64::min)
}

fn batch(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..BATCH).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(BATCH)
}

/// The plugin called with what is ready made.
struct Bare {
    processor: StartedPluginAudioProcessor<()>,
    inputs: [Vec<f32>; 2],
    outputs: [Vec<f32>; 2],
}

impl Bare {
    fn run(&mut self, events: &InputEvents<'_>, transport: &TransportEvent) {
        let mut from = self.inputs.each_mut().map(|channel| channel.as_mut_ptr());
        let mut to = self.outputs.each_mut().map(|channel| channel.as_mut_ptr());
        let port = |channels: &mut [*mut f32; 2]| clap_audio_buffer {
            data32: channels.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (from, mut to) = ([port(&mut from)], [port(&mut to)]);
        // SAFETY: each port has two channels of `FRAMES` samples, which live during the call.
        let (from, mut to) = unsafe {
            let frames = FRAMES as u32;
            (
                InputAudioBuffers::from_raw_buffers(&from, frames),
                OutputAudioBuffers::from_raw_buffers(&mut to, frames),
            )
        };
        let out = &mut OutputEvents::void();
        self.processor.process(&from, &mut to, events, out, Some(0), Some(transport)).unwrap();
    }
}

fn main() {
    // Without `--bench` Cargo asks whether the bench is one: as a test it has nothing to say.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let file = env::current_exe().unwrap().with_file_name("libkmidi_test_clap.so");

    // SAFETY: a file of this project.
    let entry = unsafe { PluginEntry::load(&file) }.unwrap();
    let info = HostInfo::new("bare", "", "", "").unwrap();
    let id = CString::new(ids::GAIN).unwrap();
    let mut instance = PluginInstance::<()>::new(|_| (), |_| (), &entry, &id, &info).unwrap();
    let config = PluginAudioConfiguration {
        sample_rate: 48_000.0,
        min_frames_count: 1,
        max_frames_count: FRAMES as u32,
    };
    let processor = instance.activate(|_, _| (), config).unwrap().start_processing().unwrap();
    let channel = || vec![0.1; FRAMES];
    let mut bare = Bare { processor, inputs: [channel(), channel()], outputs: [channel(), channel()] };

    let plugin = Plugin::load(&file, &PluginId::new(Format::Clap, ids::GAIN)).unwrap();
    let activation = Activation { sample_rate_hz: 48_000, quantum_frames: FRAMES as u32, offline: false };
    let (_active, mut half) = plugin.activate(&activation).map_err(|(_, error)| error).unwrap();
    let inputs = [vec![0.1f32; FRAMES], vec![0.1; FRAMES]];
    let inputs = [&inputs[0][..], &inputs[1][..]];
    let mut outputs = [AudioBuffer::silent(FRAMES), AudioBuffer::silent(FRAMES)];
    let (mut events_out, mut sysex) = (EventBuffer::with_capacity(64), SysExPool::new());
    let transport = Transport { playing: true, ..Transport::default() };

    let mut adapted = |half: &mut dyn Processor, events: &[TimedEvent]| {
        half.process(&mut ProcessContext {
            frames: FRAMES as u32,
            transport: &transport,
            audio: AudioPorts { inputs: &inputs, outputs: &mut outputs, silent_inputs: 0, silent_outputs: 0 },
            events_in: events,
            events_out: &mut events_out,
            sysex: &mut sysex,
        });
    };

    // SAFETY: all zeros are a transport that stands at the start: numbers and flags.
    let song = TransportEvent {
        header: EventHeader::new_core(0, EventFlags::empty()),
        ..unsafe { std::mem::zeroed() }
    };
    let times = [0, 16, 32, 48];
    let events =
        times.map(|time| TimedEvent { time, port: 0, event: Event::Parameter { id: 1, value: 0.5 } });
    let ready = times.map(|time| ParamValueEvent::new(time, ClapId::new(1), Pckn::match_all(), 0.5));
    let ready = ready.to_vec();
    for (name, count) in [("no events", 0), ("four parameters", 4)] {
        let mut times = (Vec::new(), Vec::new());
        let ready = ready[..count].to_vec();
        for _ in 0..BATCHES {
            times.0.push(batch(|| bare.run(&InputEvents::from_buffer(&ready), &song)));
            times.1.push(batch(|| adapted(&mut *half, &events[..count])));
        }
        let (bare, adapted) = (fastest(&times.0), fastest(&times.1));
        println!(
            "clap, {name}: bare {bare:.0} ns, adapted {adapted:.0} ns, over it {:.0} ns",
            adapted - bare
        );
        assert!(count > 0 || adapted - bare <= TARGET_NS, "more than {TARGET_NS} ns");
    }
}
