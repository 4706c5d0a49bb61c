//! What a thread does each 64 KiB that it allocates: remembers peaks and chooses the blocks to be sampled.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Domain;
use crate::local::{CHECK_BYTES, Local, SHARDS_OF_ALL};

/// Bytes from one sampled block to the next, on average.
pub(crate) const SAMPLE_BYTES: f64 = 512.0 * 1024.0;

/// A domain as it was seen last.
struct Seen {
    live: AtomicU64,
    peak: AtomicU64,
}

impl Seen {
    const fn new() -> Self {
        Seen { live: AtomicU64::new(0), peak: AtomicU64::new(0) }
    }

    fn look(&self, live: u64) {
        self.live.store(live, Relaxed);
        self.peak.fetch_max(live, Relaxed);
    }
}

static DOMAINS: [Seen; Domain::COUNT] = [const { Seen::new() }; Domain::COUNT];
static TOTAL: Seen = Seen::new();

/// A look at the domain of a block is due. Whether that block is to be sampled.
#[cold]
pub(crate) fn due(local: &Local, domain: usize) -> bool {
    look(Domain::ALL[domain]);
    let counters = &local.shard().domains[domain];
    let allocated = counters.allocated_bytes.load(Relaxed);
    let mut sample_at = counters.sample_at.load(Relaxed);
    let is_first = sample_at == 0;
    let is_reached = allocated >= sample_at;
    if is_reached {
        sample_at = allocated + next_sample(local);
        counters.sample_at.store(sample_at, Relaxed);
    }
    counters.look_at.store(sample_at.min(allocated + CHECK_BYTES), Relaxed);
    is_reached && !is_first
}

/// The distances of a Poisson process.
fn next_sample(local: &Local) -> u64 {
    let mut x = local.random.get();
    if x == 0 {
        // Another for each thread.
        x = std::ptr::from_ref(local).addr() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    }
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    local.random.set(x);
    let even = ((x >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
    (-even.ln() * SAMPLE_BYTES) as u64 + 1
}

/// Brings live bytes and peak of a domain, and those of all together, up to date.
pub(crate) fn look(domain: Domain) {
    DOMAINS[domain as usize].look(SHARDS_OF_ALL.tally(domain).live_bytes());
    TOTAL.look(DOMAINS.iter().map(|seen| seen.live.load(Relaxed)).sum());
}

/// [`look`] at all domains: what is freed is seen so too.
pub(crate) fn look_at_all() {
    Domain::ALL.into_iter().for_each(look);
}

fn seen(domain: Option<Domain>) -> &'static Seen {
    domain.map_or(&TOTAL, |domain| &DOMAINS[domain as usize])
}

/// The most bytes that were live at once, within 64 KiB a thread; of all domains together without one.
pub(crate) fn peak(domain: Option<Domain>) -> u64 {
    look_at_all();
    seen(domain).peak.load(Relaxed)
}

/// Forgets the peak: a new one is looked for from here on.
pub(crate) fn restart_peak(domain: Option<Domain>) {
    look_at_all();
    seen(domain).peak.store(seen(domain).live.load(Relaxed), Relaxed);
}

/// The peaks of the domains, and of all together.
#[derive(Debug)]
pub(crate) struct Peaks {
    pub of_domains: [u64; Domain::COUNT],
    pub of_all: u64,
}

/// All peaks as they are.
pub(crate) fn peaks() -> Peaks {
    look_at_all();
    Peaks {
        of_domains: Domain::ALL.map(|domain| DOMAINS[domain as usize].peak.load(Relaxed)),
        of_all: TOTAL.peak.load(Relaxed),
    }
}

/// Forgets all peaks, and returns what they were.
pub(crate) fn restart_all() -> Peaks {
    let before = peaks();
    DOMAINS.iter().chain([&TOTAL]).for_each(|it| it.peak.store(it.live.load(Relaxed), Relaxed));
    before
}

/// Remembers peaks again from before [`restart_all`].
pub(crate) fn raise_all(before: &Peaks) {
    let bytes = before.of_domains.iter().chain([&before.of_all]);
    for (seen, &bytes) in DOMAINS.iter().chain([&TOTAL]).zip(bytes) {
        seen.peak.fetch_max(bytes, Relaxed);
    }
}
