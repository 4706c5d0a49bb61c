//! Files, and the terminal, as C has them. Functions with a list of arguments of any kind are in `printing`.

use std::ffi::{c_char, c_int, c_long};

use super::Pointer;

super::hooks! {
    Io:
    fn fopen(path: Pointer, how: Pointer) -> Pointer;
    fn fopen64(path: Pointer, how: Pointer) -> Pointer;
    fn fdopen(file: c_int, how: Pointer) -> Pointer;
    fn freopen(path: Pointer, how: Pointer, stream: Pointer) -> Pointer;
    fn freopen64(path: Pointer, how: Pointer, stream: Pointer) -> Pointer;
    fn fclose(stream: Pointer) -> c_int;
    fn fflush(stream: Pointer) -> c_int;
    fn fread(to: Pointer, size: usize, count: usize, stream: Pointer) -> usize;
    fn __fread_chk(to: Pointer, room: usize, size: usize, count: usize, stream: Pointer) -> usize;
    fn fwrite(from: Pointer, size: usize, count: usize, stream: Pointer) -> usize;
    fn fgets(to: Pointer, size: c_int, stream: Pointer) -> Pointer;
    fn __fgets_chk(to: Pointer, room: usize, size: c_int, stream: Pointer) -> Pointer;
    fn fgetc(stream: Pointer) -> c_int;
    fn getc(stream: Pointer) -> c_int;
    fn getline(to: Pointer, size: Pointer, stream: Pointer) -> isize;
    fn getdelim(to: Pointer, size: Pointer, end: c_int, stream: Pointer) -> isize;
    fn ungetc(character: c_int, stream: Pointer) -> c_int;
    fn fputs(text: *const c_char, stream: Pointer) -> c_int;
    fn puts(text: *const c_char) -> c_int;
    fn fputc(character: c_int, stream: Pointer) -> c_int;
    fn putc(character: c_int, stream: Pointer) -> c_int;
    fn putchar(character: c_int) -> c_int;
    fn perror(text: *const c_char);
    fn fseek(stream: Pointer, at: c_long, from: c_int) -> c_int;
    fn fseeko(stream: Pointer, at: i64, from: c_int) -> c_int;
    fn fseeko64(stream: Pointer, at: i64, from: c_int) -> c_int;
    fn ftell(stream: Pointer) -> c_long;
    fn ftello(stream: Pointer) -> i64;
    fn ftello64(stream: Pointer) -> i64;
    fn rewind(stream: Pointer);
    fn vprintf(format: Pointer, list: Pointer) -> c_int;
    fn vfprintf(stream: Pointer, format: Pointer, list: Pointer) -> c_int;
    fn vdprintf(file: c_int, format: Pointer, list: Pointer) -> c_int;
    fn __vprintf_chk(flag: c_int, format: Pointer, list: Pointer) -> c_int;
    fn __vfprintf_chk(stream: Pointer, flag: c_int, format: Pointer, list: Pointer) -> c_int;
    fn __vdprintf_chk(file: c_int, flag: c_int, format: Pointer, list: Pointer) -> c_int;
    fn vsyslog(priority: c_int, format: Pointer, list: Pointer);
    fn setvbuf(stream: Pointer, buffer: Pointer, how: c_int, size: usize) -> c_int;
}
