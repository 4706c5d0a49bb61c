//! Budgets and the emergency, through the program.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::program::{self, DEADLINE};
use crate::support::root;

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

/// The least of each budget with which this song plays as it should: the engine takes 3.7 MiB and a place in the song, which
/// is made beside the one before, 0.3; its samples and tables take 12.1 MiB, decoding them a good one more on two workers.
const LEAST: [&str; 4] =
    ["--memory-audio-mb=5", "--memory-models-mb=1", "--memory-working-mb=14", "--memory-total-mb=20"];

#[test]
fn a_song_plays_to_its_end_within_the_least_budgets() {
    let song = song();
    let mut arguments =
        vec!["play", "--json", "--audio", "null", "--from", "85s", "--tempo-scale", "4", &song];
    arguments.extend(LEAST);
    let played = program::kmidi(&arguments).success();
    assert_eq!(played.json()["state"], "ended", "{played:#?}");
    assert!(!played.stderr.contains("cannot be loaded"), "{played:#?}");
}

/// A budget of a mebibyte from somewhere is too small, and the message says what to do.
fn check_refused(prepare: impl Fn(&mut std::process::Command, &Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let mut command = program::command(&["render", "--json", "-o", output.to_str().expect("UTF-8"), &song()]);
    prepare(&mut command, folder.path());
    let refused = program::spawn(command).wait(DEADLINE);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("raise KMIDI_MEMORY_WORKING_MB"), "{refused:#?}");
    assert!(refused.stderr.contains("of 1.0 MiB for working memory"), "{refused:#?}");
    assert!(!output.exists(), "half a file is worse than none");
}

#[test]
fn budgets_come_from_flags_the_environment_and_the_configuration_file() {
    check_refused(|command, _| {
        command.arg("--memory-working-mb=1");
    });
    check_refused(|command, _| {
        command.env("KMIDI_MEMORY_WORKING_MB", "1");
    });
    check_refused(|command, folder| {
        let file = folder.join("config.toml");
        fs::write(&file, "memory-working-mb = 1").expect("written");
        command.env("KMIDI_CONFIG", file);
    });
    // What is typed wins.
    let mut command = program::command(&["info", &song()]);
    command.env("KMIDI_MEMORY_WORKING_MB", "many");
    program::spawn(command).wait(DEADLINE).success();
    let wrong = program::kmidi(&["render", "--memory-working-mb", "many", &song()]);
    assert_eq!(wrong.code, Some(2), "{wrong:#?}");
}

/// Whether the program has come so far that it handles the emergency: a thread waits for it.
fn is_ready_for_emergencies(id: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let mut names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.any(|name| name.trim() == "kmidi-relief")
}

/// Sends the emergency again and again until the program has ended.
fn under_emergencies(arguments: &[&str]) -> program::Outcome {
    let mut running = program::spawn(program::command(arguments));
    // A signal that comes before its handler would end the program.
    while running.is_running() && !is_ready_for_emergencies(running.id()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    while running.is_running() {
        running.signal("USR1");
        std::thread::sleep(Duration::from_millis(20));
    }
    running.wait(DEADLINE).success()
}

/// The file without the silence before the song, which is as long as loading takes.
fn sound_of(path: &Path) -> Vec<[u32; 2]> {
    let bytes = fs::read(path).expect("a file");
    let data = bytes.windows(4).position(|word| word == b"data").expect("a chunk of samples") + 8;
    let words: Vec<u32> =
        bytes[data..].as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let frames: Vec<[u32; 2]> = words.as_chunks::<2>().0.to_vec();
    frames.into_iter().skip_while(|frame| *frame == [0, 0]).collect()
}

#[test]
fn music_plays_on_bit_by_bit_through_an_emergency() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (calm, shaken, song) = (path("calm.wav"), path("shaken.wav"), song());
    let arguments = |tap: &Path| {
        let fixed = ["play", "--json", "--audio", "null", "--no-effects", "--to", "4s", "--tap"];
        fixed.iter().map(|it| (*it).to_owned()).chain([text(tap), song.clone()]).collect::<Vec<_>>()
    };
    let of = |arguments: &[String]| arguments.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let calm_arguments = of(&arguments(&calm));
    program::kmidi(&calm_arguments.split('\n').collect::<Vec<_>>()).success();
    let shaken_arguments = of(&arguments(&shaken));
    let outcome = under_emergencies(&shaken_arguments.split('\n').collect::<Vec<_>>());
    assert!(outcome.stderr.contains("memory: "), "{outcome:#?}");
    let (calm, shaken) = (sound_of(&calm), sound_of(&shaken));
    // At the end the level goes down when the program gets to it.
    let common = calm.len().min(shaken.len()).saturating_sub(44_100);
    assert!(common > 3 * 44_100, "{common} frames");
    assert!(calm[..common] == shaken[..common]);
}
