//! What every plugin of every format goes through, in the child.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use assert_no_alloc::{assert_no_alloc, violation_count};
use kmidi_core::{Event, Processor, TimedEvent};
use kmidi_host::{
    Activation, ActivePlugin, Description, Format, Kind, Parameter, Plugin, PluginId, State, StateError,
    contents,
};

use crate::child;
use crate::rig::Rig;
use crate::table::Row;

/// Blocks of each run.
const BLOCKS: u32 = 500;
/// Names the plugin's file or bundle, its format and its id to the child. Without an id, all that are in the file.
const FILE: &str = "KMIDI_TEST_PLUGIN_FILE";
const FORMAT: &str = "KMIDI_TEST_PLUGIN_FORMAT";
const ID: &str = "KMIDI_TEST_PLUGIN_ID";

/// The columns of what a child tells.
pub const COLUMNS: [&str; 11] = [
    "name",
    "kind",
    "audio",
    "events",
    "parameters",
    "latency",
    "state",
    "unloaded",
    "load",
    "block",
    "peak",
];

/// Runs a child for a file, or for one plugin of it: a row each.
pub fn in_child(format: Format, file: &Path, id: Option<&PluginId>) -> Vec<Row> {
    rows(format, file, id, &[])
}

/// The same, but the child looks for a screen, and there is none.
pub fn on_screen(format: Format, file: &Path, id: &PluginId) -> Vec<Row> {
    let environment = [("QT_QPA_PLATFORM", OsStr::new("xcb")), ("DISPLAY", OsStr::new(":99"))];
    rows(format, file, Some(id), &environment)
}

fn rows(format: Format, file: &Path, id: Option<&PluginId>, more: &[(&str, &OsStr)]) -> Vec<Row> {
    let id_text = id.map(PluginId::to_string);
    let mut environment = vec![(FILE, file.as_os_str()), (FORMAT, OsStr::new(format.name()))];
    environment.extend(id_text.as_deref().map(|id| (ID, OsStr::new(id))));
    environment.extend_from_slice(more);
    let row = |line: &String| {
        let mut cells = line.split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap_or_default(), Ok(cells.collect()))
    };
    match child::run("run::child", &environment) {
        Ok(lines) if !lines.is_empty() => lines.iter().map(row).collect(),
        Ok(_) => vec![(file.display().to_string(), Err("it told nothing".to_owned()))],
        Err(why) => vec![(id_text.unwrap_or_else(|| file.display().to_string()), Err(why))],
    }
}

#[test]
#[ignore = "run by the others, in a process of its own"]
fn child() {
    let Some(file) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let format = std::env::var(FORMAT).unwrap();
    let format = Format::ALL.into_iter().find(|it| it.name() == format).unwrap();
    // This is the scan: what is in the file.
    let ids = contents(format, &file).unwrap_or_else(|error| panic!("{error}"));
    let asked = std::env::var(ID).ok().map(|id| id.parse::<PluginId>().unwrap());
    let ids: Vec<PluginId> = ids.into_iter().filter(|it| asked.as_ref().is_none_or(|id| it == id)).collect();
    assert!(!ids.is_empty(), "it is not in its file");
    for id in ids {
        let cells = Trial::new(&file, &id).run();
        child::tell(&format!("{id} | {}", cells.join(" | ")));
    }
}

struct Trial<'a> {
    file: &'a Path,
    id: &'a PluginId,
    /// As an instance says it.
    class: Description,
    load_ms: f64,
    block_us: f64,
    latency_frames: u32,
    peak: f32,
    has_garbage: bool,
}

impl<'a> Trial<'a> {
    fn new(file: &'a Path, id: &'a PluginId) -> Self {
        let began = Instant::now();
        let class = load(file, id).description().clone();
        let load_ms = began.elapsed().as_secs_f64() * 1e3;
        let (block_us, latency_frames, peak, has_garbage) = (0.0, 0, 0.0, false);
        Trial { file, id, class, load_ms, block_us, latency_frames, peak, has_garbage }
    }

    /// LV2 once, as a block takes long there for some; the others live, and offline at another rate and size.
    fn activations(&self) -> &'static [Activation] {
        const LIVE: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };
        const OFFLINE: Activation =
            Activation { sample_rate_hz: 96_000, quantum_frames: 1024, offline: true };
        match self.id.format {
            Format::Lv2 => &[LIVE],
            Format::Clap | Format::Vst3 => &[LIVE, OFFLINE],
        }
    }

    fn run(mut self) -> Vec<String> {
        let mut plugin = load(self.file, self.id);
        assert_eq!(*plugin.description(), self.class, "the same whenever it is asked");
        self.check_parameters(&plugin);
        for (run, activation) in self.activations().iter().enumerate() {
            // The first with the settings of a fresh instance.
            if run > 0 {
                plugin = sweep(plugin);
            }
            plugin = self.blocks(plugin, activation);
        }
        let state = self.round_trip(sweep(plugin));
        assert_eq!(violation_count(), 0, "allocations of the host in a quantum");
        self.cells(state)
    }

    /// All blocks of one activation, with its state taken before and given back after.
    fn blocks(&mut self, mut plugin: Plugin, activation: &Activation) -> Plugin {
        let before = (save(&mut plugin), values(&plugin));
        let changes = self.changes(&plugin);
        let (mut active, mut processor) =
            plugin.activate(activation).map_err(|error| error.1).unwrap_or_else(|error| panic!("{error}"));
        self.latency_frames = active.node_info().latency_frames;
        self.play(&mut active, processor.as_mut(), *activation, &changes);
        if let Some(state) = before.0.as_ref().filter(|_| !changes.is_empty()) {
            assert!(active.save().unwrap() != *state, "changes did not reach the processor");
        }
        drop(processor);
        let mut plugin = active.deactivate().map_err(|error| error.1).unwrap();
        if let Some(state) = &before.0 {
            plugin.restore(state).unwrap();
            self.check_values(&before.1, &plugin);
        }
        plugin
    }

    fn play(
        &mut self,
        active: &mut ActivePlugin,
        processor: &mut dyn Processor,
        activation: Activation,
        changes: &[TimedEvent],
    ) {
        let mut rig = Rig::new(active.node_info(), activation);
        let began = Instant::now();
        for block in 0..BLOCKS {
            rig.noise();
            let mut events = if self.class.event_inputs.is_empty() { Vec::new() } else { notes(block) };
            if block == BLOCKS / 4 {
                events.extend_from_slice(changes);
            }
            assert_no_alloc(|| rig.run(processor, &events));
            let samples = rig.outputs.iter().flat_map(|it| it.iter());
            self.peak = samples.clone().fold(self.peak, |peak, it| peak.max(it.abs()));
            self.has_garbage |= samples.into_iter().any(|it| !it.is_finite());
            if block % 100 == 50 {
                active.idle();
                while active.told().is_some() {}
                let _ = active.save();
            }
            if block == BLOCKS / 2 {
                assert_no_alloc(|| processor.reset());
            }
        }
        self.block_us = began.elapsed().as_secs_f64() * 1e6 / f64::from(BLOCKS);
    }

    /// Carries the state of one instance over to another, through bytes; unloads both.
    fn round_trip(&self, mut plugin: Plugin) -> String {
        let Some(state) = save(&mut plugin) else { return "none".to_owned() };
        let state = State::from_bytes(&state.to_bytes()).unwrap();
        let before = values(&plugin);
        let mut second = load(self.file, self.id);
        second.restore(&state).unwrap_or_else(|error| panic!("{error}"));
        self.check_values(&before, &second);
        // The first ends while the second is there.
        drop(plugin);
        let again = second.save().unwrap();
        let same = if again == state { "same" } else { "differs" };
        assert!(again == state || self.id.format == Format::Lv2, "another state is saved again");
        format!("{} B, {same}", state.data.len())
    }

    fn check_values(&self, before: &[(Parameter, f64)], plugin: &Plugin) {
        for ((parameter, before), (_, after)) in before.iter().zip(values(plugin)) {
            let near = (parameter.max - parameter.min).abs() * 1e-3;
            assert!(
                (before - after).abs() <= near,
                "{} was {before} and came back as {after}",
                parameter.name
            );
        }
    }

    fn check_parameters(&self, plugin: &Plugin) {
        for parameter in &self.class.parameters {
            assert!(!parameter.name.is_empty() && !parameter.symbol.is_empty(), "{parameter:?}");
            assert!((parameter.min..=parameter.max).contains(&parameter.default), "{parameter:?}");
            let value = plugin.value(parameter.id).unwrap();
            let is_inside = (parameter.min..=parameter.max).contains(&value);
            assert!(is_inside || parameter.is_output, "{parameter:?} is {value}");
            let text = plugin.text_of(parameter.id, parameter.default);
            assert!(text.is_some(), "{parameter:?} has no text");
            let _ = plugin.value_of(parameter.id, &text.unwrap_or_default());
        }
    }

    /// Moves every parameter that people see to a place where it is not.
    fn changes(&self, plugin: &Plugin) -> Vec<TimedEvent> {
        let change = |parameter: &Parameter| {
            let span = parameter.max - parameter.min;
            let now = plugin.value(parameter.id)?;
            let value = match parameter.steps {
                0 => parameter.min + span * 0.22,
                _ if now - parameter.min > span / 2.0 => parameter.min,
                _ => parameter.max,
            };
            let event = Event::Parameter { id: parameter.id, value };
            (value != now).then_some(TimedEvent { time: 21, port: 0, event })
        };
        let seen = self.class.parameters.iter();
        seen.filter(|it| !it.is_output && !it.is_hidden && !it.is_bypass).filter_map(change).collect()
    }

    fn cells(&self, state: String) -> Vec<String> {
        let class = &self.class;
        let channels = |ports: &[kmidi_host::AudioPort]| {
            ports.iter().map(|it| it.channels.to_string()).collect::<Vec<_>>().join("+")
        };
        assert!(class.kind != Kind::Effect || self.peak > 0.0 || self.id.format == Format::Lv2, "silent");
        assert!(!self.has_garbage || self.id.format == Format::Lv2, "what came out is no number");
        vec![
            class.name.replace('|', " "),
            format!("{:?}", class.kind).to_lowercase(),
            format!("{} > {}", channels(&class.audio_inputs), channels(&class.audio_outputs)),
            format!("{} > {}", class.event_inputs.len(), class.event_outputs.len()),
            class.parameters.len().to_string(),
            self.latency_frames.to_string(),
            state,
            if is_loaded(self.file) { "no" } else { "yes" }.to_owned(),
            format!("{:.0} ms", self.load_ms),
            format!("{:.1} µs", self.block_us),
            format!("{:.3e}{}", self.peak, if self.has_garbage { ", not all numbers" } else { "" }),
        ]
    }
}

fn load(file: &Path, id: &PluginId) -> Plugin {
    Plugin::load(file, id).unwrap_or_else(|error| panic!("{error}"))
}

/// `None` for one that has nothing to keep.
fn save(plugin: &mut Plugin) -> Option<State> {
    match plugin.save() {
        Ok(state) => Some(state),
        Err(StateError::None { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Whether a library of this file or folder is in memory.
fn is_loaded(file: &Path) -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().any(|line| line.contains(file.to_str().unwrap()))
}

/// What people see and can set. (A property is told by the plugin when it runs.)
fn values(plugin: &Plugin) -> Vec<(Parameter, f64)> {
    let is_kept = |it: &&Parameter| {
        let is_property = it.id >= 1 << 31 && plugin.description().id.format == Format::Lv2;
        !it.is_output && !it.is_hidden && !is_property
    };
    let parameters = plugin.description().parameters.iter().filter(is_kept);
    parameters.map(|it| (it.clone(), plugin.value(it.id).unwrap())).collect()
}

/// Sets every parameter to a place inside its range.
pub fn sweep(mut plugin: Plugin) -> Plugin {
    let parameters = plugin.description().parameters.clone();
    for (at, parameter) in parameters.iter().filter(|it| !it.is_output && !it.is_bypass).enumerate() {
        let wish = 0.3 + 0.4 * (at % 7) as f64 / 6.0;
        let steps = f64::from(parameter.steps);
        let place = if parameter.steps > 0 { (wish * steps).round() / steps } else { wish };
        plugin.set_value(parameter.id, parameter.min + (parameter.max - parameter.min) * place);
    }
    plugin
}

fn notes(block: u32) -> Vec<TimedEvent> {
    let event = match block % 40 {
        0 => Event::note_on(0, 60, 100),
        5 => Event::ControlChange { channel: 0, controller: 1, value: 64 },
        10 => Event::PitchBend { channel: 0, value: 1000 },
        20 => Event::note_off(0, 60, 64),
        _ => return Vec::new(),
    };
    vec![TimedEvent { time: 13, port: 0, event }]
}
