//! Libraries and symbols. libc looks who asks: where a library is searched, and what `RTLD_NEXT` means, depends on the
//! return address. So these hooks note the call and jump; the real one returns to the plugin by itself. Nobody sees when: what
//! the linker does meanwhile, and what a library does when it is loaded, is counted too.

use std::arch::global_asm;
use std::ffi::c_void;

use kmidi_host::certify::Deed;

use super::Function;
use crate::state;

super::functions! { dlopen dlmopen dlsym dlclose vfork }

/// Notes a call that was made out of the frame above `frame`; gives the real function.
extern "C" fn note_loading(function: &'static Function, frame: usize) -> *mut c_void {
    if !state::recorder().is_null() {
        drop(state::note(function, Deed::Loading, 0, frame));
    }
    function.address()
}

/// The same for what starts a process. (`vfork` returns twice: no frame may stand between it and who called.) The system
/// call behind it passes.
extern "C" fn note_thread(function: &'static Function, frame: usize) -> *mut c_void {
    if !state::recorder().is_null() {
        state::note(function, Deed::Thread, 0, frame).let_pass();
    }
    function.address()
}

/// Defines a hook that jumps.
macro_rules! jumping {
    ($($name:ident by $note:ident;)*) => { $(
        global_asm!(
            ".pushsection .text.kmidi_hooks, \"ax\", @progbits",
            concat!(".globl ", stringify!($name)),
            concat!(".type ", stringify!($name), ", @function"),
            concat!(stringify!($name), ":"),
            ".cfi_startproc",
            "push rdi",
            "push rsi",
            "push rdx",
            ".cfi_adjust_cfa_offset 24",
            "lea rdi, [rip + {function}]",
            "mov rsi, rsp",
            "call {note}",
            "pop rdx",
            "pop rsi",
            "pop rdi",
            ".cfi_adjust_cfa_offset -24",
            "jmp rax",
            ".cfi_endproc",
            concat!(".size ", stringify!($name), ", . - ", stringify!($name)),
            ".popsection",
            function = sym real::$name,
            note = sym $note,
        );
    )* };
}

jumping! {
    dlopen by note_loading;
    dlmopen by note_loading;
    dlsym by note_loading;
    dlclose by note_loading;
    vfork by note_thread;
}
