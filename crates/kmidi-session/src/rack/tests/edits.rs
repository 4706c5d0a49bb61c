//! Edits while it plays: no click, no lost frame.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use kmidi_test_clap::{deeds, ids};

use super::stage::{GAIN, RATE, STEP, Stage, request};
use crate::rack::{MAX_PLUGINS, ParameterValue, PluginState};

#[test]
fn effects_come_and_go_and_change_places_and_no_frame_is_touched() {
    let mut stage = Stage::new(&[]);
    stage.run(0.1);
    stage.rack.add_plugin(0, request(GAIN));
    stage.settle();
    stage.rack.add_plugin(9, request(ids::GAIN));
    stage.rack.add_plugin(0, request(ids::MONO));
    stage.settle();
    assert_eq!(stage.slots(), [3, 1, 2]);
    for (slot, to, order) in [(3, 2, [1, 2, 3]), (3, 0, [3, 1, 2]), (1, 2, [3, 2, 1]), (1, 1, [3, 1, 2])] {
        stage.rack.move_plugin(slot, to);
        stage.settle();
        assert_eq!(stage.slots(), order);
    }
    for bypassed in [true, false] {
        stage.rack.bypass_plugin(1, bypassed);
        stage.settle();
    }
    stage.rack.replace_plugin(1, request(ids::GAIN));
    stage.settle();
    // All at once, before any of it has been done.
    stage.rack.remove_plugin(3);
    stage.rack.add_plugin(1, request(GAIN));
    stage.rack.move_plugin(2, 0);
    stage.rack.replace_plugin(1, request(GAIN));
    stage.rack.bypass_plugin(2, true);
    stage.settle();
    assert_eq!(stage.slots(), [2, 1, 4]);
    for slot in stage.slots() {
        assert_eq!(stage.state(slot), PluginState::Active);
        stage.rack.remove_plugin(slot);
    }
    stage.settle();
    stage.run(0.1);
    stage.expect_the_tone();
    assert_eq!((stage.said.as_slice(), stage.slots()), (&[][..], vec![]));
    assert!(stage.close(), "all plugins ended");
}

#[test]
fn control_a_gain_is_heard_and_comes_and_goes_without_a_click() {
    let mut stage = Stage::new(&[GAIN]);
    stage.rack.set_parameter(1, "gain".into(), ParameterValue::Plain(-20.0));
    stage.settle();
    stage.run(0.2);
    let quiet = stage.heard.len() - 4800;
    assert!(stage.heard[quiet..].iter().all(|sample| sample.abs() < 0.0501));
    stage.rack.bypass_plugin(1, true);
    stage.settle();
    let loud = stage.heard.len();
    stage.run(0.2);
    assert!(stage.heard[loud..].iter().any(|sample| sample.abs() > 0.49));
    stage.rack.bypass_plugin(1, false);
    stage.settle();
    stage.rack.set_gain_db(1, -40.0);
    stage.settle();
    stage.rack.remove_plugin(1);
    stage.settle();
    assert_eq!(stage.tone_from(0).map(|frame| frame > quiet), Some(true));
    assert!(stage.largest_step() < 1.5 * STEP, "{}", stage.largest_step());
    assert!(stage.close());
}

#[test]
fn control_a_click_would_be_seen() {
    let mut stage = Stage::new(&[]);
    stage.run(0.1);
    stage.heard.remove(1000);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage.expect_the_tone())).is_err());
    stage.heard[2000] = 0.0;
    stage.heard[2157] = 0.0;
    assert!(stage.largest_step() > 1.5 * STEP);
}

#[test]
fn two_seconds_of_coming_to_life_are_waited_for_by_nobody() {
    let mut stage = Stage::new(&[]);
    stage.run(0.1);
    let before = stage.pumps;
    stage.rack.add_plugin(0, request(ids::SLOW));
    stage.until("the slow one", |stage| stage.state(1) == PluginState::Active);
    // Of four thousand; how many it comes to depends on the machine.
    assert!(stage.pumps - before > 200, "{} times while it came to life", stage.pumps - before);
    stage.settle();
    stage.expect_the_tone();
    assert_eq!(stage.quanta.load(Relaxed) * 64, stage.heard.len());
    assert!(stage.close());
}

#[test]
fn who_waits_behind_a_plugin_that_does_not_come_comes_all_the_same_and_it_is_told() {
    let mut stage = Stage::new(&[ids::GAIN]);
    stage.settle();
    stage.rack.threads.patience = Duration::from_millis(300);
    stage.rack.add_plugin(1, request(ids::SLOW));
    stage.rack.add_plugin(2, request(ids::MONO));
    stage.rack.add_plugin(3, request(ids::BROKEN));
    stage.until("those behind it", |stage| stage.state(3) == PluginState::Active);
    assert_eq!(stage.state(2), PluginState::Loading, "two seconds are not over");
    stage.until("the answer", |stage| stage.state(4) != PluginState::Loading);
    let told: Vec<_> = stage.said.iter().filter(|said| said.contains("has not come")).collect();
    assert!(
        told.len() == 1 && told[0].contains("test.slow") && told[0].contains("kmidi certify"),
        "{told:?}"
    );
    // What is known of all is saved, and the one that is waited for keeps its place.
    stage.rack.save(1);
    stage.until("the states", |stage| !stage.saved.is_empty());
    let parameters: Vec<_> = stage.saved.iter().map(|plugin| plugin.parameters.len()).collect();
    assert_eq!(parameters, [0, 0, 1, 0], "from the thread that does not wait");
    stage.until("the slow one", |stage| stage.state(2) == PluginState::Active);
    stage.settle();
    stage.saved.clear();
    stage.rack.save(2);
    stage.until("the states", |stage| !stage.saved.is_empty());
    let parameters: Vec<_> = stage.saved.iter().map(|plugin| plugin.parameters.len()).collect();
    assert_eq!(parameters, [1, 1, 1, 0], "from both");
    stage.expect_the_tone();
    assert_eq!(stage.slots(), [1, 2, 3, 4]);
    assert!(stage.close());
}

#[test]
fn what_cannot_be_had_is_told_with_the_next_step_and_lets_the_sound_past() {
    let mut stage = Stage::new(&["test.nothing", ids::BROKEN, GAIN]);
    stage.settle();
    for (slot, reason) in [(1, "test.nothing"), (2, "broken")] {
        let PluginState::Missing { reason: told } = stage.state(slot) else {
            panic!("{:?}", stage.state(slot))
        };
        assert!(told.contains(reason) && told.contains("kmidi "), "{told}");
    }
    assert_eq!(stage.state(3), PluginState::Active);
    // What was to take another's place and cannot leaves it there.
    stage.rack.replace_plugin(3, request(ids::BROKEN));
    stage.settle();
    assert_eq!(stage.state(3), PluginState::Active);
    assert!(stage.said.iter().any(|said| said.contains("stays")), "{:?}", stage.said);
    stage.rack.set_parameter(3, "loudness".into(), ParameterValue::Part(0.5));
    stage.rack.set_parameter(3, "gain".into(), ParameterValue::Text("loud".into()));
    stage.rack.remove_plugin(77);
    stage.until("three words", |stage| stage.said.len() >= 7);
    for said in ["no parameter \"loudness\"", "\"loud\" is no value of gain", "slot 77"] {
        assert!(stage.said.iter().any(|told| told.contains(said)), "{said}: {:?}", stage.said);
    }
    stage.expect_the_tone();
    assert!(stage.close());
}

#[test]
fn a_value_that_comes_while_another_plugin_is_on_its_way_is_for_that_one() {
    for plugin in [ids::GAIN, GAIN] {
        let mut stage = Stage::new(&[GAIN]);
        stage.settle();
        stage.rack.replace_plugin(1, request(plugin));
        stage.rack.set_parameter(1, "gain".into(), ParameterValue::Plain(0.25));
        stage.settle();
        stage.run(0.2);
        stage.rack.save(1);
        stage.until("the states", |stage| !stage.saved.is_empty());
        let values = &stage.saved[0].parameters;
        assert!(values.contains(&("gain".to_owned(), 0.25)), "{plugin}: {values:?}");
        assert!(stage.close());
    }
}

#[test]
fn too_many_plugins_and_a_storm_of_parameters_are_counted_and_harm_nobody() {
    let mut stage = Stage::new(&[GAIN]);
    stage.settle();
    for step in 0..100_000u32 {
        let value = ParameterValue::Plain(f64::from(step % 40) - 40.0);
        stage.rack.set_parameter(1, "gain".into(), value);
    }
    stage.rack.set_parameter(1, "gain".into(), ParameterValue::Plain(0.0));
    stage.run(0.2);
    stage.expect_the_tone();
    for _ in 0..MAX_PLUGINS + 3 {
        stage.rack.add_plugin(0, request(ids::GAIN));
    }
    stage.settle();
    assert_eq!(stage.slots().len(), MAX_PLUGINS);
    assert_eq!(stage.said.iter().filter(|said| said.contains("at most")).count(), 4);
    stage.expect_the_tone();
    assert!(stage.close());
}

#[test]
fn a_plugin_that_changes_by_itself_is_heard_of_once() {
    let mut stage = Stage::new(&[ids::GAIN, ids::CLAP]);
    stage.settle();
    stage.run(0.1);
    assert!(stage.rack.changed().is_empty());
    stage.rack.set_parameter(2, "deed".into(), ParameterValue::Plain(deeds::CHANGE));
    let mut changed = BTreeSet::new();
    stage.until("the word", |stage| {
        changed.append(&mut stage.rack.changed());
        !changed.is_empty()
    });
    assert_eq!(changed, BTreeSet::from([2]));
    stage.run(0.5);
    assert!(stage.rack.changed().is_empty());
    assert!(stage.close());
}

#[test]
fn another_engine_gets_the_same_plugins_with_their_state() {
    let mut stage = Stage::new(&[GAIN, ids::GAIN, ids::MONO]);
    stage.rack.set_parameter(1, "gain".into(), ParameterValue::Plain(-6.0));
    stage.settle();
    // One that is on its way out has no place in the next.
    stage.rack.remove_plugin(2);
    stage.run(0.2);
    stage.another_engine();
    assert_eq!(stage.state(1), PluginState::Loading);
    stage.settle();
    assert_eq!(stage.state(1), PluginState::Active);
    stage.run(0.2);
    let loudest =
        stage.heard[stage.heard.len() - RATE as usize / 10..].iter().fold(0.0f32, |a, b| a.max(b.abs()));
    assert!((loudest - 0.2506).abs() < 0.001, "{loudest}");
    stage.rack.save(3);
    stage.until("the states", |stage| !stage.saved.is_empty());
    assert_eq!(stage.saved[0].slot, 1);
    assert!(stage.saved[0].state.is_some());
    let gain = stage.saved[0].parameters.iter().find(|(symbol, _)| symbol == "gain");
    assert_eq!(gain.map(|(_, value)| value.round()), Some(-6.0));
    assert!(stage.close());
}
