//! The SoundFont synthesiser as a CLAP plugin: 16 channels of MIDI in, stereo out.
//!
//! Its presets are SoundFont files; which one it plays is its state. All presets of the file are loaded when it is chosen,
//! so that what is heard does not depend on how fast they come.
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod audio;
mod main_thread;
mod presets;

use std::ffi::CStr;

use clack_extensions::audio_ports::PluginAudioPorts;
use clack_extensions::note_ports::PluginNotePorts;
use clack_extensions::preset_discovery::PluginPresetLoad;
use clack_extensions::preset_discovery::prelude::PresetDiscoveryFactoryWrapper;
use clack_extensions::state::PluginState;
use clack_extensions::tail::PluginTail;
use clack_plugin::entry::prelude::*;
use clack_plugin::plugin::features::{INSTRUMENT, SAMPLER, STEREO, SYNTHESIZER};
use clack_plugin::prelude::*;

use self::audio::SynthAudio;
use self::main_thread::SynthMain;

pub use self::main_thread::state_of;

/// The id by which hosts know it.
pub const ID: &str = "org.kmidi.soundfont";

/// The plugin's type.
pub struct SoundFontPlugin;

/// What its threads share: the way to the host.
pub struct SynthShared<'a> {
    host: HostSharedHandle<'a>,
}

impl<'a> PluginShared<'a> for SynthShared<'a> {}

impl Plugin for SoundFontPlugin {
    type AudioProcessor<'a> = SynthAudio<'a>;
    type Shared<'a> = SynthShared<'a>;
    type MainThread<'a> = SynthMain<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&SynthShared<'_>>) {
        builder
            .register::<PluginAudioPorts>()
            .register::<PluginNotePorts>()
            .register::<PluginState>()
            .register::<PluginTail>()
            .register::<PluginPresetLoad>();
    }
}

/// The file: the plugin and the SoundFonts that it finds.
pub struct SoundFontEntry {
    plugins: PluginFactoryWrapper<Factory>,
    presets: PresetDiscoveryFactoryWrapper<presets::Factory>,
}

impl Entry for SoundFontEntry {
    fn new(_: Option<&CStr>) -> Result<Self, EntryLoadError> {
        let descriptor = PluginDescriptor::new(ID, "KmiDi SoundFont")
            .with_vendor("KmiDi")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_description(env!("CARGO_PKG_DESCRIPTION"))
            .with_features([INSTRUMENT, SYNTHESIZER, SAMPLER, STEREO]);
        Ok(SoundFontEntry {
            plugins: PluginFactoryWrapper::new(Factory { descriptor }),
            presets: PresetDiscoveryFactoryWrapper::new(presets::Factory::new()),
        })
    }

    fn declare_factories<'a>(&'a self, builder: &mut EntryFactories<'a>) {
        builder.register_factory(&self.plugins).register_factory(&self.presets);
    }
}

struct Factory {
    descriptor: PluginDescriptor,
}

impl PluginFactoryImpl for Factory {
    fn plugin_count(&self) -> u32 {
        1
    }

    fn plugin_descriptor(&self, index: u32) -> Option<&PluginDescriptor> {
        (index == 0).then_some(&self.descriptor)
    }

    fn create_plugin<'a>(&'a self, host: HostInfo<'a>, id: &CStr) -> Option<PluginInstance<'a>> {
        if id.to_bytes() != ID.as_bytes() {
            return None;
        }
        let shared = |host| Ok(SynthShared { host });
        let main = |_: HostMainThreadHandle<'a>, shared| Ok(SynthMain::new(shared));
        Some(PluginInstance::new::<SoundFontPlugin>(host, &self.descriptor, shared, main))
    }
}

clack_plugin::clack_export_entry!(SoundFontEntry);
