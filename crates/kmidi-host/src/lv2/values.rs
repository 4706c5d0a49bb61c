//! The values of a plugin's parameters, for both halves.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::*};

use super::parameters::Parameters;

/// One value for each parameter, in units of the parameter. No lock: each half may read and write at any time.
pub struct Values {
    bits: Box<[AtomicU64]>,
    /// Set by the main half and not yet taken to the plugin, each.
    pending: Box<[AtomicBool]>,
    any_pending: AtomicBool,
    latency_frames: AtomicU32,
}

impl Values {
    /// The values of a fresh instance. `[side B]`
    pub fn new(parameters: &Parameters) -> Self {
        Values {
            bits: parameters.list.iter().map(|it| AtomicU64::new(it.default.to_bits())).collect(),
            pending: parameters.list.iter().map(|_| AtomicBool::new(false)).collect(),
            any_pending: AtomicBool::new(false),
            latency_frames: AtomicU32::new(0),
        }
    }

    /// A value. `[side A]` `[side B]`
    pub fn get(&self, at: usize) -> f64 {
        f64::from_bits(self.bits[at].load(Relaxed))
    }

    /// Notes a value that the plugin has, or gets in this quantum. `[side A]`
    pub fn note(&self, at: usize, value: f64) {
        self.bits[at].store(value.to_bits(), Relaxed);
    }

    /// Sets a value that the audio half is to take to the plugin at its next quantum. `[side A]` `[side B]`
    pub fn set(&self, at: usize, value: f64) {
        self.note(at, value);
        self.pending[at].store(true, Release);
        self.any_pending.store(true, Release);
    }

    /// Gives each value that waits to `take`; those it does not take wait on. `[side A]`
    pub fn take_pending(&self, mut take: impl FnMut(usize, f64) -> bool) {
        if !self.any_pending.swap(false, AcqRel) {
            return;
        }
        for (at, pending) in self.pending.iter().enumerate() {
            if pending.swap(false, AcqRel) && !take(at, self.get(at)) {
                pending.store(true, Release);
                self.any_pending.store(true, Release);
            }
        }
    }

    /// Latency in frames as the plugin said it last.
    pub fn latency_frames(&self) -> u32 {
        self.latency_frames.load(Relaxed)
    }

    /// Notes the latency. `[side A]`
    pub fn note_latency(&self, frames: u32) {
        self.latency_frames.store(frames, Relaxed);
    }
}
