//! A restless user for half a minute: nothing piles up, and what would is told.

use std::time::Duration;

use serde_json::Value;

use super::tight_memory::with_data_limit;
use super::transcribe::{Folder, wait_until_it_has_read};
use crate::support::program;

fn verdict<'a>(report: &'a Value, name: &str) -> &'a Value {
    let verdicts = report["verdicts"].as_array().expect("a list");
    verdicts.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn nothing_piles_up_in_half_a_minute() {
    let arguments = ["soak", "--minutes", "0.5", "--check-fds", "--check-threads", "--seed", "7", "--json"];
    let outcome = program::kmidi(&arguments).success();
    let report = outcome.json();
    assert_eq!((&report["ok"], &report["interrupted"]), (&true.into(), &false.into()), "{report:#}");
    // How much it did is the machine's affair.
    assert!(
        report["deeds"]["actions"].as_u64() > Some(3) && report["samples"].as_u64() > Some(3),
        "{report:#}"
    );
    assert!(report["deeds"]["songs_started"].as_u64() > Some(0), "{report:#}");
    assert!(verdict(&report, "threads")["found"].as_str().expect("a text").contains("before and"));
}

#[test]
fn ctrl_c_ends_it_with_the_verdicts_so_far() {
    let soak = program::spawn(program::command(&["soak", "--minutes", "60", "--json"]));
    std::thread::sleep(Duration::from_secs(4));
    soak.signal("INT");
    let report = soak.wait(Duration::from_secs(30)).success().json();
    assert_eq!(report["interrupted"], true);
    assert!(report["seconds"].as_f64() < Some(40.0), "{report:#}");
    let found = verdict(&report, "resident memory")["found"].as_str().expect("a text");
    assert!(found.ends_with("too few to tell"), "{found}");
}

/// In a process that may have 512 MiB in all: the second call loads nothing, and none takes more than the first.
fn check_listening(listener: &str, models: &[&str]) {
    const CALLS: u64 = 28;
    let soak = program::command(&["soak", listener, &CALLS.to_string(), "--json"]);
    let report = with_data_limit(512, &soak).json();
    assert_eq!(report["calls"], CALLS, "{report:#}");
    for verdict in report["verdicts"].as_array().expect("a list") {
        // How long a call takes is what else the machine does, in these two seconds.
        assert!(verdict["ok"] == true || verdict["name"] == "time of a call, p95", "{report:#}");
    }
    assert!(report["heard"].as_u64() > Some(15), "there is something to hear: {report:#}");
    let used = report["models"].as_array().expect("a list");
    let names: Vec<_> = used.iter().map(|it| it["model"].as_str().expect("a name")).collect();
    assert_eq!(names, models, "{report:#}");
    for it in used {
        assert_eq!(it["loads"], 1, "{it:#}");
        assert!(it["hits"].as_u64() >= Some(CALLS - 1), "{it:#}");
    }
    for name in ["resident memory", "memory in use, models", "memory in use, working"] {
        let found = verdict(&report, name)["found"].as_str().expect("a text");
        assert!(!found.contains("too few"), "{name}: {found}");
    }
}

#[test]
fn transcribing_again_and_again_loads_once_and_piles_nothing_up() {
    check_listening("--transcribe", &["basic-pitch"]);
}

#[test]
fn hearing_phonemes_again_and_again_loads_once_and_piles_nothing_up() {
    check_listening("--phonemes", &["silero-vad", "hama-asr"]);
}

#[test]
fn ctrl_c_in_the_first_call_leaves_nothing_to_judge_and_that_is_what_is_told() {
    let folder = Folder::new();
    let sound = folder.sound("long.wav", 8000, 1, 8000 * 600, |frame| (frame as f32 * 0.3).sin() * 0.3);
    for listener in ["--transcribe", "--phonemes"] {
        let soak = program::command(&["soak", listener, "5", &sound, "--json"]);
        let mut soak = program::spawn(soak);
        wait_until_it_has_read(&mut soak, &sound, 1 << 20);
        soak.signal("INT");
        let ended = soak.wait(program::DEADLINE);
        assert_eq!((ended.code, &ended.json()["exit_code"]), (Some(130), &130.into()), "{ended:#?}");
        assert!(ended.stderr.contains("interrupted in the first call"), "{ended:#?}");
        assert!(!ended.stdout.contains("BAD") && !ended.stderr.contains("BAD"), "{ended:#?}");
    }
}

#[test]
fn a_recording_without_a_listener_is_a_usage_error() {
    assert_eq!(program::kmidi(&["soak", "take.wav"]).code, Some(2));
    assert_eq!(program::kmidi(&["soak", "--transcribe", "1", "--phonemes", "1"]).code, Some(2));
    assert_eq!(program::kmidi(&["soak", "--transcribe", "1", "/nonexistent.wav"]).code, Some(2));
}
