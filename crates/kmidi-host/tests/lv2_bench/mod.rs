//! What the tests of LV2 share.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::PathBuf;

use kmidi_core::{
    AudioBuffer, AudioPorts, EventBuffer, NodeInfo, ProcessContext, Processor, SysExPool, TimedEvent,
    Transport,
};
use kmidi_host::{Activation, ActivePlugin, Format, Plugin, PluginId, lv2};

/// Frames of each quantum.
pub const QUANTUM_FRAMES: u32 = 64;
/// How plugins run.
pub const ACTIVATION: Activation =
    Activation { sample_rate_hz: 48_000, quantum_frames: QUANTUM_FRAMES, offline: false };

/// A node's audio half with buffers of its own.
pub struct Bench {
    pub processor: Box<dyn Processor>,
    pub inputs: Vec<Vec<f32>>,
    pub outputs: Vec<AudioBuffer>,
    pub events_out: EventBuffer,
    pub sysex: SysExPool,
    pub transport: Transport,
    noise: u32,
}

impl Bench {
    pub fn new(processor: Box<dyn Processor>, info: &NodeInfo) -> Self {
        let channels = |ports: &[u16]| ports.iter().map(|it| usize::from(*it)).sum::<usize>();
        let frames = QUANTUM_FRAMES as usize;
        Bench {
            processor,
            inputs: vec![vec![0.0; frames]; channels(&info.audio_inputs)],
            outputs: (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames)).collect(),
            events_out: EventBuffer::with_capacity(1024),
            sysex: SysExPool::new(),
            transport: Transport::default(),
            noise: 1,
        }
    }

    /// Fills the inputs with noise at -12 dBFS.
    pub fn make_noise(&mut self) {
        for sample in self.inputs.iter_mut().flatten() {
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = ((self.noise >> 9) as f32 / 4_194_304.0 - 1.0) * 0.25;
        }
    }

    /// Runs one quantum.
    pub fn run(&mut self, events_in: &[TimedEvent]) {
        let channels = std::mem::take(&mut self.inputs);
        let inputs: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
        let transport = self.transport.clone();
        self.events_out.clear();
        self.run_with(&inputs, events_in, &transport);
        self.inputs = channels;
    }

    /// Runs one quantum and does nothing else.
    pub fn run_with(&mut self, inputs: &[&[f32]], events_in: &[TimedEvent], transport: &Transport) {
        self.processor.process(&mut ProcessContext {
            frames: QUANTUM_FRAMES,
            transport,
            audio: AudioPorts { inputs, outputs: &mut self.outputs, silent_inputs: 0, silent_outputs: 0 },
            events_in,
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        });
    }

    /// The highest level of the last block; infinite if it holds what is no number.
    pub fn peak(&self) -> f32 {
        let samples = self.outputs.iter().flat_map(|it| it.iter());
        samples
            .fold(0.0, |peak, sample| if sample.is_finite() { sample.abs().max(peak) } else { f32::INFINITY })
    }
}

/// The bundle of this name, or `None` with a note.
pub fn bundle(name: &str) -> Option<PathBuf> {
    let found = lv2::bundles().into_iter().find(|it| it.ends_with(name));
    if found.is_none() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "{name} is not installed");
        println!("passed over: {name} is not installed");
    }
    found
}

/// A plugin of a bundle, or `None` with a note.
pub fn load(folder: &str, uri: &str) -> Option<Plugin> {
    Some(Plugin::load(&bundle(folder)?, &PluginId::new(Format::Lv2, uri)).unwrap())
}

/// A plugin at work.
pub fn activate(plugin: Plugin, activation: &Activation) -> (ActivePlugin, Bench) {
    let (active, processor) = plugin.activate(activation).map_err(|(_, error)| error).unwrap();
    let bench = Bench::new(processor, active.node_info());
    (active, bench)
}

/// A plugin at rest again.
pub fn deactivate(active: ActivePlugin, bench: Bench) -> Plugin {
    drop(bench);
    active.deactivate().map_err(|(_, error)| error).unwrap()
}
