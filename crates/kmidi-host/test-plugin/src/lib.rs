//! CLAP plugins that watch their host: they write down every event, every call on a wrong thread and every call in a wrong
//! state, do what hostile plugins do when asked, and give the notes away as their state.
#![deny(clippy::undocumented_unsafe_blocks)]
#![warn(missing_docs)]

mod audio;
mod gain;
mod held;
mod late;
mod main_thread;
mod multi;
mod presets;
mod shift;
mod stamp;
mod watch;

use std::ffi::CStr;
use std::time::Duration;

use clack_plugin::entry::prelude::*;
use clack_plugin::plugin::features::{AUDIO_EFFECT, INSTRUMENT, NOTE_EFFECT};
use clack_plugin::prelude::*;

use clack_extensions::preset_discovery::prelude::PresetDiscoveryFactoryWrapper;

use self::gain::Gain;
use self::main_thread::ProbeMain;
pub use self::presets::folder as preset_folder;
use self::watch::{Dialects, Watch};

/// Ids of the plugins in this file.
pub mod ids {
    /// Watches, and knows CLAP notes alone.
    pub const CLAP: &str = "test.probe.clap";
    /// Watches, and knows MIDI alone.
    pub const MIDI: &str = "test.probe.midi";
    /// Watches, knows both and likes CLAP notes better.
    pub const BOTH: &str = "test.probe.both";
    /// Watches, and knows MPE alone.
    pub const MPE: &str = "test.probe.mpe";
    /// Watches, knows MIDI alone and has no audio.
    pub const NOTES: &str = "test.probe.notes";
    /// Does not start.
    pub const BROKEN: &str = "test.broken";
    /// Multiplies by its parameter and does nothing else.
    pub const GAIN: &str = "test.gain";
    /// The same, after two seconds that it needs to be activated.
    pub const SLOW: &str = "test.slow";
    /// The same as [`GAIN`], of one channel.
    pub const MONO: &str = "test.mono";
    /// The same as [`GAIN`], and softer with each quantum that any of it has run in this process.
    pub const MOODY: &str = "test.moody";
    /// A delay that tells its length as its latency.
    pub const LATE: &str = "test.late";
    /// The same for notes; it has no audio.
    pub const LATE_NOTES: &str = "test.late.notes";
    /// Plays a single sample for each note: where the song is there, as it is told.
    pub const STAMP: &str = "test.stamp";
    /// Sends all to the channel after its own; it has no audio.
    pub const SHIFT: &str = "test.shift";
    /// Several outputs, each of which holds a level.
    pub const MULTI: &str = "test.multi";
}

/// What the output ports of [`ids::MULTI`] hold, by channels.
pub const MULTI_LEVELS: [&[f32]; 3] = [&[0.125, 0.125], &[0.25, 0.375], &[0.5]];

/// What [`ids::STAMP`] plays at a note is this times the song's frame there, counted from 1: far below full scale.
pub const STAMP_UNIT: f32 = 1.0 / (1 << 20) as f32;

/// Parameters of the watching plugins.
pub mod parameters {
    /// Factor from input to output.
    pub const GAIN: u32 = 1;
    /// One of three names.
    pub const MODE: u32 = 2;
    /// What to do at the next quantum: one of [`super::deeds`].
    pub const DEED: u32 = 3;
    /// Latency in frames.
    pub const LATENCY: u32 = 4;
    /// What to return: 0 error, 1 continue, 2 continue if not quiet, 3 tail, 4 sleep.
    pub const STATUS: u32 = 5;
    /// Set by the plugin: quanta that it was called in.
    pub const CALLS: u32 = 6;
    /// Of [`super::ids::LATE`] and [`super::ids::LATE_NOTES`]: the latency in frames, from the next activation on.
    pub const FRAMES: u32 = 1;
    /// The highest value of it.
    pub const MAX_FRAMES: u32 = 4096;
    /// The greatest id that a parameter can have.
    pub const LAST: u32 = u32::MAX - 1;
}

/// What a watching plugin does when asked.
pub mod deeds {
    /// Sends a hundred thousand events, and some that are none.
    pub const FLOOD: f64 = 1.0;
    /// Logs a line, a long one, one that is not UTF-8 and a null pointer.
    pub const LOG: f64 = 2.0;
    /// Leaves the thread's floating-point modes changed.
    pub const MODES: f64 = 3.0;
    /// Asks to be activated anew.
    pub const RESTART: f64 = 4.0;
    /// Says that its output holds one value.
    pub const CONSTANT: f64 = 5.0;
    /// Changes its state and, on the main thread, says so.
    pub const CHANGE: f64 = 7.0;
    /// Calls what is for the main thread from the audio thread.
    pub const WRONG_THREAD: f64 = 6.0;
}

/// The file.
pub struct TestEntry {
    plugins: PluginFactoryWrapper<TestFactory>,
    presets: PresetDiscoveryFactoryWrapper<presets::Factory>,
}

impl Entry for TestEntry {
    fn new(_: Option<&CStr>) -> Result<Self, EntryLoadError> {
        Ok(TestEntry {
            plugins: PluginFactoryWrapper::new(TestFactory::new()),
            presets: PresetDiscoveryFactoryWrapper::new(presets::Factory::new()),
        })
    }

    fn declare_factories<'a>(&'a self, builder: &mut EntryFactories<'a>) {
        builder.register_factory(&self.plugins).register_factory(&self.presets);
    }
}

struct TestFactory {
    descriptors: Vec<(&'static str, PluginDescriptor)>,
}

impl TestFactory {
    fn new() -> Self {
        let all = [
            ids::BROKEN,
            ids::CLAP,
            ids::MIDI,
            ids::BOTH,
            ids::MPE,
            ids::NOTES,
            ids::GAIN,
            ids::SLOW,
            ids::MONO,
            ids::MOODY,
            ids::LATE,
            ids::LATE_NOTES,
            ids::STAMP,
            ids::MULTI,
            ids::SHIFT,
        ];
        let descriptor = |id: &'static str| {
            let feature = match id {
                ids::GAIN | ids::SLOW | ids::MONO | ids::MOODY | ids::LATE => AUDIO_EFFECT,
                ids::LATE_NOTES | ids::SHIFT => NOTE_EFFECT,
                _ => INSTRUMENT,
            };
            let descriptor = PluginDescriptor::new(id, "Test").with_vendor("KmiDi").with_version("1.2.3");
            (id, descriptor.with_features([feature]))
        };
        TestFactory { descriptors: all.into_iter().map(descriptor).collect() }
    }
}

impl PluginFactoryImpl for TestFactory {
    fn plugin_count(&self) -> u32 {
        self.descriptors.len() as u32
    }

    fn plugin_descriptor(&self, index: u32) -> Option<&PluginDescriptor> {
        self.descriptors.get(index as usize).map(|(_, descriptor)| descriptor)
    }

    fn create_plugin<'a>(&'a self, host: HostInfo<'a>, id: &CStr) -> Option<PluginInstance<'a>> {
        let (id, descriptor) = self.descriptors.iter().find(|(it, _)| it.as_bytes() == id.to_bytes())?;
        let dialects = match *id {
            ids::LATE | ids::LATE_NOTES => {
                let of_notes = *id == ids::LATE_NOTES;
                let shared = move |host: HostSharedHandle<'a>| Ok(late::Shared::new(host, of_notes));
                let main = |_: HostMainThreadHandle<'a>, shared| Ok(late::Main(shared));
                return Some(PluginInstance::new::<late::Late>(host, descriptor, shared, main));
            }
            ids::MULTI => {
                let main = |_: HostMainThreadHandle<'a>, _: &'a ()| Ok(multi::Main);
                return Some(PluginInstance::new::<multi::Multi>(host, descriptor, |_| Ok(()), main));
            }
            ids::SHIFT => {
                let main = |_: HostMainThreadHandle<'a>, _: &'a ()| Ok(shift::Main);
                return Some(PluginInstance::new::<shift::Shift>(host, descriptor, |_| Ok(()), main));
            }
            ids::STAMP => {
                let main = |_: HostMainThreadHandle<'a>, _: &'a ()| Ok(stamp::Main);
                return Some(PluginInstance::new::<stamp::Stamp>(host, descriptor, |_| Ok(()), main));
            }
            ids::GAIN | ids::SLOW | ids::MONO | ids::MOODY => {
                let channels = if *id == ids::MONO { 1 } else { 2 };
                let wakes = Duration::from_secs(if *id == ids::SLOW { 2 } else { 0 });
                let is_moody = *id == ids::MOODY;
                let shared = move |_: HostSharedHandle<'a>| Ok(gain::Shared::new(wakes, channels, is_moody));
                let main = |_: HostMainThreadHandle<'a>, shared| Ok(gain::Main(shared));
                return Some(PluginInstance::new::<Gain>(host, descriptor, shared, main));
            }
            ids::BROKEN => {
                let shared = |_: HostSharedHandle<'a>| Err(PluginError::Message("broken on purpose"));
                let main = |_: HostMainThreadHandle<'a>, shared| Ok(gain::Main(shared));
                return Some(PluginInstance::new::<Gain>(host, descriptor, shared, main));
            }
            ids::CLAP => Dialects::Clap,
            ids::MIDI | ids::NOTES => Dialects::Midi,
            ids::MPE => Dialects::Mpe,
            _ => Dialects::Both,
        };
        let has_audio = *id != ids::NOTES;
        Some(PluginInstance::new::<watch::Probe>(
            host,
            descriptor,
            move |host| Ok(Watch::new(host, dialects, has_audio)),
            ProbeMain::new,
        ))
    }
}

clack_plugin::clack_export_entry!(TestEntry);
