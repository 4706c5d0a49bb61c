use std::fmt;
use std::io;

/// How the kernel schedules a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// Time sharing (`SCHED_OTHER`, `SCHED_BATCH`, `SCHED_IDLE`).
    TimeSharing,
    /// `SCHED_FIFO` with its priority, 1 to 99.
    Fifo(u8),
    /// `SCHED_RR` with its priority, 1 to 99.
    RoundRobin(u8),
    /// `SCHED_DEADLINE`.
    Deadline,
}

impl Scheduling {
    /// Whether a thread of this kind runs before all time-sharing threads.
    pub fn is_real_time(self) -> bool {
        self != Scheduling::TimeSharing
    }
}

impl fmt::Display for Scheduling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scheduling::TimeSharing => write!(f, "SCHED_OTHER"),
            Scheduling::Fifo(priority) => write!(f, "SCHED_FIFO {priority}"),
            Scheduling::RoundRobin(priority) => write!(f, "SCHED_RR {priority}"),
            Scheduling::Deadline => write!(f, "SCHED_DEADLINE"),
        }
    }
}

/// Makes the calling thread `SCHED_FIFO` with `priority` (1 to 99). Threads and processes that it
/// starts do not inherit it.
///
/// # Errors
/// `PermissionDenied` where neither the privilege nor `RLIMIT_RTPRIO` allows it.
#[cfg(target_os = "linux")]
pub fn set_fifo(priority: u8) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: libc::c_int::from(priority) };
    // SAFETY: 0 names the calling thread; the parameter is valid for the call.
    let result =
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &parameter) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the calling thread `SCHED_DEADLINE`: `runtime_ns` of processor time in each `period_ns`.
///
/// # Errors
/// `PermissionDenied` without `CAP_SYS_NICE`; `ResourceBusy` where the processors cannot promise it.
#[cfg(target_os = "linux")]
pub fn set_deadline(runtime_ns: u64, period_ns: u64) -> io::Result<()> {
    /// `struct sched_attr` of the kernel, in its first version.
    #[repr(C)]
    struct SchedAttr {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    const SCHED_DEADLINE: u32 = 6;
    const SCHED_FLAG_RESET_ON_FORK: u64 = 1;
    let attributes = SchedAttr {
        size: size_of::<SchedAttr>() as u32,
        policy: SCHED_DEADLINE,
        flags: SCHED_FLAG_RESET_ON_FORK,
        nice: 0,
        priority: 0,
        runtime: runtime_ns,
        deadline: period_ns,
        period: period_ns,
    };
    // SAFETY: 0 names the calling thread; the structure has the layout and the size that it states.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &attributes, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How the calling thread is scheduled.
///
/// # Errors
/// What the system call answers.
#[cfg(target_os = "linux")]
pub fn scheduling() -> io::Result<Scheduling> {
    let mut parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 names the calling thread.
    let policy = unsafe { libc::sched_getscheduler(0) };
    // SAFETY: the pointer is to a live sched_param.
    if policy < 0 || unsafe { libc::sched_getparam(0, &mut parameter) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let priority = parameter.sched_priority as u8;
    Ok(match policy & !libc::SCHED_RESET_ON_FORK {
        libc::SCHED_FIFO => Scheduling::Fifo(priority),
        libc::SCHED_RR => Scheduling::RoundRobin(priority),
        6 => Scheduling::Deadline,
        _ => Scheduling::TimeSharing,
    })
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::*;

    fn unsupported() -> io::Error {
        io::Error::from(io::ErrorKind::Unsupported)
    }

    /// # Errors
    /// `Unsupported` on this system.
    pub fn set_fifo(_priority: u8) -> io::Result<()> {
        Err(unsupported())
    }

    /// # Errors
    /// `Unsupported` on this system.
    pub fn set_deadline(_runtime_ns: u64, _period_ns: u64) -> io::Result<()> {
        Err(unsupported())
    }

    /// # Errors
    /// None on this system.
    pub fn scheduling() -> io::Result<Scheduling> {
        Ok(Scheduling::TimeSharing)
    }
}
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{scheduling, set_deadline, set_fifo};

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Runs `set` on a thread of its own; what it leaves there, unless the system refuses.
    fn check(set: fn() -> io::Result<()>, expected: Scheduling) {
        let outcome = std::thread::spawn(move || set().and_then(|()| scheduling())).join().unwrap();
        match outcome {
            Ok(found) => assert_eq!(found, expected),
            Err(error) => assert!(
                matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy),
                "{error}"
            ),
        }
    }

    #[test]
    fn a_policy_is_set_or_refused_with_a_reason() {
        check(|| set_fifo(11), Scheduling::Fifo(11));
        check(|| set_deadline(1_000_000, 10_000_000), Scheduling::Deadline);
        check(|| Ok(()), Scheduling::TimeSharing);
    }

    #[test]
    fn a_real_time_thread_does_not_pass_its_policy_on() {
        let child = std::thread::spawn(|| {
            set_fifo(11).ok()?;
            std::thread::spawn(scheduling).join().unwrap().ok()
        });
        if let Some(child) = child.join().unwrap() {
            assert_eq!(child, Scheduling::TimeSharing);
        }
    }

    #[test]
    fn a_priority_out_of_range_is_refused() {
        assert!(set_fifo(200).is_err());
    }
}
