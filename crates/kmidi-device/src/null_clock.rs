//! A device without a device: asks for audio in real time and throws it away (or taps it).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;

use arrayvec::ArrayVec;
use kmidi_core::limits::MAX_DEVICE_CHANNELS;
use kmidi_sys::{monotonic_ns, sleep_until_ns};

use crate::stream::{Driver, Shared, Stream};
use crate::tap::Tap;
use crate::{AudioRequest, Backend, DeviceError, DeviceInfo, Faults, OpenDevice, midi_bridge};

const DEFAULT_RATE_HZ: u32 = 48_000;
const DEFAULT_PERIOD_FRAMES: u32 = 256;
/// Below what JACK and PipeWire give their own threads by default (70 and 88), above everything else.
const FIFO_PRIORITY: u8 = 60;
const STACK_BYTES: usize = 256 << 10;

/// The null clock's one id.
pub(crate) const DEVICE_ID: &str = "null";
const NAME: &str = "silent";

/// Opens a null clock; `attempt` is 0 the first time, then counts the probes after a loss.
pub(crate) fn open(request: &AudioRequest, attempt: u32) -> Result<Stream, DeviceError> {
    let mut faults = request.faults.clone();
    let mut sample_rate_hz = request.sample_rate_hz.unwrap_or(DEFAULT_RATE_HZ);
    if attempt > 0 {
        if attempt <= faults.gone_for_probes {
            return Err(DeviceError::unavailable(Backend::Null, "gone, as the test asked"));
        }
        sample_rate_hz = faults.back_at_rate_hz.unwrap_or(sample_rate_hz);
        faults.stall_at_period = None;
    }
    let period_frames = request.period_frames.unwrap_or(DEFAULT_PERIOD_FRAMES);
    let shared = Arc::new(Shared::default());
    shared.sample_rate_hz.store(sample_rate_hz, Relaxed);
    shared.period_frames.store(period_frames, Relaxed);
    let tap = match &request.wav_tap {
        Some(path) if request.channels_out > 0 => {
            Some(Tap::start(path, sample_rate_hz, request.channels_out, shared.clone())?)
        }
        _ => None,
    };
    let mut notes = Vec::new();
    let (bridge, ports) = midi_bridge::open(request, sample_rate_hz, period_frames, &mut notes)?;
    let clock = Clock {
        driver: Driver::new(shared.clone(), bridge),
        shared: shared.clone(),
        grid: Grid { anchor_ns: 0, period: 0, period_frames, sample_rate_hz },
        inputs: silence(request.channels_in, period_frames),
        outputs: silence(request.channels_out, period_frames),
        tap,
        faults: faults.clone(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let thread = {
        let stop = stop.clone();
        std::thread::Builder::new()
            .name("kmidi-null".to_owned())
            // As much again as is touched beforehand.
            .stack_size(2 * STACK_BYTES)
            .spawn(move || clock.run(&stop))
            .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?
    };
    let device = OpenDevice {
        backend: Backend::Null,
        device: DEVICE_ID.to_owned(),
        name: NAME.to_owned(),
        sample_rate_hz,
        period_frames,
        channels_in: request.channels_in,
        channels_out: request.channels_out,
        latency_frames: period_frames,
        notes,
    };
    let handle = Handle { stop, thread: Some(thread), close_takes: faults.close_takes, _ports: ports };
    Ok(Stream { shared, device, handle: Box::new(handle) })
}

/// A null clock that calls as `device` did.
pub(crate) fn in_place_of(device: &OpenDevice) -> Result<Stream, DeviceError> {
    let request = AudioRequest {
        sample_rate_hz: Some(device.sample_rate_hz),
        period_frames: Some(device.period_frames),
        channels_in: device.channels_in,
        channels_out: device.channels_out,
        ..AudioRequest::default()
    };
    open(&request, 0)
}

/// How it is listed.
pub(crate) fn info() -> DeviceInfo {
    DeviceInfo {
        id: DEVICE_ID.to_owned(),
        name: NAME.to_owned(),
        is_default: true,
        sample_rate_hz: None,
        channels: None,
    }
}

fn silence(channels: usize, frames: u32) -> Vec<Box<[f32]>> {
    (0..channels).map(|_| vec![0.0; frames as usize].into_boxed_slice()).collect()
}

struct Handle {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    close_takes: std::time::Duration,
    _ports: midi_bridge::Ports,
}

impl Drop for Handle {
    fn drop(&mut self) {
        std::thread::sleep(self.close_takes);
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// The times at which periods are due: exact, however long it runs.
#[derive(Clone, Copy)]
struct Grid {
    anchor_ns: u64,
    /// Since the anchor.
    period: u64,
    period_frames: u32,
    sample_rate_hz: u32,
}

impl Grid {
    fn due_ns(&self, periods_from_now: u64) -> u64 {
        let frames = u128::from(self.period + periods_from_now) * u128::from(self.period_frames);
        self.anchor_ns + (frames * 1_000_000_000 / u128::from(self.sample_rate_hz)) as u64
    }

    /// The next period is due one whole period after `now_ns`: what was missed is not made up for.
    fn restart(&mut self, now_ns: u64) {
        self.anchor_ns = now_ns;
        self.period = 1;
    }
}

struct Clock {
    driver: Driver,
    shared: Arc<Shared>,
    grid: Grid,
    inputs: Vec<Box<[f32]>>,
    outputs: Vec<Box<[f32]>>,
    tap: Option<Tap>,
    faults: Faults,
}

impl Clock {
    fn run(mut self, stop: &AtomicBool) {
        self.become_real_time();
        kmidi_sys::prefault_stack(STACK_BYTES);
        self.grid.anchor_ns = monotonic_ns();
        for period in 0u64.. {
            let late = self.faults.late_at_periods.contains(&period);
            let stalled = self.faults.stall_at_period.is_some_and(|from| period >= from);
            let wake_ns = self.grid.due_ns(if late { 3 } else { 0 });
            if sleep_until_ns(wake_ns).is_err() {
                // A clock that cannot sleep would spin at a real-time priority.
                self.shared.lost.store(true, Relaxed);
                return;
            }
            if stop.load(Relaxed) {
                return;
            }
            if !stalled {
                self.period();
            }
            // As a device with two periods: this one had to be there when the next is asked for.
            let now = monotonic_ns();
            self.grid.period += 1;
            if now > self.grid.due_ns(0) {
                self.shared.xruns.fetch_add(1, Relaxed);
                self.grid.restart(now);
            }
        }
    }

    fn period(&mut self) {
        let frames = self.grid.period_frames as usize;
        let inputs: ArrayVec<&[f32], MAX_DEVICE_CHANNELS> = self.inputs.iter().map(|it| &**it).collect();
        let mut outputs: ArrayVec<&mut [f32], MAX_DEVICE_CHANNELS> =
            self.outputs.iter_mut().map(|it| &mut **it).collect();
        self.driver.midi_in.clear();
        self.driver.run(frames, &inputs, &mut outputs);
        if let Some(tap) = &mut self.tap {
            tap.push(&outputs, frames);
        }
    }

    /// Takes what the system allows. Where a control group gives no time to FIFO threads, a
    /// deadline may still be granted.
    fn become_real_time(&self) {
        if kmidi_sys::set_fifo(FIFO_PRIORITY).is_err() {
            let period_ns = self.grid.due_ns(1);
            kmidi_sys::set_deadline(period_ns / 10 * 8, period_ns).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        Grid { anchor_ns: 1_000, period: 0, period_frames: 128, sample_rate_hz: 44_100 }
    }

    #[test]
    fn a_day_of_periods_does_not_drift() {
        let mut grid = grid();
        // 24 hours hold 29,767,500 periods exactly.
        grid.period = 29_767_500;
        assert_eq!(grid.due_ns(0), 1_000 + 86_400 * 1_000_000_000);
    }

    #[test]
    fn a_late_clock_starts_again_from_now_without_a_burst() {
        let mut grid = grid();
        grid.period = 10;
        let late = grid.due_ns(0) + 50_000_000;
        grid.restart(late);
        let period_ns = 128 * 1_000_000_000 / 44_100;
        assert_eq!(grid.due_ns(0), late + period_ns);
    }
}
