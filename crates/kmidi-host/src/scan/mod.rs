//! What plugins there are: looked for in folders, asked in child processes, kept in an index.
//!
//! A plugin file that crashes, hangs, exits or talks nonsense costs that plugin alone: the child that asks it ends, the
//! next one goes on behind it, and the index remembers why.

mod child;
mod folders;
mod index;
mod probe;
mod report;
mod stamp;
mod stored;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, unbounded};

use crate::Format;

pub use folders::{Candidate, candidates, standard_folders};
pub use index::{Failure, FileEntry, FindError, Index, IndexError};
pub use probe::{PROBE, describe_for_parent};
pub use stamp::Stamp;
pub use stored::Lookup;

/// How often a scan that goes on for long is written down, so that one that is killed goes on where it was.
const SAVE_EVERY: Duration = Duration::from_secs(2);

/// How to scan.
#[derive(Clone, Debug)]
pub struct ScanSettings {
    /// The `kmidi-probe` program.
    pub probe: PathBuf,
    /// Files at a time.
    pub workers: usize,
    /// How long a plugin may take before it is given up.
    pub limit: Duration,
    /// Whether files that have failed and have not changed are asked again.
    pub retry_failed: bool,
    /// Whether all files are asked again.
    pub rescan_all: bool,
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ScanSummary {
    /// Files that were asked.
    pub scanned: usize,
    /// Files that were as the index had them.
    pub unchanged: usize,
    /// Files of the index that are gone.
    pub removed: usize,
    /// Whether it was told to stop before all were asked.
    pub is_cut_short: bool,
    /// Files that were passed over, as their names are not UTF-8, which the index is.
    pub unnamed: Vec<String>,
}

/// How far a scan has come.
#[derive(Clone, Debug)]
pub struct ScanProgress {
    /// Files that have been asked.
    pub done: usize,
    /// Files to ask.
    pub total: usize,
    /// The one that was asked last.
    pub path: PathBuf,
}

/// Brings an index up to date with the files there are, and writes it where it came from, now and then and at the end.
/// `stop` ends it early; what has been found so far is kept.
///
/// # Errors
/// [`IndexError`]: the index cannot be written.
pub fn scan(
    index: &mut Index,
    found: &[Candidate],
    settings: &ScanSettings,
    stop: &AtomicBool,
    mut tell: impl FnMut(ScanProgress),
) -> Result<ScanSummary, IndexError> {
    let (found, unnamed): (Vec<_>, Vec<_>) = found.iter().partition(|it| it.path.to_str().is_some());
    let before = index.files.len();
    index.files.retain(|path, _| found.iter().any(|candidate| candidate.path == *path));
    let unnamed = unnamed.iter().map(|it| it.path.display().to_string()).collect();
    let removed = before - index.files.len();
    let mut summary = ScanSummary { removed, unnamed, ..ScanSummary::default() };
    let (mut to_ask, mut is_changed) = (Vec::new(), summary.removed > 0);
    for candidate in found {
        let known = index.files.get_mut(&candidate.path).filter(|_| !settings.rescan_all);
        let is_good = known.is_some_and(|entry| {
            is_as_before(entry, candidate, &mut is_changed)
                && (entry.failures.is_empty() || !settings.retry_failed)
        });
        match is_good {
            true => summary.unchanged += 1,
            false => to_ask.push(candidate),
        }
    }
    let (next, total) = (AtomicUsize::new(0), to_ask.len());
    let (results, received) = unbounded();
    std::thread::scope(|scope| {
        for _ in 0..settings.workers.min(total) {
            let (results, to_ask, next) = (results.clone(), &to_ask, &next);
            scope.spawn(move || {
                while !stop.load(Relaxed)
                    && let Some(candidate) = to_ask.get(next.fetch_add(1, Relaxed))
                {
                    let _ = results.send((candidate.path.clone(), child::ask(candidate, settings, stop)));
                }
            });
        }
        drop(results);
        let mut saved = Instant::now();
        loop {
            match received.recv_timeout(SAVE_EVERY) {
                Ok((path, Some(entry))) => {
                    index.files.insert(path.clone(), entry);
                    (summary.scanned, is_changed) = (summary.scanned + 1, true);
                    tell(ScanProgress { done: summary.scanned, total, path });
                }
                // It was not asked to the end.
                Ok((_, None)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if is_changed && saved.elapsed() > SAVE_EVERY {
                index.save()?;
                (saved, is_changed) = (Instant::now(), false);
            }
        }
    })?;
    summary.is_cut_short = summary.scanned < total;
    if is_changed {
        index.save()?;
    }
    Ok(summary)
}

/// Asks the plugins of one file what they are, without an index; `None` if that was stopped.
pub fn look_into(candidate: &Candidate, settings: &ScanSettings, stop: &AtomicBool) -> Option<FileEntry> {
    child::ask(candidate, settings, stop)
}

/// Whether a file is what the index knows. One that was only touched is stamped anew.
fn is_as_before(entry: &mut FileEntry, candidate: &Candidate, is_changed: &mut bool) -> bool {
    if entry.presets.is_none() && entry.format != Format::Lv2 {
        return false;
    }
    let Some(now) = Stamp::times_of(&candidate.path) else { return false };
    if entry.stamp.has_times_of(&now) {
        return true;
    }
    let Some(now) = Stamp::of(&candidate.path) else { return false };
    let is_same = entry.stamp.sha256 == now.sha256;
    if is_same {
        (entry.stamp, *is_changed) = (now, true);
    }
    is_same
}
