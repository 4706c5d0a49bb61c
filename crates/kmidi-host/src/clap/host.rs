//! What the plugin may ask of the host, from any thread.

use std::cell::{RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use clack_extensions::audio_ports::{AudioPortRescanFlags, HostAudioPorts, HostAudioPortsImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::note_ports::{HostNotePorts, HostNotePortsImpl, NoteDialects, NotePortRescanFlags};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::preset_discovery::{HostPresetLoad, HostPresetLoadImpl};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_extensions::tail::{HostTail, HostTailImpl};
use clack_extensions::thread_check::{HostThreadCheck, HostThreadCheckImpl};
use clack_extensions::timer::{HostTimer, HostTimerImpl, TimerId};
use clack_host::prelude::*;

use super::log::BoundedLog;
use crate::Told;
use crate::role::{AudioThread, is_audio_thread, thread_token};
use crate::told::{Line, Teller};

/// Lines from other threads than the audio thread that can wait; more are dropped.
const WAITING_LINES: usize = 256;
/// Timers of one plugin.
const MAX_TIMERS: usize = 64;

/// What both halves and the plugin's threads share.
pub(super) struct Common {
    main_thread: usize,
    /// The thread that runs the audio half now; 0 if none does.
    audio_thread: AtomicUsize,
    teller: UnsafeCell<Teller>,
    lines: Mutex<VecDeque<Line>>,
    /// `request_callback` was called.
    pub callback: AtomicBool,
    /// `request_restart` was called.
    pub restart: AtomicBool,
    /// `request_process` was called.
    pub process: AtomicBool,
    /// `params.request_flush` was called.
    pub flush: AtomicBool,
    /// `latency.changed` was called.
    pub latency: AtomicBool,
    /// `state.mark_dirty` was called.
    pub dirty: AtomicBool,
    /// What the description says may no longer be so.
    pub stale: AtomicBool,
}

// SAFETY: all fields but `teller` are `Sync`; `teller` is touched in `Common::tell` alone, by the one thread that runs
// the audio half.
unsafe impl Sync for Common {}

impl Common {
    /// For a plugin whose main thread this is.
    pub fn new(teller: Teller) -> Self {
        Common {
            main_thread: thread_token(),
            audio_thread: AtomicUsize::new(0),
            teller: UnsafeCell::new(teller),
            lines: Mutex::new(VecDeque::with_capacity(WAITING_LINES)),
            callback: AtomicBool::new(false),
            restart: AtomicBool::new(false),
            process: AtomicBool::new(false),
            flush: AtomicBool::new(false),
            latency: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
            stale: AtomicBool::new(false),
        }
    }

    fn is_main_thread(&self) -> bool {
        thread_token() == self.main_thread && !is_audio_thread()
    }

    fn is_audio_thread(&self) -> bool {
        is_audio_thread() && self.audio_thread.load(Relaxed) == thread_token()
    }

    /// Tells the main half; false if there was no room, or this is not the audio thread. `[side A]`
    pub fn tell(&self, told: Told) -> bool {
        if !self.is_audio_thread() {
            return false;
        }
        // SAFETY: `audio_thread` names this thread, and only the audio half sets it, which one thread at a time has
        // (`OnAudioThread::enter` takes it exclusively); nothing called from here comes back to it.
        unsafe { (*self.teller.get()).tell(told) }
    }

    /// A line for the log, from whichever thread. Waits for nothing and allocates nothing. `[side A]`
    pub fn say(&self, text: &str) {
        if self.is_audio_thread() {
            self.tell(Told::Log(Line::new(text)));
            return;
        }
        let mut lines = match self.lines.try_lock() {
            Ok(lines) => lines,
            Err(TryLockError::Poisoned(lines)) => lines.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if lines.len() < WAITING_LINES {
            lines.push_back(Line::new(text));
        }
    }

    /// Takes a wish; looks before it writes, for mostly there is none. `[side A]`
    pub fn take(wish: &AtomicBool) -> bool {
        wish.load(Relaxed) && wish.swap(false, Relaxed)
    }

    /// The next line that was said on another thread than the audio thread.
    pub fn next_line(&self) -> Option<Line> {
        self.lines.lock().unwrap_or_else(|lines| lines.into_inner()).pop_front()
    }
}

/// While it lives, this thread is the plugin's audio thread. `[side A]`
pub(super) struct OnAudioThread<'a> {
    common: &'a Common,
    _role: AudioThread,
}

impl<'a> OnAudioThread<'a> {
    /// Only for the audio half, from methods that have it exclusively.
    pub fn enter(common: &'a Common) -> Self {
        common.audio_thread.store(thread_token(), Relaxed);
        OnAudioThread { common, _role: AudioThread::enter() }
    }
}

impl Drop for OnAudioThread<'_> {
    fn drop(&mut self) {
        self.common.audio_thread.store(0, Relaxed);
    }
}

/// The handlers' types.
pub(super) struct Host;

impl HostHandlers for Host {
    type Shared<'a> = Shared;
    type MainThread<'a> = Main;
    type AudioProcessor<'a> = Audio;

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Shared) {
        builder
            .register::<HostThreadCheck>()
            .register::<BoundedLog>()
            .register::<HostParams>()
            .register::<HostLatency>()
            .register::<HostState>()
            .register::<HostTail>()
            .register::<HostTimer>()
            .register::<HostAudioPorts>()
            .register::<HostNotePorts>()
            .register::<HostPresetLoad>();
    }
}

/// What any thread may call.
pub(super) struct Shared(pub Arc<Common>);

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.0.restart.store(true, Relaxed);
    }

    fn request_process(&self) {
        self.0.process.store(true, Relaxed);
    }

    fn request_callback(&self) {
        self.0.callback.store(true, Relaxed);
    }
}

impl HostThreadCheckImpl for Shared {
    fn is_main_thread(&self) -> bool {
        self.0.is_main_thread()
    }

    fn is_audio_thread(&self) -> bool {
        self.0.is_audio_thread()
    }
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {
        self.0.flush.store(true, Relaxed);
    }
}

/// What the audio thread may call.
pub(super) struct Audio;

impl AudioProcessorHandler<'_> for Audio {}

impl HostTailImpl for Audio {
    /// Nothing to do: the tail is asked for whenever the plugin is in it.
    fn changed(&mut self) {}
}

struct Timer {
    id: u32,
    period: Duration,
    due: Instant,
}

#[derive(Default)]
struct Timers {
    last_id: u32,
    timers: Vec<Timer>,
}

/// What the main thread may call. A plugin may break that rule: all but atomics looks at the thread first.
pub(super) struct Main {
    common: Arc<Common>,
    timers: RefCell<Timers>,
}

impl Main {
    pub fn new(common: Arc<Common>) -> Self {
        Main { common, timers: RefCell::default() }
    }

    /// Timers that are due; each is then due again a period later.
    pub fn due_timers(&self, now: Instant) -> Vec<TimerId> {
        let mut timers = self.timers.borrow_mut();
        let due = timers.timers.iter_mut().filter(|timer| timer.due <= now);
        due.map(|timer| {
            timer.due = now + timer.period;
            TimerId(timer.id)
        })
        .collect()
    }
}

impl MainThreadHandler<'_> for Main {}

impl HostTimerImpl for Main {
    fn register_timer(&self, period_ms: u32) -> Result<TimerId, HostError> {
        if !self.common.is_main_thread() {
            return Err(HostError::Message("timers are for the main thread"));
        }
        let mut timers = self.timers.borrow_mut();
        if timers.timers.len() >= MAX_TIMERS {
            return Err(HostError::Message("too many timers"));
        }
        timers.last_id = timers.last_id.wrapping_add(1);
        let period = Duration::from_millis(u64::from(period_ms.max(1)));
        let timer = Timer { id: timers.last_id, period, due: Instant::now() + period };
        timers.timers.push(timer);
        Ok(TimerId(timers.last_id))
    }

    fn unregister_timer(&self, id: TimerId) -> Result<(), HostError> {
        if !self.common.is_main_thread() {
            return Err(HostError::Message("timers are for the main thread"));
        }
        let mut timers = self.timers.borrow_mut();
        let before = timers.timers.len();
        timers.timers.retain(|timer| timer.id != id.0);
        match timers.timers.len() < before {
            true => Ok(()),
            false => Err(HostError::Message("there is no such timer")),
        }
    }
}

impl HostParamsImplMainThread for Main {
    fn rescan(&self, flags: ParamRescanFlags) {
        // Values are asked for when they are wanted; all else is in the description.
        if flags != ParamRescanFlags::VALUES {
            self.common.stale.store(true, Relaxed);
        }
    }

    /// Nothing here remembers a value or an automation of a parameter.
    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

impl HostLatencyImpl for Main {
    fn changed(&self) {
        self.common.latency.store(true, Relaxed);
    }
}

impl HostStateImpl for Main {
    fn mark_dirty(&self) {
        self.common.dirty.store(true, Relaxed);
    }
}

impl HostAudioPortsImpl for Main {
    fn is_rescan_flag_supported(&self, _: AudioPortRescanFlags) -> bool {
        true
    }

    fn rescan(&self, flags: AudioPortRescanFlags) {
        self.common.stale.store(true, Relaxed);
        if flags.requires_deactivate() {
            self.common.restart.store(true, Relaxed);
        }
    }
}

impl HostNotePortsImpl for Main {
    fn supported_dialects(&self) -> NoteDialects {
        NoteDialects::CLAP | NoteDialects::MIDI | NoteDialects::MIDI_MPE
    }

    fn rescan(&self, flags: NotePortRescanFlags) {
        self.common.stale.store(true, Relaxed);
        if flags.contains(NotePortRescanFlags::ALL) {
            self.common.restart.store(true, Relaxed);
        }
    }
}

impl HostPresetLoadImpl for Main {
    fn on_error(&self, _: Location, _: Option<&CStr>, _: i32, message: Option<&CStr>) {
        if let Some(message) = message {
            self.common.say(&message.to_string_lossy());
        }
    }

    /// The host asked for it and knows.
    fn loaded(&self, _: Location, _: Option<&CStr>) {}
}
