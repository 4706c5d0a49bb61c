//! Plugins that abort when the length of their blocks changes, in an engine whose callbacks have any length.

use std::ffi::OsStr;
use std::path::PathBuf;

use kmidi_core::{DeviceCallback, DeviceIo, MidiBuffer};
use kmidi_graph::{EngineHandle, Graph, engine};
use kmidi_host::{Activation, ActivePlugin, Format, Plugin, PluginId, lv2};
use kmidi_rt::{Engine, EngineConfig};

use crate::child::{self, in_parallel, is_there};
use crate::rig::Rig;

const ACTIVATION: Activation = Activation { sample_rate_hz: 48_000, quantum_frames: 64, offline: true };
const FRAMES: usize = 48_000;
/// They convolve.
const FUSSY: [&str; 2] = ["urn:zamaudio:ZamVerb", "urn:zamaudio:ZamHeadX2"];
const URI: &str = "KMIDI_TEST_FUSSY_URI";
/// Has the plugin run in blocks of another length, as without an engine.
const BARE: &str = "KMIDI_TEST_FUSSY_BARE";

fn folder_of(uri: &str) -> Option<PathBuf> {
    let name = format!("{}.lv2", uri.rsplit(':').next().unwrap());
    let found = lv2::bundles().into_iter().find(|folder| folder.ends_with(&name));
    is_there("zam-plugins", found.is_some()).then_some(found).flatten()
}

#[test]
fn plugins_that_need_one_block_length_play_the_same_for_any_callback_length() {
    if FUSSY.iter().any(|uri| folder_of(uri).is_none()) {
        return;
    }
    let run = |uri: &&str| child::run("callbacks::child", &[(URI, OsStr::new(uri))]);
    for (uri, result) in FUSSY.iter().zip(in_parallel(&FUSSY, run)) {
        assert!(result.is_ok(), "{uri}: {result:?}");
    }
}

#[test]
fn control_without_the_engine_the_length_matters_to_them() {
    if FUSSY.iter().any(|uri| folder_of(uri).is_none()) {
        return;
    }
    for uri in FUSSY {
        let result = child::run("callbacks::child", &[(URI, OsStr::new(uri)), (BARE, OsStr::new("1"))]);
        assert!(result.as_ref().is_err_and(|why| why.contains("another sound")), "{uri}: {result:?}");
    }
}

#[test]
#[ignore = "run by the others, in a process of its own"]
fn child() {
    let Ok(uri) = std::env::var(URI) else { return };
    let load = || {
        let id = PluginId::new(Format::Lv2, &uri);
        Plugin::load(&folder_of(&uri).unwrap(), &id).unwrap()
    };
    if std::env::var_os(BARE).is_some() {
        let reference = without_engine(load(), || 64);
        assert!(reference == without_engine(load(), || 64), "and again");
        let mut random = random();
        let heard = without_engine(load(), || (random() % 64 + 1) as u32);
        assert!(reference == heard, "another length of its blocks, another sound");
        return;
    }
    // Callbacks that are no multiples of a quantum hear all of it a quantum later.
    let (whole, late) = (through_engine(load(), || 64), through_engine(load(), || 441));
    assert!(late.iter().flatten().any(|sample| *sample != 0), "it sounds");
    assert!(whole == through_engine(load(), || 1024), "callbacks of 1024");
    for length in [1, 37, 1023] {
        assert!(late == through_engine(load(), || length), "callbacks of {length}");
    }
    for most in [100, 3000] {
        let mut random = random();
        let heard = through_engine(load(), || 1 + random() % most);
        assert!(late == heard, "random callbacks, up to {most}");
    }
}

fn random() -> impl FnMut() -> usize {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    }
}

fn noise() -> Vec<f32> {
    let sample = |frame: u32| (frame.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 25) as f32 - 0.25;
    (0..FRAMES as u32).map(sample).collect()
}

/// The bits of what comes out for noise.
fn through_engine(plugin: Plugin, mut length: impl FnMut() -> usize) -> Vec<[u32; 2]> {
    let (mut engine, mut handle, _active) = wire(plugin);
    let noise = noise();
    let (midi_in, mut midi_out) = (MidiBuffer::new(64, 1024), MidiBuffer::new(64, 1024));
    let mut heard = Vec::with_capacity(FRAMES);
    while heard.len() < FRAMES {
        let frames = length().min(FRAMES - heard.len());
        let input = &noise[heard.len()..heard.len() + frames];
        let (mut left, mut right) = (vec![f32::NAN; frames], vec![f32::NAN; frames]);
        engine.process(&mut DeviceIo {
            frames,
            inputs: &[input, input],
            outputs: &mut [&mut left, &mut right],
            midi_in: &midi_in,
            midi_out: &mut midi_out,
        });
        heard.extend(left.iter().zip(&right).map(|(left, right)| [left.to_bits(), right.to_bits()]));
        handle.collect();
    }
    assert_eq!(handle.status().guard_trips, 0);
    heard
}

fn wire(plugin: Plugin) -> (Engine, EngineHandle, ActivePlugin) {
    let (active, half) = plugin.activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
    let config = EngineConfig {
        sample_rate_hz: ACTIVATION.sample_rate_hz,
        quantum_frames: ACTIVATION.quantum_frames,
        channels_in: 2,
        channels_out: 2,
        has_ceiling: false,
    };
    let (mut handle, engine) = engine(config).unwrap();
    let mut graph = Graph::new();
    let input = graph.add_device_in(2).unwrap();
    let node = graph.add_processor(active.node_info().clone(), half).unwrap();
    let output = graph.add_output(2).unwrap();
    graph.connect_audio((input, 0), (node, 0)).unwrap();
    graph.connect_audio((node, 0), (output, 0)).unwrap();
    handle.set_graph(&mut graph).unwrap();
    (engine, handle, active)
}

/// The bits of what comes out in a host that passes its callbacks on.
fn without_engine(plugin: Plugin, mut length: impl FnMut() -> u32) -> Vec<[u32; 2]> {
    let (active, mut half) = plugin.activate(&ACTIVATION).map_err(|(_, error)| error).unwrap();
    let mut rig = Rig::new(active.node_info(), ACTIVATION);
    let (noise, mut heard) = (noise(), Vec::with_capacity(FRAMES));
    while heard.len() < FRAMES {
        rig.frames = length().min((FRAMES - heard.len()) as u32);
        let frames = rig.frames as usize;
        for input in &mut rig.inputs {
            input[..frames].copy_from_slice(&noise[heard.len()..heard.len() + frames]);
        }
        rig.run(half.as_mut(), &[]);
        heard.extend((0..frames).map(|at| [rig.outputs[0][at].to_bits(), rig.outputs[1][at].to_bits()]));
    }
    heard
}
