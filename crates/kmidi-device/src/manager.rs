use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use kmidi_sys::Scheduling;

use crate::stream::{Engine, Shared};
use crate::watch::Watch;
use crate::{AudioRequest, Backend, DeviceError, OnLoss, OpenDevice};

/// Events that can wait; what does not fit is dropped.
const EVENTS: usize = 256;
/// Every call that may hang has a shorter limit; this one only guards against a bug of ours.
const REPLY_LIMIT: Duration = Duration::from_secs(30);

/// What a device has to tell, from the manager's thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEvent {
    /// The device no longer calls. The null clock is about to call in its place, unless `action`
    /// is [`OnLoss::Stop`]; the device is probed until it is back.
    Lost {
        /// The device's name.
        name: String,
        /// In plain words.
        reason: String,
        /// What the request said: [`OnLoss::Pause`] asks the listener to pause the song.
        action: OnLoss,
    },
    /// The same device calls again.
    Restored(OpenDevice),
    /// The same device is there again at another sample rate. The null clock goes on at the old one
    /// until [`DeviceManager::install`] brings an engine for the new one.
    RateChanged(OpenDevice),
    /// Callbacks have another length from now on.
    PeriodChanged {
        /// In frames.
        period_frames: u32,
    },
    /// Audio was missing.
    Xruns {
        /// Since the last such event.
        new: u64,
        /// Since the device was opened.
        total: u64,
    },
    /// The WAV tap could not be written: there is no file, and nothing more is kept.
    TapFailed {
        /// In plain words.
        reason: String,
    },
    /// The engine is inside a callback that does not return; it is taken over as soon as it does.
    EngineStuck,
}

/// A reading of the stream's counters.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceStatus {
    /// What was opened; `None`: nothing is.
    pub device: Option<OpenDevice>,
    /// What calls the engine now: the device's backend, or the null clock while it is lost.
    pub calling: Option<Backend>,
    /// Callbacks of the stream that calls now.
    pub callbacks: u64,
    /// Frames of the stream that calls now.
    pub frames: u64,
    /// Xruns since the device was opened.
    pub xruns: u64,
    /// Share of the period spent in the engine over the last second; 1.0 is all of it.
    pub load: f32,
    /// The highest share of the last seconds.
    pub load_peak: f32,
    /// MIDI messages that did not fit.
    pub midi_in_dropped: u64,
    /// MIDI messages that did not fit.
    pub midi_out_dropped: u64,
    /// Frames that the WAV tap has lost.
    pub tap_dropped_frames: u64,
    /// How the calling thread is scheduled.
    pub scheduling: Option<Scheduling>,
}

/// What [`DeviceManager::status`] reads.
#[derive(Default)]
pub(crate) struct Current {
    pub(crate) device: Option<OpenDevice>,
    pub(crate) calling: Option<(Backend, Arc<Shared>)>,
    /// Of streams that have ended since the device was opened.
    pub(crate) xruns_before: u64,
    pub(crate) faults_before: u64,
}

pub(crate) type SharedCurrent = Arc<Mutex<Current>>;

pub(crate) enum Command {
    Open(Box<AudioRequest>, Sender<Result<OpenDevice, DeviceError>>),
    Install(Box<Engine>, Sender<Result<Option<Engine>, DeviceError>>),
    Close(Sender<Result<Option<Engine>, DeviceError>>),
    Quit,
}

/// Opens, watches and closes devices on a thread of its own. `[side B]`
///
/// No call of it waits for a system that hangs: each has a time limit, and what hangs is left behind.
pub struct DeviceManager {
    commands: Sender<Command>,
    current: SharedCurrent,
    thread: Option<JoinHandle<()>>,
    ended: Receiver<()>,
}

impl DeviceManager {
    /// Starts the thread. Events that nobody receives are dropped.
    ///
    /// # Errors
    /// [`DeviceError::NoThread`].
    pub fn start() -> Result<(Self, Receiver<DeviceEvent>), DeviceError> {
        let (commands, inbox) = bounded(16);
        let (events, outbox) = bounded(EVENTS);
        let (end, ended) = bounded(0);
        let current = SharedCurrent::default();
        let watch = Watch::new(inbox, events, current.clone());
        let thread = std::thread::Builder::new()
            .name("kmidi-device".to_owned())
            .spawn(move || {
                let _end = end;
                watch.run();
            })
            .map_err(|error| DeviceError::NoThread { reason: error.to_string() })?;
        Ok((DeviceManager { commands, current, thread: Some(thread), ended }, outbox))
    }

    /// Opens a device; one that is open is closed before. It plays silence until an engine is
    /// installed, for the sample rate and channels that this returns; an engine that is installed
    /// already goes on in the new device.
    ///
    /// # Errors
    /// Why the device does not open. With no backend asked for there is always one: the null clock.
    pub fn open(&self, request: AudioRequest) -> Result<OpenDevice, DeviceError> {
        request.validate()?;
        self.ask(|reply| Command::Open(Box::new(request), reply))
    }

    /// Hands the engine over; the one before comes back. With no device open it waits for one.
    /// After [`DeviceEvent::RateChanged`] this is what makes the device play again.
    ///
    /// # Errors
    /// [`DeviceError::EngineStuck`]: the new engine is dropped, the old one stays.
    pub fn install(&self, engine: Engine) -> Result<Option<Engine>, DeviceError> {
        self.ask(|reply| Command::Install(Box::new(engine), reply))
    }

    /// Closes the device and gives the engine back.
    ///
    /// # Errors
    /// [`DeviceError::EngineStuck`]: it is left behind with its stream.
    pub fn close(&self) -> Result<Option<Engine>, DeviceError> {
        self.ask(Command::Close)
    }

    /// A reading of the counters.
    pub fn status(&self) -> DeviceStatus {
        use std::sync::atomic::Ordering::Relaxed;
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = current.calling.as_ref().map(|(_, shared)| &**shared);
        let read = |counter: fn(&Shared) -> u64| shared.map_or(0, counter);
        let level = |level: fn(&Shared) -> u32| f32::from_bits(shared.map_or(0, level));
        DeviceStatus {
            device: current.device.clone(),
            calling: current.calling.as_ref().map(|(backend, _)| *backend),
            callbacks: read(|it| it.callbacks.load(Relaxed)),
            frames: read(|it| it.frames.load(Relaxed)),
            xruns: current.xruns_before + read(|it| it.xruns.load(Relaxed)),
            load: level(|it| it.load.load(Relaxed)),
            load_peak: level(|it| it.load_peak.load(Relaxed)),
            midi_in_dropped: read(|it| it.midi_in_dropped.load(Relaxed)),
            midi_out_dropped: read(|it| it.midi_out_dropped.load(Relaxed)),
            tap_dropped_frames: read(|it| it.tap_dropped.load(Relaxed)),
            scheduling: shared.and_then(Shared::scheduling),
        }
    }

    /// Page faults of the threads that called the engine, each since its first callback began. Asks the
    /// system: not to be done often. None where it does not tell.
    pub fn page_faults(&self) -> Option<u64> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = current.calling.as_ref().map_or(0, |(_, shared)| shared.page_faults());
        cfg!(target_os = "linux").then_some(current.faults_before + now)
    }

    fn ask<T>(
        &self,
        command: impl FnOnce(Sender<Result<T, DeviceError>>) -> Command,
    ) -> Result<T, DeviceError> {
        let (reply, answer) = bounded(1);
        self.commands.send_timeout(command(reply), REPLY_LIMIT).map_err(|_| DeviceError::Ended)?;
        answer.recv_timeout(REPLY_LIMIT).unwrap_or(Err(DeviceError::Ended))
    }
}

impl Drop for DeviceManager {
    /// Closes the device and drops the engine, unless that hangs.
    fn drop(&mut self) {
        let asked = self.commands.send_timeout(Command::Quit, REPLY_LIMIT).is_ok();
        // The channel closes when the thread ends.
        let ended = asked
            && self.ended.recv_timeout(REPLY_LIMIT) == Err(crossbeam_channel::RecvTimeoutError::Disconnected);
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            thread.join().ok();
        }
    }
}
