//! An instrument of several outputs, each of which holds a level of its own.

use clack_extensions::audio_ports::*;
use clack_plugin::prelude::*;

use crate::MULTI_LEVELS;

pub struct Multi;

pub struct Main;

impl PluginMainThread<'_, ()> for Main {}

impl Plugin for Multi {
    type AudioProcessor<'a> = Audio;
    type Shared<'a> = ();
    type MainThread<'a> = Main;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&()>) {
        builder.register::<PluginAudioPorts>();
    }
}

pub struct Audio;

impl<'a> PluginAudioProcessor<'a, (), Main> for Audio {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &Main,
        _: &'a (),
        _: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        Ok(Audio)
    }

    fn process(
        &mut self,
        _: Process<'_>,
        mut audio: clack_plugin::process::Audio<'_>,
        _: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        for (mut pair, levels) in audio.port_pairs().zip(MULTI_LEVELS) {
            let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("32 bits"))?;
            for (channel, level) in channels.into_iter().zip(levels) {
                if let ChannelPair::OutputOnly(out) = channel {
                    out.fill(*level);
                }
            }
        }
        Ok(ProcessStatus::Continue)
    }
}

impl PluginAudioPortsImpl for Main {
    fn count(&self, is_input: bool) -> u32 {
        if is_input { 0 } else { MULTI_LEVELS.len() as u32 }
    }

    fn get(&self, index: u32, _: bool, writer: &mut AudioPortInfoWriter<'_>) {
        let Some(levels) = MULTI_LEVELS.get(index as usize) else { return };
        writer.set(&AudioPortInfo {
            id: ClapId::new(index),
            name: b"output",
            channel_count: levels.len() as u32,
            flags: if index == 0 { AudioPortFlags::IS_MAIN } else { AudioPortFlags::empty() },
            port_type: None,
            in_place_pair: None,
        });
    }
}
