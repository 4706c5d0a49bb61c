use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::{Domain, Tally, peaks};

/// What a piece of work does to the memory of the process, from here to [`finish`](Scope::finish) or to the
/// end of the scope. `[side B]`
///
/// Peaks are the process's: scopes may be inside each other, and each finds its own; of two that overlap in
/// another way, the earlier one does not see peaks from before the later one.
///
/// ```
/// # #[global_allocator]
/// # static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();
/// use kmidi_memory::{Domain, Scope};
///
/// let scope = Scope::start();
/// let song = Domain::Working.charge(|| {
///     drop(vec![0u8; 3 << 20]);
///     vec![0u8; 1 << 20]
/// });
/// let usage = scope.finish();
/// assert_eq!(usage.of(Domain::Working).net_bytes, 1 << 20);
/// assert!(usage.of(Domain::Working).peak_bytes >= 3 << 20);
/// # drop(song);
/// ```
#[derive(Debug)]
pub struct Scope {
    start: Instant,
    tallies: [Tally; Domain::COUNT],
    /// Those from before, which an outer scope looks for.
    peaks: peaks::Peaks,
}

/// What a [`Scope`] has seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// How long it took.
    pub seconds: f64,
    /// The domains in the order of [`Domain::ALL`].
    pub domains: [DomainUsage; Domain::COUNT],
    /// The most that was in use at once, of all domains together, with what was there before.
    pub total_peak_bytes: u64,
}

/// What a [`Scope`] has seen of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainUsage {
    /// Which.
    pub domain: Domain,
    /// In use at the end.
    pub live_bytes: u64,
    /// The most that was in use at once, with what was there before.
    pub peak_bytes: u64,
    /// More in use than at the start; less is below nothing.
    pub net_bytes: i64,
    /// Blocks that were allocated.
    pub allocations: u64,
}

impl Usage {
    /// A domain's part.
    pub fn of(&self, domain: Domain) -> DomainUsage {
        self.domains[domain as usize]
    }

    /// What is left behind, of all domains together.
    pub fn net_bytes(&self) -> i64 {
        self.domains.iter().map(|it| it.net_bytes).sum()
    }
}

impl Scope {
    /// Starts to look.
    pub fn start() -> Self {
        let peaks = peaks::restart_all();
        Scope { start: Instant::now(), tallies: Domain::ALL.map(crate::tally), peaks }
    }

    /// What was seen until now; it goes on.
    pub fn usage(&self) -> Usage {
        let seconds = self.start.elapsed().as_secs_f64();
        let peaks = peaks::peaks();
        let domain = |domain: Domain| {
            let (before, now) = (self.tallies[domain as usize], crate::tally(domain));
            DomainUsage {
                domain,
                live_bytes: now.live_bytes(),
                peak_bytes: peaks.of_domains[domain as usize],
                net_bytes: now.live_bytes().wrapping_sub(before.live_bytes()).cast_signed(),
                allocations: now.allocations.wrapping_sub(before.allocations),
            }
        };
        Usage { seconds, domains: Domain::ALL.map(domain), total_peak_bytes: peaks.of_all }
    }

    /// Ends, and says what was seen.
    pub fn finish(self) -> Usage {
        self.usage()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        peaks::raise_all(&self.peaks);
    }
}
