//! Playing in real time: what the null clock would have been heard as, read from its WAV tap.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::analysis;
use crate::support::midi::{self, Track};
use crate::support::program;
use crate::support::soundfont;
use crate::support::wav::Audio;

const RATE_HZ: u32 = 48_000;
/// Not a whole number of frames in a quarter note, nor in a song.
const MICROS_PER_QUARTER: u32 = 487_653;
const PPQ: u16 = 480;

/// A folder with a SoundFont whose notes are one frame long.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("click.sf2"), soundfont::click(RATE_HZ).bytes()).expect("written");
        Case { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A song with a click each quarter note, as long as all of them.
    fn song(&self, name: &str, quarters: u64) -> String {
        let mut track = Track::default();
        track.tempo(0, MICROS_PER_QUARTER);
        for quarter in 0..quarters {
            track.note(quarter * u64::from(PPQ), PPQ.into(), 0, 60, 127);
        }
        fs::write(self.path(name), midi::file(0, midi::ppq(PPQ), &[track])).expect("written");
        self.path(name)
    }

    fn tap(&self) -> PathBuf {
        self.folder.path().join("tap.wav")
    }

    fn arguments<'a>(&'a self, rest: &[&'a str], tap: &'a str, font: &'a str) -> Vec<&'a str> {
        let own = ["play", "--audio", "null", "--rate", "48000", "--no-effects", "--tap", tap, font];
        own.iter().chain(rest).copied().collect()
    }
}

/// Frames from the first click to each.
fn onsets(tap: &Path) -> Vec<i64> {
    let clicks = analysis::clicks(&Audio::read(tap).mono());
    clicks.iter().map(|&frame| (frame - clicks[0]) as i64).collect()
}

/// The frame nearest to the start of each quarter note.
fn exact(quarters: std::ops::Range<i64>) -> Vec<i64> {
    let numerator = i64::from(MICROS_PER_QUARTER) * i64::from(RATE_HZ);
    quarters.map(|quarter| (2 * quarter * numerator + 1_000_000).div_euclid(2_000_000)).collect()
}

#[test]
fn a_playlist_goes_on_without_a_gap_to_the_frame() {
    let case = Case::new();
    let (first, second, third) = (case.song("a.mid", 3), case.song("b.mid", 2), case.song("c.mid", 4));
    let (tap, font) = (case.path("tap.wav"), case.path("click.sf2"));
    let arguments = case.arguments(&[&first, &second, &third], &tap, &font);
    let outcome = program::kmidi(&arguments).success();
    for name in ["a.mid", "b.mid", "c.mid"] {
        assert!(outcome.stderr.contains(name), "{outcome:#?}");
    }
    // Nine quarter notes in a row, as if they were one song: not even a fraction of a frame is lost.
    assert_eq!(onsets(&case.tap()), exact(0..9));
}

#[test]
fn a_loop_repeats_to_the_frame() {
    let case = Case::new();
    let song = case.song("song.mid", 4);
    let (tap, font) = (case.path("tap.wav"), case.path("click.sf2"));
    let player = program::spawn(program::command(&case.arguments(&["--loop", &song], &tap, &font)));
    std::thread::sleep(Duration::from_secs(6));
    player.signal("INT");
    player.wait(Duration::from_secs(20)).success();
    let heard = onsets(&case.tap());
    assert!(heard.len() > 8, "the loop was not gone round twice: {heard:?}");
    assert_eq!(heard, exact(0..heard.len() as i64));
}

#[test]
fn live_and_rendered_are_the_same_bits() {
    let case = Case::new();
    let song = crate::support::root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let song = song.to_str().expect("UTF-8");
    let (tap, output) = (case.path("tap.wav"), case.path("out.wav"));
    let shared =
        ["--from", "20s", "--to", "23s", "--tempo-scale", "1.1", "--transpose", "-2", "--mute", "3", song];
    let live = [&["play", "--audio", "null", "--rate", "48000", "--tap", &tap], &shared[..]].concat();
    program::kmidi(&live).success();
    let rendered = [&["render", "--bits", "32f", "-o", &output], &shared[..]].concat();
    program::kmidi(&rendered).success();
    let (live, rendered) = (Audio::read(&case.tap()).trimmed(), Audio::read(Path::new(&output)).trimmed());
    assert!(rendered.seconds() > 2.5 && rendered.peak() > 0.01);
    // Whichever stopped listening to the tail first; the player fades out when it does.
    let fade_frames = RATE_HZ as usize / 10;
    let frames = (live.frames() - fade_frames).min(rendered.frames());
    assert!(frames as f64 > 2.5 * f64::from(RATE_HZ));
    for (live, rendered) in live.channels.iter().zip(&rendered.channels) {
        let differs = (0..frames).find(|&i| live[i].to_bits() != rendered[i].to_bits());
        assert_eq!(differs, None);
    }
}

#[test]
fn a_song_is_silent_where_another_channel_is_soloed() {
    let case = Case::new();
    let song = case.song("song.mid", 2);
    let font = case.path("click.sf2");
    let output = case.folder.path().join("out.wav");
    let peak = |arguments: &[&str]| {
        let all = [arguments, &["--no-effects", "--tail", "0.1", &song, &font]].concat();
        program::render(&all, &output).peak()
    };
    assert!(peak(&[]) > 0.01 && peak(&["--solo", "1"]) > 0.01 && peak(&["--mute", "2,3"]) > 0.01);
    assert_eq!(peak(&["--solo", "2"]), 0.0);
    assert_eq!(peak(&["--mute", "1"]), 0.0);
}

#[test]
fn stems_add_up_to_the_song() {
    let case = Case::new();
    let song = crate::support::root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
    let (stems, output) = (case.path("stems"), case.folder.path().join("out.wav"));
    let arguments = ["--no-effects", "--to", "10s", "--stems", &stems, song.to_str().expect("UTF-8")];
    let mix = program::render(&arguments, &output);
    let mut sum = vec![vec![0.0f32; mix.frames()]; 2];
    let mut files = 0;
    for entry in fs::read_dir(&stems).expect("a folder") {
        let stem = Audio::read(&entry.expect("an entry").path());
        assert_eq!(stem.frames(), mix.frames());
        files += 1;
        for (sum, channel) in sum.iter_mut().zip(&stem.channels) {
            sum.iter_mut().zip(channel).for_each(|(sum, sample)| *sum += sample);
        }
    }
    assert!(files > 2, "{files} stems");
    let difference = sum.iter().flatten().zip(mix.channels.iter().flatten());
    let worst = difference.fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst < 1e-5 && mix.peak() > 0.05, "{worst} of {}", mix.peak());
}
