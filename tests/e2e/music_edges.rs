//! What the music commands say at their edges: names that are nearly right, pipes, damaged files, numbers that cannot be.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::program::{self, Outcome};
use crate::support::root;

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("UTF-8").to_owned()
}

fn refused(arguments: &[&str]) -> Outcome {
    let outcome = program::kmidi(arguments);
    assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:#?}");
    outcome
}

fn json(arguments: &[&str]) -> Value {
    program::kmidi(&[arguments, &["--json"]].concat()).success().json()
}

#[test]
fn a_name_that_is_nearly_right_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (song, out) = (song(), path(&folder, "out.mid"));
    for (arguments, meant) in [
        (vec!["therapy", "sad", "--mode", "dorain"], "did you mean dorian?"),
        (vec!["groove", "apply", &song, "-g", "hiphopp", "-o", &out], "did you mean hiphop?"),
        (vec!["groove", "humanize", &song, "-p", "funk_pokcet", "-o", &out], "did you mean funk_pocket?"),
        (vec!["groove", "humanize", &song, "-s", "regae", "-o", &out], "did you mean reggae?"),
        (vec!["reharm", "C Am", "-s", "jaz"], "did you mean jazz?"),
    ] {
        let outcome = refused(&arguments);
        assert!(outcome.stderr.contains(meant), "{arguments:?}: {outcome:#?}");
    }
    // Control: what is near to nothing is not made something.
    assert!(!refused(&["therapy", "sad", "--mode", "qqqqqq"]).stderr.contains("did you mean"));
    assert!(!Path::new(&out).exists());
}

#[test]
fn a_song_goes_through_a_pipe_and_its_plan_to_stderr() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = path(&folder, "file.mid");
    program::kmidi(&["therapy", "I miss you", "-o", &file]).success();
    let piped = path(&folder, "piped.mid");
    let mut command = program::command(&["therapy", "I miss you", "-o", "-"]);
    let output = command.stdin(Stdio::null()).stdout(File::create(&piped).expect("created")).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert!(fs::read(&piped).expect("read") == fs::read(&file).expect("read"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("longing"), "{output:?}");
    // Groove, too, from a pipe to a pipe.
    let mut command = program::command(&["groove", "apply", "-", "-g", "jazz", "-o", "-"]);
    command.stdin(File::open(&file).expect("open")).stdout(File::create(&piped).expect("created"));
    assert!(command.status().expect("it runs").success());
    assert!(fs::read(&piped).expect("read").starts_with(b"MThd"));
    let both = refused(&["therapy", "sad", "-o", "-", "--json"]);
    assert!(both.stderr.contains("standard output"), "{both:#?}");
}

#[test]
fn a_name_of_a_sound_gets_no_midi_file_but_the_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["x.wav", "x.FLAC"] {
        let output = path(&folder, name);
        let outcome = refused(&["therapy", "sad", "-o", &output]);
        assert!(outcome.stderr.contains("kmidi render"), "{outcome:#?}");
        assert!(!Path::new(&output).exists());
    }
}

#[test]
fn no_output_replaces_the_text_that_comes_through_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, other) = (path(&folder, "in.txt"), path(&folder, "out.mid"));
    fs::write(&text, "I am sad").expect("written");
    let run = |output: &str| {
        let mut command = program::command(&["therapy", "-", "-o", output]);
        command.stdin(File::open(&text).expect("open")).output().expect("it runs").status.code()
    };
    assert_eq!(run(&text), Some(2));
    assert_eq!(fs::read_to_string(&text).expect("read"), "I am sad");
    // Control.
    assert_eq!(run(&other), Some(0));
}

#[test]
fn damage_is_told_by_analyze() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, cut) = (fs::read(song()).expect("read"), path(&folder, "cut.mid"));
    fs::write(&cut, &whole[..whole.len() * 2 / 3]).expect("written");
    let outcome = program::kmidi(&["analyze", &cut, "--json"]).success();
    assert!(outcome.stderr.contains("warning") && outcome.stderr.contains("cut"), "{outcome:#?}");
    assert!(outcome.json()["warnings_total"].as_u64() > Some(0), "{outcome:#?}");
    // Control: a whole file has no warnings.
    let outcome = program::kmidi(&["analyze", &song(), "--json"]).success();
    assert!(!outcome.stderr.contains("warning") && outcome.json()["warnings_total"] == 0);
}

#[test]
fn a_recording_that_is_cut_off_is_not_called_silent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, cut) = (path(&folder, "whole.wav"), path(&folder, "cut.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&whole, spec).expect("created");
    for frame in 0..44_100 * 4 {
        file.write_sample((f64::from(frame) * 0.05).sin().mul_add(9000.0, 0.0) as i16).expect("written");
    }
    file.finalize().expect("finished");
    let bytes = fs::read(&whole).expect("read");
    fs::write(&cut, &bytes[..44]).expect("written");
    let outcome = refused(&["analyze", &cut]);
    assert!(outcome.stderr.contains("cut off") && !outcome.stderr.contains("silent"), "{outcome:#?}");
    fs::write(&cut, &bytes[..bytes.len() / 2]).expect("written");
    let outcome = program::kmidi(&["analyze", &cut, "--json"]).success();
    assert!(outcome.stderr.contains("cut off"), "{outcome:#?}");
    assert!(outcome.json()["missing_frames"].as_u64() > Some(80_000), "{outcome:#?}");
    // Control.
    let outcome = program::kmidi(&["analyze", &whole, "--json"]).success();
    assert!(!outcome.stderr.contains("cut off") && outcome.json()["missing_frames"] == 0, "{outcome:#?}");
}

#[test]
fn numbers_below_zero_are_answered_and_no_flag_is_guessed() {
    for (arguments, why) in [
        (vec!["therapy", "sad", "--seed", "-1"], "whole number"),
        (vec!["therapy", "sad", "--bpm", "-5"], "tempo"),
        (vec!["therapy", "sad", "--chaos", "-0.5"], "chaos"),
        (vec!["reharm", "C Am", "--seed", "-1"], "whole number"),
    ] {
        let outcome = refused(&arguments);
        assert!(outcome.stderr.contains(why), "{arguments:?}: {outcome:#?}");
        assert!(!outcome.stderr.contains("tip:"), "{arguments:?}: {outcome:#?}");
    }
}

#[test]
fn numerals_without_a_key_are_read_in_c_and_that_is_said() {
    let told = program::kmidi(&["diagnose", "I IV V"]).success();
    assert!(told.stdout.contains("C major") && told.stderr.contains("--key"), "{told:#?}");
    let told = program::kmidi(&["diagnose", "i iv V7 i"]).success();
    assert!(told.stdout.contains("C minor"), "{told:#?}");
    // Controls: with a key nothing is assumed, and what is no numeral stays an error.
    let told = program::kmidi(&["diagnose", "I IV V", "--key", "G"]).success();
    assert!(told.stdout.contains("G major") && !told.stderr.contains("--key"), "{told:#?}");
    refused(&["diagnose", "Hx Foo"]);
}

#[test]
fn a_mode_that_is_said_twice_is_refused_and_other_languages_are_named() {
    let twice = refused(&["therapy", "sad", "--key", "F# dorian", "--mode", "lydian"]);
    assert!(twice.stderr.contains("dorian") && twice.stderr.contains("lydian"), "{twice:#?}");
    assert!(refused(&["therapy", "Estoy triste"]).stderr.contains("Spanish"));
}

#[test]
fn what_is_left_out_by_humanising_is_a_flag_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = path(&folder, "out.mid");
    let song = song();
    let with =
        |more: &[&str]| json(&[&["groove", "humanize", &song, "-c", "0.9", "-o", &out][..], more].concat());
    assert_eq!(with(&["--dropout", "0"])["dropped"], 0);
    assert!(with(&[])["dropped"].as_u64() > Some(0));
    let help = program::kmidi(&["groove", "humanize", "--help"]).success().stdout;
    assert!(help.contains("--dropout") && help.contains("a fifth of the complexity"), "{help}");
}

#[test]
fn no_intensity_leaves_the_file_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, song) = (path(&folder, "out.mid"), song());
    program::kmidi(&["groove", "apply", &song, "-g", "jazz", "-i", "0", "-o", &out]).success();
    assert!(fs::read(&out).expect("read") == fs::read(&song).expect("read"));
    // Control.
    program::kmidi(&["groove", "apply", &song, "-g", "jazz", "-o", &out]).success();
    assert!(fs::read(&out).expect("read") != fs::read(&song).expect("read"));
}

#[test]
fn an_unknown_field_of_an_intent_hides_no_other_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = path(&folder, "intent.json");
    let text =
        r#"{"colour": 1, "phase_0": {"event": "a", "longing": "b"}, "phase_1": {"mood_primary": "Greif"}}"#;
    fs::write(&file, text).expect("written");
    let told = refused(&["intent", "validate", &file]).stdout;
    assert!(told.contains("colour") && told.contains("Greif") && told.contains("Grief"), "{told}");
}
