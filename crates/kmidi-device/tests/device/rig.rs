//! What the tests put in the engine's place, and how they watch a device.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use kmidi_core::{DeviceCallback, DeviceIo};
use kmidi_device::DeviceEvent;

/// A deterministic noise: the sample of `frame` in `channel`, as any other run gives it.
pub fn noise(frame: u64, channel: u64) -> f32 {
    let mut bits = (frame * 2 + channel + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    // 24 bits, never zero: a captured silence is told from sound.
    ((bits >> 40) as f32 + 0.5) / 16_777_216.0
}

/// Plays [`noise`] from frame 0 on and counts what it is asked for.
pub struct Noise {
    frame: u64,
    count: Arc<AtomicU64>,
}

impl Noise {
    pub fn new() -> (Box<Noise>, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Box::new(Noise { frame: 0, count: count.clone() }), count)
    }
}

impl DeviceCallback for Noise {
    fn process(&mut self, io: &mut DeviceIo<'_, '_>) {
        for (channel, samples) in io.outputs.iter_mut().enumerate() {
            for (offset, sample) in samples.iter_mut().enumerate() {
                *sample = noise(self.frame + offset as u64, channel as u64);
            }
        }
        self.frame += io.frames as u64;
        self.count.store(self.frame, Ordering::Release);
    }
}

/// Waits until `done`, or fails loudly after far longer than it can take.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 s until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The next event that `wanted` accepts; others on the way are passed over.
pub fn wait_for<T>(
    events: &Receiver<DeviceEvent>,
    what: &str,
    mut wanted: impl FnMut(&DeviceEvent) -> Option<T>,
) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let event = events.recv_deadline(deadline).unwrap_or_else(|_| panic!("no event: {what}"));
        if let Some(found) = wanted(&event) {
            return found;
        }
    }
}
