//! VST3 plugins: Debian's are in `zam-plugins`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kmidi_host::{Activation, Description, Format, Parameter, Plugin, contents, scan};

use crate::child::{self, in_parallel, is_there};
use crate::rig::Rig;
use crate::run::{COLUMNS, in_child, sweep};
use crate::table::publish;

/// Where packages put theirs.
const FOLDER: &str = "/usr/lib/vst3";
/// Modules of Debian's `zam-plugins`.
const LEAST_MODULES: usize = 17;
/// Parameters that these have as CLAP plugins too.
const LEAST_PARAMETERS: usize = 60;
/// Names the module to a child process.
const MODULE: &str = "KMIDI_TEST_VST3_MODULE";
const ACTIVATION: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: false };

fn installed() -> Option<Vec<PathBuf>> {
    let found = scan::candidates(Format::Vst3, &[PathBuf::from(FOLDER)]);
    is_there("zam-plugins", found.len() >= LEAST_MODULES)
        .then(|| found.into_iter().map(|it| it.path).collect())
}

#[test]
fn every_installed_vst3_plugin_runs_and_keeps_its_state() {
    let Some(modules) = installed() else { return };
    let rows = in_parallel(&modules, |module| in_child(Format::Vst3, module, None));
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    publish("vst3", &COLUMNS, &rows, &[]);
    assert!(rows.len() >= modules.len());
}

#[test]
fn modules_are_shared_and_left_and_a_saved_state_is_a_preset_file() {
    let Some(modules) = installed() else { return };
    let ended = in_parallel(&modules, |module| child::run("vst3::child", &[(MODULE, module.as_os_str())]));
    let (told, failed): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_ok);
    let failed: Vec<String> = failed.into_iter().filter_map(Result::err).collect();
    assert_eq!(failed, [""; 0]);
    let compared = told.into_iter().flatten().flatten().filter_map(|line| line.parse::<usize>().ok());
    let compared: usize = compared.sum();
    println!("{compared} parameters count as in CLAP");
    assert!(compared >= LEAST_PARAMETERS, "{compared}");
}

#[test]
fn control_a_child_that_crashes_is_seen() {
    let nowhere = "/nowhere/Nothing.vst3";
    assert!(in_child(Format::Vst3, Path::new(nowhere), None)[0].1.is_err());
    assert!(child::run("vst3::child", &[(MODULE, OsStr::new(nowhere))]).is_err());
}

#[test]
#[ignore = "run by the others in a child process"]
fn child() {
    let Some(module) = std::env::var_os(MODULE).map(PathBuf::from) else { return };
    let id = contents(Format::Vst3, &module).unwrap().remove(0);
    let class = Plugin::load(&module, &id).unwrap().description().clone();
    two_of_a_module(&module, &class);
    numbers_are_those_of_clap(&module, &class);
    a_saved_state_is_a_preset_file(&module, &class);
}

/// One ends while the other is at work; the module is left with the last, and opened again by what comes next.
fn two_of_a_module(module: &Path, class: &Description) {
    let [first, second] = [(); 2].map(|()| Plugin::load(module, &class.id).unwrap());
    let (active, mut processor) = second.activate(&ACTIVATION).map_err(|error| error.1).unwrap();
    drop(first);
    let mut rig = Rig::new(active.node_info(), ACTIVATION);
    rig.run(processor.as_mut(), &[]);
    drop(processor);
    drop(active);
    let library = class.path.file_stem().unwrap().to_str().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.contains(&format!("/{library}.so")), "the module is still in memory");
}

/// The same plugin as CLAP counts as people do by itself.
fn numbers_are_those_of_clap(module: &Path, class: &Description) {
    let file = Path::new("/usr/lib/clap").join(module.file_name().unwrap()).with_extension("clap");
    let Ok(ids) = contents(Format::Clap, &file) else { return };
    let (mut clap, mut vst3) =
        (Plugin::load(&file, &ids[0]).unwrap(), Plugin::load(module, &class.id).unwrap());
    let mut compared = 0;
    for own in class.parameters.iter().filter(|it| !it.is_output) {
        let others = clap.description().parameters.clone();
        let Some(other) = others.iter().find(|it| it.symbol == own.symbol) else { continue };
        let near = |one: f64, two: f64| (one - two).abs() <= 1e-5 * (other.max - other.min);
        let ends = |it: &Parameter| (it.min, it.max, it.default);
        let (own_ends, others_ends) = (ends(own), ends(other));
        assert!(!own.is_part, "{}: {own_ends:?}, {others_ends:?} in CLAP", own.symbol);
        assert!(
            near(own.min, other.min) && near(own.max, other.max) && near(own.default, other.default),
            "{}: {own_ends:?}, {others_ends:?} in CLAP",
            own.symbol
        );
        let middle = if other.steps == 0 { own.at(0.4) } else { own.max };
        vst3.set_value(own.id, middle);
        clap.set_value(other.id, middle);
        let (is, should) = (vst3.value(own.id).unwrap(), clap.value(other.id).unwrap());
        assert!(near(is, should), "{}: {is}, {should} in CLAP", own.symbol);
        compared += 1;
    }
    child::tell(&compared.to_string());
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

/// Each as a part of its range.
fn values(plugin: &Plugin) -> Vec<(String, f64)> {
    let is_seen = |it: &&Parameter| !it.is_output && !it.is_hidden;
    let parameters = plugin.description().parameters.iter().filter(is_seen);
    let part = |it: &Parameter| (plugin.value(it.id).unwrap() - it.min) / (it.max - it.min);
    parameters.map(|it| (it.symbol.clone(), part(it))).collect()
}
