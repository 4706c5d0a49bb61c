//! Another SoundFont while it plays: the key `f`, heard through the WAV tap of the null clock.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ChildStdin;
use std::time::Duration;

use crate::support::analysis::loudest_hz;
use crate::support::midi::{self, Track};
use crate::support::program::{self, Outcome, Running};
use crate::support::soundfont::{self, SoundFont};
use crate::support::wav::Audio;

const RATE_HZ: u32 = 48_000;
const NOTE_FRAMES: usize = RATE_HZ as usize;

/// A folder with a song of one note a second.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        Case::on_channel(0)
    }

    fn on_channel(channel: u8) -> Case {
        let case = Case { folder: tempfile::tempdir().expect("a folder") };
        let mut track = Track::default();
        (0..120).for_each(|second| {
            track.note(second * 192, 192, channel, 60, 100);
        });
        fs::write(case.path("song.mid"), midi::file(0, midi::ppq(96), &[track])).expect("written");
        case
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A tone of 48000 Hz by this period.
    fn font(&self, name: &str, period_frames: u32) -> String {
        fs::write(self.path(name), soundfont::sine(RATE_HZ, period_frames).bytes()).expect("written");
        self.path(name)
    }

    fn play(&self, fonts: &[&str]) -> (Running, ChildStdin) {
        let (song, tap) = (self.path("song.mid"), self.path("tap.wav"));
        let mut arguments = vec!["play", "--json", "--audio", "null", "--rate", "48000", "--no-effects"];
        arguments.extend(["--tap", &tap]);
        arguments.extend(fonts.iter().flat_map(|font| ["--sf", font]));
        arguments.push(&song);
        program::spawn_on_terminal(&arguments)
    }

    /// The frequencies of the notes, at both ends of each; the last note is left out.
    fn heard(&self) -> Vec<[u32; 2]> {
        let sound = Audio::read(Path::new(&self.path("tap.wav"))).trimmed().mono();
        let hz = |part: &[f32]| (loudest_hz(&part[..4800], RATE_HZ) / 10.0).round() as u32 * 10;
        let notes = sound.chunks_exact(NOTE_FRAMES).map(|note| [hz(&note[3000..]), hz(&note[40_000..])]);
        notes.collect()
    }
}

fn seconds(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}

fn quit(player: Running, keyboard: &mut ChildStdin) -> Outcome {
    program::press(keyboard, "q");
    player.wait(Duration::from_secs(20))
}

/// Messages of the run that have this in them.
fn told(end: &serde_json::Value, text: &str) -> usize {
    let messages = end["messages"].as_array().expect("a list");
    messages.iter().filter(|message| message["text"].as_str().is_some_and(|it| it.contains(text))).count()
}

#[test]
fn the_key_f_goes_through_the_stack_and_what_sounds_keeps_its_sound() {
    let case = Case::new();
    let (low, high) = (case.font("low.sf2", 200), case.font("high.sf2", 100));
    let (player, mut keyboard) = case.play(&[&low, &high]);
    for pause in [2.5, 2.0, 2.0] {
        seconds(pause);
        program::press(&mut keyboard, "f");
    }
    seconds(2.0);
    let end = quit(player, &mut keyboard).success().json_behind_screen();
    assert_eq!(end["synth"]["sound_fonts"], serde_json::json!([low, high]), "{end:#}");
    assert_eq!(told(&end, " over "), 3, "{end:#}");
    let heard = case.heard();
    // No note changes before it ends, none is missing, and the sound changes three times.
    assert!(heard.iter().all(|note| note[0] == note[1]), "{heard:?}");
    let mut changes: Vec<u32> = heard.iter().map(|note| note[0]).collect();
    changes.dedup();
    assert_eq!(changes, [480, 240, 480, 240], "{heard:?}");
    assert_eq!(end["losses"]["dropped_events"], 0, "{end:#}");
}

#[test]
fn a_single_soundfont_is_read_again_and_a_broken_one_leaves_the_old_sound() {
    let case = Case::new();
    let font = case.font("font.sf2", 200);
    let (player, mut keyboard) = case.play(&[&font]);
    seconds(2.0);
    fs::write(&font, b"RIFF\x04\0\0\0sfbk").expect("broken");
    program::press(&mut keyboard, "f");
    seconds(2.5);
    case.font("font.sf2", 100);
    program::press(&mut keyboard, "f");
    seconds(3.0);
    let outcome = quit(player, &mut keyboard);
    assert_eq!(outcome.code, Some(2), "what could not be read is told by the exit code: {outcome:#?}");
    let end = outcome.json_behind_screen();
    assert_eq!(told(&end, "font.sf2: the SoundFont has no"), 1, "{end:#}");
    assert_eq!(told(&end, "stays in use"), 1, "{end:#}");
    let heard = case.heard();
    assert!(heard.iter().all(|note| note[0] == note[1]), "{heard:?}");
    assert!(heard[..3].iter().all(|note| note[0] == 240), "{heard:?}");
    assert_eq!(heard.last(), Some(&[480, 480]), "{heard:?}");
}

#[test]
fn drums_fall_silent_where_the_new_soundfont_has_none() {
    let case = Case::on_channel(9);
    let font = case.path("font.sf2");
    let sine = |bank| SoundFont { bank, ..soundfont::sine(RATE_HZ, 200) }.bytes();
    fs::write(&font, sine(128)).expect("written");
    let (player, mut keyboard) = case.play(&[&font]);
    seconds(2.5);
    fs::write(&font, sine(0)).expect("written");
    program::press(&mut keyboard, "f");
    seconds(2.5);
    let end = quit(player, &mut keyboard).success().json_behind_screen();
    assert_eq!(told(&end, "nor anything like it: its notes are silent"), 1, "{end:#}");
    // The note that sounded is played to its end, and is the last.
    let notes = Audio::read(Path::new(&case.path("tap.wav"))).trimmed().seconds();
    assert!((2.9..4.2).contains(&notes), "{notes} seconds of {:#}", end["position"]);
}

/// A SoundFont with a sample of 1.2 GB, which is a hole in the file.
fn write_large(path: &str) {
    const HOLE_BYTES: u32 = 1_200_000_000;
    let whole = soundfont::sine(RATE_HZ, 100).bytes();
    let find = |id: &[u8]| whole.windows(4).position(|it| it == id).expect("a chunk");
    let (samples, rest) = (find(b"smpl"), find(b"pdta") - 8);
    let mut head = whole[..rest].to_vec();
    // Of the file, of the list of samples, of the samples.
    for length in [4, find(b"sdta") - 4, samples + 4] {
        let bytes: &mut [u8] = &mut head[length..length + 4];
        let old = u32::from_le_bytes(bytes.try_into().expect("four"));
        bytes.copy_from_slice(&(old + HOLE_BYTES).to_le_bytes());
    }
    let mut tail = whole[rest..].to_vec();
    // The end of the sample: the second number behind the name in its header.
    let header = tail.windows(4).position(|it| it == b"shdr").expect("a chunk") + 8;
    tail[header + 24..header + 28].copy_from_slice(&(HOLE_BYTES / 2).to_le_bytes());
    let mut file = fs::File::create(path).expect("a file");
    file.write_all(&head).expect("written");
    file.seek(SeekFrom::Current(HOLE_BYTES.into())).expect("sought");
    file.write_all(&tail).expect("written");
}

#[test]
fn a_soundfont_that_does_not_fit_leaves_the_old_sound() {
    let case = Case::new();
    let font = case.font("font.sf2", 200);
    let (player, mut keyboard) = case.play(&[&font]);
    seconds(2.0);
    fs::remove_file(&font).expect("removed");
    write_large(&font);
    program::press(&mut keyboard, "f");
    seconds(2.5);
    let outcome = quit(player, &mut keyboard);
    let end = outcome.json_behind_screen();
    assert_eq!(
        told(&end, "(--memory-working-mb wins over it); the SoundFont before stays in use"),
        1,
        "{end:#}"
    );
    let heard = case.heard();
    assert!(heard.len() >= 3 && heard.iter().all(|note| *note == [240, 240]), "{heard:?}");
    assert!(outcome.peak_anonymous_bytes < 1 << 30, "{} bytes", outcome.peak_anonymous_bytes);
}

/// Memory at most, in bytes, and finished swaps of so many presses of the key.
fn peak_of(presses: usize, paused: bool) -> (u64, usize) {
    const SAMPLE_FRAMES: usize = 2 << 20;
    let case = Case::new();
    let font = case.path("font.sf2");
    let sine = soundfont::sine(RATE_HZ, 100);
    let frames = sine.frames.iter().copied().cycle().take(SAMPLE_FRAMES).collect();
    fs::write(&font, SoundFont { frames, ..sine }.bytes()).expect("written");
    let (player, mut keyboard) = case.play(&[&font]);
    seconds(1.5);
    if paused {
        program::press(&mut keyboard, " ");
        seconds(1.0);
    }
    for _ in 0..presses {
        program::press(&mut keyboard, "f");
        seconds(0.08);
    }
    seconds(0.5);
    let outcome = quit(player, &mut keyboard).success();
    let swaps = told(&outcome.json_behind_screen(), "SoundFont: ");
    (outcome.peak_anonymous_bytes, swaps)
}

#[test]
fn the_samples_of_a_hundred_swaps_do_not_pile_up() {
    // The program, two SoundFonts of 8 MiB beside each other, and what the allocator keeps by chance. More
    // than fifty that are not freed would be over 400 MiB.
    const ALLOWED_BYTES: u64 = 128 << 20;
    for paused in [false, true] {
        let (bytes, swaps) = peak_of(100, paused);
        assert!(swaps > 50, "{swaps} swaps of 100 (paused: {paused})");
        assert!(bytes < ALLOWED_BYTES, "{bytes} bytes (paused: {paused})");
    }
}
