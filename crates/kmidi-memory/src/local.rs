//! What the allocator knows of the calling thread. Constant and without a destructor, so that
//! reading it never allocates.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::shards::{Shard, Shards};
use crate::{Domain, base};

/// Threads that count without locking a line; the others share.
const SHARDS: usize = 128;

/// The counters of the process.
pub(crate) static SHARDS_OF_ALL: Shards<SHARDS> = Shards::new();

/// Bytes that a thread allocates from one look at peaks and limits to the next.
pub(crate) const CHECK_BYTES: u64 = 64 * 1024;

/// See the module.
pub(crate) struct Local {
    /// Where allocations go, and to whom.
    route: Cell<u8>,
    shard: Cell<&'static Shard>,
    /// Whether it has been tried to get a shard of its own.
    is_settled: Cell<bool>,
    /// State of a generator; 0 before the first number.
    pub random: Cell<u64>,
    /// Blocks that did not fit into side A's region.
    pub spilled: Cell<u64>,
    /// And their bytes.
    pub spilled_bytes: Cell<u64>,
    /// Whether the thread is inside the allocator's own work.
    pub busy: Cell<bool>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            route: Cell::new(Local::SHARED),
            shard: Cell::new(SHARDS_OF_ALL.shared()),
            is_settled: Cell::new(false),
            random: Cell::new(0),
            spilled: Cell::new(0),
            spilled_bytes: Cell::new(0),
            busy: Cell::new(false),
        }
    };
    static LEAVE: Leave = const { Leave };
}

/// Gives the thread's shard back when the thread ends.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        with(|local| {
            local.set_route(local.route() | Local::SHARED);
            let shard = local.shard.replace(SHARDS_OF_ALL.shared());
            SHARDS_OF_ALL.release(shard);
        });
    }
}

/// The calling thread's part.
#[inline(always)]
pub(crate) fn with<T>(work: impl FnOnce(&Local) -> T) -> T {
    LOCAL.with(work)
}

impl Local {
    /// The domain to charge, and what is special, as one number: the fast path compares it once.
    const DOMAIN: u8 = Domain::COUNT as u8 - 1;
    /// The thread has no shard of its own: not yet, not any more, or there are too many threads.
    pub const SHARED: u8 = 0x20;
    /// What is allocated goes to side A's region.
    pub const IN_REGION: u8 = 0x40;
    /// Inside the audio callback: whatever happens is a violation.
    pub const FORBIDDEN: u8 = 0x80;

    #[inline(always)]
    pub fn route(&self) -> u8 {
        self.route.get()
    }

    /// Sets the route and returns the one before.
    pub fn set_route(&self, route: u8) -> u8 {
        self.route.replace(route)
    }

    /// The same way for another domain.
    pub fn with_domain(route: u8, domain: Domain) -> u8 {
        route & (Self::SHARED | Self::FORBIDDEN) | domain as u8
    }

    /// The number of the domain of a route or a tag.
    #[inline(always)]
    pub fn domain_of(route: u8) -> usize {
        usize::from(route & Self::DOMAIN)
    }

    /// The thread's counters: its own ones, unless the route says [`SHARED`](Self::SHARED).
    #[inline(always)]
    pub fn shard(&self) -> &'static Shard {
        self.shard.get()
    }

    /// Has the thread count on a shard of its own, if it can.
    #[cold]
    pub fn settle(&self) {
        static PREPARED: AtomicBool = AtomicBool::new(false);
        if !PREPARED.swap(true, Relaxed) {
            base::prepare();
        }
        // What registering the destructor allocates is counted with the others.
        if !self.is_settled.replace(true)
            && LEAVE.try_with(|_| ()).is_ok()
            && let Some(shard) = SHARDS_OF_ALL.claim()
        {
            self.shard.set(shard);
        }
        // Also where a route from before has been restored.
        if !std::ptr::eq(self.shard(), SHARDS_OF_ALL.shared()) {
            self.set_route(self.route() & !Self::SHARED);
        }
    }
}
