//! `kmidi analyze`: what a song is made of.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use kmidi_compose::analysis::audio::{AudioError, Listener, Onset, Tempo};
use kmidi_compose::analysis::{Analysis, NoteView, Part};
use kmidi_session::{FileSource, InputError, InputKind, ReadError, ReadLoss, Recording, STDIN};
use kmidi_song::{Song, Warnings};
use serde::Serialize;

use super::progress_bar;
use crate::cache_flag::CacheArgs;
use crate::exit::Unreadable;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
Without --key, --tempo, --chords or --sections all of it is printed; --json is always all of it.

The key is that whose profile (Krumhansl and Kessler 1982) fits the time that each tone sounds, with what the first and last
chord and the cadences say. Below a confidence of 0.2 the second key is as defensible: a loop of Am F C G is in A minor or in C.
Chords are read bar by bar; 3:G7 is a G7 that begins on the third beat, N.C. is no chord. Sections with the same letter are
the same music again. The drums (channel 10) tell about tempo and sections only.

Of a recording: its tempo (60 to 180 beats a minute), beats, onsets and level; or why it has no tempo.

EXAMPLES:
  kmidi analyze song.mid
  kmidi analyze song.mid --key --chords
  kmidi analyze song.mid --json | jq .key.name";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Analyze {
    /// A MIDI file (- for standard input), or a recording: WAV, FLAC, MP3, Ogg Vorbis
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print the chords, bar by bar
    #[arg(long, short = 'c')]
    pub chords: bool,
    /// Print the key, and the keys that it goes through
    #[arg(long, short = 'k')]
    pub key: bool,
    /// Print the sections and the course of tension
    #[arg(long, short = 's')]
    pub sections: bool,
    /// Print tempo and meter
    #[arg(long, short = 't')]
    pub tempo: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub cache: CacheArgs,
}

pub fn run(args: Analyze) -> Result<()> {
    // What is no MIDI file is a recording, or neither.
    if args.file.as_os_str() != STDIN && !is_song(&args.file)? {
        return recording(&args);
    }
    let (song, warnings) = read_song(&args.file).map_err(Unreadable)?;
    let told: Vec<String> = warnings.as_slice().iter().take(MOST_WARNINGS).map(ToString::to_string).collect();
    for warning in &told {
        eprintln!("kmidi: warning: {}: {warning}", args.file.display());
    }
    if warnings.total() > told.len() as u64 {
        eprintln!("kmidi: {} warnings more; `kmidi info` lists them", warnings.total() - told.len() as u64);
    }
    let view =
        NoteView::from_song(&song).with_context(|| args.file.display().to_string()).map_err(Unreadable)?;
    let analysis = Analysis::of(&view);
    if args.json {
        return print_json(&Analysed {
            analysis: &analysis,
            warnings: told,
            warnings_total: warnings.total(),
        });
    }
    let text = format!("{}\n{}", args.file.display(), analysis.text(&parts(&args)));
    print(text.as_bytes())
}

fn is_song(path: &Path) -> Result<bool> {
    match FileSource::open(path).and_then(|source| source.kind()) {
        Ok(kind) => Ok(kind == InputKind::Song),
        Err(InputError::Unknown(_)) => Ok(false),
        Err(error) => Err(Unreadable(error.into()).into()),
    }
}

/// Rises whenever the same recording would be told otherwise: results that were kept are then of no use.
const LISTENING_VERSION: u32 = 3;

/// Warnings that are told of a damaged song; all are counted.
const MOST_WARNINGS: usize = 8;

/// What `--json` prints of a song.
#[derive(Serialize)]
struct Analysed<'a> {
    #[serde(flatten)]
    analysis: &'a Analysis,
    /// What is damaged in the file, the first of it.
    warnings: Vec<String>,
    warnings_total: u64,
}

/// What `--json` prints of a recording.
#[derive(Serialize)]
struct Heard {
    duration_seconds: f64,
    peak_dbfs: f64,
    rms_dbfs: f64,
    clipped_samples: u64,
    /// Frames in which channels cancelled each other; one of them was heard alone.
    cancelled_frames: u64,
    /// What of it could not be read.
    #[serde(flatten)]
    loss: ReadLoss,
    onsets_seconds: Vec<f64>,
    tempo: Option<Tempo>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

fn recording(args: &Analyze) -> Result<()> {
    if args.chords || args.key || args.sections {
        let error = anyhow!(
            "{}: of a recording, tempo and onsets can be told; key, chords and sections of a MIDI file",
            args.file.display()
        );
        return Err(Unreadable(error).into());
    }
    // What is kept is what is printed, so that it is the same to the last digit.
    let settings: [(&str, &dyn std::fmt::Display); 2] =
        [("version", &LISTENING_VERSION), ("json", &args.json)];
    let told = args.cache.through(&args.file, "analyze", &settings, || {
        let heard = listen(&args.file)?;
        let text = if args.json { serde_json::to_string_pretty(&heard)? + "\n" } else { heard_text(&heard)? };
        Ok(text.into_bytes())
    })?;
    if !args.json {
        print(format!("{}\n", args.file.display()).as_bytes())?;
    }
    print(&told)
}

fn listen(path: &Path) -> Result<Heard> {
    let unreadable = |error: ReadError| Unreadable(error.into());
    let damaged = |error: AudioError| Unreadable(anyhow!("{}: {error}", path.display()));
    let mut recording = Recording::open(path).map_err(unreadable)?;
    let sample_rate_hz = recording.sample_rate_hz();
    let mut listener = Listener::new(sample_rate_hz).map_err(damaged)?;
    let bar = progress_bar();
    bar.set_message("listening");
    loop {
        let block = recording.read().map_err(unreadable)?;
        if block.is_empty() {
            break;
        }
        listener.push(block).map_err(damaged)?;
        bar.set_position((recording.progress().unwrap_or(0.0) * 1000.0) as u64);
    }
    bar.finish_and_clear();
    let loss = recording.loss();
    if recording.frames() == 0 {
        let error = anyhow!("{}: it ends before its first sample: it is cut off, or empty", path.display());
        return Err(Unreadable(error).into());
    }
    let told = loss.to_string();
    if !told.is_empty() {
        eprintln!("kmidi: warning: {}: {told}", path.display());
    }
    let cancelled_frames = recording.cancelled_frames();
    if cancelled_frames > 0 {
        eprintln!(
            "kmidi: warning: {}: channels cancel each other for {:.2} s, as where one is wired upside down: one was heard alone",
            path.display(),
            cancelled_frames as f64 / f64::from(sample_rate_hz)
        );
    }
    let heard = listener.finish();
    let seconds = |onset: &Onset| onset.frame as f64 / f64::from(sample_rate_hz);
    let dbfs = |level: f32| 20.0 * f64::from(level.max(1e-10)).log10();
    let why = heard.tempo.as_ref().err().map(ToString::to_string);
    Ok(Heard {
        duration_seconds: heard.duration_seconds,
        peak_dbfs: dbfs(heard.levels.peak()),
        rms_dbfs: dbfs(heard.levels.rms()),
        clipped_samples: heard.levels.clipped_samples(),
        cancelled_frames,
        loss,
        onsets_seconds: heard.onsets.iter().map(seconds).collect(),
        tempo: heard.tempo.ok(),
        why,
    })
}

fn heard_text(heard: &Heard) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    match (&heard.tempo, &heard.why) {
        (Some(tempo), _) => {
            let other = tempo.alternative.map_or(String::new(), |it| format!("; or {:.1}", it.bpm));
            let first = tempo.beats_seconds.first().copied().unwrap_or(0.0);
            writeln!(
                out,
                "  tempo       {:.1} bpm (confidence {:.2}{other}), first beat at {first:.2} s",
                tempo.bpm, tempo.confidence
            )?;
        }
        (None, why) => writeln!(out, "  tempo       none: {}", why.as_deref().unwrap_or("not told"))?,
    }
    writeln!(out, "  onsets      {}", heard.onsets_seconds.len())?;
    writeln!(out, "  duration    {:.2} s", heard.duration_seconds)?;
    writeln!(
        out,
        "  level       peak {:.1} dBFS, mean {:.1} dBFS, {} samples clipped",
        heard.peak_dbfs, heard.rms_dbfs, heard.clipped_samples
    )?;
    Ok(out)
}

fn parts(args: &Analyze) -> Vec<Part> {
    let all = [
        (args.key, Part::Key),
        (args.tempo, Part::Tempo),
        (args.sections, Part::Sections),
        (args.chords, Part::Chords),
    ];
    let any = all.iter().any(|it| it.0);
    all.into_iter().filter(|it| it.0 || !any).map(|it| it.1).collect()
}

/// Most bytes of a song that is held in memory as a whole.
const MAX_SONG_BYTES: u64 = 256 << 20;

/// A whole song, as what changes or analyses it needs it.
fn read_song(path: &Path) -> Result<(Song, Warnings)> {
    let source = FileSource::open(path)?;
    let len = source.len_bytes();
    if len > MAX_SONG_BYTES {
        return Err(anyhow!("{}: {len} bytes; songs of up to {MAX_SONG_BYTES} are analysed", path.display()));
    }
    let mut bytes = vec![0; len as usize];
    let mut read = 0;
    while read < bytes.len() {
        match source.read_at(read as u64, &mut bytes[read..]).with_context(|| path.display().to_string())? {
            0 => break,
            count => read += count,
        }
    }
    Song::from_smf(&bytes[..read]).with_context(|| path.display().to_string())
}
