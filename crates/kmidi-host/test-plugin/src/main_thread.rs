//! The main half of a watching plugin.

use std::cell::Cell;
use std::ffi::CStr;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::sync::atomic::Ordering::SeqCst;

use clack_extensions::audio_ports::*;
use clack_extensions::latency::{HostLatency, PluginLatencyImpl};
use clack_extensions::note_ports::*;
use clack_extensions::params::*;
use clack_extensions::preset_discovery::PluginPresetLoadImpl;
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::render::{PluginRenderImpl, RenderMode};
use clack_extensions::state::{HostState, PluginStateImpl};
use clack_extensions::timer::{HostTimer, PluginTimerImpl, TimerId};
use clack_plugin::events::io::{InputEvents, OutputEvents};
use clack_plugin::events::spaces::CoreEventSpace;
use clack_plugin::prelude::*;
use clack_plugin::stream::{InputStream, OutputStream};
use clack_plugin::utils::Cookie;

use crate::parameters;
use crate::watch::{Dialects, On, Watch};

pub struct ProbeMain<'a> {
    host: HostMainThreadHandle<'a>,
    pub watch: &'a Watch<'a>,
    ticks: Cell<u32>,
    is_renamed: Cell<bool>,
}

impl<'a> ProbeMain<'a> {
    pub fn new(host: HostMainThreadHandle<'a>, watch: &'a Watch<'a>) -> Result<Self, PluginError> {
        watch.expect("init", On::Main);
        if let Some(timers) = host.get_extension::<HostTimer>() {
            timers.register_timer(&host, 1).map_err(|_| PluginError::Message("no timer"))?;
        }
        Ok(ProbeMain { host, watch, ticks: Cell::new(0), is_renamed: Cell::new(false) })
    }
}

impl<'a> PluginMainThread<'a, Watch<'a>> for ProbeMain<'a> {
    fn on_main_thread(&self) {
        self.watch.expect("on_main_thread", On::Main);
        if self.watch.has_changed.swap(false, SeqCst)
            && let Some(state) = self.host.get_extension::<HostState>()
        {
            return state.mark_dirty(&self.host);
        }
        self.watch.latency.store(self.watch.value(parameters::LATENCY) as u32, SeqCst);
        if let Some(latency) = self.host.get_extension::<HostLatency>() {
            latency.changed(&self.host);
        }
    }
}

impl PluginTimerImpl for ProbeMain<'_> {
    /// After three ticks it has had enough.
    fn on_timer(&self, id: TimerId) {
        self.watch.expect("on_timer", On::Main);
        self.watch.note("timer");
        self.ticks.set(self.ticks.get() + 1);
        if self.ticks.get() == 3
            && let Some(timers) = self.host.get_extension::<HostTimer>()
        {
            let _ = timers.unregister_timer(&self.host, id);
            if let Some(params) = self.host.get_extension::<HostParams>() {
                params.request_flush(&self.host);
            }
        }
    }
}

impl PluginLatencyImpl for ProbeMain<'_> {
    fn get(&self) -> u32 {
        self.watch.expect("latency", On::Main);
        self.watch.latency.load(SeqCst)
    }
}

impl PluginRenderImpl for ProbeMain<'_> {
    fn has_hard_realtime_requirement(&self) -> bool {
        false
    }

    fn set(&self, mode: RenderMode) -> Result<(), PluginError> {
        self.watch.expect("render", On::Main);
        self.watch.note(format!("render {mode:?}"));
        Ok(())
    }
}

impl PluginAudioPortsImpl for ProbeMain<'_> {
    fn count(&self, is_input: bool) -> u32 {
        self.watch.expect("audio ports", On::Main);
        match (self.watch.has_audio, is_input) {
            (false, _) => 0,
            (true, true) => 2,
            (true, false) => 1,
        }
    }

    fn get(&self, index: u32, _: bool, writer: &mut AudioPortInfoWriter<'_>) {
        writer.set(&AudioPortInfo {
            id: ClapId::new(index),
            name: if index == 0 { b"main" } else { b"key" },
            channel_count: if index == 0 { 2 } else { 1 },
            flags: if index == 0 { AudioPortFlags::IS_MAIN } else { AudioPortFlags::empty() },
            port_type: None,
            in_place_pair: None,
        });
    }
}

impl PluginNotePortsImpl for ProbeMain<'_> {
    fn count(&self, _: bool) -> u32 {
        1
    }

    fn get(&self, _: u32, _: bool, writer: &mut NotePortInfoWriter<'_>) {
        let (supported_dialects, preferred) = match self.watch.dialects {
            Dialects::Clap => (NoteDialects::CLAP, NoteDialect::Clap),
            Dialects::Midi => (NoteDialects::MIDI, NoteDialect::Midi),
            Dialects::Both => (NoteDialects::CLAP | NoteDialects::MIDI, NoteDialect::Clap),
            Dialects::Mpe => (NoteDialects::MIDI_MPE, NoteDialect::MidiMpe),
        };
        let preferred_dialect = Some(preferred);
        let id = ClapId::new(0);
        writer.set(&NotePortInfo { id, name: b"notes", supported_dialects, preferred_dialect });
    }
}

/// Id, name, module, flags, lowest, highest and first value.
type Row = (u32, &'static [u8], &'static [u8], ParamInfoFlags, f64, f64, f64);

fn table() -> [Row; 8] {
    use ParamInfoFlags as F;
    let stepped = F::IS_STEPPED;
    [
        (parameters::GAIN, b"Gain", b"/out/level/", F::IS_AUTOMATABLE, 0.0, 2.0, 1.0),
        (parameters::MODE, b"Mode", b"", stepped | F::IS_ENUM, 0.0, 2.0, 0.0),
        (parameters::DEED, b"Deed", b"", stepped | F::IS_HIDDEN, 0.0, 100.0, 0.0),
        (parameters::LATENCY, b"Latency", b"", stepped, 0.0, 4096.0, 0.0),
        (parameters::STATUS, b"Status", b"", stepped, 0.0, 4.0, 1.0),
        (parameters::CALLS, b"Calls", b"", F::IS_READONLY, 0.0, 1e9, 0.0),
        // The same id again, and a range that is none.
        (parameters::CALLS, b"Calls", b"", F::IS_READONLY, 0.0, 1.0, 0.0),
        (parameters::LAST, b"gain\xff", b"", F::IS_BYPASS | F::IS_STEPPED, 1.0, f64::NAN, f64::INFINITY),
    ]
}

impl PluginMainThreadParams for ProbeMain<'_> {
    fn count(&self) -> u32 {
        self.watch.expect("params", On::Main);
        // More than there are; `get_info` says so.
        100
    }

    fn get_info(&self, index: u32, info: &mut ParamInfoWriter<'_>) {
        let Some((id, name, module, flags, min_value, max_value, default_value)) =
            table().into_iter().nth(index as usize)
        else {
            return;
        };
        let name = if id == parameters::MODE && self.is_renamed.get() { b"Kind" } else { name };
        let (id, cookie) = (ClapId::new(id), Cookie::empty());
        info.set(&ParamInfo { id, flags, cookie, name, module, min_value, max_value, default_value });
    }

    fn get_value(&self, id: ClapId) -> Option<f64> {
        self.watch.expect("get_value", On::Main);
        Some(self.watch.value(id.get()))
    }

    fn value_to_text(&self, id: ClapId, value: f64, text: &mut ParamDisplayWriter<'_>) -> std::fmt::Result {
        self.watch.expect("value_to_text", On::Main);
        match id.get() {
            parameters::MODE => text.write_str(["Soft", "Medium", "Hard"][(value as usize).min(2)]),
            parameters::GAIN => write!(text, "{:.1} dB", 20.0 * value.max(1e-6).log10()),
            _ => write!(text, "{value}"),
        }
    }

    fn text_to_value(&self, id: ClapId, text: &CStr) -> Option<f64> {
        let text = text.to_str().ok()?;
        let decibels: f64 = text.trim_end_matches("dB").trim().parse().ok()?;
        (id.get() == parameters::GAIN).then(|| 10f64.powf(decibels / 20.0))
    }

    fn flush(&self, events: &InputEvents<'_>, _: &mut OutputEvents<'_>) {
        self.watch.expect("flush", On::Main);
        self.watch.expect_state("flush", Some(false), Some(false));
        for event in events {
            if let Some(CoreEventSpace::ParamValue(it)) = event.as_core_event() {
                self.watch.set_value(it.param_id().unwrap().get(), it.value());
            }
        }
    }
}

impl PluginStateImpl for ProbeMain<'_> {
    /// The values that are kept, and then what was written down since the last time.
    fn save(&self, output: &mut OutputStream<'_>) -> Result<(), PluginError> {
        self.watch.expect("save", On::Main);
        for id in [parameters::GAIN, parameters::MODE] {
            writeln!(output, "value {id} {}", self.watch.value(id))?;
        }
        for note in self.watch.notes.lock().unwrap().drain(..) {
            writeln!(output, "{note}")?;
        }
        Ok(())
    }

    fn load(&self, input: &mut InputStream<'_>) -> Result<(), PluginError> {
        self.watch.expect("load", On::Main);
        let mut text = String::new();
        input.read_to_string(&mut text)?;
        if !text.starts_with("value") {
            return Err(PluginError::Message("not a state"));
        }
        for line in text.lines() {
            if let ["value", id, value] = line.split(' ').collect::<Vec<_>>()[..] {
                self.watch.set_value(id.parse()?, value.parse()?);
            }
        }
        self.watch.host.request_process();
        if text.contains("rename")
            && let Some(params) = self.host.get_extension::<HostParams>()
        {
            self.is_renamed.set(true);
            params.rescan(&self.host, ParamRescanFlags::INFO);
        }
        Ok(())
    }
}

impl PluginPresetLoadImpl for ProbeMain<'_> {
    fn load_from_location(&self, location: Location<'_>, load_key: Option<&CStr>) -> Result<(), PluginError> {
        self.watch.expect("load_from_location", On::Main);
        let gain = match (location, load_key.map(CStr::to_bytes)) {
            (Location::Plugin, Some(b"loud")) => 2.0,
            (Location::Plugin, Some(b"quiet")) => 0.25,
            (Location::File { path }, _) => std::fs::read_to_string(path.to_str()?)?.trim().parse()?,
            _ => return Err(PluginError::Message("no such preset")),
        };
        self.watch.set_value(parameters::GAIN, gain);
        Ok(())
    }
}
