//! What a soak measures, in bounded memory however long it runs.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use kmidi_memory::{Budgets, Domain, MIB, Snapshot};
use serde::Serialize;

/// Values that are kept of a series.
const KEPT: usize = 1000;

/// What the process holds of the system's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Open files, sockets and the like.
    pub fds: u64,
    pub threads: u64,
}

/// As it is now.
///
/// # Errors
/// The system has no `/proc`.
pub fn counts() -> io::Result<Counts> {
    let entries = |folder| Ok::<_, io::Error>(std::fs::read_dir(folder)?.count() as u64);
    // One of them is the folder itself.
    Ok(Counts { fds: entries("/proc/self/fd")?.saturating_sub(1), threads: entries("/proc/self/task")? })
}

/// As it is when it is as `before`, or after `limit`.
pub fn settled(before: Option<Counts>, limit: Duration) -> Option<Counts> {
    let start = Instant::now();
    loop {
        let now = counts().ok();
        if now == before || start.elapsed() > limit {
            return now;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Nothing, with room for so many whose pages are memory now: what grows later is not the measuring.
pub fn room<T: Clone>(any: T, count: usize) -> Vec<T> {
    let mut room = vec![any; count];
    // An optimiser may know that nobody reads it.
    std::hint::black_box(&mut room);
    room.clear();
    room
}

/// A series of which at most [`KEPT`] values are kept: each stands for the least of as many as needed.
/// (What rises when nothing is in its way is the floor.)
#[derive(Debug)]
pub struct Series {
    values: Vec<(f64, f64)>,
    /// Values that the next one stands for.
    each: usize,
    /// How many of them there are, the time of the first, and the least.
    begun: (usize, f64, f64),
}

impl Series {
    pub fn new() -> Self {
        Series { values: room((f64::NAN, f64::NAN), KEPT), each: 1, begun: (0, 0.0, f64::INFINITY) }
    }

    pub fn push(&mut self, seconds: f64, value: f64) {
        let (count, since, least) = self.begun;
        let begun = (count + 1, if count == 0 { seconds } else { since }, least.min(value));
        self.begun = begun;
        if begun.0 < self.each {
            return;
        }
        self.begun = (0, 0.0, f64::INFINITY);
        if self.values.len() == KEPT {
            let halved = KEPT / 2;
            for i in 0..halved {
                let [(since, one), (_, other)] = [self.values[2 * i], self.values[2 * i + 1]];
                self.values[i] = (since, one.min(other));
            }
            self.values.truncate(halved);
            self.each *= 2;
            // Half of the next one.
            self.begun = begun;
            return;
        }
        self.values.push((begun.1, begun.2));
    }

    /// Seconds and values.
    pub fn values(&self) -> &[(f64, f64)] {
        &self.values
    }
}

/// All series of a soak.
pub struct Measurements {
    budgets: Budgets,
    pub rss: Series,
    /// Bytes in use, in the order of [`Domain::ALL`].
    pub live: [Series; Domain::COUNT],
    pub fds: Series,
    pub threads: Series,
    samples: u64,
    last: Option<Last>,
}

/// The last measurement, in a few words.
#[derive(Clone, Copy)]
pub struct Last {
    rss_bytes: u64,
    live_bytes: u64,
    counts: Option<Counts>,
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        write!(f, "{:.1} MiB resident, {:.1} in use", mib(self.rss_bytes), mib(self.live_bytes))?;
        let Some(counts) = self.counts else { return Ok(()) };
        write!(f, ", {} files, {} threads", counts.fds, counts.threads)
    }
}

impl Measurements {
    pub fn new(budgets: &Budgets) -> Self {
        Measurements {
            budgets: budgets.clone(),
            rss: Series::new(),
            live: std::array::from_fn(|_| Series::new()),
            fds: Series::new(),
            threads: Series::new(),
            samples: 0,
            last: None,
        }
    }

    /// Measures, `start` being the time 0.
    pub fn take(&mut self, start: Instant) {
        let seconds = start.elapsed().as_secs_f64();
        let now = Snapshot::take(&self.budgets, None);
        self.rss.push(seconds, now.process.rss_anon_bytes as f64);
        for (series, domain) in self.live.iter_mut().zip(&now.domains) {
            series.push(seconds, domain.tally.live_bytes() as f64);
        }
        let counts = counts().ok();
        if let Some(counts) = counts {
            self.fds.push(seconds, counts.fds as f64);
            self.threads.push(seconds, counts.threads as f64);
        }
        self.samples += 1;
        let live_bytes = now.domains.iter().map(|domain| domain.tally.live_bytes()).sum();
        self.last = Some(Last { rss_bytes: now.process.rss_anon_bytes, live_bytes, counts });
    }

    pub fn samples(&self) -> u64 {
        self.samples
    }

    pub fn last(&self) -> Option<Last> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_of_a_day_keeps_its_floor_in_bounded_memory() {
        let mut series = Series::new();
        for n in 0..17_280 {
            series.push(f64::from(n) * 5.0, if n % 7 == 0 { 100.0 } else { 900.0 });
        }
        let values = series.values();
        assert!((KEPT / 2..=KEPT).contains(&values.len()), "{}", values.len());
        assert_eq!(series.values.capacity(), KEPT);
        assert!(values.is_sorted_by(|a, b| a.0 < b.0));
        assert!(values.last().unwrap().0 > 86_000.0);
        // Each stands for 32 values.
        assert!(values.iter().all(|&(_, value)| value == 100.0));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_and_a_thread_are_counted() {
        let before = counts().unwrap();
        let file = std::fs::File::open("/proc/self/status").unwrap();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || ended.recv());
        // Other tests run beside this one.
        let during = counts().unwrap();
        assert!(during.fds > before.fds.saturating_sub(8) && during.threads > 1, "{before:?} {during:?}");
        drop((file, end));
        let _ = thread.join();
    }
}
