//! Plugins of others, from Debian's `zam-plugins`, each in a process of its own: one that crashes fails its test alone.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kmidi_core::Event;
use kmidi_host::{Activation, Format, Kind, Plugin, State, StateError, contents, scan};

use crate::rig::{QUANTUM, RATE, Rig, at};

/// Which plugin file the child is to try.
const CHILD: &str = "KMIDI_TEST_CLAP_FILE";
const TIMEOUT: Duration = Duration::from_secs(60);

/// Debian's plugins; none with a note if there are none, unless they are required.
fn installed() -> Vec<PathBuf> {
    let files = scan::candidates(Format::Clap, &["/usr/lib/clap".into()]);
    let zam: Vec<_> =
        files.into_iter().map(|it| it.path).filter(|it| it.to_string_lossy().contains("/Za")).collect();
    if zam.is_empty() {
        assert!(env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "zam-plugins are not installed");
        println!("passed over: zam-plugins are not installed");
    }
    zam
}

fn try_in_child(file: &Path) -> Result<(), String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["foreign::child", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("{}: {status}", file.display())),
            None if start.elapsed() > TIMEOUT => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("{}: hangs", file.display()));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[test]
fn every_installed_plugin_runs_and_keeps_its_state() {
    let failed: Vec<_> = installed().iter().filter_map(|file| try_in_child(file).err()).collect();
    assert_eq!(failed, [""; 0]);
}

#[test]
fn control_a_file_that_is_no_plugin_fails_in_the_child() {
    assert!(try_in_child(Path::new("/nonexistent.clap")).is_err());
    // A library, but not of this format.
    let this = env::current_exe().unwrap();
    assert!(try_in_child(&this).is_err());
}

/// One file: described, and each plugin in it run twice with its state carried over.
#[test]
#[ignore = "run by the others, in a process of its own"]
fn child() {
    let Some(file) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let ids = contents(Format::Clap, &file).unwrap();
    assert!(!ids.is_empty());
    for id in ids {
        let mut plugin = Plugin::load(&file, &id).unwrap();
        let description = plugin.description().clone();
        assert_eq!(description.id, id);
        assert_eq!(description.kind, Kind::Effect);
        assert!(!description.audio_outputs.is_empty());
        for parameter in &description.parameters {
            assert!((parameter.min..=parameter.max).contains(&plugin.value(parameter.id).unwrap()));
            assert!(plugin.text_of(parameter.id, parameter.default).is_some());
        }
        let Some(first) = description.parameters.iter().find(|it| !it.is_output && !it.is_hidden) else {
            // No parameters and no state extension: there is nothing to keep.
            assert!(matches!(plugin.save(), Err(StateError::None { .. })));
            drop(run(plugin, 500));
            continue;
        };
        plugin.set_value(first.id, first.min + (first.max - first.min) * 0.75);
        let moved = plugin.value(first.id).unwrap();
        assert!(moved != first.default, "{}", first.name);
        let state = plugin.save().unwrap();
        let state = State::from_bytes(&state.to_bytes()).unwrap();

        drop(run(plugin, 500));
        let mut again = Plugin::load(&file, &description.id).unwrap();
        again.restore(&state).unwrap();
        assert!((again.value(first.id).unwrap() - moved).abs() < 1e-3, "{}", first.name);
        let (mut active, half) = again.activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
        active.restore(&state).unwrap();
        drop(half);
        drop(run(active.deactivate().map_err(|(_, still)| still).unwrap(), 10));
    }
}

const ACTIVATION: Activation = Activation { sample_rate_hz: RATE, quantum_frames: QUANTUM, offline: true };

fn run(plugin: Plugin, quanta: u32) -> Plugin {
    let output = plugin.description().parameters.iter().find(|it| !it.is_output).map(|it| (it.id, it.min));
    let mut rig = Rig::with(plugin, &ACTIVATION);
    let (mut seed, mut peak) = (1, 0.0f32);
    for quantum in 0..quanta {
        rig.noise(&mut seed);
        let events = output.map(|(id, value)| at(17, Event::Parameter { id, value }));
        let events = if quantum % 100 == 50 { events.as_slice() } else { &[] };
        rig.run(events);
        peak = rig.outputs.iter().map(|it| kmidi_core::peak(it)).fold(peak, f32::max);
        rig.active.idle();
    }
    assert!(peak > 0.0 || quanta < 100, "no sound came out");
    rig.half.reset();
    rig.end()
}
