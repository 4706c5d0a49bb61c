//! What the shipped program does inside a real JACK callback, counted from outside by a preloaded library.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::program::{self, Running};
use crate::support::servers::{self, Jack};
use crate::support::{alone, native, root};

/// Plays a song under the watch with the server in freewheel, and returns the counts.
fn watch(folder: &Path, plant: bool) -> serde_json::Value {
    let jack = Jack::start(256);
    let song = root().join("tests/data/midi/freedoom/freedoom2_D_RUNNIN.mid");
    let counts = folder.join("counts.json");
    let arguments = ["play", "--audio", "jack", "--loop", "--to", "20s", song.to_str().expect("UTF-8")];
    let mut play = jack.client(program::command(&arguments));
    play.env("LD_PRELOAD", native::callback_watch(folder)).env("CALLBACK_WATCH_OUT", &counts);
    if plant {
        play.env("CALLBACK_WATCH_PLANT", "1");
    }
    let mut player = program::spawn(play);
    let recorder: Running = {
        let mut recorder = jack.client(Command::new(native::recorder(folder)));
        recorder.arg(folder.join("recording.f32")).args(["120", "kmidi", "freewheel"]);
        program::spawn(recorder)
    };
    recorder.wait(program::DEADLINE).success();
    assert!(player.is_running());
    player.signal("INT");
    let outcome = player.wait(Duration::from_secs(10)).success();
    let text = std::fs::read_to_string(counts).unwrap_or_else(|error| panic!("{error}: {outcome:#?}"));
    serde_json::from_str(&text).expect("JSON")
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
