use std::io;

/// Nanoseconds of the monotonic clock. A vDSO call on Linux: no system call.
#[cfg(unix)]
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    assert_eq!(result, 0, "the monotonic clock exists on every supported system");
    now.tv_sec as u64 * NS_PER_SECOND + now.tv_nsec as u64
}

/// Nanoseconds since the first call.
#[cfg(not(unix))]
pub fn monotonic_ns() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as u64
}

/// Sleeps until the monotonic clock shows `deadline_ns`; returns at once if it has passed.
/// An absolute deadline does not drift, however long the caller took before asking.
///
/// # Errors
/// What the system call answers; signals are waited out.
#[cfg(target_os = "linux")]
pub fn sleep_until_ns(deadline_ns: u64) -> io::Result<()> {
    let deadline = libc::timespec {
        tv_sec: (deadline_ns / NS_PER_SECOND) as libc::time_t,
        tv_nsec: (deadline_ns % NS_PER_SECOND) as libc::c_long,
    };
    loop {
        // SAFETY: the deadline is a valid timespec; with TIMER_ABSTIME the remaining time may be null.
        let result = unsafe {
            libc::clock_nanosleep(libc::CLOCK_MONOTONIC, libc::TIMER_ABSTIME, &deadline, std::ptr::null_mut())
        };
        match result {
            0 => return Ok(()),
            libc::EINTR => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
}

/// Sleeps until the monotonic clock shows `deadline_ns`; returns at once if it has passed.
///
/// # Errors
/// None on this system.
#[cfg(not(target_os = "linux"))]
pub fn sleep_until_ns(deadline_ns: u64) -> io::Result<()> {
    while let Some(left) = deadline_ns.checked_sub(monotonic_ns()).filter(|&left| left > 0) {
        std::thread::sleep(std::time::Duration::from_nanos(left));
    }
    Ok(())
}

#[cfg(unix)]
const NS_PER_SECOND: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_wakes_before_the_deadline() {
        for wait_ns in [0, 1, 50_000, 2_000_000] {
            let deadline = monotonic_ns() + wait_ns;
            sleep_until_ns(deadline).unwrap();
            assert!(monotonic_ns() >= deadline);
        }
    }

    #[test]
    fn a_deadline_of_the_past_returns_at_once() {
        sleep_until_ns(0).unwrap();
    }
}
