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
}
