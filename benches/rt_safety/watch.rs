//! Counts what the audio callback must not do, whoever does it: Rust or C, inlined or not.
//!
//! The allocation and lock functions of libc are defined here (so the linker takes ours) and pass on to
//! the real ones; while a thread is [inside](Watch::watched) they count. System calls are trapped by the
//! kernel's Syscall User Dispatch, so that inline assembly does not escape. Faults and waits come from getrusage.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use assert_no_alloc::{assert_no_alloc, reset_violation_count, violation_count};
use kmidi_core::{DeviceCallback, DeviceIo};
use kmidi_rt::Engine;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub allocations: u64,
    pub frees: u64,
    pub locks: u64,
    pub system_calls: u64,
    pub faults: u64,
    pub voluntary_switches: u64,
    /// Allocations and frees as the product's own guard counts them.
    pub guarded: u64,
    /// And as assert_no_alloc does.
    pub asserted: u64,
}

impl Counts {
    /// Whether all that watch the allocator have seen the same.
    pub fn agree(&self) -> bool {
        self.guarded == self.allocations + self.frees && self.asserted == self.guarded
    }

    /// Without what pages bring that are touched for the first time: faults, and the waits of a fault
    /// for memory that another process has just taken.
    pub fn but_first_touches(self) -> Self {
        let voluntary_switches = if self.faults > 0 { 0 } else { self.voluntary_switches };
        Counts { faults: 0, voluntary_switches, ..self }
    }
}

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static FREES: AtomicU64 = AtomicU64::new(0);
static LOCKS: AtomicU64 = AtomicU64::new(0);
static SYSTEM_CALLS: AtomicU64 = AtomicU64::new(0);
/// Number of the last trapped system call, for the report.
static LAST_SYSTEM_CALL: AtomicU64 = AtomicU64::new(u64::MAX);

thread_local! {
    // Constant and without a destructor: reading it never allocates.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

fn saw(counter: &AtomicU64) {
    if INSIDE.get() {
        counter.fetch_add(1, Relaxed);
    }
}

/// One engine call; a symbol that callgrind can be told to collect.
///
/// # Safety
/// None is needed; the attribute is what is called unsafe: no other symbol has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub fn kmidi_watched_process(engine: &mut Engine, io: &mut DeviceIo<'_, '_>) {
    engine.process(io);
}

/// Has the system take no page of the program away that has been touched once: what other processes need is
/// not the engine's doing. Pages that are touched first still fault. Without the right to it nothing happens.
#[allow(clippy::disallowed_methods, reason = "without MCL_FUTURE later allocations do not fail")]
fn keep_what_is_there() {
    // SAFETY: no memory is changed by this.
    unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_ONFAULT) };
}

/// The watch over one thread.
pub struct Watch {
    counts: Counts,
    traps_system_calls: bool,
    guarded_before: u64,
}

impl Watch {
    /// Watches the calling thread.
    pub fn new() -> Self {
        resolve_next();
        keep_what_is_there();
        let traps_system_calls = dispatch::install();
        Watch { counts: Counts::default(), traps_system_calls, guarded_before: 0 }
    }

    /// Whether system calls can be trapped on this machine (x86-64 Linux from 5.11 on).
    pub fn traps_system_calls(&self) -> bool {
        self.traps_system_calls
    }

    /// Runs one callback of the engine and counts.
    pub fn watched(&mut self, engine: &mut Engine, io: &mut DeviceIo<'_, '_>) {
        let before = kmidi_sys::thread_usage().expect("this system counts threads");
        INSIDE.set(true);
        dispatch::block(self.traps_system_calls);
        kmidi_memory::forbid(|| assert_no_alloc(|| kmidi_watched_process(engine, io)));
        dispatch::block(false);
        INSIDE.set(false);
        let after = kmidi_sys::thread_usage().expect("as before");
        self.counts.faults +=
            after.minor_faults + after.major_faults - before.minor_faults - before.major_faults;
        self.counts.voluntary_switches += after.voluntary_switches - before.voluntary_switches;
    }

    /// What was counted since the last call.
    pub fn take(&mut self) -> Counts {
        let guard = kmidi_memory::violations();
        let guarded = guard.allocations + guard.frees;
        let before = std::mem::replace(&mut self.guarded_before, guarded);
        let asserted = violation_count().into();
        reset_violation_count();
        let counts = Counts {
            guarded: guarded - before,
            asserted,
            allocations: ALLOCATIONS.swap(0, Relaxed),
            frees: FREES.swap(0, Relaxed),
            locks: LOCKS.swap(0, Relaxed),
            system_calls: SYSTEM_CALLS.swap(0, Relaxed),
            ..self.counts
        };
        self.counts = Counts::default();
        counts
    }

    /// System calls trapped since the last [`Watch::take`].
    pub fn system_calls() -> u64 {
        SYSTEM_CALLS.load(Relaxed)
    }

    /// Number of the system call that was trapped last.
    pub fn last_system_call(&self) -> u64 {
        LAST_SYSTEM_CALL.load(Relaxed)
    }
}

unsafe extern "C" {
    fn __libc_malloc(bytes: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void;
    fn __libc_realloc(at: *mut c_void, bytes: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, bytes: usize) -> *mut c_void;
    fn __libc_free(at: *mut c_void);
}

// SAFETY of all below: each counts and passes its arguments on, unchanged, to the function it stands for.

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
    saw(&ALLOCATIONS);
    // SAFETY: as above.
    unsafe { __libc_malloc(bytes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
    saw(&ALLOCATIONS);
    // SAFETY: as above.
    unsafe { __libc_calloc(count, bytes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(at: *mut c_void, bytes: usize) -> *mut c_void {
    saw(&ALLOCATIONS);
    // SAFETY: as above.
    unsafe { __libc_realloc(at, bytes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    saw(&ALLOCATIONS);
    // SAFETY: as above.
    unsafe { __libc_memalign(align, bytes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    saw(&ALLOCATIONS);
    // SAFETY: as above.
    unsafe { __libc_memalign(align, bytes) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, bytes: usize) -> c_int {
    saw(&ALLOCATIONS);
    // SAFETY: as above; `out` is the caller's to write to.
    unsafe {
        *out = __libc_memalign(align, bytes);
        if (*out).is_null() { libc::ENOMEM } else { 0 }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(at: *mut c_void) {
    if !at.is_null() {
        saw(&FREES);
    }
    // SAFETY: as above.
    unsafe { __libc_free(at) }
}

/// The functions that ours stand for, in the order of [`LOCK_NAMES`].
static NEXT: [AtomicUsize; LOCK_NAMES.len()] = [const { AtomicUsize::new(0) }; LOCK_NAMES.len()];
const LOCK_NAMES: [&[u8]; 7] = [
    b"pthread_mutex_lock\0",
    b"pthread_mutex_trylock\0",
    b"pthread_rwlock_rdlock\0",
    b"pthread_rwlock_wrlock\0",
    b"pthread_cond_wait\0",
    b"pthread_spin_lock\0",
    b"sem_wait\0",
];

fn resolve_next() {
    (0..LOCK_NAMES.len()).for_each(|index| {
        next(index);
    });
}

fn next(index: usize) -> usize {
    let known = NEXT[index].load(Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: the name is a C string; RTLD_NEXT asks for the definition behind ours.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, LOCK_NAMES[index].as_ptr().cast::<c_char>()) } as usize;
    assert_ne!(found, 0, "libc has every one of them");
    NEXT[index].store(found, Relaxed);
    found
}

macro_rules! lock {
    ($index:expr, $name:ident, $($arg:ident),+) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: *mut c_void),+) -> c_int {
            saw(&LOCKS);
            // SAFETY: the address is that of the function of this very name and signature.
            unsafe {
                let next: unsafe extern "C" fn($(lock!(@pointer $arg)),+) -> c_int = std::mem::transmute(next($index));
                next($($arg),+)
            }
        }
    };
    (@pointer $arg:ident) => { *mut c_void };
}
lock!(0, pthread_mutex_lock, mutex);
lock!(1, pthread_mutex_trylock, mutex);
lock!(2, pthread_rwlock_rdlock, lock);
lock!(3, pthread_rwlock_wrlock, lock);
lock!(4, pthread_cond_wait, condition, mutex);
lock!(5, pthread_spin_lock, lock);
lock!(6, sem_wait, semaphore);

/// Syscall User Dispatch: while the selector says so, every system call of the thread raises SIGSYS instead.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod dispatch {
    use super::{LAST_SYSTEM_CALL, SYSTEM_CALLS};
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed, compiler_fence};

    const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const ALLOW: u8 = 0;
    const BLOCK: u8 = 1;
    const SA_RESTORER: u64 = 0x0400_0000;

    static SELECTOR: AtomicU8 = AtomicU8::new(ALLOW);

    // The way back from the signal handler is a system call too: this one place may always make it.
    std::arch::global_asm!(
        ".globl kmidi_dispatch_return",
        "kmidi_dispatch_return:",
        "mov eax, 15", // rt_sigreturn
        "syscall",
        "nop",
        ".globl kmidi_dispatch_return_end",
        "kmidi_dispatch_return_end:",
    );
    unsafe extern "C" {
        fn kmidi_dispatch_return();
        fn kmidi_dispatch_return_end();
    }

    #[repr(C)]
    struct KernelSigaction {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }

    /// Whether the kernel can do it.
    pub fn install() -> bool {
        let action = KernelSigaction {
            handler: trapped as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize,
            flags: libc::SA_SIGINFO as u64 | libc::SA_NODEFER as u64 | SA_RESTORER,
            restorer: kmidi_dispatch_return as unsafe extern "C" fn() as usize,
            mask: 0,
        };
        let start = kmidi_dispatch_return as unsafe extern "C" fn() as usize;
        let end = kmidi_dispatch_return_end as unsafe extern "C" fn() as usize;
        // SAFETY: `action` has the layout of the kernel's struct; the handler lives for ever. The selector is a
        // static byte, and the exempt range is the code above.
        unsafe {
            libc::syscall(libc::SYS_rt_sigaction, libc::SIGSYS, &raw const action, 0usize, 8usize) == 0
                && libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, start, end - start, SELECTOR.as_ptr()) == 0
        }
    }

    pub fn block(block: bool) {
        compiler_fence(std::sync::atomic::Ordering::SeqCst);
        SELECTOR.store(if block { BLOCK } else { ALLOW }, Relaxed);
        compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }

    /// Counts the call, makes it after all, and gives its answer to the caller.
    extern "C" fn trapped(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
        SELECTOR.store(ALLOW, Relaxed);
        SYSTEM_CALLS.fetch_add(1, Relaxed);
        // SAFETY: with SA_SIGINFO the kernel passes a ucontext; its registers hold the call's number and
        // arguments, and RAX is where the caller expects the answer.
        unsafe {
            let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
            let argument = |register: c_int| registers[register as usize];
            LAST_SYSTEM_CALL.store(argument(libc::REG_RAX) as u64, Relaxed);
            let mut answer = argument(libc::REG_RAX);
            std::arch::asm!(
                "syscall",
                inlateout("rax") answer,
                in("rdi") argument(libc::REG_RDI),
                in("rsi") argument(libc::REG_RSI),
                in("rdx") argument(libc::REG_RDX),
                in("r10") argument(libc::REG_R10),
                in("r8") argument(libc::REG_R8),
                in("r9") argument(libc::REG_R9),
                lateout("rcx") _,
                lateout("r11") _,
            );
            registers[libc::REG_RAX as usize] = answer;
        }
        SELECTOR.store(BLOCK, Relaxed);
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod dispatch {
    pub fn install() -> bool {
        false
    }
    pub fn block(_: bool) {}
}
