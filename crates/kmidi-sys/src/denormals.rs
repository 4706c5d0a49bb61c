use std::marker::PhantomData;

/// While it lives, this thread's floating-point unit flushes denormal numbers to zero (results and,
/// on x86-64, operands): a decaying tail must not become a hundred times slower. Dropping it
/// restores the state before. On other architectures it does nothing.
pub struct FlushDenormals {
    saved: u64,
    /// The state belongs to the thread: not `Send`.
    thread: PhantomData<*const ()>,
}

impl FlushDenormals {
    /// `[side A]` Two instructions, no system call.
    #[must_use = "dropping it restores the state before at once"]
    pub fn enable() -> Self {
        let saved = control_word();
        set_control_word(saved | FLUSH_BITS);
        FlushDenormals { saved, thread: PhantomData }
    }

    /// Whether this thread flushes denormals now.
    pub fn is_on() -> bool {
        control_word() & FLUSH_BITS == FLUSH_BITS
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        set_control_word(self.saved);
    }
}

/// FTZ (bit 15) and DAZ (bit 6) of MXCSR.
#[cfg(target_arch = "x86_64")]
const FLUSH_BITS: u64 = 1 << 15 | 1 << 6;
/// FZ (bit 24) of FPCR.
#[cfg(target_arch = "aarch64")]
const FLUSH_BITS: u64 = 1 << 24;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FLUSH_BITS: u64 = 0;

#[cfg(target_arch = "x86_64")]
fn control_word() -> u64 {
    let mut mxcsr = 0u32;
    // SAFETY: stores the 32-bit MXCSR to a valid, aligned address; SSE is part of x86-64.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut mxcsr, options(nostack, preserves_flags)) };
    u64::from(mxcsr)
}

#[cfg(target_arch = "x86_64")]
fn set_control_word(word: u64) {
    let mxcsr = word as u32;
    // SAFETY: loads MXCSR from a valid address; the value was read from MXCSR and differs only in
    // FTZ and DAZ, so no reserved bit is set and no exception is unmasked.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &mxcsr, options(nostack, readonly, preserves_flags)) };
}

#[cfg(target_arch = "aarch64")]
fn control_word() -> u64 {
    let fpcr: u64;
    // SAFETY: reads the floating-point control register, accessible at EL0.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
    fpcr
}

#[cfg(target_arch = "aarch64")]
fn set_control_word(word: u64) {
    // SAFETY: the value was read from FPCR and differs only in FZ.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn control_word() -> u64 {
    0
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn set_control_word(_: u64) {}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn a_denormal_result_is_flushed_only_while_the_guard_lives() {
        let halve = || black_box(black_box(f32::MIN_POSITIVE) * black_box(0.5));
        assert!(halve() > 0.0, "the control: without the guard a denormal survives");
        let guard = FlushDenormals::enable();
        assert!(FlushDenormals::is_on());
        assert_eq!(halve(), 0.0);
        drop(guard);
        assert!(halve() > 0.0);
    }
}
