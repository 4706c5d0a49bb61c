use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use kmidi_device::{AudioRequest, DeviceError, DeviceManager};

use crate::command::{Command, Position};
use crate::conductor::{Conductor, Note};
use crate::input::{OverInput, check_output};
use crate::pool::Pool;
use crate::rig::SoundSettings;
use crate::snapshot::{SessionEvent, Snapshot};

/// Events that can wait for a client; messages beyond that are dropped.
const EVENTS: usize = 1024;
/// Commands that can wait.
const COMMANDS: usize = 256;
/// How long closing may take; every part of it has a shorter limit of its own.
const CLOSE_LIMIT: Duration = Duration::from_secs(40);

/// What a session begins with.
#[derive(Clone, Debug, Default)]
pub struct SessionConfig {
    /// The playlist.
    pub songs: Vec<PathBuf>,
    /// The SoundFont; the built-in one otherwise.
    pub sound_font: Option<PathBuf>,
    /// How songs are to sound.
    pub sound: SoundSettings,
    /// Where each song starts.
    pub from: Option<Position>,
    /// Where each song ends.
    pub to: Option<Position>,
    /// Whether to repeat: the song from `from` to `to`, or a playlist of several songs as a whole.
    pub looping: bool,
    /// The device.
    pub audio: AudioRequest,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A thread cannot be had.
    #[error("no thread for the session: {0}")]
    Thread(#[from] std::io::Error),
    /// The WAV tap would replace a song or the SoundFont.
    #[error(transparent)]
    OverInput(#[from] OverInput),
    /// The device manager cannot be started.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// The application: give it [`Command`]s, look at its [`Snapshot`]s. Any number of threads may.
///
/// It ends when it is dropped, without a hang whatever the device does.
pub struct Session {
    commands: Sender<Command>,
    events: Receiver<SessionEvent>,
    shared: Arc<Mutex<Snapshot>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// Starts to open the device, the SoundFont and the first song, all at once, and plays as soon
    /// as they are there. What goes wrong comes as [`SessionEvent`]s.
    ///
    /// # Errors
    /// No thread can be started, or the WAV tap would replace what is played.
    pub fn start(config: SessionConfig) -> Result<Self, SessionError> {
        let inputs = config.songs.iter().chain(&config.sound_font);
        config.audio.wav_tap.as_ref().map_or(Ok(()), |tap| check_output(tap, inputs))?;
        let (commands, orders) = bounded(COMMANDS);
        // Never full, so that nobody who answers the conductor can wait for it while it waits for
        // them. What comes is bounded by what it has asked for.
        let (notes, inbox) = unbounded::<Note>();
        let (outbox, events) = bounded(EVENTS);
        let (end, ended) = bounded(0);
        let before = Snapshot { tempo_scale: config.sound.tempo_scale.as_f64(), ..Snapshot::default() };
        let shared = Arc::new(Mutex::new(before));
        let workers = thread::available_parallelism().map_or(1, |n| n.get());
        let pool = Pool::new(workers.min(4))?;
        let (manager, device_events) = DeviceManager::start()?;
        let snapshots = shared.clone();
        let thread = thread::Builder::new().name("kmidi-session".into()).spawn(move || {
            let _end = end;
            let conductor = Conductor::new(config, pool, manager, notes, outbox, snapshots);
            conductor.run(&orders, &inbox, &device_events);
        })?;
        Ok(Session { commands, events, shared, ended, thread: Some(thread) })
    }

    /// Asks for something. It is not done yet when this returns, and not at all if the session has
    /// closed.
    pub fn send(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// What the session is doing; not older than some 20 ms.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happens. The channel ends with the session.
    pub fn events(&self) -> &Receiver<SessionEvent> {
        &self.events
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.commands.send_timeout(Command::Quit, CLOSE_LIMIT);
        // The channel closes when the thread ends; what hangs in the system is left behind.
        let ended =
            self.ended.recv_timeout(CLOSE_LIMIT) == Err(crossbeam_channel::RecvTimeoutError::Disconnected);
        if let Some(thread) = self.thread.take().filter(|_| ended) {
            let _ = thread.join();
        }
    }
}
