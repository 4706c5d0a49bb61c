//! The log of what was done, through the program.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::program::{self, DEADLINE, Outcome};
use crate::support::root;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program::command(arguments);
        command.env("XDG_STATE_HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        program::spawn(self.command(arguments)).wait(DEADLINE)
    }

    /// Appends what is given on standard input.
    fn append(&self, lines: &str) -> Outcome {
        let (running, mut input) = program::spawn_with_input(self.command(&["trace", "append", "--json"]));
        // One that refuses may not read it all.
        let _ = input.write_all(lines.as_bytes());
        drop(input);
        running.wait(DEADLINE)
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("kmidi/trace.jsonl")
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn query(&self, flags: &[&str]) -> Vec<Value> {
        let told = self.run(&[&["trace", "query", "--json"], flags].concat()).success().json();
        assert_eq!(told["count"], told["records"].as_array().expect("a list").len());
        told["records"].as_array().expect("a list").clone()
    }
}

/// A record of this number.
fn record(number: u64) -> Value {
    let kind = ["plan", "job"][number as usize % 2];
    json!({
        "kind": kind,
        "provider": format!("test::{kind}"),
        "source_id": format!("song-{}", number % 3),
        "timestamp": 1_700_000_000 + number,
        "score": (number % 10) as f64 / 10.0,
        "features": ["all", format!("number:{number}")],
    })
}

fn numbers(records: &[Value]) -> Vec<u64> {
    let number = |it: &Value| it["features"][1].as_str()?.strip_prefix("number:")?.parse().ok();
    records.iter().map(|it| number(it).expect("a number")).collect()
}

#[test]
fn what_is_appended_is_found_by_every_flag_and_by_its_id() {
    let place = Place::new();
    let lines: String = (0..10).map(|number| format!("{}\n", record(number))).collect();
    let appended = place.append(&lines).success().json();
    let ids = appended["ids"].as_array().expect("a list");
    assert_eq!(ids.len(), 10);
    let found = |flags: &[&str]| numbers(&place.query(flags));
    assert_eq!(found(&[]), (0..10).collect::<Vec<_>>());
    assert_eq!(found(&["--kind", "job"]), [1, 3, 5, 7, 9]);
    assert_eq!(found(&["--provider", "test::p", "--limit", "2"]), [0, 2]);
    assert_eq!(found(&["--source", "song-2"]), [2, 5, 8]);
    assert_eq!(found(&["--min-score", "0.5", "--max-score", "0.7"]), [5, 6, 7]);
    assert_eq!(found(&["--feature", "all", "--feature", "number:4"]), [4]);
    assert_eq!(found(&["--since", "2023-11-14T22:13:27Z", "--until", "1700000008"]), [7, 8]);
    for (number, id) in ids.iter().enumerate() {
        let id = id.as_str().expect("a text");
        assert_eq!(found(&["--id", id]), [number as u64]);
    }
    let missing = place.run(&["trace", "query", "--id", "00000000-0000-4000-8000-000000000000"]);
    assert_eq!(missing.code, Some(1), "{missing:#?}");
    // Without --json, a record a line.
    let told = place.run(&["trace", "tail", "-n", "3"]).success().stdout;
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(numbers(&lines), [7, 8, 9]);
    let stats = place.run(&["trace", "stats", "--json"]).success().json();
    assert_eq!((&stats["records"], &stats["kinds"]["job"]), (&10.into(), &5.into()));
    assert_eq!(stats["first"], "2023-11-14T22:13:20Z");
}

#[test]
fn what_is_no_record_is_refused_by_its_line_and_nothing_of_it_is_added() {
    let place = Place::new();
    let refused = place.append(&format!("{}\n\n{{\"kind\": \"job\"}}\n", record(1)));
    assert_eq!((refused.code, &refused.json()["exit_code"]), (Some(2), &2.into()), "{refused:#?}");
    assert!(refused.stderr.contains("standard input, line 3"), "{refused:#?}");
    assert!(!place.log().exists());
    assert_eq!(place.append("").code, Some(2));
    for arguments in
        [vec!["--min-score", "2"], vec!["--since", "soon"], vec!["--kind", "x"], vec!["--id", "7"]]
    {
        let refused = place.run(&[&["trace", "query"], &arguments[..]].concat());
        assert_eq!(refused.code, Some(2), "{refused:#?}");
    }
    let one = record(1).to_string();
    let id = place.run(&["trace", "append", &one]).success().stdout;
    assert_eq!(id.trim().len(), 36, "{id}");
    assert_eq!(place.run(&["trace", "stats", "--file", "/dev/null"]).code, Some(2));
}

#[test]
fn no_two_records_get_one_id() {
    let place = Place::new();
    let with_id = |id: u64| {
        let mut record = record(1);
        record["id"] = format!("00000000-0000-4000-8000-{id:012}").into();
        format!("{record}\n")
    };
    place.append(&with_id(1)).success();
    let whole = fs::read(place.log()).expect("a log");
    for lines in [with_id(2) + &with_id(1), with_id(3) + &with_id(3)] {
        let refused = place.append(&lines);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains("there is a record 00000000"), "{refused:#?}");
        assert_eq!(fs::read(place.log()).expect("a log"), whole);
    }
    place.append(&(with_id(2) + &with_id(3))).success();
}

#[test]
fn a_log_that_is_not_there_is_told_and_is_no_sound_one() {
    let place = Place::new();
    let copy = place.path("copy.jsonl");
    let asked: [&[&str]; 6] = [&["verify"], &["stats"], &["query"], &["tail"], &["cat"], &["backup", &copy]];
    for what in asked {
        let told = place.run(&[&["trace"], what, &["--file", &place.path("typo.jsonl")]].concat());
        assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{told:#?}");
        assert!(told.stderr.contains("there is no log ") && told.stderr.contains("typo.jsonl"), "{told:#?}");
    }
    place.append(&format!("{}\n", record(1))).success();
    let told = place.run(&["trace", "backup", &place.path("missing/copy.jsonl")]);
    assert_eq!(told.code, Some(1), "{told:#?}");
    assert!(
        told.stderr.contains("there is no folder") && !told.stderr.contains("nothing was added"),
        "{told:#?}"
    );
    let told = place.append("[]\n");
    assert!(told.stderr.contains("a record is a JSON object"), "{told:#?}");
}

#[test]
fn a_torn_line_is_told_by_verify_and_taken_away_by_the_next_append() {
    let place = Place::new();
    place.append(&format!("{}\n{}\n", record(0), record(1))).success();
    assert_eq!(place.run(&["trace", "verify", "--json"]).success().json()["sound"], true);
    let whole = fs::read(place.log()).expect("a log");
    fs::write(place.log(), [&whole[..], b"oops\n", &whole[..50]].concat()).expect("written");
    let told = place.run(&["trace", "verify", "--json"]);
    assert_eq!(told.code, Some(1), "{told:#?}");
    let verdict = told.json();
    assert_eq!(
        (&verdict["records"], &verdict["bad_lines"], &verdict["torn_bytes"]),
        (&2.into(), &1.into(), &50.into())
    );
    assert_eq!(verdict["first_bad_lines"][0]["line"], 3);
    let appended = place.append(&format!("{}\n", record(2))).success();
    assert!(appended.stderr.contains("torn last line of 50 bytes"), "{appended:#?}");
    assert_eq!(numbers(&place.query(&[])), [0, 1, 2]);
    let (copy, text) = (place.path("copy.jsonl"), place.run(&["trace", "verify"]));
    assert!(text.stderr.contains("line 3: ") && text.stdout.contains("not sound"), "{text:#?}");
    place.run(&["trace", "backup", &copy]).success();
    assert_eq!(fs::read(&copy).expect("a copy"), fs::read(place.log()).expect("a log"));
    assert_eq!(place.run(&["trace", "backup", &copy]).code, Some(2), "nothing is replaced");
}

#[test]
fn processes_that_are_killed_while_they_append_leave_whole_records() {
    let place = Place::new();
    let padding = "x".repeat(200_000);
    let lines: String = (0..30)
        .map(|number| {
            let mut record = record(number);
            record["metadata"] = json!({ "text": padding });
            format!("{record}\n")
        })
        .collect();
    for kill in 0..10 {
        let (running, mut input) = program::spawn_with_input(place.command(&["trace", "append"]));
        let _ = input.write_all(lines.as_bytes());
        drop(input);
        std::thread::sleep(Duration::from_millis(kill * 4));
        running.signal("KILL");
        running.wait(DEADLINE);
    }
    // What was begun in the last one may be torn, and nothing else.
    place.append(&format!("{}\n", record(40))).success();
    let verdict = place.run(&["trace", "verify", "--json"]).success().json();
    assert_eq!(verdict["sound"], true, "{verdict:#}");
    let found = numbers(&place.query(&[]));
    assert_eq!(found.last(), Some(&40));
    assert!(
        found.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] == 0 || pair[1] == 40),
        "{found:?}"
    );
}

#[test]
fn who_follows_sees_what_is_added() {
    let place = Place::new();
    place.append(&format!("{}\n", record(0))).success();
    let running = program::spawn(place.command(&["trace", "tail", "-f", "-n", "1"]));
    running.wait_for_output("number:0");
    place.append(&format!("{}\n", record(1))).success();
    running.wait_for_output("number:1");
    assert_eq!(running.printed_lines().len(), 2);
}

#[test]
fn lines_of_any_length_are_printed_as_they_are_in_constant_memory() {
    let place = Place::new();
    let file = place.path("big.jsonl");
    let long = format!("[{}1]\n", "123,".repeat(10 << 20));
    fs::write(&file, format!("{{\"a\": 1}}\noops\n{long}[2]\n")).expect("written");
    let told = place.run(&["trace", "cat", &file, "--max-rss", "64M"]).success();
    assert_eq!(told.stdout, format!("{{\"a\": 1}}\n{long}[2]\n"));
    assert!(told.stderr.contains("line 2: "), "{}", told.stderr);
    assert!(told.peak_anonymous_bytes < 24 << 20, "{} bytes", told.peak_anonymous_bytes);
    let control = place.run(&["trace", "cat", &file, "--max-rss", "1M"]);
    assert_eq!(control.code, Some(1), "{}", control.stderr);
}

fn song() -> String {
    root().join("assets/midi/freedoom-e1m1.mid").to_str().expect("UTF-8").to_owned()
}

#[test]
fn commands_note_what_they_do_where_they_are_told_to_and_never_what_was_felt_in_words() {
    let place = Place::new();
    let words = "I miss my grandmother Wilhelmina";
    place.run(&["therapy", words]).success();
    assert!(!place.log().exists(), "it is off");
    place.run(&["therapy", words, "--bars", "8", "--trace"]).success();
    let output = place.path("out.wav");
    let mut render = place.command(&["render", &song(), "-o", &output, "--to", "2s"]);
    render.env("KMIDI_TRACE", "1");
    program::spawn(render).wait(DEADLINE).success();
    let failed = place.run(&["render", "/nonexistent/x.mid", "-o", &output, "--trace"]);
    assert_eq!(failed.code, Some(2));
    let config = place.path("config.toml");
    fs::write(&config, "trace = true").expect("written");
    let mut play = place.command(&["play", &song(), "--audio", "null", "--to", "1s", "--tempo-scale", "4"]);
    play.env("KMIDI_CONFIG", config);
    program::spawn(play).wait(DEADLINE).success();
    let records = place.query(&[]);
    let of = |field: &str| records.iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["plan", "job", "job", "session"]);
    assert_eq!(of("provider"), ["kmidi::therapy", "kmidi::render", "kmidi::render", "kmidi::play"]);
    assert_eq!(of("source_id"), ["words", "freedoom-e1m1.mid", "x.mid", "freedoom-e1m1.mid"]);
    assert_eq!(of("score"), [1.0, 1.0, 0.0, 1.0]);
    assert_eq!(records[0]["metrics"]["length_bars"], 8.0);
    assert!(records[1]["metrics"]["duration_seconds"].as_f64() > Some(1.9), "{records:#?}");
    assert_eq!(records[3]["metrics"]["songs_played"], 1.0);
    let log = fs::read_to_string(place.log()).expect("a log");
    for word in words.split(' ').filter(|word| word.len() > 3) {
        assert!(!log.to_lowercase().contains(&word.to_lowercase()), "{word} is nobody's business: {log}");
    }
}

#[test]
fn who_listens_and_who_indexes_note_figures_and_never_what_was_said() {
    let place = Place::new();
    let speech = root().join("assets/speech/austen-disposed.flac");
    let speech = speech.to_str().expect("UTF-8");
    let (out, sounds) = (place.path("heard.mid"), root().join("assets/midi"));
    place.run(&["transcribe", speech, "--mono", "-o", &out, "--trace"]).success();
    place.run(&["phonemes", speech, "--text", "an ill disposed man", "--trace"]).success();
    let library = place.path("library.index");
    let index = ["--library", &library, "--no-plugins", "--no-model", "--trace"];
    place.run(&[&["index", "add", sounds.to_str().expect("UTF-8")][..], &index].concat()).success();
    let records = place.query(&[]);
    let of = |field: &str| records.iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["job", "job", "job"]);
    assert_eq!(of("provider"), ["kmidi::transcribe", "kmidi::phonemes", "kmidi::index"]);
    assert_eq!(of("source_id"), ["austen-disposed.flac", "austen-disposed.flac", "midi"]);
    assert_eq!(of("score"), [1.0, 1.0, 1.0]);
    assert!(records[0]["metrics"]["notes"].as_f64() > Some(0.0), "{records:#?}");
    assert!(records[1]["metrics"]["phoneme_error_rate"].as_f64() > Some(0.0), "{records:#?}");
    assert_eq!(records[2]["metrics"]["items"], 3.0);
    let log = fs::read_to_string(place.log()).expect("a log");
    assert!(!log.contains("disposed man"), "{log}");
}

#[test]
fn a_log_that_cannot_be_written_costs_no_result() {
    let place = Place::new();
    let told = place.run(&["therapy", "happy", "--trace", "--trace-file", "/dev/full", "--json"]).success();
    assert!(told.stderr.contains("nothing is traced"), "{told:#?}");
    assert!(told.json()["tempo_bpm"].is_number(), "{told:#?}");
}

#[test]
fn records_that_cannot_be_printed_are_an_error() {
    let place = Place::new();
    place.append(&record(1).to_string()).success();
    for command in ["query", "stats", "verify", "tail", "cat"] {
        program::check_printing(&place.command(&["trace", command]));
    }
}
