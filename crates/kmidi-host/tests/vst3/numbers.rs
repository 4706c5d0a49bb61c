//! The plugin's own numbers: decibels and steps where VST3 counts from 0 to 1.

use std::sync::atomic::Ordering::SeqCst;

use kmidi_core::Event;
use kmidi_host::{Parameter, Plugin, Told};
use vst3::Steinberg::Vst::RestartFlags_::kParamValuesChanged;

use crate::plugin::{Config, GAIN, METER, MODE, Numbers, PROGRAM, config};
use crate::{Running, at, loaded, running};

fn straight() -> Config {
    Config { numbers: Numbers::Straight, event_inputs: 1, ..config(&[(1, true)], &[(1, true)]) }
}

fn parameter(plugin: &Plugin, id: u32) -> Parameter {
    plugin.description().parameters.iter().find(|it| it.id == id).unwrap().clone()
}

fn range(plugin: &Plugin, id: u32) -> (f64, f64, f64, bool) {
    let it = parameter(plugin, id);
    (it.min, it.max, it.default, it.is_part)
}

#[test]
fn ranges_are_the_plugins_own_where_they_are_straight_or_steps() {
    let (plugin, shared) = loaded(straight());
    assert_eq!(range(&plugin, GAIN), (-60.0, 0.0, 0.0, false));
    assert_eq!(range(&plugin, PROGRAM), (1.0, 10.0, 1.0, false));
    assert_eq!(range(&plugin, MODE), (0.0, 1.0, 0.0, false), "a switch");
    let choices = parameter(&plugin, PROGRAM).choices;
    assert_eq!((choices[3].0, choices[9].0), (4.0, 10.0));
    for (id, value, text) in [(GAIN, -30.0, "-30.0 dB"), (PROGRAM, 4.0, "Program 3")] {
        assert_eq!(plugin.text_of(id, value).as_deref(), Some(text));
        assert_eq!(plugin.value_of(id, text), Some(value));
    }
    // A text that the plugin does not read is a number in its unit.
    assert_eq!(plugin.value_of(PROGRAM, "5"), Some(5.0));
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn control_numbers_that_are_not_straight_stay_parts_of_the_range_and_are_said_to_be() {
    for numbers in [Numbers::Disagree, Numbers::Curved, Numbers::Reversed] {
        let (mut plugin, shared) = loaded(Config { numbers, ..straight() });
        assert_eq!(range(&plugin, GAIN), (0.0, 1.0, 1.0, true), "{numbers:?}");
        plugin.set_value(GAIN, 0.5);
        assert_eq!((plugin.value(GAIN), plugin.text_of(GAIN, 0.5).as_deref()), (Some(0.5), Some("-30.0 dB")));
        let mut running = Running::new(plugin);
        running.run(&[at(9, Event::Parameter { id: GAIN, value: 0.25 })]);
        assert_eq!(shared.points(), [(GAIN, 0, 0.5), (GAIN, 9, 0.25)], "{numbers:?}");
    }
    // Where they are the same, what it shows decides.
    let (plugin, _) = loaded(Config { numbers: Numbers::Same, ..straight() });
    assert_eq!(range(&plugin, GAIN), (0.0, 1.0, 1.0, true), "it shows decibels");
    assert_eq!(range(&plugin, METER), (0.0, 1.0, 0.0, false), "it shows 0 and 1");
}

#[test]
fn numbers_reach_the_processor_at_their_frames_as_vst3_has_them() {
    let (mut running, shared) = running(straight());
    shared.calls.lock().unwrap().clear();
    running.rig.inputs[0].fill(1.0);
    running.run(&[
        at(0, Event::Parameter { id: GAIN, value: -30.0 }),
        at(10, Event::Parameter { id: GAIN, value: -45.0 }),
        at(20, Event::Parameter { id: GAIN, value: 6.0 }),
        at(30, Event::Parameter { id: GAIN, value: f64::NAN }),
        at(40, Event::Parameter { id: PROGRAM, value: 10.0 }),
        // A controller of MIDI goes over the whole range.
        at(50, Event::ControlChange { channel: 0, controller: 7, value: 0 }),
    ]);
    let expected = [(GAIN, 0, 0.5), (GAIN, 10, 0.25), (GAIN, 20, 1.0), (GAIN, 50, 0.0), (PROGRAM, 40, 1.0)];
    assert_eq!(shared.points(), expected);
    assert!(running.rig.outputs[0][10..20].iter().all(|&it| it == 0.25));
    assert_eq!(*shared.calls.lock().unwrap(), [""; 0], "the controller is not asked on side A");
    assert_eq!(running.active.value(GAIN), Some(-60.0));
}

#[test]
fn what_is_set_told_saved_and_restored_is_in_the_plugins_numbers() {
    let (mut plugin, shared) = loaded(straight());
    plugin.set_value(GAIN, -15.0);
    assert_eq!((plugin.value(GAIN), f64::from_bits(shared.shown_gain.load(SeqCst))), (Some(-15.0), 0.75));
    let program = plugin.presets().into_iter().find(|it| it.name == "Sound 7/9").unwrap();
    plugin.load_preset(&program.key).unwrap();
    assert_eq!(plugin.value(PROGRAM), Some(10.0));
    let state = plugin.save().unwrap();
    plugin.set_value(GAIN, -60.0);
    plugin.set_value(PROGRAM, 1.0);
    plugin.restore(&state).unwrap();
    assert_eq!((plugin.value(GAIN), plugin.value(PROGRAM)), (Some(-15.0), Some(10.0)));
    let mut running = Running::new(plugin);
    std::iter::from_fn(|| running.active.told()).count();
    shared.edit(GAIN, 0.5);
    assert_eq!(running.active.told(), Some(Told::Parameter { id: GAIN, value: -30.0 }));
    shared.shown_gain.store(0.25f64.to_bits(), SeqCst);
    shared.restart(kParamValuesChanged);
    running.active.idle();
    let told: Vec<Told> = std::iter::from_fn(|| running.active.told()).collect();
    assert!(told.contains(&Told::Parameter { id: GAIN, value: -45.0 }), "{told:?}");
}
