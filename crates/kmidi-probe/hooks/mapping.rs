//! The address space.

use std::ffi::c_int;

use super::Pointer;

super::hooks! {
    Mapping:
    fn mmap(at: Pointer, size: usize, access: c_int, how: c_int, file: c_int, from: i64) -> Pointer;
    fn mmap64(at: Pointer, size: usize, access: c_int, how: c_int, file: c_int, from: i64) -> Pointer;
    fn munmap(at: Pointer, size: usize) -> c_int;
    fn mremap(at: Pointer, size: usize, new_size: usize, how: c_int, new_at: Pointer) -> Pointer;
    fn mprotect(at: Pointer, size: usize, access: c_int) -> c_int;
    fn madvise(at: Pointer, size: usize, advice: c_int) -> c_int;
    fn msync(at: Pointer, size: usize, how: c_int) -> c_int;
    fn mlock(at: Pointer, size: usize) -> c_int;
    fn munlock(at: Pointer, size: usize) -> c_int;
    fn mlockall(how: c_int) -> c_int;
    fn brk(end: Pointer) -> c_int;
    fn sbrk(more: isize) -> Pointer;
    fn shm_open(name: Pointer, how: c_int, mode: u32) -> c_int;
    fn memfd_create(name: Pointer, how: u32) -> c_int;
}
