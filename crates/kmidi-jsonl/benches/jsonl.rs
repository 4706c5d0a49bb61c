//! 1 GB of lines and one line of 64 MB: how fast, and with how much memory. Reported, not gated.

use std::io::Read;
use std::time::Instant;

use kmidi_jsonl::Reader;
use serde::de::IgnoredAny;

#[path = "../tests/support/endless.rs"]
mod endless;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

fn measure(name: &str, input: impl Read, megabytes: f64) {
    let before = kmidi_memory::tally(kmidi_memory::Domain::Program).live_bytes();
    kmidi_memory::restart_peak(None);
    let start = Instant::now();
    let mut reader = Reader::<_, IgnoredAny>::new(input);
    let records = reader.by_ref().inspect(|record| assert!(record.is_ok())).count();
    assert_eq!(reader.bad_lines(), 0);
    println!(
        "{name}: {records} records, {:.0} MB/s, at most {} KiB in use",
        megabytes / start.elapsed().as_secs_f64(),
        (kmidi_memory::peak_bytes(None) - before) >> 10,
    );
}

fn main() {
    measure("1 GB of lines", endless::lines(endless::lines_in(1_000_000_000)), 1000.0);
    measure("a line of 64 MB", endless::one_line(64_000_000), 64.0);
}
