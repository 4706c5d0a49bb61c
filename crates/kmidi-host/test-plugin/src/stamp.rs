//! An instrument that is heard to know where the song is.

use clack_extensions::audio_ports::*;
use clack_extensions::note_ports::*;
use clack_plugin::events::event_types::{TransportEvent, TransportFlags};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;

use crate::STAMP_UNIT;

pub struct Stamp;

pub struct Main;

impl PluginMainThread<'_, ()> for Main {}

impl Plugin for Stamp {
    type AudioProcessor<'a> = Audio;
    type Shared<'a> = ();
    type MainThread<'a> = Main;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&()>) {
        builder.register::<PluginAudioPorts>().register::<PluginNotePorts>();
    }
}

pub struct Audio {
    sample_rate_hz: f64,
}

/// Where the song is at a frame of the quantum.
#[derive(Clone, Copy)]
struct Place {
    time: u32,
    seconds: f64,
    is_playing: bool,
}

impl Place {
    fn of(time: u32, transport: &TransportEvent) -> Self {
        Place {
            time,
            seconds: transport.song_pos_seconds.to_float(),
            is_playing: transport.flags.contains(TransportFlags::IS_PLAYING),
        }
    }

    /// The song's frame at another frame of the quantum.
    fn frame_at(&self, time: u32, sample_rate_hz: f64) -> f64 {
        let since = if self.is_playing { f64::from(time.saturating_sub(self.time)) } else { 0.0 };
        (self.seconds * sample_rate_hz).round() + since
    }
}

impl<'a> PluginAudioProcessor<'a, (), Main> for Audio {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &Main,
        _: &'a (),
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        Ok(Audio { sample_rate_hz: config.sample_rate })
    }

    fn process(
        &mut self,
        process: Process<'_>,
        mut audio: clack_plugin::process::Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        let Some(mut pair) = audio.port_pair(0) else { return Ok(ProcessStatus::Continue) };
        let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("32 bits"))?;
        for channel in channels {
            let ChannelPair::OutputOnly(out) = channel else { continue };
            out.fill(0.0);
            let mut place = process.transport.map(|it| Place::of(0, it));
            for event in events.input {
                match event.as_core_event() {
                    Some(CoreEventSpace::Transport(it)) => place = Some(Place::of(it.time(), it)),
                    Some(CoreEventSpace::NoteOn(it)) => {
                        let frame =
                            place.map_or(-1.0, |place| place.frame_at(it.time(), self.sample_rate_hz));
                        if let Some(sample) = out.get_mut(it.time() as usize) {
                            *sample = (frame + 1.0) as f32 * STAMP_UNIT;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(ProcessStatus::Continue)
    }
}

impl PluginAudioPortsImpl for Main {
    fn count(&self, is_input: bool) -> u32 {
        u32::from(!is_input)
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

impl PluginNotePortsImpl for Main {
    fn count(&self, is_input: bool) -> u32 {
        u32::from(is_input)
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
