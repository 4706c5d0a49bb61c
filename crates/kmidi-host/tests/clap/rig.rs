//! Runs a plugin as the engine does.

use std::ops::{Deref, DerefMut};

use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, NodeInfo, ProcessContext, ProcessStatus, Processor,
    SysExPool, TimedEvent, Transport,
};
use kmidi_host::{Activation, ActivePlugin, Plugin, Told};

/// Sample rate of every test, in Hz.
pub const RATE: u32 = 48_000;
/// Frames of a quantum where a test asks for no other.
pub const QUANTUM: u32 = 64;

/// An active plugin.
pub struct Rig {
    // Dropped first: a plugin whose audio half is at work is left in memory.
    pub side_a: SideA,
    pub active: ActivePlugin,
}

/// Its audio half, and what that is given and gives: goes to whichever thread.
pub struct SideA {
    pub half: Box<dyn Processor>,
    pub inputs: Vec<Vec<f32>>,
    pub outputs: Vec<AudioBuffer>,
    pub transport: Transport,
    pub events_out: EventBuffer,
    pub sysex: SysExPool,
    /// As the engine says it.
    pub silent_inputs: u64,
    /// As the plugin said it at the last quantum.
    pub silent_outputs: u64,
    pub frames: u32,
}

impl Deref for Rig {
    type Target = SideA;

    fn deref(&self) -> &SideA {
        &self.side_a
    }
}

impl DerefMut for Rig {
    fn deref_mut(&mut self) -> &mut SideA {
        &mut self.side_a
    }
}

impl Rig {
    pub fn new(plugin: Plugin) -> Self {
        Self::with(plugin, &Activation { sample_rate_hz: RATE, quantum_frames: QUANTUM, offline: false })
    }

    pub fn with(plugin: Plugin, activation: &Activation) -> Self {
        let (active, half) = plugin.activate(activation).map_err(|(_, error)| error).unwrap();
        let info = active.node_info();
        let frames = activation.quantum_frames;
        let channels = |ports: &[u16]| ports.iter().map(|it| usize::from(*it)).sum::<usize>();
        let outputs = (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames as usize));
        let side_a = SideA {
            half,
            inputs: vec![vec![0.0; frames as usize]; channels(&info.audio_inputs)],
            outputs: outputs.collect(),
            transport: Transport::default(),
            events_out: EventBuffer::with_capacity(256),
            sysex: SysExPool::new(),
            silent_inputs: 0,
            silent_outputs: 0,
            frames,
        };
        Rig { side_a, active }
    }

    pub fn info(&self) -> &NodeInfo {
        self.active.node_info()
    }

    /// Everything that was told since the last call.
    pub fn told(&mut self) -> Vec<Told> {
        std::iter::from_fn(|| self.active.told()).collect()
    }

    /// Takes it off the audio thread and gives the inactive plugin back.
    pub fn end(self) -> Plugin {
        drop(self.side_a);
        self.active.deactivate().map_err(|(_, still)| still).unwrap()
    }
}

impl SideA {
    /// One quantum.
    pub fn run(&mut self, events: &[TimedEvent]) -> ProcessStatus {
        self.events_out.clear();
        let inputs: [&[f32]; 64] =
            std::array::from_fn(|at| self.inputs.get(at).map_or(&[][..], |channel| &channel[..]));
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
        let status = self.half.process(&mut cx);
        self.silent_outputs = cx.audio.silent_outputs;
        status
    }
}

/// An event of port 0.
pub fn at(time: u32, event: Event) -> TimedEvent {
    TimedEvent { time, port: 0, event }
}
