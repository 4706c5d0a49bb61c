//! Functions that print a list of arguments of any kind. Rust cannot define such functions yet: a few instructions gather
//! the arguments as the C compiler does for `va_start`, and the functions that take such a list go on.

use std::arch::global_asm;
use std::ffi::c_int;

use kmidi_host::certify::Deed;

use super::Pointer;
use crate::state;

super::functions! {
    printf fprintf dprintf __printf_chk __fprintf_chk __dprintf_chk syslog
    vprintf vfprintf vdprintf __vprintf_chk __vfprintf_chk __vdprintf_chk vsyslog
}

/// Defines a hook with so many named arguments, and what it does with these and the list of the others. The list lies in
/// the frame of the hook.
macro_rules! printing {
    ($(fn $name:ident($($argument:ident: $type:ty),*), $bytes:literal, $list:literal, as $with:ident = $inner:ident;)*) => { $(
        unsafe extern "C-unwind" fn $inner($($argument: $type,)* list: Pointer) -> c_int {
            let next = super::real!($with: fn($($type,)* Pointer) -> c_int);
            let watched = !state::recorder().is_null();
            let _quiet = watched.then(|| state::note(&real::$name, Deed::Io, 0, list as usize));
            // SAFETY: what the caller gave, and a list of the rest.
            unsafe { next($($argument,)* list) }
        }

        global_asm!(
            ".pushsection .text.kmidi_hooks, \"ax\", @progbits",
            concat!(".globl ", stringify!($name)),
            concat!(".type ", stringify!($name), ", @function"),
            concat!(stringify!($name), ":"),
            ".cfi_startproc",
            "sub rsp, 216",
            ".cfi_adjust_cfa_offset 216",
            // The registers that arguments come in, where the list says that they are.
            "mov [rsp + 32], rdi",
            "mov [rsp + 40], rsi",
            "mov [rsp + 48], rdx",
            "mov [rsp + 56], rcx",
            "mov [rsp + 64], r8",
            "mov [rsp + 72], r9",
            "test al, al",
            "je 2f",
            "movaps [rsp + 80], xmm0",
            "movaps [rsp + 96], xmm1",
            "movaps [rsp + 112], xmm2",
            "movaps [rsp + 128], xmm3",
            "movaps [rsp + 144], xmm4",
            "movaps [rsp + 160], xmm5",
            "movaps [rsp + 176], xmm6",
            "movaps [rsp + 192], xmm7",
            "2:",
            // The list: bytes of these that are used up, the arguments on the stack, the registers.
            concat!("mov dword ptr [rsp], ", $bytes),
            "mov dword ptr [rsp + 4], 48",
            "lea rax, [rsp + 224]",
            "mov [rsp + 8], rax",
            "lea rax, [rsp + 32]",
            "mov [rsp + 16], rax",
            concat!("mov ", $list, ", rsp"),
            "call {inner}",
            "add rsp, 216",
            ".cfi_adjust_cfa_offset -216",
            "ret",
            ".cfi_endproc",
            concat!(".size ", stringify!($name), ", . - ", stringify!($name)),
            ".popsection",
            inner = sym $inner,
        );
    )* };
}

printing! {
    fn printf(format: Pointer), 8, "rsi", as vprintf = print;
    fn fprintf(stream: Pointer, format: Pointer), 16, "rdx", as vfprintf = print_to_stream;
    fn dprintf(file: c_int, format: Pointer), 16, "rdx", as vdprintf = print_to_file;
    fn __printf_chk(flag: c_int, format: Pointer), 16, "rdx", as __vprintf_chk = checked_print;
    fn __fprintf_chk(stream: Pointer, flag: c_int, format: Pointer), 24, "rcx", as __vfprintf_chk = checked_print_to_stream;
    fn __dprintf_chk(file: c_int, flag: c_int, format: Pointer), 24, "rcx", as __vdprintf_chk = checked_print_to_file;
    fn syslog(priority: c_int, format: Pointer), 16, "rdx", as vsyslog = print_to_log;
}
