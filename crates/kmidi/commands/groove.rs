//! `kmidi groove`: how notes lie against the beat is learnt from files, applied to others, and made up.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use kmidi_session::{FileSource, STDIN, check_output};
use kmidi_song::groove::{
    self, Algorithm, ApplyOptions, ApplyReport, Catalogue, Channels, Drift, ExtractOptions, ExtractReport,
    Groove, GrooveError, HumanizeChoice, HumanizeReport, MAX_GROOVE_BYTES,
};
use kmidi_song::{ByteSource, SongIndex};
use serde::Serialize;

use super::progress_bar;
use crate::exit::Unreadable;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
Only notes are changed: each moves with its end, none is moved past or into another of its key, and the piece stays as long as
it is. The same file, options and seed give the same bytes.

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
    /// Groove file to write, JSON
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
    /// MIDI file to write; it appears when it is complete
    #[arg(short, long, value_name = "FILE.mid")]
    pub output: PathBuf,
    /// How much of it, 0 to 1
    #[arg(short, long, value_name = "X", default_value_t = 0.5)]
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
    /// MIDI file to write; it appears when it is complete
    #[arg(short, long, value_name = "FILE.mid", required_unless_present = "list_presets")]
    pub output: Option<PathBuf>,
    /// Preset (--list-presets)
    #[arg(short, long)]
    pub preset: Option<String>,
    /// Style (kmidi groove list)
    #[arg(short, long)]
    pub style: Option<String>,
    /// How loosely it is played, 0 to 1
    #[arg(short, long, value_name = "X")]
    pub complexity: Option<f64>,
    /// How exposed it is, 0 to 1: softer and less even
    #[arg(short, long, value_name = "X")]
    pub vulnerability: Option<f64>,
    /// Channel to change, 1 to 16; the drums if they play, else all, otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub channel: Option<u8>,
    /// Add no soft strokes
    #[arg(long)]
    pub no_ghost_notes: bool,
    /// Where chance comes from
    #[arg(long, value_name = "N", default_value_t = 1)]
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
            false => print(list_text(&groove::catalogue())?.as_bytes())?,
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
    let source = open(&args.file)?;
    let index = Arc::new(scan(&args.file, &source)?);
    let stem = args.file.file_stem().map_or("groove".into(), |stem| stem.to_string_lossy());
    let options = ExtractOptions {
        name: args.name.unwrap_or_else(|| stem.into_owned()),
        slots_per_whole: args.resolution,
        channels: args.channel.map(|channel| Channels::one(channel - 1)),
    };
    let found = groove::extract_file(&source, &index, &options).map_err(|it| error(&args.file, it))?;
    if let Some(output) = &args.output {
        write(output, Some(&args.file), |file| Ok(file.write_all(found.to_json().as_bytes())?))?;
    }
    let report = groove::extract_report(&found);
    match args.json {
        true => {
            print_json(&Extracted { report: &report, output: args.output.map(|it| it.display().to_string()) })
        }
        false => print(extracted_text(&report)?.as_bytes()),
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
    Groove::from_json(&whole(&source)?).map_err(|it| error(path, it))
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
    check_output(&args.output, std::iter::once(&groove_file)).map_err(|error| Unreadable(error.into()))?;
    let groove = groove_named(&args.groove)?;
    let options = ApplyOptions {
        intensity: args.intensity,
        channels: args.channel.map(|channel| Channels::one(channel - 1)),
        slots_per_whole: args.resolution,
    };
    let source = open(&args.file)?;
    let index = scan(&args.file, &source)?;
    let report = write_song(&args.file, &args.output, &source, |out, progress| {
        groove::apply_file(&source, &index, &groove, &options, out, progress)
    })?;
    let text = applied_text(&report)?;
    finish(&index, args.output, report, &text, args.check_drift, args.json)
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
        seed: args.seed,
        algorithm: args.algorithm.map(Algorithm::from),
    };
    let source = open(&file)?;
    let index = scan(&file, &source)?;
    let report = write_song(&file, &output, &source, |out, progress| {
        groove::humanize_file(&source, &index, &choice, out, progress)
    })?;
    let text = humanized_text(&report)?;
    finish(&index, output, report, &text, args.check_drift, args.json)
}

type Out<'a> = BufWriter<&'a mut std::fs::File>;

fn write_song<T>(
    input: &Path,
    output: &Path,
    source: &FileSource,
    work: impl FnOnce(&mut Out<'_>, &mut dyn FnMut(u64)) -> Result<T, GrooveError>,
) -> Result<T> {
    let bar = progress_bar();
    bar.set_message("groove");
    let length = ByteSource::len(source).max(1);
    let done = write(output, Some(input), |file| {
        let mut out = BufWriter::new(file);
        let done = work(&mut out, &mut |read| bar.set_position(read.saturating_mul(1000) / length));
        let done = done.map_err(|it| error(input, it))?;
        out.flush()?;
        Ok(done)
    });
    bar.finish_and_clear();
    done
}

/// Replaces a file as a whole, or not at all; never the file that is read.
fn write<T>(
    path: &Path,
    input: Option<&Path>,
    work: impl FnOnce(&mut std::fs::File) -> Result<T>,
) -> Result<T> {
    check_output(path, input.map(Path::to_owned).iter()).map_err(|error| Unreadable(error.into()))?;
    if path.as_os_str() == STDIN {
        return Err(Unreadable(anyhow!("-o -: name a file; standard output has the report")).into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut file = tempfile::Builder::new()
        .permissions(readable)
        .tempfile_in(folder)
        .with_context(|| folder.display().to_string())?;
    let done = work(file.as_file_mut())?;
    file.as_file().sync_all().with_context(|| path.display().to_string())?;
    file.persist(path).with_context(|| path.display().to_string())?;
    Ok(done)
}

fn finish<T: Serialize>(
    before: &SongIndex,
    output: PathBuf,
    report: T,
    text: &str,
    check_drift: bool,
    json: bool,
) -> Result<ExitCode> {
    let drift = match check_drift {
        true => Some(groove::drift(before, &scan(&output, &open(&output)?)?)),
        false => None,
    };
    let drifted = drift.is_some_and(|drift| !drift.is_none());
    if json {
        print_json(&Changed { report, output: output.display().to_string(), drift })?;
    } else {
        let checked = match drift {
            Some(Drift { end_ticks, .. }) => format!("  drift       {end_ticks} ticks\n"),
            None => String::new(),
        };
        print(format!("{}\n{text}{checked}", output.display()).as_bytes())?;
    }
    Ok(if drifted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn numbers(channels: &[u8]) -> String {
    channels.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

fn changes_text(out: &mut String, changes: &groove::Changes, channels: &[u8]) -> std::fmt::Result {
    writeln!(out, "  channels    {}", numbers(channels))?;
    writeln!(
        out,
        "  notes       {} played, {} moved (at most {} ticks), {} left out, {} ghost notes, {} shortened",
        changes.notes, changes.moved, changes.most_ticks, changes.dropped, changes.ghosts, changes.shortened
    )
}

fn humanized_text(report: &HumanizeReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let algorithm = match report.algorithm {
        Algorithm::Uniform => "uniform",
        Algorithm::Drummer => "drummer",
    };
    writeln!(
        out,
        "  played by   {algorithm}, complexity {}, vulnerability {}, seed {}",
        report.complexity, report.vulnerability, report.seed
    )?;
    changes_text(&mut out, &report.changes, &report.channels)?;
    writeln!(out, "  timing      {:+.1} ticks, deviation {:.1}", report.mean_ticks, report.sd_ticks)?;
    writeln!(out, "  velocity    {:.0}, was {:.0}", report.mean_velocity, report.mean_velocity_before)?;
    Ok(out)
}

fn applied_text(report: &ApplyReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "  groove      {}, intensity {}, swing {}, {} places",
        report.groove, report.intensity, report.swing, report.slots_per_whole
    )?;
    changes_text(&mut out, &report.changes, &report.channels)?;
    writeln!(out, "  velocity    {:.0}, was {:.0}", report.mean_velocity, report.mean_velocity_before)?;
    Ok(out)
}

fn extracted_text(report: &ExtractReport) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let it = &report.statistics;
    let (slowest, fastest) = report.tempo_range_bpm;
    writeln!(out, "{}", report.groove)?;
    writeln!(out, "  swing       {:.2}", report.swing)?;
    writeln!(out, "  tempo       {slowest:.1} to {fastest:.1} bpm")?;
    writeln!(
        out,
        "  notes       {} on {} of {} places",
        it.notes, report.slots_known, report.slots_per_whole
    )?;
    writeln!(
        out,
        "  timing      {:+.1} ticks ({:+.1} ms), deviation {:.1} ({:.1} ms), at most {:.1} ({:.1} ms)",
        it.mean_ticks, it.mean_ms, it.sd_ticks, it.sd_ms, it.most_ticks, it.most_ms
    )?;
    writeln!(
        out,
        "  velocity    {:.0}, deviation {:.0}, {} ghost notes, {} accents",
        it.mean_velocity, it.sd_velocity, it.ghosts, it.accents
    )?;
    Ok(out)
}

fn list_text(all: &Catalogue) -> Result<String, std::fmt::Error> {
    let mut out = String::from("genres\n");
    for genre in &all.genres {
        let (slowest, fastest) = genre.tempo_range_bpm;
        let also = match genre.aliases {
            [] => String::new(),
            names => format!("  (also {})", names.join(", ")),
        };
        writeln!(out, "  {:24} swing {:.2}, {slowest} to {fastest} bpm{also}", genre.name, genre.swing)?;
    }
    out += "presets\n";
    for preset in all.presets {
        writeln!(
            out,
            "  {:24} complexity {:.2}, vulnerability {:.2}, style {}",
            preset.name, preset.complexity, preset.vulnerability, preset.style
        )?;
    }
    out += "styles\n";
    for style in all.styles {
        writeln!(
            out,
            "  {:24} complexity {:.2}, vulnerability {:.2}, swing {:.2}",
            style.name, style.complexity, style.vulnerability, style.swing
        )?;
    }
    out += "pockets (ms)\n";
    for named in all.pockets {
        let it = named.pocket;
        writeln!(
            out,
            "  {:24} bass drum {:+}, snare {:+}, hi-hat {:+}, pedal {:+}",
            named.name, it.kick_ms, it.snare_ms, it.hat_ms, it.pedal_hat_ms
        )?;
    }
    out += "algorithms\n";
    for algorithm in &all.algorithms {
        writeln!(out, "  {:24} {}", algorithm.name, algorithm.what)?;
    }
    Ok(out)
}
