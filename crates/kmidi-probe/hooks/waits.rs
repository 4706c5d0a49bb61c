//! Waiting: for a condition, a semaphore, another thread, a process, a file, the clock.

use std::ffi::{c_int, c_long, c_uint};

use super::Pointer;

super::hooks! {
    Wait:
    fn pthread_cond_wait(condition: Pointer, lock: Pointer) -> c_int;
    fn pthread_cond_timedwait(condition: Pointer, lock: Pointer, until: Pointer) -> c_int;
    fn pthread_cond_clockwait(condition: Pointer, lock: Pointer, clock: c_int, until: Pointer) -> c_int;
    fn sem_wait(semaphore: Pointer) -> c_int;
    fn sem_timedwait(semaphore: Pointer, until: Pointer) -> c_int;
    fn sem_clockwait(semaphore: Pointer, clock: c_int, until: Pointer) -> c_int;
    fn pthread_barrier_wait(barrier: Pointer) -> c_int;
    fn pthread_join(thread: libc::pthread_t, result: Pointer) -> c_int;
    fn pthread_timedjoin_np(thread: libc::pthread_t, result: Pointer, until: Pointer) -> c_int;
    fn nanosleep(time: Pointer, rest: Pointer) -> c_int;
    fn clock_nanosleep(clock: c_int, flags: c_int, time: Pointer, rest: Pointer) -> c_int;
    fn usleep(time: c_uint) -> c_int;
    fn sleep(time: c_uint) -> c_uint;
    fn poll(files: Pointer, count: libc::nfds_t, time: c_int) -> c_int;
    fn __poll_chk(files: Pointer, count: libc::nfds_t, time: c_int, room: usize) -> c_int;
    fn ppoll(files: Pointer, count: libc::nfds_t, time: Pointer, mask: Pointer) -> c_int;
    fn select(count: c_int, read: Pointer, write: Pointer, except: Pointer, time: Pointer) -> c_int;
    fn pselect(count: c_int, read: Pointer, write: Pointer, except: Pointer, time: Pointer, mask: Pointer) -> c_int;
    fn epoll_wait(poll: c_int, events: Pointer, count: c_int, time: c_int) -> c_int;
    fn epoll_pwait(poll: c_int, events: Pointer, count: c_int, time: c_int, mask: Pointer) -> c_int;
    fn pause() -> c_int;
    fn sigwait(mask: Pointer, signal: Pointer) -> c_int;
    fn sigtimedwait(mask: Pointer, signal: Pointer, time: Pointer) -> c_int;
    fn wait(status: Pointer) -> c_int;
    fn waitpid(process: c_int, status: Pointer, how: c_int) -> c_int;
    fn sched_yield() -> c_int;
    fn msgrcv(queue: c_int, message: Pointer, size: usize, kind: c_long, how: c_int) -> isize;
}
