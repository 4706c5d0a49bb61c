//! Every VST3 plugin that is installed: loaded, run, its state saved and restored, unloaded; each module in a child
//! process, for a plugin may crash or hang.

#[path = "vst3/rig.rs"]
mod rig;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use kmidi_core::{Event, TimedEvent};
use kmidi_host::{Activation, Description, Format, Kind, Plugin, contents, scan};
use rig::Rig;

/// Sees what the host allocates, not what plugins do: these have allocators of their own.
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Where packages put theirs.
const FOLDER: &str = "/usr/lib/vst3";
/// Names the module to a child process.
const MODULE: &str = "KMIDI_TEST_VST3_MODULE";
/// Makes a missing plugin an error.
const REQUIRE: &str = "KMIDI_REQUIRE_PLUGINS";
const BLOCKS: u32 = 500;
/// There are plugins that take seconds for each change of a setting.
const LONGEST: Duration = Duration::from_secs(180);
const RUNS: [Activation; 2] = [
    Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false },
    Activation { sample_rate_hz: 96_000, quantum_frames: 1024, offline: true },
];

#[test]
fn every_installed_plugin_loads_runs_keeps_its_state_and_unloads() {
    let found = scan::candidates(Format::Vst3, &[PathBuf::from(FOLDER)]);
    let modules: Vec<PathBuf> = found.into_iter().map(|it| it.path).collect();
    if modules.is_empty() {
        assert!(
            std::env::var_os(REQUIRE).is_none(),
            "no VST3 plugin is installed (apt-get install zam-plugins)"
        );
        println!("passed over: no VST3 plugin is installed");
        return;
    }
    let failed: Vec<PathBuf> = modules.into_iter().filter(|module| !runs_in_a_child(module)).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_child_that_crashes_is_seen() {
    assert!(!runs_in_a_child(Path::new("/nowhere/Nothing.vst3")), "the control");
}

fn runs_in_a_child(module: &Path) -> bool {
    let home = tempfile::tempdir().unwrap();
    // Files, not pipes: a plugin that writes much must not wait for a reader.
    let [out, err] = ["out", "err"].map(|name| home.path().join(name));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(MODULE, module)
        .env("HOME", home.path())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > LONGEST {
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = child.wait().unwrap();
    let [out, err] =
        [out, err].map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    out.lines().filter(|line| line.starts_with('|')).for_each(|line| println!("{line}"));
    if !status.success() {
        println!("| {} | {status} {out} {err}", module.display());
    }
    status.success()
}

#[test]
#[ignore = "run by the others in a child process"]
fn child() {
    let module = PathBuf::from(std::env::var_os(MODULE).expect("the test that starts this names a module"));
    let ids = contents(Format::Vst3, &module).unwrap();
    let described = |id| Plugin::load(&module, id).unwrap().description().clone();
    let classes: Vec<Description> = ids.iter().map(described).collect();
    assert!(!classes.is_empty());
    for class in &classes {
        run(&module, class);
    }
    two_of_a_module(&module, &classes[0]);
    a_saved_state_is_a_preset_file(&module, &classes[0]);
}

/// One ends while the other is at work; the module is left with the last, and opened again by what comes next.
fn two_of_a_module(module: &Path, class: &Description) {
    let [first, second] = [(); 2].map(|()| Plugin::load(module, &class.id).unwrap());
    let (active, mut processor) = second.activate(&RUNS[0]).map_err(|error| error.1).unwrap();
    drop(first);
    let mut rig = Rig::new(active.node_info(), RUNS[0]);
    rig.run(processor.as_mut(), &[]);
    drop(processor);
    drop(active);
    let library = class.path.file_stem().unwrap().to_str().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains(&format!("/{library}.so")), "the module is still in memory");
}

/// The folder of the user is one that the test made.
fn a_saved_state_is_a_preset_file(module: &Path, class: &Description) {
    let mut plugin = sweep(Plugin::load(module, &class.id).unwrap());
    let state = plugin.save().unwrap();
    let before = values(&plugin);
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let folder = home.join(".vst3/presets").join(&class.vendor).join(&class.name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("Mine.vstpreset"), &state.data).unwrap();
    let mut other = Plugin::load(module, &class.id).unwrap();
    let preset = other.presets().into_iter().find(|preset| preset.name == "Mine").unwrap();
    other.load_preset(&preset.key).unwrap();
    assert_eq!(other.save().unwrap(), state);
    for (before, after) in before.iter().zip(&values(&other)) {
        assert!((before.1 - after.1).abs() < 1e-3, "{before:?} came back as {after:?}");
    }
}

fn run(module: &Path, class: &Description) {
    let began = Instant::now();
    let mut plugin = Plugin::load(module, &class.id).unwrap();
    let load_ms = began.elapsed().as_secs_f64() * 1e3;
    assert_eq!(plugin.description(), class, "the same whenever it is asked");
    check_parameters(&plugin);
    let mut peak = 0.0f32;
    let mut told = 0;
    let mut latency = 0;
    let mut bytes = 0;
    for (run, activation) in RUNS.into_iter().enumerate() {
        // The first with the settings of a fresh instance.
        if run > 0 {
            plugin = sweep(plugin);
        }
        let state = plugin.save().unwrap();
        bytes = state.data.len();
        let values = values(&plugin);
        let (mut active, mut processor) = plugin.activate(&activation).map_err(|error| error.1).unwrap();
        latency = active.node_info().latency_frames;
        let mut rig = Rig::new(active.node_info(), activation);
        for block in 0..BLOCKS {
            rig.noise();
            let mut events = if class.event_inputs.is_empty() { Vec::new() } else { notes(block) };
            if block == BLOCKS / 4 {
                events.extend(changes(class));
            }
            assert_no_alloc(|| rig.run(processor.as_mut(), &events));
            peak = rig.outputs.iter().flat_map(|it| it.iter()).fold(peak, |peak, &it| peak.max(it.abs()));
            assert!(rig.outputs.iter().flat_map(|it| it.iter()).all(|it| it.is_finite()), "block {block}");
            if block % 100 == 50 {
                active.idle();
                told += std::iter::from_fn(|| active.told()).count();
                active.save().unwrap();
            }
            if block == BLOCKS / 2 {
                assert_no_alloc(|| processor.reset());
            }
        }
        let has_settings = changes(class).next().is_some();
        assert!(!has_settings || active.save().unwrap() != state, "changes did not reach the processor");
        drop(processor);
        plugin = active.deactivate().map_err(|error| error.1).unwrap();
        assert!(class.kind != Kind::Effect || peak > 0.0, "noise goes in and nothing comes out");
        for parameter in class.parameters.iter().filter(|it| !it.is_output) {
            plugin.set_value(parameter.id, parameter.default);
        }
        plugin.restore(&state).unwrap();
        assert_eq!(plugin.save().unwrap(), state);
        for (before, after) in values.iter().zip(&self::values(&plugin)) {
            assert!((before.1 - after.1).abs() < 1e-3, "{before:?} came back as {after:?}");
        }
    }
    assert_eq!(violation_count(), 0, "allocations of the host in a quantum");
    let ports =
        |ports: &[kmidi_host::AudioPort]| -> Vec<u16> { ports.iter().map(|it| it.channels).collect() };
    println!(
        "| {:16} | {} | {:?} {:?}>{:?} notes {}>{} | {:3} parameters | latency {latency} | state {bytes} B | load {load_ms:.1} ms | peak {peak:.3} | told {told}",
        class.name,
        class.version,
        class.kind,
        ports(&class.audio_inputs),
        ports(&class.audio_outputs),
        class.event_inputs.len(),
        class.event_outputs.len(),
        class.parameters.len(),
    );
}

fn values(plugin: &Plugin) -> Vec<(String, f64)> {
    let parameters = plugin.description().parameters.iter().filter(|it| !it.is_output && !it.is_hidden);
    parameters.map(|it| (it.symbol.clone(), plugin.value(it.id).unwrap())).collect()
}

/// Sets every parameter to a place inside its range.
fn sweep(mut plugin: Plugin) -> Plugin {
    let parameters = plugin.description().parameters.clone();
    for (at, parameter) in parameters.iter().filter(|it| !it.is_output && !it.is_bypass).enumerate() {
        let wish = 0.3 + 0.4 * (at % 7) as f64 / 6.0;
        let steps = f64::from(parameter.steps);
        plugin
            .set_value(parameter.id, if parameter.steps > 0 { (wish * steps).round() / steps } else { wish });
    }
    plugin
}

/// Moves every parameter that people see to a place where neither the defaults nor the sweep leave it.
fn changes(class: &Description) -> impl Iterator<Item = TimedEvent> {
    let seen = class.parameters.iter().filter(|it| !it.is_output && !it.is_hidden && !it.is_bypass);
    seen.map(|parameter| {
        let value = if parameter.steps > 0 { 1.0 - parameter.default.round() } else { 0.22 };
        TimedEvent { time: 21, port: 0, event: Event::Parameter { id: parameter.id, value } }
    })
}

fn check_parameters(plugin: &Plugin) {
    for parameter in &plugin.description().parameters {
        let text = plugin.text_of(parameter.id, parameter.default);
        assert!(
            !parameter.name.is_empty() && !parameter.symbol.is_empty() && text.is_some(),
            "{parameter:?}"
        );
        assert!((0.0..=1.0).contains(&parameter.default));
        let _ = plugin.value_of(parameter.id, &text.unwrap_or_default());
    }
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
