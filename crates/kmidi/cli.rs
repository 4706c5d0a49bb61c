//! What can be typed. Every `--flag` can also come from the environment as `KMIDI_FLAG` and from
//! the configuration file; see [`crate::config`].

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kmidi_core::TempoScale;
use kmidi_core::limits::{MAX_QUANTUM_FRAMES, SAMPLE_RATE_RANGE_HZ};
use kmidi_session::{Compensation, Position, SampleFormat};

use crate::commands::analyze::Analyze;
use crate::commands::cache::Cache;
use crate::commands::certify::args::Certify;
use crate::commands::diagnose::Diagnose;
use crate::commands::emotions::Emotions;
use crate::commands::fx::Fx;
use crate::commands::groove::GrooveArgs;
use crate::commands::index::IndexCommand;
use crate::commands::intent::IntentCommand;
use crate::commands::mem::args::Mem;
use crate::commands::models::args::Models;
use crate::commands::phonemes::args::Phonemes;
use crate::commands::plugin::args::Plugin;
use crate::commands::reharm::Reharm;
use crate::commands::run::Run;
use crate::commands::search::Search;
use crate::commands::teach::Teach;
use crate::commands::therapy::Therapy;
use crate::commands::trace::args::Trace;
use crate::commands::transcribe::Transcribe;
use crate::font_flag::{self, FontFlag};
use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;
use crate::rack_flag::{self, RackFlag};
use crate::trace_flag::TraceArgs;

const AFTER_HELP: &str = "\
EXIT CODES:
  0    done (play, serve: also when ended by q, Ctrl-C or SIGTERM)
  1    failure: output not written, device refused, port in use, renders not identical, something for doctor to mend
  2    unreadable input, an output that would replace the input, or a usage error
  130  render was interrupted; no output was written

ENVIRONMENT AND CONFIGURATION:
  Every --flag can be set as KMIDI_FLAG (--sample-file -> KMIDI_SAMPLE_FILE; true/false for switches, commas
  between several values, : between SoundFonts) and in the configuration file $XDG_CONFIG_HOME/kmidi/config.toml
  (or KMIDI_CONFIG):
    sf = [\"built-in\", \"/usr/share/sounds/sf2/FluidR3_GM.sf2\"]
    [render]
    bits = \"24\"
  What is typed wins over the environment, that over the file. NO_COLOR is honoured.";

const KEYS: &str = "\
KEYS:
  space        pause, play on
  left, right  5 seconds back, on
  up, down     tempo
  +, -         gain
  l            loop
  f            SoundFont: the one on top goes to the bottom, a single one is read again; what sounds keeps its sound
  n, p         next song, previous
  q            end";

const ROUTES: &str = "\
ROUTES:
  GET /live     200 as long as the process runs
  GET /ready    200 when what is to play can play; else 503 and why not
  GET /health   JSON, part by part; 200 when all is well, 503 when a part is degraded: a memory budget is more than
                85 % full, memory is short, the audio callback allocated or freed memory, or the engine, the device
                or a song is in trouble
  GET /metrics  all figures, in Prometheus' text format 0.0.4

SIGINT and SIGTERM end it: requests under way are answered, for at most five seconds. What cannot be played does not
end it: /ready and /health say why.";

/// Plays and renders MIDI files exactly in time
#[derive(Debug, Parser)]
#[command(name = "kmidi", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play MIDI files
    Play(Play),
    /// Play plugins live: a rack of instruments and effects, with splits, layers and MIDI maps
    Run(Run),
    /// Render a MIDI file to a WAV or FLAC file, faster than real time
    Render(Render),
    /// Describe a MIDI file
    Info(Info),
    /// List audio devices and MIDI ports
    Devices(Devices),
    /// Say what is wrong with this machine for real-time audio, and the commands that mend it, in order
    Doctor(Doctor),
    /// Serve health, readiness and metrics over HTTP, while playing or not
    Serve(Serve),
    /// Print the completions of a shell
    Completions {
        /// Shell to complete in
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of the program or of one command
    Man {
        /// Command to describe
        command: Option<String>,
    },
    /// Send an audio file through plugins
    Fx(Fx),
    /// Find and describe plugins
    Plugin(Plugin),
    /// Run plugins through phases and tell whether they keep the rules of the audio thread
    Certify(Certify),
    /// Look into the memory of a running kmidi, or measure that of an operation
    Mem(Mem),
    /// Turn a feeling into a plan, and the plan into music
    Therapy(Box<Therapy>),
    /// List the feelings that are known, and the music of each
    Emotions(Emotions),
    /// Say what a song is to say, and which rules it breaks for that
    Intent(IntentCommand),
    /// Take the groove of a MIDI file, give it to another, or humanise one
    Groove(GrooveArgs),
    /// Tell key, chords, sections and tempo of a MIDI file, or tempo and onsets of a recording
    Analyze(Analyze),
    /// Tell the phones that are spoken in a recording, and how they differ from a text
    Phonemes(Box<Phonemes>),
    /// Hear the notes of a recording, and write them as a MIDI file
    Transcribe(Box<Transcribe>),
    /// Tell what each chord of a progression does
    Diagnose(Diagnose),
    /// Write a progression in other chords
    Reharm(Reharm),
    /// Read a short lesson in music theory
    Teach(Teach),
    /// List, fetch, check and measure the models that listen and read
    Models(Models),
    /// Make sounds, songs, presets and plugins findable
    Index(IndexCommand),
    /// Find sounds, songs, presets and plugins by what they are
    Search(Box<Search>),
    /// Play like a restless user for as long as you say, and tell whether memory, files or threads pile up
    Soak(Soak),
    /// Look into the log of what was planned, run and played (--trace)
    Trace(Box<Trace>),
    /// Look into what is kept of recordings (--audio-cache), or clean it
    Cache(Cache),
}

impl Command {
    pub fn wants_json(&self) -> bool {
        match self {
            Command::Play(args) => args.sound.json,
            Command::Run(args) => args.json,
            Command::Render(args) => args.sound.json,
            Command::Info(args) => args.json,
            Command::Devices(args) => args.json,
            Command::Doctor(args) => args.json,
            Command::Serve(args) => args.sound.json,
            Command::Completions { .. } | Command::Man { .. } => false,
            Command::Fx(args) => args.json,
            Command::Plugin(args) => args.wants_json(),
            Command::Certify(args) => args.json,
            Command::Mem(args) => args.wants_json(),
            Command::Therapy(args) => args.json,
            Command::Emotions(args) => args.json,
            Command::Intent(args) => args.wants_json(),
            Command::Groove(args) => args.wants_json(),
            Command::Analyze(args) => args.json,
            Command::Phonemes(args) => args.json,
            Command::Transcribe(args) => args.json,
            Command::Diagnose(args) => args.json,
            Command::Reharm(args) => args.json,
            Command::Teach(args) => args.json,
            Command::Models(args) => args.wants_json(),
            Command::Index(args) => args.wants_json(),
            Command::Search(args) => args.json,
            Command::Soak(args) => args.json,
            Command::Trace(args) => args.wants_json(),
            Command::Cache(args) => args.wants_json(),
        }
    }
}

/// What `play`, `render` and `serve` share.
#[derive(Debug, Args)]
pub struct Sound {
    #[command(flatten)]
    pub sf: FontFlag,
    /// Voices that can sound at once
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub polyphony: u16,
    /// How samples are read between their frames
    #[arg(long, value_enum, default_value_t = Interpolation::Cubic)]
    pub interpolation: Interpolation,
    /// Play without reverb and chorus
    #[arg(long)]
    pub no_effects: bool,
    /// Master gain in decibels, -60 to 24
    #[arg(long, value_name = "DB", default_value_t = 0.0, allow_negative_numbers = true, value_parser = gain_db)]
    pub gain: f32,
    /// Play at X times the written tempo (0.0625 to 16)
    #[arg(long, value_name = "X", default_value_t = TempoScale::ONE)]
    pub tempo_scale: TempoScale,
    /// Shift all keys but the drums' by N semitones, -48 to 48
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true,
          value_parser = clap::value_parser!(i8).range(-48..=48))]
    pub transpose: i8,
    /// Channels to silence, 1 to 16
    #[arg(long, value_name = "CH", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=16))]
    pub mute: Vec<u8>,
    /// Channels to hear alone, 1 to 16
    #[arg(long, value_name = "CH", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=16))]
    pub solo: Vec<u8>,
    /// Where to start: a bar (17) or a time (1:30, 90s)
    #[arg(long, value_name = "BAR|TIME")]
    pub from: Option<Position>,
    /// Where to end: a bar (17, not played any more) or a time (1:30, 90s)
    #[arg(long, value_name = "BAR|TIME")]
    pub to: Option<Position>,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{KEYS}\n\n{}\n\n{}", rack_flag::AFTER_HELP, font_flag::AFTER_HELP))]
pub struct Play {
    /// MIDI files (- for standard input) and at most one SoundFont, in any order: told apart by content
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub sound: Sound,
    #[command(flatten)]
    pub rack: RackFlag,
    /// Which paths are delayed so that all plugins are heard in time
    #[arg(long, value_enum, default_value_t = Pdc::Song)]
    pub pdc: Pdc,
    #[command(flatten)]
    pub output: Output,
    /// Repeat from --from to --to (the whole playlist where neither is given)
    #[arg(long = "loop")]
    pub looping: bool,
    /// MIDI port to play the synthesiser from, live
    #[arg(long, value_name = "PORT")]
    pub midi_in: Option<String>,
    /// MIDI port to send the song to
    #[arg(long, value_name = "PORT")]
    pub midi_out: Option<String>,
    /// Write what is heard to this WAV file too (with --audio null)
    #[arg(long, value_name = "FILE")]
    pub tap: Option<PathBuf>,
}

/// The audio device of `play`, `serve` and what else is heard.
#[derive(Clone, Debug, Args)]
pub struct Output {
    /// Audio system; auto takes the first that works
    #[arg(long, short = 'a', value_enum, default_value_t = Audio::Auto)]
    pub audio: Audio,
    /// Device of that audio system, as `kmidi devices` names it
    #[arg(long, value_name = "ID")]
    pub device: Option<String>,
    /// Sample rate in Hz; the device's own otherwise
    #[arg(long, short = 'r', value_name = "N", value_parser = sample_rate_hz)]
    pub rate: Option<u32>,
    /// Period in frames; the device's own otherwise
    #[arg(long, short = 'z', value_name = "N", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub period: Option<u32>,
    /// What the song does when the device goes away
    #[arg(long, value_enum, default_value_t = OnDeviceLoss::Pause)]
    pub on_device_loss: OnDeviceLoss,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{ROUTES}\n\n{}", font_flag::AFTER_HELP))]
#[command(mut_arg("json", |arg| arg.help("Print where it listens on stdout, as one line of JSON")))]
pub struct Serve {
    /// MIDI file to play meanwhile, again and again; several make a playlist (in the environment: one)
    #[arg(long, value_name = "FILE")]
    pub play: Vec<PathBuf>,
    /// Port to listen at; 0 takes one that is free
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub port: u16,
    /// Address to listen at; anybody who reaches it can ask
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// Requests that are worked on at once; others are answered 503
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub limit_concurrency: u16,
    /// Threads that serve connections
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: u16,
    #[command(flatten)]
    pub sound: Sound,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = format!("{}\n\n{}", rack_flag::AFTER_HELP, font_flag::AFTER_HELP))]
pub struct Render {
    /// A MIDI file (- for standard input) and at most one SoundFont, in any order: told apart by content
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    pub files: Vec<PathBuf>,
    /// File to write; its ending says WAV or FLAC
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub sound: Sound,
    #[command(flatten)]
    pub rack: RackFlag,
    /// Sample rate in Hz
    #[arg(long, short = 'r', value_name = "N", default_value_t = 48_000, value_parser = sample_rate_hz)]
    pub rate: u32,
    /// Frames that are computed at once
    #[arg(long, value_name = "N", default_value_t = 512,
          value_parser = clap::value_parser!(u32).range(16..=MAX_QUANTUM_FRAMES as i64))]
    pub quantum: u32,
    /// Sample format; 32f keeps what is louder than full scale
    #[arg(long, value_enum, default_value_t = Bits::B16)]
    pub bits: Bits,
    /// Seconds to go on after the end of the song; until it is silent (30 s at most) otherwise
    #[arg(long, value_name = "S", value_parser = tail_seconds)]
    pub tail: Option<f64>,
    /// Write each channel to a file of its own in this folder too
    #[arg(long, value_name = "DIR")]
    pub stems: Option<PathBuf>,
    /// Measure loudness (LUFS) and true peak
    #[arg(long)]
    pub loudness: bool,
    /// Render again through callbacks of 1, 32, 64, 441, 1024 and random lengths and compare every bit
    #[arg(long)]
    pub verify: bool,
}

#[derive(Debug, Args)]
pub struct Info {
    /// A MIDI file (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Devices {
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub sf: FontFlag,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("listener").args(["transcribe", "phonemes"])))]
pub struct Soak {
    /// A recording for --transcribe and --phonemes; the start of a demo song, or a spoken sentence, otherwise
    #[arg(value_name = "AUDIO", requires = "listener")]
    pub file: Option<PathBuf>,
    /// How long, in minutes; 1440 are a day
    #[arg(long, value_name = "N", default_value_t = 2.0, value_parser = minutes)]
    pub minutes: f64,
    /// Do not play: transcribe a recording N times, and fail where memory or time pile up, or a model is loaded twice
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub transcribe: Option<u64>,
    /// The same with the phones of a recording
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub phonemes: Option<u64>,
    #[command(flatten)]
    pub models: ModelsFlag,
    /// Fail where open files are not back where they were
    #[arg(long)]
    pub check_fds: bool,
    /// Fail where threads are not back where they were
    #[arg(long)]
    pub check_threads: bool,
    /// What the user does follows from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    #[command(flatten)]
    pub sf: FontFlag,
    /// Audio system; null is a clock without sound
    #[arg(long, short = 'a', value_enum, default_value_t = Audio::Null)]
    pub audio: Audio,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
}

impl Soak {
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Audio {
    Auto,
    Jack,
    Alsa,
    Pulse,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnDeviceLoss {
    /// Hold until it is back
    Pause,
    /// Go on in silence
    Continue,
    /// End
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pdc {
    /// What the song plays; what is played live is not delayed
    Song,
    /// Everything
    All,
    /// Nothing
    Off,
}

impl From<Pdc> for Compensation {
    fn from(pdc: Pdc) -> Self {
        match pdc {
            Pdc::Song => Compensation::Song,
            Pdc::All => Compensation::All,
            Pdc::Off => Compensation::Off,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Interpolation {
    /// Straight between two frames: the least work, and duller
    Linear,
    /// A curve through four frames
    Cubic,
    /// A windowed sinc over sixteen frames, for about twice the work; keeps high notes from folding back
    Sinc,
}

impl From<Interpolation> for kmidi_session::Interpolation {
    fn from(interpolation: Interpolation) -> Self {
        match interpolation {
            Interpolation::Linear => kmidi_session::Interpolation::Linear,
            Interpolation::Cubic => kmidi_session::Interpolation::Cubic,
            Interpolation::Sinc => kmidi_session::Interpolation::Sinc,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Bits {
    /// 16-bit integer
    #[value(name = "16")]
    B16,
    /// 24-bit integer
    #[value(name = "24")]
    B24,
    /// 32-bit float
    #[value(name = "32f")]
    F32,
}

impl From<Bits> for SampleFormat {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::B16 => SampleFormat::Int16,
            Bits::B24 => SampleFormat::Int24,
            Bits::F32 => SampleFormat::Float32,
        }
    }
}

fn sample_rate_hz(text: &str) -> Result<u32, String> {
    let (low, high) = (SAMPLE_RATE_RANGE_HZ.start(), SAMPLE_RATE_RANGE_HZ.end());
    let rate = text.parse().ok().filter(|rate| SAMPLE_RATE_RANGE_HZ.contains(rate));
    rate.ok_or_else(|| format!("a sample rate is a whole number from {low} to {high}"))
}

fn gain_db(text: &str) -> Result<f32, String> {
    let gain = text.parse().ok().filter(|gain| (-60.0..=24.0).contains(gain));
    gain.ok_or_else(|| "a gain is a number of decibels from -60 to 24".into())
}

pub fn tail_seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
    seconds.ok_or_else(|| "a tail is a number of seconds from 0 to 600".into())
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.05..=100_000.0).contains(minutes));
    minutes.ok_or_else(|| "a number of minutes from 0.05 to 100000 is needed".into())
}
