//! The memory of this program itself. It goes around the hooks: what they count belongs to plugins.

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;

use crate::hooks::memory::{__libc_calloc, __libc_free, __libc_malloc, __libc_memalign, __libc_realloc};

/// What malloc aligns to on every 64-bit system.
const MALLOC_ALIGN: usize = 16;

/// The heap of libc, called by names that no hook has.
pub struct AroundHooks;

// SAFETY: it is libc's allocator, which keeps the contract for alignments up to its own; greater ones go to memalign.
unsafe impl GlobalAlloc for AroundHooks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: any size is allowed, and the alignment is a power of two.
        let block = unsafe {
            match layout.align() {
                ..=MALLOC_ALIGN => __libc_malloc(layout.size()),
                align => __libc_memalign(align, layout.size()),
            }
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: any size is allowed.
            return unsafe { __libc_calloc(1, layout.size()) }.cast();
        }
        // SAFETY: the caller's promises, passed on.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the block came from the same heap.
        unsafe { __libc_free(block.cast::<c_void>()) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= MALLOC_ALIGN {
            // SAFETY: the block came from the same heap.
            return unsafe { __libc_realloc(block.cast::<c_void>(), size) }.cast();
        }
        // SAFETY: the caller has seen to it that this size with this alignment is a layout.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: two blocks of at least so many bytes; the old one is not used again.
            unsafe {
                new.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}
