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

/// The modes of this thread's floating-point unit (rounding, denormals, exception masks), to hold
/// against them after foreign code has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatModes(u64);

impl FloatModes {
    /// `[side A]` Reads the modes: one instruction.
    pub fn current() -> Self {
        FloatModes(control_word() & !STICKY_BITS)
    }

    /// `[side A]` Puts the modes back if they have been changed on this thread; says whether they had.
    pub fn restore(self) -> bool {
        let changed = FloatModes::current() != self;
        if changed {
            set_control_word(self.0);
        }
        changed
    }
}

/// Exception flags, which any arithmetic raises: bits 0 to 5 of MXCSR. (FPCR holds none.)
const STICKY_BITS: u64 = if cfg!(target_arch = "x86_64") { 0x3f } else { 0 };

/// FTZ (bit 15) and DAZ (bit 6) of MXCSR.
#[cfg(target_arch = "x86_64")]
const FLUSH_BITS: u64 = 1 << 15 | 1 << 6;
/// FZ (bit 24) of FPCR.
#[cfg(target_arch = "aarch64")]
const FLUSH_BITS: u64 = 1 << 24;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const FLUSH_BITS: u64 = 0;

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn control_word() -> u64 {
    let mut mxcsr = 0u32;
    // SAFETY: stores the 32-bit MXCSR to a valid, aligned address; SSE is part of x86-64.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut mxcsr, options(nostack, preserves_flags)) };
    u64::from(mxcsr)
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
fn set_control_word(word: u64) {
    let mxcsr = word as u32;
    // SAFETY: loads MXCSR from a valid address; the value was read from MXCSR and differs at most
    // in FTZ, DAZ and cleared exception flags, so no reserved bit is set and no exception is unmasked.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &mxcsr, options(nostack, readonly, preserves_flags)) };
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
fn control_word() -> u64 {
    let fpcr: u64;
    // SAFETY: reads the floating-point control register, accessible at EL0.
    unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) fpcr, options(nomem, nostack, preserves_flags)) };
    fpcr
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
fn set_control_word(word: u64) {
    // SAFETY: the value was read from FPCR and differs at most in FZ.
    unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nomem, nostack, preserves_flags)) };
}

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn control_word() -> u64 {
    0
}

#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn set_control_word(_: u64) {}

#[cfg(all(test, not(miri), any(target_arch = "x86_64", target_arch = "aarch64")))]
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

    #[test]
    fn modes_left_behind_by_foreign_code_are_put_back() {
        let modes = FloatModes::current();
        let _ = black_box(black_box(1.0f32) / black_box(3.0));
        assert!(!modes.restore(), "arithmetic alone changes no mode");
        std::mem::forget(FlushDenormals::enable());
        assert!(modes.restore());
        assert!(!FlushDenormals::is_on());
    }
}
