//! `kmidi transcribe`: a recording becomes a MIDI file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use kmidi_memory::{Cancel, Domain, JobContext, JobError, Need};
use kmidi_ml::model::{Model, ModelName};
use kmidi_ml::transcribe::{
    self, HeardNote, HeardPedal, MidiOptions, MonoOptions, PolyOptions, TranscribeError, Transcription,
};
use kmidi_ml::{MonoSource, Progress};
use kmidi_session::{Heard, Listening, STDIN, check_output};
use serde::Serialize;

use super::{nothing_heard, progress_bar};
use crate::cli::Output;
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;
use crate::output::{print, print_json, write_whole};
use crate::trace_flag::{Entry, TraceArgs};

/// What a piano is played with.
const GRAND_PIANO: u8 = 0;
/// Seconds that a processor takes for a second of a piano, about.
const PIANO_SECONDS: f64 = 1.1;

const AFTER_HELP: &str = "\
basic-pitch hears any instruments together; it knows no drums, and its notes have no instruments. --mono hears a single voice, without
the overtones that basic-pitch takes for notes: better for a bass, worse for a piano and for bowed strings; of winds and singers try
both. The whole recording is read window by window: memory does not grow with its length,
but for the notes. Where no note is heard nothing is written, and the reason is told (exit code 1). Up to two minutes are looked at as a whole, more is cut where least sounds.

--model piano hears a piano alone, far better, and its pedals. It has to be fetched once (`kmidi models fetch piano`), and takes
longer than the recording lasts on a small machine.

The file counts time at --tempo, whatever the tempo of the music is; kmidi analyze tells that.

EXAMPLES:
  kmidi transcribe song.flac -o song.mid
  kmidi transcribe recital.flac --model piano -o recital.mid
  kmidi transcribe voice.wav --mono --bends -o voice.mid --play
  kmidi transcribe guitar.mp3 -o guitar.mid --onset-threshold 0.6 --min-freq 80 --json";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Transcribe {
    /// A recording: WAV, FLAC, MP3 or Ogg Vorbis; - is standard input
    #[arg(value_name = "AUDIO")]
    pub file: PathBuf,
    /// MIDI file to write; it appears when it is complete
    #[arg(short, long, value_name = "FILE.mid")]
    pub output: PathBuf,
    /// Hear a single voice, by swift-f0
    #[arg(long, conflicts_with = "model")]
    pub mono: bool,
    /// What to hear by; basic-pitch otherwise
    #[arg(long, value_enum)]
    pub model: Option<Ear>,
    /// How sure the beginning of a note must be, 0.01 to 1; 0.5 otherwise. Only of basic-pitch
    #[arg(long, value_name = "X", conflicts_with = "mono")]
    pub onset_threshold: Option<f64>,
    /// How sure each moment of a note must be, 0.01 to 1; 0.3 otherwise. Only of basic-pitch
    #[arg(long, value_name = "X", conflicts_with = "mono")]
    pub frame_threshold: Option<f64>,
    /// Milliseconds that a note must last, or with --mono that another pitch must be held; 127.7 or 80 otherwise
    #[arg(long, value_name = "MS")]
    pub min_note_ms: Option<f64>,
    /// Lowest key to write, by its frequency in Hz, to half a Hz: 262 is middle C
    #[arg(long, value_name = "HZ")]
    pub min_freq: Option<f64>,
    /// Highest key to write, likewise
    #[arg(long, value_name = "HZ")]
    pub max_freq: Option<f64>,
    /// Write the course of pitch within notes that sound alone, as pitch bends of two semitones
    #[arg(long)]
    pub bends: bool,
    /// Quarter notes a minute of the file
    #[arg(long, value_name = "BPM", default_value_t = 120.0)]
    pub tempo: f64,
    /// Play what was heard
    #[arg(long)]
    pub play: bool,
    #[command(flatten)]
    pub device: Output,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

/// The models that hear notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ear {
    /// Any instruments together
    BasicPitch,
    /// A single voice, as --mono does
    SwiftF0,
    /// A piano alone, with its pedals; it has to be fetched once
    Piano,
}

impl Ear {
    const fn model(self) -> ModelName {
        match self {
            Ear::BasicPitch => ModelName::BasicPitch,
            Ear::SwiftF0 => ModelName::SwiftF0,
            Ear::Piano => ModelName::Piano,
        }
    }

    const fn sample_rate_hz(self) -> u32 {
        match self {
            Ear::BasicPitch => transcribe::POLY_SAMPLE_RATE_HZ,
            Ear::SwiftF0 => transcribe::MONO_SAMPLE_RATE_HZ,
            Ear::Piano => transcribe::PIANO_SAMPLE_RATE_HZ,
        }
    }

    const fn working_bytes(self) -> u64 {
        match self {
            Ear::BasicPitch | Ear::SwiftF0 => transcribe::WORKING_BYTES,
            Ear::Piano => transcribe::PIANO_WORKING_BYTES,
        }
    }
}

impl Transcribe {
    fn ear(&self) -> Ear {
        self.model.unwrap_or(if self.mono { Ear::SwiftF0 } else { Ear::BasicPitch })
    }

    /// An option that means nothing to the model, if one was given.
    fn meaningless(&self) -> Option<&'static str> {
        let given = [
            ("--onset-threshold", self.onset_threshold.is_some(), &[Ear::BasicPitch][..]),
            ("--frame-threshold", self.frame_threshold.is_some(), &[Ear::BasicPitch]),
            ("--min-note-ms", self.min_note_ms.is_some(), &[Ear::BasicPitch, Ear::SwiftF0]),
            ("--min-freq", self.min_freq.is_some(), &[Ear::BasicPitch, Ear::SwiftF0]),
            ("--max-freq", self.max_freq.is_some(), &[Ear::BasicPitch, Ear::SwiftF0]),
            ("--bends", self.bends, &[Ear::BasicPitch, Ear::SwiftF0]),
        ];
        given.into_iter().find(|(_, is_given, ears)| *is_given && !ears.contains(&self.ear())).map(|it| it.0)
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    output: String,
    model: ModelName,
    duration_seconds: f64,
    notes: usize,
    lowest_key: Option<u8>,
    highest_key: Option<u8>,
    most_at_once: usize,
    /// Places where the recording was too long to be looked at as a whole.
    cuts: u64,
    cpu_seconds: f64,
    recording: Heard,
    heard: &'a [Told],
    /// Only of a piano.
    pedals: Vec<ToldPedal>,
}

#[derive(Serialize)]
struct ToldPedal {
    start_seconds: f64,
    end_seconds: f64,
    controller: u8,
    value: u8,
}

#[derive(Serialize)]
struct Told {
    start_seconds: f64,
    end_seconds: f64,
    key: u8,
    velocity: u8,
}

/// Endings of files that have sound.
const SOUNDS: [&str; 6] = ["wav", "wave", "flac", "mp3", "ogg", "oga"];

/// Refuses names of outputs under which nobody looks for a MIDI file.
fn check_name(output: &Path) -> Result<()> {
    let ending = output.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if SOUNDS.contains(&ending.as_str()) {
        let told = anyhow!("-o {}: a MIDI file is written: name one that ends in .mid", output.display());
        return Err(Unreadable(told).into());
    }
    Ok(())
}

pub fn run(mut args: Transcribe, entry: &mut Entry) -> Result<ExitCode> {
    if args.output.as_os_str() == STDIN {
        return Err(Unreadable(anyhow!("-o -: name a file; standard output has the report")).into());
    }
    check_name(&args.output)?;
    check_output(&args.output, std::iter::once(&args.file)).map_err(|error| Unreadable(error.into()))?;
    if let Some(option) = args.meaningless() {
        return Err(Unreadable(anyhow!("{option} means nothing to {}", args.ear().model())).into());
    }
    let program = if args.ear() == Ear::Piano { GRAND_PIANO } else { MidiOptions::default().program };
    let midi = MidiOptions { tempo_bpm: args.tempo, program };
    // Before an hour of listening, not after it.
    transcribe::to_song(&Transcription::default(), &midi).map_err(|error| failure(&args.file, error))?;
    if args.file.as_os_str() == STDIN {
        args.file = "/dev/stdin".into();
    }
    entry.param("model", args.ear().model());
    let (heard, recording) = listen(&args)?;
    entry.metric("duration_seconds", heard.seconds);
    entry.metric("notes", heard.notes.len() as f64);
    entry.metric("cuts", heard.cuts as f64);
    if heard.notes.is_empty() {
        let why = nothing_heard::why(&recording, heard.seconds, args.ear());
        return Err(anyhow!("{}: no notes were heard: {why}; nothing was written", args.file.display()));
    }
    let song = transcribe::to_song(&heard, &midi);
    let bytes =
        song.map_err(|error| failure(&args.file, error))?.to_smf().context("the notes fit no MIDI file")?;
    write_whole(&args.output, &bytes).with_context(|| args.output.display().to_string())?;
    if args.json {
        print_json(&report(&args, &heard, recording, &heard.notes.iter().map(told).collect::<Vec<_>>()))?;
    } else {
        print(text(&report(&args, &heard, recording, &[])).as_bytes())?;
    }
    match args.play {
        true => super::play::file(&args.output, &args.device, entry),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn listen(args: &Transcribe) -> Result<(Transcription, Heard)> {
    let memory = args.memory.look_after(|line| eprintln!("kmidi: {line}"))?;
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let source = Listening::open(&args.file, args.ear().sample_rate_hz());
    let mut source = source.map_err(|error| Unreadable(error.into()))?;
    let models = args.models.cache(&memory.budgets, &[args.ear().model()]);
    let model = models.get(args.ear().model()).map_err(|error| failure(&args.file, error.into()))?;
    if args.ear() == Ear::Piano {
        eprintln!("kmidi: {}", warning(source.frames()));
    }
    let bar = progress_bar();
    bar.set_message("listening");
    let mut show = |progress: Progress| {
        let of = progress.of.unwrap_or(u64::MAX).max(1);
        bar.set_position((u128::from(progress.frames) * 1000 / u128::from(of)) as u64);
    };
    let need = Need {
        domain: Domain::Models,
        bytes: args.ear().working_bytes() + source.bytes(),
        name: format!("transcribing {}", args.file.display()),
    };
    let heard = JobContext::run(&memory.budgets, need, &cancel, |job| {
        hear(args, &model, &mut source, &job, &mut show)
    });
    bar.finish_and_clear();
    let heard = heard.map_err(TranscribeError::Job).and_then(|heard| heard);
    let heard = heard.map_err(|error| failure(&args.file, error))?;
    let faults = source.heard().to_string();
    if !faults.is_empty() {
        eprintln!("kmidi: warning: {}: {faults}", args.file.display());
    }
    Ok((heard, source.heard()))
}

fn hear(
    args: &Transcribe,
    model: &Model,
    source: &mut dyn MonoSource,
    job: &JobContext,
    show: &mut dyn FnMut(Progress),
) -> Result<Transcription, TranscribeError> {
    match args.ear() {
        Ear::BasicPitch => transcribe::polyphonic(model, source, &poly_options(args), job, show),
        Ear::SwiftF0 => transcribe::monophonic(model, source, &mono_options(args), job, show),
        Ear::Piano => transcribe::piano(model, source, job, show),
    }
}

fn poly_options(args: &Transcribe) -> PolyOptions {
    let otherwise = PolyOptions::default();
    PolyOptions {
        onset_threshold: args.onset_threshold.unwrap_or(otherwise.onset_threshold),
        frame_threshold: args.frame_threshold.unwrap_or(otherwise.frame_threshold),
        min_note_ms: args.min_note_ms.unwrap_or(otherwise.min_note_ms),
        min_hz: args.min_freq,
        max_hz: args.max_freq,
        bends: args.bends,
    }
}

fn mono_options(args: &Transcribe) -> MonoOptions {
    let min_note_ms = args.min_note_ms.unwrap_or(MonoOptions::default().min_note_ms);
    MonoOptions { min_note_ms, min_hz: args.min_freq, max_hz: args.max_freq, bends: args.bends }
}

/// What is told before a piano is listened to.
fn warning(frames: Option<u64>) -> String {
    let seconds = frames.map(|frames| frames as f64 / f64::from(transcribe::PIANO_SAMPLE_RATE_HZ));
    let time = seconds.map_or("as long as it lasts".to_owned(), |seconds| {
        let seconds = (seconds * PIANO_SECONDS).ceil();
        if seconds < 120.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
    });
    format!(
        "listening to a piano takes about {time} of one processor's time; Ctrl-C ends it, and nothing is written then"
    )
}

/// What the user gave cannot be used, was interrupted, or cannot be done here.
fn failure(file: &Path, error: TranscribeError) -> anyhow::Error {
    match error {
        TranscribeError::Job(JobError::Cancelled) => Interrupted.into(),
        error @ TranscribeError::Option(_) => Unreadable(error.into()).into(),
        error @ (TranscribeError::Source(_) | TranscribeError::NotANumber { .. }) => {
            Unreadable(anyhow!(error).context(file.display().to_string())).into()
        }
        error => anyhow!(error),
    }
}

fn told_pedal(pedal: &HeardPedal) -> ToldPedal {
    let HeardPedal { start_seconds, end_seconds, controller, value } = *pedal;
    ToldPedal { start_seconds, end_seconds, controller, value }
}

fn told(note: &HeardNote) -> Told {
    let HeardNote { start_seconds, end_seconds, key, velocity, .. } = *note;
    Told { start_seconds, end_seconds, key, velocity }
}

fn report<'a>(args: &Transcribe, heard: &Transcription, recording: Heard, notes: &'a [Told]) -> Report<'a> {
    let keys = || heard.notes.iter().map(|note| note.key);
    Report {
        output: args.output.display().to_string(),
        model: args.ear().model(),
        duration_seconds: heard.seconds,
        notes: heard.notes.len(),
        lowest_key: keys().min(),
        highest_key: keys().max(),
        most_at_once: most_at_once(&heard.notes),
        cuts: heard.cuts,
        cpu_seconds: kmidi_session::cpu_seconds(),
        recording,
        heard: notes,
        pedals: heard.pedals.iter().map(told_pedal).collect(),
    }
}

fn most_at_once(notes: &[HeardNote]) -> usize {
    let mut turns: Vec<(f64, i32)> =
        notes.iter().flat_map(|note| [(note.start_seconds, 1), (note.end_seconds, -1)]).collect();
    turns.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut now = 0;
    let most = turns.iter().map(|turn| {
        now += turn.1;
        now
    });
    // There are never fewer than none.
    most.max().unwrap_or(0) as usize
}

fn text(report: &Report<'_>) -> String {
    let keys = match (report.lowest_key, report.highest_key) {
        (Some(lowest), Some(highest)) => {
            format!(", keys {lowest} to {highest}, at most {} at once", report.most_at_once)
        }
        _ => String::new(),
    };
    let cuts = match report.cuts {
        0 => String::new(),
        cuts => format!("\n  cuts        {cuts}: longer than can be looked at as a whole"),
    };
    let pedals = match report.pedals.len() {
        0 => String::new(),
        pedals => format!("\n  pedals      {pedals} times down"),
    };
    format!(
        "{}\n  heard by    {}\n  notes       {}{keys}{pedals}\n  duration    {:.2} s{cuts}\n",
        report.output, report.model, report.notes, report.duration_seconds
    )
}
