//! What each thread knows of being watched.

use std::arch::asm;
use std::cell::Cell;
use std::ptr;

use kmidi_host::certify::Deed;

use crate::hooks::Function;
use crate::table::{Recorder, What};

/// Values of the byte at which the kernel looks before each system call of a thread that asked for that.
const ALLOW: u8 = 0;
const TRAP: u8 = 1;

// Constant and without a destructor: reading them takes one instruction and never a lock or memory.
thread_local! {
    static RECORDER: Cell<*mut Recorder> = const { Cell::new(ptr::null_mut()) };
    static SELECTOR: Cell<u8> = const { Cell::new(ALLOW) };
    static IS_NEW: Cell<bool> = const { Cell::new(true) };
    /// What the byte is when nothing is kept quiet.
    static USUAL: Cell<u8> = const { Cell::new(ALLOW) };
}

/// From here on this thread is watched.
///
/// # Safety
/// The recorder stays where it is, and nobody else touches it, until [`stop`].
pub unsafe fn start(recorder: *mut Recorder, trap: bool) {
    RECORDER.set(recorder);
    USUAL.set(if trap { TRAP } else { ALLOW });
    SELECTOR.set(USUAL.get());
}

/// Up to here; who was it that counted, null if nobody did.
pub fn stop() -> *mut Recorder {
    SELECTOR.set(ALLOW);
    USUAL.set(ALLOW);
    RECORDER.replace(ptr::null_mut())
}

/// Who counts on this thread now.
#[inline(always)]
pub fn recorder() -> *mut Recorder {
    RECORDER.get()
}

/// Whether this is asked for the first time on this thread.
pub fn is_new_here() -> bool {
    IS_NEW.replace(false)
}

/// Where the kernel finds this thread's byte. It lives as long as the thread.
pub fn selector() -> *mut u8 {
    SELECTOR.with(Cell::as_ptr)
}

/// While this lives, nothing is counted on this thread: the work behind a hook, and the recorder's own.
pub struct Quiet {
    recorder: *mut Recorder,
    lets_pass: bool,
}

impl Quiet {
    pub fn new() -> Self {
        SELECTOR.set(ALLOW);
        Quiet { recorder: RECORDER.replace(ptr::null_mut()), lets_pass: false }
    }

    /// The recorder that is kept from counting; `None` if there was none.
    pub fn recorder(&mut self) -> Option<&mut Recorder> {
        // SAFETY: by the contract of `start` it is there; that it is not touched elsewhere meanwhile follows from the
        // thread's having given it up to this value.
        unsafe { self.recorder.as_mut() }
    }

    /// Lets system calls pass also behind this, until the next hook or the next time that the thread is watched.
    pub fn let_pass(&mut self) {
        self.lets_pass = true;
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        RECORDER.set(self.recorder);
        SELECTOR.set(if self.lets_pass { ALLOW } else { USUAL.get() });
    }
}

/// An address in the frame of the function that this is inlined into: what is called from there lies below, who called it
/// above. (Not that of a variable: a hook with a variable could not jump to the real function.)
#[inline(always)]
pub fn frame() -> usize {
    let frame: usize;
    // SAFETY: it only reads the stack pointer.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {}, rsp", out(reg) frame, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        asm!("mov {}, sp", out(reg) frame, options(nomem, nostack, preserves_flags));
    }
    frame
}

/// Notes a call if this thread is watched, and keeps quiet what the call does itself. To be called by the hook.
#[inline(always)]
pub fn tell(function: &'static Function, deed: Deed) -> Option<Quiet> {
    (!recorder().is_null()).then(|| note(function, deed, 0, frame()))
}

/// Notes a call that was made out of the frame above `frame`.
#[cold]
#[inline(never)]
pub fn note(function: &'static Function, deed: Deed, bytes: usize, frame: usize) -> Quiet {
    let mut quiet = Quiet::new();
    if let Some(recorder) = quiet.recorder() {
        recorder.note(What::Function(function, deed), bytes, frame);
    }
    quiet
}
