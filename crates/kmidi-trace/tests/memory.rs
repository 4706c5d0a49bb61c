//! Constant memory, whatever is in the file.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use kmidi_trace::{Draft, Filter, Kind, TraceLog};
use tempfile::TempDir;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

const MIB: u64 = 1 << 20;

/// Counters are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The most bytes that were in use at once for a piece of work.
fn peak_bytes(work: impl FnOnce()) -> u64 {
    let before = kmidi_memory::tally(kmidi_memory::Domain::Program).live_bytes();
    kmidi_memory::restart_peak(None);
    work();
    kmidi_memory::peak_bytes(None).saturating_sub(before)
}

/// A log of so many copies of a record, and the id of one that is its last.
fn filled(records: usize) -> (TempDir, TraceLog, kmidi_trace::Uuid) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = TraceLog::new(folder.path().join("trace.jsonl"));
    let record = || Draft::new(Kind::Job, "kmidi::render", "song.mid", "render").finish().expect("good");
    let (line, last) = (serde_json::to_string(&record()).expect("JSON"), record());
    let mut file = BufWriter::new(File::create(log.path()).expect("created"));
    (0..records).for_each(|_| writeln!(file, "{line}").expect("written"));
    file.flush().expect("written");
    log.append(std::slice::from_ref(&last)).expect("appended");
    (folder, log, last.id)
}

#[test]
fn a_large_log_is_looked_through_in_constant_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    const RECORDS: usize = 20_000;
    let (_folder, log, last) = filled(RECORDS);
    assert!(fs::metadata(log.path()).expect("there").len() > 4 * MIB);
    let all = peak_bytes(|| assert_eq!(log.query(Filter::default()).expect("readable").count(), RECORDS + 1));
    let stats = peak_bytes(|| assert_eq!(log.stats(|_| {}).expect("readable").records, RECORDS as u64 + 1));
    let verify = peak_bytes(|| assert!(log.verify(|_| {}).expect("readable").is_sound()));
    let latest = peak_bytes(|| assert_eq!(log.latest(2).expect("readable").count(), 2));
    let index = peak_bytes(|| assert!(log.by_id(last).expect("readable").record.is_some()));
    for (name, peak, most) in [
        ("query", all, MIB),
        ("stats", stats, MIB),
        ("verify", verify, MIB),
        ("latest", latest, MIB),
        ("index", index, 3 * MIB),
    ] {
        assert!((10 << 10..most).contains(&peak), "{name}: {peak} bytes");
    }
}

#[test]
fn a_line_of_64_mb_is_passed_over_in_constant_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (_folder, log, _) = filled(1);
    let mut file = File::options().append(true).open(log.path()).expect("opened");
    file.write_all(b"{\"id\":\"").expect("written");
    (0..64).for_each(|_| file.write_all(&[b'x'; 1 << 20]).expect("written"));
    file.write_all(b"\"}\n").expect("written");
    let record = Draft::new(Kind::Plan, "kmidi::therapy", "x", "y").finish().expect("good");
    log.append(&[record]).expect("appended");
    let peak = peak_bytes(|| {
        let verdict = log.verify(|_| {}).expect("readable");
        assert_eq!((verdict.records, verdict.bad_lines), (3, 1));
        assert_eq!(verdict.first_bad_lines[0].line, 3);
        assert_eq!(log.latest(2).expect("readable").count(), 2);
    });
    // A line that could be a record is kept until it is too long; so is what a parser makes of it.
    assert!(peak < 6 * MIB, "{peak} bytes");
}
