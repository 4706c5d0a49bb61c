//! The heap. Whatever a thread takes is counted for the process; if it is watched, it is also noted with its calls.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

use kmidi_host::certify::{Deed, Held};

use super::Function;
use crate::state;

// The real ones under names that cannot be hooked: they work from the first moment of the process on.
unsafe extern "C" {
    pub fn __libc_malloc(size: usize) -> *mut c_void;
    pub fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    pub fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    pub fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    pub fn __libc_free(block: *mut c_void);
    fn __libc_valloc(size: usize) -> *mut c_void;
    fn __libc_pvalloc(size: usize) -> *mut c_void;
}

static COUNTED: AtomicBool = AtomicBool::new(false);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);
static PEAK_BYTES: AtomicI64 = AtomicI64::new(0);

/// Counts what is taken from here on, or no longer.
pub fn count(counted: bool) {
    LIVE_BYTES.store(0, Relaxed);
    PEAK_BYTES.store(0, Relaxed);
    COUNTED.store(counted, Relaxed);
}

/// What is held now, and the peak since this was asked last.
pub fn held() -> Held {
    let live = LIVE_BYTES.load(Relaxed);
    let peak = PEAK_BYTES.swap(live, Relaxed).max(live);
    // What had been taken before anybody counted can come back.
    let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    Held { live_bytes: bytes(live), peak_bytes: bytes(peak) }
}

#[inline(always)]
fn is_counted() -> bool {
    COUNTED.load(Relaxed)
}

/// Bytes that a block has, a little more than were asked for.
fn bytes_of(block: *mut c_void) -> i64 {
    // SAFETY: a block of libc, or null.
    unsafe { libc::malloc_usable_size(block) as i64 }
}

/// Counts a call that changed by so many bytes what is held.
#[cold]
#[inline(never)]
fn note(function: &'static Function, deed: Deed, asked: usize, change: i64, frame: usize) {
    let live = LIVE_BYTES.fetch_add(change, Relaxed) + change;
    // Looking is cheaper than writing, and most are no peak.
    if live > PEAK_BYTES.load(Relaxed) {
        PEAK_BYTES.fetch_max(live, Relaxed);
    }
    if !state::recorder().is_null() {
        let mut quiet = state::note(function, deed, asked, frame);
        if let Some(recorder) = quiet.recorder() {
            recorder.live_bytes += change;
        }
    }
}

/// Defines hooks for functions that give a new block.
macro_rules! allocating {
    ($(fn $name:ident($($argument:ident: usize),*) = $real:ident, $bytes:expr;)*) => { $(
        #[unsafe(no_mangle)]
        #[inline(never)]
        unsafe extern "C" fn $name($($argument: usize),*) -> *mut c_void {
            static FUNCTION: Function = Function::new(name_of(concat!(stringify!($name), "\0")));
            // Apart, so that the hook keeps nothing and jumps to the real function.
            #[cold]
            #[inline(never)]
            fn counted($($argument: usize,)* frame: usize) -> *mut c_void {
                // SAFETY: any numbers are allowed.
                let block = unsafe { $real($($argument),*) };
                note(&FUNCTION, Deed::Allocation, $bytes, bytes_of(block), frame);
                block
            }
            if is_counted() {
                return counted($($argument,)* state::frame());
            }
            // SAFETY: any numbers are allowed.
            unsafe { $real($($argument),*) }
        }
    )* };
}

const fn name_of(name: &'static str) -> &'static std::ffi::CStr {
    match std::ffi::CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!(),
    }
}

allocating! {
    fn malloc(size: usize) = __libc_malloc, size;
    fn calloc(count: usize, size: usize) = __libc_calloc, count.wrapping_mul(size);
    fn memalign(align: usize, size: usize) = __libc_memalign, size;
    fn aligned_alloc(align: usize, size: usize) = __libc_memalign, size;
    fn valloc(size: usize) = __libc_valloc, size;
    fn pvalloc(size: usize) = __libc_pvalloc, size;
}

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn free(block: *mut c_void) {
    static FUNCTION: Function = Function::new(c"free");
    if is_counted() && !block.is_null() {
        note(&FUNCTION, Deed::Free, 0, -bytes_of(block), state::frame());
    }
    // SAFETY: what the caller gave.
    unsafe { __libc_free(block) };
}

/// `block` with another size, for the functions that do that.
#[cold]
#[inline(never)]
unsafe fn resized(function: &'static Function, block: *mut c_void, size: usize, frame: usize) -> *mut c_void {
    let before = bytes_of(block);
    // SAFETY: what the caller gave.
    let resized = unsafe { __libc_realloc(block, size) };
    let (deed, after) = match (resized.is_null(), size) {
        (false, _) => (Deed::Allocation, bytes_of(resized)),
        (true, 0) => (Deed::Free, 0),
        // There was no room, and the block is what it was.
        (true, _) => (Deed::Allocation, before),
    };
    note(function, deed, size, after - before, frame);
    resized
}

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    static FUNCTION: Function = Function::new(c"realloc");
    if !is_counted() {
        // SAFETY: what the caller gave.
        return unsafe { __libc_realloc(block, size) };
    }
    // SAFETY: as above.
    unsafe { resized(&FUNCTION, block, size, state::frame()) }
}

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    static FUNCTION: Function = Function::new(c"reallocarray");
    let Some(size) = count.checked_mul(size) else {
        // SAFETY: it is the thread's own.
        unsafe { *libc::__errno_location() = libc::ENOMEM };
        return ptr::null_mut();
    };
    if !is_counted() {
        // SAFETY: what the caller gave.
        return unsafe { __libc_realloc(block, size) };
    }
    // SAFETY: as above.
    unsafe { resized(&FUNCTION, block, size, state::frame()) }
}

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> c_int {
    static FUNCTION: Function = Function::new(c"posix_memalign");
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    // SAFETY: what the caller gave.
    let block = unsafe { __libc_memalign(align, size) };
    if is_counted() {
        note(&FUNCTION, Deed::Allocation, size, bytes_of(block), state::frame());
    }
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's place for the result.
    unsafe { *out = block };
    0
}
