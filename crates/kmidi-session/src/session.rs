use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use kmidi_device::{AudioRequest, DeviceError, DeviceManager};
use kmidi_memory::Budgets;

use crate::STACK_BYTES;
use crate::command::{Command, Position};
use crate::conductor::{Conductor, Note};
use crate::input::{OverInput, check_output};
use crate::pool::Pool;
use crate::rack::RackConfig;
use crate::rig::SoundSettings;
use crate::snapshot::{SessionEvent, Snapshot};
use crate::sound_fonts::{self, SoundFontChoice};

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
    /// The SoundFonts, the last on top; the built-in one where there are none.
    pub sound_fonts: Vec<SoundFontChoice>,
    /// How songs are to sound.
    pub sound: SoundSettings,
    /// Where each song starts.
    pub from: Option<Position>,
    /// Where each song ends.
    pub to: Option<Position>,
    /// Whether to repeat: the song from `from` to `to`, or a playlist of several songs as a whole.
    pub looping: bool,
    /// The plugins that songs are played with.
    pub rack: RackConfig,
    /// The device.
    pub audio: AudioRequest,
    /// Whose memory it uses.
    pub budgets: Budgets,
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
        let inputs = config.songs.iter().chain(sound_fonts::files(&config.sound_fonts));
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
        let pool = Pool::new(workers.min(4), &config.budgets)?;
        let (manager, device_events) = DeviceManager::start()?;
        let snapshots = shared.clone();
        let thread = thread::Builder::new().name("kmidi-session".into()).stack_size(STACK_BYTES);
        let thread = thread.spawn(move || {
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use kmidi_device::Backend;

    use super::*;
    use crate::chain::PluginChoice;
    use crate::rack::{PluginRequest, PluginState};
    use crate::snapshot::{PlayState, Severity};

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A session that plays on the null clock.
    fn playing() -> Session {
        let song =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom/freedoom1_D_E1M1.mid");
        let audio = AudioRequest { backend: Some(Backend::Null), ..AudioRequest::default() };
        let config = SessionConfig { songs: vec![song.into()], audio, ..SessionConfig::default() };
        let session = Session::start(config).unwrap();
        wait(&session, |session| session.snapshot().state == PlayState::Playing);
        session
    }

    fn wait(session: &Session, until: impl Fn(&Session) -> bool) {
        let start = Instant::now();
        while !until(session) {
            assert!(start.elapsed() < PATIENCE, "{:#?}", session.snapshot());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The next message with this in it.
    fn told(session: &Session, text: &str) -> Severity {
        let start = Instant::now();
        while let Ok(event) = session.events().recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
            if let SessionEvent::Message(message) = event
                && message.text.contains(text)
            {
                return message.severity;
            }
        }
        panic!("nothing was said of {text:?}");
    }

    fn choice(file: &str, bank_offset: u8) -> SoundFontChoice {
        SoundFontChoice { file: Some(file.into()), bank_offset }
    }

    #[test]
    fn a_stack_of_soundfonts_follows_another_and_a_bad_one_changes_nothing() {
        let built_in = "built-in SoundFont";
        let session = playing();
        assert_eq!(session.snapshot().synth.sound_fonts, [built_in]);
        session.send(Command::SetSoundFonts(vec![SoundFontChoice::default(), choice("/nonexistent.sf2", 0)]));
        assert_eq!(told(&session, "/nonexistent.sf2"), Severity::UnreadableInput);
        assert_eq!(session.snapshot().synth.sound_fonts, [built_in]);
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/soundfonts/kmidi-gm.sf3");
        session.send(Command::SetSoundFonts(vec![SoundFontChoice::default(), choice(file, 3)]));
        let top = format!("{file}@3");
        assert_eq!(told(&session, &format!("SoundFont: {top} over {built_in}")), Severity::Info);
        wait(&session, |session| session.snapshot().synth.sound_fonts == [top.as_str(), built_in]);
        // An empty list is the built-in one; the last of several wishes counts.
        for _ in 0..20 {
            session.send(Command::NextSoundFont);
        }
        session.send(Command::SetSoundFonts(vec![]));
        wait(&session, |session| session.snapshot().synth.sound_fonts == [built_in]);
        let end = session.snapshot();
        assert_eq!((end.state, end.losses), (PlayState::Playing, Default::default()));
    }

    #[test]
    fn presets_of_songs_before_are_given_back_when_memory_is_short_and_come_again_when_wanted() {
        let song = |name| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/midi/freedoom");
            std::path::PathBuf::from(format!("{folder}/{name}.mid"))
        };
        let budgets = Budgets::default();
        let audio = AudioRequest { backend: Some(Backend::Null), ..AudioRequest::default() };
        let songs = vec![song("freedoom1_D_E1M1"), song("freedoom2_D_RUNNIN")];
        let config = SessionConfig { songs, audio, budgets: budgets.clone(), ..SessionConfig::default() };
        let session = Session::start(config).unwrap();
        // The electric piano is in the first one alone.
        let has_piano = || budgets.holders().iter().any(|holder| holder.name.starts_with("Rhodes EP"));
        wait(&session, |session| session.snapshot().state == PlayState::Playing && has_piano());
        budgets.relieve();
        thread::sleep(Duration::from_millis(100));
        assert!(has_piano(), "what plays is needed");
        session.send(Command::Next);
        let song_name = |session: &Session| session.snapshot().song.map(|song| song.name);
        wait(&session, |session| song_name(session).is_some_and(|name| name.contains("RUNNIN")));
        budgets.relieve();
        told(&session, "presets of songs before were dropped");
        wait(&session, |_| !has_piano());
        session.send(Command::Previous);
        wait(&session, |session| {
            has_piano()
                && session.snapshot().state == PlayState::Playing
                && song_name(session).is_some_and(|name| name.contains("E1M1"))
        });
        let end = session.snapshot();
        assert_eq!(end.losses, Default::default());
    }

    #[test]
    fn a_plugin_that_is_missing_keeps_its_state_and_the_song_plays_on() {
        let session = playing();
        let choice = PluginChoice { plugin: "clap:nobody.has.this".into(), ..PluginChoice::default() };
        let plugin = PluginRequest { choice, state: Some(vec![1, 2, 3]), ..PluginRequest::default() };
        session.send(Command::AddPlugin { at: 0, plugin });
        let state = |session: &Session| session.snapshot().plugins.first().map(|it| it.state.clone());
        wait(&session, |session| matches!(state(session), Some(PluginState::Missing { .. })));
        told(&session, "nobody.has.this");
        session.send(Command::SavePlugins { ticket: 7 });
        let saved = loop {
            if let SessionEvent::PluginsSaved { ticket: 7, plugins } =
                session.events().recv_timeout(PATIENCE).unwrap()
            {
                break plugins;
            }
        };
        assert_eq!((saved[0].slot, saved[0].state.as_deref()), (1, Some(&[1, 2, 3][..])));
        session.send(Command::RemovePlugin { slot: 1 });
        wait(&session, |session| session.snapshot().plugins.is_empty());
        let end = session.snapshot();
        assert_eq!((end.state, end.losses), (PlayState::Playing, Default::default()));
    }
}
