//! Sockets.

use std::ffi::c_int;

use super::Pointer;

super::hooks! {
    Io:
    fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn socketpair(family: c_int, kind: c_int, protocol: c_int, files: Pointer) -> c_int;
    fn connect(file: c_int, address: Pointer, size: u32) -> c_int;
    fn bind(file: c_int, address: Pointer, size: u32) -> c_int;
    fn listen(file: c_int, waiting: c_int) -> c_int;
    fn accept(file: c_int, address: Pointer, size: Pointer) -> c_int;
    fn accept4(file: c_int, address: Pointer, size: Pointer, how: c_int) -> c_int;
    fn send(file: c_int, from: Pointer, size: usize, how: c_int) -> isize;
    fn sendto(file: c_int, from: Pointer, size: usize, how: c_int, address: Pointer, address_size: u32) -> isize;
    fn sendmsg(file: c_int, message: Pointer, how: c_int) -> isize;
    fn recv(file: c_int, to: Pointer, size: usize, how: c_int) -> isize;
    fn __recv_chk(file: c_int, to: Pointer, size: usize, room: usize, how: c_int) -> isize;
    fn recvfrom(file: c_int, to: Pointer, size: usize, how: c_int, address: Pointer, address_size: Pointer) -> isize;
    fn recvmsg(file: c_int, message: Pointer, how: c_int) -> isize;
    fn shutdown(file: c_int, how: c_int) -> c_int;
}
