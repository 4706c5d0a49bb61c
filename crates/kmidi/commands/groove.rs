//! `kmidi groove`: how notes lie against the beat is learnt from files, applied to others, and made up.

mod text;

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use kmidi_core::Division;
use kmidi_session::{FileSource, STDIN, check_output};
use kmidi_song::groove::{
    self, Algorithm, ApplyOptions, Channels, Drift, ExtractOptions, ExtractReport, Groove, GrooveError,
    HumanizeChoice, MAX_GROOVE_BYTES,
};
use kmidi_song::{ByteSource, SongIndex};
use serde::Serialize;

use super::progress_bar;
use crate::exit::Unreadable;
use crate::output::{print, print_json, write_whole};
use crate::song_output::{SongOutput, report};

const AFTER_HELP: &str = "\
Only notes are changed: each moves with its end, none is moved past or into another of its key, and the piece stays as long as
it is. The same file, options and seed give the same bytes.

Who humanises leaves notes out, as people do: with a probability of a fifth of the complexity (--dropout says another, 0 none).
The drummer leaves out less of what carries the beat, and nothing that is no drum. Soft strokes are added with a preset or a
style that has them, and above a vulnerability of 0.6 (--ghosts says how likely, --no-ghost-notes none).

EXAMPLES:
  kmidi groove list
  kmidi groove humanize drums.mid -o played.mid -p hiphop_pocket
  kmidi groove apply song.mid -g jazz -i 0.8 -o swung.mid
  kmidi groove extract played.mid -o mine.json && kmidi groove apply other.mid -g mine.json -o other-played.mid";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct GrooveArgs {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Learn the groove of a MIDI file
    Extract(Extract),
    /// Play a MIDI file with the groove of a genre or of a groove file
    Apply(Apply),
    /// Play a MIDI file as a drummer would, or chance
    Humanize(Humanize),
    /// List genres, presets, styles, pockets and algorithms
    List(List),
}

impl GrooveArgs {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Extract(args) => args.json,
            What::Apply(args) => args.json,
            What::Humanize(args) => args.json,
            What::List(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub struct Extract {
    /// A MIDI file (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Groove file to write, JSON; - for standard output
    #[arg(short, long, value_name = "FILE.json")]
    pub output: Option<PathBuf>,
    /// Name of the groove; that of the file otherwise
    #[arg(long)]
    pub name: Option<String>,
    /// Channel to learn from, 1 to 16; the drums if they play, else all, otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub channel: Option<u8>,
    /// Places in a whole note: 4, 8, 12, 16, 24 or 32
    #[arg(short, long, value_name = "N", default_value_t = 16)]
    pub resolution: u8,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// A MIDI file (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Genre (kmidi groove list) or groove file (.json)
    #[arg(short, long, value_name = "GENRE|FILE.json")]
    pub groove: String,
    /// MIDI file to write; it appears when it is complete; - pipes it to the next program
    #[arg(short, long, value_name = "FILE.mid")]
    pub output: PathBuf,
    /// How much of it, 0 to 1
    #[arg(short, long, value_name = "X", default_value_t = 0.5, allow_negative_numbers = true)]
    pub intensity: f64,
    /// Channel to change, 1 to 16; all otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub channel: Option<u8>,
    /// Places in a whole note to apply it at: 4, 8, 12, 16, 24 or 32; the groove's own otherwise
    #[arg(short, long, value_name = "N")]
    pub resolution: Option<u8>,
    /// Read what was written again and fail where it has drifted
    #[arg(long)]
    pub check_drift: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Humanize {
    /// A MIDI file (- for standard input)
    #[arg(value_name = "FILE", required_unless_present = "list_presets")]
    pub file: Option<PathBuf>,
    /// MIDI file to write; it appears when it is complete; - pipes it to the next program
    #[arg(short, long, value_name = "FILE.mid", required_unless_present = "list_presets")]
    pub output: Option<PathBuf>,
    /// Preset (--list-presets)
    #[arg(short, long)]
    pub preset: Option<String>,
    /// Style (kmidi groove list)
    #[arg(short, long)]
    pub style: Option<String>,
    /// How loosely it is played, 0 to 1
    #[arg(short, long, value_name = "X", allow_negative_numbers = true)]
    pub complexity: Option<f64>,
    /// How exposed it is, 0 to 1: softer and less even
    #[arg(short, long, value_name = "X", allow_negative_numbers = true)]
    pub vulnerability: Option<f64>,
    /// Channel to change, 1 to 16; the drums if they play, else all, otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub channel: Option<u8>,
    /// How likely a note is left out, 0 to 1; a fifth of the complexity otherwise
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub dropout: Option<f64>,
    /// How likely a soft stroke is added behind one of a snare drum, a hi-hat or a tom, 0 to 1; the preset's or the style's otherwise
    #[arg(long, value_name = "X", allow_negative_numbers = true, conflicts_with = "no_ghost_notes")]
    pub ghosts: Option<f64>,
    /// Add no soft strokes
    #[arg(long)]
    pub no_ghost_notes: bool,
    /// Where chance comes from
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = super::seed)]
    pub seed: u64,
    /// How chance moves notes; the drummer otherwise
    #[arg(long, value_enum)]
    pub algorithm: Option<OfAlgorithm>,
    /// Print the names of the presets
    #[arg(long)]
    pub list_presets: bool,
    /// Read what was written again and fail where it has drifted
    #[arg(long)]
    pub check_drift: bool,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct List {
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OfAlgorithm {
    /// Every displacement within its bounds alike
    Uniform,
    /// A drummer's
    Drummer,
}

impl From<OfAlgorithm> for Algorithm {
    fn from(algorithm: OfAlgorithm) -> Self {
        match algorithm {
            OfAlgorithm::Uniform => Algorithm::Uniform,
            OfAlgorithm::Drummer => Algorithm::Drummer,
        }
    }
}

pub fn run(args: GrooveArgs) -> Result<ExitCode> {
    match args.what {
        What::Extract(args) => extract(args)?,
        What::Apply(args) => return apply(args),
        What::Humanize(args) => return humanize(args),
        What::List(args) => match args.json {
            true => print_json(&groove::catalogue())?,
            false => print(text::list(&groove::catalogue())?.as_bytes())?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// What the user gave cannot be used, or what was to be written could not be.
fn error(file: &Path, error: GrooveError) -> anyhow::Error {
    match error {
        error @ (GrooveError::Io(_) | GrooveError::Write(_)) => {
            anyhow!(error).context(file.display().to_string())
        }
        // What was asked, and not the file, is wrong.
        error @ (GrooveError::Range { .. } | GrooveError::Unknown { .. } | GrooveError::Places(_)) => {
            Unreadable(error.into()).into()
        }
        error => Unreadable(anyhow!(error).context(file.display().to_string())).into(),
    }
}

fn open(file: &Path) -> Result<FileSource> {
    FileSource::open(file).map_err(|error| Unreadable(error.into()).into())
}

fn scan(file: &Path, source: &FileSource) -> Result<SongIndex> {
    let index = SongIndex::scan(source, &mut |_| {}).with_context(|| file.display().to_string());
    index.map_err(|error| Unreadable(error).into())
}

fn whole(source: &FileSource) -> Result<Vec<u8>> {
    let length = usize::try_from(ByteSource::len(source)).context("too large to be read as a whole")?;
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match ByteSource::read_at(source, filled as u64, &mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[derive(Serialize)]
struct Extracted<'a> {
    #[serde(flatten)]
    report: &'a ExtractReport,
    output: Option<String>,
}

fn extract(args: Extract) -> Result<()> {
    if let Some(output) = &args.output {
        if args.json && output.as_os_str() == STDIN {
            let error = anyhow!("-o - and --json both need standard output: leave one of them out");
            return Err(Unreadable(error).into());
        }
        check_output(output, std::iter::once(&args.file)).map_err(|error| Unreadable(error.into()))?;
    }
    let source = open(&args.file)?;
    let index = Arc::new(scan(&args.file, &source)?);
    let stem = args.file.file_stem().map_or("groove".into(), |stem| stem.to_string_lossy());
    let options = ExtractOptions {
        name: args.name.unwrap_or_else(|| stem.into_owned()),
        slots_per_whole: args.resolution,
        channels: args.channel.map(|channel| Channels::one(channel - 1)),
    };
    let found = groove::extract_file(&source, &index, &options).map_err(|it| error(&args.file, it))?;
    let learnt = groove::extract_report(&found);
    match &args.output {
        Some(output) if output.as_os_str() == STDIN => {
            print(found.to_json().as_bytes())?;
            eprint!("{}", text::extracted(&learnt)?);
            return Ok(());
        }
        Some(output) => {
            write_whole(output, found.to_json().as_bytes()).with_context(|| output.display().to_string())?
        }
        None => {}
    }
    match args.json {
        true => {
            print_json(&Extracted { report: &learnt, output: args.output.map(|it| it.display().to_string()) })
        }
        false => print(text::extracted(&learnt)?.as_bytes()),
    }
}

/// A genre by its name, or a groove file.
fn groove_named(name: &str) -> Result<Groove> {
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json")) || path.is_file();
    if !is_file {
        return Ok(groove::template(name).map_err(|it| Unreadable(it.into()))?.groove());
    }
    let source = open(path)?;
    if ByteSource::len(&source) > MAX_GROOVE_BYTES as u64 {
        return Err(Unreadable(anyhow!("{name}: too large for a groove file")).into());
    }
    let groove = Groove::from_json(&whole(&source)?);
    groove.map_err(|it| Unreadable(anyhow!(it).context(path.display().to_string())).into())
}

#[derive(Serialize)]
struct Changed<T> {
    #[serde(flatten)]
    report: T,
    output: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Drift>,
}

fn apply(args: Apply) -> Result<ExitCode> {
    let groove_file = PathBuf::from(&args.groove);
    let output = song_output(&args.output, &[&args.file, &groove_file], args.json, args.check_drift)?;
    let groove = groove_named(&args.groove)?;
    let options = ApplyOptions {
        intensity: args.intensity,
        channels: args.channel.map(|channel| Channels::one(channel - 1)),
        slots_per_whole: args.resolution,
    };
    let source = open(&args.file)?;
    let index = scan(&args.file, &source)?;
    let done = write_song(&args.file, &output, &source, |out, progress| {
        groove::apply_file(&source, &index, &groove, &options, out, progress)
    })?;
    let text = text::applied(&done)?;
    finish(&index, &output, done, &text, args.check_drift, args.json)
}

/// Where a changed song goes, if it can; its drift can be seen in a file only.
fn song_output(path: &Path, inputs: &[&PathBuf], json: bool, check_drift: bool) -> Result<SongOutput> {
    let output = SongOutput::new(path, inputs.iter().copied(), json)?;
    match check_drift && output.is_pipe() {
        true => Err(Unreadable(anyhow!("--check-drift reads what was written: name a file for -o")).into()),
        false => Ok(output),
    }
}

fn humanize(args: Humanize) -> Result<ExitCode> {
    if args.list_presets {
        let presets = groove::presets();
        match args.json {
            true => print_json(&serde_json::json!({ "presets": presets }))?,
            false => print(presets.iter().map(|it| format!("{}\n", it.name)).collect::<String>().as_bytes())?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(file), Some(output)) = (args.file, args.output) else {
        return Err(Unreadable(anyhow!("a file to read and --output are needed")).into());
    };
    let choice = HumanizeChoice {
        preset: args.preset,
        style: args.style,
        complexity: args.complexity,
        vulnerability: args.vulnerability,
        channel: args.channel,
        ghost_notes: !args.no_ghost_notes,
        ghosts: args.ghosts,
        dropout: args.dropout,
        seed: args.seed,
        algorithm: args.algorithm.map(Algorithm::from),
    };
    let output = song_output(&output, &[&file], args.json, args.check_drift)?;
    let source = open(&file)?;
    let index = scan(&file, &source)?;
    let done = write_song(&file, &output, &source, |out, progress| {
        groove::humanize_file(&source, &index, &choice, out, progress)
    })?;
    if let (0, 1.., Division::Ppq(ticks)) = (done.changes.moved, done.changes.notes, index.division) {
        eprintln!(
            "kmidi: no note was moved: a complexity of {} moves them by less than a tick of this file, which has {ticks} a \
             quarter note; -c says how loosely it is played",
            done.complexity
        );
    }
    let text = text::humanized(&done)?;
    finish(&index, &output, done, &text, args.check_drift, args.json)
}

type Out<'a> = BufWriter<&'a mut std::fs::File>;

fn write_song<T>(
    input: &Path,
    output: &SongOutput,
    source: &FileSource,
    work: impl FnOnce(&mut Out<'_>, &mut dyn FnMut(u64)) -> Result<T, GrooveError>,
) -> Result<T> {
    let bar = progress_bar();
    bar.set_message("groove");
    let length = ByteSource::len(source).max(1);
    let done = output.write_with(|file| {
        let mut out = BufWriter::new(file);
        let done = work(&mut out, &mut |read| bar.set_position(read.saturating_mul(1000) / length));
        let done = done.map_err(|it| error(input, it))?;
        out.flush()?;
        Ok(done)
    });
    bar.finish_and_clear();
    done
}

fn finish<T: Serialize>(
    before: &SongIndex,
    output: &SongOutput,
    done: T,
    text: &str,
    check_drift: bool,
    json: bool,
) -> Result<ExitCode> {
    let drift = match output {
        SongOutput::File(path) if check_drift => Some(groove::drift(before, &scan(path, &open(path)?)?)),
        _ => None,
    };
    let drifted = drift.is_some_and(|drift| !drift.is_none());
    if json {
        print_json(&Changed { report: done, output: output.name(), drift })?;
    } else {
        let checked = match drift {
            Some(Drift { end_ticks, .. }) => format!("  drift       {end_ticks} ticks\n"),
            None => String::new(),
        };
        report(Some(output), &format!("{}\n{text}{checked}", output.name()))?;
    }
    Ok(if drifted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
