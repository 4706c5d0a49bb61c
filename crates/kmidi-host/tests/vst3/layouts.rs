//! Buses of every kind.

use std::sync::atomic::Ordering::SeqCst;

use kmidi_host::{AudioPort, LoadError, PortRole, load_vst3_of};

use crate::plugin::shared::Bus;
use crate::plugin::{Config, Factory, Shared, config};
use crate::{CLASS, loaded, running};

fn roles(ports: &[AudioPort]) -> Vec<(u16, PortRole)> {
    ports.iter().map(|port| (port.channels, port.role)).collect()
}

#[test]
fn every_layout_reaches_the_right_channels_with_their_silence() {
    let layouts: [(&[Bus], &[Bus]); 6] = [
        (&[(1, true)], &[(1, true)]),
        (&[(2, true)], &[(2, true)]),
        (&[(2, true), (1, false)], &[(2, true)]),
        (&[], &[(2, true), (2, false), (1, false)]),
        (&[(1, true), (2, true), (6, true)], &[(1, true), (2, true), (6, true)]),
        (&[], &[]),
    ];
    for (inputs, outputs) in layouts {
        let (mut running, shared) = running(config(inputs, outputs));
        let channels = |buses: &[Bus]| buses.iter().map(|it| it.0 as u16).collect::<Vec<_>>();
        let info = running.active.node_info();
        assert_eq!((&info.audio_inputs, &info.audio_outputs), (&channels(inputs), &channels(outputs)));
        for (channel, samples) in running.rig.inputs.iter_mut().enumerate() {
            samples.fill(channel as f32 + 1.0);
        }
        running.rig.silent_inputs = 0b1;
        running.run(&[]);
        let mut output = running.rig.outputs.iter();
        for (bus, &(channels, _)) in outputs.iter().enumerate() {
            let first: i32 = inputs.iter().take(bus).map(|it| it.0).sum();
            for channel in 0..channels {
                let is_fed = inputs.get(bus).is_some_and(|it| channel < it.0);
                let expected = if is_fed { (first + channel + 1) as f32 } else { 0.5 };
                assert!(output.next().unwrap().iter().all(|&it| it == expected), "{inputs:?} {outputs:?}");
            }
        }
        assert_eq!(shared.input_silence.load(SeqCst), u64::from(!inputs.is_empty()));
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn buses_are_told_apart_by_direction_and_type() {
    let (plugin, _) = loaded(config(&[(2, true), (1, false)], &[(2, true), (2, false)]));
    let description = plugin.description();
    assert_eq!(roles(&description.audio_inputs), [(2, PortRole::Main), (1, PortRole::SideChain)]);
    assert_eq!(roles(&description.audio_outputs), [(2, PortRole::Main), (2, PortRole::Aux)]);
    assert_eq!(description.audio_inputs[1].name, "Bus 1");
}

#[test]
fn channels_that_a_node_has_no_room_for_are_hidden_but_have_buffers() {
    let mut outputs = vec![(2, false); 40];
    outputs[3].0 = 0;
    let (mut running, shared) = running(config(&[], &outputs));
    assert_eq!(running.active.node_info().audio_outputs, [2; 32]);
    running.run(&[]);
    assert!(running.rig.outputs.iter().all(|it| it.iter().all(|&sample| sample == 0.5)));
    assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn more_buses_or_channels_than_anyone_has_are_refused() {
    for outputs in [vec![(2, true); 65], vec![(65, true)], vec![(i32::MAX, true)]] {
        let shared = Shared::new(config(&[], &outputs));
        let error = load_vst3_of(Factory::of(std::slice::from_ref(&shared)), CLASS).err().unwrap();
        assert!(matches!(error, LoadError::NeedsFeature { .. }), "{error}");
        assert_eq!(*shared.violations.lock().unwrap(), Vec::<String>::new());
        assert_eq!(shared.live_objects.load(SeqCst), 0);
    }
}

#[test]
fn a_plugin_that_refuses_its_own_speakers_is_offered_others() {
    const MONO: u64 = 1 << 19;
    let asked = |wanted| {
        let (_, shared) =
            loaded(Config { speakers_wanted: Some(wanted), ..config(&[(2, true)], &[(2, true)]) });
        shared.calls.lock().unwrap().iter().filter(|it| **it == "setBusArrangements").count()
    };
    assert_eq!(asked(0b11), 1, "its own are kept");
    assert_eq!(asked(MONO), 3);
    assert_eq!(asked(77), 3);
}

#[test]
fn channels_that_the_plugin_calls_silent_are_made_so() {
    let (mut running, shared) = running(config(&[], &[(2, true), (1, false)]));
    running.run(&[]);
    assert_eq!(running.rig.silent_outputs, 0);
    assert_eq!(running.rig.outputs[1][0], 0.5, "the control");
    shared.says_silent.store(u64::MAX << 1, SeqCst);
    running.run(&[]);
    assert_eq!(running.rig.silent_outputs, 0b010);
    let firsts: Vec<f32> = running.rig.outputs.iter().map(|it| it[0]).collect();
    assert_eq!(firsts, [0.5, 0.0, 0.5]);
}
