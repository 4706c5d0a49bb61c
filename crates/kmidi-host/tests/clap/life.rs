//! Threads, states, callbacks, timers and logs.

use std::thread;
use std::time::{Duration, Instant};

use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_host::prelude::*;
use kmidi_core::{Event, TimedEvent};
use kmidi_host::{Activation, Plugin, Told};
use kmidi_test_clap::{deeds, ids, parameters};

use crate::probe::{self, Notes, violations};
use crate::rig::{QUANTUM, RATE, Rig, at};

fn set(id: u32, value: f64) -> TimedEvent {
    at(0, Event::Parameter { id, value })
}

/// Activated here, run on one thread, dropped on another, deactivated here.
fn three_threads(plugin: Plugin) -> Plugin {
    let Rig { mut active, mut side_a } = Rig::new(plugin);
    let run = move || {
        side_a.run(&[]);
        side_a.half.reset();
        side_a.run(&[set(parameters::GAIN, 1.0)]);
        side_a
    };
    let side_a = thread::spawn(run);
    active.idle();
    let text = active.text_of(parameters::GAIN, 1.0);
    assert!(text.is_some() && active.value(parameters::GAIN).is_some());
    let side_a = side_a.join().unwrap();
    let (mut active, _) = active.deactivate().err().expect("its audio half is alive");
    thread::spawn(move || drop(side_a)).join().unwrap();
    active.idle();
    active.deactivate().map_err(|(_, still)| still).unwrap()
}

#[test]
fn every_call_is_on_its_thread_and_in_its_state() {
    let mut plugin = probe::load(ids::BOTH);
    let mut notes = Vec::new();
    for _ in 0..3 {
        plugin.set_value(parameters::GAIN, 0.5);
        plugin.idle();
        plugin = three_threads(plugin);
        notes.extend(plugin.notes());
    }
    // An audio half that never runs; one that runs on the main thread, sleeps and is asked to flush.
    drop(Rig::new(probe::load(ids::BOTH)).end());
    let mut rig = Rig::new(plugin);
    rig.half.reset();
    rig.run(&[set(parameters::STATUS, 4.0)]);
    rig.silent_inputs = u64::MAX;
    rig.run(&[]);
    notes.extend(rig.end().notes());
    assert!(notes.iter().filter(|note| *note == "reset").count() == 4, "{notes:?}");
    assert_eq!(violations(&notes), [""; 0]);
}

/// A host that says of every thread that it is the audio thread.
struct Liar;
struct LyingShared;

impl SharedHandler<'_> for LyingShared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

impl HostThreadCheckImpl for LyingShared {
    fn is_main_thread(&self) -> bool {
        false
    }

    fn is_audio_thread(&self) -> bool {
        true
    }
}

impl HostHandlers for Liar {
    type Shared<'a> = LyingShared;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &LyingShared) {
        builder.register::<HostThreadCheck>();
    }
}

#[test]
fn control_the_plugin_sees_a_host_that_breaks_the_rules() {
    // SAFETY: a file of this project.
    let entry = unsafe { PluginEntry::load(probe::file()) }.unwrap();
    let info = HostInfo::new("liar", "", "", "").unwrap();
    let id = std::ffi::CString::new(ids::BOTH).unwrap();
    let mut liar = PluginInstance::<Liar>::new(|_| LyingShared, |_| (), &entry, &id, &info).unwrap();
    let handle = liar.plugin_handle();
    let state: clack_extensions::state::PluginState = handle.get_extension().unwrap();
    let mut bytes = Vec::new();
    state.save(&handle, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("violation: init with main false audio true"), "{text}");
}

#[test]
fn a_new_latency_is_told_once_and_is_there_at_the_next_activation() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    assert_eq!((rig.info().latency_frames, rig.active.new_latency_frames()), (0, None));
    rig.run(&[set(parameters::LATENCY, 256.0)]);
    assert_eq!(rig.active.new_latency_frames(), None, "it was not said yet");
    rig.active.idle();
    assert_eq!(rig.active.new_latency_frames(), Some(256));
    assert_eq!(rig.active.new_latency_frames(), None);
    let rig = Rig::new(rig.end());
    assert_eq!(rig.info().latency_frames, 256);
}

#[test]
fn a_wish_to_be_activated_anew_is_passed_on_once() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    assert!(!rig.active.wants_restart());
    rig.run(&[set(parameters::DEED, deeds::RESTART)]);
    assert!(rig.active.wants_restart());
    assert!(!rig.active.wants_restart());
}

#[test]
fn timers_tick_from_idle_and_stop_when_told() {
    let mut plugin = probe::load(ids::BOTH);
    let count = |notes: &[String]| notes.iter().filter(|note| *note == "timer").count();
    assert_eq!(count(&plugin.notes()), 0);
    let start = Instant::now();
    let mut ticks = 0;
    while ticks < 3 && start.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(2));
        plugin.idle();
        ticks += count(&plugin.notes());
    }
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(2));
        plugin.idle();
    }
    assert_eq!((ticks, count(&plugin.notes())), (3, 0));
}

#[test]
fn what_is_logged_on_the_audio_thread_arrives_cut_and_whole() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.run(&[set(parameters::DEED, deeds::LOG)]);
    let told = rig.told();
    let lines = told.iter().filter_map(|told| match told {
        Told::Log(line) => Some(line.as_str()),
        _ => None,
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!((lines.len(), lines[0], lines[2], lines[3]), (4, "a line", "", ""));
    assert!(lines[1].len() > 50 && lines[1].bytes().all(|byte| byte == b'x'));
}

#[test]
fn calls_for_the_main_thread_from_the_audio_thread_do_no_harm() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.run(&[set(parameters::DEED, deeds::WRONG_THREAD)]);
    assert!(rig.notes().contains(&"timer on the audio thread: false".to_owned()));
    // The latency was not another.
    assert_eq!(rig.active.new_latency_frames(), None);
}

#[test]
fn an_offline_activation_is_rendered_offline_and_a_live_one_live() {
    let mut plugin = probe::load(ids::BOTH);
    for (offline, note) in [(true, "render Offline"), (false, "render Realtime")] {
        let activation = Activation { sample_rate_hz: RATE, quantum_frames: QUANTUM, offline };
        plugin = Rig::with(plugin, &activation).end();
        assert!(plugin.notes().contains(&note.to_owned()));
    }
}

#[test]
fn a_sleeping_plugin_that_asks_is_flushed_and_woken() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.silent_inputs = u64::MAX;
    rig.run(&[set(parameters::STATUS, 4.0)]);
    rig.run(&[]);
    let calls = |rig: &Rig| rig.active.value(parameters::CALLS).unwrap();
    assert_eq!(calls(&rig), 1.0);
    rig.notes();
    // On taking up a state this plugin asks to be woken.
    let state = rig.active.save().unwrap();
    rig.active.restore(&state).unwrap();
    rig.run(&[]);
    assert_eq!(calls(&rig), 2.0);
    rig.run(&[]);
    assert_eq!(calls(&rig), 2.0);
    // On the third tick of its timer it asks to exchange parameters.
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(2));
        rig.active.idle();
    }
    rig.run(&[]);
    assert_eq!(calls(&rig), 2.0, "it sleeps on");
    let notes = rig.notes();
    assert!(notes.contains(&"flush while active".to_owned()), "{notes:?}");
    assert_eq!(violations(&notes), [""; 0]);
}
