//! A song of 100 MB with 1,000 tracks and 64 sounding voices, in bounded memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::midi::{self, Track};
use crate::support::program;
use crate::support::wav::Audio;

const TRACKS: u64 = 1000;
const TRACK_BYTES: usize = 100_000;
const PEAK_BYTES: u64 = 64 << 20;
/// Ticks of ten minutes at 120 quarter notes a minute and 480 ticks each.
const END_TICK: u64 = 600 * 960;

/// What a terminal sends for the key.
const LEFT: &str = "\x1b[D";

/// A track of controllers, and for the first 64 of held organ notes.
fn track(number: u64) -> Track {
    let channel = (number % 16) as u8;
    let channel = if channel == 9 { 8 } else { channel };
    let mut track = Track::default();
    track.at(0, &[0xc0 | channel, 19]);
    if number < 64 {
        for second in 0..600 / 4 {
            track.note(second * 3840, 3839, channel, 36 + number as u8, 80);
        }
    }
    // Four bytes an event: a delta of one byte, and three of the message.
    let events = (TRACK_BYTES / 4) as u64;
    for i in 0..events {
        let value = 100 + ((i + number) % 27) as u8;
        track.at(i * END_TICK / events, &[0xb0 | channel, 11, value]);
    }
    track
}

fn write_song(folder: &Path) -> PathBuf {
    let path = folder.join("big.mid");
    let mut file = BufWriter::new(File::create(&path).expect("created"));
    file.write_all(&midi::header(1, TRACKS as u16, midi::ppq(480))).expect("written");
    for number in 0..TRACKS {
        file.write_all(&track(number).chunk()).expect("written");
    }
    file.flush().expect("written");
    path
}

#[test]
fn a_big_song_renders_and_goes_back_in_bounded_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let song = write_song(folder.path());
    let size = song.metadata().expect("written").len();
    assert!(size >= 100_000_000, "{size} bytes");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();

    let output = folder.path().join("minute.wav");
    let arguments = ["render", "--to", "60s", "--tail", "0", "--json", "-o", &text(&output), &text(&song)];
    let first_minute = program::kmidi(&arguments).success();
    assert!(first_minute.json()["most_voices"].as_u64() >= Some(64), "{first_minute:#?}");
    let audio = Audio::read(&output);
    assert!((audio.seconds() - 60.0).abs() < 0.1, "{} s", audio.seconds());
    assert!(audio.peak() > 0.01);
    assert!(first_minute.peak_anonymous_bytes < PEAK_BYTES, "{} bytes", first_minute.peak_anonymous_bytes);

    // Each turn of the loop goes back by one second near the end of the song, through the paged feed;
    // then the user jumps back by a minute, in steps.
    let arguments =
        ["play", "--json", "--audio", "null", "--loop", "--from", "590s", "--to", "591s", &text(&song)];
    let (mut player, mut keyboard) = program::spawn_on_terminal(&arguments);
    std::thread::sleep(Duration::from_secs(10));
    assert!(player.is_running());
    program::press(&mut keyboard, "l");
    for _ in 0..12 {
        program::press(&mut keyboard, LEFT);
        std::thread::sleep(Duration::from_millis(300));
    }
    program::press(&mut keyboard, "q");
    let back = player.wait(Duration::from_secs(20)).success();
    assert!(!back.stdout.contains("panicked"), "{back:#?}");
    let seconds = back.json_behind_screen()["position"]["seconds"].as_f64().expect("a number");
    assert!((520.0..560.0).contains(&seconds), "{seconds} s after a minute back from 590 s");
    assert!(back.peak_anonymous_bytes > 1 << 20, "memory was not sampled");
    assert!(back.peak_anonymous_bytes < PEAK_BYTES, "{} bytes", back.peak_anonymous_bytes);
}
