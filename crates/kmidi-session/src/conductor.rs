//! The thread that brings songs, sounds, engine and device together. It never waits for any of
//! them: files are read on workers and feeders, devices opened on a thread of their own, and what
//! they have to say comes as [`Note`]s.

mod commands;
mod device;
mod rack;
mod relief;
mod snapshot;
mod songs;
mod sounds;
mod stack;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use basedrop::Collector;
use crossbeam_channel::{Receiver, Sender, TrySendError, select};
use kmidi_core::{LoopRange, SongTime};
use kmidi_device::{DeviceError, DeviceEvent, DeviceManager, OpenDevice};
use kmidi_rt::Report;
use kmidi_soundfont::{KeySet, PresetKey};
use relief::Relief;
use stack::Stack;

use crate::command::Command;
use crate::feeder::{Answer, Feeder};
use crate::job::{Cancel, JobError};
use crate::pool::Pool;
use crate::presets::{self, Loaded};
use crate::rack::{Answer as PluginAnswer, Rack};
use crate::rig::Rig;
use crate::session::SessionConfig;
use crate::snapshot::{Message, PlayState, SessionEvent, Severity, Snapshot};
use crate::song::{OpenError, OpenSong};
use crate::sound_bank::{SoundBank, SoundBankError};
use crate::sound_fonts;

/// Between two looks at the engine.
const TICK: Duration = Duration::from_millis(20);
/// How long tails may ring after the last song.
const LONGEST_TAIL: Duration = Duration::from_secs(30);
/// The part of a second in which the sound falls silent at the end: more than gains take to move.
const FADES_PER_SECOND: u32 = 30;
/// How long that is waited for.
const SILENCE_LIMIT: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_millis(1);
/// Between two counts of page faults.
const FAULTS_INTERVAL: Duration = Duration::from_secs(1);

/// What the conductor is told.
pub(crate) enum Note {
    SoundBank { generation: u32, opened: Result<Result<Arc<SoundBank>, SoundBankError>, JobError> },
    Song { number: usize, ticket: u64, opened: Result<Result<OpenSong, OpenError>, JobError> },
    Preset { generation: u32, key: PresetKey, keys: KeySet, loaded: Loaded },
    Device(Result<OpenDevice, DeviceError>),
    Feeder { id: u64, answer: Box<Answer> },
    Plugin(PluginAnswer),
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
    rack: Rack,

    /// The SoundFonts in use.
    stack: Stack,
    /// Those that are to take their place.
    swap: Option<Stack>,
    /// Counts stacks, to know what belongs to one that is no longer used.
    generations: u32,
    /// Loaded, but not yet in the ring of the synthesiser.
    to_install: Vec<PresetKey>,
    /// The synthesiser is to look into its ring, even if nothing plays.
    wake_synth: bool,
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
    /// Of the threads that call the engine, and when they were counted.
    page_faults: Option<u64>,
    faults_counted: Instant,
    relief: Relief,
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
            rack: rack::new(&config, notes.clone()),
            notes,
            events,
            shared,
            collector: presets::collector(),
            device: None,
            rig: None,
            stack: Stack::new(0, sound_fonts::stack(&config.sound_fonts)),
            swap: None,
            generations: 0,
            to_install: vec![],
            wake_synth: false,
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
            page_faults: None,
            faults_counted: Instant::now(),
            relief: Relief::new(&config.budgets),
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
        self.pump_stacks();
        if !self.slots.is_empty() {
            self.want(0, None);
        }
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
            self.pump_stacks();
            self.pump_rack();
            self.finish_swap();
            self.drop_unneeded();
            self.install_presets();
            self.begin_wanted();
            self.prepare_next();
            self.publish();
            self.collector.collect();
            self.free_samples();
        }
        self.close(inbox);
    }

    fn hear(&mut self, note: Note) {
        match note {
            Note::SoundBank { generation, opened } => self.sound_bank_opened(generation, opened),
            Note::Song { number, ticket, opened } => self.song_opened(number, ticket, opened),
            Note::Preset { generation, key, keys, loaded } => {
                self.preset_loaded(generation, key, keys, loaded);
            }
            Note::Device(opened) => self.device_opened(opened),
            Note::Feeder { id, answer } => self.feeder_answered(id, *answer),
            Note::Plugin(answer) => self.hear_plugin(answer),
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
                Report::GuardTripped { slot, non_finite, quantum } => {
                    self.tell_guard(slot, non_finite, quantum);
                }
            }
        }
        self.answer_requests();
        self.watch_tail();
    }

    /// Stops everything, the engine first: what it plays belongs to what is dropped after it.
    fn close(mut self, inbox: &Receiver<Note>) {
        for slot in &self.slots {
            if let Slot::Opening { cancel, .. } = slot {
                cancel.cancel();
            }
        }
        for stack in [Some(&self.stack), self.swap.as_ref()].into_iter().flatten() {
            stack.cancel();
        }
        self.fall_silent();
        if let Err(error) = self.manager.close() {
            self.tell(Severity::Warning, error.to_string());
        }
        self.publish();
        let _ = self.events.send_timeout(SessionEvent::Closed, TICK);
        let Conductor { pool, manager, rig, rack, stack, swap, slots, current, next, mut collector, .. } =
            self;
        // The jobs that still run deliver what they have; nobody wants it.
        drop((pool, manager));
        inbox.try_iter().for_each(drop);
        // What nothing holds any more is freed by the collector alone: it is the last to go.
        drop((current, next, rig, stack, swap, slots));
        // Plugins end when their audio halves have: those that the engine had are gone with it.
        inbox.try_iter().for_each(drop);
        rack.close();
        collector.collect();
        // A device that hangs may keep something for good.
        let _ = collector.try_cleanup();
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
            // What is sent belongs to side A from then on.
            && let Err(text) = kmidi_memory::audio_heap("a message to the engine", || act(rig))
                .map_err(|exceeded| exceeded.to_string())
                .and_then(|done| done.map_err(|error| error.to_string()))
        {
            self.tell(Severity::Warning, text);
        }
    }

    fn publish(&mut self) {
        if self.page_faults.is_none() || self.faults_counted.elapsed() >= FAULTS_INTERVAL {
            (self.page_faults, self.faults_counted) = (self.manager.page_faults(), Instant::now());
        }
        let snapshot = self.take_snapshot();
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}
