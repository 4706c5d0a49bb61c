//! A program that is killed while it appends loses its last line at most.

use std::fs;
use std::io::{Read, Write};
use std::time::Duration;

use kmidi_trace::{Record, TraceLog};

use super::support::{Place, all, child, large_record, record};

const KILLS: u64 = 100;
const OF_ONE: u64 = 1_000_000;

const AT_ONCE: u64 = 10;

fn takes_long(number: u64) -> bool {
    number.is_multiple_of(8)
}

/// Appends until it is killed, and says after each how many are on the disk.
#[test]
fn appends_until_it_is_killed_when_it_is_told_to() {
    let Ok(told) = std::env::var("TRACE_APPENDS") else { return };
    let (number, path) = told.split_once(' ').expect("two words");
    let (number, log): (u64, _) = (number.parse().expect("a number"), TraceLog::new(path));
    // Small ones, and for some processes many large ones at once, which take a while to write.
    let (count, bytes) = if takes_long(number) { (AT_ONCE, 600_000) } else { (1, 20_000) };
    for start in (0..OF_ONE).step_by(count as usize) {
        let records = (start..start + count).map(|i| large_record(number * OF_ONE + i, bytes));
        log.append(&records.collect::<Vec<_>>()).expect("appended");
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&b"+".repeat(count as usize)).and_then(|()| stdout.flush()).expect("told");
    }
}

#[test]
fn a_hundred_kills_lose_the_last_line_at_most() {
    let place = Place::new();
    let path = place.log.path().to_str().expect("UTF-8").to_owned();
    let mut random = fastrand::Rng::with_seed(11);
    let (mut told, mut torn) = (Vec::new(), 0);
    for number in 0..KILLS {
        let name = "crashes::appends_until_it_is_killed_when_it_is_told_to";
        let mut child = child(name, "TRACE_APPENDS", &format!("{number} {path}")).spawn().expect("started");
        let mut output = child.stdout.take().expect("a pipe");
        // The first append of each is waited for, so that all have one to lose.
        let mut said = vec![];
        let mut byte = [0];
        while !said.ends_with(b"+") && output.read(&mut byte).expect("readable") == 1 {
            said.push(byte[0]);
        }
        std::thread::sleep(Duration::from_micros(random.u64(0..12_000)));
        child.kill().expect("our own child");
        output.read_to_end(&mut said).expect("readable");
        child.wait().expect("ended");
        told.push(said.iter().filter(|it| **it == b'+').count() as u64);
        torn += u64::from(place.log.latest(0).expect("readable").torn_bytes() > 0);
    }
    eprintln!("{KILLS} kills, {torn} torn lines, {} records", told.iter().sum::<u64>());
    place.log.append(&[record(KILLS * OF_ONE)]).expect("appended");
    let verdict = place.log.verify(|_| {}).expect("readable");
    assert!(verdict.is_sound(), "{verdict:?}");
    let mut kept = vec![0; KILLS as usize + 1];
    for record in all(&place.log) {
        let number = record.seed_params["number"].as_u64().expect("a number");
        let (of, index) = ((number / OF_ONE) as usize, number % OF_ONE);
        assert_eq!(index, kept[of], "of {of} one is missing, twice there, or out of order");
        kept[of] += 1;
    }
    for ((told, kept), number) in told.iter().zip(&kept).zip(0..) {
        let under_way = if takes_long(number) { AT_ONCE } else { 1 };
        assert!((*told..=told + under_way).contains(kept), "{told} were told, {kept} are there");
    }
}

/// The file after what is left of it, and one more record.
fn after_append(left: &[u8]) -> (Vec<u8>, u64) {
    let place = Place::new();
    fs::create_dir(place.log.path().parent().expect("a folder")).expect("made");
    fs::write(place.log.path(), left).expect("written");
    let appended = place.log.append(&[record(9)]).expect("appended");
    (place.bytes(), appended.repaired_bytes)
}

fn line(record: &Record) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("JSON");
    line.push(b'\n');
    line
}

#[test]
fn a_line_torn_at_any_byte_is_told_and_is_gone_with_the_next_append() {
    let (first, second) = (line(&record(1)), line(&record(2)));
    for left in 0..=second.len() {
        let torn = [&first[..], &second[..left]].concat();
        let place = Place::new();
        fs::create_dir(place.log.path().parent().expect("a folder")).expect("made");
        fs::write(place.log.path(), &torn).expect("written");
        // A record that lacks but its newline is no loss.
        let is_whole = left >= second.len() - 1;
        let verdict = place.log.verify(|_| {}).expect("readable");
        let expected = if is_whole { (2, 0, 0) } else { (1, 0, left as u64) };
        assert_eq!((verdict.records, verdict.bad_lines, verdict.torn_bytes), expected, "{left}");
        assert_eq!(verdict.is_sound(), is_whole || left == 0);
        let appended = place.log.append(&[record(3)]).expect("appended");
        assert_eq!(appended.repaired_bytes, expected.2);
        let kept: Vec<_> =
            all(&place.log).iter().map(|it| it.seed_params["number"].as_u64().expect("a number")).collect();
        assert_eq!(kept, if is_whole { vec![1, 2, 3] } else { vec![1, 3] }, "{left}");
        assert!(place.log.verify(|_| {}).expect("readable").is_sound());
    }
}

#[test]
fn what_was_never_written_here_is_not_taken_away() {
    for foreign in ["my notes", "{\"name\": \"x\"}", "a\nb", "\0\0\0", "{\"id\":7"] {
        let (after, repaired) = after_append(foreign.as_bytes());
        assert!(after.starts_with(format!("{foreign}\n").as_bytes()), "{foreign}");
        assert_eq!(repaired, 0);
    }
    let long = format!("{{\"id\":\"{}", "x".repeat(3 << 20));
    assert!(after_append(long.as_bytes()).0.starts_with(format!("{long}\n").as_bytes()));
}

#[test]
fn whatever_is_in_a_file_an_append_costs_no_record_of_it() {
    let good = line(&record(1));
    let parts: [&[u8]; 12] = [
        &good,
        &good,
        &good[..good.len() - 1],
        &good[..good.len() / 2],
        &good[..3],
        b"\n",
        b"\r\n",
        b"{\"id\":\"",
        b"oops",
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
    ];
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..400 {
        let bytes: Vec<u8> =
            (0..random.usize(0..6)).flat_map(|_| parts[random.usize(0..parts.len())].to_vec()).collect();
        let place = Place::new();
        fs::create_dir(place.log.path().parent().expect("a folder")).expect("made");
        fs::write(place.log.path(), &bytes).expect("written");
        let mut expected = all(&place.log);
        expected.push(record(2));
        expected.last_mut().expect("one").id = place.log.append(&[record(2)]).expect("appended").ids[0];
        assert_eq!(all(&place.log), expected, "{}", bytes.escape_ascii());
        assert_eq!(place.log.verify(|_| {}).expect("readable").torn_bytes, 0);
    }
}
