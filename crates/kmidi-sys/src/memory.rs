use std::sync::{Mutex, PoisonError};

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

/// What [`prefault_code`] leaves where it is.
static SELDOM_READ: Mutex<Vec<&'static [u8]>> = Mutex::new(Vec::new());

/// Says that `data`, a part of the program such as a model, is big and read on side B alone, if ever:
/// [`prefault_code`] does not map its pages from now on. `[side B]`
pub fn leave_unmapped(data: &'static [u8]) {
    SELDOM_READ.lock().unwrap_or_else(PoisonError::into_inner).push(data);
}

/// Maps all pages of the program and its libraries that are read-only, code above all: else the
/// first call of a function that is seldom used faults, and waits for the disk if memory is short.
/// [`leave_unmapped`] has said what is left out. Where the system does not offer this (Linux before
/// 5.14, others) nothing happens. `[side B]`
#[cfg(target_os = "linux")]
pub fn prefault_code() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    let seldom_read = SELDOM_READ.lock().unwrap_or_else(PoisonError::into_inner);
    let mut holes: Vec<_> = seldom_read.iter().map(|data| whole_pages(data)).collect();
    holes.sort_unstable();
    for mapping in maps.lines().filter_map(read_only_file_mapping) {
        for (start, end) in around(mapping, &holes) {
            // SAFETY: the kernel maps pages that may be read anyway and changes none; a range that is
            // no longer mapped is an error, which is as good as not having asked.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_POPULATE_READ) };
        }
    }
}

/// The addresses of the pages that hold nothing but `data`.
#[cfg(target_os = "linux")]
fn whole_pages(data: &[u8]) -> (usize, usize) {
    // At least the real ones, and a multiple of them: 64 KiB are the longest of the platforms we know.
    const PAGE_BYTES: usize = 64 << 10;
    let start = data.as_ptr() as usize;
    let (first, last) = (start.next_multiple_of(PAGE_BYTES), (start + data.len()) / PAGE_BYTES * PAGE_BYTES);
    (first, last.max(first))
}

/// What of `range` lies in no hole; these are sorted.
#[cfg(target_os = "linux")]
fn around((start, end): (usize, usize), holes: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut from = start;
    for &(hole, behind) in holes.iter().filter(|(hole, behind)| *hole < end && *behind > start) {
        parts.push((from, hole.max(from)));
        from = behind.clamp(from, end);
    }
    parts.push((from, end));
    parts.retain(|(start, end)| start < end);
    parts
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

    /// How many of the pages of `data` are mapped, and how many there are.
    fn mapped_pages(data: &[u8]) -> (usize, usize) {
        // SAFETY: a question that changes nothing.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let (start, end) = whole_pages(data);
        let pagemap = std::fs::File::open("/proc/self/pagemap").unwrap();
        let is_mapped = |page: usize| {
            let mut entry = [0u8; 8];
            std::os::unix::fs::FileExt::read_exact_at(&pagemap, &mut entry, (page * 8) as u64).unwrap();
            u64::from_le_bytes(entry) >> 63 == 1
        };
        let pages = start / page_bytes..end / page_bytes;
        (pages.clone().filter(|page| is_mapped(*page)).count(), pages.len())
    }

    #[test]
    fn what_is_seldom_read_is_left_where_it_is_and_the_rest_is_mapped() {
        static MODEL: [u8; 1 << 20] = [1; 1 << 20];
        static TABLE: [u8; 1 << 20] = [2; 1 << 20];
        leave_unmapped(&MODEL);
        prefault_code();
        let (mapped, of) = mapped_pages(&TABLE);
        assert!(of > 0 && mapped == of, "{mapped} of {of}");
        let (mapped, of) = mapped_pages(&MODEL);
        assert!(of > 0 && mapped == 0, "{mapped} of {of}");
    }

    #[test]
    fn what_lies_around_holes_is_all_that_lies_in_none() {
        fn check(holes: &[(usize, usize)], parts: &[(usize, usize)]) {
            assert_eq!(around((10, 20), holes), parts, "{holes:?}");
        }
        check(&[], &[(10, 20)]);
        check(&[(2, 5), (12, 14), (25, 30)], &[(10, 12), (14, 20)]);
        check(&[(5, 12), (18, 25)], &[(12, 18)]);
        check(&[(5, 25)], &[]);
        check(&[(12, 16), (14, 18)], &[(10, 12), (18, 20)]);
        check(&[(12, 12)], &[(10, 12), (12, 20)]);
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
