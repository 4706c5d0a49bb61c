//! The thread that brings songs, sounds, engine and device together. It never waits for any of
//! them: files are read on workers and feeders, devices opened on a thread of their own, and what
//! they have to say comes as [`Note`]s.

mod commands;
mod device;
mod snapshot;
mod songs;
mod sounds;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use basedrop::Collector;
use crossbeam_channel::{Receiver, Sender, TrySendError, select};
use kmidi_core::{LoopRange, SongTime};
use kmidi_device::{DeviceError, DeviceEvent, DeviceManager, OpenDevice};
use kmidi_rt::Report;
use kmidi_soundfont::{KeySet, PresetKey};

use crate::command::Command;
use crate::feeder::{Answer, Feeder};
use crate::pool::{Cancel, JobError, Pool};
use crate::presets::Loaded;
use crate::rig::Rig;
use crate::session::SessionConfig;
use crate::shelf::Shelf;
use crate::snapshot::{Message, PlayState, SessionEvent, Severity, Snapshot};
use crate::song::{OpenError, OpenSong};
use crate::sound_bank::{SoundBank, SoundBankError};

/// Between two looks at the engine.
const TICK: Duration = Duration::from_millis(20);
/// How long tails may ring after the last song.
const LONGEST_TAIL: Duration = Duration::from_secs(30);
/// The part of a second in which the sound falls silent at the end: more than gains take to move.
const FADES_PER_SECOND: u32 = 30;
/// How long that is waited for.
const SILENCE_LIMIT: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(1);

/// What the conductor is told.
pub(crate) enum Note {
    SoundBank { generation: u32, opened: Result<Result<Arc<SoundBank>, SoundBankError>, JobError> },
    Song { number: usize, ticket: u64, opened: Result<Result<OpenSong, OpenError>, JobError> },
    Preset { generation: u32, key: PresetKey, keys: KeySet, loaded: Loaded },
    Device(Result<OpenDevice, DeviceError>),
    Feeder { id: u64, answer: Answer },
}

/// A song of the playlist on its way to the ears.
enum Slot {
    Idle,
    /// Being read; the ticket tells its answer from those of songs that are no longer wanted.
    Opening {
        ticket: u64,
        cancel: Cancel,
    },
    Open(OpenSong),
    Bad,
}

/// A song that the engine has, or will have as soon as its feeder is ready.
struct Part {
    /// Place in the playlist.
    number: usize,
    song: OpenSong,
    feeder: Feeder,
    looping: Option<LoopRange>,
    /// The engine has it.
    sent: bool,
    /// A seek whose answer has not come.
    seeking: Option<SongTime>,
}

/// A song that is to be begun as soon as all it needs is there.
#[derive(Clone, Copy)]
struct Wanted {
    number: usize,
    /// Where, in seconds; where the session's songs start if not given.
    at_seconds: Option<f64>,
}

pub(crate) struct Conductor {
    config: SessionConfig,
    pool: Pool,
    manager: Arc<DeviceManager>,
    notes: Sender<Note>,
    events: Sender<SessionEvent>,
    shared: Arc<Mutex<Snapshot>>,
    collector: Collector,

    device: Option<OpenDevice>,
    rig: Option<Rig>,

    bank: Option<Arc<SoundBank>>,
    /// Counts SoundFonts, to know what belongs to one that is no longer used.
    generation: u32,
    shelf: Shelf,
    /// On the shelf, but the synthesiser has not taken it yet.
    to_install: Vec<PresetKey>,
    missing_programs: u64,

    slots: Vec<Slot>,
    tickets: u64,
    timelines: u64,
    wanted: Option<Wanted>,
    current: Option<Part>,
    next: Option<Part>,

    state: PlayState,
    /// The song was playing when its device was lost.
    held_by_loss: bool,
    /// Since when tails ring out.
    ended_at: Option<Instant>,
    starvations: u64,
    closing: bool,
}

impl Conductor {
    pub fn new(
        config: SessionConfig,
        pool: Pool,
        manager: DeviceManager,
        notes: Sender<Note>,
        events: Sender<SessionEvent>,
        shared: Arc<Mutex<Snapshot>>,
    ) -> Self {
        Conductor {
            pool,
            manager: Arc::new(manager),
            notes,
            events,
            shared,
            collector: Collector::new(),
            device: None,
            rig: None,
            bank: None,
            generation: 0,
            shelf: Shelf::default(),
            to_install: vec![],
            missing_programs: 0,
            slots: config.songs.iter().map(|_| Slot::Idle).collect(),
            tickets: 0,
            timelines: 0,
            wanted: None,
            current: None,
            next: None,
            state: PlayState::Loading,
            held_by_loss: false,
            ended_at: None,
            starvations: 0,
            closing: false,
            config,
        }
    }

    /// Works until it is told to quit.
    pub fn run(
        mut self,
        orders: &Receiver<Command>,
        inbox: &Receiver<Note>,
        device_events: &Receiver<DeviceEvent>,
    ) {
        self.open_device();
        self.open_sound_bank();
        self.want(0, None);
        while !self.closing {
            select! {
                recv(orders) -> command => match command {
                    Ok(command) => self.obey(command),
                    // Nobody is left to ask for anything.
                    Err(_) => break,
                },
                recv(inbox) -> note => if let Ok(note) = note {
                    self.hear(note);
                },
                recv(device_events) -> event => if let Ok(event) = event {
                    self.hear_device(event);
                },
                default(TICK) => {}
            }
            self.look_at_engine();
            self.install_presets();
            self.begin_wanted();
            self.prepare_next();
            self.publish();
            self.collector.collect();
        }
        self.close();
    }

    fn hear(&mut self, note: Note) {
        match note {
            Note::SoundBank { generation, opened } => self.sound_bank_opened(generation, opened),
            Note::Song { number, ticket, opened } => self.song_opened(number, ticket, opened),
            Note::Preset { generation, key, keys, loaded } => {
                self.preset_loaded(generation, key, keys, loaded);
            }
            Note::Device(opened) => self.device_opened(opened),
            Note::Feeder { id, answer } => self.feeder_answered(id, answer),
        }
    }

    /// Fetches what the engine and the synthesiser have sent.
    fn look_at_engine(&mut self) {
        let Some(rig) = &mut self.rig else { return };
        rig.handle.collect();
        let reports: Vec<Report> = rig.handle.reports().collect();
        for report in reports {
            match report {
                Report::Began { timeline } => self.song_began(timeline),
                Report::Ended { timeline } => self.song_ended(timeline),
                Report::Starved => self.starvations += 1,
                Report::GuardTripped { non_finite, .. } => {
                    let what = if non_finite { "what is no number" } else { "more than +24 dBFS" };
                    self.tell(Severity::Warning, format!("a node was muted: it sent {what}"));
                }
            }
        }
        self.answer_requests();
        self.watch_tail();
    }

    /// Stops everything, the engine first: what it plays belongs to what is dropped after it.
    fn close(mut self) {
        for slot in &self.slots {
            if let Slot::Opening { cancel, .. } = slot {
                cancel.cancel();
            }
        }
        self.fall_silent();
        if let Err(error) = self.manager.close() {
            self.tell(Severity::Warning, error.to_string());
        }
        self.publish();
        let _ = self.events.send_timeout(SessionEvent::Closed, TICK);
        (self.current, self.next, self.rig) = (None, None, None);
        self.collector.collect();
    }

    /// Ends what sounds: notes are released, also those of instruments behind a MIDI port, and the
    /// level goes down without a click. A device that does not play on is not waited for.
    fn fall_silent(&mut self) {
        let (Some(rig), Some(device)) = (&mut self.rig, &self.device) else { return };
        let released = rig.handle.pause().and_then(|()| rig.handle.master_gain(0.0));
        let rest = device.sample_rate_hz / FADES_PER_SECOND + 2 * device.period_frames;
        let until = rig.handle.status().frames + u64::from(rest + device.latency_frames);
        let start = Instant::now();
        while released.is_ok() && rig.handle.status().frames < until && start.elapsed() < SILENCE_LIMIT {
            std::thread::sleep(POLL);
        }
    }

    fn tell(&self, severity: Severity, text: impl Into<String>) {
        self.emit(SessionEvent::Message(Message { severity, text: text.into() }));
    }

    /// Nobody who does not listen can hold the session up.
    fn emit(&self, event: SessionEvent) {
        match self.events.try_send(event) {
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }

    /// Says what cannot be mended, and ends.
    fn fail(&mut self, severity: Severity, text: impl Into<String>) {
        self.tell(severity, text);
        self.closing = true;
    }

    /// Does something with the engine; what does not get through is told.
    fn engine<E: std::fmt::Display>(&mut self, act: impl FnOnce(&mut Rig) -> Result<(), E>) {
        if let Some(rig) = &mut self.rig
            && let Err(error) = act(rig)
        {
            let text = error.to_string();
            self.tell(Severity::Warning, text);
        }
    }

    fn publish(&mut self) {
        let snapshot = self.take_snapshot();
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}
