//! `kmidi run`: a rack of plugins, played live.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use kmidi_session::rack_file::{RackFileError, RackValue};
use kmidi_session::{
    AudioRequest, LiveRack, LiveRackConfig, LiveRackError, MidiPort, PluginState, RackCommand, RackEvent,
    Severity, Snapshot,
};
use serde_json::{Value, json};
use signal_hook::consts::SIGHUP;

use super::{play::pressed_keys, print_message, tapped_request};
use crate::cli::Output;
use crate::exit::{SMALL_STACK_BYTES, Unreadable, on_each_signal};
use crate::memory::MemoryArgs;
use crate::output::{print, print_json};
use crate::screens::player::Theme;
use crate::screens::rack::{self, Key, View};
use crate::screens::terminal::{self, Screen};
use crate::trace_flag::TraceArgs;

/// Between two looks at what happened, and two pictures of the screen.
const REFRESH: Duration = Duration::from_millis(40);
/// Words from signals, keyboard and standard input that can wait.
const WORDS: usize = 64;
/// Longest line of standard input, in bytes.
const MAX_LINE_BYTES: u64 = 4096;
/// Channels of `--audio-in`.
const CAPTURED_CHANNELS: usize = 2;

const AFTER_HELP: &str = "\
TO BEGIN:
  kmidi plugin scan                  find the plugins of this machine
  kmidi plugin list                  their ids
  kmidi devices                      MIDI ports and audio devices
  Write a file such as live.toml, then: kmidi run live.toml --midi-in PORT

    version = 2                                           # numbers are those of `kmidi plugin info`, also of VST3
    [[slot]]
    name = \"bass\"
    plugin = \"clap:org.kmidi.soundfont\"
    zone = { keys = [\"C0\", \"B3\"], transpose = -12 }     # channels, velocities; C4 is 60

    [[slot]]
    name = \"room\"
    plugin = \"lv2:urn:zamaudio:ZamVerb\"
    parameters = { room = 0.3 }                           # by symbol (kmidi plugin info ID), also as shown: \"-40 dB\"
    map = [{ from = \"cc 91\", parameter = \"wetdry\" }]    # also cc14 N, nrpn N, nrpn7 N, bend, pressure;
                                                          # channels, range = [0, 50], pick_up = false

  Instruments sound side by side, effects behind them in their order; what changes notes (an arpeggiator, a transposition)
  stands before the instrument that it plays, in its zone. Also: preset, bypass, side_chain = \"SLOT\",
  audio_in = true, outputs = [{ port = 2, to = \"SLOT\" }, { port = 3, device = \"3-4\" }]: ports of a plugin with several,
  into other slots or to channels of the device (JACK: out_2, out_3). Of a device with fewer, they go to 1-2.

WHILE IT RUNS:
  Changes are in RACK.toml.journal at once, and come back after a crash. Ending it (q, Ctrl-C, SIGTERM) saves: comments
  and what else is in the file stay; states of plugins are kept in the folder RACK.states beside it.
  keys         up, down slot   b bypass   +, - gain   s save   r read the file again   q end
  --headless   a command a line on standard input: bypass SLOT [on|off], set SLOT PARAMETER VALUE,
               transpose SLOT SEMITONES, gain DB, save, reload, status, quit; SIGHUP reads the file again";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(mut_arg("json", |arg| arg.help("Print what happens on stdout, a JSON object a line (headless)")))]
pub struct Run {
    /// The rack: a text file in TOML
    #[arg(value_name = "RACK.toml")]
    pub rack: PathBuf,
    /// MIDI port to play it from, connected whenever it is there; otherwise any can be connected to it
    #[arg(long, value_name = "PORT")]
    pub midi_in: Option<String>,
    /// Let in the first two inputs of the audio device; they are heard where a slot has audio_in
    #[arg(long)]
    pub audio_in: bool,
    /// Without a screen: commands from standard input
    #[arg(long)]
    pub headless: bool,
    #[command(flatten)]
    pub output: Output,
    /// Write what is heard to this WAV file too (with --audio null)
    #[arg(long, value_name = "FILE")]
    pub tap: Option<PathBuf>,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

/// What somebody wants, from wherever it comes.
enum Word {
    End,
    Command(RackCommand),
    Status,
    /// It cannot be done.
    No(String),
}

pub fn run(args: Run) -> Result<ExitCode> {
    let is_screen = !args.headless && terminal::is_interactive();
    let (words, spoken) = sync_channel(WORDS);
    listen_to_signals(words.clone(), is_screen)?;
    let (lines, told_of_memory) = sync_channel(WORDS);
    let memory = args.memory.start(move |line| drop(lines.try_send(line)))?;
    let mut player = Player {
        rack: LiveRack::start(LiveRackConfig {
            path: args.rack,
            audio: AudioRequest {
                midi_in: MidiPort::Follow(args.midi_in),
                channels_in: if args.audio_in { CAPTURED_CHANNELS } else { 0 },
                ..tapped_request(args.output, args.tap)?
            },
            budgets: memory.budgets.clone(),
        })
        .map_err(refusal)?,
        told_of_memory,
        json: args.json,
        is_screen,
        view: View::default(),
        has_failed: false,
        is_over: false,
    };
    if is_screen {
        player.show(&spoken)?;
    } else {
        if args.headless {
            listen_to_lines(words)?;
        }
        player.serve(&spoken)?;
    }
    player.finish()
}

fn refusal(error: LiveRackError) -> anyhow::Error {
    match error {
        LiveRackError::File(RackFileError::Read { .. } | RackFileError::Wrong { .. }) => {
            Unreadable(error.into()).into()
        }
        error => error.into(),
    }
}

/// A terminal that is closed ends what is on it; without one, the signal of that means to read the file again.
fn listen_to_signals(words: SyncSender<Word>, is_screen: bool) -> std::io::Result<()> {
    on_each_signal(move |signal| {
        let word = match signal {
            SIGHUP if !is_screen => Word::Command(RackCommand::Reload),
            _ => Word::End,
        };
        let _ = words.try_send(word);
    })
}

fn listen_to_lines(words: SyncSender<Word>) -> std::io::Result<()> {
    let listen = move || {
        let mut input = BufReader::new(std::io::stdin());
        let mut line = String::new();
        loop {
            line.clear();
            // What is no text ends it, as the end of the input does; the rack plays on.
            if !matches!(input.by_ref().take(MAX_LINE_BYTES).read_line(&mut line), Ok(1..)) {
                return;
            }
            let word = match line.trim() {
                "" => continue,
                "quit" => Word::End,
                "status" => Word::Status,
                line => match line.parse() {
                    Ok(command) => Word::Command(command),
                    Err(error) => Word::No(error.to_string()),
                },
            };
            if words.send(word).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("kmidi-commands".into()).stack_size(SMALL_STACK_BYTES);
    thread.spawn(listen).map(drop)
}

struct Player {
    rack: LiveRack,
    /// Lines of the memory's monitor.
    told_of_memory: Receiver<String>,
    json: bool,
    is_screen: bool,
    view: View,
    has_failed: bool,
    is_over: bool,
}

impl Player {
    /// On a terminal: a screen, and keys.
    fn show(&mut self, spoken: &Receiver<Word>) -> Result<()> {
        let theme = Theme::from_environment();
        let mut screen = Screen::enter()?;
        let keys = pressed_keys()?;
        while !self.is_over {
            self.look()?;
            let (now, rack) = (self.rack.snapshot(), self.rack.rack());
            let changed = self.rack.is_changed();
            screen.draw(|frame| rack::draw(frame, &now, rack, changed, &self.view, theme))?;
            let first = keys.recv_timeout(REFRESH);
            for key in first.ok().into_iter().chain(keys.try_iter()) {
                match rack::command(key, &mut self.view, self.rack.rack()) {
                    Key::Nothing => {}
                    Key::End => return Ok(()),
                    Key::Command(command) => self.rack.obey(command),
                }
            }
            spoken.try_iter().for_each(|word| self.hear(word));
        }
        Ok(())
    }

    /// Otherwise: lines.
    fn serve(&mut self, spoken: &Receiver<Word>) -> Result<()> {
        while !self.is_over {
            self.look()?;
            let first = spoken.recv_timeout(REFRESH);
            for word in first.ok().into_iter().chain(spoken.try_iter()) {
                match word {
                    Word::Status => self.print_status("status")?,
                    word => self.hear(word),
                }
            }
        }
        Ok(())
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::End => self.is_over = true,
            Word::Command(command) => self.rack.obey(command),
            Word::Status => {}
            Word::No(text) => eprintln!("kmidi: {text}"),
        }
    }

    fn look(&mut self) -> Result<()> {
        let mut events = self.rack.tick();
        let told: Vec<String> = self.told_of_memory.try_iter().collect();
        let warning = |text| RackEvent::Message(kmidi_session::Message { severity: Severity::Warning, text });
        events.extend(told.into_iter().map(warning));
        self.take(events)
    }

    fn take(&mut self, events: Vec<RackEvent>) -> Result<()> {
        for event in events {
            match &event {
                RackEvent::Closed => self.is_over = true,
                RackEvent::Message(message) => self.has_failed |= message.severity == Severity::Failure,
                _ => {}
            }
            if self.is_screen {
                self.view.take(&event);
            } else {
                self.print_event(&event)?;
            }
        }
        Ok(())
    }

    fn print_event(&self, event: &RackEvent) -> Result<()> {
        if self.json {
            print_line(&serde_json::to_value(event)?)?;
        }
        match event {
            RackEvent::Message(message) => print_message(message),
            RackEvent::Ready => eprintln!("kmidi: the rack plays"),
            RackEvent::Saved => eprintln!("kmidi: saved"),
            RackEvent::Reloaded => eprintln!("kmidi: the file was read again"),
            RackEvent::Parameter { .. } | RackEvent::Closed => {}
        }
        Ok(())
    }

    fn print_status(&self, event: &str) -> Result<()> {
        let status = self.status(event, &self.rack.snapshot());
        match self.json {
            true => print_line(&status),
            false => print_json(&status),
        }
    }

    fn status(&self, event: &str, now: &Snapshot) -> Value {
        let rack = self.rack.rack();
        let slots = rack.slots.iter().map(|slot| {
            let plugin = now.plugins.iter().find(|it| self.rack.name_of(it.slot) == Some(&slot.name));
            let parameters = slot.parameters.iter().map(|(symbol, value)| {
                let value = match value {
                    RackValue::Number(number) => json!(number),
                    RackValue::Text(text) => json!(text),
                };
                (symbol.clone(), value)
            });
            json!({
                "name": slot.name,
                "plugin": slot.plugin,
                "state": plugin.map_or(&PluginState::Loading, |it| &it.state),
                "latency_frames": plugin.map_or(0, |it| it.latency_frames),
                "bypassed": slot.bypassed,
                "transpose": slot.zone.transpose,
                "parameters": serde_json::Map::from_iter(parameters),
            })
        });
        json!({
            "event": event,
            "changed": self.rack.is_changed(),
            "gain_db": rack.gain_db,
            "slots": slots.collect::<Vec<_>>(),
            "output": now.output,
            "losses": now.losses,
        })
    }

    fn finish(mut self) -> Result<ExitCode> {
        self.is_screen = false;
        let now = self.rack.snapshot();
        let end = self.status("end", &now);
        let Player { rack, json, mut has_failed, view, .. } = self;
        // The screen is gone: what went wrong stays.
        view.messages.iter().filter(|it| it.severity > Severity::Info).for_each(print_message);
        let (events, last) = rack.finish();
        for event in events {
            match event {
                RackEvent::Message(message) => {
                    has_failed |= message.severity == Severity::Failure;
                    print_message(&message);
                }
                RackEvent::Saved => eprintln!("kmidi: saved"),
                _ => {}
            }
        }
        if json {
            let mut end = end;
            end["output"] = serde_json::to_value(&last.output)?;
            end["losses"] = serde_json::to_value(last.losses)?;
            print_line(&end)?;
        }
        Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn print_line(value: &Value) -> Result<()> {
    print(format!("{value}\n").as_bytes())
}
