//! A rack that is played live: its file, the session that plays it, and the journal of what is changed meanwhile, kept
//! in step.

mod autosave;
mod changes;
mod command;
mod end;
mod parameters;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use kmidi_device::AudioRequest;
use kmidi_memory::Budgets;
use serde::Serialize;

use self::autosave::Autosave;
use self::changes::{States, commands_between, request_of};
pub use self::command::{ParseCommandError, RackCommand};
use crate::command::Command;
use crate::rack::{PluginSnapshot, PluginState, RackConfig, SavedPlugin};
use crate::rack_file::{Rack, RackEdit, RackFileError, RackStore, RackValue};
use crate::session::{Session, SessionConfig, SessionError};
use crate::snapshot::{Message, SessionEvent, Severity, Snapshot};

/// How long plugins may take to say their states at the end.
const LAST_SAVE_LIMIT: Duration = Duration::from_secs(10);
/// Longer than a value takes until its plugin has it.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// How long it takes at most until plugins have what they were loaded with.
const SETTLING: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(5);
/// What it means that there is no journal.
const UNWRITTEN: &str = "what is changed now is lost if the program crashes";

/// What to play live.
#[derive(Clone, Debug)]
pub struct LiveRackConfig {
    /// The rack file.
    pub path: PathBuf,
    /// The device; its MIDI input plays the rack.
    pub audio: AudioRequest,
    /// Whose memory it uses.
    pub budgets: Budgets,
}

/// Why there is no live rack.
#[derive(Debug, thiserror::Error)]
pub enum LiveRackError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] RackFileError),
    /// No session can be started.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What happened in a live rack.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum RackEvent {
    /// Every plugin plays, or it is said why not.
    Ready,
    /// Something to tell the user.
    Message(Message),
    /// A controller has moved a parameter.
    Parameter {
        /// The slot's name.
        slot: String,
        /// The parameter's symbol.
        symbol: String,
        /// Its value, as the plugin counts.
        value: f64,
    },
    /// The file has all that was changed.
    Saved,
    /// The file was read again.
    Reloaded,
    /// The session has ended by itself.
    Closed,
}

/// Why states were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// To know later what has changed.
    AtFirst,
    Autosave,
    Save,
}

/// A slot as it was when it had been loaded.
#[derive(Default)]
struct Baseline {
    state: Option<Vec<u8>>,
    parameters: BTreeMap<String, f64>,
    /// From where to where its parameters go.
    ranges: BTreeMap<String, (f64, f64)>,
}

/// A rack that plays.
pub struct LiveRack {
    session: Session,
    store: RackStore,
    /// The session's numbers of the slots, by their names.
    numbers: Vec<(String, u32)>,
    next_number: u32,
    started: Instant,
    tickets: u64,
    asked: Option<(u64, Asked)>,
    baselines: BTreeMap<String, Baseline>,
    /// When a parameter was set here, by its slot and symbol.
    set_at: BTreeMap<(String, String), Duration>,
    /// What its plugin has been asked to understand before it counts.
    asked_for: BTreeSet<(String, String)>,
    /// The last change could not be written down, which has been told.
    is_unwritten: bool,
    is_ready: bool,
    /// Since when all plugins are loaded.
    loaded_at: Option<Duration>,
    autosave: Autosave,
    /// Whether the audio input of the device was asked for.
    hears_device: bool,
    events: Vec<RackEvent>,
}

impl LiveRack {
    /// Opens the file and starts to play it. What cannot be had is told, and the rest plays.
    ///
    /// # Errors
    /// [`LiveRackError`].
    pub fn start(config: LiveRackConfig) -> Result<Self, LiveRackError> {
        let mut events = Vec::new();
        let mut warn = |text: String| events.push(message(Severity::Warning, text));
        let (store, opened) = match RackStore::open(&config.path, true) {
            Err(error @ RackFileError::Write { .. }) => {
                warn(format!("{error}; {UNWRITTEN}"));
                RackStore::open(&config.path, false)?
            }
            opened => opened?,
        };
        opened.warnings.into_iter().for_each(&mut warn);
        if opened.restored_edits > 0 {
            let count = opened.restored_edits;
            warn(format!(
                "{count} changes that were not saved the last time are here again, and are saved at the end"
            ));
        }
        let hears_device = config.audio.channels_in > 0;
        let session = Session::start(SessionConfig {
            rack: RackConfig { synthesiser: false, ..RackConfig::default() },
            audio: AudioRequest {
                channels_out: config.audio.channels_out.max(store.rack().device_channels()),
                ..config.audio
            },
            budgets: config.budgets,
            ..SessionConfig::default()
        })?;
        let mut rack = LiveRack {
            session,
            store,
            numbers: Vec::new(),
            next_number: 0,
            started: Instant::now(),
            tickets: 0,
            asked: None,
            baselines: BTreeMap::new(),
            set_at: BTreeMap::new(),
            asked_for: BTreeSet::new(),
            is_unwritten: false,
            is_ready: false,
            loaded_at: None,
            autosave: Autosave::default(),
            hears_device,
            events,
        };
        rack.follow(&Rack { gain_db: 0.0, slots: Vec::new() }, States::OfFile);
        Ok(rack)
    }

    /// The rack as it is now.
    pub fn rack(&self) -> &Rack {
        self.store.rack()
    }

    /// Whether something has not been saved.
    pub fn is_changed(&self) -> bool {
        self.store.is_changed()
    }

    /// What the session is doing; its plugins are the rack's slots, in their order.
    pub fn snapshot(&self) -> Snapshot {
        self.session.snapshot()
    }

    /// The name of a slot of the snapshot.
    pub fn name_of(&self, number: u32) -> Option<&str> {
        self.numbers.iter().find(|(_, it)| *it == number).map(|(name, _)| name.as_str())
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn tell(&mut self, severity: Severity, text: String) {
        self.events.push(message(severity, text));
    }

    /// Has the session do what leads from one rack to the present one.
    fn follow(&mut self, before: &Rack, states: States) {
        let mut warnings = Vec::new();
        let store = &self.store;
        let request = |slot: &crate::rack_file::RackSlot| {
            let state = store.state(&slot.name).unwrap_or_else(|error| {
                warnings.push(format!("{}: {error}: it begins as it comes", slot.name));
                None
            });
            request_of(slot, state)
        };
        let commands =
            commands_between(before, store.rack(), states, &mut self.numbers, &mut self.next_number, request);
        let is_deaf = |slot: &&crate::rack_file::RackSlot| {
            slot.audio_in && before.slot(&slot.name).is_none_or(|before| !before.audio_in)
        };
        if !self.hears_device {
            warnings.extend(
                store.rack().slots.iter().filter(is_deaf).map(|slot| {
                    format!("{} has audio_in, and hears nothing: start with --audio-in", slot.name)
                }),
            );
        }
        for command in commands {
            if let Command::ReplacePlugin { slot, .. } = command
                && let Some(name) = self.name_of(slot).map(str::to_owned)
            {
                // It is another one.
                self.baselines.remove(&name);
                self.asked_for.retain(|(slot, _)| *slot != name);
            }
            self.session.send(command);
        }
        warnings.into_iter().for_each(|text| self.tell(Severity::Warning, text));
    }

    /// Does what is asked for.
    pub fn obey(&mut self, command: RackCommand) {
        let edit = match command {
            // Before it is known how plugins were loaded nothing can have changed in them: what there is is in the text.
            RackCommand::Save if !self.is_ready => return self.save(),
            RackCommand::Save => return self.ask(Asked::Save),
            RackCommand::Reload => return self.reload(),
            RackCommand::NudgeGain { step_db } => {
                RackEdit::Gain { gain_db: f64::from((self.rack().gain_db + step_db).clamp(-60.0, 24.0)) }
            }
            RackCommand::ToggleBypass { slot } => {
                let bypassed = !self.rack().slot(&slot).is_some_and(|slot| slot.bypassed);
                RackEdit::Bypass { slot, bypassed }
            }
            RackCommand::Edit(RackEdit::Parameter { slot, symbol, value }) => {
                match self.settable(slot, &symbol, value) {
                    Some(edit) => edit,
                    None => return,
                }
            }
            RackCommand::Edit(edit) => edit,
        };
        let before = self.rack().clone();
        if self.edit(edit) {
            self.follow(&before, States::OfPlugins);
        }
    }

    /// Makes a change and writes it down.
    fn edit(&mut self, edit: RackEdit) -> bool {
        let (now, edit) = (self.now(), self.rack().as_written(edit));
        self.autosave.changed(now);
        let edited = self.store.edit(edit, now);
        // It is made, and told once until the next that is written down.
        let is_unwritten = matches!(edited, Err(RackFileError::Write { .. }));
        match &edited {
            Ok(()) => {}
            Err(_) if is_unwritten && self.is_unwritten => {}
            Err(error) if is_unwritten => self.tell(Severity::Warning, format!("{error}; {UNWRITTEN}")),
            Err(error) => self.tell(Severity::Warning, error.to_string()),
        }
        self.is_unwritten = is_unwritten;
        edited.is_ok() || is_unwritten
    }

    fn reload(&mut self) {
        match self.take_up_file() {
            Ok(()) => self.events.push(RackEvent::Reloaded),
            Err(error) => self.tell(Severity::Warning, format!("{error}; the rack stays as it was")),
        }
    }

    /// Goes on with what the file says, and with what has not been saved here where the file says nothing new of it.
    fn take_up_file(&mut self) -> Result<(), RackFileError> {
        let mut before = self.rack().clone();
        let reopened = self.store.reload()?;
        reopened.warnings.into_iter().for_each(|text| self.tell(Severity::Warning, text));
        for slot in before.slots.iter_mut().filter(|slot| reopened.rewritten_states.contains(&slot.name)) {
            // The file has its old name, and is another one.
            slot.state = None;
        }
        self.follow(&before, States::OfFile);
        Ok(())
    }

    fn ask(&mut self, what: Asked) {
        // An answer that is under way has what was there when it was asked for: a save wants what is there now.
        self.tickets += 1;
        self.asked = Some((self.tickets, what));
        self.session.send(Command::SavePlugins { ticket: self.tickets });
    }

    /// Looks at what has happened; to be called several times a second.
    pub fn tick(&mut self) -> Vec<RackEvent> {
        while let Ok(event) = self.session.events().try_recv() {
            self.hear(event);
        }
        let now = self.now();
        if let Err(error) = self.store.sync_if_due(now) {
            self.tell(Severity::Warning, error.to_string());
        }
        self.look_whether_ready();
        if self.is_ready && self.asked.is_none() && self.autosave.is_due(now) {
            self.ask(Asked::Autosave);
        }
        std::mem::take(&mut self.events)
    }

    fn look_whether_ready(&mut self) {
        if self.is_ready || self.asked.is_some() {
            return;
        }
        let plugins = self.snapshot().plugins;
        let is_loaded = |it: &PluginSnapshot| it.state != PluginState::Loading;
        if plugins.len() != self.numbers.len() || !plugins.iter().all(is_loaded) {
            return;
        }
        let now = self.now();
        if now - *self.loaded_at.get_or_insert(now) >= SETTLING {
            self.ask(Asked::AtFirst);
        }
    }

    fn hear(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Message(message) => self.events.push(RackEvent::Message(message)),
            SessionEvent::PluginsSaved { ticket, plugins } => {
                if let Some((_, why)) = self.asked.take_if(|(asked, _)| *asked == ticket) {
                    self.states_are_here(why, plugins);
                }
            }
            SessionEvent::ParametersMoved { slot, parameters } => {
                let Some(name) = self.name_of(slot).map(str::to_owned) else { return };
                for (symbol, value) in parameters {
                    self.set_at.insert((name.clone(), symbol.clone()), self.now());
                    let edit = RackEdit::Parameter {
                        slot: name.clone(),
                        symbol: symbol.clone(),
                        value: RackValue::Number(value),
                    };
                    self.edit(edit);
                    self.events.push(RackEvent::Parameter { slot: name.clone(), symbol, value });
                }
            }
            SessionEvent::ParameterUnderstood { slot, symbol, value } => {
                self.understood(slot, symbol, value);
            }
            SessionEvent::PluginChanged { .. } => self.autosave.changed(self.now()),
            SessionEvent::Closed => self.events.push(RackEvent::Closed),
            SessionEvent::SongStarted(_) | SessionEvent::PlaylistEnded => {}
        }
    }

    fn states_are_here(&mut self, why: Asked, plugins: Vec<SavedPlugin>) {
        for plugin in plugins {
            let Some(name) = self.name_of(plugin.slot).map(str::to_owned) else { continue };
            // The one before, whose place another is about to take.
            if self.rack().slot(&name).is_none_or(|slot| slot.plugin.to_string() != plugin.id) {
                continue;
            }
            match self.baselines.contains_key(&name) {
                // What a plugin is right after it was loaded is no change.
                false => {
                    let parameters = plugin.parameters.into_iter().collect();
                    let ranges = plugin.ranges;
                    self.baselines.insert(name, Baseline { state: plugin.state, parameters, ranges });
                }
                true => self.keep(&name, plugin),
            }
        }
        let now = self.now();
        self.set_at.retain(|_, set_at| now.saturating_sub(*set_at) < ON_ITS_WAY);
        self.autosave.kept(now);
        match why {
            Asked::AtFirst => {
                self.is_ready = true;
                self.events.push(RackEvent::Ready);
            }
            Asked::Autosave => {}
            Asked::Save => self.save(),
        }
    }

    /// Keeps what has changed of a plugin.
    fn keep(&mut self, name: &str, plugin: SavedPlugin) {
        if let Some(error) = plugin.error {
            self.tell(Severity::Warning, format!("the state of {name} is not saved: {error}"));
        }
        let now = self.now();
        let Some(baseline) = self.baselines.get_mut(name) else { return };
        if let Some(state) = plugin.state.as_ref().filter(|_| plugin.state != baseline.state) {
            match self.store.keep_state(name, state, now) {
                Ok(_) => baseline.state = plugin.state.clone(),
                Err(error) => return self.tell(Severity::Warning, error.to_string()),
            }
        }
        let has_state = plugin.state.is_some();
        let mut moved = Vec::new();
        let is_on_its_way = |symbol: &str| {
            let set_at = self.set_at.get(&(name.to_owned(), symbol.to_owned()));
            set_at.is_some_and(|set_at| now.saturating_sub(*set_at) < ON_ITS_WAY)
        };
        for (symbol, value) in plugin.parameters {
            // What was set here counts, and not what the plugin had before.
            if is_on_its_way(&symbol) {
                continue;
            }
            let is_new =
                baseline.parameters.insert(symbol.clone(), value).is_none_or(|before| before != value);
            let is_written = || {
                let slot = self.store.rack().slot(name);
                slot.is_some_and(|slot| slot.parameters.iter().any(|(it, _)| *it == symbol))
            };
            // What the text says comes after the state: it must not be older.
            if is_new && (!has_state || is_written()) {
                moved.push(RackEdit::Parameter {
                    slot: name.to_owned(),
                    symbol,
                    value: RackValue::Number(value),
                });
            }
        }
        for edit in moved {
            self.edit(edit);
        }
    }

    fn save(&mut self) {
        if self.store.is_changed() && self.store.is_overtaken() {
            let path = self.store.path().display().to_string();
            match self.take_up_file() {
                Ok(()) => self.tell(
                    Severity::Warning,
                    format!("{path} was changed by somebody else meanwhile: both changes are in it"),
                ),
                Err(error) => return self.save_aside(&error),
            }
        }
        let saved = if self.store.is_changed() { self.store.save() } else { Ok(()) };
        match saved {
            Ok(()) => self.events.push(RackEvent::Saved),
            Err(error) => self.tell(Severity::Failure, error.to_string()),
        }
    }

    /// Somebody else has changed the file, and it cannot be read now: it is theirs.
    fn save_aside(&mut self, unreadable: &RackFileError) {
        let text = match self.store.save_aside() {
            Ok(path) => format!(
                "{unreadable}; it was changed by somebody else and stays as it is: the rack is in {}",
                path.display()
            ),
            Err(error) => error.to_string(),
        };
        self.tell(Severity::Failure, text);
    }
}

fn message(severity: Severity, text: String) -> RackEvent {
    RackEvent::Message(Message { severity, text })
}
