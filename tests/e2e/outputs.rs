//! Where the sound goes: files that cannot be written, disks that are full, renders that are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::program::{self, DEADLINE, Outcome, Running};
use crate::support::wav::Audio;
use crate::support::{root, servers, soundfont};

fn song() -> String {
    root().join("tests/data/midi/freedoom/freedoom1_D_E1M1.mid").to_str().expect("UTF-8").to_owned()
}

fn render_to(output: &Path) -> Outcome {
    program::kmidi(&["render", "--to", "20s", "-o", output.to_str().expect("UTF-8"), &song()])
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

fn fails_and_names(outcome: &Outcome, name: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.stderr.contains(name), "{outcome:#?}");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
}

#[test]
fn an_output_that_cannot_be_written_fails_at_once_and_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    fails_and_names(&render_to(&folder.path().join("missing/out.wav")), "out.wav");
    fs::create_dir(folder.path().join("taken.wav")).expect("a folder");
    fails_and_names(&render_to(&folder.path().join("taken.wav")), "taken.wav");
    fs::write(folder.path().join("file"), b"").expect("written");
    fails_and_names(&render_to(&folder.path().join("file/out.wav")), "out.wav");
}

#[test]
fn a_render_never_replaces_what_it_is_made_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (before, font) = (fs::read(song()).expect("read"), soundfont::sine(48_000, 100).bytes());
    fs::write(path("song.wav"), &before).expect("written");
    fs::write(path("font.wav"), &font).expect("written");
    std::os::unix::fs::symlink(path("song.wav"), path("link.wav")).expect("a link");
    for output in ["song.wav", "link.wav", "font.wav"] {
        let outcome =
            program::kmidi(&["render", "--sf", &path("font.wav"), "-o", &path(output), &path("song.wav")]);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains(output) && outcome.stderr.contains("input"), "{outcome:#?}");
    }
    for arguments in [
        ["play", "--audio", "null", "--tap", &path("song.wav"), &path("song.wav")],
        ["render", "--to", "2s", "--stems", folder.path().to_str().expect("UTF-8"), &path("channel-01.wav")],
    ] {
        fs::write(path("channel-01.wav"), &before).expect("written");
        let outcome = program::kmidi(&arguments);
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains("input"), "{outcome:#?}");
        assert!(fs::read(path("channel-01.wav")).expect("there") == before);
    }
    assert!(fs::read(path("song.wav")).expect("there") == before);
    assert!(fs::read(path("font.wav")).expect("there") == font);
}

#[test]
fn the_gain_holds_from_the_first_frame_and_floats_keep_what_is_too_loud() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let render = |gain: &str, bits: &str| {
        let path = output.to_str().expect("UTF-8");
        let arguments =
            ["render", "--to", "5s", "--json", "--gain", gain, "--bits", bits, "-o", path, &song()];
        let json = program::kmidi(&arguments).success().json();
        (json["peak_dbfs"].as_f64().expect("a number"), json["limited_frames"].as_u64().expect("a count"))
    };
    let (written, _) = render("0", "32f");
    let (quiet, _) = render("-40", "32f");
    assert!((quiet - written + 40.0).abs() < 0.01, "{written}, {quiet}");
    let (loud, limited) = render("24", "32f");
    assert!((loud - written - 24.0).abs() < 0.01 && loud > 0.0 && limited == 0, "{loud}, {limited}");
    let (before, limited) = render("24", "24");
    assert!((before - loud).abs() < 0.05 && limited > 0, "as loud as it was before: {before}, {limited}");
    let written =
        Audio::read(&output).channels.into_iter().flatten().fold(0.0, |most: f32, it| most.max(it.abs()));
    assert!(written <= 1.0, "{written}");
}

#[test]
fn notes_transposed_off_the_keyboard_are_called_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let path = output.to_str().expect("UTF-8");
    let arguments = ["render", "--to", "20s", "--json", "--transpose", "-48", "-o", path, &song()];
    let outcome = program::kmidi(&arguments).success();
    assert!(outcome.json()["notes_off_the_keyboard"].as_u64() > Some(0), "{outcome:#?}");
    assert_eq!(outcome.json()["dropped_events"], 0, "{outcome:#?}");
    assert!(outcome.stderr.contains("keyboard"), "{outcome:#?}");
}

/// A file system of one mebibyte, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where mounting is not allowed, unless it must be.
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(folder.path()).output();
        let mounted = mount.is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("mounting is not allowed here: nothing tested");
        }
        mounted.then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_tap_that_finds_no_room_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let tap = folder.path().join("tap.wav");
    let tap_text = tap.to_str().expect("UTF-8");
    let song = song();
    let what = ["play", "--audio", "null", "--no-effects", "--to", "4s", "--tap", tap_text, &song];
    let kmidi = || program::command(&what);
    let full = program::on_full_disk(300, &kmidi());
    assert_eq!(full.code, Some(1), "{full:#?}");
    assert!(full.stderr.contains("is not recorded any more, and there is no file"), "{full:#?}");
    assert!(!tap.exists());
    program::spawn(kmidi()).wait(DEADLINE).success();
    assert!(tap.is_file());
}

#[test]
fn a_full_disk_leaves_no_half_file_and_keeps_the_old_one() {
    let Some(disk) = SmallDisk::mount() else { return };
    for name in ["out.wav", "out.flac"] {
        let output = disk.0.path().join(name);
        fs::write(&output, b"what was here before").expect("written");
        fails_and_names(&render_to(&output), name);
        assert_eq!(fs::read(&output).expect("still there"), b"what was here before");
        assert_eq!(files(disk.0.path()), std::slice::from_ref(&output), "left behind");
        fs::remove_file(output).expect("removed");
    }
}

/// Starts a render of many minutes, and waits until it writes: to a file that may have no name yet.
fn slow_render(output: &Path) -> Running {
    let arguments = ["render", "--tempo-scale", "0.0625", "-o", output.to_str().expect("UTF-8"), &song()];
    let mut render = program::spawn(program::command(&arguments));
    let folder = output.parent().expect("a folder");
    let descriptors = PathBuf::from(format!("/proc/{}/fd", render.id()));
    let start = Instant::now();
    loop {
        let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        if open.filter_map(|it| fs::read_link(it.path()).ok()).any(|target| target.starts_with(folder)) {
            break;
        }
        assert!(render.is_running() && start.elapsed() < Duration::from_secs(20), "nothing was begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(render.is_running(), "the song is too short for this test");
    render
}

#[test]
fn a_render_killed_half_way_leaves_no_half_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let render = slow_render(&folder.path().join("out.wav"));
    render.signal("KILL");
    let outcome = render.wait(Duration::from_secs(10));
    assert_eq!(outcome.signal, Some(9), "{outcome:#?}");
    assert_eq!(files(folder.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn an_interrupted_render_cleans_up_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let render = slow_render(&folder.path().join("out.wav"));
    render.signal("INT");
    let outcome = render.wait(Duration::from_secs(20));
    assert_eq!(outcome.code, Some(130), "{outcome:#?}");
    assert_eq!(files(folder.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn a_closed_standard_output_is_no_crash() {
    let shell = format!("{} info --json {} | true", env!("CARGO_BIN_EXE_kmidi"), song());
    let output =
        Command::new("bash").args(["-c", &format!("set -o pipefail; {shell}")]).output().expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(matches!(output.status.code(), Some(0 | 1 | 141)), "{output:?}");
}

#[test]
fn a_render_is_the_same_for_any_callback_size_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.wav");
    let path = output.to_str().expect("UTF-8");
    let json = program::kmidi(&["render", "--to", "10s", "--verify", "--json", "-o", path, &song()])
        .success()
        .json();
    assert_eq!(json["verify"]["identical"], true, "{json:#}");
    let sizes = json["verify"]["callback_sizes"].as_array().expect("a list");
    assert!(sizes.len() >= 5, "{json:#}");
    let first = fs::read(&output).expect("written");
    program::kmidi(&["render", "--to", "10s", "-o", path, &song()]).success();
    assert!(first == fs::read(&output).expect("written"), "a second run differs");
}

#[test]
fn other_decoders_read_what_is_written() {
    if !servers::available("sox") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bits, precision) in
        [("a.wav", "16", "16"), ("a.wav", "24", "24"), ("a.wav", "32f", "32"), ("a.flac", "24", "24")]
    {
        let output = folder.path().join(name);
        let path = output.to_str().expect("UTF-8");
        program::kmidi(&["render", "--to", "2s", "--tail", "0", "--bits", bits, "-o", path, &song()])
            .success();
        let soxi = |flag: &str| {
            let output = Command::new("soxi").args([flag, path]).output().expect("soxi runs");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        assert_eq!(
            (soxi("-s").as_str(), soxi("-c").as_str(), soxi("-r").as_str()),
            ("96000", "2", "48000"),
            "{name}"
        );
        let seen = soxi("-b");
        assert!(seen == precision || (bits == "32f" && seen == "25"), "{name} with {bits} bits: {seen}");
    }
}
