//! The order of calls, the threads, and the end.

use std::sync::atomic::Ordering::SeqCst;

use kmidi_core::Event;
use kmidi_host::{Activation, LoadError, Told, describe_vst3_of, load_vst3_of};
use vst3::Steinberg::Vst::ProcessModes_::{kOffline, kRealtime};
use vst3::Steinberg::Vst::RestartFlags_::{kIoChanged, kLatencyChanged, kReloadComponent};

use crate::plugin::shared::Life;
use crate::plugin::{Config, Factory, GAIN, LATENCY, Shared, config};
use crate::{CLASS, RUN, Running, at, loaded, running};

fn both() -> [Config; 2] {
    [false, true].map(|is_separate| Config {
        is_separate,
        event_inputs: 1,
        ..config(&[(2, true)], &[(2, true)])
    })
}

#[test]
fn a_pedantic_plugin_sees_no_call_out_of_order_or_off_its_thread() {
    for config in both() {
        let is_separate = config.is_separate;
        let (mut plugin, shared) = loaded(config);
        for _ in 0..2 {
            let mut running = Running::new(plugin);
            let Running { processor, rig, .. } = &mut running;
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..10 {
                        rig.run(processor.as_mut(), &[at(3, Event::Parameter { id: GAIN, value: 0.5 })]);
                        processor.reset();
                    }
                });
            });
            running.active.idle();
            running.active.save().unwrap();
            plugin = running.end();
            plugin.idle();
        }
        drop(plugin);
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
        assert_eq!((shared.life(), shared.live_objects.load(SeqCst)), (Life::Terminated, 0));
        let calls = shared.calls.lock().unwrap();
        let place = |call: &str| calls.iter().position(|it| *it == call);
        let order = ["initialize", "setupProcessing", "activateBus", "setActive(1)", "setProcessing(1)"];
        assert!(order.windows(2).all(|pair| place(pair[0]).unwrap() < place(pair[1]).unwrap()), "{calls:?}");
        assert_eq!(calls.last(), Some(&"terminate"));
        let before_last = calls[calls.len() - 2];
        assert_eq!(before_last == "controller.terminate", is_separate, "{calls:?}");
    }
}

#[test]
fn an_offline_activation_is_processed_offline_and_a_live_one_live() {
    let (mut plugin, shared) = loaded(config(&[(1, true)], &[(1, true)]));
    for (offline, mode) in [(true, kOffline), (false, kRealtime)] {
        let activation = Activation { offline, ..RUN };
        let (active, half) = plugin.activate(&activation).map_err(|error| error.1).unwrap();
        assert_eq!(shared.process_mode.load(SeqCst), mode as i32);
        drop(half);
        plugin = active.deactivate().map_err(|error| error.1).unwrap();
    }
}

#[test]
fn the_pedantic_plugin_notices() {
    let (mut running, shared) = running(config(&[(1, true)], &[(1, true)]));
    shared.set_life(Life::SetUp);
    running.run(&[]);
    std::thread::scope(|scope| drop(scope.spawn(|| shared.on_main("y", &[Life::SetUp]))));
    shared.set_life(Life::Processing);
    drop(running);
    let violations = shared.violations.lock().unwrap().clone();
    assert_eq!(violations, ["process while SetUp", "y off the main thread"], "the control");
}

#[test]
fn messages_go_between_component_and_controller_but_not_on_the_audio_thread() {
    let (mut running, shared) = running(Config { is_separate: true, ..config(&[], &[(2, true)]) });
    assert_eq!(shared.messages.load(SeqCst), 5);
    shared.edits_in_process.store(true, SeqCst);
    running.run(&[]);
    assert_eq!(shared.message_in_process.load(SeqCst), vst3::Steinberg::kResultFalse);
    assert_eq!(shared.messages.load(SeqCst), 5);
}

#[test]
fn a_latency_that_changes_is_said_once_and_only_if_it_differs() {
    let (mut running, shared) = running(config(&[(2, true)], &[(2, true)]));
    assert_eq!(running.active.node_info().latency_frames, 0);
    assert_eq!(running.active.node_info().tail_frames, u32::MAX);
    shared.restart(kLatencyChanged);
    assert_eq!(running.active.new_latency_frames(), None);
    running.run(&[at(0, Event::Parameter { id: LATENCY, value: 0.5 })]);
    assert_eq!(running.active.new_latency_frames(), Some(500));
    assert_eq!(running.active.new_latency_frames(), None);
    assert!(!running.active.wants_restart());
    let running = Running::new(running.end());
    assert_eq!(running.active.node_info().latency_frames, 500);
}

#[test]
fn a_restart_is_asked_for_once_and_reads_the_plugin_anew() {
    for flag in [kReloadComponent, kIoChanged] {
        let (mut running, shared) = running(config(&[(2, true)], &[(2, true)]));
        assert!(!running.active.wants_restart());
        shared.restart(flag);
        assert!(running.active.wants_restart());
        assert!(!running.active.wants_restart());
        let count = |call| shared.calls.lock().unwrap().iter().filter(|it| **it == call).count();
        let before = count("getParameterCount");
        let mut running = Running::new(running.end());
        assert_eq!(count("getParameterCount"), before + 1);
        shared.edit(GAIN, 0.5);
        running.run(&[]);
        assert_eq!(shared.points(), [(GAIN, 0, 0.5)], "the new handler is heard");
        let running = Running::new(running.end());
        assert_eq!(count("getParameterCount"), before + 1, "the control: nothing has changed since");
        drop(running);
    }
}

#[test]
fn a_plugin_that_fails_is_silent_and_says_so_once_for_each_time() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    for _ in 0..2 {
        running.run(&[]);
        assert!(running.rig.outputs[0].iter().all(|&it| it == 0.5), "the control");
        assert_eq!(running.active.told(), Some(Told::Parameter { id: 101, value: 0.5 }));
        shared.fails.store(true, SeqCst);
        running.run(&[]);
        running.run(&[]);
        shared.fails.store(false, SeqCst);
        assert!(running.rig.outputs[0].iter().all(|&it| it == 0.0));
        assert_eq!(running.rig.silent_outputs, 1);
        assert_eq!(running.active.told(), Some(Told::ProcessFailed));
        assert_eq!(running.active.told(), None);
    }
}

#[test]
fn float_modes_that_a_plugin_leaves_behind_are_put_back() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    shared.breaks_float_modes.store(true, SeqCst);
    let before = kmidi_sys::FlushDenormals::is_on();
    running.run(&[]);
    running.run(&[]);
    assert_eq!(kmidi_sys::FlushDenormals::is_on(), before);
    let told: Vec<Told> = std::iter::from_fn(|| running.active.told()).collect();
    assert_eq!(told.iter().filter(|it| matches!(it, Told::Log(_))).count(), 1, "{told:?}");
}

#[test]
fn a_quantum_that_is_too_long_is_silent_and_does_not_reach_the_plugin() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    running.rig.frames = 65;
    running.run(&[]);
    assert!(shared.song.lock().unwrap().is_none());
    assert_eq!(running.active.told(), Some(Told::ProcessFailed));
    running.rig.frames = 64;
    running.run(&[]);
    assert!(shared.song.lock().unwrap().is_some(), "the control");
}

#[test]
fn a_class_that_cannot_be_made_costs_its_neighbours_nothing() {
    let good = || Shared::new(config(&[], &[(1, true)]));
    let broken = Shared::new(Config { is_broken: true, ..Config::default() });
    let found = describe_vst3_of(Factory::of(&[good(), broken.clone(), good()]));
    assert!(matches!(found[..], [Ok(_), Err(LoadError::Instance { .. }), Ok(_)]), "{found:?}");
    let first = found[0].as_ref().unwrap();
    assert_eq!(
        (first.name.as_str(), first.vendor.as_str(), first.version.as_str()),
        ("Prüfling", "KmiDi", "1.2.3")
    );
    assert_eq!(first.tags, ["Fx", "Tools"]);
    assert_eq!(first.id.to_string(), format!("vst3:{CLASS}"));
    assert!(load_vst3_of(Factory::of(&[broken]), CLASS).is_err());
    let missing = load_vst3_of(Factory::of(&[good()]), "00000000000000000000000000000000");
    assert!(matches!(missing, Err(LoadError::NotInFile { .. })));
}
