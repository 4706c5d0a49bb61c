//! Songs played and rendered with plugins, through the program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::plugins::Machine;
use crate::support::midi::{self, Track};
use crate::support::program::Outcome;
use crate::support::wav::Audio;

/// Installed with the packages of the tests.
const SOUNDFONT: &str = "/usr/share/sounds/sf2/TimGM6mb.sf2";
const SYNTH: &str = "clap:org.kmidi.soundfont";

/// A machine with the plugins of this workspace, and a song with a melody on channel 1 and drums on channel 10.
struct Studio {
    machine: Machine,
}

impl Studio {
    fn new() -> Self {
        let machine = Machine::new();
        machine.install_gain();
        machine.install("libkmidi_soundfont_clap.so", "soundfont.clap");
        machine.install("libkmidi_test_clap.so", "test.clap");
        machine.scan();
        let studio = Studio { machine };
        studio.write_song(0, 9);
        studio
    }

    /// A melody on one channel and a drum on another.
    fn write_song(&self, melody: u8, drum: u8) {
        let mut track = Track::default();
        for beat in 0..6u64 {
            // One after the other: of what begins at the same time the order is nobody's.
            track.note(beat * 240, 200, melody, 60 + beat as u8, 100).note(
                beat * 240 + 9,
                100,
                drum,
                36,
                100,
            );
        }
        fs::write(self.machine.path("song.mid"), midi::file(0, midi::ppq(480), &[track])).expect("written");
    }

    fn path(&self, name: &str) -> String {
        self.machine.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn try_render(&self, more: &[&str]) -> Outcome {
        let (song, output) = (self.path("song.mid"), self.path("out.wav"));
        self.machine.run(&[&["render", "--bits", "32f", "--json", "-o", &output, &song], more].concat())
    }

    /// What it says, and what it wrote.
    fn render(&self, more: &[&str]) -> (Value, Audio) {
        let report = self.try_render(more).success().json();
        (report, Audio::read(&self.machine.path("out.wav")))
    }
}

/// Stands in front of a parameter and its value.
const C: &str = "-c";

fn clap(name: &str) -> String {
    format!("clap:{name}")
}

#[test]
fn effects_change_what_they_are_for_and_nothing_else() {
    let studio = Studio::new();
    let (plain, sound) = studio.render(&[]);
    assert_eq!((&plain["plugins"], &plain["latency_frames"]), (&Value::Array(vec![]), &0.into()));
    let (gain, late) = (clap(kmidi_gain_clap::ID), clap("test.late"));
    // What changes nothing changes no bit, and what is late is in time.
    let chain = ["-p", &gain, "-p", &late, C, "frames=1000", "-p", &gain];
    let (report, same) = studio.render(&chain);
    assert!(same == sound, "the same bits");
    assert_eq!((&report["latency_frames"], &report["frames"]), (&1000.into(), &plain["frames"]));
    let names = report["plugins"].as_array().expect("a list").iter().map(|plugin| &plugin["id"]);
    assert_eq!(names.collect::<Vec<_>>(), [&gain, &late, &gain]);
    // Whatever the length of the callbacks.
    let (verified, _) = studio.render(&[&chain[..], &["--verify", "--to", "0.2s", "--tail", "0"]].concat());
    assert_eq!(verified["verify"]["identical"], true);
    // What takes one channel keeps both sides apart, and both do what it is told.
    let mono = clap("test.mono");
    assert!(sound.channels[0] != sound.channels[1]);
    let (report, same) = studio.render(&["-p", &mono, "-p", &late, C, "frames=64", "-p", &mono]);
    assert!(same == sound, "the same bits");
    assert_eq!(report["plugins"][0]["instances"], 2);
    let (_, half) = studio.render(&["-p", &mono, C, "gain=0.5", "--tail", "1"]);
    let is_half = |(half, whole): (&f32, &f32)| *half == 0.5 * whole;
    let mut sides = half.channels.iter().zip(&sound.channels);
    assert!(sides.all(|(half, whole)| half.iter().zip(whole).all(is_half)));
    let (_, quiet) = studio.render(&["-p", &gain, C, "gain=-20", "--tail", "1"]);
    let ratio = quiet.peak() / sound.peak();
    assert!((ratio - 0.1).abs() < 0.01, "{ratio}");
}

#[test]
fn what_changes_notes_plays_what_stands_behind_it() {
    let studio = Studio::new();
    let shift = clap("test.shift");
    let (_, plain) = studio.render(&[]);
    let (_, both) = studio.render(&["-p", &shift]);
    let (_, twice) = studio.render(&["-p", &shift, "-p", &shift]);
    let (_, melody) = studio.render(&["--channel", &format!("1:{shift}")]);
    // Behind an instrument of other channels it plays the synthesiser.
    let (_, behind) = studio.render(&["--channel", &format!("16:{SYNTH}"), "-p", &shift]);
    for (rendered, (on, drum)) in
        [(plain, (0, 9)), (both, (1, 10)), (twice, (2, 11)), (melody, (1, 9)), (behind, (1, 10))]
    {
        studio.write_song(on, drum);
        let (_, written) = studio.render(&[]);
        assert!(rendered == written, "as a song that is written so, on {on} and {drum}");
    }
}

#[test]
fn the_synthesiser_as_a_plugin_is_the_synthesiser_for_a_song_and_for_a_channel() {
    if !Path::new(SOUNDFONT).exists() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "{SOUNDFONT} is not installed");
        return eprintln!("passed over: {SOUNDFONT} is not installed");
    }
    let studio = Studio::new();
    let (_, built_in) = studio.render(&["--sf", SOUNDFONT]);
    assert!(built_in.peak() > 0.05);
    let plugin = ["--sf", SOUNDFONT, "--plugin", SYNTH, "--preset", SOUNDFONT];
    let (_, hosted) = studio.render(&plugin);
    assert!(hosted == built_in, "every bit");
    // Without effects, which are of one synthesiser, channels add up.
    let (_, dry) = studio.render(&["--sf", SOUNDFONT, "--no-effects", "--solo", "1"]);
    let silent_drums = format!("10:{SYNTH}");
    let (_, melody) = studio.render(&["--sf", SOUNDFONT, "--no-effects", "--channel", &silent_drums]);
    assert!(
        melody.trimmed() == dry.trimmed(),
        "a plugin without a SoundFont plays the drums: they are not heard"
    );
}

#[test]
fn a_song_plays_with_plugins_as_it_does_without_and_they_are_told() {
    let studio = Studio::new();
    let (song, tap) = (studio.path("song.mid"), studio.path("tap.wav"));
    let play = |more: &[&str]| {
        let arguments = ["play", "--audio", "null", "--rate", "48000", "--json", "--tap", &tap, &song];
        let told = studio.machine.run(&[&arguments[..], more].concat()).success().json();
        (told, Audio::read(Path::new(&tap)).trimmed())
    };
    let (plain, sound) = play(&[]);
    assert_eq!(plain["plugins"], Value::Array(vec![]));
    let (test, gain) = (clap("test.gain"), clap(kmidi_gain_clap::ID));
    let mono = clap("test.mono");
    let (told, same) = play(&["-p", &test, "--pdc", "all", "-p", &mono, "-p", &gain]);
    assert!(sound.frames() > 48_000 && same == sound, "the same bits");
    let plugins = told["plugins"].as_array().expect("a list");
    assert_eq!(plugins.len(), 3);
    for plugin in plugins {
        assert_eq!((&plugin["state"], &plugin["bypassed"]), (&"active".into(), &false.into()), "{plugin:#}");
    }
    assert_eq!(told["losses"], plain["losses"]);
}

#[test]
fn a_plugin_that_never_sounds_the_same_is_named() {
    let studio = Studio::new();
    let (gain, moody) = (clap("test.gain"), clap("test.moody"));
    let verify = |plugins: &[&str]| {
        let more = [&["--verify", "--to", "0.2s", "--tail", "0"], plugins].concat();
        studio.try_render(&more)
    };
    let outcome = verify(&["-p", &gain, "-p", &moody, "-p", &gain]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert_eq!(outcome.json()["verify"]["plugin"], *moody);
    assert!(outcome.stderr.contains("clap:test.moody does not sound the same twice"), "{outcome:#?}");
    let control = verify(&["-p", &gain, "-p", &gain]).success().json();
    assert_eq!((&control["verify"]["identical"], &control["verify"]["plugin"]), (&true.into(), &Value::Null));
}

#[test]
fn what_changes_notes_for_nobody_is_told() {
    let studio = Studio::new();
    let shift = clap("test.shift");
    for (plugins, is_told) in [(["-p", SYNTH, "-p", &shift], true), (["-p", &shift, "-p", SYNTH], false)] {
        let outcome = studio.try_render(&plugins).success();
        assert_eq!(outcome.stderr.contains("no instrument behind it"), is_told, "{outcome:#?}");
    }
}

#[test]
fn what_cannot_be_had_is_said_with_the_next_step() {
    let studio = Studio::new();
    let (broken, test) = (clap("test.broken"), clap("test.gain"));
    let effect = format!("3,4:{test}");
    for (more, said) in [
        (vec!["-p", "Nothing"], "no plugin \"Nothing\" is known"),
        (vec!["-p", "clap:org.kmidi.nothing"], "cargo xtask plugins"),
        (vec!["-p", &broken], "kmidi plugin scan"),
        (vec!["-p", &test, C, "loudness=1"], "kmidi plugin info"),
        (vec!["--channel", "17:x"], "channel from 1 to 16"),
        (vec!["--channel", &effect], "plays no notes"),
        (vec![C, "gain=1"], "stands behind the --plugin"),
    ] {
        let refused = studio.try_render(&more);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains(said), "{refused:#?}");
    }
    assert!(!studio.machine.path("out.wav").exists());
    // A song plays on without; the exit code tells.
    let song = studio.path("song.mid");
    let played = studio.machine.run(&["play", "--audio", "null", "--json", &song, "-p", "Nothing"]);
    assert_eq!(played.code, Some(2), "{played:#?}");
    assert!(played.json()["plugins"][0]["state"]["missing"]["reason"].is_string(), "{played:#?}");
}
