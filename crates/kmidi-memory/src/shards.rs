//! What each thread has allocated and freed, on cache lines of its own: counting costs an addition
//! where one counter for all would cost a bus lock.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use Ordering::{Acquire, Relaxed, Release};

use crate::Domain;

/// What has been given and taken back, since the program started. A thread frees what another has
/// allocated: only the sums over all shards mean something.
#[repr(align(64))]
#[derive(Default)]
pub(crate) struct Counters {
    pub allocated_bytes: AtomicU64,
    pub freed_bytes: AtomicU64,
    pub allocations: AtomicU64,
    pub frees: AtomicU64,
    /// From so many allocated bytes on peaks and limits are looked at.
    pub look_at: AtomicU64,
    /// From so many on a block is sampled; 0 before the first one has been chosen.
    pub sample_at: AtomicU64,
}

/// The counters of one thread at a time, or of several.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct Shard {
    pub domains: [Counters; Domain::COUNT],
    taken: AtomicBool,
}

/// How many threads count on a shard.
pub(crate) trait Counting {
    /// What the counter is then.
    fn add(counter: &AtomicU64, amount: u64) -> u64;
}

/// The calling one alone, as on a shard that it has claimed.
pub(crate) struct Alone;

/// Any number.
pub(crate) struct Together;

impl Counting for Alone {
    #[inline(always)]
    fn add(counter: &AtomicU64, amount: u64) -> u64 {
        // Nobody else writes here: no need to lock the line.
        let sum = counter.load(Relaxed).wrapping_add(amount);
        counter.store(sum, Relaxed);
        sum
    }
}

impl Counting for Together {
    fn add(counter: &AtomicU64, amount: u64) -> u64 {
        counter.fetch_add(amount, Relaxed).wrapping_add(amount)
    }
}

impl Shard {
    #[cfg(not(loom))]
    const fn new() -> Self {
        const fn counters() -> Counters {
            Counters {
                allocated_bytes: AtomicU64::new(0),
                freed_bytes: AtomicU64::new(0),
                allocations: AtomicU64::new(0),
                frees: AtomicU64::new(0),
                look_at: AtomicU64::new(0),
                sample_at: AtomicU64::new(0),
            }
        }
        Shard { domains: [const { counters() }; Domain::COUNT], taken: AtomicBool::new(false) }
    }

    /// One block has been given, for the domain of this number. Whether a look is due.
    #[inline(always)]
    pub fn allocated<C: Counting>(&self, domain: usize, bytes: usize) -> bool {
        let counters = &self.domains[domain];
        C::add(&counters.allocations, 1);
        C::add(&counters.allocated_bytes, bytes as u64) >= counters.look_at.load(Relaxed)
    }

    /// One block has come back.
    #[inline(always)]
    pub fn freed<C: Counting>(&self, domain: usize, bytes: usize) {
        let counters = &self.domains[domain];
        C::add(&counters.freed_bytes, bytes as u64);
        C::add(&counters.frees, 1);
    }

    /// A block has become larger or smaller; no other block has come of it. Whether a look is due.
    #[inline(always)]
    pub fn resized<C: Counting>(&self, domain: usize, from_bytes: usize, to_bytes: usize) -> bool {
        let counters = &self.domains[domain];
        let (grown, shrunk) = (to_bytes.saturating_sub(from_bytes), from_bytes.saturating_sub(to_bytes));
        C::add(&counters.freed_bytes, shrunk as u64);
        C::add(&counters.allocated_bytes, grown as u64) >= counters.look_at.load(Relaxed)
    }

    /// What was counted here.
    pub fn tally(&self, domain: Domain) -> Tally {
        let counters = &self.domains[domain as usize];
        Tally {
            allocated_bytes: counters.allocated_bytes.load(Relaxed),
            allocations: counters.allocations.load(Relaxed),
            freed_bytes: counters.freed_bytes.load(Relaxed),
            frees: counters.frees.load(Relaxed),
        }
    }
}

/// What the threads of a process have counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Bytes ever allocated.
    pub allocated_bytes: u64,
    /// Blocks ever allocated; one that is resized stays one.
    pub allocations: u64,
    /// Bytes that have come back.
    pub freed_bytes: u64,
    /// Blocks that have come back.
    pub frees: u64,
}

impl Tally {
    /// Bytes in use.
    pub fn live_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes)
    }

    /// Blocks in use.
    pub fn live_blocks(&self) -> u64 {
        self.allocations.saturating_sub(self.frees)
    }
}

/// The shards of all threads. A thread that ends leaves its counts to the next one that takes the shard.
pub(crate) struct Shards<const N: usize> {
    shards: [Shard; N],
    /// For threads beyond that number, and those that are about to end.
    shared: Shard,
    /// Shards that have ever been taken: the first ones.
    used: AtomicUsize,
}

impl<const N: usize> Shards<N> {
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Shards { shards: [const { Shard::new() }; N], shared: Shard::new(), used: AtomicUsize::new(0) }
    }

    /// A shard for the calling thread alone, if there is one left.
    pub fn claim(&self) -> Option<&Shard> {
        for (i, shard) in self.shards.iter().enumerate() {
            // Acquires what the thread before has counted.
            if shard.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok() {
                self.used.fetch_max(i + 1, Relaxed);
                return Some(shard);
            }
        }
        None
    }

    /// Any thread may count here.
    pub const fn shared(&self) -> &Shard {
        &self.shared
    }

    /// Gives a shard back; the thread must not count on it any more.
    pub fn release(&self, shard: &Shard) {
        shard.taken.store(false, Release);
    }

    /// What all have counted in a domain: exact for what happened before the call; of what happens
    /// beside it, a part.
    pub fn tally(&self, domain: Domain) -> Tally {
        let used = self.used.load(Relaxed);
        let all = || self.shards[..used].iter().chain([&self.shared]).map(|it| &it.domains[domain as usize]);
        // First what came back: a block that goes over from one thread to another is never below nothing.
        let mut tally = Tally::default();
        for counters in all() {
            tally.freed_bytes += counters.freed_bytes.load(Relaxed);
            tally.frees += counters.frees.load(Relaxed);
        }
        std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
        for counters in all() {
            tally.allocated_bytes += counters.allocated_bytes.load(Relaxed);
            tally.allocations += counters.allocations.load(Relaxed);
        }
        tally
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const WORKING: usize = Domain::Working as usize;

    #[test]
    fn threads_that_come_and_go_leave_their_counts() {
        fn count<C: Counting>(shard: &Shard) {
            (0..1000).for_each(|_| {
                shard.allocated::<C>(WORKING, 7);
            });
            (0..1000).for_each(|_| shard.freed::<C>(WORKING, 3));
        }
        let shards = Shards::<2>::new();
        for _ in 0..10 {
            std::thread::scope(|scope| {
                // Two more than there are shards.
                for _ in 0..4 {
                    scope.spawn(|| match shards.claim() {
                        Some(shard) => {
                            count::<Alone>(shard);
                            shards.release(shard);
                        }
                        None => count::<Together>(shards.shared()),
                    });
                }
            });
        }
        let tally = shards.tally(Domain::Working);
        assert_eq!((tally.live_bytes(), tally.allocations), (40 * 1000 * 4, 40 * 1000));
        assert_eq!(shards.tally(Domain::Audio), Tally::default());
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    const WORKING: usize = Domain::Working as usize;

    fn shards() -> Shards<1> {
        Shards { shards: [Shard::default()], shared: Shard::default(), used: AtomicUsize::new(0) }
    }

    /// Two threads and one shard: whoever comes second takes it over or counts with the others. A third one
    /// looks on.
    #[test]
    fn no_interleaving_loses_a_count_or_shows_more_freed_than_allocated() {
        loom::model(|| {
            let shards = Arc::new(shards());
            let count = |shards: Arc<Shards<1>>| {
                move || match shards.claim() {
                    Some(shard) => {
                        shard.allocated::<Alone>(WORKING, 5);
                        shard.freed::<Alone>(WORKING, 2);
                        shards.release(shard);
                    }
                    None => {
                        shards.shared().allocated::<Together>(WORKING, 5);
                        shards.shared().freed::<Together>(WORKING, 2);
                    }
                }
            };
            let other = thread::spawn(count(shards.clone()));
            count(shards.clone())();
            other.join().unwrap();
            let tally = shards.tally(Domain::Working);
            assert_eq!((tally.allocated_bytes, tally.freed_bytes), (10, 4));
        });
    }

    /// The control: a shard that is handed on without the release and acquire loses what was counted.
    #[test]
    #[should_panic]
    fn control_a_hand_over_without_order_loses_counts() {
        loom::model(|| {
            let shards = Arc::new(shards());
            let count = |shards: Arc<Shards<1>>| {
                move || {
                    let shard = &shards.shards[0];
                    while shard.taken.compare_exchange(false, true, Relaxed, Relaxed).is_err() {
                        thread::yield_now();
                    }
                    shard.allocated::<Alone>(WORKING, 5);
                    shard.taken.store(false, Relaxed);
                }
            };
            let other = thread::spawn(count(shards.clone()));
            count(shards.clone())();
            other.join().unwrap();
            assert_eq!(shards.tally(Domain::Working).allocated_bytes, 10);
        });
    }

    /// The control: a shard that two threads take for their own loses counts too.
    #[test]
    #[should_panic]
    fn control_a_shard_of_two_threads_loses_counts() {
        loom::model(|| {
            let shards = Arc::new(shards());
            let other = shards.clone();
            let other = thread::spawn(move || other.shards[0].allocated::<Alone>(WORKING, 5));
            shards.shards[0].allocated::<Alone>(WORKING, 5);
            other.join().unwrap();
            assert_eq!(shards.tally(Domain::Working).allocated_bytes, 10);
        });
    }
}
