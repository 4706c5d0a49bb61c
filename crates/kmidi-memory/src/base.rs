//! The allocator below: mimalloc, or the system's for tools that look into it.

#[cfg(feature = "system-allocator")]
pub use std::alloc::System as Base;

/// Nothing to set up.
#[cfg(feature = "system-allocator")]
pub(crate) fn prepare() {}

/// Nothing is kept that could be given back.
#[cfg(feature = "system-allocator")]
pub(crate) fn release() {}

#[cfg(not(feature = "system-allocator"))]
pub use mimalloc::Base;
#[cfg(not(feature = "system-allocator"))]
pub(crate) use mimalloc::{prepare, release};

#[cfg(feature = "system-allocator")]
pub(crate) const BASE: Base = std::alloc::System;

#[cfg(not(feature = "system-allocator"))]
pub(crate) const BASE: Base = Base;

#[cfg(not(feature = "system-allocator"))]
mod mimalloc {
    use std::alloc::{GlobalAlloc, Layout};
    use std::ffi::c_void;
    use std::ptr;

    use libmimalloc_sys::{
        mi_collect, mi_free, mi_malloc, mi_malloc_aligned, mi_malloc_small, mi_option_set,
        mi_realloc_aligned, mi_usable_size, mi_zalloc, mi_zalloc_aligned,
    };

    /// What is free goes back to the system soon: a program that waits for music to begin has no use for what
    /// decoding has needed. And addresses are reserved a little at a time, as a limit on them may be set, and become memory
    /// only where blocks come to lie: a limit on data counts what can be written, used or not.
    pub(crate) fn prepare() {
        // Places in `mi_option_t` that the bindings do not name.
        const ARENA_EAGER_COMMIT: i32 = 4;
        const PURGE_DELAY_MS: i32 = 15;
        const ARENA_RESERVE_KIB: i32 = 23;
        const ARENA_PURGE_MULTIPLE: i32 = 24;
        const PAGE_COMMIT_ON_DEMAND: i32 = 40;
        let options = [
            (ARENA_EAGER_COMMIT, 0),
            (PURGE_DELAY_MS, 0),
            (ARENA_RESERVE_KIB, 64 << 10),
            (ARENA_PURGE_MULTIPLE, 1),
            (PAGE_COMMIT_ON_DEMAND, 1),
        ];
        for (option, value) in options {
            // SAFETY: a plain store to a table.
            unsafe { mi_option_set(option, value) };
        }
    }

    /// Gives what is free back to the system now.
    pub(crate) fn release() {
        // SAFETY: any thread may ask for this.
        unsafe { mi_collect(true) };
    }

    /// Asks for an alignment only where it is more than every block has: that path is the longer one. (The
    /// crate `mimalloc` always does.)
    pub struct Base;

    /// What C's `malloc` promises of blocks of every size.
    const EVERY_BLOCK_HAS: usize = align_of::<*const ()>();

    /// `MI_SMALL_SIZE_MAX`: there is a short path up to this size.
    const SMALL: usize = 128 * size_of::<*const ()>();

    // SAFETY: mimalloc gives disjoint blocks of the size and alignment asked for, or null.
    unsafe impl GlobalAlloc for Base {
        #[inline(always)]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the size is not zero.
            let block = unsafe {
                if layout.size() <= SMALL && layout.align() <= EVERY_BLOCK_HAS {
                    mi_malloc_small(layout.size())
                } else if layout.align() <= EVERY_BLOCK_HAS {
                    mi_malloc(layout.size())
                } else {
                    mi_malloc_aligned(layout.size(), layout.align())
                }
            };
            block.cast()
        }

        #[inline(always)]
        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as above.
            let block = unsafe {
                if layout.align() <= EVERY_BLOCK_HAS {
                    mi_zalloc(layout.size())
                } else {
                    mi_zalloc_aligned(layout.size(), layout.align())
                }
            };
            block.cast()
        }

        #[inline(always)]
        unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
            // SAFETY: the caller's block came from above.
            unsafe { mi_free(block.cast::<c_void>()) };
        }

        #[inline(always)]
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if layout.align() > EVERY_BLOCK_HAS {
                // SAFETY: the caller's block came from above.
                return unsafe { mi_realloc_aligned(block.cast(), size, layout.align()).cast() };
            }
            // SAFETY: the caller's block came from above; both blocks are as long as what is copied.
            unsafe {
                let usable = mi_usable_size(block.cast());
                if (usable / 2..=usable).contains(&size) {
                    return block;
                }
                let moved = mi_malloc(size).cast::<u8>();
                if !moved.is_null() {
                    // `mi_realloc` would copy all that is usable: a quarter more, where a power of two has got
                    // its tag.
                    ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    mi_free(block.cast());
                }
                moved
            }
        }
    }
}
