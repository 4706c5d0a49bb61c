use std::io;

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

/// Memory that stays in place while this lives. Dropping it unlocks.
#[derive(Debug)]
pub struct LockedMemory {
    start: *const libc::c_void,
    bytes: usize,
}

// SAFETY: the address is a number for the kernel here; nothing is read or written through it.
unsafe impl Send for LockedMemory {}

impl LockedMemory {
    /// Reads every page of `region` in and keeps them from being evicted. Only whole regions that
    /// the audio thread owns are worth it; never everything (`mlockall` makes later allocations fail).
    ///
    /// # Errors
    /// `OutOfMemory` when it is over the limit for locked memory, `PermissionDenied` when there is none.
    pub fn lock<T>(region: &[T]) -> io::Result<Self> {
        let (start, bytes) = (region.as_ptr().cast::<libc::c_void>(), size_of_val(region));
        // SAFETY: the region is mapped: it is a live slice. mlock does not change its contents.
        if unsafe { libc::mlock(start, bytes) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(LockedMemory { start, bytes })
    }
}

impl Drop for LockedMemory {
    fn drop(&mut self) {
        // SAFETY: munlock of pages, mapped or no longer mapped, only changes whether they may be evicted.
        unsafe { libc::munlock(self.start, self.bytes) };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::thread_usage;

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
    fn a_small_region_can_be_locked() {
        let region = vec![0.0f32; 1024];
        drop(LockedMemory::lock(&region).unwrap());
    }
}
