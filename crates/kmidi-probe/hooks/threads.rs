//! Threads and processes.

use std::ffi::c_int;

use super::Pointer;

super::hooks! {
    Thread:
    fn pthread_create(thread: Pointer, how: Pointer, start: Pointer, argument: Pointer) -> c_int;
    fn thrd_create(thread: Pointer, start: Pointer, argument: Pointer) -> c_int;
    fn fork() -> c_int;
    fn posix_spawn(process: Pointer, path: Pointer, files: Pointer, how: Pointer, arguments: Pointer, environment: Pointer) -> c_int;
    fn posix_spawnp(process: Pointer, name: Pointer, files: Pointer, how: Pointer, arguments: Pointer, environment: Pointer) -> c_int;
    fn execve(path: Pointer, arguments: Pointer, environment: Pointer) -> c_int;
    fn execv(path: Pointer, arguments: Pointer) -> c_int;
    fn execvp(name: Pointer, arguments: Pointer) -> c_int;
    fn system(command: Pointer) -> c_int;
    fn popen(command: Pointer, how: Pointer) -> Pointer;
    fn pclose(stream: Pointer) -> c_int;
}
