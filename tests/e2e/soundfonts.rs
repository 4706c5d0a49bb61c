//! Several SoundFonts at once: which of them sounds, and where they come from.

use std::fs;
use std::path::Path;

use crate::support::analysis::loudest_hz;
use crate::support::midi::{self, Track};
use crate::support::program::{self, Outcome};
use crate::support::soundfont::{self, SoundFont};
use crate::support::wav::Audio;

const RATE_HZ: u32 = 48_000;
/// Frames of one note: a quarter at 120 a minute.
const NOTE_FRAMES: usize = 24_000;

/// A folder with a song of three notes: program 1, the same in bank 1, and drum kit 1; and with SoundFonts
/// of one tone each.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        let case = Case { folder: tempfile::tempdir().expect("a folder") };
        let mut track = Track::default();
        track.note(0, 96, 0, 60, 100);
        track.at(96, &[0xb1, 0, 1]).at(96, &[0xc1, 0]).note(96, 96, 1, 60, 100);
        track.note(192, 96, 9, 60, 100);
        fs::write(case.path("song.mid"), midi::file(0, midi::ppq(96), &[track])).expect("written");
        case.font("low.sf2", SoundFont { bank: 0, ..soundfont::sine(RATE_HZ, 200) });
        case.font("high.sf2", SoundFont { bank: 0, ..soundfont::sine(RATE_HZ, 100) });
        case.font("a:b@x.sf2", SoundFont { bank: 1, ..soundfont::sine(RATE_HZ, 160) });
        case.font("kit.sf2", SoundFont { bank: 128, ..soundfont::sine(RATE_HZ, 120) });
        case
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn font(&self, name: &str, font: SoundFont) {
        fs::write(self.path(name), font.bytes()).expect("written");
    }

    /// With the names of `fonts` found in the folder, and `@` with what follows kept.
    fn arguments(&self, fonts: &[&str]) -> Vec<String> {
        let own = ["render", "--json", "--bits", "32f", "--no-effects", "--tail", "0"].map(str::to_owned);
        let flags = fonts.iter().flat_map(|font| {
            let is_word = font.starts_with("built-in");
            ["--sf".to_owned(), if is_word { font.to_string() } else { self.path(font) }]
        });
        let song = ["-o".to_owned(), self.path("out.wav"), self.path("song.mid")];
        own.into_iter().chain(flags).chain(song).collect()
    }

    fn render(&self, fonts: &[&str]) -> Outcome {
        program::kmidi(&self.arguments(fonts).iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The frequency of each note, rounded to tens of hertz; 0 for silence.
    fn heard(&self, fonts: &[&str]) -> [u32; 3] {
        self.render(fonts).success();
        let sound = Audio::read(Path::new(&self.path("out.wav"))).mono();
        let hz = |note: usize| {
            let middle = &sound[note * NOTE_FRAMES + 6000..][..4800];
            let is_silent = middle.iter().all(|sample| sample.abs() < 1e-3);
            if is_silent { 0 } else { (loudest_hz(middle, RATE_HZ) / 10.0).round() as u32 * 10 }
        };
        [0, 1, 2].map(hz)
    }
}

#[test]
fn the_last_soundfont_is_on_top() {
    let case = Case::new();
    assert_eq!(case.heard(&["low.sf2", "high.sf2"])[0], 480);
    assert_eq!(case.heard(&["high.sf2", "low.sf2"])[0], 240);
}

#[test]
fn a_bank_offset_moves_melodic_presets_and_no_drum_kits() {
    let case = Case::new();
    let moved = ["low.sf2", "high.sf2@1", "kit.sf2@1"];
    assert_eq!(case.heard(&moved), [240, 480, 400]);
    assert_eq!(case.render(&moved).json()["missing_sounds"], serde_json::json!([]), "nothing stands in");
    assert_eq!(case.heard(&["low.sf2@1", "high.sf2", "kit.sf2"]), [480, 240, 400]);
    // Without it the upper one has all that is in bank 0, and bank 1 is nowhere.
    assert_eq!(case.heard(&["low.sf2", "high.sf2", "kit.sf2"]), [480, 480, 400]);
}

#[test]
fn something_stands_in_only_where_no_soundfont_has_the_preset_itself() {
    let case = Case::new();
    // Bank 1 is in the lower file, though the upper could stand in.
    assert_eq!(case.heard(&["a:b@x.sf2", "high.sf2", "kit.sf2"]), [480, 300, 400]);
    // Nothing has bank 1: the upper one that has the program in bank 0 stands in, and is told.
    assert_eq!(case.heard(&["low.sf2", "high.sf2", "kit.sf2"])[1], 480);
    let told = case.render(&["low.sf2", "high.sf2", "kit.sf2"]).json();
    assert_eq!(told["missing_sounds"].as_array().map(Vec::len), Some(1), "{told:#}");
    // Nothing is in bank 0: the only one there is stands in.
    assert_eq!(case.heard(&["low.sf2@9", "kit.sf2"])[0], 240);
    // A stack without any kit has silent drums.
    assert_eq!(case.heard(&["low.sf2", "high.sf2"])[2], 0);
}

#[test]
fn the_built_in_soundfont_can_be_part_of_a_stack() {
    let case = Case::new();
    let outcome = case.render(&["built-in", "a:b@x.sf2"]).success().json();
    assert_eq!(outcome["sound_fonts"], serde_json::json!([case.path("a:b@x.sf2"), "built-in SoundFont"]));
    assert_eq!(outcome["missing_sounds"], serde_json::json!([]), "{outcome:#}");
    let alone = case.render(&["a:b@x.sf2"]).success().json();
    assert_eq!(alone["missing_sounds"].as_array().map(Vec::len), Some(2), "{alone:#}");
    assert_eq!(case.heard(&["built-in", "a:b@x.sf2"])[1], 300);
    assert_ne!(case.heard(&["a:b@x.sf2", "built-in@1"])[1], 300);
}

#[test]
fn a_soundfont_that_is_missing_or_bad_ends_it_by_name_wherever_it_is_in_the_stack() {
    let case = Case::new();
    fs::write(case.path("bad.sf2"), b"RIFF\x04\0\0\0sfbk").expect("written");
    for bad in ["missing.sf2", "bad.sf2", "bad.sf2@128"] {
        for stack in [[bad, "low.sf2"], ["low.sf2", bad]] {
            let outcome = case.render(&stack);
            assert_eq!(outcome.code, Some(2), "{outcome:#?}");
            assert!(outcome.stderr.contains(bad), "{outcome:#?}");
            assert!(!Path::new(&case.path("out.wav")).exists());
        }
        let play = ["play", "--audio", "null", "--sf", &case.path(bad), &case.path("song.mid")];
        let outcome = program::kmidi(&play);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains(bad), "{outcome:#?}");
    }
}

#[test]
fn no_output_replaces_a_soundfont_of_the_stack() {
    let case = Case::new();
    let font = soundfont::sine(RATE_HZ, 100).bytes();
    fs::write(case.path("out.wav"), &font).expect("written");
    let outcome = case.render(&["out.wav", "low.sf2"]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert_eq!(fs::read(case.path("out.wav")).expect("read"), font);
}

/// The stack that a run uses, the top one first, by file names.
fn used(case: &Case, typed: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let arguments = case.arguments(typed);
    let mut command = program::command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    command.envs(environment.iter().copied());
    let json = program::spawn(command).wait(program::DEADLINE).success().json();
    let names =
        json["sound_fonts"].as_array().expect("a list").iter().map(|name| name.as_str().expect("text"));
    names.map(|name| name.rsplit('/').next().expect("a part").to_owned()).collect()
}

#[test]
fn what_is_typed_wins_over_the_environment_and_that_over_the_file_each_as_a_whole() {
    let case = Case::new();
    let (low, high) = (case.path("low.sf2"), case.path("high.sf2"));
    let (list, file) = (format!("{low}::{high}@1:built-in:"), case.path("config.toml"));
    let set = [("KMIDI_SF", list.as_str()), ("KMIDI_CONFIG", file.as_str())];
    fs::write(&file, format!("sf = [\"{high}\", \"{low}@3\"]")).expect("written");
    assert_eq!(used(&case, &["a:b@x.sf2"], &set), ["a:b@x.sf2"]);
    assert_eq!(used(&case, &[], &set), ["built-in SoundFont", "high.sf2@1", "low.sf2"]);
    assert_eq!(used(&case, &[], &set[1..]), ["low.sf2@3", "high.sf2"]);
    fs::write(&file, format!("sf = \"{high}\"")).expect("written");
    assert_eq!(used(&case, &[], &set[1..]), ["high.sf2"]);
    assert_eq!(used(&case, &[], &[]), ["built-in SoundFont"]);
}

#[test]
fn a_bad_offset_in_the_environment_says_where_it_comes_from() {
    let case = Case::new();
    let arguments = case.arguments(&[]);
    let mut command = program::command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    command.env("KMIDI_SF", "low.sf2@500");
    let outcome = program::spawn(command).wait(program::DEADLINE);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(outcome.stderr.contains("low.sf2@500") && outcome.stderr.contains("KMIDI_SF"), "{outcome:#?}");
}

#[test]
fn a_soundfont_among_the_files_lies_on_top_of_what_is_typed_and_replaces_what_is_not() {
    let case = Case::new();
    let positional = |case: &Case, typed: &[&str], environment: &[(&str, &str)]| {
        let mut arguments = case.arguments(typed);
        arguments.push(case.path("high.sf2"));
        let mut command = program::command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        command.envs(environment.iter().copied());
        program::spawn(command).wait(program::DEADLINE).success().json()["sound_fonts"].clone()
    };
    let (low, high) = (case.path("low.sf2"), case.path("high.sf2"));
    assert_eq!(positional(&case, &["low.sf2"], &[]), serde_json::json!([high, low]));
    assert_eq!(positional(&case, &[], &[("KMIDI_SF", &low)]), serde_json::json!([high]));
}
