//! What can be typed, set and piped, and what comes back.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::midi::{self, Track};
use crate::support::program::{self, DEADLINE};
use crate::support::{root, soundfont};

fn song() -> String {
    root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid").to_str().expect("UTF-8").to_owned()
}

/// Runs the program with something set around it.
fn with(arguments: &[&str], change: impl FnOnce(&mut Command)) -> program::Outcome {
    let mut command = program::command(arguments);
    change(&mut command);
    program::spawn(command).wait(DEADLINE)
}

#[test]
fn flags_come_from_the_environment_and_from_the_configuration_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let arguments =
        ["render", "--to", "1s", "--tail", "0", "--json", "-o", output.to_str().unwrap(), &song()];
    let rate = |outcome: program::Outcome| outcome.success().json()["sample_rate_hz"].as_u64();
    fs::create_dir(folder.path().join("kmidi")).expect("a folder");
    let file = folder.path().join("kmidi/config.toml");
    fs::write(&file, "rate = 22050\n[play]\nrate = 96000\n").expect("written");
    let configured = |command: &mut Command| {
        command.env("XDG_CONFIG_HOME", folder.path());
    };
    assert_eq!(rate(program::kmidi(&arguments)), Some(48_000));
    assert_eq!(rate(with(&arguments, configured)), Some(22_050));
    let both = |command: &mut Command| {
        configured(command);
        command.env("KMIDI_RATE", "44100");
    };
    assert_eq!(rate(with(&arguments, both)), Some(44_100));
    let typed = [&arguments[..], &["--rate", "32000"]].concat();
    assert_eq!(rate(with(&typed, both)), Some(32_000));

    fs::write(&file, "ratte = 22050\n").expect("written");
    let misspelt = with(&arguments, configured);
    assert_eq!(misspelt.code, Some(2), "{misspelt:#?}");
    assert!(misspelt.stderr.contains("ratte") && misspelt.stderr.contains("config.toml"), "{misspelt:#?}");
}

#[test]
fn a_wrong_value_names_where_it_comes_from_and_an_empty_one_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.toml");
    fs::write(&file, "gain = \"loud\"\n").expect("written");
    fn set(name: &str, value: impl AsRef<std::ffi::OsStr>) -> impl FnOnce(&mut Command) {
        move |command| {
            command.env(name, value);
        }
    }
    let arguments = ["info", &song()];
    let typed = ["render", "--verify", "--to", "1s", "--gain", "x", &song()];
    let untyped = ["render", "--verify", "--to", "1s", &song()];
    for (outcome, named) in [
        (with(&untyped, set("KMIDI_GAIN", "x")), Some("KMIDI_GAIN")),
        (with(&untyped, set("KMIDI_CONFIG", &file)), Some("config.toml")),
        (with(&typed, set("KMIDI_GAIN", "1")), None),
    ] {
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert_eq!(outcome.stderr.contains("not typed"), named.is_some(), "{outcome:#?}");
        assert!(named.is_none_or(|name| outcome.stderr.contains(name)), "{outcome:#?}");
    }
    with(&untyped, set("KMIDI_GAIN", "")).success();
    with(&arguments, set("KMIDI_CONFIG", "")).success();
    let endless = with(&arguments, set("KMIDI_CONFIG", "/dev/zero"));
    assert_eq!(endless.code, Some(2), "{endless:#?}");
}

#[test]
fn a_failure_is_json_too_where_that_is_asked_for() {
    let outcome = program::kmidi(&["info", "--json", "/nonexistent/song.mid"]);
    assert_eq!((outcome.code, &outcome.json()["exit_code"]), (Some(2), &2.into()));
    assert!(outcome.json()["error"].as_str().is_some_and(|text| text.contains("song.mid")), "{outcome:#?}");
}

#[test]
fn a_configuration_that_cannot_be_read_and_what_is_missing_are_json_too() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("kmidi")).expect("a folder");
    fs::write(folder.path().join("kmidi/config.toml"), "rate = = 7\n").expect("written");
    let told = with(&["info", "--json", &song()], |command| {
        command.env("XDG_CONFIG_HOME", folder.path());
    });
    assert_eq!((told.code, &told.json()["exit_code"]), (Some(2), &2.into()), "{told:#?}");
    assert!(told.json()["error"].as_str().is_some_and(|error| error.contains("config.toml")), "{told:#?}");
    let told = program::kmidi(&["render", "--json"]);
    let error = told.json()["error"].as_str().expect("a text").to_owned();
    assert!(error.contains("not provided: ") && error.contains("FILE"), "{error}");
}

#[test]
fn what_nobody_can_be_told_stops_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = || fs::File::options().write(true).open("/dev/full").expect("a full device");
    let closed = || std::io::pipe().expect("a pipe").1;
    for (number, stderr) in [Stdio::from(full()), Stdio::from(closed())].into_iter().enumerate() {
        let output = folder.path().join(format!("{number}.wav"));
        let mut render = program::command(&["render", "--to", "1s", "-o", output.to_str().unwrap(), &song()]);
        let ended = render.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).status();
        assert_eq!(ended.expect("it runs").code(), Some(0));
        assert!(output.is_file());
    }
    let mut failing = program::command(&["info", "/missing.mid"]);
    assert_eq!(failing.stdout(Stdio::null()).stderr(full()).status().expect("it runs").code(), Some(2));
}

#[test]
fn a_song_comes_through_standard_input_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let render = |name: &str, input: &str, bytes: Option<Vec<u8>>| {
        let output = folder.path().join(name);
        let arguments = ["render", "--to", "5s", "-o", output.to_str().unwrap(), input];
        let mut command = program::command(&arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || pipe.write_all(&bytes.unwrap_or_default()));
        assert!(child.wait().expect("it ends").success());
        let _ = writer.join().expect("no panic");
        fs::read(output).expect("written")
    };
    let bytes = fs::read(song()).expect("read");
    assert!(render("piped.wav", "-", Some(bytes)) == render("file.wav", &song(), None));
}

#[test]
fn song_and_soundfont_are_told_apart_in_any_order_under_any_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut track = Track::default();
    track.note(0, 96, 0, 60, 100);
    fs::write(path("music.bin"), midi::file(0, midi::ppq(96), &[track])).expect("written");
    fs::write(path("sounds.mid"), soundfont::sine(48_000, 100).bytes()).expect("written");
    let output = path("out.wav");
    let render = |files: [&str; 2]| {
        let arguments = ["render", "--json", "-o", &output, files[0], files[1]];
        program::kmidi(&arguments).success().json()["sound_fonts"].clone()
    };
    let (song, font) = (path("music.bin"), path("sounds.mid"));
    assert_eq!(render([&song, &font]), serde_json::json!([font]));
    assert_eq!(render([&font, &song]), serde_json::json!([font]));
    let two = program::kmidi(&["play", "--audio", "null", &font, &song, &font]);
    assert_eq!(two.code, Some(2), "{two:#?}");
    let none = program::kmidi(&["play", "--audio", "null", &font]);
    assert_eq!(none.code, Some(2), "{none:#?}");
}

#[test]
fn the_flags_of_fluidsynth_work() {
    let song = root().join("tests/data/midi/jazzsoft/test-c-major-scale.mid");
    let song = song.to_str().unwrap();
    let arguments = ["play", "-a", "null", "-r", "44100", "-z", "128", "--to", "1s", "--json", song];
    let json = program::kmidi(&arguments).success().json();
    assert_eq!(
        (&json["output"]["sample_rate_hz"], &json["output"]["period_frames"]),
        (&44_100.into(), &128.into())
    );
    assert_eq!(json["state"], "ended");
    assert!(json["cpu_seconds"].as_f64() > Some(0.0));
}

#[test]
fn usage_errors_and_refusals_have_their_codes() {
    let nothing = Path::new("/nonexistent/out.wav").to_str().unwrap();
    for (arguments, code) in [
        (vec![], 2),
        (vec!["plai"], 2),
        (vec!["render", &song()], 2),
        (vec!["render", "--rate", "7", "-o", "out.wav", &song()], 2),
        (vec!["render", "--bits", "12", "-o", "out.wav", &song()], 2),
        (vec!["render", "--from", "soon", "-o", "out.wav", &song()], 2),
        (vec!["render", "--from", "10s", "--to", "5s", "-o", nothing, &song()], 1),
        (vec!["man", "nothing"], 2),
        (vec!["--version"], 0),
        (vec!["--help"], 0),
    ] {
        let outcome = program::kmidi(&arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}: {outcome:#?}");
    }
    let help = program::kmidi(&["--help"]).success().stdout;
    for code in ["0 ", "1 ", "2 ", "130 "] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(code)), "{code}: {help}");
    }
}

#[test]
fn info_counts_and_times_exactly() {
    let mut conductor = Track::default();
    conductor.tempo(0, 500_000).tempo(96, 250_000).tempo(192, 250_000).at(0, &[0xff, 0x58, 4, 3, 2, 24, 8]);
    let mut music = Track::default();
    music.note(0, 96, 0, 60, 100).note(96, 192, 1, 64, 100).at(0, &[0xc1, 40]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("song.mid");
    fs::write(&path, midi::file(1, midi::ppq(96), &[conductor, music])).expect("written");
    let json = program::kmidi(&["info", "--json", path.to_str().unwrap()]).success().json();
    let expected = serde_json::json!({
        "format": 1, "division": 96, "tracks": 2, "notes": 2, "duration_seconds": 1.0, "duration_fraction": "1/1",
        "tempo_changes": 1, "meter_changes": 0, "warnings": [], "duration_ticks": 288,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&json[key], value, "{key}: {json:#}");
    }
    assert_eq!(json["meters"], serde_json::json!([{ "bar": 1, "numerator": 3, "denominator": 4 }]));
    let programs = json["programs"].as_array().unwrap();
    assert!(programs.iter().any(|it| it["channel"] == 2 && it["program"] == 41), "{json:#}");
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let commands = ["play", "render", "info", "devices", "doctor", "completions", "man"];
    for text in [
        program::kmidi(&["man"]).success().stdout,
        program::kmidi(&["completions", "bash"]).success().stdout,
        program::kmidi(&["completions", "zsh"]).success().stdout,
        program::kmidi(&["completions", "fish"]).success().stdout,
    ] {
        for command in commands {
            assert!(text.contains(command), "{command} is missing in {text}");
        }
    }
    let page = program::kmidi(&["man", "render"]).success().stdout;
    assert!(page.contains("KMIDI_LOUDNESS") && page.contains("verify"), "{page}");
}

#[test]
fn doctor_and_devices_answer_without_any_device() {
    let doctor = program::kmidi(&["doctor", "--json"]);
    assert!(matches!(doctor.code, Some(0 | 1)), "{doctor:#?}");
    let json = doctor.json();
    let checks = json["checks"].as_array().unwrap();
    for check in checks {
        let mended = check["ok"] == true || check["mend"].as_str().is_some_and(|mend| !mend.is_empty());
        assert!(mended, "{check:#}");
    }
    assert_eq!(json["ok"], doctor.code == Some(0));
    let devices = program::kmidi(&["devices", "--json"]).success().json();
    let null = devices["backends"].as_array().unwrap().iter().find(|it| it["backend"] == "null");
    assert!(null.is_some_and(|it| it["unavailable"].is_null()), "{devices:#}");
    let font = program::kmidi(&["doctor", "--sf", "/nonexistent.sf2"]);
    assert_eq!(font.code, Some(1), "{font:#?}");
    assert!(font.stdout.contains("/nonexistent.sf2"), "{font:#?}");
}
