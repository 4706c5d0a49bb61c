use std::io;

/// A resource that the system limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Highest priority a `SCHED_FIFO` thread may have, 0 to 99.
    RealTimePriority,
    /// Bytes of memory that may be locked.
    LockedMemory,
}

/// The limit that holds now for this process; `None`: unlimited.
///
/// # Errors
/// What the system call answers; `Unsupported` where the resource has no limit.
#[cfg(target_os = "linux")]
pub fn limit(resource: Resource) -> io::Result<Option<u64>> {
    let resource = match resource {
        Resource::RealTimePriority => libc::RLIMIT_RTPRIO,
        Resource::LockedMemory => libc::RLIMIT_MEMLOCK,
    };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live rlimit.
    if unsafe { libc::getrlimit(resource, &mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur))
}

/// # Errors
/// `Unsupported` on this system.
#[cfg(not(target_os = "linux"))]
pub fn limit(_resource: Resource) -> io::Result<Option<u64>> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_kernels_table() {
        let table = std::fs::read_to_string("/proc/self/limits").unwrap();
        let soft = |name: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..].split_whitespace().next().unwrap().parse::<u64>().ok()
        };
        assert_eq!(limit(Resource::LockedMemory).unwrap(), soft("Max locked memory"));
        assert_eq!(limit(Resource::RealTimePriority).unwrap(), soft("Max realtime priority"));
    }
}
