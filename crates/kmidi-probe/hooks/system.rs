//! `syscall`, by which a program makes any system call.

use std::ffi::c_long;

use crate::state::{self, Quiet};
use crate::system_calls;
use crate::table::What;

super::functions! { syscall }

#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C-unwind" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    type Word = c_long;
    let next = super::real!(syscall: fn(Word, Word, Word, Word, Word, Word, Word) -> Word);
    let _quiet = (!state::recorder().is_null()).then(|| note(number, b, state::frame()));
    // SAFETY: what the caller gave. Those that it did not give are read from where they would be, and not looked at.
    unsafe { next(number, a, b, c, d, e, f) }
}

#[cold]
#[inline(never)]
fn note(number: c_long, second: c_long, frame: usize) -> Quiet {
    let mut quiet = Quiet::new();
    if let Some(recorder) = quiet.recorder() {
        recorder.note(What::System(number, system_calls::deed(number, second)), 0, frame);
    }
    quiet
}
