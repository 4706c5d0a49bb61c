//! A real plugin that takes seconds to come to life joins a song that plays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kmidi_session::{
    AudioRequest, Backend, Command as Order, Losses, PlayState, PluginChoice, PluginRequest, PluginState,
    Session, SessionConfig, Snapshot,
};

use super::plugins::Machine;
use crate::support::midi::{self, Track};
use crate::support::program;
use crate::support::wav::Audio;

const BUNDLE: &str = "/usr/lib/lv2/calf.lv2";
/// It reckons its waves when it is made.
const ORGAN: &str = "lv2:http://calf.sourceforge.net/plugins/Organ";
const RATE: u32 = 48_000;
/// Long enough for any machine.
const SONG_SECONDS: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(50);
/// What the child tells stands behind this.
const TOLD: &str = "TOLD ";

/// Notes on the first channel without a gap.
fn song() -> Vec<u8> {
    let mut track = Track::default();
    for beat in 0..2 * SONG_SECONDS {
        track.note(beat * 480, 470, 0, 40 + (beat % 30) as u8, 90);
    }
    midi::file(0, midi::ppq(480), &[track])
}

fn wait(session: &Session, until: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let start = Instant::now();
    loop {
        let snapshot = session.snapshot();
        if until(&snapshot) {
            return snapshot;
        }
        assert!(start.elapsed() < PATIENCE, "{snapshot:#?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Plays the song on a clock; in the middle of it the organ is asked for, on a channel of its own. Tells where the song was
/// when it was asked for and when it was there, and what was lost.
#[test]
#[ignore = "a process of its own, which the test below starts"]
fn child() {
    let path = |name: &str| PathBuf::from(std::env::var_os(name).expect("the parent says it"));
    let audio = AudioRequest {
        backend: Some(Backend::Null),
        sample_rate_hz: Some(RATE),
        wav_tap: Some(path("KMIDI_CHILD_TAP")),
        ..AudioRequest::default()
    };
    let config = SessionConfig { songs: vec![path("KMIDI_CHILD_SONG")], audio, ..SessionConfig::default() };
    let session = Session::start(config).expect("a session");
    let seconds = |snapshot: &Snapshot| snapshot.position.seconds;
    let asked = wait(&session, |it| it.state == PlayState::Playing && seconds(it) > 1.0);
    let choice = PluginChoice { plugin: ORGAN.into(), ..PluginChoice::default() };
    let plugin = PluginRequest { choice, channels: vec![16], ..PluginRequest::default() };
    session.send(Order::AddPlugin { at: 0, plugin });
    let there = wait(&session, |it| it.plugins.first().is_some_and(|it| it.state != PluginState::Loading));
    assert_eq!(there.plugins[0].state, PluginState::Active);
    let end = wait(&session, |it| seconds(it) > seconds(&there) + 0.7);
    assert_eq!((end.state, end.losses), (PlayState::Playing, Losses::default()));
    println!("{TOLD}{} {} {} {}", seconds(&asked), seconds(&there), seconds(&end), end.output.xruns);
}

/// What the organ may add while no note sounds, of full scale.
const HUM: f32 = 5e-3;

#[test]
fn two_seconds_of_coming_to_life_cost_a_song_no_frame() {
    if !Path::new(BUNDLE).exists() {
        assert!(std::env::var_os("KMIDI_REQUIRE_PLUGINS").is_none(), "calf-plugins is not installed");
        return println!("passed over: calf-plugins is not installed");
    }
    let machine = Machine::new();
    let lv2 = machine.path("lv2");
    fs::create_dir(&lv2).expect("a folder");
    std::os::unix::fs::symlink(BUNDLE, lv2.join("calf.lv2")).expect("a link");
    machine.run_with(&["plugin", "scan", "--json"], &lv2).success();
    let (song_file, tap, plain) =
        (machine.path("song.mid"), machine.path("tap.wav"), machine.path("plain.wav"));
    fs::write(&song_file, song()).expect("written");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let render =
        ["render", "--bits", "32f", "--to", "40s", "--tail", "0", "-o", &text(&plain), &text(&song_file)];
    machine.run(&render).success();

    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["e2e::slow_plugin::child", "--exact", "--ignored", "--nocapture"]);
    command.env("XDG_CACHE_HOME", machine.path("cache")).env("HOME", machine.path("home"));
    command.env("QT_QPA_PLATFORM", "offscreen").env("RUST_BACKTRACE", "0");
    command.env("KMIDI_CHILD_SONG", &song_file).env("KMIDI_CHILD_TAP", &tap);
    let outcome = program::spawn(command).wait(2 * PATIENCE).success();
    let told = outcome.stdout.lines().find_map(|line| line.split_once(TOLD)).expect("it tells").1;
    let numbers: Vec<f64> = told.split(' ').map(|number| number.parse().expect("a number")).collect();
    let [asked, there, end, xruns] = numbers[..] else { panic!("{told}") };
    println!("it came {:.2} s after it was asked for; the clock was late {xruns} times", there - asked);

    // The clock writes down all that it has played: a block that were lost would be missing here, and no other frame would be
    // where it is without the plugin.
    let (heard, plain) = (Audio::read(&tap).trimmed(), Audio::read(&plain).trimmed());
    let frames = (end * f64::from(RATE)) as usize - RATE as usize / 10;
    assert!(heard.frames() > frames && plain.frames() > frames, "{} of {frames}", heard.frames());
    // Until it is there nothing is added to them; the organ itself, without a note, is not quite silent.
    let before = (there * f64::from(RATE)) as usize;
    let farthest = |from: usize, to: usize, by: usize| {
        let channels = heard.channels.iter().zip(&plain.channels);
        let differences = channels
            .flat_map(|(heard, plain)| (from..to).map(move |frame| (heard[frame + by] - plain[frame]).abs()));
        differences.fold(0.0, f32::max)
    };
    assert_eq!(farthest(0, before, 0), 0.0, "of {before} frames until it was there at {there} s");
    let organ = farthest(before, frames, 0);
    assert!(organ < HUM, "{organ} behind {before} of {frames} frames");
    // A frame less, or more, would be much farther from it.
    let apart = |by: usize| {
        let channels = heard.channels.iter().zip(&plain.channels);
        let squares = channels.flat_map(|(heard, plain)| {
            (before..frames).map(move |frame| f64::from(heard[frame + by] - plain[frame]).powi(2))
        });
        squares.sum::<f64>()
    };
    assert!(4.0 * apart(0) < apart(1), "{} and {}", apart(0), apart(1));
}
