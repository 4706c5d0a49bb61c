//! Parameters between people, controller and processor.

use std::sync::atomic::Ordering::SeqCst;

use kmidi_core::Event;
use kmidi_host::Told;
use vst3::Steinberg::Vst::RestartFlags_::kParamValuesChanged;

use crate::plugin::{Config, GAIN, METER, MIDI, MODE, PROGRAM, config};
use crate::{Running, at, loaded, running};

#[test]
fn a_change_takes_effect_at_its_frame_and_no_other() {
    let (mut running, shared) = running(config(&[(1, true)], &[(1, true)]));
    running.rig.inputs[0].fill(1.0);
    running.run(&[
        at(0, Event::Parameter { id: GAIN, value: 0.5 }),
        at(10, Event::Parameter { id: GAIN, value: 0.25 }),
        at(10, Event::Parameter { id: GAIN, value: 0.75 }),
        at(63, Event::Parameter { id: GAIN, value: 7.0 }),
        at(63, Event::Parameter { id: 4711, value: 1.0 }),
        at(63, Event::Parameter { id: MODE, value: f64::NAN }),
    ]);
    let output = &running.rig.outputs[0];
    assert!(output[..10].iter().all(|&it| it == 0.5));
    assert!(output[10..63].iter().all(|&it| it == 0.75));
    assert_eq!(output[63], 1.0);
    assert_eq!(shared.points(), [(GAIN, 0, 0.5), (GAIN, 10, 0.75), (GAIN, 63, 1.0)]);
    running.run(&[]);
    assert_eq!(shared.points(), []);
}

#[test]
fn the_controller_hears_of_what_the_processor_was_given() {
    for is_separate in [false, true] {
        let (mut running, shared) = running(Config { is_separate, ..config(&[], &[(1, true)]) });
        assert_eq!(running.active.value(GAIN), Some(1.0));
        running.run(&[at(5, Event::Parameter { id: GAIN, value: 0.5 })]);
        assert_eq!(running.active.value(GAIN), Some(0.5));
        assert_eq!(running.active.text_of(GAIN, 0.5).as_deref(), Some("-30.0 dB"));
        running.run(&[at(5, Event::Parameter { id: GAIN, value: 0.75 })]);
        running.active.idle();
        assert_eq!(f64::from_bits(shared.shown_gain.load(SeqCst)), 0.75);
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn what_is_set_while_inactive_reaches_the_processor_with_the_first_quantum_and_once() {
    let (mut plugin, shared) = loaded(config(&[], &[(1, true)]));
    plugin.set_value(GAIN, 0.25);
    plugin.set_value(GAIN, 0.5);
    plugin.set_value(METER, 0.5);
    plugin.set_value(4711, 0.5);
    plugin.set_value(MODE, f64::NAN);
    assert_eq!(plugin.value(GAIN), Some(0.5));
    assert_eq!(shared.gain(), 1.0, "the processor is not called while it is inactive");
    let mut running = Running::new(plugin);
    running.run(&[at(9, Event::Parameter { id: GAIN, value: 1.0 })]);
    assert_eq!(shared.points(), [(GAIN, 0, 0.5), (GAIN, 9, 1.0)]);
    running.run(&[]);
    assert_eq!(shared.points(), []);
    let mut running = Running::new(running.end());
    running.run(&[]);
    assert_eq!(shared.points(), []);
}

#[test]
fn edits_of_the_plugin_reach_its_processor_and_its_user_from_any_thread() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    running.run(&[]);
    assert_eq!(running.active.told(), Some(Told::Parameter { id: METER, value: 0.5 }));
    shared.edit(GAIN, 0.5);
    shared.edit(MIDI, 0.5);
    shared.edit(GAIN, f64::NAN);
    assert_eq!(running.active.told(), Some(Told::Parameter { id: GAIN, value: 0.5 }));
    assert_eq!(running.active.told(), None);
    running.run(&[]);
    assert_eq!(shared.points(), [(GAIN, 0, 0.5)]);
    shared.edits_in_process.store(true, SeqCst);
    running.run(&[]);
    running.run(&[]);
    assert_eq!(shared.points(), [(GAIN, 0, 0.25)]);
    let told: Vec<Told> = std::iter::from_fn(|| running.active.told()).collect();
    assert!(told.contains(&Told::Parameter { id: GAIN, value: 0.25 }), "{told:?}");
}

#[test]
fn a_meter_is_told_with_its_last_value_however_seldom_it_is_asked_for() {
    let (mut running, _) = running(config(&[], &[(1, true)]));
    for step in 0..5000 {
        running.run(&[at(0, Event::Parameter { id: GAIN, value: f64::from(step) / 5000.0 })]);
    }
    let last = 4999.0 / 5000.0;
    assert_eq!(running.active.told(), Some(Told::Parameter { id: METER, value: last / 2.0 }));
    assert_eq!(running.active.told(), None);
}

#[test]
fn values_that_the_plugin_changes_by_itself_are_found_and_told() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    shared.shown_gain.store(0.125f64.to_bits(), SeqCst);
    running.active.idle();
    assert_eq!(running.active.told(), None, "the control: it has not said so");
    shared.restart(kParamValuesChanged);
    running.active.idle();
    assert_eq!(running.active.told(), Some(Told::Parameter { id: GAIN, value: 0.125 }));
    assert_eq!(running.active.told(), None);
    running.run(&[]);
    assert_eq!(shared.points(), []);
}

#[test]
fn parameters_are_described_as_people_see_them() {
    let (plugin, _) = loaded(config(&[], &[(1, true)]));
    let [gain, meter, latency, program, mode] = &plugin.description().parameters[..] else { panic!("five") };
    assert_eq!(
        (gain.symbol.as_str(), gain.unit.as_str(), gain.group.as_str()),
        ("gain", "dB", "Part/Output")
    );
    assert_eq!((gain.min, gain.max, gain.default, gain.steps), (0.0, 1.0, 1.0, 0));
    assert!(meter.is_output && !gain.is_output);
    assert!(latency.is_hidden && !gain.is_hidden);
    assert_eq!((mode.symbol.as_str(), mode.steps, mode.is_bypass), ("gain_2", 1, true));
    assert_eq!(program.choices.len(), 10);
    assert_eq!(program.choices[3], (3.0 / 9.0, "Program 3".to_owned()));
}

#[test]
fn what_a_person_writes_is_read_as_a_choice_a_text_or_a_number() {
    let (plugin, _) = loaded(config(&[], &[(1, true)]));
    for (id, text, value) in [
        (GAIN, "-30 dB", Some(0.5)),
        (GAIN, " -30", Some(0.5)),
        (GAIN, "900 dB", Some(1.0)),
        (GAIN, "loud", None),
        (PROGRAM, "program 9", Some(1.0)),
        (PROGRAM, "5", Some(0.5)),
        (PROGRAM, "nan", None),
        (4711, "1", None),
    ] {
        assert_eq!(plugin.value_of(id, text), value, "{text}");
    }
    assert_eq!(plugin.text_of(GAIN, 1.0).as_deref(), Some("0.0 dB"));
    assert_eq!(plugin.text_of(4711, 1.0), None);
    assert_eq!(plugin.text_of(GAIN, f64::NAN), None);
}

#[test]
fn the_main_half_at_work_beside_the_audio_half_agrees_with_it_in_the_end() {
    const BLOCKS: u32 = 5000;
    for is_separate in [false, true] {
        let (mut running, shared) =
            running(Config { is_separate, event_inputs: 1, ..config(&[], &[(2, true)]) });
        let Running { processor, active, rig } = &mut running;
        let is_done = std::sync::atomic::AtomicBool::new(false);
        let mut told = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for block in 1..=BLOCKS {
                    let value = f64::from(block) / f64::from(BLOCKS);
                    rig.run(processor.as_mut(), &[at(block % 64, Event::Parameter { id: GAIN, value })]);
                }
                is_done.store(true, SeqCst);
            });
            while !is_done.load(SeqCst) {
                active.idle();
                told.extend(std::iter::from_fn(|| active.told()));
                active.save().unwrap();
                shared.edit(PROGRAM, 0.5);
                shared.restart(kParamValuesChanged);
            }
        });
        active.idle();
        told.extend(std::iter::from_fn(|| active.told()));
        assert_eq!((active.value(GAIN), shared.gain()), (Some(1.0), 1.0));
        let mut meters = told.iter().filter(|it| matches!(it, Told::Parameter { id: METER, .. }));
        assert_eq!(meters.next_back(), Some(&Told::Parameter { id: METER, value: 0.5 }));
        assert!(
            told.contains(&Told::Parameter { id: PROGRAM, value: 0.5 }),
            "the control: edits were under way"
        );
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    }
}
