//! The audio cache, through the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::program::{self, DEADLINE, Outcome};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(arguments);
        command.env("XDG_CACHE_HOME", self.0.path().join("cache"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        program::spawn(self.command(arguments)).wait(DEADLINE)
    }

    fn entries(&self) -> u64 {
        self.run(&["cache", "stat", "--json"]).success().json()["entries"].as_u64().expect("a number")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("cache/kmidi/audio")
    }

    /// A recording of clicks, another one for each number.
    fn recording(&self, number: u32) -> String {
        let path = self.0.path().join(format!("{number}.wav"));
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 22_050,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(&path, spec).expect("created");
        for frame in 0..22_050 * 8 {
            let is_click = frame % (8_000 + number * 500) < 200;
            file.write_sample(if is_click { 9_000 - (frame % 200) as i16 * 40 } else { 0 }).expect("written");
        }
        file.finalize().expect("finished");
        path.to_str().expect("UTF-8").to_owned()
    }
}

fn is_hit(outcome: &Outcome) -> bool {
    outcome.stderr.contains("taken from the audio cache")
}

#[test]
fn a_recording_is_listened_to_once_where_it_is_asked_for_and_always_where_not() {
    let place = Place::new();
    let (one, other) = (place.recording(1), place.recording(2));
    let plain = place.run(&["analyze", &one, "--json"]).success();
    assert!(!place.folder().exists(), "it is off");
    let cold = place.run(&["analyze", &one, "--json", "--audio-cache"]).success();
    let warm = place.run(&["analyze", &one, "--json", "--audio-cache"]).success();
    assert_eq!((is_hit(&cold), is_hit(&warm)), (false, true));
    assert_eq!((&cold.stdout, &warm.stdout), (&plain.stdout, &plain.stdout));
    assert_eq!(place.entries(), 1);
    // Under another name it is the same; another recording, or another form, is not.
    let copy = place.0.path().join("copy.wav");
    fs::copy(&one, &copy).expect("copied");
    assert!(is_hit(&place.run(&["analyze", copy.to_str().expect("UTF-8"), "--json", "--audio-cache"])));
    let mut command = place.command(&["analyze", &other, "--json"]);
    let told = program::spawn({
        command.env("KMIDI_AUDIO_CACHE", "1");
        command
    })
    .wait(DEADLINE)
    .success();
    assert!(!is_hit(&told) && told.stdout != plain.stdout);
    let text = place.run(&["analyze", &one, "--audio-cache"]).success();
    assert_eq!(place.run(&["analyze", &one, "--audio-cache"]).success().stdout, text.stdout);
    assert_eq!(place.entries(), 3);
    // The file says so too.
    let config = place.0.path().join("config.toml");
    fs::write(&config, "audio-cache = true").expect("written");
    let mut command = place.command(&["analyze", &one]);
    command.env("KMIDI_CONFIG", config);
    assert!(is_hit(&program::spawn(command).wait(DEADLINE).success()));
}

fn only_entry(folder: &Path) -> PathBuf {
    let mut all = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    all.find(|path| path.extension().is_some_and(|it| it == "kmaudio")).expect("an entry")
}

#[test]
fn what_is_damaged_is_worked_out_again_and_what_is_the_users_stays() {
    let place = Place::new();
    let one = place.recording(1);
    let arguments = ["analyze", &one, "--json", "--audio-cache"];
    let first = place.run(&arguments).success();
    let entry = only_entry(&place.folder());
    let mut bytes = fs::read(&entry).expect("readable");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&entry, bytes).expect("written");
    let again = place.run(&arguments).success();
    assert_eq!((is_hit(&again), &again.stdout), (false, &first.stdout));
    assert!(is_hit(&place.run(&arguments)));
    let own = place.folder().join("my-song.wav");
    fs::write(&own, "mine").expect("written");
    std::os::unix::fs::symlink(&one, place.folder().join(format!("{}.kmaudio", "a".repeat(64))))
        .expect("made");
    assert_eq!(place.run(&["cache", "clean", "--json"]).success().json()["removed"], 0);
    assert_eq!(place.run(&["cache", "clean", "--all", "--json"]).success().json()["removed"], 1);
    assert_eq!((place.entries(), fs::read_to_string(&own).expect("there")), (0, "mine".to_owned()));
    assert!(Path::new(&one).exists());
}

#[test]
fn a_cache_that_cannot_be_used_costs_no_result() {
    let place = Place::new();
    let one = place.recording(1);
    fs::create_dir_all(place.folder()).expect("made");
    fs::write(place.folder().join("mine"), "mine").expect("written");
    let told = place.run(&["analyze", &one, "--json", "--audio-cache"]).success();
    assert!(told.stderr.contains("was not made by kmidi"), "{told:#?}");
    assert!(told.json()["duration_seconds"].is_number());
    let refused = place.run(&["cache", "clean", "--all", "--json"]);
    assert_eq!((refused.code, &refused.json()["exit_code"]), (Some(1), &1.into()), "{refused:#?}");
    assert_eq!(fs::read_dir(place.folder()).expect("a folder").count(), 1);
}
