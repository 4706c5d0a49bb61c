//! What the shipped program does inside a real JACK callback, counted from outside by a preloaded library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::program::{self, Running};
use crate::support::servers::{self, Jack};
use crate::support::{alone, native, root, soundfont};

/// The player of a song under the watch.
fn play(jack: &Jack, folder: &Path, more: &[&str]) -> Command {
    let song = root().join("tests/data/midi/freedoom/freedoom2_D_RUNNIN.mid");
    let song = ["play", "--audio", "jack", "--loop", "--to", "20s", song.to_str().expect("UTF-8")];
    let mut play = jack.client(program::command(&[&song, more].concat()));
    play.env("LD_PRELOAD", native::callback_watch(folder)).env("CALLBACK_WATCH_OUT", counts_file(folder));
    play
}

fn counts_file(folder: &Path) -> PathBuf {
    folder.join("counts.json")
}

/// Has the server run in freewheel for so many seconds of sound.
fn freewheel(jack: &Jack, folder: &Path, seconds: &str) -> Running {
    let mut recorder = jack.client(Command::new(native::recorder(folder)));
    recorder.arg(folder.join("recording.f32")).args([seconds, "kmidi", "freewheel"]);
    program::spawn(recorder)
}

/// What was counted, by a player that has ended.
fn counts(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(counts_file(folder)).expect("the watch reports at the end");
    serde_json::from_str(&text).expect("JSON")
}

/// Plays with the server in freewheel, and returns the counts.
fn watch(folder: &Path, plant: bool) -> serde_json::Value {
    let jack = Jack::start(256);
    let mut play = play(&jack, folder, &[]);
    if plant {
        play.env("CALLBACK_WATCH_PLANT", "1");
    }
    let mut player = program::spawn(play);
    freewheel(&jack, folder, "120").wait(program::DEADLINE).success();
    assert!(player.is_running());
    player.signal("INT");
    player.wait(Duration::from_secs(10)).success();
    counts(folder)
}

const KINDS: [&str; 6] = ["allocations", "frees", "locks", "system_calls", "faults", "voluntary_switches"];

#[test]
fn the_callback_does_nothing_it_must_not_do() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let counts = watch(folder.path(), false);
    // 120 seconds in periods of 256 frames.
    assert!(counts["callbacks"].as_u64() > Some(22_000), "{counts:#}");
    for kind in KINDS {
        assert_eq!(counts[kind], 0, "{counts:#}");
    }
}

#[test]
fn nor_does_it_while_soundfonts_take_the_place_of_others() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let jack = Jack::start(256);
    let font = folder.path().join("font.sf2");
    std::fs::write(&font, soundfont::sine(48_000, 100).bytes()).expect("written");
    let fonts = ["--json", "--sf", "built-in", "--sf", font.to_str().expect("UTF-8")];
    let (player, mut keyboard) = program::on_terminal(&play(&jack, folder.path(), &fonts));
    let mut recorder = freewheel(&jack, folder.path(), "240");
    // Whatever the machine takes to load one, some of these pauses are long enough.
    for pause_ms in [100, 200, 400, 800].into_iter().cycle().take_while(|_| recorder.is_running()) {
        program::press(&mut keyboard, "f");
        std::thread::sleep(Duration::from_millis(pause_ms));
    }
    recorder.wait(program::DEADLINE).success();
    program::press(&mut keyboard, "q");
    let end = player.wait(Duration::from_secs(10)).success().json_behind_screen();
    let messages = end["messages"].as_array().expect("a list").iter();
    let swaps = messages.filter(|it| it["text"].as_str().is_some_and(|text| text.contains(" over "))).count();
    assert!(swaps > 2, "{swaps} SoundFonts: {end:#}");
    let counts = counts(folder.path());
    for kind in KINDS {
        assert_eq!(counts[kind], 0, "{counts:#}");
    }
}

#[test]
fn control_every_kind_of_violation_is_counted() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let counts = watch(folder.path(), true);
    for kind in KINDS {
        assert!(counts[kind].as_u64() > Some(0), "{kind}: {counts:#}");
    }
}
