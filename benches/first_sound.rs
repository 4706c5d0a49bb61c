//! Time from the start of the process to the first sound that another JACK client hears, for `kmidi` with its
//! default SoundFont and with a large one, and for FluidSynth with a small one and with the same large one, in turns.
//!
//! Reported, not gated: times of a shared machine are no test.
#![forbid(unsafe_code)]

#[expect(dead_code, reason = "the tests use the rest")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use support::midi::{self, Track};
use support::program::{self, DEADLINE};
use support::servers::{self, Jack};

const ROUNDS: usize = 7;

fn main() {
    if !servers::available("jackd") || !servers::available("fluidsynth") {
        return;
    }
    let _alone = support::alone();
    let folder = tempfile::tempdir().expect("a folder");
    let song = folder.path().join("song.mid");
    let mut track = Track::default();
    track.note(0, 960, 0, 60, 127);
    std::fs::write(&song, midi::file(0, midi::ppq(480), &[track])).expect("written");
    let song = song.to_str().expect("UTF-8");
    let recorder = support::native::recorder(folder.path());
    let jack = Jack::start(128);

    let fluidsynth = |soundfont| ["fluidsynth", "-niq", "-a", "jack", "-r", "48000", soundfont, song];
    let kmidi = [env!("CARGO_BIN_EXE_kmidi"), "play", "--audio", "jack", song];
    let (small, large) = ("/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf2/FluidR3_GM.sf2");
    let kmidi_large = [&kmidi[..], &["--sf", large]].concat();
    let players: [(&str, &str, &[&str]); 4] = [
        ("kmidi, default SoundFont", "kmidi", &kmidi),
        ("kmidi, FluidR3 GM (148 MB)", "kmidi", &kmidi_large),
        ("FluidSynth, TimGM6mb (6 MB)", "fluidsynth", &fluidsynth(small)),
        ("FluidSynth, FluidR3 GM (148 MB)", "fluidsynth", &fluidsynth(large)),
    ];
    let mut times_ms = players.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, client, command), times_ms) in players.iter().zip(&mut times_ms) {
            times_ms.push(first_sound_ms(&jack, &recorder, folder.path(), client, command));
        }
    }
    println!("time to the first sound, of {ROUNDS} starts in turns:   median     best    worst");
    for ((name, ..), times_ms) in players.iter().zip(&mut times_ms) {
        times_ms.sort_by(f64::total_cmp);
        let (best, median, worst) = (times_ms[0], times_ms[ROUNDS / 2], times_ms[ROUNDS - 1]);
        println!("{name:46} {median:5.0} ms {best:5.0} ms {worst:5.0} ms");
    }
}

fn first_sound_ms(jack: &Jack, recorder: &Path, folder: &Path, client: &str, player: &[&str]) -> f64 {
    // `program::command` takes the user's own settings out of the environment that the player inherits.
    let clean = program::command(&[]);
    let mut record = jack.client(Command::new(recorder));
    for (name, value) in clean.get_envs().filter(|(name, _)| *name != "JACK_DEFAULT_SERVER") {
        match value {
            Some(value) => record.env(name, value),
            None => record.env_remove(name),
        };
    }
    record.arg(folder.join("sound.f32")).args(["1.5", client, "realtime"]).args(player);
    let outcome = program::spawn(record).wait(DEADLINE).success();
    let numbers = outcome.stdout.lines().last().expect("a line of numbers").to_owned();
    let nanoseconds: f64 = numbers.split(' ').nth(2).expect("a time").parse().expect("a time");
    assert!(nanoseconds > 0.0, "{client} made no sound: {outcome:#?}");
    nanoseconds / 1e6
}
