//! The gain as a CLAP plugin: one parameter in decibels, stereo.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod audio;
mod main_thread;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use clack_extensions::audio_ports::PluginAudioPorts;
use clack_extensions::params::PluginParams;
use clack_extensions::state::PluginState;
use clack_plugin::entry::prelude::*;
use clack_plugin::events::UnknownEvent;
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::plugin::features::{AUDIO_EFFECT, STEREO, UTILITY};
use clack_plugin::prelude::*;
use kmidi_gain::{GAIN_DB, MAX_DB, SILENCE_DB};

use self::audio::GainAudio;
use self::main_thread::GainMain;

/// The id by which hosts know it.
pub const ID: &str = "org.kmidi.gain";

/// The plugin's type.
pub struct GainPlugin;

/// What its threads share: the parameter.
pub struct GainShared {
    gain_db: AtomicU64,
}

impl GainShared {
    fn gain_db(&self) -> f64 {
        f64::from_bits(self.gain_db.load(Relaxed))
    }

    /// What is no number is ignored, what is out of range moved to its end.
    fn set_gain_db(&self, gain_db: f64) {
        if !gain_db.is_nan() {
            self.gain_db.store(gain_db.clamp(SILENCE_DB, MAX_DB).to_bits(), Relaxed);
        }
    }
}

/// The time and the value of a change of the parameter; `None` of any other event.
fn gain_change(event: &UnknownEvent) -> Option<(u32, f64)> {
    match event.as_core_event()? {
        CoreEventSpace::ParamValue(it) if it.param_id()?.get() == GAIN_DB => {
            Some((event.header().time(), it.value()))
        }
        _ => None,
    }
}

impl PluginShared<'_> for GainShared {}

impl Plugin for GainPlugin {
    type AudioProcessor<'a> = GainAudio<'a>;
    type Shared<'a> = GainShared;
    type MainThread<'a> = GainMain<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&GainShared>) {
        builder.register::<PluginAudioPorts>().register::<PluginParams>().register::<PluginState>();
    }
}

impl DefaultPluginFactory for GainPlugin {
    fn get_descriptor() -> PluginDescriptor {
        PluginDescriptor::new(ID, "KmiDi Gain")
            .with_vendor("KmiDi")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_description(env!("CARGO_PKG_DESCRIPTION"))
            .with_features([AUDIO_EFFECT, UTILITY, STEREO])
    }

    fn new_shared(_: HostSharedHandle<'_>) -> Result<GainShared, PluginError> {
        Ok(GainShared { gain_db: AtomicU64::new(0.0f64.to_bits()) })
    }

    fn new_main_thread<'a>(
        _: HostMainThreadHandle<'a>,
        shared: &'a GainShared,
    ) -> Result<GainMain<'a>, PluginError> {
        Ok(GainMain { shared })
    }
}

clack_plugin::clack_export_entry!(SinglePluginEntry<GainPlugin>);
