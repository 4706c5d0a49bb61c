//! A delay, of sound or of notes, that tells its length as its latency. What its parameter says it takes up when it is activated; a change
//! while it runs makes it ask for that.

use std::ffi::CStr;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use clack_extensions::audio_ports::*;
use clack_extensions::latency::{PluginLatency, PluginLatencyImpl};
use clack_extensions::note_ports::*;
use clack_extensions::params::*;
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;
use clack_plugin::utils::Cookie;

use crate::held::HeldNotes;
use crate::parameters::{FRAMES, MAX_FRAMES};

pub struct Late;

pub struct Shared<'a> {
    host: HostSharedHandle<'a>,
    wanted: AtomicU32,
    /// What it was activated with.
    frames: AtomicU32,
    /// Not of sound.
    of_notes: bool,
}

impl<'a> Shared<'a> {
    pub fn new(host: HostSharedHandle<'a>, of_notes: bool) -> Self {
        Shared { host, wanted: AtomicU32::new(0), frames: AtomicU32::new(0), of_notes }
    }

    fn take(&self, events: &InputEvents<'_>) {
        for event in events {
            if let Some(CoreEventSpace::ParamValue(value)) = event.as_core_event()
                && value.param_id() == Some(ClapId::new(FRAMES))
            {
                self.wanted.store(value.value() as u32, Relaxed);
                if self.wanted.load(Relaxed) != self.frames.load(Relaxed) {
                    self.host.request_restart();
                }
            }
        }
    }
}

pub struct Main<'a>(pub &'a Shared<'a>);

impl<'a> PluginShared<'a> for Shared<'a> {}
impl<'a> PluginMainThread<'a, Shared<'a>> for Main<'a> {}

impl Plugin for Late {
    type AudioProcessor<'a> = Audio<'a>;
    type Shared<'a> = Shared<'a>;
    type MainThread<'a> = Main<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&Shared<'_>>) {
        builder.register::<PluginAudioPorts>().register::<PluginNotePorts>();
        builder.register::<PluginParams>().register::<PluginLatency>();
    }
}

pub struct Audio<'a> {
    shared: &'a Shared<'a>,
    lines: [Vec<f32>; 2],
    at: usize,
    notes: HeldNotes,
}

impl<'a> PluginAudioProcessor<'a, Shared<'a>, Main<'a>> for Audio<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &Main<'a>,
        shared: &'a Shared<'a>,
        _: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        let frames = shared.wanted.load(Relaxed).min(MAX_FRAMES);
        shared.frames.store(frames, Relaxed);
        let line = || vec![0.0; frames as usize];
        Ok(Audio { shared, lines: [line(), line()], at: 0, notes: HeldNotes::new(frames) })
    }

    fn process(
        &mut self,
        _: Process<'_>,
        mut audio: clack_plugin::process::Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        self.shared.take(events.input);
        if self.shared.of_notes {
            self.notes.pass(events.input, events.output, audio.frames_count());
            return Ok(ProcessStatus::Continue);
        }
        let frames = audio.frames_count() as usize;
        let length = self.lines[0].len();
        let Some(mut pair) = audio.port_pair(0) else { return Ok(ProcessStatus::Continue) };
        let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("32 bits"))?;
        for (channel, line) in channels.into_iter().zip(&mut self.lines) {
            let ChannelPair::InputOutput(from, to) = channel else { continue };
            if length == 0 {
                to.copy_from_slice(from);
                continue;
            }
            for (n, (to, from)) in to.iter_mut().zip(from).enumerate() {
                let cell = &mut line[(self.at + n) % length];
                *to = std::mem::replace(cell, *from);
            }
        }
        if length > 0 {
            self.at = (self.at + frames) % length;
        }
        // What many plugins say, whatever they still hold.
        Ok(ProcessStatus::ContinueIfNotQuiet)
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
        self.notes.forget();
    }
}

impl PluginLatencyImpl for Main<'_> {
    fn get(&self) -> u32 {
        self.0.frames.load(Relaxed)
    }
}

impl PluginAudioPortsImpl for Main<'_> {
    fn count(&self, _: bool) -> u32 {
        u32::from(!self.0.of_notes)
    }

    fn get(&self, _: u32, _: bool, writer: &mut AudioPortInfoWriter<'_>) {
        writer.set(&AudioPortInfo {
            id: ClapId::new(0),
            name: b"main",
            channel_count: 2,
            flags: AudioPortFlags::IS_MAIN,
            port_type: Some(AudioPortType::STEREO),
            in_place_pair: None,
        });
    }
}

impl PluginNotePortsImpl for Main<'_> {
    fn count(&self, _: bool) -> u32 {
        u32::from(self.0.of_notes)
    }

    fn get(&self, _: u32, _: bool, writer: &mut NotePortInfoWriter<'_>) {
        writer.set(&NotePortInfo {
            id: ClapId::new(0),
            name: b"notes",
            supported_dialects: NoteDialects::CLAP,
            preferred_dialect: Some(NoteDialect::Clap),
        });
    }
}

impl PluginMainThreadParams for Main<'_> {
    fn count(&self) -> u32 {
        1
    }

    fn get_info(&self, _: u32, info: &mut ParamInfoWriter<'_>) {
        info.set(&ParamInfo {
            id: ClapId::new(FRAMES),
            flags: ParamInfoFlags::IS_STEPPED,
            cookie: Cookie::empty(),
            name: b"Frames",
            module: b"",
            min_value: 0.0,
            max_value: MAX_FRAMES.into(),
            default_value: 0.0,
        });
    }

    fn get_value(&self, _: ClapId) -> Option<f64> {
        Some(self.0.wanted.load(Relaxed).into())
    }

    fn value_to_text(&self, _: ClapId, value: f64, text: &mut ParamDisplayWriter<'_>) -> std::fmt::Result {
        write!(text, "{value}")
    }

    fn text_to_value(&self, _: ClapId, text: &CStr) -> Option<f64> {
        text.to_str().ok()?.parse().ok()
    }

    fn flush(&self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        self.0.take(events);
    }
}

impl PluginAudioProcessorParams for Audio<'_> {
    fn flush(&mut self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        self.shared.take(events);
    }
}
