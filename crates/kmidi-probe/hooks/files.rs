//! Files by their descriptors and names.

use std::ffi::{c_int, c_uint, c_ulong};

use super::Pointer;

super::hooks! {
    Io:
    fn open(path: Pointer, how: c_int, mode: c_uint) -> c_int;
    fn open64(path: Pointer, how: c_int, mode: c_uint) -> c_int;
    fn __open_2(path: Pointer, how: c_int) -> c_int;
    fn __open64_2(path: Pointer, how: c_int) -> c_int;
    fn openat(folder: c_int, path: Pointer, how: c_int, mode: c_uint) -> c_int;
    fn openat64(folder: c_int, path: Pointer, how: c_int, mode: c_uint) -> c_int;
    fn __openat_2(folder: c_int, path: Pointer, how: c_int) -> c_int;
    fn __openat64_2(folder: c_int, path: Pointer, how: c_int) -> c_int;
    fn creat(path: Pointer, mode: c_uint) -> c_int;
    fn close(file: c_int) -> c_int;
    fn read(file: c_int, to: Pointer, size: usize) -> isize;
    fn __read_chk(file: c_int, to: Pointer, size: usize, room: usize) -> isize;
    fn pread(file: c_int, to: Pointer, size: usize, at: i64) -> isize;
    fn pread64(file: c_int, to: Pointer, size: usize, at: i64) -> isize;
    fn readv(file: c_int, parts: Pointer, count: c_int) -> isize;
    fn write(file: c_int, from: Pointer, size: usize) -> isize;
    fn pwrite(file: c_int, from: Pointer, size: usize, at: i64) -> isize;
    fn pwrite64(file: c_int, from: Pointer, size: usize, at: i64) -> isize;
    fn writev(file: c_int, parts: Pointer, count: c_int) -> isize;
    fn lseek(file: c_int, at: i64, from: c_int) -> i64;
    fn lseek64(file: c_int, at: i64, from: c_int) -> i64;
    fn fsync(file: c_int) -> c_int;
    fn fdatasync(file: c_int) -> c_int;
    fn ftruncate(file: c_int, size: i64) -> c_int;
    fn fcntl(file: c_int, what: c_int, argument: c_ulong) -> c_int;
    fn fcntl64(file: c_int, what: c_int, argument: c_ulong) -> c_int;
    fn ioctl(file: c_int, what: c_ulong, argument: c_ulong) -> c_int;
    fn flock(file: c_int, how: c_int) -> c_int;
    fn pipe(files: Pointer) -> c_int;
    fn pipe2(files: Pointer, how: c_int) -> c_int;
    fn access(path: Pointer, how: c_int) -> c_int;
    fn stat(path: Pointer, facts: Pointer) -> c_int;
    fn stat64(path: Pointer, facts: Pointer) -> c_int;
    fn lstat(path: Pointer, facts: Pointer) -> c_int;
    fn lstat64(path: Pointer, facts: Pointer) -> c_int;
    fn fstat(file: c_int, facts: Pointer) -> c_int;
    fn fstat64(file: c_int, facts: Pointer) -> c_int;
    fn unlink(path: Pointer) -> c_int;
    fn rename(from: Pointer, to: Pointer) -> c_int;
    fn mkdir(path: Pointer, mode: c_uint) -> c_int;
    fn opendir(path: Pointer) -> Pointer;
    fn readdir(folder: Pointer) -> Pointer;
    fn readdir64(folder: Pointer) -> Pointer;
    fn closedir(folder: Pointer) -> c_int;
}
