//! The global allocator of the program: counts for each domain, and sends what side A will own into
//! its region.
//!
//! Behind each block stands one byte, its *tag*: the domain that pays for it, whoever frees it, and
//! whether it was sampled. (The allocator is told a block's size again when it comes back.)

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::base::{BASE, Base};
use crate::local::{self, Local};
use crate::shards::{Alone, Counting, Shard, Together};
use crate::{Domain, peaks, region, sites};

/// The bit of a tag that says that the block was sampled.
const SAMPLED: u8 = 0x80;
const AUDIO: usize = Domain::Audio as usize;

/// Declared by binaries:
///
/// ```
/// #[global_allocator]
/// static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();
/// ```
pub struct Heap<B = Base> {
    base: B,
}

impl Heap {
    /// For a `static`.
    #[allow(clippy::new_without_default, reason = "there is one, and it is a constant")]
    pub const fn new() -> Self {
        Heap { base: BASE }
    }
}

impl<B> Heap<B> {
    /// Over another allocator.
    pub const fn over(base: B) -> Self {
        Heap { base }
    }
}

/// What the audio callback did that it must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Violations {
    /// Blocks allocated or resized.
    pub allocations: u64,
    /// Blocks given back.
    pub frees: u64,
}

static FORBIDDEN_ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static FORBIDDEN_FREES: AtomicU64 = AtomicU64::new(0);

/// Counted so far by [`forbid`].
pub fn violations() -> Violations {
    Violations { allocations: FORBIDDEN_ALLOCATIONS.load(Relaxed), frees: FORBIDDEN_FREES.load(Relaxed) }
}

/// `[side A]` Counts what `work` allocates and frees on this thread as violations. It goes on all the same.
pub fn forbid<T>(work: impl FnOnce() -> T) -> T {
    with_route(|route| route | Local::FORBIDDEN, work)
}

/// Runs `work` with another route and restores the one before, also in a panic.
pub(crate) fn with_route<T>(change: impl FnOnce(u8) -> u8, work: impl FnOnce() -> T) -> T {
    struct Restore(u8);
    impl Drop for Restore {
        fn drop(&mut self) {
            local::with(|local| local.set_route(self.0));
        }
    }
    let _restore = Restore(local::with(|local| local.set_route(change(local.route()))));
    work()
}

/// With room for the tag; None where no block is that large.
#[inline(always)]
fn tagged(layout: Layout) -> Option<Layout> {
    const BEYOND: usize = isize::MAX as usize + 1;
    // SAFETY: a layout has a size of at most `BEYOND - align`; one byte more is within that too.
    (layout.size() != BEYOND - layout.align())
        .then(|| unsafe { Layout::from_size_align_unchecked(layout.size() + 1, layout.align()) })
}

impl<B: GlobalAlloc> Heap<B> {
    /// Counts a new block and tags it.
    ///
    /// # Safety
    /// `block` is null or has one byte more than `size`.
    #[inline(always)]
    unsafe fn given<C: Counting>(&self, block: *mut u8, size: usize, domain: usize) -> *mut u8 {
        if !block.is_null() {
            // SAFETY: the byte behind the block is ours.
            unsafe { *block.add(size) = domain as u8 };
            if local::with(|local| local.shard().allocated::<C>(domain, size)) {
                // SAFETY: as above.
                unsafe { self.look(block, size, domain) };
            }
        }
        block
    }

    /// Each 64 KiB: see [`peaks`]; and perhaps this block is sampled.
    ///
    /// # Safety
    /// As for `given`.
    #[cold]
    #[inline(never)]
    unsafe fn look(&self, block: *mut u8, size: usize, domain: usize) {
        if local::with(|local| peaks::due(local, domain)) && sites::sample(block, size, domain) {
            // SAFETY: the byte behind the block is ours.
            unsafe { *block.add(size) = domain as u8 | SAMPLED };
        }
    }

    /// A block that is not for everyday's route.
    #[cold]
    #[inline(never)]
    fn allocate_specially(&self, layout: Layout, zeroed: bool) -> *mut u8 {
        let route = local::with(|local| {
            local.settle();
            local.route()
        });
        if route & Local::FORBIDDEN != 0 {
            FORBIDDEN_ALLOCATIONS.fetch_add(1, Relaxed);
        }
        if route & Local::IN_REGION != 0
            && let Some(block) = self.allocate_in_region(layout)
        {
            if zeroed {
                // SAFETY: the block has this size. Memory of the region may have been used before.
                unsafe { ptr::write_bytes(block, 0, layout.size()) };
            }
            return block;
        }
        let Some(with_tag) = tagged(layout) else { return ptr::null_mut() };
        let domain = Local::domain_of(route);
        // SAFETY: the size is not zero; the block has room for the tag.
        unsafe {
            let block = if zeroed { self.base.alloc_zeroed(with_tag) } else { self.base.alloc(with_tag) };
            if route & Local::SHARED == 0 {
                self.given::<Alone>(block, layout.size(), domain)
            } else {
                self.given::<Together>(block, layout.size(), domain)
            }
        }
    }

    fn allocate_in_region(&self, layout: Layout) -> Option<*mut u8> {
        let Some(block) = region::allocate(layout) else {
            local::with(|local| {
                local.spilled.set(local.spilled.get() + 1);
                local.spilled_bytes.set(local.spilled_bytes.get() + layout.size() as u64);
            });
            return None;
        };
        count(|shard, alone| {
            let _ = if alone {
                shard.allocated::<Alone>(AUDIO, layout.size())
            } else {
                shard.allocated::<Together>(AUDIO, layout.size())
            };
        });
        peaks::look(Domain::Audio);
        Some(block.as_ptr())
    }

    /// Takes back a block that is special, or that comes to a thread that is.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::dealloc`].
    #[cold]
    #[inline(never)]
    unsafe fn free_specially(&self, block: *mut u8, layout: Layout) {
        local::with(Local::settle);
        if local::with(Local::route) & Local::FORBIDDEN != 0 {
            FORBIDDEN_FREES.fetch_add(1, Relaxed);
        }
        let is_in_region = region::holds(block);
        // SAFETY: outside the region blocks have a tag.
        let tag = if is_in_region { AUDIO as u8 } else { unsafe { *block.add(layout.size()) } };
        count(|shard, alone| {
            if alone {
                shard.freed::<Alone>(Local::domain_of(tag), layout.size());
            } else {
                shard.freed::<Together>(Local::domain_of(tag), layout.size());
            }
        });
        if tag & SAMPLED != 0 {
            sites::forget(block);
        }
        // SAFETY: the caller's block goes back where it came from.
        unsafe {
            if is_in_region {
                region::free(block, layout.align());
            } else {
                self.base.dealloc(block, with_room(layout));
            }
        }
    }

    /// Resizes a block outside the region on a thread's everyday route.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`].
    #[inline(always)]
    unsafe fn resize<C: Counting>(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(with_tag) = Layout::from_size_align(size, layout.align()).ok().and_then(tagged) else {
            return ptr::null_mut();
        };
        // SAFETY: the block came from the base heap with this size and a tag behind it; the new one has room
        // for it too. A sample is taken off before another thread can be given the address.
        unsafe {
            let tag = *block.add(layout.size());
            let sample = if tag & SAMPLED == 0 { None } else { sites::forget(block) };
            let moved = self.base.realloc(block, with_room(layout), with_tag.size());
            if moved.is_null() {
                if let Some(sample) = sample {
                    sites::put_back(block, sample);
                }
                return moved;
            }
            let domain = Local::domain_of(tag);
            *moved.add(size) = domain as u8;
            let is_due = local::with(|local| local.shard().resized::<C>(domain, layout.size(), size));
            if let Some(sample) = sample {
                if sites::put_back(moved, sample) {
                    *moved.add(size) = tag;
                }
            } else if is_due {
                self.look(moved, size, domain);
            }
            moved
        }
    }

    /// Resizes a block that is special, or that comes to a thread that is: what is in the region stays there.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`].
    #[cold]
    #[inline(never)]
    unsafe fn resize_specially(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let route = local::with(|local| {
            local.settle();
            local.route()
        });
        let is_in_region = region::holds(block);
        // SAFETY: the caller's promise; both blocks are as long as what is copied, and the old one is given up
        // only when there is a new one.
        unsafe {
            if !is_in_region && route & (Local::IN_REGION | Local::FORBIDDEN) == 0 {
                return match route & Local::SHARED {
                    0 => self.resize::<Alone>(block, layout, size),
                    _ => self.resize::<Together>(block, layout, size),
                };
            }
            let Ok(new) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
            let stays = |route| if is_in_region { route | Local::IN_REGION } else { route };
            let moved = with_route(stays, || self.alloc(new));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// The layout that the base heap knows a block by.
#[inline(always)]
fn with_room(layout: Layout) -> Layout {
    // SAFETY: it was checked when the block was given.
    unsafe { Layout::from_size_align_unchecked(layout.size() + 1, layout.align()) }
}

/// Counts on the calling thread's shard; `work` is told whether it is the thread's own.
fn count(work: impl FnOnce(&Shard, bool)) {
    local::with(|local| work(local.shard(), local.route() & Local::SHARED == 0));
}

// SAFETY: blocks come from the base allocator, with a byte more than asked for, or from the region, which
// gives disjoint blocks of the size and alignment asked for. Each goes back where it came from: blocks
// of the region are known by their address.
unsafe impl<B: GlobalAlloc> GlobalAlloc for Heap<B> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let route = local::with(Local::route);
        if route >= Local::SHARED {
            return self.allocate_specially(layout, false);
        }
        let Some(with_tag) = tagged(layout) else { return ptr::null_mut() };
        // SAFETY: the size is not zero; the block has room for the tag.
        unsafe { self.given::<Alone>(self.base.alloc(with_tag), layout.size(), Local::domain_of(route)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let route = local::with(Local::route);
        if route >= Local::SHARED {
            return self.allocate_specially(layout, true);
        }
        let Some(with_tag) = tagged(layout) else { return ptr::null_mut() };
        // SAFETY: as in `alloc`.
        unsafe {
            self.given::<Alone>(self.base.alloc_zeroed(with_tag), layout.size(), Local::domain_of(route))
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: what is not the region's came from the base heap with this size and a tag behind it.
        unsafe {
            if local::with(Local::route) >= Local::SHARED || region::holds(block) {
                return self.free_specially(block, layout);
            }
            let tag = *block.add(layout.size());
            if tag & SAMPLED != 0 {
                return self.free_specially(block, layout);
            }
            local::with(|local| local.shard().freed::<Alone>(Local::domain_of(tag), layout.size()));
            self.base.dealloc(block, with_room(layout));
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe {
            if local::with(Local::route) >= Local::SHARED || region::holds(block) {
                return self.resize_specially(block, layout, size);
            }
            self.resize::<Alone>(block, layout, size)
        }
    }
}
