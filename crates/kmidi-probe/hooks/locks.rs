//! Locks. Each is tried first, so that it is known whether another thread has it.

use std::ffi::c_int;

use kmidi_host::certify::Deed;

use super::{Function, Pointer};
use crate::state;

super::functions! {
    pthread_mutex_lock pthread_mutex_trylock pthread_mutex_timedlock pthread_mutex_clocklock
    pthread_rwlock_rdlock pthread_rwlock_tryrdlock pthread_rwlock_timedrdlock pthread_rwlock_clockrdlock
    pthread_rwlock_wrlock pthread_rwlock_trywrlock pthread_rwlock_timedwrlock pthread_rwlock_clockwrlock
    pthread_spin_lock pthread_spin_trylock
}

/// Takes a lock of a thread that is watched.
#[cold]
#[inline(never)]
fn lock(
    function: &'static Function,
    attempt: impl FnOnce() -> c_int,
    wait: impl FnOnce() -> c_int,
    frame: usize,
) -> c_int {
    let status = attempt();
    let taken = status != libc::EBUSY;
    let deed = if taken { Deed::Lock } else { Deed::ContendedLock };
    let _quiet = state::note(function, deed, 0, frame);
    if taken { status } else { wait() }
}

/// Defines hooks for functions that wait for a lock, each with the one that only tries.
macro_rules! waiting {
    ($(fn $name:ident(lock $(, $argument:ident: $type:ty)*) or $attempt:ident;)*) => { $(
        #[unsafe(no_mangle)]
        #[inline(never)]
        unsafe extern "C-unwind" fn $name(lock: Pointer $(, $argument: $type)*) -> c_int {
            let wait = super::real!($name: fn(Pointer $(, $type)*) -> c_int);
            if state::recorder().is_null() {
                // SAFETY: what the caller gave.
                return unsafe { wait(lock $(, $argument)*) };
            }
            let attempt = super::real!($attempt: fn(Pointer) -> c_int);
            // SAFETY: what the caller gave; who may take a lock may try to.
            let (attempt, wait) = unsafe { (|| attempt(lock), || wait(lock $(, $argument)*)) };
            self::lock(&real::$name, attempt, wait, state::frame())
        }
    )* };
}

waiting! {
    fn pthread_mutex_lock(lock) or pthread_mutex_trylock;
    fn pthread_mutex_timedlock(lock, until: Pointer) or pthread_mutex_trylock;
    fn pthread_mutex_clocklock(lock, clock: c_int, until: Pointer) or pthread_mutex_trylock;
    fn pthread_rwlock_rdlock(lock) or pthread_rwlock_tryrdlock;
    fn pthread_rwlock_timedrdlock(lock, until: Pointer) or pthread_rwlock_tryrdlock;
    fn pthread_rwlock_clockrdlock(lock, clock: c_int, until: Pointer) or pthread_rwlock_tryrdlock;
    fn pthread_rwlock_wrlock(lock) or pthread_rwlock_trywrlock;
    fn pthread_rwlock_timedwrlock(lock, until: Pointer) or pthread_rwlock_trywrlock;
    fn pthread_rwlock_clockwrlock(lock, clock: c_int, until: Pointer) or pthread_rwlock_trywrlock;
    fn pthread_spin_lock(lock) or pthread_spin_trylock;
}

/// Defines hooks for functions that only try: what they do not get is no deed.
macro_rules! trying {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        #[inline(never)]
        unsafe extern "C-unwind" fn $name(lock: Pointer) -> c_int {
            let attempt = super::real!($name: fn(Pointer) -> c_int);
            // SAFETY: what the caller gave.
            let status = unsafe { attempt(lock) };
            if status != libc::EBUSY {
                drop(state::tell(&real::$name, Deed::Lock));
            }
            status
        }
    )* };
}

trying! {
    pthread_mutex_trylock pthread_rwlock_tryrdlock pthread_rwlock_trywrlock pthread_spin_trylock
}
