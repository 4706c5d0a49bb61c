//! The half on the audio thread.

use clack_extensions::tail::{PluginTailImpl, TailLength};
use clack_plugin::events::UnknownEvent;
use clack_plugin::events::event_types::MidiSysExEvent;
use clack_plugin::events::io::InputEvents;
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;
use kmidi_core::limits::MAX_EVENTS_PER_QUANTUM;
use kmidi_core::{
    AudioBuffer, AudioPorts, Event, EventBuffer, ProcessContext, ProcessStatus as NodeStatus, Processor,
    SysExPool, TimedEvent, Transport,
};
use kmidi_soundfont::{Synth, SynthConfig, synth};

use crate::SynthShared;
use crate::main_thread::SynthMain;

/// Channels of its only audio port.
pub const CHANNELS: usize = 2;

/// The synthesiser at work.
pub struct SynthAudio<'a> {
    shared: &'a SynthShared<'a>,
    synth: Synth,
    outputs: [AudioBuffer; CHANNELS],
    events: EventBuffer,
    events_out: EventBuffer,
    sysex: SysExPool,
    transport: Transport,
}

impl<'a> PluginAudioProcessor<'a, SynthShared<'a>, SynthMain<'a>> for SynthAudio<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        main: &SynthMain<'a>,
        shared: &'a SynthShared<'a>,
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        let (handle, synth) = synth(SynthConfig::new(config.sample_rate as u32));
        main.connect(handle);
        Ok(SynthAudio {
            shared,
            synth,
            outputs: std::array::from_fn(|_| AudioBuffer::silent(config.max_frames_count as usize)),
            events: EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM),
            events_out: EventBuffer::with_capacity(0),
            sysex: SysExPool::new(),
            transport: Transport::default(),
        })
    }

    fn deactivate(self, main: &SynthMain<'a>) {
        drop(self.synth);
        main.disconnect();
    }

    fn process(
        &mut self,
        _: Process<'_>,
        mut audio: Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        let frames = audio.frames_count() as usize;
        if frames > self.outputs[0].len() {
            return Err(PluginError::Message("the block is longer than was said"));
        }
        self.take_events(events.input, frames);
        let (status, silent) = self.run(frames);
        let mut port = audio.output_port(0).ok_or(PluginError::Message("no port"))?;
        let mut channels = port.channels()?.into_f32().ok_or(PluginError::Message("not 32 bits"))?;
        for (from, to) in self.outputs.iter().zip(channels.iter_mut()) {
            to.copy_from_slice(&from[..frames]);
        }
        for port in audio.raw_output_buffers() {
            port.constant_mask = silent;
        }
        Ok(status)
    }

    fn reset(&mut self) {
        self.synth.reset();
    }
}

impl SynthAudio<'_> {
    fn take_events(&mut self, events: &InputEvents<'_>, frames: usize) {
        self.events.clear();
        let last_frame = (frames as u32).saturating_sub(1);
        let mut asks_for_preset = false;
        for from in events {
            let Some(event) = translated(from, &mut self.sysex) else { continue };
            asks_for_preset |= matches!(event, Event::ProgramChange { .. });
            let time = from.header().time().min(last_frame);
            // One that has no room is counted by the buffer; what ends sound has room kept for it.
            let _ = self.events.push(TimedEvent { time, port: 0, event });
        }
        if asks_for_preset {
            // Where the SoundFont has it not, the main thread finds another in its place.
            self.shared.host.request_callback();
        }
    }

    fn run(&mut self, frames: usize) -> (ProcessStatus, u64) {
        let mut cx = ProcessContext {
            frames: frames as u32,
            transport: &self.transport,
            audio: AudioPorts {
                inputs: &[],
                outputs: &mut self.outputs,
                silent_inputs: 0,
                silent_outputs: 0,
            },
            events_in: self.events.as_slice(),
            events_out: &mut self.events_out,
            sysex: &mut self.sysex,
        };
        let status = match self.synth.process(&mut cx) {
            NodeStatus::Continue => ProcessStatus::Continue,
            NodeStatus::Sleep => ProcessStatus::Sleep,
        };
        (status, cx.audio.silent_outputs & ((1 << CHANNELS) - 1))
    }
}

/// A MIDI message as the synthesiser takes it; `None` of anything else.
fn translated(event: &UnknownEvent, sysex: &mut SysExPool) -> Option<Event> {
    match event.as_core_event()? {
        CoreEventSpace::Midi(midi) => {
            let bytes = midi.data();
            // What is behind a message of two bytes means nothing.
            let len = if matches!(bytes[0] & 0xf0, 0xc0 | 0xd0) { 2 } else { 3 };
            Event::from_midi1(&bytes[..len])
        }
        CoreEventSpace::MidiSysEx(message) => sysex.push(bytes_of(message)).map(Event::SysEx),
        _ => None,
    }
}

#[allow(unsafe_code, reason = "the bytes are behind a pointer of the host's")]
fn bytes_of(message: &MidiSysExEvent) -> &[u8] {
    if message.buffer_ptr().is_null() {
        return &[];
    }
    // SAFETY: the host keeps as many bytes as it says there until the block is over (CLAP), which is longer than the event
    // is borrowed; the pointer is not null.
    unsafe { message.data() }
}

impl PluginTailImpl for SynthAudio<'_> {
    /// Releases may last as long as a SoundFont says.
    fn get(&self) -> TailLength {
        TailLength::Infinite
    }
}
