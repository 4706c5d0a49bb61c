//! `kmidi transcribe`: what was played is heard again, and what cannot be heard or written is said.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kmidi_song::{SmfEvent, Song};

use crate::support::program::{self, DEADLINE, Outcome, Running};
use crate::support::root;

const SCALE: [u64; 8] = [60, 62, 64, 65, 67, 69, 71, 72];

pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// The scale of C major, rendered with these arguments.
    fn scale(&self, name: &str, arguments: &[&str]) -> String {
        let song = root().join("tests/data/midi/jazzsoft/test-c-major-scale.mid");
        let output = self.text(name);
        let mut all = vec!["render", song.to_str().expect("UTF-8"), "--sf", "built-in", "-o", &output];
        all.extend(arguments);
        program::kmidi(&all).success();
        output
    }

    /// A file of floats.
    pub fn sound(
        &self,
        name: &str,
        rate: u32,
        channels: u16,
        frames: usize,
        sample: impl Fn(usize) -> f32,
    ) -> String {
        let (bits_per_sample, sample_format) = (32, hound::SampleFormat::Float);
        let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample, sample_format };
        let mut writer = hound::WavWriter::create(self.path(name), spec).expect("created");
        for frame in 0..frames {
            (0..channels).for_each(|_| writer.write_sample(sample(frame)).expect("written"));
        }
        writer.finalize().expect("written");
        self.text(name)
    }

    fn transcribe(&self, sound: &str, arguments: &[&str]) -> Outcome {
        let output = self.text("heard.mid");
        let mut all = vec!["transcribe", sound, "-o", &output, "--json"];
        all.extend(arguments);
        // A piano takes minutes in a build for developers, on a machine that has other things to do.
        program::spawn(program::command(&all)).wait(2 * DEADLINE)
    }

    /// Keys in the order in which they were heard.
    fn keys(&self, sound: &str, arguments: &[&str]) -> Vec<u64> {
        let told = self.transcribe(sound, arguments).success().json();
        let keys = |note: &serde_json::Value| note["key"].as_u64().expect("a key");
        let keys: Vec<u64> = told["heard"].as_array().expect("notes").iter().map(keys).collect();
        assert_eq!(told["notes"], keys.len());
        assert_eq!(struck(&self.path("heard.mid")), keys, "the file has what is told");
        keys
    }
}

/// The keys that a file strikes.
fn struck(path: &Path) -> Vec<u64> {
    let (song, _) = Song::from_smf(&fs::read(path).expect("it was written")).expect("a MIDI file");
    let key = |(_, event): &(_, SmfEvent)| match event {
        SmfEvent::Channel([0x90, key, velocity]) if *velocity > 0 => Some(u64::from(*key)),
        _ => None,
    };
    song.tracks.iter().flat_map(|track| &track.events).filter_map(key).collect()
}

/// The model hears the last note of a scale twice, where it is released.
fn once(mut keys: Vec<u64>) -> Vec<u64> {
    assert!(keys.len() <= SCALE.len() + 1, "{keys:?}");
    keys.dedup();
    keys
}

#[test]
fn a_scale_that_was_rendered_is_heard_again_whatever_the_file_is() {
    let folder = Folder::new();
    for (name, arguments) in [
        ("a.wav", &["-r", "48000"][..]),
        ("b.flac", &["-r", "44100", "--bits", "24"]),
        ("c.wav", &["-r", "22050"]),
    ] {
        assert_eq!(once(folder.keys(&folder.scale(name, arguments), &[])), SCALE, "{name}");
    }
    let telephone = folder.scale("d.wav", &["-r", "8000"]);
    assert_eq!(once(folder.keys(&telephone, &[])), SCALE, "8 kHz");
    assert_eq!(folder.keys(&telephone, &["--mono"]), SCALE, "8 kHz");
    assert_eq!(folder.keys(&folder.path("a.wav").display().to_string(), &["--mono", "--bends"]), SCALE);
}

#[test]
fn what_is_written_lies_within_the_bounds_whoever_hears_it() {
    let folder = Folder::new();
    let sound = folder.scale("a.wav", &[]);
    let within = |hz: [&str; 2], ear: &[&str]| {
        let bounds = ["--min-freq", hz[0], "--max-freq", hz[1]];
        once(folder.keys(&sound, &[&bounds, ear].concat()))
    };
    for ear in [&[][..], &["--mono"]] {
        // D4 has 293.66 Hz, A4 440, and B4 493.88.
        assert_eq!(within(["300", "490"], ear), SCALE[2..6], "{ear:?}");
        assert_eq!(within(["294", "440"], ear), SCALE[1..6], "{ear:?}");
        assert_eq!(within(["262", "494"], ear), SCALE[..7], "{ear:?}");
        let nothing = ["--min-freq", "300", "--max-freq", "305"];
        assert_eq!(folder.transcribe(&sound, &[&nothing, ear].concat()).code, Some(2), "{ear:?}");
    }
}

#[test]
fn six_channels_and_samples_that_are_no_numbers_are_heard_too() {
    let folder = Folder::new();
    let tone = |frame: usize| {
        let age = frame as f32 / 44_100.0;
        let sum: f32 =
            (1..6).map(|n| (age * 440.0 * n as f32 * std::f32::consts::TAU).sin() / n as f32).sum();
        0.2 * sum * (-1.5 * age).exp() * (age * 200.0).min(1.0)
    };
    let keys = folder.keys(&folder.sound("six.wav", 44_100, 6, 60_000, tone), &[]);
    // The fifth partial can be heard as a note of its own.
    assert!(keys == [69] || keys == [69, 97], "{keys:?}");
    assert_eq!(folder.keys(&folder.text("six.wav"), &["--mono"]), [69]);
    let bad = |frame: usize| if frame % 9999 == 5000 { f32::NAN } else { tone(frame) };
    let bad = folder.sound("bad.wav", 44_100, 1, 60_000, bad);
    for arguments in [&[][..], &["--mono"]] {
        let outcome = folder.transcribe(&bad, arguments).success();
        assert!(outcome.stderr.contains("6 samples are no numbers, or infinite"), "{outcome:#?}");
        assert_eq!(outcome.json()["recording"]["not_numbers"], 6);
        let keys = outcome.json()["heard"].as_array().map(Vec::len);
        assert!(keys >= Some(1), "{outcome:#?}");
    }
}

#[test]
fn silence_and_nothing_are_told_and_leave_the_old_file_and_noise_has_few_notes() {
    let folder = Folder::new();
    for (name, frames) in [("nothing.wav", 0), ("silence.wav", 100_000), ("short.wav", 4410)] {
        let sound = folder.sound(name, 44_100, 2, frames, |_| 0.0);
        for arguments in [&[][..], &["--mono"]] {
            fs::write(folder.path("out.mid"), "before").expect("written");
            let told = folder.transcribe(&sound, arguments);
            assert_eq!(told.code, Some(1), "{name}: {told:#?}");
            let reason = if frames == 0 { "empty" } else { "silent" };
            assert!(told.stderr.contains("no notes were heard") && told.stderr.contains(reason), "{told:#?}");
            assert_eq!(fs::read_to_string(folder.path("out.mid")).expect("there"), "before");
        }
    }
    let noise = |frame: usize| (frame as u32).wrapping_mul(2_654_435_761) as i32 as f32 / 4e9;
    let noise = folder.sound("noise.wav", 44_100, 1, 200_000, noise);
    let few = folder.keys(&noise, &[]).len();
    assert!(few < 40, "{few} notes in noise");
    let told = folder.transcribe(&noise, &["--mono"]);
    assert!(told.code == Some(1) && told.stderr.contains("no single voice"), "{told:#?}");
    let blip = folder.sound("blip.wav", 44_100, 1, 4410, |frame| (frame as f32 * 0.06).sin());
    let told = folder.transcribe(&blip, &[]);
    assert!(told.code == Some(1) && told.stderr.contains("it lasts 0.10 s"), "{told:#?}");
}

#[test]
fn refusals_have_their_codes_and_leave_nothing_behind() {
    let folder = Folder::new();
    let sound = folder.sound("a.wav", 22_050, 1, 22_050, |frame| (frame as f32 * 0.1).sin());
    let missing = folder.text("no/such/folder/out.mid");
    symlink(&sound, folder.path("link.wav")).expect("a link");
    let (link, before) = (folder.text("link.wav"), fs::read(&sound).expect("read"));
    fs::write(folder.path("text.wav"), "no sound at all").expect("written");
    let text = folder.text("text.wav");
    let out = folder.text("out.mid");
    let (sound, link, text, missing, out) = (&*sound, &*link, &*text, &*missing, &*out);
    for (arguments, code) in [
        (vec!["/nonexistent.wav", "-o", out], 2),
        (vec![text, "-o", out], 2),
        (vec![sound, "-o", sound], 2),
        (vec![sound, "-o", link], 2),
        (vec![sound, "-o", "-"], 2),
        (vec![sound, "-o", "x.wav"], 2),
        (vec![sound], 2),
        (vec![sound, "-o", missing], 1),
        (vec![sound, "-o", "/dev/full"], 1),
        (vec![sound, "-o", out, "--onset-threshold", "2"], 2),
        (vec![sound, "-o", out, "--tempo", "0"], 2),
        (vec![sound, "-o", out, "--min-freq", "900", "--max-freq", "100"], 2),
        (vec![sound, "-o", out, "--mono", "--frame-threshold", "0.2"], 2),
        (vec![sound, "-o", out, "--memory-models-mb", "8"], 1),
    ] {
        let mut all = vec!["transcribe", "--json"];
        all.extend(arguments);
        let outcome = program::kmidi(&all);
        assert_eq!(outcome.code, Some(code), "{all:?}: {outcome:#?}");
        assert_eq!(outcome.json()["exit_code"], code, "{all:?}");
        assert!(!folder.path("out.mid").exists(), "{all:?}");
    }
    assert!(fs::read(sound).expect("read") == before, "the recording is as it was");
    assert!(fs::metadata("/dev/full").is_ok_and(|it| !it.is_file()), "the device is a device");
}

/// Waits until a program is so many bytes into a file: it works then, and is far from its end.
pub fn wait_until_it_has_read(running: &mut Running, file: &str, bytes: u64) {
    let process = PathBuf::from(format!("/proc/{}", running.id()));
    let position = |descriptor: fs::DirEntry| {
        let is_it = fs::read_link(descriptor.path()).is_ok_and(|it| it == Path::new(file));
        let info = fs::read_to_string(process.join("fdinfo").join(descriptor.file_name())).ok()?;
        info.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse::<u64>().ok()).filter(|_| is_it)
    };
    let start = Instant::now();
    loop {
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        if descriptors.filter_map(position).any(|it| it >= bytes) {
            return;
        }
        assert!(running.is_running() && start.elapsed() < DEADLINE, "it does not read {file}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn who_has_enough_ends_it_and_no_file_is_written() {
    let folder = Folder::new();
    let sound = folder.sound("long.wav", 8000, 1, 8000 * 600, |frame| (frame as f32 * 0.3).sin() * 0.3);
    let output = folder.text("heard.mid");
    let mut running = program::spawn(program::command(&["transcribe", &sound, "-o", &output]));
    wait_until_it_has_read(&mut running, &sound, 1 << 20);
    running.signal("INT");
    let outcome = running.wait(DEADLINE);
    assert_eq!(outcome.code, Some(130), "{outcome:#?}");
    assert!(!Path::new(&output).exists());
    let left: Vec<_> = fs::read_dir(folder.0.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// The tests' recordings of one note, and what becomes of them: name and bytes.
fn damaged(kind: &str) -> [(&'static str, Vec<u8>); 6] {
    let whole = fs::read(root().join("tests/data/sound").join(format!("tone.{kind}"))).expect("a recording");
    let mut hole = whole.clone();
    hole[whole.len() / 2..][..200].fill(0);
    [
        ("half of it", whole[..whole.len() / 2].to_vec()),
        ("a hole in it", hole),
        ("whole", whole),
        ("nothing", vec![]),
        ("zeros", vec![0; 5000]),
        ("another kind of file", b"no sound at all, whatever it is called".to_vec()),
    ]
}

#[test]
fn damaged_recordings_are_heard_as_far_as_they_go_or_refused() {
    let folder = Folder::new();
    for kind in ["flac", "mp3", "ogg"] {
        for (what, bytes) in damaged(kind) {
            let sound = folder.text(&format!("tone.{kind}"));
            fs::write(&sound, bytes).expect("written");
            let _ = fs::remove_file(folder.path("heard.mid"));
            let outcome = folder.transcribe(&sound, &[]);
            let context = format!("{kind}, {what}: {outcome:#?}");
            match (what, outcome.code) {
                ("whole", Some(0)) => {
                    assert_eq!(outcome.stderr, "", "{context}");
                    assert_eq!(outcome.json()["heard"][0]["key"], 69, "{context}");
                }
                ("half of it" | "a hole in it", Some(0)) => {
                    let is_told =
                        ["cut off", "missing", "damaged"].iter().any(|word| outcome.stderr.contains(word));
                    assert!(is_told, "{context}");
                    assert_eq!(outcome.json()["heard"][0]["key"], 69, "{context}");
                }
                ("whole", _) => panic!("{context}"),
                (_, code) => {
                    assert_eq!(code, Some(2), "{context}");
                    assert!(!folder.path("heard.mid").exists(), "{context}");
                    assert_eq!(outcome.json()["exit_code"], 2, "{context}");
                }
            }
            let spoken = program::kmidi(&["phonemes", &sound, "--json"]);
            let expected = if outcome.code == Some(0) { Some(1) } else { Some(2) };
            assert_eq!(spoken.code, expected, "no speech, or no sound: {kind}, {what}: {spoken:#?}");
        }
    }
}

#[test]
fn a_disk_that_is_full_is_told_and_what_was_there_stays() {
    let folder = Folder::new();
    let sound = folder.sound("a.wav", 22_050, 1, 22_050, |frame| (frame as f32 * 0.1).sin());
    let output = folder.path("out.mid");
    fs::write(&output, "as it was").expect("written");
    let kmidi = program::command(&["transcribe", &sound, "-o", output.to_str().expect("UTF-8"), "--json"]);
    let outcome = program::on_full_disk(0, &kmidi);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.json()["error"].as_str().is_some_and(|it| it.contains("out.mid")), "{outcome:#?}");
    assert_eq!(fs::read(&output).expect("read"), b"as it was");
    let left: Vec<_> = fs::read_dir(folder.0.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2, "{left:?}");
    program::check_printing(&kmidi);
}

#[test]
fn a_device_that_nothing_is_played_on_is_a_usage_error_and_one_in_the_environment_is_not() {
    let folder = Folder::new();
    let sound = folder.sound("a.wav", 22_050, 1, 22_050, |frame| (frame as f32 * 0.1).sin());
    let refused = folder.transcribe(&sound, &["--device", "none"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.json()["error"].as_str().is_some_and(|it| it.contains("without --play")), "{refused:#?}");
    assert!(!folder.path("heard.mid").exists());
    let output = folder.text("heard.mid");
    let mut setting = program::command(&["transcribe", &sound, "-o", &output]);
    setting.env("KMIDI_DEVICE", "none").env("KMIDI_TRACE_FILE", folder.path("log"));
    program::spawn(setting).wait(DEADLINE).success();
}

#[test]
fn what_was_heard_is_played() {
    let folder = Folder::new();
    let sound = folder.scale("a.wav", &["--to", "1s"]);
    let outcome =
        program::kmidi(&["transcribe", &sound, "-o", &folder.text("b.mid"), "--play", "--audio", "null"]);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stderr.contains("playing"), "{outcome:#?}");
}

#[test]
fn a_piano_needs_its_model_and_takes_nothing_that_means_nothing_to_it() {
    let folder = Folder::new();
    let sound = folder.sound("a.wav", 44_100, 1, 4410, |_| 0.1);
    let empty = folder.text("models");
    let missing = folder.transcribe(&sound, &["--model", "piano", "--models", &empty]);
    assert!(missing.code == Some(1) && missing.stderr.contains("`kmidi models fetch piano`"), "{missing:#?}");
    for option in
        [&["--onset-threshold", "0.4"][..], &["--min-freq", "100"], &["--min-note-ms", "90"], &["--bends"]]
    {
        let refused =
            folder.transcribe(&sound, &[&["--model", "piano", "--models", &empty], option].concat());
        let is_told = refused.stderr.contains(&format!("{} means nothing to piano", option[0]));
        assert!(refused.code == Some(2) && is_told, "{refused:#?}");
    }
    assert_eq!(folder.transcribe(&sound, &["--model", "swift-f0", "--onset-threshold", "0.4"]).code, Some(2));
    assert_eq!(folder.transcribe(&sound, &["--model", "piano", "--mono"]).code, Some(2));
    assert!(!folder.path("heard.mid").exists());
    let tone = folder.sound("tone.wav", 16_000, 1, 16_000, |frame| (frame as f32 * 0.1).sin() * 0.5);
    let named = folder.transcribe(&tone, &["--model", "swift-f0"]).success().json();
    assert_eq!(named["model"], "swift-f0");
}

#[test]
fn a_piano_is_heard_at_any_rate_and_from_any_channels_where_its_model_is() {
    let Some(home) = program::home_of("piano") else { return };
    let models = home.join("kmidi/models");
    let models = models.to_str().expect("UTF-8");
    let folder = Folder::new();
    let keys = |sound: &str| folder.keys(sound, &["--model", "piano", "--models", models]);
    // What lies above 4 kHz is missing from such a recording, and some notes may be with it.
    let low = keys(&folder.scale("low.wav", &["-r", "8000"]));
    assert!(low.iter().filter(|key| SCALE.contains(key)).count() >= 6, "{low:?}");
    let broken = |frame: usize| if frame == 99 { f32::NAN } else { 0.0 };
    let broken = folder.sound("nan.wav", 48_000, 6, 4800, broken);
    let told = folder.transcribe(&broken, &["--model", "piano", "--models", models]);
    assert!(told.code == Some(1) && told.stderr.contains("samples that are damaged"), "{told:#?}");
}
