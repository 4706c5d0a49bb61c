//! Several at once, and a disk that is full.

use std::fs;
use std::process::{Command, Stdio};

use kmidi_trace::{TraceError, TraceLog};

use super::support::{Place, all, child, large_record, record};

const WRITERS: u64 = 6;
const EACH: u64 = 30;

#[test]
fn what_is_appended_is_there_and_only_its_owner_may_read_it() {
    let place = Place::new();
    assert_eq!(all(&place.log), []);
    let records: Vec<_> = (0..5).map(record).collect();
    let appended = place.log.append(&records[..2]).expect("appended");
    assert_eq!(appended.ids, [records[0].id, records[1].id]);
    place.log.append(&records[2..]).expect("appended");
    assert_eq!(all(&place.log), records);
    let mode =
        |path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).expect("there").permissions());
    assert_eq!(mode(place.log.path()) & 0o777, 0o600);
    assert_eq!(mode(place.log.path().parent().expect("a folder")) & 0o777, 0o700);
    place.log.append(&[]).expect("nothing");
    assert_eq!(all(&place.log).len(), 5);
}

#[test]
fn control_a_lone_writer_of_this_program_writes_what_it_says() {
    let place = Place::new();
    let mut one = writer(&place.log, 0).spawn().expect("started");
    assert!(one.wait().expect("ended").success());
    assert_eq!(all(&place.log).len() as u64, EACH);
}

fn writer(log: &TraceLog, number: u64) -> Command {
    let path = log.path().to_str().expect("UTF-8");
    child("writers::writes_when_it_is_told_to", "TRACE_WRITES", &format!("{number} {path}"))
}

/// What each of the processes does.
#[test]
fn writes_when_it_is_told_to() {
    let Ok(told) = std::env::var("TRACE_WRITES") else { return };
    let (number, path) = told.split_once(' ').expect("two words");
    let (number, log): (u64, _) = (number.parse().expect("a number"), TraceLog::new(path));
    for i in 0..EACH {
        let record = large_record(number * EACH + i, (i as usize % 5) * 9000);
        log.append(&[record]).expect("appended");
    }
}

#[test]
fn several_processes_append_at_once_and_nothing_is_lost_or_glued() {
    let place = Place::new();
    let mut writers: Vec<_> =
        (0..WRITERS).map(|number| writer(&place.log, number).spawn().expect("started")).collect();
    // Who looks meanwhile sees whole lines.
    while writers.iter_mut().any(|it| it.try_wait().expect("our own").is_none()) {
        let verdict = place.log.verify(|_| {}).expect("readable");
        assert!(verdict.is_sound(), "{verdict:?}");
    }
    for mut writer in writers {
        assert!(writer.wait().expect("ended").success());
    }
    let mut numbers: Vec<u64> =
        all(&place.log).iter().map(|it| it.seed_params["number"].as_u64().expect("a number")).collect();
    // Each one's own are in order.
    for number in 0..WRITERS {
        let own = numbers.iter().filter(|it| **it / EACH == number);
        assert!(own.is_sorted());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..WRITERS * EACH).collect::<Vec<_>>());
}

#[test]
fn a_log_that_is_put_away_while_six_write_and_one_is_killed_loses_nothing_and_is_followed() {
    // On a quick disk they may have done with it before it was put away a second time.
    assert!((0..10).any(|_| puts_away_while_six_write_and_one_is_killed() >= 2));
}

/// What logrotate and people do: the log is renamed, again and again, and whoever writes makes a new one. Says how often it was.
fn puts_away_while_six_write_and_one_is_killed() -> usize {
    let place = Place::new();
    let mut follow = place.log.query(Default::default()).expect("no log").follow();
    let mut followed = vec![];
    let mut look = || {
        for found in follow.news().expect("readable") {
            followed.push(found.expect("readable").record);
        }
    };
    let mut writers: Vec<_> =
        (0..WRITERS).map(|number| writer(&place.log, number).spawn().expect("started")).collect();
    let mut away = vec![];
    while writers.iter_mut().any(|it| it.try_wait().expect("our own").is_none()) {
        // One that comes and goes between two looks is not followed.
        let is_there = place.log.path().exists();
        look();
        if is_there {
            let name = place.path(&format!("trace.jsonl.{}", away.len()));
            fs::rename(place.log.path(), &name).expect("renamed");
            away.push(TraceLog::new(name));
        }
        look();
        if away.len() == 2 {
            let _ = writers[0].kill();
        }
    }
    let ended: Vec<bool> = writers.iter_mut().map(|it| it.wait().expect("ended").success()).collect();
    assert!(ended[1..].iter().all(|it| *it), "{ended:?}");
    (0..3).for_each(|_| look());
    let mut records: Vec<_> = away.iter().flat_map(all).collect();
    records.extend(all(&place.log));
    let number = |record: &kmidi_trace::Record| record.seed_params["number"].as_u64().expect("a number");
    let mut numbers: Vec<u64> = records.iter().map(number).collect();
    numbers.sort_unstable();
    // The one that was killed had got so far.
    let of_killed = numbers.iter().filter(|it| **it < EACH).count() as u64;
    assert_eq!(numbers, (0..of_killed).chain(EACH..WRITERS * EACH).collect::<Vec<_>>());
    for log in &away {
        let verdict = log.verify(|_| {}).expect("readable");
        assert_eq!(verdict.bad_lines, 0, "{verdict:?}");
    }
    assert_eq!(
        followed.iter().map(number).collect::<Vec<_>>(),
        records.iter().map(number).collect::<Vec<_>>()
    );
    away.len()
}

/// Appends more than a file may have here.
#[test]
fn fills_the_disk_when_it_is_told_to() {
    let Ok(path) = std::env::var("TRACE_FILLS") else { return };
    let log = TraceLog::new(path);
    let refused = log.append(&[record(1), large_record(2, 100_000)]);
    assert!(matches!(refused, Err(TraceError::Write { .. })), "{refused:?}");
    log.append(&[record(3)]).expect("there is room for this one");
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    let place = Place::new();
    place.log.append(&[record(0)]).expect("appended");
    let before = place.bytes();
    // Blocks of 512 or of 1,024 bytes, as the shell has it. Without the trap the signal would end the process.
    let limit = "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\"";
    let path = place.log.path().to_str().expect("UTF-8");
    let inner = child("writers::fills_the_disk_when_it_is_told_to", "TRACE_FILLS", path);
    let mut shell = Command::new("sh");
    shell.args(["-c", limit]).arg(inner.get_program()).args(inner.get_args()).env("TRACE_FILLS", path);
    let status = shell.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("started");
    assert!(status.success());
    assert!(place.bytes().starts_with(&before));
    let numbers: Vec<_> = all(&place.log).iter().map(|it| it.seed_params["number"].clone()).collect();
    assert_eq!(numbers, [0, 3], "nothing of the batch that had no room is there");
}

#[test]
fn a_recording_that_was_named_by_mistake_is_left_as_it_is() {
    let place = Place::new();
    let path = place.folder.path().join("take.wav");
    let append = |held: &[u8]| {
        fs::write(&path, held).unwrap();
        (TraceLog::new(&path).append(&[record(1)]).map(|_| ()), fs::read(&path).unwrap())
    };
    for held in [&b"RIFF\x24\0\0\0WAVEfmt \n{"[..], b"MThd", b"fLaC\0", b"OggS", b"ID3\x04"] {
        let (result, now) = append(held);
        assert!(matches!(result, Err(TraceError::NoLog { .. })), "{result:?}");
        assert_eq!(now, held);
    }
    for damaged in [&b"garbage\n{\"torn"[..], b"", b"RIF"] {
        assert!(append(damaged).0.is_ok(), "{damaged:?}");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::new();
    for path in ["/dev/full", "/dev/null", place.folder.path().to_str().expect("UTF-8")] {
        let log = TraceLog::new(path);
        let refused = log.append(&[record(1)]);
        assert!(matches!(refused, Err(TraceError::NoFile { .. })), "{path}: {refused:?}");
        assert!(matches!(log.verify(|_| {}), Err(TraceError::NoFile { .. })), "{path}");
    }
    let below = TraceLog::new("/dev/null/trace.jsonl").append(&[record(1)]);
    assert!(matches!(below, Err(TraceError::Write { .. })), "{below:?}");
}
