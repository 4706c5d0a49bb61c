//! A plugin that does so little that its host can be measured.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use clack_extensions::audio_ports::*;
use clack_extensions::params::*;
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;
use clack_plugin::utils::Cookie;
use std::ffi::CStr;
use std::fmt::Write;
use std::time::Duration;

pub struct Gain;

/// The bits of the factor, how long it takes to be activated, its channels, and whether it is never twice the same.
pub struct Shared(AtomicU32, Duration, u32, bool);

impl Shared {
    pub fn new(wakes: Duration, channels: u32, is_moody: bool) -> Self {
        Shared(AtomicU32::new(1.0f32.to_bits()), wakes, channels, is_moody)
    }
}

/// Quanta of all moody ones in this process.
static MOODS: AtomicU32 = AtomicU32::new(0);

pub struct Main<'a>(pub &'a Shared);

impl PluginShared<'_> for Shared {}
impl<'a> PluginMainThread<'a, Shared> for Main<'a> {}

impl Plugin for Gain {
    type AudioProcessor<'a> = Audio<'a>;
    type Shared<'a> = Shared;
    type MainThread<'a> = Main<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&Shared>) {
        builder.register::<PluginAudioPorts>().register::<PluginParams>();
    }
}

pub struct Audio<'a>(&'a Shared);

fn take(shared: &Shared, events: &InputEvents<'_>) {
    for event in events {
        if let Some(CoreEventSpace::ParamValue(value)) = event.as_core_event() {
            shared.0.store((value.value() as f32).to_bits(), Relaxed);
        }
    }
}

impl<'a> PluginAudioProcessor<'a, Shared, Main<'a>> for Audio<'a> {
    fn activate(
        _: HostAudioProcessorHandle<'a>,
        _: &Main<'a>,
        shared: &'a Shared,
        _: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        if !shared.1.is_zero() {
            std::thread::sleep(shared.1);
        }
        Ok(Audio(shared))
    }

    fn process(
        &mut self,
        _: Process<'_>,
        mut audio: clack_plugin::process::Audio<'_>,
        events: Events<'_>,
    ) -> Result<ProcessStatus, PluginError> {
        take(self.0, events.input);
        let mut gain = f32::from_bits(self.0.0.load(Relaxed));
        if self.0.3 {
            gain *= 1.0 / (1.0 + MOODS.fetch_add(1, Relaxed) as f32);
        }
        for mut pair in audio.port_pairs() {
            let channels = pair.channels()?.into_f32().ok_or(PluginError::Message("32 bits"))?;
            for channel in channels {
                if let ChannelPair::InputOutput(from, to) = channel {
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = from * gain);
                }
            }
        }
        Ok(ProcessStatus::Continue)
    }
}

impl PluginAudioPortsImpl for Main<'_> {
    fn count(&self, _: bool) -> u32 {
        1
    }

    fn get(&self, _: u32, _: bool, writer: &mut AudioPortInfoWriter<'_>) {
        writer.set(&AudioPortInfo {
            id: ClapId::new(0),
            name: b"main",
            channel_count: self.0.2,
            flags: AudioPortFlags::IS_MAIN,
            port_type: None,
            in_place_pair: None,
        });
    }
}

impl PluginMainThreadParams for Main<'_> {
    fn count(&self) -> u32 {
        1
    }

    fn get_info(&self, _: u32, info: &mut ParamInfoWriter<'_>) {
        info.set(&ParamInfo {
            id: ClapId::new(1),
            flags: ParamInfoFlags::IS_AUTOMATABLE,
            cookie: Cookie::empty(),
            name: b"Gain",
            module: b"",
            min_value: 0.0,
            max_value: 2.0,
            default_value: 1.0,
        });
    }

    fn get_value(&self, _: ClapId) -> Option<f64> {
        Some(f32::from_bits(self.0.0.load(Relaxed)).into())
    }

    fn value_to_text(&self, _: ClapId, value: f64, text: &mut ParamDisplayWriter<'_>) -> std::fmt::Result {
        write!(text, "{value}")
    }

    fn text_to_value(&self, _: ClapId, _: &CStr) -> Option<f64> {
        None
    }

    fn flush(&self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        take(self.0, events);
    }
}

impl PluginAudioProcessorParams for Audio<'_> {
    fn flush(&mut self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        take(self.0, events);
    }
}
