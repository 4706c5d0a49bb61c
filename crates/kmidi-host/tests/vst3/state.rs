//! State and presets.

use std::sync::atomic::Ordering::SeqCst;

use kmidi_core::Event;
use kmidi_host::{Format, PluginId, State, StateError};

use crate::plugin::{Config, GAIN, PROGRAM, config};
use crate::{CLASS, at, loaded, running};

fn both() -> [Config; 2] {
    [false, true].map(|is_separate| Config { is_separate, ..config(&[], &[(1, true)]) })
}

#[test]
fn a_state_brings_processor_and_controller_back_in_another_instance() {
    for config in both() {
        let (mut plugin, _) = loaded(config.clone());
        plugin.set_value(GAIN, 0.25);
        plugin.set_value(PROGRAM, 1.0);
        let state = plugin.save().unwrap();
        assert!(state.data.starts_with(b"VST3\x01\0\0\0"));
        assert_eq!(&state.data[8..40], CLASS.as_bytes());
        let (mut other, shared) = loaded(config);
        other.set_value(GAIN, 0.75);
        other.restore(&state).unwrap();
        assert_eq!((other.value(GAIN), other.value(PROGRAM)), (Some(0.25), Some(1.0)));
        assert_eq!(shared.gain(), 0.25);
        assert_eq!(other.save().unwrap(), state, "what was set before is forgotten");
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn what_was_set_while_inactive_is_in_the_state_though_no_quantum_has_run() {
    let (mut plugin, shared) = loaded(config(&[(2, true)], &[(2, true)]));
    let before = plugin.save().unwrap();
    assert!(!shared.calls.lock().unwrap().contains(&"setActive(1)"), "the control: nothing to tell");
    plugin.set_value(GAIN, 0.5);
    let after = plugin.save().unwrap();
    assert_ne!(before, after);
    assert_eq!(shared.gain(), 0.5);
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_running_plugin_saves_and_restores() {
    let (mut running, shared) = running(config(&[], &[(1, true)]));
    running.run(&[at(0, Event::Parameter { id: GAIN, value: 0.5 })]);
    let state = running.active.save().unwrap();
    running.run(&[at(0, Event::Parameter { id: GAIN, value: 0.75 })]);
    running.active.restore(&state).unwrap();
    assert_eq!((running.active.value(GAIN), shared.gain()), (Some(0.5), 0.5));
    running.active.idle();
    assert_eq!(running.active.value(GAIN), Some(0.5), "older changes do not come after it");
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn a_state_of_another_or_a_damaged_one_reaches_no_plugin() {
    let (mut plugin, shared) = loaded(config(&[], &[(1, true)]));
    let state = plugin.save().unwrap();
    let other = State { id: PluginId::new(Format::Vst3, "0".repeat(32)), data: state.data.clone() };
    assert!(matches!(plugin.restore(&other), Err(StateError::Other { .. })));
    let mut foreign = state.clone();
    foreign.data[8] = b'0';
    assert!(matches!(plugin.restore(&foreign), Err(StateError::Refused { .. })));
    for len in 0..state.data.len() {
        let cut = State { data: state.data[..len].to_vec(), ..state.clone() };
        assert!(plugin.restore(&cut).is_err());
    }
    assert!(!shared.calls.lock().unwrap().contains(&"setState"));
    plugin.restore(&state).unwrap();
    assert!(shared.calls.lock().unwrap().contains(&"setState"), "the control");
}

#[test]
fn a_plugin_that_refuses_a_state_is_named_unless_it_is_in_it() {
    let (mut plugin, _) = loaded(config(&[], &[(1, true)]));
    let mut state = plugin.save().unwrap();
    // The component's part of eight bytes is cut to four, as the list at the end of the file tells.
    let sizes: Vec<_> =
        (0..state.data.len() - 8).filter(|&at| state.data[at..at + 8] == 8u64.to_le_bytes()).collect();
    state.data[sizes[0]] = 4;
    assert!(matches!(plugin.restore(&state), Err(StateError::Refused { .. })));
}

#[test]
fn a_plugin_without_a_state_says_so() {
    let (mut plugin, shared) = loaded(Config { has_no_state: true, ..config(&[], &[(1, true)]) });
    assert!(matches!(plugin.save(), Err(StateError::None { .. })));
    let (mut other, _) = loaded(config(&[], &[(1, true)]));
    plugin.restore(&other.save().unwrap()).unwrap();
    assert!(shared.calls.lock().unwrap().contains(&"setState"), "it is asked, and need not know it");
}

#[test]
fn programs_are_presets_and_choosing_one_moves_their_parameter() {
    let (mut plugin, shared) = loaded(config(&[], &[(1, true)]));
    let presets = plugin.presets();
    let found: Vec<_> = presets.iter().map(|it| (it.key.as_str(), it.name.as_str())).collect();
    assert_eq!(found.len(), 10);
    assert_eq!(found[3], ("program:7:3", "Sound 7/3"));
    plugin.load_preset("program:7:9").unwrap();
    assert_eq!(f64::from_bits(shared.shown_program.load(SeqCst)), 1.0);
    for key in ["program:7:10", "program:8:0", "program:", "program:7", "file:/etc/passwd", "", "/etc/passwd"]
    {
        assert!(plugin.load_preset(key).is_err(), "{key}");
    }
    assert_eq!(plugin.value(PROGRAM), Some(1.0));
}
