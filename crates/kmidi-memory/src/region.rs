//! Side A's heap: one region of addresses, so that a block's owner is known by an address compare,
//! whose pages are there before the audio callback comes to them. Side B allocates and frees in it; side A
//! only uses it.

use std::alloc::Layout;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rlsf::Tlsf;

/// Up to 128 MiB in 32 steps of each power of two.
type Blocks = Tlsf<'static, u32, u32, 22, 32>;

/// The largest region that the allocator can hold as one.
pub const LARGEST_REGION_BYTES: usize = 127 << 20;
/// Addresses that are reserved where nothing else is asked for.
pub const DEFAULT_REGION_BYTES: usize = 64 << 20;
/// Pages are made so many at once.
const POPULATE_BYTES: usize = 256 << 10;

/// What the allocator writes behind a block and behind what is left of its place.
const HEADERS_BYTES: usize = 4 * rlsf::GRANULARITY;
/// What it writes at the end of all, and pages are.
const LAST_BYTES: usize = 16 << 10;

static PLACE: Place = Place { start: AtomicUsize::new(0), bytes: AtomicUsize::new(0) };
static SPILLS: AtomicU64 = AtomicU64::new(0);
static REGION: Mutex<Region> =
    Mutex::new(Region { blocks: Blocks::new(), opened: 0, populated: 0, most_used: 0 });

/// Where the region is: what each free compares an address with.
struct Place {
    start: AtomicUsize,
    bytes: AtomicUsize,
}

struct Region {
    blocks: Blocks,
    /// Bytes from the start that can be written: a limit on memory counts what can, used or not.
    opened: usize,
    /// Bytes from the start whose pages are there.
    populated: usize,
    /// End of the highest block so far, from the start.
    most_used: usize,
}

/// The region in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RegionStatus {
    /// Addresses reserved.
    pub reserved_bytes: usize,
    /// Bytes whose pages are there.
    pub populated_bytes: usize,
    /// End of the highest block so far.
    pub highest_bytes: usize,
    /// Blocks that did not fit and came from the other heap.
    pub spills: u64,
}

/// Why there is no region.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// It was made already: by an earlier call, or because something was put into it.
    #[error("the audio heap is in use already: set its size before the engine is made")]
    InUse,
    /// More than the allocator can manage.
    #[error("an audio heap of {asked} bytes is too large: {LARGEST_REGION_BYTES} at most")]
    TooLarge {
        /// Bytes.
        asked: usize,
    },
    /// The system refuses the addresses.
    #[error("the system refuses {asked} bytes of address space for the audio heap: {source}")]
    Refused {
        /// Bytes.
        asked: usize,
        /// What it says.
        source: std::io::Error,
    },
}

/// Reserves the region and makes its first `prefault_bytes` pages. `[side B]`
///
/// # Errors
/// [`RegionError`].
pub fn reserve(bytes: usize, prefault_bytes: usize) -> Result<(), RegionError> {
    let mut region = lock();
    if PLACE.bytes.load(Relaxed) != 0 {
        return Err(RegionError::InUse);
    }
    region.reserve(bytes)?;
    if region.open(0, prefault_bytes.min(bytes)) {
        region.populate(prefault_bytes.min(bytes));
    }
    Ok(())
}

/// The region as it is.
pub fn status() -> RegionStatus {
    let region = lock();
    RegionStatus {
        reserved_bytes: PLACE.bytes.load(Relaxed),
        populated_bytes: region.populated,
        highest_bytes: region.most_used,
        spills: SPILLS.load(Relaxed),
    }
}

/// Whether a block is the region's.
#[inline(always)]
pub(crate) fn holds(block: *const u8) -> bool {
    block.addr().wrapping_sub(PLACE.start.load(Relaxed)) < PLACE.bytes.load(Relaxed)
}

/// A block, with its pages, or None where none is large enough.
pub(crate) fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    let mut region = lock();
    if PLACE.bytes.load(Relaxed) == 0 {
        region.reserve(DEFAULT_REGION_BYTES).ok()?;
    }
    // No block begins behind the highest one, and what is left of a block begins with a header.
    let highest = region.most_used + layout.size() + layout.align() + HEADERS_BYTES;
    let is_open = region.open(0, highest);
    let Some(block) = is_open.then(|| region.blocks.allocate(layout)).flatten() else {
        SPILLS.fetch_add(1, Relaxed);
        return None;
    };
    // Behind the block stands the header of the next one.
    let end = block.as_ptr().addr() - PLACE.start.load(Relaxed) + layout.size() + rlsf::GRANULARITY;
    region.most_used = region.most_used.max(end);
    region.populate(end);
    Some(block)
}

/// Takes a block back.
///
/// # Safety
/// It came from [`allocate`] with this alignment, and nobody uses it any more.
pub(crate) unsafe fn free(block: *mut u8, align: usize) {
    let block = NonNull::new(block).expect("no block is at address 0");
    // SAFETY: the caller's promise.
    unsafe { lock().blocks.deallocate(block, align) };
}

/// Nothing in here panics; and a heap that is lost would help nobody.
fn lock() -> MutexGuard<'static, Region> {
    REGION.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Region {
    fn reserve(&mut self, bytes: usize) -> Result<(), RegionError> {
        if bytes > LARGEST_REGION_BYTES {
            return Err(RegionError::TooLarge { asked: bytes });
        }
        let bytes = bytes.next_multiple_of(POPULATE_BYTES);
        // SAFETY: new addresses, chosen by the system.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        let refused = || RegionError::Refused { asked: bytes, source: std::io::Error::last_os_error() };
        if start == libc::MAP_FAILED {
            return Err(refused());
        }
        let start = NonNull::new(start.cast::<u8>()).ok_or_else(refused)?;
        PLACE.start.store(start.as_ptr().addr(), Relaxed);
        PLACE.bytes.store(bytes, Relaxed);
        if !self.open(bytes - LAST_BYTES, bytes) || !self.open(0, POPULATE_BYTES) {
            return Err(refused());
        }
        // SAFETY: nobody else knows these addresses, and they are never given back. What is written now, at
        // both ends, has been opened.
        unsafe { self.blocks.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, bytes)) };
        Ok(())
    }

    /// Lets the bytes up to `end` be written, from `from` on or from where that is so already. Whether the system
    /// allows it.
    fn open(&mut self, from: usize, end: usize) -> bool {
        let bytes = PLACE.bytes.load(Relaxed);
        let end = end.next_multiple_of(POPULATE_BYTES).min(bytes);
        let from = from.max(self.opened);
        if end <= from {
            return true;
        }
        let start = ptr::with_exposed_provenance_mut::<u8>(PLACE.start.load(Relaxed));
        // SAFETY: pages of the region.
        let opened = unsafe {
            libc::mprotect(start.add(from).cast(), end - from, libc::PROT_READ | libc::PROT_WRITE) == 0
        };
        if opened && from == self.opened {
            self.opened = end;
        }
        opened
    }

    /// Makes the pages up to `end`: not the audio callback, which writes there first, shall wait for them.
    fn populate(&mut self, end: usize) {
        if end <= self.populated {
            return;
        }
        let bytes = PLACE.bytes.load(Relaxed);
        let end = end.next_multiple_of(POPULATE_BYTES).min(bytes);
        let start = ptr::with_exposed_provenance_mut::<u8>(PLACE.start.load(Relaxed));
        // SAFETY: pages of the region; what is written there stays.
        unsafe {
            let from = start.add(self.populated).cast();
            let length = end - self.populated;
            // Locked where the limit allows it: memory that is short must not take them away again.
            if libc::mlock(from, length) != 0 {
                libc::madvise(from, length, libc::MADV_POPULATE_WRITE);
            }
        }
        self.populated = end;
    }
}
