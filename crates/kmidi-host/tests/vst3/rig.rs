//! What stands around an audio half in these tests.
#![allow(dead_code, reason = "each test and the benchmark use a part")]

use kmidi_core::{
    AudioBuffer, AudioPorts, EventBuffer, NodeInfo, ProcessContext, ProcessStatus, Processor, SysExPool,
    TimedEvent, Transport,
};
use kmidi_host::Activation;

/// Buffers for one node.
pub struct Rig {
    pub frames: u32,
    pub inputs: Vec<Vec<f32>>,
    pub outputs: Vec<AudioBuffer>,
    pub silent_inputs: u64,
    pub silent_outputs: u64,
    pub transport: Transport,
    pub events_out: EventBuffer,
    pub sysex: SysExPool,
    seed: u32,
}

impl Rig {
    pub fn new(info: &NodeInfo, activation: Activation) -> Self {
        let frames = activation.quantum_frames as usize;
        let channels = |ports: &[u16]| ports.iter().map(|&it| usize::from(it)).sum::<usize>();
        Rig {
            frames: activation.quantum_frames,
            inputs: vec![vec![0.0; frames]; channels(&info.audio_inputs)],
            outputs: (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames)).collect(),
            silent_inputs: 0,
            silent_outputs: 0,
            transport: Transport::default(),
            events_out: EventBuffer::with_capacity(8192),
            sysex: SysExPool::new(),
            seed: 1,
        }
    }

    /// Fills the inputs with noise of a quarter of full scale.
    pub fn noise(&mut self) {
        for sample in self.inputs.iter_mut().flatten() {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = (self.seed >> 8) as f32 / (1 << 25) as f32 - 0.25;
        }
    }

    /// Runs one quantum.
    pub fn run(&mut self, processor: &mut dyn Processor, events: &[TimedEvent]) -> ProcessStatus {
        let mut inputs: [&[f32]; 64] = [&[]; 64];
        for (slot, input) in inputs.iter_mut().zip(&self.inputs) {
            *slot = &input[..self.frames as usize];
        }
        self.events_out.clear();
        let mut cx = ProcessContext {
            frames: self.frames,
            transport: &self.transport,
            audio: AudioPorts {
                inputs: &inputs[..self.inputs.len()],
                outputs: &mut self.outputs,
                silent_inputs: self.silent_inputs,
                silent_outputs: 0,
            },
            events_in: events,
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        };
        let status = processor.process(&mut cx);
        self.silent_outputs = cx.audio.silent_outputs;
        status
    }
}
