//! What every stream has, whatever its backend: a slot for the engine, counters, one way to call it.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_utils::atomic::AtomicCell;
use kmidi_core::{DeviceCallback, DeviceIo, MidiBuffer};
use kmidi_sys::Scheduling;

use crate::OpenDevice;
use crate::midi_bridge::Bridge;

/// MIDI messages of one callback, per direction.
pub(crate) const MIDI_MESSAGES: usize = 8192;
/// MIDI bytes of one callback, per direction.
pub(crate) const MIDI_BYTES: usize = 1 << 16;

/// What a device calls.
pub type Engine = Box<dyn DeviceCallback>;

/// Holds the engine between callbacks. Each stream has a slot of its own, and its callback takes the
/// engine out, runs it and puts it back; so the manager can take it away from a stream that is dead
/// or hangs, and that stream, should it come alive again, finds nothing. Never a lock.
#[derive(Default)]
pub(crate) struct EngineSlot {
    engine: AtomicCell<Option<Box<Engine>>>,
    /// The callback leaves the engine alone: without this, one that is always at work would
    /// hardly ever be seen with the engine in its slot.
    withdrawn: AtomicBool,
}

// A fat box would not fit into one atomic word; hence the box in a box.
const _: () = assert!(AtomicCell::<Option<Box<Engine>>>::is_lock_free());

impl EngineSlot {
    /// The callback's turn begins. `[side A]`
    fn borrow(&self) -> Option<Box<Engine>> {
        if self.withdrawn.load(Relaxed) { None } else { self.engine.take() }
    }

    /// The callback's turn is over. `[side A]` The slot is empty: there is one engine.
    fn give_back(&self, engine: Box<Engine>) {
        self.engine.store(Some(engine));
    }

    /// Hands the engine to the callback. `[side B]`
    pub(crate) fn put(&self, engine: Box<Engine>) {
        self.engine.store(Some(engine));
        self.withdrawn.store(false, Relaxed);
    }

    /// Takes the engine away, unless a callback is running it just now: then it is kept from the
    /// next callback, and this is to be asked again. `[side B]`
    pub(crate) fn withdraw(&self) -> Option<Box<Engine>> {
        self.withdrawn.store(true, Relaxed);
        self.engine.take()
    }
}

/// What a stream's callback and its manager share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) slot: EngineSlot,
    pub(crate) callbacks: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) xruns: AtomicU64,
    /// The backend says that the device is gone.
    pub(crate) lost: AtomicBool,
    pub(crate) period_frames: AtomicU32,
    pub(crate) sample_rate_hz: AtomicU32,
    /// Callbacks come as fast as they can: lateness means nothing.
    pub(crate) freewheeling: AtomicBool,
    pub(crate) midi_in_dropped: AtomicU64,
    pub(crate) midi_out_dropped: AtomicU64,
    pub(crate) tap_dropped: AtomicU64,
    /// Why the tap has ended, until that is told. `[side B]`
    pub(crate) tap_failed: Mutex<Option<String>>,
    /// Share of the period spent in the engine, smoothed over about a second; the bits of an `f32`.
    pub(crate) load: AtomicU32,
    /// The highest share lately, falling off within seconds; the bits of an `f32`.
    pub(crate) load_peak: AtomicU32,
    scheduling: AtomicU32,
    /// The calling thread, and its page faults before its first callback; 0 until it has called.
    thread_id: AtomicU32,
    faults_before: AtomicU64,
    /// Page faults when they were last read.
    faults_seen: AtomicU64,
}

impl Shared {
    /// How the calling thread is scheduled, once it has called.
    pub(crate) fn scheduling(&self) -> Option<Scheduling> {
        let [kind, priority, ..] = self.scheduling.load(Relaxed).to_le_bytes();
        match kind {
            1 => Some(Scheduling::TimeSharing),
            2 => Some(Scheduling::Fifo(priority)),
            3 => Some(Scheduling::RoundRobin(priority)),
            4 => Some(Scheduling::Deadline),
            _ => None,
        }
    }

    /// Page faults of the calling thread since its first callback began; of one that has ended, as they were
    /// seen last. `[side B]`
    pub(crate) fn page_faults(&self) -> u64 {
        let thread = self.thread_id.load(Acquire);
        if thread != 0
            && let Ok(faults) = kmidi_sys::page_faults_of(thread)
        {
            let new = faults.saturating_sub(self.faults_before.load(Relaxed));
            return self.faults_seen.fetch_max(new, Relaxed).max(new);
        }
        self.faults_seen.load(Relaxed)
    }

    /// Has the calling thread's page faults counted from here on. `[side A]`, but asks the system.
    fn count_faults(&self) {
        let usage = kmidi_sys::thread_usage().unwrap_or_default();
        self.faults_before.store(usage.minor_faults + usage.major_faults, Relaxed);
        self.thread_id.store(kmidi_sys::thread_id(), Release);
    }

    /// One word, so that no lock is behind the store. `[side A]`
    fn set_scheduling(&self, scheduling: Scheduling) {
        let (kind, priority) = match scheduling {
            Scheduling::TimeSharing => (1, 0),
            Scheduling::Fifo(priority) => (2, priority),
            Scheduling::RoundRobin(priority) => (3, priority),
            Scheduling::Deadline => (4, 0),
        };
        self.scheduling.store(u32::from_le_bytes([kind, priority, 0, 0]), Relaxed);
    }
}

/// A stream that runs. Dropping `handle` closes it, which may hang: see [`Stream::discard`].
pub(crate) struct Stream {
    pub(crate) shared: Arc<Shared>,
    pub(crate) device: OpenDevice,
    pub(crate) handle: Box<dyn Send>,
}

impl Stream {
    /// Closes the stream on a thread of its own and waits at most `limit`; one that hangs is left behind.
    pub(crate) fn discard(self, limit: Duration) {
        let handle = std::mem::ManuallyDrop::new(self.handle);
        // A handle that no thread can be started for is leaked: dropping it here might hang.
        let close = move || drop(std::mem::ManuallyDrop::into_inner(handle));
        if let Ok(pending) = crate::limited::Pending::start("kmidi-close", limit, close) {
            pending.wait();
        }
    }
}

/// Runs the engine for one callback. One per stream, owned by its callback.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    pub(crate) midi_in: MidiBuffer,
    pub(crate) midi_out: MidiBuffer,
    /// Messages that the backend would not take from `midi_out`; it counts them.
    pub(crate) midi_out_refused: u64,
    bridge: Option<Bridge>,
    started: bool,
    load: f32,
    load_peak: f32,
}

impl Driver {
    /// `[side B]`: allocates.
    pub(crate) fn new(shared: Arc<Shared>, bridge: Option<Bridge>) -> Self {
        Driver {
            shared,
            midi_in: MidiBuffer::new(MIDI_MESSAGES, MIDI_BYTES),
            midi_out: MidiBuffer::new(MIDI_MESSAGES, MIDI_BYTES),
            midi_out_refused: 0,
            bridge,
            started: false,
            load: 0.0,
            load_peak: 0.0,
        }
    }

    /// One callback. The caller has filled `midi_in` and sends what is in `midi_out` afterwards.
    /// All channels have the same length, at most `MAX_CALLBACK_FRAMES`. `[side A]`, except that the
    /// very first call asks the system how this thread is scheduled, and what it has cost.
    pub(crate) fn run<'b>(&mut self, frames: usize, inputs: &[&'b [f32]], outputs: &mut [&'b mut [f32]]) {
        let shared = &*self.shared;
        if !self.started {
            self.started = true;
            if let Ok(scheduling) = kmidi_sys::scheduling() {
                shared.set_scheduling(scheduling);
            }
            shared.count_faults();
        }
        let start = kmidi_sys::monotonic_ns();
        self.midi_out.clear();
        if let Some(bridge) = &mut self.bridge {
            bridge.receive(&mut self.midi_in, start, frames);
        }
        match shared.slot.borrow() {
            Some(mut engine) => {
                engine.process(&mut DeviceIo {
                    frames,
                    inputs,
                    outputs,
                    midi_in: &self.midi_in,
                    midi_out: &mut self.midi_out,
                });
                shared.slot.give_back(engine);
            }
            None => outputs.iter_mut().for_each(|channel| channel.fill(0.0)),
        }
        if let Some(bridge) = &mut self.bridge {
            bridge.send(&self.midi_out, start);
        }
        let busy_ns = kmidi_sys::monotonic_ns() - start;
        self.measure(busy_ns, frames);
        let shared = &*self.shared;
        let refused = self.bridge.as_ref().map_or((0, 0), Bridge::dropped);
        shared.midi_in_dropped.store(self.midi_in.dropped() + refused.0, Relaxed);
        shared.midi_out_dropped.store(self.midi_out.dropped() + self.midi_out_refused + refused.1, Relaxed);
        shared.frames.fetch_add(frames as u64, Relaxed);
        // Last: whoever sees the count knows that the rest is there.
        shared.callbacks.fetch_add(1, Release);
    }

    fn measure(&mut self, busy_ns: u64, frames: usize) {
        if self.shared.freewheeling.load(Relaxed) {
            return;
        }
        let rate = self.shared.sample_rate_hz.load(Relaxed).max(1) as f32;
        let period_seconds = frames as f32 / rate;
        let load = busy_ns as f32 * 1e-9 / period_seconds;
        // One-pole filters with time constants of one and of three seconds.
        self.load += (load - self.load) * (period_seconds / 1.0).min(1.0);
        self.load_peak = load.max(self.load_peak * (1.0 - (period_seconds / 3.0).min(1.0)));
        self.shared.load.store(self.load.to_bits(), Relaxed);
        self.shared.load_peak.store(self.load_peak.to_bits(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_scheduling_is_read_as_it_was_set() {
        let shared = Shared::default();
        assert_eq!(shared.scheduling(), None);
        use Scheduling::{Deadline, Fifo, RoundRobin, TimeSharing};
        for scheduling in [TimeSharing, Fifo(65), RoundRobin(1), Deadline] {
            shared.set_scheduling(scheduling);
            assert_eq!(shared.scheduling(), Some(scheduling));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn faults_count_from_the_first_callback_on_and_outlive_the_thread() {
        struct Touching;
        impl DeviceCallback for Touching {
            fn process(&mut self, _: &mut DeviceIo<'_, '_>) {
                touch();
            }
        }
        fn touch() {
            let mut memory = vec![0u8; 8 << 20];
            memory.iter_mut().step_by(4096).for_each(|byte| *byte = std::hint::black_box(1));
        }
        let shared = Arc::new(Shared::default());
        assert_eq!(shared.page_faults(), 0);
        shared.slot.put(Box::new(Box::new(Touching)));
        let seen = shared.clone();
        let calls = std::thread::spawn(move || {
            let own = || kmidi_sys::thread_usage().map(|it| it.minor_faults + it.major_faults).unwrap();
            touch();
            let before = own();
            Driver::new(seen.clone(), None).run(64, &[], &mut []);
            let faults = seen.page_faults();
            (faults, own() - before)
        });
        let (faults, own) = calls.join().unwrap();
        assert!((1..=own).contains(&faults), "{faults} {own}");
        assert_eq!(shared.page_faults(), faults);
    }

    struct Idle;

    impl DeviceCallback for Idle {
        fn process(&mut self, _: &mut DeviceIo<'_, '_>) {}
    }

    /// A callback that never rests must not keep the engine from its manager, nor take it back.
    #[test]
    fn a_busy_callback_gives_the_engine_up_and_never_takes_it_again() {
        let slot = Arc::new(EngineSlot::default());
        slot.put(Box::new(Box::new(Idle)));
        let stop = Arc::new(AtomicBool::new(false));
        let callback = {
            let (slot, stop) = (slot.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Relaxed) {
                    if let Some(engine) = slot.borrow() {
                        std::thread::sleep(Duration::from_micros(50));
                        slot.give_back(engine);
                    }
                }
            })
        };
        for _ in 0..200 {
            let engine = loop {
                if let Some(engine) = slot.withdraw() {
                    break engine;
                }
            };
            assert!(slot.withdraw().is_none() && slot.borrow().is_none());
            slot.put(engine);
        }
        stop.store(true, Relaxed);
        callback.join().unwrap();
        assert!(slot.withdraw().is_some());
    }
}
