//! What a plugin says of itself, its parameters, states and presets.

use std::fs;

use kmidi_core::Event;
use kmidi_host::{
    Description, Format, Kind, LoadError, Plugin, PluginId, PortRole, State, StateError, contents,
};
use kmidi_test_clap::{ids, parameters};

use crate::probe;
use crate::rig::{Rig, at};

#[test]
fn a_plugin_that_does_not_start_costs_none_of_its_neighbours() {
    let listed = contents(Format::Clap, &probe::file()).unwrap();
    let names: Vec<_> = listed.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        [
            ids::BROKEN,
            ids::CLAP,
            ids::MIDI,
            ids::BOTH,
            ids::MPE,
            ids::NOTES,
            ids::GAIN,
            ids::SLOW,
            ids::MONO,
            ids::MOODY,
            ids::LATE,
            ids::LATE_NOTES,
            ids::STAMP,
            ids::MULTI,
            ids::SHIFT
        ]
    );
    assert!(listed[1..].iter().all(|id| Plugin::load(&probe::file(), id).is_ok()));
    let broken = PluginId::new(Format::Clap, ids::BROKEN);
    assert!(matches!(Plugin::load(&probe::file(), &broken), Err(LoadError::Instance { .. })));
    let missing = PluginId::new(Format::Clap, "test.nowhere");
    assert!(matches!(Plugin::load(&probe::file(), &missing), Err(LoadError::NotInFile { .. })));
    let text = tempfile::NamedTempFile::new().unwrap();
    for path in [text.path(), "/nonexistent.clap".as_ref()] {
        assert!(matches!(contents(Format::Clap, path), Err(LoadError::Library { .. })));
    }
}

#[test]
fn a_description_says_what_the_plugin_does_and_survives_its_mistakes() {
    let plugin = probe::load(ids::BOTH);
    let described = plugin.description();
    assert_eq!((described.vendor.as_str(), described.version.as_str()), ("KmiDi", "1.2.3"));
    assert_eq!((described.kind, &described.tags[..]), (Kind::Instrument, &["instrument".to_owned()][..]));
    let roles: Vec<_> = described.audio_inputs.iter().map(|it| (it.channels, it.role)).collect();
    assert_eq!(roles, [(2, PortRole::Main), (1, PortRole::SideChain)]);
    assert!(described.event_inputs[0].midi && described.event_outputs.len() == 1);

    let ids: Vec<_> = described.parameters.iter().map(|it| it.id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, parameters::LAST], "the id that comes twice is once here");
    let of = |id: u32| described.parameters.iter().find(|it| it.id == id).unwrap();
    let gain = of(parameters::GAIN);
    assert_eq!((gain.symbol.as_str(), gain.group.as_str(), gain.unit.as_str()), ("gain", "out/level", "dB"));
    assert_eq!((gain.steps, gain.choices.len(), gain.default), (0, 0, 1.0));
    let mode = of(parameters::MODE);
    let names: Vec<_> = mode.choices.iter().map(|(value, name)| (*value, name.as_str())).collect();
    assert_eq!((mode.steps, &names[..]), (2, &[(0.0, "Soft"), (1.0, "Medium"), (2.0, "Hard")][..]));
    assert!(of(parameters::DEED).is_hidden && of(parameters::CALLS).is_output);
    let last = of(parameters::LAST);
    assert_eq!((last.symbol.as_str(), last.name.as_str()), ("gain-2", "gain\u{fffd}"));
    assert_eq!((last.min, last.max, last.default, last.is_bypass), (1.0, 1.0, 1.0, true));
}

#[test]
fn a_parameter_that_gets_another_name_has_it_once_the_plugin_rests() {
    let plugin = probe::load(ids::BOTH);
    let rename = State { id: plugin.description().id.clone(), data: b"value 1 1\nrename".to_vec() };
    let name = |described: &Description| described.parameters[1].name.clone();
    let mut rig = Rig::new(plugin);
    rig.active.restore(&rename).unwrap();
    rig.active.idle();
    assert_eq!(
        name(rig.active.description()),
        "Mode",
        "the audio half knows the parameters of its activation"
    );
    let plugin = rig.end();
    assert_eq!(name(plugin.description()), "Kind");
    let mut plugin = probe::load(ids::BOTH);
    plugin.restore(&rename).unwrap();
    plugin.idle();
    assert_eq!(name(plugin.description()), "Kind");
}

#[test]
fn text_and_value_are_the_plugins_own() {
    let mut plugin = probe::load(ids::BOTH);
    let (gain, mode) = (parameters::GAIN, parameters::MODE);
    assert_eq!(plugin.text_of(gain, 2.0).unwrap(), "6.0 dB");
    assert!((plugin.value_of(gain, "-6.0206 dB").unwrap() - 0.5).abs() < 1e-4);
    assert_eq!(plugin.value_of(gain, "100").unwrap(), 2.0, "moved to the end of the range");
    assert_eq!(plugin.value_of(mode, "medium"), Some(1.0));
    // The plugin reads no number here; the host does.
    assert_eq!(plugin.value_of(mode, "2"), Some(2.0));
    assert_eq!(plugin.value_of(mode, "loudest"), None);
    assert_eq!(
        (plugin.value_of(mode, "a\0b"), plugin.value_of(999, "1"), plugin.text_of(u32::MAX, 1.0)),
        (None, None, None)
    );
    plugin.set_value(gain, 0.75);
    plugin.set_value(mode, 99.0);
    plugin.set_value(999, 1.0);
    assert_eq!((plugin.value(gain), plugin.value(mode)), (Some(0.75), Some(2.0)));
    plugin.set_value(gain, f64::NAN);
    assert_eq!(plugin.value(gain), Some(0.75));
}

#[test]
fn a_state_is_taken_up_by_another_instance_at_rest_and_at_work() {
    let mut plugin = probe::load(ids::BOTH);
    plugin.set_value(parameters::GAIN, 0.5);
    let state = State::from_bytes(&plugin.save().unwrap().to_bytes()).unwrap();
    let mut other = probe::load(ids::BOTH);
    assert_eq!(other.value(parameters::GAIN), Some(1.0));
    other.restore(&state).unwrap();
    assert_eq!(other.value(parameters::GAIN), Some(0.5));
    let mut rig = Rig::new(probe::load(ids::BOTH));
    rig.inputs[0].fill(1.0);
    rig.run(&[]);
    rig.active.restore(&state).unwrap();
    rig.run(&[]);
    assert_eq!(rig.outputs[0][0], 0.5);

    let garbage = State { id: state.id.clone(), data: b"garbage".to_vec() };
    assert!(matches!(rig.active.restore(&garbage), Err(StateError::Refused { .. })));
    let mut midi = probe::load(ids::MIDI);
    assert!(matches!(midi.restore(&state), Err(StateError::Other { .. })));
}

#[test]
fn a_plugin_without_states_is_kept_by_its_parameters() {
    let mut plugin = probe::load(ids::GAIN);
    plugin.set_value(1, 0.5);
    let state = plugin.save().unwrap();
    let mut other = probe::load(ids::GAIN);
    other.restore(&state).unwrap();
    assert_eq!(other.value(1), Some(0.5));
    let mut rig = Rig::new(probe::load(ids::GAIN));
    rig.inputs[0].fill(1.0);
    rig.active.restore(&state).unwrap();
    rig.run(&[]);
    assert_eq!(rig.outputs[0][0], 0.5);
    // An event of the same quantum is later than what was restored.
    rig.active.restore(&state).unwrap();
    rig.run(&[at(0, Event::Parameter { id: 1, value: 2.0 })]);
    assert_eq!(rig.outputs[0][0], 2.0);
    let garbage = State { id: state.id.clone(), data: b"garbage".to_vec() };
    assert!(matches!(rig.active.restore(&garbage), Err(StateError::None { .. })));
}

#[test]
fn presets_are_found_in_the_plugin_and_in_files_and_those_of_others_are_not() {
    let folder = kmidi_test_clap::preset_folder();
    fs::create_dir_all(folder.join("deep")).unwrap();
    fs::write(folder.join("deep/half.gain"), "0.5").unwrap();
    fs::write(folder.join("notes.txt"), "0.1").unwrap();
    let mut plugin = probe::load(ids::BOTH);
    let presets = plugin.presets();
    let names: Vec<_> = presets.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Loud", "Quiet", "half"]);
    assert_eq!(presets[0].key, "plugin#loud");
    for (preset, gain) in presets.iter().zip([2.0, 0.25, 0.5]) {
        // As a program that starts anew: the key is all it has.
        let mut other = probe::load(ids::BOTH);
        other.load_preset(&preset.key).unwrap();
        assert_eq!(other.value(parameters::GAIN), Some(gain), "{}", preset.key);
    }
    assert!(matches!(plugin.load_preset("plugin#gone"), Err(StateError::Refused { .. })));
    fs::remove_dir_all(folder).unwrap();
    let others: Vec<_> = probe::load(ids::MIDI).presets();
    assert_eq!(others, []);
}
