/// Touches `bytes` of the calling thread's stack, so that the pages are there before they are
/// needed. `[side B]`, or a real-time thread before its first callback. At most 512 KiB are touched.
pub fn prefault_stack(bytes: usize) {
    const FRAME: usize = 16 << 10;
    #[inline(never)]
    fn touch(frames_left: usize) -> u8 {
        let mut frame = [0u8; FRAME];
        let frame = std::hint::black_box(&mut frame);
        frame.iter_mut().step_by(1024).for_each(|byte| *byte = 1);
        let below = if frames_left == 0 { 0 } else { touch(frames_left - 1) };
        // The frame is used after the call: it cannot become a loop.
        below.wrapping_add(frame[0])
    }
    std::hint::black_box(touch(bytes.min(512 << 10) / FRAME));
}

/// Maps all pages of the program and its libraries that are read-only, code above all: else the
/// first call of a function that is seldom used faults, and waits for the disk if memory is short.
/// Where the system does not offer this (Linux before 5.14, others) nothing happens. `[side B]`
#[cfg(target_os = "linux")]
pub fn prefault_code() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, end) in maps.lines().filter_map(read_only_file_mapping) {
        // SAFETY: the kernel maps pages that may be read anyway and changes none; a range that is
        // no longer mapped is an error, which is as good as not having asked.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_POPULATE_READ) };
    }
}

/// Does nothing here.
#[cfg(not(target_os = "linux"))]
pub fn prefault_code() {}

/// The addresses of a line of `/proc/self/maps` about a part of a file that nobody can write.
#[cfg(target_os = "linux")]
fn read_only_file_mapping(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_whitespace();
    let (range, access) = (words.next()?, words.next()?);
    let is_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    (is_file && access.starts_with("r-")).then_some((address(start)?, address(end)?))
}

/// Memory of the process that is in RAM now, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ProcessMemory {
    /// What belongs to no file: heaps and stacks.
    pub rss_anon_bytes: u64,
    /// Mapped files: code above all, which other processes share and the system can drop at any time.
    pub rss_file_bytes: u64,
    /// Shared memory.
    pub rss_shmem_bytes: u64,
    /// The most that all of these were together.
    pub rss_peak_bytes: u64,
}

/// The memory of this process. `[side B]`
///
/// # Errors
/// The system has no readable `/proc/self/status`.
pub fn process_memory() -> std::io::Result<ProcessMemory> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let bytes = |name| kibibytes(&status, name).unwrap_or(0) * 1024;
    Ok(ProcessMemory {
        rss_anon_bytes: bytes("RssAnon:"),
        rss_file_bytes: bytes("RssFile:"),
        rss_shmem_bytes: bytes("RssShmem:"),
        rss_peak_bytes: bytes("VmHWM:"),
    })
}

/// The memory of the machine, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SystemMemory {
    /// All of it.
    pub total_bytes: u64,
    /// What programs can have without others being swapped out.
    pub available_bytes: u64,
}

/// The memory of the machine. `[side B]`
///
/// # Errors
/// The system has no readable `/proc/meminfo`.
pub fn system_memory() -> std::io::Result<SystemMemory> {
    let info = std::fs::read_to_string("/proc/meminfo")?;
    let bytes = |name| kibibytes(&info, name).unwrap_or(0) * 1024;
    Ok(SystemMemory { total_bytes: bytes("MemTotal:"), available_bytes: bytes("MemAvailable:") })
}

/// The number behind a name in a table of the kernel.
fn kibibytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::thread_usage;

    /// Bytes of the program's code, and how many of them are mapped.
    fn code() -> (u64, u64) {
        let program = std::env::current_exe().unwrap();
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let is_code = |line: &str| line.contains(" r-xp ") && line.ends_with(program.to_str().unwrap());
        let mut lines = smaps.lines().skip_while(|line| !is_code(line));
        let mut value = |name: &str| {
            let line = lines.find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
        };
        (value("Size:"), value("Rss:"))
    }

    #[test]
    fn all_code_is_there_before_it_is_called() {
        prefault_code();
        let (size, mapped) = code();
        assert!(size > 0);
        assert_eq!(size, mapped);
    }

    #[test]
    fn control_mappings_that_can_be_written_or_are_no_files_are_left_alone() {
        let file = "7f00-7f10 r-xp 00000000 fe:00 12 /usr/lib/x.so";
        assert_eq!(read_only_file_mapping(file), Some((0x7f00, 0x7f10)));
        for other in ["7f00-7f10 rw-p 00000000 fe:00 12 /usr/lib/x.so", "7f00-7f10 r-xp 0 00:00 0 [vdso]", ""]
        {
            assert_eq!(read_only_file_mapping(other), None);
        }
    }

    #[test]
    fn a_prefaulted_stack_does_not_fault_again() {
        std::thread::spawn(|| {
            prefault_stack(256 << 10);
            let before = thread_usage().unwrap();
            prefault_stack(256 << 10);
            let faults = thread_usage().unwrap().minor_faults - before.minor_faults;
            assert!(faults <= 2, "{faults} faults");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn memory_that_is_touched_is_seen() {
        let before = process_memory().unwrap();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        let after = process_memory().unwrap();
        let grown = after.rss_anon_bytes - before.rss_anon_bytes;
        assert!(grown.abs_diff(block.len() as u64) < 4 << 20, "{grown}");
        let system = system_memory().unwrap();
        assert!((after.rss_anon_bytes..system.total_bytes).contains(&system.available_bytes), "{system:?}");
    }
}
