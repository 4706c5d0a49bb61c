//! A quantum of silence outside of any graph. `[side B]`

use kmidi_core::{
    AudioBuffer, AudioPorts, EventBuffer, NodeInfo, ProcessContext, Processor, SysExPool, Transport,
};

/// Room for what the plugin sends, which nobody hears.
const EVENTS: usize = 64;

/// Runs the audio half for one quantum of silence and forgets what comes out of it.
pub fn run_one_quantum(processor: &mut dyn Processor, info: &NodeInfo, frames: u32) {
    let channels = |ports: &[u16]| ports.iter().map(|&channels| usize::from(channels)).sum::<usize>();
    let silence = vec![0.0; frames as usize];
    let inputs = vec![silence.as_slice(); channels(&info.audio_inputs)];
    let mut outputs: Vec<_> =
        (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames as usize)).collect();
    let audio =
        AudioPorts { inputs: &inputs, outputs: &mut outputs, silent_inputs: u64::MAX, silent_outputs: 0 };
    processor.process(&mut ProcessContext {
        frames,
        transport: &Transport::default(),
        audio,
        events_in: &[],
        events_out: &mut EventBuffer::with_capacity(EVENTS),
        sysex: &mut SysExPool::new(),
    });
}
