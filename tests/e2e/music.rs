//! Feelings, grooves, harmony: what the commands print and write, and what they refuse.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::{self, Outcome};
use crate::support::root;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("it was written")
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.0.path()).expect("a folder").map(|it| it.expect("an entry").path()).collect()
    }
}

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

fn json(arguments: &[&str]) -> Value {
    program::kmidi(&[arguments, &["--json"]].concat()).success().json()
}

/// Exit code 2 with a word that says why, as JSON too, and nothing written.
fn check_refused(folder: &Folder, arguments: &[&str], why: &str) {
    let refused = |outcome: &Outcome| {
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(why), "{arguments:?}: {outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    };
    refused(&program::kmidi(arguments));
    assert_eq!(folder.files(), Vec::<PathBuf>::new(), "{arguments:?}");
}

#[test]
fn a_feeling_becomes_the_same_file_again_and_every_option_is_honoured() {
    let folder = Folder::new();
    let text = "I miss my old home";
    for name in ["one.mid", "two.mid"] {
        program::kmidi(&["therapy", text, "-o", &folder.path(name)]).success();
    }
    program::kmidi(&["therapy", text, "--seed", "77", "-o", &folder.path("other.mid")]).success();
    assert_eq!(folder.read("one.mid"), folder.read("two.mid"));
    assert_ne!(folder.read("one.mid"), folder.read("other.mid"), "another seed is another piece");
    let asked = ["--key", "F", "--bpm", "60", "--mode", "dorian", "--progression", "F C", "--bars", "10"];
    let output = folder.path("asked.mid");
    let picture = folder.path("asked.svg");
    let more = ["--meter", "3/4", "-o", &output, "--picture", &picture];
    let plan = json(&[&["therapy", text], &asked[..], &more].concat());
    assert_eq!(plan["tempo_bpm"], 60.0, "{plan:#}");
    assert_eq!((&plan["mode"], &plan["length_bars"]), (&"dorian".into(), &10.into()), "{plan:#}");
    assert_eq!(plan["progression"], serde_json::json!(["F", "C"]));
    assert!(plan["key"].as_str().is_some_and(|key| key.starts_with('F')), "{plan:#}");
    assert!(!plan["reasons"].as_array().expect("a list").is_empty());
    let info = json(&["info", &output]);
    assert_eq!((&info["bars"], &info["meters"][0]["numerator"]), (&10.into(), &3.into()), "{info:#}");
    assert_eq!(info["tempos"][0]["bpm"], 60.0);
    assert!(String::from_utf8(folder.read("asked.svg")).expect("text").ends_with("</svg>\n"));
    let shown = program::kmidi(&["therapy", text]).success().stdout;
    assert!(shown.contains("nostalgia") && shown.contains("tempo"), "{shown}");
}

#[test]
fn who_may_be_in_danger_is_told_where_help_is() {
    let told = |text: &str| program::kmidi(&["therapy", text]).success().stderr;
    assert!(told("I feel lost and I want to die").contains("speak\nwith somebody now"));
    assert!(!told("I feel lost and I want to dine").contains("somebody"));
}

#[test]
fn a_feeling_is_played() {
    let arguments = ["therapy", "calm", "--bars", "1", "--bpm", "400", "--play", "--audio", "null"];
    let played = program::kmidi(&arguments).success();
    assert!(played.stderr.contains("playing"), "{played:#?}");
}

#[test]
fn what_no_music_can_be_made_of_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let output = folder.path("out.mid");
    let long = "sad ".repeat(25_000);
    for (text, why) in [
        ("", "empty"),
        ("   ", "empty"),
        (long.as_str(), "characters"),
        ("悲しい気持ちです", "English"),
        ("12 34", "words"),
    ] {
        check_refused(&folder, &["therapy", text, "-o", &output], why);
    }
    for (flag, value, why) in [
        ("--motivation", "NaN", "motivation"),
        ("--motivation", "11", "motivation"),
        ("--chaos", "-0.1", "chaos"),
        ("--chaos", "inf", "chaos"),
        ("--bpm", "0", "tempo"),
        ("--key", "H", "key"),
        ("--mode", "wrong", "scale"),
        ("--progression", "C Xyz", "Xyz"),
        ("--bars", "0", "bars"),
        ("--meter", "4/0", "meter"),
    ] {
        let flag = format!("{flag}={value}");
        check_refused(&folder, &["therapy", "sad", &flag, "-o", &output], why);
    }
    check_refused(&folder, &["diagnose", "C Foo9x G"], "column 5");
    check_refused(&folder, &["reharm", "C Am", "-s", "polka"], "jazz");
    check_refused(&folder, &["teach", "cadenses"], "cadences");
    check_refused(&folder, &["intent", "suggest", "qwerty"], "qwerty");
    let silent = folder.path("silent.mid");
    fs::write(&silent, no_notes()).expect("written");
    for arguments in [
        vec!["analyze", &silent],
        vec!["groove", "extract", &silent, "-o", &output],
        vec!["groove", "humanize", &silent, "-o", &output],
    ] {
        let outcome = program::kmidi(&arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:#?}");
        assert!(outcome.stderr.contains("note"), "{outcome:#?}");
        assert!(!Path::new(&output).exists());
    }
}

/// A song that has a tempo and nothing to hear.
fn no_notes() -> Vec<u8> {
    let track = b"\x00\xff\x51\x03\x07\xa1\x20\x00\xff\x2f\x00";
    let mut bytes = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

#[test]
fn a_groove_is_taken_given_and_does_not_drift() {
    let folder = Folder::new();
    let (groove, given) = (folder.path("groove.json"), folder.path("given.mid"));
    json(&["groove", "extract", &song(), "-o", &groove]);
    let found = json(&["groove", "apply", &song(), "-g", "hiphop", "-o", &given, "--check-drift"]);
    assert_eq!(found["drift"]["end_ticks"], 0, "{found:#}");
    json(&["groove", "apply", &song(), "-g", &groove, "-o", &given, "-i", "0.5"]);
    for name in ["one.mid", "two.mid"] {
        json(&["groove", "humanize", &song(), "-p", "funk_pocket", "--seed", "3", "-o", &folder.path(name)]);
    }
    assert_eq!(folder.read("one.mid"), folder.read("two.mid"));
    assert_ne!(folder.read("one.mid"), fs::read(song()).expect("read"), "it was changed");
    let over = program::kmidi(&["groove", "humanize", &given, "-o", &given]);
    assert_eq!(over.code, Some(2), "the input is never replaced: {over:#?}");
    let (before, after) = (json(&["info", &song()]), json(&["info", &given]));
    assert_eq!(before["notes"], after["notes"]);
    assert_eq!(before["duration_fraction"], after["duration_fraction"], "the length is the same");
}

#[test]
fn no_output_replaces_what_it_is_made_from_and_a_failure_is_one_json_object() {
    let folder = Folder::new();
    let (groove, intent) = (folder.path("groove.json"), folder.path("intent.json"));
    json(&["groove", "extract", &song(), "-o", &groove]);
    program::kmidi(&["intent", "new", "--mood", "longing", "-o", &intent]).success();
    let before = (folder.read("groove.json"), folder.read("intent.json"));
    let (both, song) = (folder.path("both"), song());
    for arguments in [
        vec!["groove", "apply", &song, "-g", &groove, "-o", &groove],
        vec!["intent", "process", &intent, "-o", &intent],
        vec!["therapy", "sad", "-o", &both, "--picture", &both],
        vec!["therapy", "sad", "--key", "H"],
    ] {
        let refused = program::kmidi(&[&arguments[..], &["--json"]].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert_eq!(refused.json()["exit_code"], 2, "{refused:#?}");
    }
    assert_eq!((folder.read("groove.json"), folder.read("intent.json")), before);
    assert!(!Path::new(&both).exists());
    let missing = folder.path("missing/out.mid");
    let failed = program::kmidi(&["therapy", "sad", "--json", "-o", &missing]);
    assert_eq!((failed.code, &failed.json()["exit_code"]), (Some(1), &1.into()), "{failed:#?}");
    assert!(failed.stderr.contains("no folder"), "{failed:#?}");
}

#[test]
fn harmony_is_read_judged_and_written_anew() {
    let analysis = json(&["analyze", &song()]);
    assert!(analysis["key"].is_object() && analysis["chords"].is_array(), "{analysis:#}");
    let told = program::kmidi(&["diagnose", "C", "Am", "F", "G"]).success().stdout;
    assert!(told.contains("C major") && told.contains("vi"), "{told}");
    let told = json(&["reharm", "C Am F G", "-s", "jazz", "-n", "3"]);
    assert_eq!(told["variants"].as_array().map(Vec::len), Some(3), "{told:#}");
    let lesson = program::kmidi(&["teach", "tritone substitution", "--key", "F"]).success().stdout;
    assert!(lesson.contains("Gb7"), "{lesson}");
    let emotions = json(&["emotions"]);
    assert!(emotions["emotions"].as_array().is_some_and(|all| all.len() >= 14), "{emotions:#}");
}

#[test]
fn an_intent_is_filled_in_checked_and_becomes_a_song() {
    let folder = Folder::new();
    let (file, output) = (folder.path("harbour.json"), folder.path("harbour.mid"));
    program::kmidi(&["intent", "new", "--title", "Harbour", "--mood", "longing", "-o", &file]).success();
    let before = folder.read("harbour.json");
    let again = program::kmidi(&["intent", "new", "-o", &file]);
    assert_eq!((again.code, folder.read("harbour.json")), (Some(2), before), "what is there stays");
    // Much is missing: that is said, and no song is made.
    let judged = program::kmidi(&["intent", "validate", &file]);
    assert_eq!(judged.code, Some(2), "{judged:#?}");
    let mut intent: Value = serde_json::from_slice(&folder.read("harbour.json")).expect("JSON");
    fill_in(&mut intent);
    fs::write(&file, intent.to_string()).expect("written");
    program::kmidi(&["intent", "validate", &file]).success();
    let made = json(&["intent", "process", &file, "-o", &output]);
    assert!(made.is_object());
    assert!(json(&["info", &output])["notes"].as_u64() > Some(50));
    let rules = json(&["intent", "suggest", "rage"]);
    assert!(rules.to_string().contains("because") || rules.to_string().contains("reason"), "{rules:#}");
}

/// Says what happened and what is wished for; the rest follows the mood.
fn fill_in(intent: &mut Value) {
    for field in ["event", "resistance", "longing", "transformation"] {
        intent["phase_0"][field] = "the harbour where we said goodbye".into();
    }
}

#[test]
fn the_tempo_of_a_recording_is_told_or_why_it_has_none() {
    let folder = Folder::new();
    let (clicks, silence, damaged) =
        (folder.path("clicks.wav"), folder.path("silence.wav"), folder.path("damaged.wav"));
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let write = |path: &str, sample: &dyn Fn(u32) -> f32| {
        let mut file = hound::WavWriter::create(path, spec).expect("created");
        for frame in 0..44_100 * 12 {
            for _ in 0..2 {
                file.write_sample(sample(frame)).expect("written");
            }
        }
        file.finalize().expect("finished");
    };
    // A click each half second, of 10 ms.
    write(&clicks, &|frame| {
        if frame % 22_050 < 441 { 0.8 * ((frame % 22_050) as f32 * 0.3).sin() } else { 0.0 }
    });
    write(&silence, &|_| 0.0);
    write(&damaged, &|frame| if frame == 100_000 { f32::NAN } else { 0.1 });
    let told = json(&["analyze", "--tempo", &clicks]);
    let bpm = told["tempo"]["bpm"].as_f64().expect("a tempo");
    assert!((bpm - 120.0).abs() < 1.2, "{bpm}");
    assert_eq!(told["onsets_seconds"].as_array().map(Vec::len), Some(24), "{told:#}");
    let told = json(&["analyze", &silence]);
    assert!(told["tempo"].is_null() && told["why"].is_string(), "{told:#}");
    let outcome = program::kmidi(&["analyze", &damaged]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(outcome.stderr.contains("damaged.wav"), "{outcome:#?}");
    let outcome = program::kmidi(&["analyze", "--chords", &clicks]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
}
