//! Plugins made for the purpose that do what a host must live with. They need a C compiler.

mod lv2_bench;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use kmidi_host::{Activation, Format, LoadError, Plugin, PluginId, State, Told, contents};
#[cfg(target_arch = "x86_64")]
use kmidi_sys::FloatModes;
use lv2_bench::{ACTIVATION, activate, deactivate};

const OFFLINE: Activation = Activation { offline: true, ..ACTIVATION };

/// Compiles a library of `tests/lv2_odd`; `None` with a note without a compiler.
fn compile(source: &str, library: &Path, arguments: &[&str]) -> Option<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lv2_odd").join(source);
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([library, &source])
        .args(arguments)
        .args(["-lm"])
        .status();
    let Ok(status) = compiled else {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "there is no C compiler");
        println!("passed over: there is no C compiler");
        return None;
    };
    assert!(status.success());
    Some(())
}

/// A bundle with all odd plugins, its library compiled with these arguments.
fn bundle(arguments: &[&str]) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    compile("odd.c", &folder.path().join("odd.so"), arguments)?;
    let mut text = String::from(
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix atom: <http://lv2plug.in/ns/ext/atom#> .\n",
    );
    for name in ["none", "empty", "garbage", "files", "slow", "modes", "gone", "needs"] {
        let needs = if name == "needs" { "; lv2:requiredFeature <urn:odd:feature>" } else { "" };
        text += &format!(
            "<urn:odd:{name}> a lv2:Plugin ; lv2:binary <odd.so> {needs} ; lv2:port
             [ a atom:AtomPort, lv2:OutputPort ; lv2:index 0 ; lv2:symbol \"out\" ],
             [ a lv2:ControlPort, lv2:OutputPort ; lv2:index 1 ; lv2:symbol \"found\" ; lv2:maximum 100 ],
             [ a lv2:ControlPort, lv2:OutputPort ; lv2:index 2 ; lv2:symbol \"latency\" ; lv2:designation lv2:latency ],
             [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 3 ; lv2:symbol \"audio\" ] .\n"
        );
    }
    std::fs::write(folder.path().join("manifest.ttl"), text).unwrap();
    Some(folder)
}

fn load(folder: &tempfile::TempDir, name: &str) -> Result<Plugin, LoadError> {
    Plugin::load(folder.path(), &PluginId::new(Format::Lv2, format!("urn:odd:{name}")))
}

#[test]
fn a_plugin_is_loaded_again_though_what_it_needs_cannot_be() {
    let needed = tempfile::tempdir().unwrap();
    let Some(()) = compile("once.c", &needed.path().join("libonce.so"), &[]) else { return };
    let folder = needed.path().to_str().unwrap();
    let from = [format!("-L{folder}"), format!("-Wl,--no-as-needed,-rpath,{folder}"), "-lonce".to_owned()];
    let Some(bundle) = bundle(&from.each_ref().map(String::as_str)) else { return };
    let is_open = |library: &str| std::fs::read_to_string("/proc/self/maps").unwrap().contains(library);
    for _ in 0..3 {
        drop(load(&bundle, "files").unwrap());
        assert!(is_open("/libonce.so") && !is_open("/odd.so"));
    }
}

#[test]
fn each_way_not_to_load_has_its_error_and_costs_no_neighbour() {
    for definitions in [&[][..], &["-DWHOLE"]] {
        let Some(folder) = bundle(definitions) else { return };
        assert!(matches!(load(&folder, "none").err(), Some(LoadError::Instance { .. })));
        assert!(matches!(load(&folder, "empty").err(), Some(LoadError::Instance { .. })));
        assert!(matches!(load(&folder, "gone").err(), Some(LoadError::NotInFile { .. })));
        assert!(matches!(load(&folder, "unheard-of").err(), Some(LoadError::NotInFile { .. })));
        let needs = load(&folder, "needs").err().unwrap();
        assert!(
            matches!(&needs, LoadError::NeedsFeature { what, .. } if what == "urn:odd:feature"),
            "{needs}"
        );
        let ids = contents(Format::Lv2, folder.path()).unwrap();
        let good = ids.iter().filter(|id| Plugin::load(folder.path(), id).is_ok());
        let good: Vec<&str> = good.map(|id| id.name.as_str()).collect();
        assert_eq!(good, ["urn:odd:garbage", "urn:odd:files", "urn:odd:slow", "urn:odd:modes"]);
    }
    let Some(folder) = bundle(&["-DEMPTY"]) else { return };
    assert!(matches!(load(&folder, "files").err(), Some(LoadError::Library { .. })));
    std::fs::write(folder.path().join("odd.so"), "no library").unwrap();
    assert!(matches!(load(&folder, "files").err(), Some(LoadError::Library { .. })));
}

#[test]
fn garbage_from_a_plugin_is_neither_a_crash_nor_a_value() {
    let Some(folder) = bundle(&[]) else { return };
    for activation in [ACTIVATION, OFFLINE] {
        let (mut active, mut bench) = activate(load(&folder, "garbage").unwrap(), &activation);
        for _ in 0..100 {
            bench.run(&[]);
            assert!(bench.events_out.as_slice().iter().all(|it| it.time < 64));
            while let Some(told) = active.told() {
                let Told::Parameter { value, .. } = told else { continue };
                assert!((0.0..=100.0).contains(&value), "{value}");
            }
            let latency = active.new_latency_frames().unwrap_or(0);
            assert!(latency <= 65_536, "{latency}");
        }
        let state = active.save().unwrap();
        active.restore(&state).unwrap();
        deactivate(active, bench);
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn floating_point_modes_that_a_plugin_leaves_behind_are_put_back() {
    let Some(folder) = bundle(&[]) else { return };
    let (_active, mut bench) = activate(load(&folder, "modes").unwrap(), &ACTIVATION);
    let modes = FloatModes::current();
    bench.run(&[]);
    assert_eq!(FloatModes::current(), modes);
    // The control: they are what the plugin changes.
    std::mem::forget(kmidi_sys::FlushDenormals::enable());
    assert_ne!(FloatModes::current(), modes);
    modes.restore();
}

#[test]
fn a_plugin_that_stores_nothing_and_says_so_is_saved_all_the_same() {
    let Some(folder) = bundle(&[]) else { return };
    let state = load(&folder, "modes").unwrap().save().unwrap();
    load(&folder, "modes").unwrap().restore(&state).unwrap();
}

#[test]
fn a_file_of_a_state_travels_inside_of_it() {
    let Some(folder) = bundle(&[]) else { return };
    let bytes = load(&folder, "files").unwrap().save().unwrap().to_bytes();
    let mut second = load(&folder, "files").unwrap();
    second.restore(&State::from_bytes(&bytes).unwrap()).unwrap();
    let (active, mut bench) = activate(second, &ACTIVATION);
    bench.run(&[]);
    assert_eq!(active.value(1), Some(42.0));
    // Another rate makes another instance: it finds the file as well.
    let plugin = deactivate(active, bench);
    let (active, mut bench) = activate(plugin, &Activation { sample_rate_hz: 44_100, ..ACTIVATION });
    bench.run(&[]);
    assert_eq!(active.value(1), Some(42.0));
}

#[test]
fn a_state_that_is_taken_while_it_runs_keeps_the_audio_half_out() {
    let Some(folder) = bundle(&[]) else { return };
    let (mut active, mut bench) = activate(load(&folder, "slow").unwrap(), &ACTIVATION);
    let state = active.save().unwrap();
    let stop = &AtomicBool::new(false);
    let audio = std::thread::scope(|scope| {
        let processor = std::mem::replace(&mut bench.processor, Box::new(Nothing));
        let mut own = lv2_bench::Bench::new(processor, active.node_info());
        let audio = scope.spawn(move || {
            while !stop.load(Relaxed) {
                own.run(&[]);
            }
            own
        });
        for _ in 0..100 {
            // The plugin aborts where it is run meanwhile.
            active.restore(&state).unwrap();
        }
        stop.store(true, Relaxed);
        audio.join().unwrap()
    });
    assert_eq!(active.value(1), Some(42.0));
    deactivate(active, audio);
}

/// What is left in a bench whose audio half is elsewhere.
struct Nothing;

impl kmidi_core::Processor for Nothing {
    fn process(&mut self, _: &mut kmidi_core::ProcessContext<'_>) -> kmidi_core::ProcessStatus {
        kmidi_core::ProcessStatus::Sleep
    }

    fn reset(&mut self) {}
}
