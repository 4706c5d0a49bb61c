//! Names and kinds of system calls.

use std::ffi::c_long;

use kmidi_host::certify::Deed;

/// `(number, name, kind)` of each.
macro_rules! table {
    ($($deed:ident: $($number:ident)*;)*) => { &[$($((libc::$number, stringify!($number), Deed::$deed)),*),*] };
}

const COMMON: &[(c_long, &str, Deed)] = table! {
    Io: SYS_read SYS_write SYS_readv SYS_writev SYS_pread64 SYS_pwrite64 SYS_openat SYS_openat2 SYS_close SYS_close_range
        SYS_lseek SYS_fsync SYS_fdatasync SYS_ftruncate SYS_fallocate SYS_fcntl SYS_ioctl SYS_flock SYS_fstat
        SYS_newfstatat SYS_statx SYS_faccessat SYS_faccessat2 SYS_readlinkat SYS_unlinkat SYS_renameat2 SYS_mkdirat
        SYS_getdents64 SYS_getcwd SYS_dup SYS_dup3 SYS_pipe2 SYS_sendfile SYS_splice SYS_copy_file_range
        SYS_socket SYS_socketpair SYS_connect SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_sendto SYS_sendmsg
        SYS_recvfrom SYS_recvmsg SYS_shutdown SYS_getsockopt SYS_setsockopt SYS_eventfd2 SYS_inotify_init1
        SYS_inotify_add_watch SYS_io_uring_enter;
    Mapping: SYS_mmap SYS_munmap SYS_mremap SYS_mprotect SYS_madvise SYS_brk SYS_msync SYS_mlock SYS_munlock SYS_mlockall
        SYS_memfd_create;
    Wait: SYS_nanosleep SYS_clock_nanosleep SYS_ppoll SYS_pselect6 SYS_epoll_pwait SYS_wait4 SYS_waitid
        SYS_rt_sigtimedwait SYS_rt_sigsuspend SYS_sched_yield SYS_semop SYS_semtimedop SYS_msgrcv;
    Thread: SYS_clone SYS_clone3 SYS_execve SYS_execveat;
    SystemCall: SYS_futex SYS_getpid SYS_getppid SYS_gettid SYS_getuid SYS_getrandom SYS_clock_gettime SYS_gettimeofday
        SYS_sched_setscheduler SYS_sched_getscheduler SYS_sched_setaffinity SYS_sched_getaffinity SYS_setpriority
        SYS_prctl SYS_prlimit64 SYS_getrusage SYS_sysinfo SYS_uname SYS_rt_sigaction SYS_rt_sigprocmask
        SYS_rt_sigreturn SYS_sigaltstack SYS_kill SYS_tkill SYS_tgkill SYS_timer_create SYS_timer_settime
        SYS_set_robust_list SYS_membarrier SYS_rseq SYS_exit SYS_exit_group SYS_getcpu;
};

/// Those that only older systems have.
#[cfg(target_arch = "x86_64")]
const OLD: &[(c_long, &str, Deed)] = table! {
    Io: SYS_open SYS_creat SYS_stat SYS_lstat SYS_access SYS_unlink SYS_rename SYS_mkdir SYS_rmdir SYS_readlink SYS_pipe
        SYS_dup2 SYS_getdents;
    Wait: SYS_poll SYS_select SYS_epoll_wait SYS_pause;
    Thread: SYS_fork SYS_vfork;
    SystemCall: SYS_arch_prctl SYS_alarm SYS_time;
};
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(c_long, &str, Deed)] = &[];

fn known(number: c_long) -> Option<&'static (c_long, &'static str, Deed)> {
    COMMON.iter().chain(OLD).find(|it| it.0 == number)
}

/// Its name, as far as it is a common one, and its number.
pub fn name(number: c_long) -> String {
    match known(number) {
        Some((_, name, _)) => format!("{} (system call {number})", name.trim_start_matches("SYS_")),
        None => format!("system call {number}"),
    }
}

/// What it does; `second` is its second argument.
pub fn deed(number: c_long, second: c_long) -> Deed {
    // One call does all that locks need: to wait, or to wake who does.
    const WAITING: [i32; 5] = [
        libc::FUTEX_WAIT,
        libc::FUTEX_WAIT_BITSET,
        libc::FUTEX_LOCK_PI,
        libc::FUTEX_WAIT_REQUEUE_PI,
        libc::FUTEX_LOCK_PI2,
    ];
    let operation = second as i32 & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    match known(number) {
        Some((libc::SYS_futex, ..)) if WAITING.contains(&operation) => Deed::Wait,
        Some((_, _, deed)) => *deed,
        None => Deed::SystemCall,
    }
}
