//! SoundFonts that are damaged: refused with a reason, or played as far as they make sense.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::midi::{self, Track};
use crate::support::program::{self, Outcome};
use crate::support::soundfont::{self, SAMPLE_MODES, SoundFont};
use crate::support::wav::Audio;

/// A folder with a song of two seconds and a SoundFont.
struct Case {
    folder: tempfile::TempDir,
    song: PathBuf,
    font: PathBuf,
}

impl Case {
    fn new(font_bytes: &[u8]) -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        let (song, font) = (folder.path().join("song.mid"), folder.path().join("font.sf2"));
        let mut track = Track::default();
        track.note(0, 384, 0, 60, 100);
        fs::write(&song, midi::file(0, midi::ppq(96), &[track])).expect("written");
        fs::write(&font, font_bytes).expect("written");
        Case { folder, song, font }
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out.wav")
    }

    fn render(&self) -> Outcome {
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let (song, font, output) = (text(&self.song), text(&self.font), text(&self.output()));
        program::kmidi(&["render", "--bits", "32f", "--tail", "0.1", "--sf", &font, "-o", &output, &song])
    }

    fn is_refused(&self) {
        let outcome = self.render();
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains("font.sf2"), "{outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        assert!(!self.output().exists());
    }
}

/// A tone with bounds of its loop that may lie anywhere.
fn looped(start: u32, end: u32) -> SoundFont {
    SoundFont { loop_start: start, loop_end: end, ..soundfont::sine(48_000, 100) }
}

#[test]
fn control_a_sound_soundfont_plays() {
    let case = Case::new(&soundfont::sine(48_000, 100).bytes());
    case.render().success();
    assert!(Audio::read(&case.output()).peak() > 0.01);
}

#[test]
fn an_empty_soundfont_is_refused() {
    Case::new(b"").is_refused();
    let header = soundfont::sine(48_000, 100).bytes()[..12].to_vec();
    Case::new(&header).is_refused();
}

#[test]
fn a_soundfont_cut_anywhere_is_refused_or_plays() {
    let whole = soundfont::sine(48_000, 100).bytes();
    for part in 1..24 {
        let case = Case::new(&whole[..whole.len() * part / 24]);
        let outcome = case.render();
        assert!(matches!(outcome.code, Some(0 | 2)), "{part}/24: {outcome:#?}");
        assert!(!outcome.stderr.trim().is_empty(), "{part}/24: not a word");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    }
}

#[test]
fn loops_outside_their_sample_do_not_crash_and_do_not_go_silent() {
    for (start, end) in
        [(0, 0), (5, 5), (900, 400), (400, 100_000), (u32::MAX, u32::MAX), (0, u32::MAX), (1599, 1600)]
    {
        let case = Case::new(&looped(start, end).bytes());
        let outcome = case.render().success();
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
        let audio = Audio::read(&case.output());
        assert!(audio.peak() > 0.01, "loop {start}..{end}: silence");
        assert!(audio.channels.iter().flatten().all(|sample| sample.abs() <= 1.0), "loop {start}..{end}");
    }
}

#[test]
fn numbers_that_no_sample_has_do_not_crash() {
    let strange = [
        SoundFont { rate_hz: 0, ..looped(400, 1200) },
        SoundFont { rate_hz: u32::MAX, ..looped(400, 1200) },
        SoundFont { frames: vec![], ..looped(0, 0) },
        SoundFont { frames: vec![1000], ..looped(0, 1) },
        SoundFont {
            generators: (0..61).filter(|&g| g != 53 && g != 41).map(|g| (g, i16::MAX)).collect(),
            ..looped(0, 0)
        },
        SoundFont {
            generators: (0..61).filter(|&g| g != 53 && g != 41).map(|g| (g, i16::MIN)).collect(),
            ..looped(0, 0)
        },
        SoundFont { generators: vec![(SAMPLE_MODES, 77)], ..looped(400, 1200) },
    ];
    for (number, font) in strange.into_iter().enumerate() {
        let case = Case::new(&font.bytes());
        let outcome = case.render();
        assert!(matches!(outcome.code, Some(0 | 2)), "font {number}: {outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "font {number}: {outcome:#?}");
        if outcome.code == Some(0) {
            let audio = Audio::read(&case.output());
            assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()), "font {number}");
        }
    }
}

#[test]
fn a_soundfont_truncated_while_playing_does_not_end_the_player() {
    let case = Case::new(&soundfont::sine(48_000, 100).bytes());
    let (font, song) = (case.font.to_str().expect("UTF-8"), case.song.to_str().expect("UTF-8"));
    let mut player =
        program::spawn(program::command(&["play", "--audio", "null", "--loop", "--sf", font, song]));
    std::thread::sleep(Duration::from_secs(1));
    assert!(player.is_running());
    fs::write(&case.font, b"").expect("truncated");
    std::thread::sleep(Duration::from_secs(3));
    assert!(player.is_running());
    player.signal("INT");
    player.wait(Duration::from_secs(10)).success();
}
