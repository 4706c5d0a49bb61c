use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kmidi_trace::{Draft, Filter, Kind, Record, Timestamp, TraceLog};
use tempfile::TempDir;

/// A folder for one log, removed behind the test.
pub struct Place {
    pub folder: TempDir,
    pub log: TraceLog,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = TraceLog::new(folder.path().join("state/trace.jsonl"));
        Place { folder, log }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn bytes(&self) -> Vec<u8> {
        fs::read(self.log.path()).expect("there is a log")
    }
}

/// The record of this number: another one for each.
pub fn record(number: u64) -> Record {
    let kind = Kind::ALL[number as usize % 3];
    let provider = ["kmidi::therapy", "kmidi::render", "other::render"][number as usize % 3];
    let mut draft = Draft::new(kind, provider, format!("song {}", number % 5), format!("number:{number}"));
    draft.timestamp = Timestamp::from_micros(1_700_000_000_000_000 + number as i64 * 1_000_000);
    draft.score = (!number.is_multiple_of(7)).then_some((number % 100) as f64 / 100.0);
    draft.metrics.insert("seconds".into(), number as f64 / 8.0);
    draft.seed_params.insert("number".into(), number.into());
    draft.finish().expect("it is as it has to be")
}

/// A record of about so many bytes.
pub fn large_record(number: u64, bytes: usize) -> Record {
    let mut record = record(number);
    record.metadata.insert("text".into(), "x".repeat(bytes).into());
    record
}

/// All that is in a log.
pub fn all(log: &TraceLog) -> Vec<Record> {
    found(log, Filter::default())
}

pub fn found(log: &TraceLog, filter: Filter) -> Vec<Record> {
    log.query(filter).expect("a log").map(|found| found.expect("it can be read").record).collect()
}

/// This test program itself, to run one test, which does what the variable says and is passed over without it.
pub fn child(test: &str, variable: &str, value: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(variable, value);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}
