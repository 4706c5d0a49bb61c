//! What a callback costs beside its nodes: an idle engine, and each node in a chain, against the least any host
//! could do (the same nodes called by hand in a loop). `cargo bench --bench callback`.
//!
//! Times are the best of many runs and differ between machines; the ratios are what to compare.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Instant;

use kmidi_core::{
    AudioBuffer, AudioPorts, DeviceCallback, DeviceIo, EventBuffer, MidiBuffer, NodeInfo, ProcessContext,
    ProcessStatus, Processor, SysExPool, Transport,
};
use kmidi_graph::{EngineHandle, Graph, engine};
use kmidi_rt::{Engine, EngineConfig};

const QUANTUM: usize = 64;
const RUNS: usize = 30;
const CALLBACKS: usize = 2000;

/// The cheapest node that does something: stereo in, stereo out, one multiplication a sample.
struct Trivial(f32);

impl Processor for Trivial {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        for (output, input) in cx.audio.outputs.iter_mut().zip(cx.audio.inputs) {
            for (output, input) in output.iter_mut().zip(input.iter()) {
                *output = input * self.0;
            }
        }
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}

fn info() -> NodeInfo {
    NodeInfo { name: "trivial".into(), audio_inputs: vec![2], audio_outputs: vec![2], ..NodeInfo::default() }
}

/// An engine whose graph is a chain of trivial nodes from the device to the device.
fn chain(nodes: usize) -> (EngineHandle, Engine) {
    let config = EngineConfig {
        sample_rate_hz: 48_000,
        quantum_frames: QUANTUM as u32,
        channels_in: 2,
        channels_out: 2,
        has_ceiling: true,
    };
    let (mut handle, engine) = engine(config).expect("the configuration is within the limits");
    let mut graph = Graph::new();
    let mut last = graph.add_device_in(2).expect("an empty graph has room");
    for _ in 0..nodes {
        let node = graph.add_processor(info(), Box::new(Trivial(0.999))).expect("there is room");
        graph.connect_audio((last, 0), (node, 0)).expect("both are stereo");
        last = node;
    }
    let output = graph.add_output(2).expect("there is none yet");
    graph.connect_audio((last, 0), (output, 0)).expect("both are stereo");
    handle.set_graph(&mut graph).expect("a chain has no cycle");
    (handle, engine)
}

/// Nanoseconds of one call, best of many runs.
fn best_nanoseconds(mut call: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        (0..CALLBACKS).for_each(|_| call());
        best = best.min(start.elapsed().as_secs_f64());
    }
    best * 1e9 / CALLBACKS as f64
}

fn callback_nanoseconds(engine: &mut Engine, frames: usize) -> f64 {
    let input = vec![0.1f32; frames];
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let (midi_in, mut midi_out) = (MidiBuffer::new(16, 64), MidiBuffer::new(16, 64));
    best_nanoseconds(|| {
        engine.process(black_box(&mut DeviceIo {
            frames,
            inputs: &[&input, &input],
            outputs: &mut [&mut left, &mut right],
            midi_in: &midi_in,
            midi_out: &mut midi_out,
        }));
    })
}

/// The same chain, by hand.
fn by_hand_nanoseconds(nodes: usize) -> f64 {
    let mut chain: Vec<Box<dyn Processor>> = (0..nodes).map(|_| Box::new(Trivial(0.999)) as _).collect();
    let mut buffers: [[AudioBuffer; 2]; 2] =
        std::array::from_fn(|_| std::array::from_fn(|_| AudioBuffer::silent(QUANTUM)));
    buffers[0].iter_mut().for_each(|buffer| buffer.fill(0.1));
    let transport = Transport::default();
    let (mut events_out, mut sysex) = (EventBuffer::with_capacity(0), SysExPool::new());
    best_nanoseconds(|| {
        for node in &mut chain {
            let [input, output] = &mut buffers;
            black_box(node.process(&mut ProcessContext {
                frames: QUANTUM as u32,
                transport: &transport,
                audio: AudioPorts {
                    inputs: &[&input[0], &input[1]],
                    outputs: output,
                    silent_inputs: 0,
                    silent_outputs: 0,
                },
                events_in: &[],
                events_out: &mut events_out,
                sysex: &mut sysex,
            }));
            buffers.swap(0, 1);
        }
    })
}

fn main() {
    let (_handle, mut idle) = chain(0);
    println!("an idle callback (stereo in to stereo out, no node), quantum {QUANTUM} frames:");
    println!("{:>10} {:>12} {:>14} {:>16}", "frames", "ns", "ns a quantum", "% of its time");
    for frames in [1, 64, 256, 441, 1024] {
        let ns = callback_nanoseconds(&mut idle, frames);
        let period = frames as f64 / 48_000.0 * 1e9;
        let quanta = frames as f64 / QUANTUM as f64;
        println!("{frames:>10} {ns:>12.0} {:>14.0} {:>16.3}", ns / quanta, ns / period * 100.0);
    }
    let (_handle, mut idle) = chain(0);
    let empty = callback_nanoseconds(&mut idle, QUANTUM);
    println!("\na chain of trivial stereo nodes, one quantum a callback:");
    println!("{:>10} {:>12} {:>12} {:>14} {:>8}", "nodes", "ns", "ns a node", "by hand a node", "ratio");
    for nodes in [1, 4, 16, 64, 250] {
        let (_handle, mut engine) = chain(nodes);
        let a_node = (callback_nanoseconds(&mut engine, QUANTUM) - empty) / nodes as f64;
        let by_hand = by_hand_nanoseconds(nodes) / nodes as f64;
        println!(
            "{nodes:>10} {:>12.0} {a_node:>12.1} {by_hand:>14.1} {:>8.2}",
            a_node * nodes as f64 + empty,
            a_node / by_hand
        );
    }
}
