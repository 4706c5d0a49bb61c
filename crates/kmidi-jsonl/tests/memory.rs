//! Constant memory whatever the file, and linear time whatever the line.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kmidi_jsonl::Reader;
use serde::de::IgnoredAny;

#[path = "support/endless.rs"]
mod endless;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

const MIB: u64 = 1 << 20;

/// Counters are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Reads all; the most bytes that were in use at once for it.
fn peak_bytes(input: impl Read, lines: u64) -> u64 {
    let before = kmidi_memory::tally(kmidi_memory::Domain::Program).live_bytes();
    kmidi_memory::restart_peak(None);
    let mut reader = Reader::<_, IgnoredAny>::new(input);
    let read = reader.by_ref().inspect(|record| assert!(record.is_ok())).count() as u64;
    assert_eq!((read, reader.bad_lines()), (lines, 0));
    kmidi_memory::peak_bytes(None) - before
}

#[test]
fn a_large_file_and_a_long_line_are_read_in_constant_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = endless::lines_in(200 * MIB);
    let peak = peak_bytes(endless::lines(lines), lines);
    assert!((60 << 10..MIB).contains(&peak), "{peak} bytes for a file");
    let peak = peak_bytes(endless::one_line(60 * MIB), 1);
    assert!((60 << 10..MIB).contains(&peak), "{peak} bytes for a line");
}

#[test]
fn a_line_of_any_length_that_is_too_long_is_passed_over_in_constant_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    kmidi_memory::restart_peak(None);
    let before = kmidi_memory::peak_bytes(None);
    let mut reader = Reader::<_, Vec<u8>>::new(endless::one_line(100 * MIB)).most_line_bytes(MIB / 2);
    assert!(reader.next().is_none());
    assert_eq!(reader.first_bad_lines()[0].to_string(), "line 1: longer than 524288 bytes");
    let peak = kmidi_memory::peak_bytes(None) - before;
    assert!(peak < MIB, "{peak} bytes");
}

/// Processor time, the least of three: a loaded machine only adds to it.
fn time(bytes: u64) -> Duration {
    let once = || {
        let start = kmidi_sys::process_cpu_time().expect("the system counts");
        let mut reader = Reader::<_, IgnoredAny>::new(endless::one_line(bytes));
        assert!(reader.next().is_some_and(|record| record.is_ok()));
        kmidi_sys::process_cpu_time().expect("the system counts") - start
    };
    (0..3).map(|_| once()).min().expect("three")
}

#[test]
fn a_line_twice_as_long_takes_about_twice_the_time() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (half, whole) = (time(32_000_000), time(64_000_000));
    assert!(whole < 3 * half, "{whole:?} and {half:?} for half of it");
}
