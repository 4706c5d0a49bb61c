//! `kmidi phonemes`: what it prints, what it refuses, and any kind of file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::{self, Outcome};
use crate::support::root;

const TEXT: &str = "He was not an ill-disposed young man.";
const RATE_HZ: u32 = 16_000;

fn clip() -> String {
    root().join("assets/speech/austen-disposed.flac").to_str().expect("UTF-8").to_owned()
}

fn samples() -> Vec<f32> {
    let mut reader = claxon::FlacReader::open(clip()).expect("the clip");
    reader.samples().map(|it| it.expect("a sample") as f32 / 32_768.0).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    /// A file of floats with the same on each channel.
    fn write(&self, name: &str, channels: u16, sample_rate: u32, samples: &[f32]) -> String {
        let path: PathBuf = self.0.path().join(name);
        let spec = hound::WavSpec {
            channels,
            sample_rate,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).expect("created");
        for sample in samples {
            (0..channels).for_each(|_| writer.write_sample(*sample).expect("written"));
        }
        writer.finalize().expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }
}

fn json(file: &str, more: &[&str]) -> Value {
    program::kmidi(&[&["phonemes", file, "--json"], more].concat()).success().json()
}

fn error_rate(report: &Value) -> f64 {
    report["score"]["phoneme_error_rate"].as_f64().unwrap_or_else(|| panic!("{report:#}"))
}

#[test]
fn speech_is_told_in_each_form() {
    let report = json(&clip(), &["--text", TEXT, "--stats"]);
    assert_eq!((&report["version"], &report["exit_code"]), (&1.into(), &0.into()));
    assert!(error_rate(&report) <= 0.2, "{report:#}");
    let first = &report["phones"][0];
    assert!(first["start_seconds"].as_f64() < first["end_seconds"].as_f64(), "{first}");
    assert_eq!(report["words"].as_array().map(Vec::len), Some(8));
    let loads = report["models"].as_array().expect("a list").iter().map(|it| it["loads"].as_u64());
    assert!(loads.clone().all(|it| it == Some(1)) && loads.count() == 4, "{:#}", report["models"]);

    let table = program::kmidi(&["phonemes", &clip(), "--text", TEXT]).success().stdout;
    assert!(table.contains("phoneme error rate") && table.contains("disposed"), "{table}");
    let phones = program::kmidi(&["phonemes", &clip()]).success().stdout;
    assert!(phones.contains("m æ n"), "{phones}");
    let grid = program::kmidi(&["phonemes", &clip(), "--text", TEXT, "--textgrid"]).success().stdout;
    assert!(grid.starts_with("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n"), "{grid}");
    let arpabet = "hh iy w aa z n aa t ae n ih l d ih s p ow z d y ah ng m ae n";
    assert!(error_rate(&json(&clip(), &["--expect", arpabet, "--beam", "8"])) <= 0.25);
    assert!(error_rate(&json(&clip(), &["--expect", "p ay n ae p ax l"])) > 0.6, "control");
}

#[test]
fn any_rate_and_number_of_channels_is_heard() {
    let folder = Folder::new();
    let eight: Vec<f32> =
        samples().chunks(2).map(|pair| pair.iter().sum::<f32>() / pair.len() as f32).collect();
    let forty_eight: Vec<f32> = samples().iter().flat_map(|it| [*it; 3]).collect();
    let files = [
        (folder.write("eight.wav", 1, 8_000, &eight), 0.45),
        (folder.write("surround.wav", 6, RATE_HZ, &samples()), 0.2),
        (folder.write("stereo.wav", 2, 48_000, &forty_eight), 0.3),
    ];
    for (file, most) in files {
        let rate = error_rate(&json(&file, &["--text", TEXT]));
        assert!(rate <= most, "{file}: {rate}");
    }
}

/// Exit code 1, the reason on stderr, one object on stdout and no table.
fn check_not_good_enough(file: &str, reason: &str, words: &str) {
    let told = |outcome: &Outcome| {
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.stderr.contains(words), "{outcome:#?}");
    };
    let plain = program::kmidi(&["phonemes", file]);
    told(&plain);
    assert_eq!(plain.stdout, "");
    let outcome = program::kmidi(&["phonemes", file, "--json"]);
    told(&outcome);
    let report = outcome.json();
    assert_eq!(report["quality"]["accepted"], false, "{report:#}");
    let faults = report["quality"]["faults"].as_array().expect("a list");
    assert!(faults.iter().any(|it| it["reason"] == reason), "{report:#}");
    assert!(report["error"].as_str().is_some_and(|it| it.contains(words)), "{report:#}");
}

#[test]
fn what_is_no_speech_is_refused_with_its_reason() {
    let folder = Folder::new();
    let mut random = fastrand::Rng::with_seed(1);
    let noise: Vec<f32> = (0..48_000).map(|_| random.f32() - 0.5).collect();
    let file = |name: &str, samples: &[f32]| folder.write(name, 1, RATE_HZ, samples);
    check_not_good_enough(&file("empty.wav", &[]), "too_short", "too short");
    check_not_good_enough(&file("tenth.wav", &samples()[8_000..9_600]), "too_short", "too short");
    check_not_good_enough(&file("silent.wav", &[0.0; 48_000]), "no_sound", "no sound");
    check_not_good_enough(&file("nan.wav", &[f32::NAN; 48_000]), "no_sound", "no sound");
    check_not_good_enough(&file("noise.wav", &noise), "little_speech", "hardly any speech");
    let loud: Vec<f32> = samples().iter().map(|it| (it * 100.0).clamp(-1.0, 1.0)).collect();
    check_not_good_enough(&file("loud.wav", &loud), "clipped", "too loud");
    let forced = program::kmidi(&["phonemes", &file("noise.wav", &noise), "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:#?}");
    let lenient = ["phonemes", &clip(), "--min-snr-db", "99"];
    assert_eq!(program::kmidi(&lenient).code, Some(1), "a limit that is set is kept");
}

#[test]
fn what_cannot_be_used_is_an_error_of_one_object() {
    let refused = |arguments: &[&str], why: &str| {
        let outcome = program::kmidi(&[&["phonemes", "--json"], arguments].concat());
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains(why), "{outcome:#?}");
        assert_eq!(outcome.json()["exit_code"], 2);
    };
    let clip = &clip();
    refused(&["/nonexistent.wav"], "/nonexistent.wav");
    refused(&[Path::new(&root().join("Cargo.toml")).to_str().expect("UTF-8")], "Cargo.toml");
    refused(&[clip, "--text", "... !"], "no word");
    refused(&[clip, "--expect", "hh 7"], "no phone");
    refused(&[clip, "--text", &"word ".repeat(5_000)], "20000");
    refused(&[clip, "--text", "a", "--expect", "ə"], "cannot be used with");
    refused(&[clip, "--min-seconds", "0"], "over 0");
}

#[test]
fn what_cannot_be_printed_is_an_error() {
    for form in ["--json", "--textgrid"] {
        program::check_printing(&program::command(&["phonemes", &clip(), form]));
    }
}

#[test]
fn a_budget_that_is_too_small_is_told() {
    let outcome = program::kmidi(&["phonemes", &clip(), "--memory-models-mb", "4", "--json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.stderr.contains("hama") || outcome.stderr.contains("silero"), "{outcome:#?}");
}
