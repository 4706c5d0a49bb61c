//! Songs that are damaged, or are none: what can be read plays, the user is told, and nothing crashes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::midi::{self, Track};
use crate::support::program::{self, Outcome};
use crate::support::root;
use crate::support::wav::Audio;

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// What every run owes, whatever its input: a documented exit code, and no panic.
fn ends_in_order(outcome: &Outcome) {
    assert!(matches!(outcome.code, Some(0 | 2)), "{outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
}

/// Refused with one clear line that names the file, and nothing written.
fn is_unreadable(song: &Path, folder: &Path) {
    let output = folder.join("unreadable.wav");
    let runs = [
        program::kmidi(&["info", "--json", text(song)]),
        program::kmidi(&["render", "-o", text(&output), text(song)]),
        program::kmidi(&["play", "--audio", "null", text(song)]),
    ];
    for outcome in runs {
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        let name = song.file_name().expect("a file").to_str().expect("UTF-8");
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert!(lines.last().is_some_and(|line| line.contains(name)), "{outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    }
    assert!(!output.exists());
}

/// Plays in full, with a warning that says where.
fn plays_with_a_warning(song: &Path, notes: u64, folder: &Path) {
    let info = program::kmidi(&["info", "--json", text(song)]).success().json();
    assert_eq!(info["notes"], notes, "{}: {info:#}", song.display());
    let warnings = info["warnings"].as_array().expect("a list of warnings");
    assert!(!warnings.is_empty(), "{}: {info:#}", song.display());
    let output = folder.join("warned.wav");
    let outcome = program::kmidi(&["render", "--tail", "0.1", "-o", text(&output), text(song)]).success();
    assert!(outcome.stderr.contains("track"), "{}: {outcome:#?}", song.display());
    assert!(Audio::read(&output).peak() > 0.01, "{}: silence", song.display());
}

fn jazzsoft(name: &str) -> PathBuf {
    root().join("tests/data/midi/jazzsoft").join(name)
}

#[test]
fn every_test_file_sounds_or_says_why_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = 0;
    for entry in fs::read_dir(jazzsoft("")).expect("a folder") {
        let song = entry.expect("an entry").path();
        if song.extension().is_none_or(|extension| extension != "mid") {
            continue;
        }
        seen += 1;
        let info = program::kmidi(&["info", "--json", text(&song)]);
        ends_in_order(&info);
        let output = folder.path().join("out.wav");
        let arguments = ["render", "--to", "10s", "--tail", "0.1", "-o", text(&output), text(&song)];
        let outcome = program::kmidi(&arguments);
        ends_in_order(&outcome);
        assert_eq!(outcome.code, info.code, "{}", song.display());
        if info.code == Some(0) && info.json()["notes"].as_u64() > Some(0) {
            assert!(Audio::read(&output).peak() > 0.001, "{}: silence without a word", song.display());
        }
    }
    assert!(seen > 60, "only {seen} files");
}

#[test]
fn music_behind_an_illegal_byte_plays() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in
        ["f1-xx", "f2-xx-xx", "f3-xx", "f4", "f5", "f6", "f8", "f9", "fa", "fb", "fc", "fd", "fe", "all"]
    {
        plays_with_a_warning(&jazzsoft(&format!("test-illegal-message-{name}.mid")), 8, folder.path());
    }
}

#[test]
fn what_is_no_song_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    is_unreadable(&jazzsoft("test-not-a-midi-file.mid"), folder.path());
    is_unreadable(&jazzsoft("test-empty-file.mid"), folder.path());
    is_unreadable(&folder.path().join("missing.mid"), folder.path());
    is_unreadable(folder.path(), folder.path());
    let header_only = folder.path().join("header-only.mid");
    fs::write(&header_only, &midi::header(1, 1, midi::ppq(96))[..10]).expect("written");
    is_unreadable(&header_only, folder.path());
}

/// Eight notes on one track.
fn scale() -> Track {
    let mut track = Track::default();
    for i in 0..8u8 {
        track.note(u64::from(i) * 48, 48, 0, 60 + i, 100);
    }
    track
}

/// Damages a song of eight notes, and says how many of them must still play.
fn damaged(name: &str, notes: u64, bytes: Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let song = folder.path().join(name);
    fs::write(&song, bytes).expect("written");
    plays_with_a_warning(&song, notes, folder.path());
}

#[test]
fn a_byte_short() {
    let mut song = midi::file(0, midi::ppq(96), &[scale()]);
    song.pop();
    damaged("byte-short.mid", 8, song);
}

#[test]
fn a_missing_end_of_track() {
    let mut track = scale().chunk();
    track.truncate(track.len() - 4);
    let length = (track.len() as u32 - 8).to_be_bytes();
    track[4..8].copy_from_slice(&length);
    damaged("no-end.mid", 8, [midi::header(0, 1, midi::ppq(96)), track].concat());
}

#[test]
fn sixty_five_thousand_tracks_claimed() {
    let song = [midi::header(1, 65_535, midi::ppq(96)), scale().chunk()].concat();
    damaged("claims.mid", 8, song);
}

#[test]
fn a_meta_event_longer_than_its_track() {
    let mut track = scale();
    track.at(400, &[0xff, 0x01, 0x8f, 0xff, 0xff, 0x7f, b'x']);
    damaged("long-meta.mid", 8, midi::file(0, midi::ppq(96), &[track]));
}

#[test]
fn a_track_cut_in_the_middle() {
    let song = midi::file(1, midi::ppq(96), &[scale(), scale()]);
    let cut = song.len() - 20;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.mid");
    fs::write(&path, &song[..cut]).expect("written");
    let info = program::kmidi(&["info", "--json", text(&path)]).success().json();
    let notes = info["notes"].as_u64().expect("a count");
    assert!((12..16).contains(&notes), "{info:#}");
    assert!(!info["warnings"].as_array().expect("a list").is_empty(), "{info:#}");
}

#[test]
fn delta_times_at_the_limit() {
    let mut track = Track::default();
    track.note(0, 100, 0, 60, 100).note((1 << 28) - 1, 100, 0, 60, 100).note((1 << 29) - 2, 100, 0, 60, 100);
    let folder = tempfile::tempdir().expect("a folder");
    let song = folder.path().join("far.mid");
    fs::write(&song, midi::file(0, midi::ppq(96), &[track])).expect("written");
    let info = program::kmidi(&["info", "--json", text(&song)]).success().json();
    assert_eq!(info["notes"], 3);
    let seconds = info["duration_seconds"].as_f64().expect("a number");
    let exact = f64::from((1u32 << 29) - 2 + 100) / 96.0 * 0.5;
    assert!((seconds - exact).abs() < 1e-3, "{seconds} for {exact}");
    // A song of a month: its end can be reached without playing all of it.
    let output = folder.path().join("end.wav");
    let from = format!("{}s", exact - 1.5);
    let arguments = ["render", "--from", &from, "--tail", "0.1", "-o", text(&output), text(&song)];
    program::kmidi(&arguments).success();
    assert!(Audio::read(&output).peak() > 0.001);
}

#[test]
fn an_riff_wrapper_and_a_junk_chunk_are_no_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let song = midi::file(0, midi::ppq(96), &[scale()]);
    let length = |bytes: usize| (bytes as u32).to_le_bytes();
    let riff = [b"RIFF", &length(song.len() + 12)[..], b"RMID", b"data", &length(song.len()), &song].concat();
    let junk = [midi::header(0, 1, midi::ppq(96)), b"Junk\0\0\0\x03abc".to_vec(), scale().chunk()].concat();
    for (name, bytes) in [("wrapped.rmi", riff), ("junk.mid", junk)] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let info = program::kmidi(&["info", "--json", text(&path)]).success().json();
        assert_eq!(info["notes"], 8, "{name}");
    }
}

#[test]
fn a_playlist_goes_on_after_a_file_that_is_no_song() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.mid");
    fs::write(&good, midi::file(0, midi::ppq(960), &[scale()])).expect("written");
    let bad = jazzsoft("test-not-a-midi-file.mid");
    let outcome = program::kmidi(&["play", "--audio", "null", text(&bad), text(&good)]);
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert!(outcome.stderr.contains("test-not-a-midi-file.mid"), "{outcome:#?}");
    assert!(outcome.stderr.contains("good.mid"), "the other song is not named: {outcome:#?}");
}
