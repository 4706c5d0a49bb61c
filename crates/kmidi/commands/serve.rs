use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use kmidi_memory::Budgets;
use kmidi_server::{Listener, Playing, Server, ServerConfig, ServerError, Source, Trouble, TroubledPart};
use kmidi_session::{Backend, Session, SessionConfig, SessionEvent, Severity};
use serde_json::json;

use crate::cli::Serve;
use crate::commands::{audio_request, print_message, song_line, sort_files, sound_settings};
use crate::exit::{Unreadable, on_signals};
use crate::memory::Memory;
use crate::output::print;

/// Between two looks at whether to end.
const REFRESH: Duration = Duration::from_millis(50);

/// Sentences that are kept of one kind of trouble.
const MOST_TROUBLES: usize = 16;

pub fn run(args: Serve) -> Result<()> {
    let (stop, stopped) = sync_channel(1);
    on_signals(move || {
        // One is enough.
        let _ = stop.try_send(());
    })?;
    let memory = args.sound.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let listener = listen(&args)?;
    let address = listener.address();
    let json = args.sound.json;
    let config = ServerConfig {
        workers: args.workers.into(),
        concurrency: args.limit_concurrency.into(),
        ..ServerConfig::default()
    };
    let player = Player::start(args, memory.budgets.clone())?.map(Arc::new);
    let server = Server::start(listener, config, Arc::new(Program { memory, player: player.clone() }))?;
    announce(address, json)?;
    if let Some(player) = &player {
        player.follow(&stopped);
    } else {
        // The thread that tells lives as long as the program.
        let _ = stopped.recv();
    }
    if !server.stop() {
        eprintln!("kmidi: warning: clients that took too long were cut off");
    }
    Ok(())
}

fn listen(args: &Serve) -> Result<Listener> {
    let listener = Listener::bind(SocketAddr::new(args.bind, args.port)).map_err(|error| match error {
        ServerError::InUse(_) => {
            anyhow!(
                "{error}: stop what listens there, or choose another port with --port (0 takes a free one)"
            )
        }
        ServerError::NotAllowed(_) => anyhow!("{error}: choose a port of 1024 or more with --port"),
        ServerError::NoSuchAddress(_) => {
            anyhow!("{error}: choose another with --bind (127.0.0.1 for this machine alone)")
        }
        error => error.into(),
    })?;
    if !args.bind.is_loopback() {
        eprintln!(
            "kmidi: warning: other machines can reach {}, and nobody is asked who they are: without --bind only \
             this machine can",
            args.bind
        );
    }
    Ok(listener)
}

fn announce(address: SocketAddr, json: bool) -> Result<()> {
    let url = format!("http://{address}");
    eprintln!("kmidi: serving at {url}");
    if json {
        let line = json!({ "url": url, "address": address.ip(), "port": address.port() });
        print(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// What the server shows.
struct Program {
    memory: Memory,
    player: Option<Arc<Player>>,
}

impl Source for Program {
    fn memory(&self) -> kmidi_memory::Snapshot {
        kmidi_memory::Snapshot::take(&self.memory.budgets, Some(&self.memory.monitor))
    }

    fn playing(&self) -> Option<Playing> {
        self.player.as_ref().map(|player| player.now())
    }
}

/// What plays meanwhile.
struct Player {
    session: Session,
    /// Silence is what was asked for.
    is_silent: bool,
    /// What went wrong and does not mend itself.
    troubles: Mutex<Vec<Trouble>>,
}

impl Player {
    /// None where nothing is to be played.
    fn start(args: Serve, budgets: Budgets) -> Result<Option<Self>> {
        if args.play.is_empty() {
            return Ok(None);
        }
        let (songs, sound_fonts) = sort_files(&args.play, &args.sound.sf)?;
        if songs.is_empty() {
            return Err(Unreadable(anyhow!("--play: a MIDI file is missing")).into());
        }
        let audio = audio_request(args.output);
        let is_silent = audio.backend == Some(Backend::Null);
        let session = Session::start(SessionConfig {
            songs,
            sound_fonts,
            sound: sound_settings(&args.sound),
            from: args.sound.from,
            to: args.sound.to,
            looping: true,
            rack: Default::default(),
            audio,
            budgets,
        })?;
        Ok(Some(Player { session, is_silent, troubles: Mutex::default() }))
    }

    fn now(&self) -> Playing {
        let snapshot = self.session.snapshot();
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if !self.is_silent && snapshot.output.backend == Backend::Null.to_string() {
            let text = "no audio device works: the song runs on a clock, in silence".to_owned();
            troubles.push(Trouble { part: TroubledPart::Device, text });
        }
        Playing { snapshot, troubles }
    }

    /// Tells what happens until the program is to end.
    fn follow(&self, stopped: &Receiver<()>) {
        let mut last_error = None;
        while stopped.try_recv() == Err(TryRecvError::Empty) {
            let first = self.session.events().recv_timeout(REFRESH);
            for event in first.into_iter().chain(self.session.events().try_iter()) {
                match event {
                    SessionEvent::SongStarted(song) => eprintln!("kmidi: {}", song_line(&song)),
                    SessionEvent::Message(message) => {
                        print_message(&message);
                        if message.severity == Severity::UnreadableInput {
                            self.remember(TroubledPart::Song, message.text.clone());
                        }
                        if message.severity >= Severity::UnreadableInput {
                            last_error = Some(message.text);
                        }
                    }
                    SessionEvent::PluginsSaved { .. }
                    | SessionEvent::PluginChanged { .. }
                    | SessionEvent::ParametersMoved { .. }
                    | SessionEvent::ParameterUnderstood { .. } => {}
                    SessionEvent::PlaylistEnded | SessionEvent::Closed => {
                        let why = last_error.map_or(String::new(), |error| format!(": {error}"));
                        self.remember(TroubledPart::Engine, format!("nothing plays any more{why}"));
                        // Nothing more happens.
                        let _ = stopped.recv();
                        return;
                    }
                }
            }
        }
    }

    fn remember(&self, part: TroubledPart, text: String) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = Trouble { part, text };
        let of_part = troubles.iter().filter(|it| it.part == part).count();
        if of_part < MOST_TROUBLES && !troubles.contains(&trouble) {
            troubles.push(trouble);
        }
    }
}
