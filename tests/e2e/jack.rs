//! The JACK backend against a real server with the dummy driver.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::program::{self, Outcome, Running};
use crate::support::servers::{self, Jack};
use crate::support::wav::Audio;
use crate::support::{alone, analysis, midi, native, root, soundfont};

/// What the recorder heard.
struct Recording {
    audio: Audio,
    xruns: u64,
}

/// A real song that begins after five seconds of rest: a recorder can be connected before it sounds.
fn write_song(folder: &Path) -> String {
    let song = fs::read(root().join("tests/data/midi/freedoom/freedoom2_D_RUNNIN.mid")).expect("read");
    let division = u16::from_be_bytes([song[12], song[13]]);
    let path = folder.join("song.mid");
    fs::write(&path, midi::delayed(&song, u64::from(division) * 10)).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn play(jack: &Jack, arguments: &[&str]) -> Running {
    let all = [&["play", "--audio", "jack"], arguments].concat();
    program::spawn(jack.client(program::command(&all)))
}

fn start_recorder(jack: &Jack, folder: &Path, seconds: u32, mode: &str) -> Running {
    let mut recorder = jack.client(std::process::Command::new(native::recorder(folder)));
    recorder.arg(folder.join("recording.f32")).arg(seconds.to_string()).args(["kmidi", mode]);
    program::spawn(recorder)
}

fn finish_recording(recorder: Running, folder: &Path) -> Recording {
    let outcome = recorder.wait(program::DEADLINE).success();
    let numbers = outcome.stdout.lines().last().expect("a line of numbers").to_owned();
    let xruns = numbers.split(' ').nth(1).expect("a count").parse().expect("a count");
    let bytes = fs::read(folder.join("recording.f32")).expect("a recording");
    let samples: Vec<f32> =
        bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().expect("four bytes"))).collect();
    Recording { audio: Audio::from_interleaved(48_000, 2, &samples), xruns }
}

/// The frame from which two sounds differ, over the length of the shorter one.
fn first_difference(a: &Audio, b: &Audio) -> Option<usize> {
    let frames = a.frames().min(b.frames());
    (0..frames).find(|&i| (0..2).any(|c| a.channels[c][i].to_bits() != b.channels[c][i].to_bits()))
}

fn interrupt(player: Running) -> Outcome {
    player.signal("INT");
    player.wait(Duration::from_secs(10)).success()
}

#[test]
fn freewheel_capture_is_bit_identical_to_the_render() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let song = write_song(folder.path());
    let rendered = program::render(&["--rate", "48000", &song], &folder.path().join("out.wav")).trimmed();
    let jack = Jack::start(256);
    let mut player = play(&jack, &[&song]);
    let recorder = start_recorder(&jack, folder.path(), 90, "freewheel");
    let recording = finish_recording(recorder, folder.path());
    assert!(player.is_running(), "the song is shorter than the recording");
    interrupt(player);
    let captured = recording.audio.trimmed();
    assert!(captured.seconds() > 80.0, "{} s captured", captured.seconds());
    assert_eq!(first_difference(&captured, &rendered), None);
    assert!(captured.peak() > 0.05);
}

#[test]
fn control_one_different_bit_is_seen() {
    let audio = |bits: u32| Audio {
        rate_hz: 48_000,
        channels: vec![vec![0.5; 100], vec![f32::from_bits(bits); 100]],
    };
    assert_eq!(first_difference(&audio(0x3f00_0000), &audio(0x3f00_0000)), None);
    assert_eq!(first_difference(&audio(0x3f00_0000), &audio(0x3f00_0001)), Some(0));
}

/// Fifteen seconds of the song as a recorder hears them in real time.
fn capture_in_real_time(song: &str, folder: &Path) -> Recording {
    let jack = Jack::start(256);
    let mut player = play(&jack, &[song]);
    let recording = finish_recording(start_recorder(&jack, folder, 15, "realtime"), folder);
    assert!(player.is_running());
    interrupt(player);
    recording
}

#[test]
fn real_time_capture_at_256_is_continuous() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let song = write_song(folder.path());
    let arguments = ["--rate", "48000", "--to", "30s", &song];
    let rendered = program::render(&arguments, &folder.path().join("out.wav")).trimmed();
    // A machine that other work holds up drops periods, which says nothing of the player: then once more.
    let mut xruns = Vec::new();
    for _ in 0..4 {
        let recording = capture_in_real_time(&song, folder.path());
        let captured = recording.audio.trimmed();
        assert!(captured.seconds() > 5.0, "{} s captured", captured.seconds());
        // A late server drops a period on its own; then the sound before it still has to be right.
        let difference = first_difference(&captured, &rendered);
        assert!(
            difference.is_none() || recording.xruns > 0,
            "differs from frame {difference:?} without an xrun"
        );
        if recording.xruns <= 10 {
            return;
        }
        xruns.push(recording.xruns);
    }
    panic!("xruns of each try: {xruns:?}");
}

#[test]
fn the_servers_period_changes_while_playing() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let song = write_song(folder.path());
    let rendered =
        program::render(&["--rate", "48000", "--to", "40s", &song], &folder.path().join("out.wav"));
    let jack = Jack::start(256);
    let mut player = play(&jack, &[&song]);
    let recorder = start_recorder(&jack, folder.path(), 16, "realtime");
    for period in ["64", "1024", "333", "128"] {
        std::thread::sleep(Duration::from_secs(3));
        assert!(jack.tool("jack_bufsize").arg(period).output().expect("jack_bufsize runs").status.success());
    }
    let recording = finish_recording(recorder, folder.path());
    assert!(player.is_running());
    let outcome = interrupt(player);
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    // The server itself loses sound at each change; before and after, it is the song that plays.
    let captured = recording.audio.trimmed();
    let rendered = rendered.trimmed();
    let difference = first_difference(&captured, &rendered).unwrap_or(captured.frames());
    assert!(difference > 10_000 || recording.xruns > 0, "differs from frame {difference}");
    let last_second = &captured.channels[0][captured.frames() - 48_000..];
    assert!(analysis::rms(last_second) > 0.001, "silence after the change");
}

#[test]
fn a_live_note_sounds_after_exactly_one_period() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let mut silence = midi::Track::default();
    silence.at(96_000, &[0xb0, 20, 0]);
    fs::write(path("silence.mid"), midi::file(0, midi::ppq(96), &[silence])).expect("written");
    fs::write(path("click.sf2"), soundfont::click(48_000).bytes()).expect("written");
    let jack = Jack::start(256);
    let recorder = start_recorder(&jack, folder.path(), 20, "keys");
    let arguments = ["--no-effects", "--midi-in", "recorder:keys", &path("silence.mid"), &path("click.sf2")];
    let player = play(&jack, &arguments);
    let recording = finish_recording(recorder, folder.path());
    interrupt(player);
    let notes = fs::read_to_string(path("recording.f32.notes")).expect("read");
    let notes: Vec<usize> = notes.lines().map(|line| line.parse().expect("a frame")).collect();
    assert!(notes.len() > 60, "{notes:?}");
    let onsets = analysis::clicks(&recording.audio.mono());
    let latencies: Vec<usize> =
        onsets.iter().zip(&notes).map(|(onset, note)| onset - soundfont::CLICK_FRAME - note).collect();
    assert_eq!(latencies, vec![256; notes.len()], "frames");
}

/// Notes of channels and keys that a port was sent and that were never ended.
fn hanging(dump: &str) -> Vec<String> {
    let mut sounding = vec![];
    for line in dump.lines() {
        let mut bytes = line.split(':').nth(1).unwrap_or_default().split_whitespace().map(str::to_owned);
        let (Some(status), Some(key), Some(velocity)) = (bytes.next(), bytes.next(), bytes.next()) else {
            continue;
        };
        let note = format!("{} {key}", &status[1..]);
        match &status[..1] {
            "9" if velocity != "00" => sounding.push(note),
            "8" | "9" => sounding.retain(|it| *it != note),
            _ => {}
        }
    }
    sounding
}

#[test]
fn an_instrument_behind_a_port_is_left_without_hanging_notes() {
    if !servers::available("jack_midi_dump") {
        return;
    }
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let mut track = midi::Track::default();
    track.note(0, 96, 3, 40, 90).note(96, 96_000, 0, 60, 100).note(96, 96_000, 1, 64, 100);
    let song = folder.path().join("song.mid");
    fs::write(&song, midi::file(0, midi::ppq(96), &[track])).expect("written");
    let jack = Jack::start(256);
    let mut dump = jack.tool("stdbuf");
    dump.args(["-oL", "jack_midi_dump", "monitor"]);
    let monitor = program::spawn(dump);
    jack.wait_for_port("monitor:input");
    let mut player = play(&jack, &["--midi-out", "monitor:input", song.to_str().expect("UTF-8")]);
    std::thread::sleep(Duration::from_secs(2));
    assert!(player.is_running());
    interrupt(player);
    monitor.signal("INT");
    let dump = monitor.wait(Duration::from_secs(10)).stdout;
    assert!(dump.lines().count() >= 6, "the song was sent: {dump}");
    assert_eq!(hanging(&dump), [""; 0], "{dump}");
}

#[test]
fn control_a_hanging_note_is_seen() {
    assert_eq!(hanging("1: 93 28 5a\n2: 83 28 40\n3: 90 3c 64\n4: 90 40 64\n5: 90 40 00"), ["0 3c"]);
}

/// Kills the server after two seconds of playing. There are two notes a second.
fn lose_the_server(policy: &str, notes: u64) -> (Jack, Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut track = midi::Track::default();
    for i in 0..notes {
        track.note(i * 96, 90, 0, 60 + (i % 12) as u8, 100);
    }
    let song = folder.path().join("song.mid");
    fs::write(&song, midi::file(0, midi::ppq(96), &[track])).expect("written");
    let mut jack = Jack::start(256);
    let mut player = play(&jack, &["--json", "--on-device-loss", policy, song.to_str().expect("UTF-8")]);
    std::thread::sleep(Duration::from_secs(2));
    assert!(player.is_running());
    jack.kill();
    (jack, player, folder)
}

fn tells_of_the_loss(outcome: &Outcome) {
    let text = outcome.stderr.to_lowercase();
    assert!(text.contains("jack") && (text.contains("lost") || text.contains("gone")), "{outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
}

#[test]
fn a_killed_server_ends_the_song_where_the_user_wants_that() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let (_jack, player, _folder) = lose_the_server("stop", 12);
    let outcome = player.wait(Duration::from_secs(15));
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    tells_of_the_loss(&outcome);
}

#[test]
fn a_killed_server_does_not_stop_the_clock_where_the_user_wants_that() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let (_jack, player, _folder) = lose_the_server("continue", 12);
    // The song has six seconds, two of which were heard.
    tells_of_the_loss(&player.wait(Duration::from_secs(20)).success());
}

#[test]
fn a_song_goes_on_when_its_server_is_back() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let (mut jack, mut player, folder) = lose_the_server("pause", 120);
    std::thread::sleep(Duration::from_secs(5));
    assert!(player.is_running(), "held, not ended");
    jack.restart();
    // Clients that come in the same moment: JACK may forget to call one of them.
    jack.wait_for_port("kmidi:out_1");
    let recorder = start_recorder(&jack, folder.path(), 2, "realtime");
    let recording = finish_recording(recorder, folder.path());
    assert!(player.is_running(), "the song is longer than all this");
    let outcome = interrupt(player);
    assert!(recording.audio.peak() > 0.001, "silence after the server is back: {outcome:#?}");
    tells_of_the_loss(&outcome);
}

#[test]
fn a_song_goes_on_in_tune_when_its_server_is_back_at_another_rate() {
    if !servers::available("jackd") {
        return;
    }
    let _alone = alone();
    let (mut jack, mut player, folder) = lose_the_server("pause", 120);
    jack.restart_at(44_100);
    // Clients that come in the same moment: JACK may forget to call one of them.
    jack.wait_for_port("kmidi:out_1");
    let recorder = start_recorder(&jack, folder.path(), 3, "realtime");
    let mut audio = finish_recording(recorder, folder.path()).audio;
    assert!(player.is_running());
    let outcome = interrupt(player);
    let end = outcome.json();
    assert_eq!(end["output"]["sample_rate_hz"], 44_100, "{outcome:#?}");
    let seconds = end["position"]["seconds"].as_f64().expect("a number");
    assert!((3.0..20.0).contains(&seconds), "it went on where it was: {seconds} s");
    audio.rate_hz = 44_100;
    // The keys go up from middle C within an octave.
    let first_second = &audio.mono()[..44_100];
    let hz = analysis::loudest_hz(first_second, audio.rate_hz);
    let key = 69.0 + 12.0 * (hz / 440.0).log2();
    assert!((key - key.round()).abs() < 0.2, "{hz} Hz is between the keys");
}

#[test]
fn without_a_server_the_user_is_told_and_nothing_hangs() {
    let song = root().join("tests/data/midi/jazzsoft/test-c-major-scale.mid");
    let song = song.to_str().expect("UTF-8");
    let refused =
        program::spawn(program::command(&["play", "--audio", "jack", song])).wait(Duration::from_secs(20));
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.to_lowercase().contains("jack"), "{refused:#?}");
    let silent = program::spawn(program::command(&["play", song])).wait(Duration::from_secs(30)).success();
    assert!(silent.stderr.contains("kmidi render"), "how to get a WAV file is not said: {silent:#?}");
}
