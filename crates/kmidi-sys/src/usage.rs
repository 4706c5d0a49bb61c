use std::io;
use std::time::Duration;

/// What the calling thread has cost the kernel since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThreadUsage {
    /// Page faults served without input or output.
    pub minor_faults: u64,
    /// Page faults that waited for a disk.
    pub major_faults: u64,
    /// Times the thread gave the processor away because it had to wait.
    pub voluntary_switches: u64,
    /// Times the processor was taken away from the thread.
    pub involuntary_switches: u64,
}

/// The counters of the calling thread. One system call.
///
/// # Errors
/// What the system call answers; `Unsupported` where threads are not counted.
#[cfg(target_os = "linux")]
pub fn thread_usage() -> io::Result<ThreadUsage> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type.
    if unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid rusage, and the call has filled it in.
    let usage = unsafe { usage.assume_init() };
    Ok(ThreadUsage {
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        voluntary_switches: usage.ru_nvcsw as u64,
        involuntary_switches: usage.ru_nivcsw as u64,
    })
}

/// # Errors
/// `Unsupported` on this system.
#[cfg(not(target_os = "linux"))]
pub fn thread_usage() -> io::Result<ThreadUsage> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Processor time, in and out of the kernel, of all threads of the process so far. One system call.
///
/// # Errors
/// What the system call answers; `Unsupported` where it does not exist.
#[cfg(unix)]
pub fn process_cpu_time() -> io::Result<Duration> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid rusage, and the call has filled it in.
    let usage = unsafe { usage.assume_init() };
    let duration = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    Ok(duration(usage.ru_utime) + duration(usage.ru_stime))
}

/// # Errors
/// `Unsupported` on this system.
#[cfg(not(unix))]
pub fn process_cpu_time() -> io::Result<Duration> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_voluntary_switch() {
        let before = thread_usage().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(thread_usage().unwrap().voluntary_switches > before.voluntary_switches);
    }

    #[test]
    fn work_takes_processor_time_of_the_process() {
        let before = process_cpu_time().unwrap();
        let mut sum = 0u64;
        while process_cpu_time().unwrap() < before + Duration::from_millis(20) {
            sum = (0..10_000).fold(sum, |sum: u64, n| std::hint::black_box(sum.wrapping_add(n)));
        }
    }

    #[test]
    fn fresh_memory_faults() {
        let before = thread_usage().unwrap();
        let mut memory = vec![0u8; 8 << 20];
        memory.iter_mut().step_by(4096).for_each(|byte| *byte = std::hint::black_box(1));
        assert!(thread_usage().unwrap().minor_faults > before.minor_faults);
    }
}
