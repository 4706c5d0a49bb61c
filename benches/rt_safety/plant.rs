//! The controls: a node that does, once, what must not be done.

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use kmidi_core::{NodeInfo, ProcessContext, ProcessStatus, Processor};

/// What the planted node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Allocation,
    Free,
    PthreadLock,
    ContendedLock,
    SystemCall,
    InlineSystemCall,
    Fault,
    Wait,
    NotFinite,
}

impl Deed {
    pub const ALL: [Deed; 9] = [
        Deed::Allocation,
        Deed::Free,
        Deed::PthreadLock,
        Deed::ContendedLock,
        Deed::SystemCall,
        Deed::InlineSystemCall,
        Deed::Fault,
        Deed::Wait,
        Deed::NotFinite,
    ];
}

/// Silent, until it is armed.
pub struct Plant {
    deed: Deed,
    armed: Arc<AtomicBool>,
    to_free: Option<Box<u64>>,
    allocated: Option<Box<u64>>,
    fresh_page: *mut u8,
    contended: Arc<Mutex<u32>>,
}

// SAFETY: the page is only this node's.
unsafe impl Send for Plant {}

impl Plant {
    pub fn new(deed: Deed) -> Box<Self> {
        // SAFETY: a fresh anonymous mapping of one page, never unmapped.
        let fresh_page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(fresh_page, libc::MAP_FAILED);
        Box::new(Plant {
            deed,
            armed: Arc::default(),
            to_free: Some(Box::new(1)),
            allocated: None,
            fresh_page: fresh_page.cast(),
            contended: Arc::new(Mutex::new(0)),
        })
    }

    pub fn info() -> NodeInfo {
        NodeInfo { name: "plant".into(), audio_outputs: vec![2], ..NodeInfo::default() }
    }

    /// Set it, and the next quantum does the deed.
    pub fn trigger(&self) -> Arc<AtomicBool> {
        self.armed.clone()
    }

    /// The lock of [`Deed::ContendedLock`], for somebody else to hold meanwhile.
    pub fn contender(&self) -> Arc<Mutex<u32>> {
        self.contended.clone()
    }

    fn act(&mut self, output: &mut [f32]) {
        match self.deed {
            Deed::Allocation => self.allocated = black_box(Some(Box::new(7))),
            Deed::Free => self.to_free = None,
            Deed::PthreadLock => {
                let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
                // SAFETY: an initialised mutex of this stack frame.
                unsafe {
                    libc::pthread_mutex_lock(&mut mutex);
                    libc::pthread_mutex_unlock(&mut mutex);
                }
            }
            Deed::ContendedLock => *self.contended.lock().expect("the other holder does not panic") += 1,
            Deed::SystemCall => {
                // SAFETY: getppid has no arguments and no effect.
                let parent = unsafe { libc::syscall(libc::SYS_getppid) };
                black_box(parent);
            }
            Deed::InlineSystemCall => inline_system_call(),
            // SAFETY: the page is mapped and ours.
            Deed::Fault => unsafe { self.fresh_page.write_volatile(1) },
            Deed::Wait => {
                let moment = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                // SAFETY: a valid timespec; the rest is not wanted.
                unsafe { libc::nanosleep(&moment, std::ptr::null_mut::<c_void>().cast()) };
            }
            Deed::NotFinite => output[0] = f32::NAN,
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn inline_system_call() {
    // SAFETY: getppid (110) has no arguments and no effect.
    unsafe { std::arch::asm!("syscall", inlateout("rax") 110i64 => _, lateout("rcx") _, lateout("r11") _) };
}

#[cfg(not(target_arch = "x86_64"))]
fn inline_system_call() {}

impl Processor for Plant {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        cx.audio.silence_outputs();
        if self.armed.swap(false, Relaxed) {
            cx.audio.silent_outputs = 0;
            self.act(&mut cx.audio.outputs[0]);
        }
        ProcessStatus::Continue
    }

    fn reset(&mut self) {}
}
