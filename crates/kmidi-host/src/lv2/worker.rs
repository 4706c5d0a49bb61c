//! Work that a plugin hands to another thread.
//!
//! Offline the work is done behind the run that asked for it, on the same thread, and its responses are delivered
//! before the quantum ends. Live a thread looks for it: waking a thread takes a system call, which the audio callback
//! must not make, so the thread looks of its own accord, each millisecond while there is work and less often else.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::abi::{Handle, WORKER_ERR_NO_SPACE, WORKER_ERR_UNKNOWN, WORKER_SUCCESS, WorkerInterface};
use crate::role::is_audio_thread;

/// Bytes that can wait each way; what does not fit the plugin is told.
const RING_BYTES: usize = 1 << 16;
/// Most messages that are worked on, or answered, at one go: a plugin that answers each response with work does not hang
/// its host.
const MAX_MESSAGES: usize = 256;
/// How long the thread sleeps while there is work, and at most.
const SLEEP_MS: std::ops::RangeInclusive<u64> = 1..=10;

thread_local! {
    static IS_AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// The work of one instance.
pub struct Worker {
    plugin: OnceLock<WorkerInterface>,
    handle: AtomicPtr<c_void>,
    audio: UnsafeCell<AudioSide>,
    work: Mutex<WorkSide>,
}

/// What the audio half alone touches.
struct AudioSide {
    requests: Producer<u8>,
    responses: Consumer<u8>,
    message: Box<[u8]>,
}

/// What belongs to whoever works.
struct WorkSide {
    requests: Consumer<u8>,
    responses: Producer<u8>,
    message: Box<[u8]>,
}

// SAFETY: `audio` is touched by the one thread that runs the audio half only; the rest is made for several. The plugin
// promises that `work` may be called beside `run`, and `work` is called under a lock.
unsafe impl Send for Worker {}
// SAFETY: as above.
unsafe impl Sync for Worker {}

impl Worker {
    /// A worker without a plugin. `[side B]`
    pub fn new() -> Self {
        let message = || vec![0; RING_BYTES].into_boxed_slice();
        let (asks, requests) = RingBuffer::new(RING_BYTES);
        let (responses, hears) = RingBuffer::new(RING_BYTES);
        Worker {
            plugin: OnceLock::new(),
            handle: AtomicPtr::new(std::ptr::null_mut()),
            audio: UnsafeCell::new(AudioSide { requests: asks, responses: hears, message: message() }),
            work: Mutex::new(WorkSide { requests, responses, message: message() }),
        }
    }

    /// Gives it the plugin to work for. `[side B]`
    pub fn set_plugin(&self, handle: Handle, interface: WorkerInterface) {
        self.handle.store(handle, Ordering::Release);
        let _ = self.plugin.set(interface);
    }

    /// Whether the plugin has work at all.
    pub fn is_used(&self) -> bool {
        self.plugin.get().is_some()
    }

    /// Does the work that waits, at most so many messages of it; how many there were.
    pub fn work(&self, most: usize) -> usize {
        let Some(plugin) = self.plugin.get() else { return 0 };
        let mut side = self.work.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for done in 0..most {
            let Some(size) = side.next_request() else { return done };
            self.call(plugin, &mut side, size);
        }
        most
    }

    /// One call of the plugin's work with the first `size` bytes of the message.
    fn call(&self, plugin: &WorkerInterface, side: &mut WorkSide, size: usize) {
        let Some(work) = plugin.work else { return };
        let responses: *mut Producer<u8> = &mut side.responses;
        let data = side.message[..size].as_ptr();
        let before = IS_AT_WORK.replace(true);
        // SAFETY: the instance lives as long as its worker is used; `respond` gets the ring it is made for, which
        // nothing else touches during the call, as the lock is held.
        unsafe {
            work(self.handle.load(Ordering::Acquire), respond, responses.cast(), size as u32, data.cast());
        }
        IS_AT_WORK.set(before);
    }

    /// Work that is asked for outside of `run`: done at once, on this thread. `[side B]`
    fn work_now(&self, data: &[u8]) -> u32 {
        let Some(plugin) = self.plugin.get() else { return WORKER_ERR_UNKNOWN };
        let mut side = self.work.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(message) = side.message.get_mut(..data.len()) else { return WORKER_ERR_NO_SPACE };
        message.copy_from_slice(data);
        self.call(plugin, &mut side, data.len());
        WORKER_SUCCESS
    }

    /// Delivers the responses and ends the run. `[side A]`
    ///
    /// # Safety
    /// On the thread that has just run the plugin.
    pub unsafe fn deliver(&self, is_offline: bool) {
        let Some(plugin) = self.plugin.get() else { return };
        let mut room = MAX_MESSAGES;
        loop {
            let worked = if is_offline { self.work(room) } else { 0 };
            room -= worked;
            // SAFETY: the caller is the audio half, which alone touches this.
            unsafe { self.respond_all(plugin) };
            if worked == 0 || room == 0 {
                break;
            }
        }
        if let Some(end_run) = plugin.end_run {
            // SAFETY: the instance lives; this is the thread that runs it.
            unsafe { end_run(self.handle.load(Ordering::Acquire)) };
        }
    }

    /// # Safety
    /// As [`Worker::deliver`].
    unsafe fn respond_all(&self, plugin: &WorkerInterface) {
        let handle = self.handle.load(Ordering::Acquire);
        for _ in 0..MAX_MESSAGES {
            // SAFETY: the caller is the audio half; the borrow ends before the plugin is called, and what the plugin
            // gets is a buffer that `schedule` does not touch.
            let (data, size) = unsafe {
                let side = &mut *self.audio.get();
                match pop_message(&mut side.responses, &mut side.message) {
                    Some(size) => (side.message.as_ptr(), size),
                    None => return,
                }
            };
            if let Some(work_response) = plugin.work_response {
                // SAFETY: the instance lives; this is the thread that runs it.
                unsafe { work_response(handle, size as u32, data.cast()) };
            }
        }
    }
}

impl WorkSide {
    fn next_request(&mut self) -> Option<usize> {
        pop_message(&mut self.requests, &mut self.message)
    }
}

/// A message is its length, 4 bytes, and its bytes. Both are in the ring or neither is.
fn push_message(ring: &mut Producer<u8>, data: &[u8]) -> u32 {
    let Ok(mut chunk) = ring.write_chunk(data.len().saturating_add(4)) else { return WORKER_ERR_NO_SPACE };
    let (first, second) = chunk.as_mut_slices();
    let len = (data.len() as u32).to_ne_bytes();
    copy_to(first, second, 0, &len);
    copy_to(first, second, len.len(), data);
    chunk.commit_all();
    WORKER_SUCCESS
}

/// Copies into two slices as if they were one, from `at` on.
fn copy_to(first: &mut [u8], second: &mut [u8], at: usize, data: &[u8]) {
    let (one, two) = data.split_at(data.len().min(first.len().saturating_sub(at)));
    if !one.is_empty() {
        first[at..at + one.len()].copy_from_slice(one);
    }
    let at = (at + one.len()).saturating_sub(first.len());
    second[at..at + two.len()].copy_from_slice(two);
}

fn pop_message(ring: &mut Consumer<u8>, message: &mut [u8]) -> Option<usize> {
    let mut len = [0; 4];
    ring.pop_entire_slice(&mut len).ok()?;
    let len = u32::from_ne_bytes(len) as usize;
    ring.pop_entire_slice(&mut message[..len]).ok()?;
    Some(len)
}

/// The bytes that a plugin gives.
///
/// # Safety
/// `data` has `size` bytes, or is null.
unsafe fn bytes<'a>(size: u32, data: *const c_void) -> &'a [u8] {
    match data.is_null() || size == 0 {
        true => &[],
        // SAFETY: the caller's promise.
        false => unsafe { std::slice::from_raw_parts(data.cast(), size as usize) },
    }
}

/// `LV2_Worker_Schedule::schedule_work`. `[side A]` from `run`, else `[side B]`
///
/// # Safety
/// `handle` is a [`Worker`]; `data` has `size` bytes.
pub unsafe extern "C" fn schedule(handle: *mut c_void, size: u32, data: *const c_void) -> u32 {
    // SAFETY: the handle is what the feature was made with, and lives as long as the instance.
    let worker = unsafe { &*handle.cast::<Worker>() };
    // SAFETY: the plugin's promise.
    let data = unsafe { bytes(size, data) };
    // Work does not ask for work.
    if !worker.is_used() || IS_AT_WORK.get() {
        return WORKER_ERR_UNKNOWN;
    }
    if !is_audio_thread() {
        return worker.work_now(data);
    }
    // SAFETY: this is the thread that runs the audio half, in a call of the plugin, and no other borrow is alive then.
    push_message(unsafe { &mut (*worker.audio.get()).requests }, data)
}

/// `LV2_Worker_Respond_Function`
unsafe extern "C" fn respond(handle: *mut c_void, size: u32, data: *const c_void) -> u32 {
    // SAFETY: the handle is the ring that `Worker::call` gave, during that call; `data` is the plugin's promise.
    unsafe { push_message(&mut *handle.cast::<Producer<u8>>(), bytes(size, data)) }
}

/// The thread that works for a plugin that runs live. Dropping it waits for the work under way.
pub struct WorkerThread {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WorkerThread {
    /// Starts it. `keep` is held as long as the thread lives. `[side B]`
    pub fn start<T: Send + Sync + 'static>(keep: Arc<T>, worker: fn(&T) -> &Worker) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        let run = move || {
            let mut sleep_ms = *SLEEP_MS.end();
            while !asked.load(Ordering::Acquire) {
                sleep_ms = match worker(&keep).work(MAX_MESSAGES) {
                    0 => (sleep_ms + 1).min(*SLEEP_MS.end()),
                    _ => *SLEEP_MS.start(),
                };
                std::thread::park_timeout(Duration::from_millis(sleep_ms));
            }
        };
        let thread = std::thread::Builder::new().name("lv2-worker".to_owned()).spawn(run)?;
        Ok(WorkerThread { stop, thread: Some(thread) })
    }
}

impl Drop for WorkerThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_does_not_fit_is_refused_whole() {
        let (mut producer, mut consumer) = RingBuffer::new(16);
        let mut message = [0; 16];
        assert_eq!(push_message(&mut producer, b"12345678"), WORKER_SUCCESS);
        assert_eq!(push_message(&mut producer, b"1"), WORKER_ERR_NO_SPACE);
        assert_eq!(push_message(&mut producer, b""), WORKER_SUCCESS);
        assert_eq!(pop_message(&mut consumer, &mut message), Some(8));
        assert_eq!(&message[..8], b"12345678");
        assert_eq!(pop_message(&mut consumer, &mut message), Some(0));
        assert_eq!(pop_message(&mut consumer, &mut message), None);
        // Around the end of the ring at every place.
        for n in 0..40u8 {
            let data = vec![n; usize::from(n) % 9];
            assert_eq!(push_message(&mut producer, &data), WORKER_SUCCESS);
            assert_eq!(pop_message(&mut consumer, &mut message), Some(data.len()));
            assert_eq!(message[..data.len()], data);
        }
    }
}
