//! Audio, silence, sleep and failure.

use kmidi_core::{Event, ProcessStatus, peak};
use kmidi_host::{Plugin, Told};
use kmidi_sys::FloatModes;
use kmidi_test_clap::{deeds, ids, parameters};

use crate::probe::{self, Notes};
use crate::rig::{QUANTUM, Rig, at};

fn set(id: u32, value: f64) -> kmidi_core::TimedEvent {
    at(0, Event::Parameter { id, value })
}

/// How often the plugin was called so far.
fn calls(plugin: &Rig) -> f64 {
    plugin.active.value(parameters::CALLS).unwrap()
}

#[test]
fn a_parameter_changes_the_sound_at_its_very_frame() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.inputs.iter_mut().for_each(|channel| channel.fill(1.0));
    for frame in [0, 1, 17, QUANTUM - 1] {
        rig.run(&[set(parameters::GAIN, 0.25)]);
        rig.run(&[at(frame, Event::Parameter { id: parameters::GAIN, value: 1.5 })]);
        for channel in &rig.outputs {
            let (before, after) = channel.split_at(frame as usize);
            assert!(
                before.iter().all(|it| *it == 0.25) && after.iter().all(|it| *it == 1.5),
                "frame {frame}"
            );
        }
    }
}

#[test]
fn each_port_hears_its_own_channels_and_knows_which_are_silent() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    assert_eq!((&rig.info().audio_inputs[..], &rig.info().audio_outputs[..]), (&[2, 1][..], &[2][..]));
    rig.inputs[0].fill(0.5);
    rig.inputs[2].fill(0.9);
    rig.silent_inputs = 0b010;
    rig.run(&[]);
    assert!(rig.outputs[0].iter().all(|it| *it == 0.5) && rig.outputs[1].iter().all(|it| *it == 0.0));
    // The second channel of the main port; the key port is one channel of sound.
    assert!(rig.notes().contains(&"frames 64 constant [2, 0]".to_owned()));
    rig.silent_inputs = 0b100;
    rig.run(&[]);
    assert!(rig.notes().contains(&"frames 64 constant [0, 1]".to_owned()));
}

#[test]
fn an_output_is_silent_only_if_it_is_whatever_the_plugin_says() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.inputs[0].fill(0.5);
    rig.run(&[set(parameters::DEED, deeds::CONSTANT)]);
    assert_eq!(rig.silent_outputs, 0b10);
    rig.run(&[]);
    assert_eq!(rig.silent_outputs, 0, "the control: nothing is said");
}

#[test]
fn shorter_quanta_are_served_and_longer_ones_fail_without_harm() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.inputs.iter_mut().for_each(|channel| channel.fill(1.0));
    rig.frames = 7;
    rig.run(&[]);
    assert!(rig.notes().contains(&"frames 7 constant [0, 0]".to_owned()));
    rig.told();
    rig.frames = QUANTUM + 1;
    rig.run(&[]);
    assert_eq!(rig.told(), [Told::ProcessFailed]);
    assert_eq!(calls(&rig), 1.0);
}

#[test]
fn a_plugin_without_audio_is_told_how_many_frames_there_are() {
    let mut rig = Rig::new(probe::load(ids::NOTES));
    assert!(rig.info().audio_inputs.is_empty() && rig.info().audio_outputs.is_empty());
    rig.run(&[]);
    assert!(rig.notes().contains(&format!("frames {QUANTUM} constant []")));
}

#[test]
fn a_failed_quantum_is_silent_and_told_and_the_next_is_tried() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.inputs.iter_mut().for_each(|channel| channel.fill(1.0));
    rig.run(&[set(parameters::STATUS, 0.0)]);
    assert!(rig.told().contains(&Told::ProcessFailed));
    assert!(rig.outputs.iter().all(|channel| peak(channel) == 0.0));
    assert_eq!(rig.silent_outputs, 0b11);
    rig.run(&[set(parameters::STATUS, 1.0)]);
    assert!(!rig.told().contains(&Told::ProcessFailed));
    assert!(rig.outputs.iter().all(|channel| peak(channel) == 1.0));
}

/// Runs `quanta` silent quanta and says in how many of them the plugin was called.
fn called_in(rig: &mut Rig, quanta: u32) -> f64 {
    rig.silent_inputs = u64::MAX;
    rig.inputs.iter_mut().for_each(|channel| channel.fill(0.0));
    let before = calls(rig);
    for _ in 0..quanta {
        // Never to the engine: it could not wake it.
        assert_eq!(rig.run(&[]), ProcessStatus::Continue);
    }
    calls(rig) - before
}

#[test]
fn a_plugin_that_sleeps_is_left_alone_until_something_comes() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.run(&[]);
    assert_eq!(called_in(&mut rig, 20), 20.0, "the control: awake");
    rig.silent_inputs = u64::MAX;
    rig.run(&[set(parameters::STATUS, 4.0)]);
    assert_eq!(called_in(&mut rig, 20), 0.0);
    assert_eq!(rig.silent_outputs, 0b11);
    // An event, the song's start, sound, and a reset each wake it for a quantum.
    rig.run(&[at(0, Event::note_on(0, 1, 1))]);
    assert_eq!(called_in(&mut rig, 20), 0.0);
    rig.transport.playing = true;
    assert_eq!(called_in(&mut rig, 20), 1.0);
    rig.silent_inputs = 0b110;
    let before = calls(&rig);
    rig.run(&[]);
    assert_eq!(calls(&rig) - before, 1.0);
    rig.half.reset();
    assert_eq!(called_in(&mut rig, 20), 1.0);
}

#[test]
fn a_tail_is_as_long_as_the_plugin_says_and_quiet_output_is_the_end_of_sound() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    assert_eq!(rig.info().tail_frames, 200);
    rig.run(&[set(parameters::STATUS, 3.0)]);
    // 200 frames after the last event: the fourth silent quantum of 64 ends beyond them.
    assert_eq!(called_in(&mut rig, 20), 4.0);
    rig.inputs[0].fill(0.5);
    rig.silent_inputs = 0;
    rig.run(&[set(parameters::STATUS, 2.0)]);
    let before = calls(&rig);
    for _ in 0..5 {
        // Loud without anything new: input that the engine does not know to be silent.
        rig.run(&[]);
    }
    assert_eq!(calls(&rig) - before, 5.0);
    // Ten seconds after it: an echo may come until then.
    assert_eq!(called_in(&mut rig, 8000), 7501.0);
    assert_eq!(called_in(&mut rig, 20), 0.0, "then it is left alone");
}

#[test]
fn an_echo_behind_a_quiet_gap_is_heard_of_a_plugin_that_leaves_its_sleep_to_the_host() {
    let mut plugin = probe::load(ids::LATE);
    plugin.set_value(parameters::FRAMES, 4096.0);
    let mut rig = Rig::new(plugin);
    let is_at = |rig: &Rig| rig.outputs[0].iter().position(|sample| *sample == 0.5);
    // A gap before anything comes, then a click and nothing more.
    for _ in 0..200 {
        rig.silent_inputs = u64::MAX;
        rig.run(&[]);
        assert_eq!(is_at(&rig), None);
    }
    rig.silent_inputs = 0;
    rig.inputs.iter_mut().for_each(|channel| channel[5] = 0.5);
    rig.run(&[]);
    rig.inputs.iter_mut().for_each(|channel| channel.fill(0.0));
    rig.silent_inputs = u64::MAX;
    let heard = (1..=100).find_map(|quantum| {
        rig.run(&[]);
        Some(quantum * QUANTUM as usize + is_at(&rig)?)
    });
    assert_eq!(heard, Some(4096 + 5));
}

#[test]
fn floating_point_modes_that_a_plugin_leaves_behind_are_put_back() {
    let mut rig = Rig::new(probe::load(ids::BOTH));
    let modes = FloatModes::current();
    rig.run(&[set(parameters::DEED, deeds::MODES)]);
    assert_eq!(FloatModes::current(), modes);
    // The control: they are what the deed changes.
    std::mem::forget(kmidi_sys::FlushDenormals::enable());
    assert_ne!(FloatModes::current(), modes);
    modes.restore();
}

#[test]
fn a_rate_that_the_plugin_refuses_is_said_and_the_plugin_comes_back() {
    let plugin = probe::load(ids::BOTH);
    let activation =
        |sample_rate_hz| kmidi_host::Activation { sample_rate_hz, quantum_frames: 64, offline: false };
    let (plugin, error) = plugin.activate(&activation(8_000)).err().unwrap();
    assert!(error.to_string().contains("8000 Hz in blocks of 64"), "{error}");
    let zero = kmidi_host::Activation { quantum_frames: 0, ..activation(48_000) };
    let (plugin, _): (Plugin, _) = plugin.activate(&zero).err().unwrap();
    drop(Rig::with(plugin, &activation(48_000)).end());
}
