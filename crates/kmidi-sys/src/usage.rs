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

/// The number by which the system knows the calling thread. One system call.
#[cfg(target_os = "linux")]
pub fn thread_id() -> u32 {
    // SAFETY: it takes nothing and always succeeds.
    unsafe { libc::gettid() as u32 }
}

/// 0, which no thread has.
#[cfg(not(target_os = "linux"))]
pub fn thread_id() -> u32 {
    0
}

/// Page faults of a thread of this process since it started, asked from any other: that thread does not notice.
/// `[side B]`
///
/// # Errors
/// The thread has ended, or the system does not tell.
pub fn page_faults_of(thread_id: u32) -> io::Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread_id}/stat"))?;
    page_faults_in(&stat).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// Minor and major faults in a `stat` of Linux: fields 10 and 12, where the name is field 2 and can hold anything.
fn page_faults_in(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(7);
    let minor: u64 = fields.next()?.parse().ok()?;
    let major: u64 = fields.nth(1)?.parse().ok()?;
    Some(minor + major)
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

/// Processor time of the calling thread so far, in and out of the kernel. One system call.
///
/// # Errors
/// What the system call answers; `Unsupported` where it does not exist.
#[cfg(unix)]
pub fn thread_cpu_time() -> io::Result<Duration> {
    let mut time = std::mem::MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid timespec, and the call has filled it in.
    let time = unsafe { time.assume_init() };
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// # Errors
/// `Unsupported` on this system.
#[cfg(not(unix))]
pub fn thread_cpu_time() -> io::Result<Duration> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_sleeps_takes_no_processor_time() {
        let (before, clock) = (thread_cpu_time().unwrap(), std::time::Instant::now());
        std::thread::sleep(Duration::from_millis(50));
        assert!(thread_cpu_time().unwrap() - before < clock.elapsed() / 2);
        // And one that works takes some, however seldom it is let.
        let before = thread_cpu_time().unwrap();
        while thread_cpu_time().unwrap() < before + Duration::from_millis(5) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_wait_is_a_voluntary_switch() {
        let before = thread_usage().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(thread_usage().unwrap().voluntary_switches > before.voluntary_switches);
    }

    #[test]
    fn faults_of_a_thread_are_those_that_it_counts_itself() {
        let (tell, told) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("a) 1 2 (b".into()).spawn(move || {
            let mut memory = vec![0u8; 1 << 20];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = std::hint::black_box(1));
            let usage = thread_usage().unwrap();
            tell.send((thread_id(), usage.minor_faults + usage.major_faults)).unwrap();
            wait.recv().unwrap();
        });
        let (id, own) = told.recv().unwrap();
        let seen = page_faults_of(id).unwrap();
        assert!((own..own + 100).contains(&seen), "{own} {seen}");
        go_on.send(()).unwrap();
        thread.unwrap().join().unwrap();
        assert!(page_faults_of(u32::MAX).is_err());
    }

    #[test]
    fn a_stat_that_is_none_says_nothing() {
        assert_eq!(page_faults_in("1 (x) y) R 1 2 3 4 5 6 70 8 900 1"), Some(970));
        for text in ["", "1 (x", "1 (x) R 1 2 3", "1 (x) R 1 2 3 4 5 6 7 8 y"] {
            assert_eq!(page_faults_in(text), None, "{text}");
        }
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
