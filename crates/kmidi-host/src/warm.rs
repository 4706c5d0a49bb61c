//! The first quanta of a plugin, which often allocate and touch pages for the first time, away from the callback.

use kmidi_core::limits::MAX_EVENTS_PER_QUANTUM;
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, NodeInfo, ProcessContext, Processor, SysExPool, TimedEvent,
    Transport,
};

/// Quanta of silence that a plugin is run for.
const QUANTA: usize = 16;
/// In which of them a note begins and ends.
const NOTE: std::ops::Range<usize> = 2..8;
const KEY: u8 = 60;

/// Runs an audio half that no graph has yet on silence, and an instrument on a note; then it forgets that.
/// On the thread that activated it or any other, not in real time.
pub fn warm_up(processor: &mut dyn Processor, info: &NodeInfo, quantum_frames: u32) {
    let frames = quantum_frames as usize;
    let channels = |ports: &[u16]| ports.iter().map(|&channels| usize::from(channels)).sum::<usize>();
    let silence = vec![0.0; frames];
    let inputs: Vec<&[f32]> = vec![silence.as_slice(); channels(&info.audio_inputs)];
    let mut outputs: Vec<AudioBuffer> =
        (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames)).collect();
    let mut events_out = EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM);
    let mut sysex = SysExPool::new();
    let transport = Transport::default();
    for quantum in 0..QUANTA {
        let event = match quantum {
            _ if info.event_inputs == 0 => None,
            at if at == NOTE.start => Some(Event::note_on(0, KEY, 100)),
            at if at == NOTE.end => Some(Event::note_off(0, KEY, 64)),
            _ => None,
        };
        let events_in: Vec<_> =
            event.map(|event| TimedEvent { time: 0, port: 0, event }).into_iter().collect();
        events_out.clear();
        processor.process(&mut ProcessContext {
            frames: quantum_frames,
            transport: &transport,
            audio: AudioPorts {
                inputs: &inputs,
                outputs: &mut outputs,
                silent_inputs: u64::MAX,
                silent_outputs: 0,
            },
            events_in: &events_in,
            events_out: &mut events_out,
            sysex: &mut sysex,
        });
    }
    processor.reset();
}
