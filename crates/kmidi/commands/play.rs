use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use anyhow::{Result, anyhow};
use crossterm::event::{self, Event, KeyEvent};
use kmidi_memory::Budgets;
use kmidi_session::{
    AudioRequest, Command, Message, MidiPort, RackConfig, Session, SessionConfig, SessionError, SessionEvent,
    Severity, Snapshot,
};
use serde::Serialize;

use crate::cli::{Output, Play};
use crate::commands::{print_message, song_line, sort_files, sound_settings, tapped_request};
use crate::exit::{UNREADABLE, Unreadable, on_signals};
use crate::output::print_json;
use crate::screens::keys;
use crate::screens::player::{self, Theme};
use crate::screens::terminal::{self, Screen};
use crate::trace_flag::Entry;

/// Between two pictures of the screen, and two looks at what happened.
const REFRESH: Duration = Duration::from_millis(40);

/// Keys that can wait for the next picture; the terminal keeps what is behind them.
const KEYS: usize = 64;

/// Lines about memory that can wait; what is more is dropped.
const LINES: usize = 16;

/// What `play --json` prints at the end.
#[derive(Serialize)]
struct Summary<'a> {
    songs_played: usize,
    messages: &'a [Message],
    #[serde(flatten)]
    last: Snapshot,
    cpu_seconds: f64,
}

/// What has happened so far.
#[derive(Default)]
struct Story {
    messages: Vec<Message>,
    songs_played: usize,
    over: bool,
    /// Lines of the memory's monitor.
    told_of_memory: Option<Receiver<String>>,
}

pub fn run(args: Play, entry: &mut Entry) -> Result<ExitCode> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = interrupted.clone();
    on_signals(move || told.store(true, Ordering::Relaxed))?;
    let json = args.sound.json;
    let (lines, told_of_memory) = sync_channel(LINES);
    let memory = args.sound.memory.start(move |line| drop(lines.try_send(line)))?;
    let session = Session::start(config(args, memory.budgets.clone())?).map_err(|error| match error {
        SessionError::OverInput(_) => Unreadable(error.into()).into(),
        error => anyhow::Error::from(error),
    })?;
    let mut story = Story { told_of_memory: Some(told_of_memory), ..Story::default() };
    if terminal::is_interactive() {
        show(&session, &interrupted, &mut story)?;
        // The screen is gone: what went wrong stays.
        for message in story.messages.iter().filter(|m| m.severity > Severity::Info) {
            print_message(message);
        }
    } else {
        tell(&session, &interrupted, &mut story);
    }
    let last = session.snapshot();
    drop(session);
    entry.metric("songs_played", story.songs_played as f64);
    entry.metric("messages", story.messages.len() as f64);
    entry.metric("cpu_seconds", kmidi_session::cpu_seconds());
    if json {
        let cpu_seconds = kmidi_session::cpu_seconds();
        let Story { songs_played, ref messages, .. } = story;
        print_json(&Summary { songs_played, messages, last, cpu_seconds })?;
    }
    let worst = story.messages.iter().map(|message| message.severity).max();
    Ok(match worst {
        Some(Severity::Failure) => ExitCode::FAILURE,
        Some(Severity::UnreadableInput) => ExitCode::from(UNREADABLE),
        _ => ExitCode::SUCCESS,
    })
}

/// As `kmidi play FILE` plays it, with what the environment and the configuration file say.
pub fn file(file: &Path, device: &Output, entry: &mut Entry) -> Result<ExitCode> {
    let arguments: [OsString; 3] = ["kmidi".into(), "play".into(), file.into()];
    match crate::parse(&arguments)?.command {
        crate::cli::Command::Play(play) => run(Play { output: device.clone(), ..play }, entry),
        _ => Err(anyhow!("`play` is another command")),
    }
}

/// On a terminal: a screen, and keys.
fn show(session: &Session, interrupted: &AtomicBool, story: &mut Story) -> Result<()> {
    let theme = Theme::from_environment();
    let mut screen = Screen::enter()?;
    let keys = pressed_keys()?;
    while !story.over && !interrupted.load(Ordering::Relaxed) {
        story.extend(session.events().try_iter(), |_| {});
        let now = session.snapshot();
        screen.draw(|frame| player::draw(frame, &now, &story.messages, theme))?;
        let first = keys.recv_timeout(REFRESH);
        for key in first.ok().into_iter().chain(keys.try_iter()) {
            match keys::command(key, &now) {
                Some(Command::Quit) => return Ok(()),
                Some(command) => session.send(command),
                None => {}
            }
        }
    }
    Ok(())
}

/// Keys as they are pressed. Reading them has a thread of its own: on a terminal that has hung up it
/// never returns.
pub(super) fn pressed_keys() -> std::io::Result<Receiver<KeyEvent>> {
    let (sender, keys) = sync_channel(KEYS);
    std::thread::Builder::new().name("kmidi-keys".into()).spawn(move || {
        while let Ok(event) = event::read() {
            if let Event::Key(key) = event
                && sender.send(key).is_err()
            {
                return;
            }
        }
    })?;
    Ok(keys)
}

/// Otherwise: quiet lines on stderr.
fn tell(session: &Session, interrupted: &AtomicBool, story: &mut Story) {
    while !story.over && !interrupted.load(Ordering::Relaxed) {
        let first = session.events().recv_timeout(REFRESH);
        let happened = first.ok().into_iter().chain(session.events().try_iter());
        story.extend(happened, |event| match event {
            SessionEvent::Message(message) => print_message(message),
            SessionEvent::SongStarted(song) => eprintln!("kmidi: {}", song_line(song)),
            SessionEvent::PluginsSaved { .. }
            | SessionEvent::PluginChanged { .. }
            | SessionEvent::ParametersMoved { .. }
            | SessionEvent::ParameterUnderstood { .. }
            | SessionEvent::PlaylistEnded
            | SessionEvent::Closed => {}
        });
    }
}

impl Story {
    fn extend(&mut self, events: impl Iterator<Item = SessionEvent>, mut tell: impl FnMut(&SessionEvent)) {
        for event in events {
            tell(&event);
            match event {
                SessionEvent::Message(message) => self.messages.push(message),
                SessionEvent::SongStarted(_) => self.songs_played += 1,
                SessionEvent::PluginsSaved { .. }
                | SessionEvent::PluginChanged { .. }
                | SessionEvent::ParametersMoved { .. }
                | SessionEvent::ParameterUnderstood { .. } => {}
                SessionEvent::PlaylistEnded | SessionEvent::Closed => self.over = true,
            }
        }
        let told = self.told_of_memory.iter().flat_map(|told| told.try_iter());
        for text in told {
            let message = Message { severity: Severity::Warning, text };
            tell(&SessionEvent::Message(message.clone()));
            self.messages.push(message);
        }
    }
}

fn config(args: Play, budgets: Budgets) -> Result<SessionConfig> {
    let (songs, sound_fonts) = sort_files(&args.files, &args.sound.sf)?;
    if songs.is_empty() {
        let error = anyhow!("a MIDI file to play is missing: {} is a SoundFont", display(&args.files));
        return Err(Unreadable(error).into());
    }
    Ok(SessionConfig {
        songs,
        sound_fonts,
        sound: sound_settings(&args.sound),
        from: args.sound.from,
        to: args.sound.to,
        looping: args.looping,
        rack: RackConfig {
            plugins: args.rack.checked()?,
            compensation: args.pdc.into(),
            ..RackConfig::default()
        },
        audio: AudioRequest {
            midi_in: args.midi_in.map_or(MidiPort::Off, MidiPort::Connect),
            midi_out: args.midi_out.map_or(MidiPort::Off, MidiPort::Connect),
            ..tapped_request(args.output, args.tap)?
        },
        budgets,
    })
}

fn display(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
