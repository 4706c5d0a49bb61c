//! The audio half of a plugin with all that it is given, run a block at a time while somebody counts.

use std::time::{Duration, Instant};

use kmidi_core::limits::MAX_NODE_CHANNELS;
use kmidi_core::{
    AudioBuffer, AudioPorts, EventBuffer, NodeInfo, ProcessContext, Processor, SysExPool, TimedEvent,
    Transport,
};

use super::tally::{Tally, Watch};

/// Events that a plugin can send in a block; more are dropped, and that is no fault of the plugin.
const EVENTS_OUT: usize = 8192;

/// The name of the function that is a block and nothing else, for who counts its instructions.
pub(super) const CERTIFIED_BLOCK: &str = "certified_block";

#[inline(never)]
fn certified_block(processor: &mut dyn Processor, cx: &mut ProcessContext<'_>) {
    processor.process(cx);
}

/// What one block came to.
pub(super) struct BlockResult {
    pub tally: Tally,
    pub time_ns: u64,
}

/// An audio half and its buffers.
pub(super) struct Bench {
    processor: Box<dyn Processor>,
    /// As long as the longest block, each.
    inputs: Vec<Vec<f32>>,
    outputs: Vec<AudioBuffer>,
    /// For the block that comes next, in order of time.
    pub events: Vec<TimedEvent>,
    events_out: EventBuffer,
    sysex: SysExPool,
    transport: Transport,
    max_frames: u32,
    /// Frames of the block that comes next.
    pub frames: u32,
}

impl Bench {
    pub fn new(processor: Box<dyn Processor>, info: &NodeInfo, max_frames: u32) -> Self {
        let channels = |ports: &[u16]| ports.iter().map(|it| usize::from(*it)).sum::<usize>();
        let frames = max_frames as usize;
        Bench {
            processor,
            inputs: vec![vec![0.0; frames]; channels(&info.audio_inputs)],
            outputs: (0..channels(&info.audio_outputs)).map(|_| AudioBuffer::silent(frames)).collect(),
            events: Vec::new(),
            events_out: EventBuffer::with_capacity(EVENTS_OUT),
            sysex: SysExPool::new(),
            transport: Transport::default(),
            max_frames,
            frames: max_frames,
        }
    }

    /// Frames of the longest block.
    pub fn max_frames(&self) -> u32 {
        self.max_frames
    }

    /// The input channels of the block that comes next.
    pub fn inputs(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let frames = self.frames as usize;
        self.inputs.iter_mut().map(move |channel| &mut channel[..frames])
    }

    /// The output channels of the last block.
    pub fn outputs(&self) -> impl Iterator<Item = &[f32]> {
        let frames = self.frames as usize;
        self.outputs.iter().map(move |channel| &channel[..frames])
    }

    /// Events that the last block sent.
    pub fn events_sent(&self) -> usize {
        self.events_out.as_slice().len()
    }

    /// Runs a block: what is counted and timed is the call and nothing else.
    pub fn run(&mut self, watch: &mut dyn Watch, trap_system_calls: bool) -> BlockResult {
        self.events_out.clear();
        let frames = self.frames as usize;
        // An array, for the blocks are counted one by one and a vector would be allocated for each.
        let inputs: [&[f32]; MAX_NODE_CHANNELS] =
            std::array::from_fn(|at| self.inputs.get(at).map_or(&[][..], |channel| &channel[..frames]));
        let used = self.inputs.len().min(MAX_NODE_CHANNELS);
        let mut cx = ProcessContext {
            frames: self.frames,
            transport: &self.transport,
            audio: AudioPorts {
                inputs: &inputs[..used],
                outputs: &mut self.outputs,
                silent_inputs: 0,
                silent_outputs: 0,
            },
            events_in: &self.events,
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        };
        let cpu_before = kmidi_sys::thread_cpu_time().ok();
        watch.begin(trap_system_calls);
        let start = Instant::now();
        certified_block(&mut *self.processor, &mut cx);
        let time = start.elapsed();
        let tally = watch.end();
        let cpu = cpu_before.and_then(|before| Some(kmidi_sys::thread_cpu_time().ok()? - before));
        let time = own_time(time, cpu, tally.voluntary_switches > 0);
        BlockResult { tally, time_ns: time.as_nanos() as u64 }
    }
}

/// The part of the time by the clock that is the block's own: where it did not wait itself, no more than the processor was
/// busy with it (and with the counting around it). What the machine did meanwhile for others says nothing of a plugin.
fn own_time(clock: Duration, cpu: Option<Duration>, has_waited: bool) -> Duration {
    match cpu {
        Some(cpu) if !has_waited => clock.min(cpu),
        _ => clock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_did_for_others_is_not_the_blocks_time_and_what_it_waited_for_is() {
        let ms = Duration::from_millis;
        assert_eq!(own_time(ms(80), Some(ms(2)), false), ms(2));
        assert_eq!(own_time(ms(80), Some(ms(2)), true), ms(80));
        assert_eq!(own_time(ms(1), Some(ms(2)), false), ms(1));
        assert_eq!(own_time(ms(80), None, false), ms(80));
    }
}
