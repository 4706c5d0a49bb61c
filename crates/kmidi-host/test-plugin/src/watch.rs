//! What a watching plugin writes down, and the rules it holds its host to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use clack_extensions::audio_ports::PluginAudioPorts;
use clack_extensions::latency::PluginLatency;
use clack_extensions::note_ports::PluginNotePorts;
use clack_extensions::params::PluginParams;
use clack_extensions::preset_discovery::PluginPresetLoad;
use clack_extensions::render::PluginRender;
use clack_extensions::state::PluginState;
use clack_extensions::tail::PluginTail;
use clack_extensions::thread_check::HostThreadCheck;
use clack_extensions::timer::PluginTimer;
use clack_plugin::prelude::*;

use crate::audio::ProbeAudio;
use crate::main_thread::ProbeMain;

/// Notes that are kept; a watching plugin in a long test must not fill the memory.
const MAX_NOTES: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialects {
    Clap,
    Midi,
    Both,
    Mpe,
}

pub struct Probe;

impl Plugin for Probe {
    type AudioProcessor<'a> = ProbeAudio<'a>;
    type Shared<'a> = Watch<'a>;
    type MainThread<'a> = ProbeMain<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _: Option<&Watch<'_>>) {
        builder
            .register::<PluginAudioPorts>()
            .register::<PluginNotePorts>()
            .register::<PluginParams>()
            .register::<PluginState>()
            .register::<PluginLatency>()
            .register::<PluginTail>()
            .register::<PluginRender>()
            .register::<PluginTimer>()
            .register::<PluginPresetLoad>();
    }
}

/// Which thread a call belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum On {
    Main,
    Audio,
}

/// Seen from every thread.
pub struct Watch<'a> {
    pub host: HostSharedHandle<'a>,
    pub dialects: Dialects,
    pub has_audio: bool,
    pub notes: Mutex<Vec<String>>,
    pub is_active: AtomicBool,
    /// To be said on the main thread.
    pub has_changed: AtomicBool,
    pub is_processing: AtomicBool,
    /// Values of the parameters, by id up to 6.
    pub values: [AtomicU64; 7],
    pub latency: AtomicU32,
}

impl<'a> PluginShared<'a> for Watch<'a> {}

impl<'a> Watch<'a> {
    pub fn new(host: HostSharedHandle<'a>, dialects: Dialects, has_audio: bool) -> Self {
        let values = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0f64];
        Watch {
            host,
            dialects,
            has_audio,
            notes: Mutex::default(),
            is_active: AtomicBool::new(false),
            has_changed: AtomicBool::new(false),
            is_processing: AtomicBool::new(false),
            values: values.map(|value| AtomicU64::new(value.to_bits())),
            latency: AtomicU32::new(0),
        }
    }

    pub fn note(&self, text: impl Into<String>) {
        let mut notes = self.notes.lock().unwrap();
        if notes.len() < MAX_NOTES {
            notes.push(text.into());
        }
    }

    pub fn value(&self, id: u32) -> f64 {
        self.values.get(id as usize).map_or(0.0, |value| f64::from_bits(value.load(SeqCst)))
    }

    pub fn set_value(&self, id: u32, value: f64) {
        if let Some(at) = self.values.get(id as usize) {
            at.store(value.to_bits(), SeqCst);
        }
    }

    /// Writes down a violation if this is not the thread for `call`.
    pub fn expect(&self, call: &str, on: On) {
        let Some(check) = self.host.get_extension::<HostThreadCheck>() else {
            return self.note("violation: no thread-check");
        };
        let main = check.is_main_thread(&self.host) == Some(true);
        let audio = check.is_audio_thread(&self.host) == Some(true);
        if (main, audio) != (on == On::Main, on == On::Audio) {
            self.note(format!("violation: {call} with main {main} audio {audio}"));
        }
    }

    /// Writes down a violation if the states are others.
    pub fn expect_state(&self, call: &str, active: Option<bool>, processing: Option<bool>) {
        let is = (self.is_active.load(SeqCst), self.is_processing.load(SeqCst));
        if active.is_some_and(|it| it != is.0) || processing.is_some_and(|it| it != is.1) {
            self.note(format!("violation: {call} while active {} processing {}", is.0, is.1));
        }
    }
}
