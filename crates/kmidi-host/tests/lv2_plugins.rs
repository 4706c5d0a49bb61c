//! Every installed LV2 plugin through the public face, each in a process of its own: this test's own binary, run again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

mod lv2_bench;

use kmidi_core::{Event, TimedEvent};
use kmidi_host::{Activation, Plugin, PluginId, lv2};
use lv2_bench::{ACTIVATION, Bench, bundle};

/// Blocks that each plugin runs.
const BLOCKS: usize = 500;
/// Processes at once.
const PARALLEL: usize = 2;
/// After this a child is stuck.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How a child knows its plugin: bundle folder and id.
const FOLDER: &str = "KMIDI_TEST_LV2_FOLDER";
const ID: &str = "KMIDI_TEST_LV2_ID";

/// Plugins of Debian that no host can run, and why.
const KNOWN_BAD: [(&str, &str); 2] = [
    ("lv2:http://plugin.org.uk/swh-plugins/mbeq", "its library is not linked to the fftw that it calls"),
    (
        "lv2:http://plugin.org.uk/swh-plugins/pitchScaleHQ",
        "its library is not linked to the fftw that it calls",
    ),
];

fn notes(block: usize) -> Vec<TimedEvent> {
    let at = |time, event| TimedEvent { time, port: 0, event };
    match block % 50 {
        0 => vec![at(0, Event::note_on(0, 60, 100)), at(10, Event::note_on(0, 36, 100))],
        30 => vec![at(5, Event::note_off(0, 60, 0)), at(15, Event::note_off(0, 36, 0))],
        _ => vec![],
    }
}

/// What a child says of its plugin.
fn run_one(folder: &Path, id: &PluginId) -> String {
    let loading = Instant::now();
    let plugin = Plugin::load(folder, id).expect("it loads");
    let load_ms = loading.elapsed().as_millis();
    let (mut active, processor) =
        plugin.activate(&ACTIVATION).map_err(|(_, error)| error).expect("it is activated");
    let mut bench = Bench::new(processor, active.node_info());
    let (mut peak, mut events, mut told) = (0.0f32, 0, 0);
    let running = Instant::now();
    for block in 0..BLOCKS {
        bench.make_noise();
        bench.run(&notes(block));
        peak = peak.max(bench.peak());
        events += bench.events_out.as_slice().len();
        while active.told().is_some() {
            told += 1;
        }
    }
    let block_us = running.elapsed().as_micros() as f64 / BLOCKS as f64;
    let latency = active.node_info().latency_frames;
    drop(bench);
    let plugin = active.deactivate().map_err(|(_, error)| error).expect("the audio half is home");
    let state = round_trip(plugin, folder, id);
    format!(
        "peak {peak:.3} events {events} told {told} latency {latency} load {load_ms} ms block {block_us:.1} us {state}"
    )
}

/// Moves every parameter, saves, restores in a second instance, saves that.
fn round_trip(mut plugin: Plugin, folder: &Path, id: &PluginId) -> String {
    let inputs: Vec<_> = plugin.description().parameters.iter().filter(|it| !it.is_output).cloned().collect();
    for parameter in &inputs {
        plugin.set_value(parameter.id, (parameter.min + parameter.max) / 2.0);
    }
    let state = match plugin.save() {
        Ok(state) => state,
        Err(error) => return format!("state: {error}"),
    };
    let mut second = Plugin::load(folder, id).expect("it loads twice");
    second.restore(&state).expect("it takes its state");
    for parameter in inputs.iter().filter(|it| it.id < 1 << 31) {
        assert_eq!(second.value(parameter.id), plugin.value(parameter.id), "{}", parameter.name);
    }
    let again = second.save().expect("it saves again");
    let same = if again == state { "same" } else { "differs" };
    format!("state {} bytes, {same}", state.data.len())
}

/// Not a test: what the children run.
#[test]
#[ignore = "run by the test beside it"]
fn child() {
    let (Some(folder), Ok(id)) = (std::env::var_os(FOLDER), std::env::var(ID)) else { return };
    let result = run_one(Path::new(&folder), &id.parse().unwrap());
    println!("RESULT {result}");
}

/// Runs a child for a plugin: what it said, or how it ended.
fn spawn(folder: &Path, id: &PluginId) -> Result<String, String> {
    let output = tempfile::NamedTempFile::new().unwrap();
    let writes = || Stdio::from(output.reopen().unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(ID, id.to_string())
        .env("QT_QPA_PLATFORM", "offscreen")
        .stdin(Stdio::null())
        .stdout(writes())
        .stderr(writes())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > TIMEOUT => {
                child.kill().unwrap();
                child.wait().unwrap();
                return Err("stuck".to_owned());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let text = String::from_utf8_lossy(&std::fs::read(output.path()).unwrap()).into_owned();
    let result =
        text.lines().find_map(|line| line.split_once("RESULT ")).map(|(_, result)| result.to_owned());
    match result.filter(|_| status.success()) {
        Some(result) => Ok(result),
        None => Err(format!("{status}: {}", text.trim())),
    }
}

fn installed() -> Vec<(PathBuf, PluginId)> {
    let of_bundle = |folder: PathBuf| {
        let plugins = lv2::read(&folder).unwrap();
        plugins.into_iter().map(move |(id, _)| (folder.clone(), id))
    };
    lv2::bundles().into_iter().flat_map(of_bundle).collect()
}

#[test]
fn every_installed_plugin_runs_and_takes_its_state_back() {
    let plugins = Arc::new(installed());
    if plugins.is_empty() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "no LV2 plugin is installed");
        println!("passed over: no LV2 plugin is installed");
        return;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let results = Arc::new(Mutex::new(Vec::new()));
    let threads = (0..PARALLEL).map(|_| {
        let (plugins, next, results) = (plugins.clone(), next.clone(), results.clone());
        std::thread::spawn(move || {
            while let Some((folder, id)) = plugins.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = spawn(folder, id);
                results.lock().unwrap().push((id.to_string(), result));
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let mut results = std::mem::take(&mut *results.lock().unwrap());
    results.sort();
    let mut failed = Vec::new();
    for (id, result) in &results {
        match result {
            Ok(text) => println!("ok    {id}  {text}"),
            Err(why) => {
                println!("FAIL  {id}  {why}");
                failed.push(id.clone());
            }
        }
    }
    println!("{} plugins, {} ran", results.len(), results.len() - failed.len());
    failed.retain(|id| !KNOWN_BAD.iter().any(|(bad, _)| bad == id));
    assert!(failed.is_empty(), "{failed:#?}");
    // A plugin that does not exist is seen to fail.
    let none = PluginId::new(kmidi_host::Format::Lv2, "urn:none");
    assert!(spawn(&plugins[0].0, &none).is_err());
}

#[test]
fn a_plugin_that_loads_its_samples_on_a_worker_sounds_offline_from_the_first_second_on() {
    let Some(folder) = bundle("avldrums.lv2") else { return };
    let id = lv2::read(&folder).unwrap().remove(0).0;
    let plugin = Plugin::load(&folder, &id).unwrap();
    let activation = Activation { offline: true, ..ACTIVATION };
    let (active, processor) = plugin.activate(&activation).map_err(|(_, error)| error).unwrap();
    let mut bench = Bench::new(processor, active.node_info());
    let mut peak = 0.0f32;
    for block in 0..BLOCKS {
        bench.make_noise();
        bench.run(&notes(block));
        peak = peak.max(bench.peak());
    }
    assert!(peak > 0.01 && peak.is_finite(), "peak {peak}");
}
