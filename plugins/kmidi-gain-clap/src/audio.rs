//! The half on the audio thread.

use clack_extensions::params::PluginAudioProcessorParams;
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::prelude::*;
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus as NodeStatus, Processor,
    SysExPool, TimedEvent, Transport,
};
use kmidi_gain::{GAIN_DB, Gain};

use crate::main_thread::GainMain;
use crate::{GainShared, gain_change};

/// Channels of its only port.
pub const CHANNELS: usize = 2;
/// Changes of the parameter in one block; later ones are passed over but for the last, with which the next block begins.
const MAX_CHANGES: usize = 256;

/// The gain at work.
pub struct GainAudio<'a> {
    shared: &'a GainShared,
    gain: Gain,
    /// What the gain was last told.
    gain_db: f64,
    inputs: [Vec<f32>; CHANNELS],
    outputs: [AudioBuffer; CHANNELS],
    changes: EventBuffer,
    events_out: EventBuffer,
    sysex: SysExPool,
    transport: Transport,
}

impl<'a> PluginAudioProcessor<'a, GainShared, GainMain<'a>> for GainAudio<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &GainMain<'a>,
        shared: &'a GainShared,
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        let frames = config.max_frames_count as usize;
        let gain_db = shared.gain_db();
        Ok(GainAudio {
            shared,
            gain: Gain::new(gain_db, config.sample_rate as u32),
            gain_db,
            inputs: std::array::from_fn(|_| vec![0.0; frames]),
            outputs: std::array::from_fn(|_| AudioBuffer::silent(frames)),
            changes: EventBuffer::with_capacity(MAX_CHANGES),
            events_out: EventBuffer::with_capacity(0),
            sysex: SysExPool::new(),
            transport: Transport::default(),
        })
    }

    fn process(
        &mut self,
        _: Process<'_>,
        mut audio: Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        let frames = audio.frames_count() as usize;
        if frames > self.inputs[0].len() {
            return Err(PluginError::Message("the block is longer than was said"));
        }
        let silent_inputs = self.take_input(&mut audio, frames)?;
        self.take_changes(events.input, frames);
        let (status, silent_outputs) = self.run(frames, silent_inputs);
        self.give_output(&mut audio, frames)?;
        for port in audio.raw_output_buffers() {
            port.constant_mask = silent_outputs;
        }
        Ok(status)
    }

    fn reset(&mut self) {
        self.gain.reset();
    }
}

impl GainAudio<'_> {
    /// Copies the block in; the mask of the channels that are known to be zero.
    fn take_input(&mut self, audio: &mut Audio<'_>, frames: usize) -> Result<u64, PluginError> {
        let mut silent = 0;
        let constant = audio.input_port_info(0).map_or(0, |port| port.constant_mask().to_bits());
        let mut pair = audio.port_pair(0).ok_or(PluginError::Message("no port"))?;
        let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("not 32 bits"))?;
        for ((at, to), channel) in self.inputs.iter_mut().enumerate().zip(channels) {
            match channel {
                ChannelPair::InputOnly(from) | ChannelPair::InputOutput(from, _) => {
                    to[..frames].copy_from_slice(from);
                }
                ChannelPair::InPlace(from) => to[..frames].copy_from_slice(from),
                ChannelPair::OutputOnly(_) => to[..frames].fill(0.0),
            }
            if constant >> at & 1 == 1 && to[..frames].iter().all(|sample| *sample == 0.0) {
                silent |= 1 << at;
            }
        }
        Ok(silent)
    }

    /// The changes of this block, after what the main thread set meanwhile.
    fn take_changes(&mut self, events: &InputEvents<'_>, frames: usize) {
        self.changes.clear();
        let set = self.shared.gain_db();
        if set != self.gain_db {
            self.change(0, set);
        }
        let last_frame = (frames as u32).saturating_sub(1);
        for (time, gain_db) in events.iter().filter_map(gain_change) {
            self.shared.set_gain_db(gain_db);
            self.change(time.min(last_frame), self.shared.gain_db());
        }
    }

    fn change(&mut self, time: u32, value: f64) {
        let event = Event::Parameter { id: GAIN_DB, value };
        // One that has no room is set at the next block: it is not what the gain was last told.
        if self.changes.push(TimedEvent { time, port: 0, event }).is_ok() {
            self.gain_db = value;
        }
    }

    fn run(&mut self, frames: usize, silent_inputs: u64) -> (ProcessStatus, u64) {
        let inputs = self.inputs.each_ref().map(|channel| &channel[..frames]);
        let audio =
            AudioPorts { inputs: &inputs, outputs: &mut self.outputs, silent_inputs, silent_outputs: 0 };
        let mut cx = ProcessContext {
            frames: frames as u32,
            transport: &self.transport,
            audio,
            events_in: self.changes.as_slice(),
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        };
        let status = match self.gain.process(&mut cx) {
            NodeStatus::Continue => ProcessStatus::Continue,
            NodeStatus::Sleep => ProcessStatus::Sleep,
        };
        (status, cx.audio.silent_outputs & ((1 << CHANNELS) - 1))
    }

    fn give_output(&mut self, audio: &mut Audio<'_>, frames: usize) -> Result<(), PluginError> {
        let mut pair = audio.port_pair(0).ok_or(PluginError::Message("no port"))?;
        let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("not 32 bits"))?;
        for (from, channel) in self.outputs.iter().zip(channels) {
            match channel {
                ChannelPair::OutputOnly(to) | ChannelPair::InputOutput(_, to) | ChannelPair::InPlace(to) => {
                    to.copy_from_slice(&from[..frames]);
                }
                ChannelPair::InputOnly(_) => {}
            }
        }
        Ok(())
    }
}

impl PluginAudioProcessorParams for GainAudio<'_> {
    fn flush(&mut self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        events.iter().filter_map(gain_change).for_each(|(_, gain_db)| self.shared.set_gain_db(gain_db));
    }
}
