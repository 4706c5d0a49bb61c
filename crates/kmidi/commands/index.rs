//! `kmidi index`: what there is of sounds, songs, presets and plugins.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use kmidi_library::{
    Embed, IndexError, IndexJobError, IndexReport, IndexSettings, IndexStatus, Indexer, Plugins, status,
};
use kmidi_memory::{Budgets, Cancel, JobContext, JobError, MIB, Need};
use kmidi_session::{BUILT_IN, BUILT_IN_SOUND_FONT, plugins};

use super::meaning;
use super::progress_bar;
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;
use crate::output::{print, print_json};
use crate::trace_flag::{Entry, TraceArgs};

/// What indexing needs at first; it asks for more as it goes.
pub const NEED_BYTES: u64 = 8 * MIB;
/// Damaged files that are named one by one.
const MAX_TOLD: usize = 10;

const AFTER_HELP: &str = "\
Found are recordings (WAV, FLAC, MP3, Ogg Vorbis), MIDI files, each preset of SoundFonts (.sf2, .sf3), and the plugins that
`kmidi plugin scan` knows with their presets. Names, folders and tags tell what each is, and analysis: key, tempo, length,
brightness and loudness, of a recording's first 90 seconds. What begins with a dot is passed over.

What has not changed is not looked at again; what was moved is known by its content. Files that have gone leave, and are
remembered until `kmidi index compact`; a folder that is not there as a whole, as on a disk that is not, keeps what is known of it.
What is done is written every few seconds, seldomer where the index is large: whatever ends
it, Ctrl-C or a power cut, leaves an index that can be searched, and the next `add` goes on from there.

EXAMPLES:
  kmidi index add ~/samples ~/songs /usr/share/sounds
  kmidi index add built-in            (the presets of --sf built-in)
  kmidi index add                     (bring all of it up to date)
  kmidi index remove ~/samples/old
  kmidi index status --json";

/// `kmidi index ...`
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct IndexCommand {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Add folders, and bring what was added before up to date
    Add(Add),
    /// Take folders or files out
    Remove(Remove),
    /// Say what is in the index
    Status(Status),
    /// Forget files that have gone, and write the index anew
    Compact(Compact),
}

#[derive(Debug, Args)]
pub struct Add {
    /// Folders, or single files; built-in is the SoundFont inside the program (a folder of that name: ./built-in)
    #[arg(value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Find everything out again; the way back from a damaged index
    #[arg(long)]
    pub rebuild: bool,
    /// Leave plugins as they are in the index
    #[arg(long)]
    pub no_plugins: bool,
    /// Leave out the meaning of texts: faster, and found by words alone
    #[arg(long)]
    pub no_model: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
    #[command(flatten)]
    pub file: LibraryFile,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

#[derive(Debug, Args)]
pub struct Remove {
    /// Folders or files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub file: LibraryFile,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub file: LibraryFile,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Compact {
    #[command(flatten)]
    pub file: LibraryFile,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

/// Where the index is.
#[derive(Debug, Args)]
pub struct LibraryFile {
    /// File of the index; $XDG_CACHE_HOME/kmidi/library.index otherwise
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
}

impl LibraryFile {
    /// Whether nobody named it.
    fn is_own(&self) -> bool {
        self.library.is_none()
    }

    pub fn path(&self) -> Result<PathBuf> {
        match &self.library {
            Some(path) => Ok(path.clone()),
            None => {
                let no_place = || {
                    Unreadable(anyhow!(
                        "no place for the index: set HOME or XDG_CACHE_HOME, or name --library"
                    ))
                };
                Ok(plugins::index_path().map_err(|_| no_place())?.with_file_name("library.index"))
            }
        }
    }
}

impl IndexCommand {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Add(args) => args.json,
            What::Remove(args) => args.json,
            What::Status(args) => args.json,
            What::Compact(args) => args.json,
        }
    }
}

pub fn run(args: IndexCommand, entry: &mut Entry) -> Result<()> {
    match args.what {
        What::Add(args) => add(&args, entry),
        What::Remove(args) => {
            let indexer = open(&args.file)?;
            finish(in_a_job(|job| indexer.remove(&args.paths, job))?, false, args.json)
        }
        What::Compact(args) => {
            let indexer = open(&args.file)?;
            finish(in_a_job(|job| indexer.compact(job))?, false, args.json)
        }
        What::Status(args) => {
            let status = status(&args.file.path()?).map_err(index_error)?;
            if args.json { print_json(&status) } else { print(status_text(&status).as_bytes()) }
        }
    }
}

/// One that is there: there is nothing to take out of another.
fn open(file: &LibraryFile) -> Result<Indexer> {
    let path = file.path()?;
    if !path.exists() {
        return Err(index_error(IndexError::Missing(path)));
    }
    Indexer::open(&path, IndexSettings::default()).map_err(index_error)
}

/// What cannot be read ends with another code than what cannot be written.
pub fn index_error(error: IndexError) -> anyhow::Error {
    match error {
        IndexError::Io { .. } | IndexError::Busy(_) => error.into(),
        _ => Unreadable(error.into()).into(),
    }
}

pub fn job_error(error: IndexJobError) -> anyhow::Error {
    match error {
        IndexJobError::Index(error) => index_error(error),
        IndexJobError::Job(JobError::Cancelled) => Interrupted.into(),
        IndexJobError::NoSuch { .. } => Unreadable(error.into()).into(),
        _ => error.into(),
    }
}

/// What is soon done, and needs no limits of its own.
fn in_a_job(work: impl FnOnce(&JobContext) -> Result<IndexReport, IndexJobError>) -> Result<IndexReport> {
    let need = Need::working(NEED_BYTES, "index");
    let done = JobContext::run(&Budgets::default(), need, &Cancel::default(), |job| work(&job));
    done.map_err(|error| job_error(error.into()))?.map_err(job_error)
}

fn add(args: &Add, entry: &mut Entry) -> Result<()> {
    let settings =
        IndexSettings { rebuild: args.rebuild, is_own: args.file.is_own(), ..IndexSettings::default() };
    let path = args.file.path()?;
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let cancel = Cancel::default();
    let told = cancel.clone();
    on_signals(move || told.cancel())?;
    let scan = if args.no_plugins { None } else { Some(plugins::open_index()?) };
    let has_plugins = scan.as_ref().is_some_and(|scan| !scan.files.is_empty());
    if args.folders.is_empty() && !has_plugins && !path.exists() {
        return Err(index_error(IndexError::Missing(path)));
    }
    if scan.is_some() && !has_plugins {
        eprintln!(
            "kmidi: no plugins are known: `kmidi plugin scan` finds those that are installed, then `kmidi index add`"
        );
    }
    let presets = scan.as_ref().map(kmidi_host::known_presets).unwrap_or_default();
    let mut opened =
        if args.no_model { meaning::Opened::Missing } else { meaning::open(&args.models, &memory.budgets) };
    let is_told = matches!(opened, meaning::Opened::Told);
    let bar = progress_bar();
    let need = Need::working(NEED_BYTES, "index");
    let done = JobContext::run(&memory.budgets, need, &cancel, |job| {
        let sound_font = Some((BUILT_IN, BUILT_IN_SOUND_FONT));
        let plugins = Plugins { index: scan.as_ref(), presets: &presets, sound_font };
        let model = opened.model().map(|model| model as &mut dyn Embed);
        // Here, so that what it knows is the job's.
        let indexer = Indexer::open(&path, settings)?;
        if args.folders.is_empty() && args.no_plugins && indexer.roots().next().is_none() {
            eprintln!("kmidi: no folder has been added yet: name one that has sounds, songs or SoundFonts");
        }
        indexer.add(&args.folders, plugins, model, &job, &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        })
    });
    bar.finish_and_clear();
    match done {
        Ok(Ok(report)) => {
            for (name, count) in [
                ("items", report.items),
                ("added", report.added),
                ("damaged_files", report.damaged_files),
                ("embedded", report.embedded),
            ] {
                entry.metric(name, count as f64);
            }
            finish(report, is_told, args.json)
        }
        Ok(Err(error)) => Err(job_error(error)),
        Err(error) => Err(job_error(error.into())),
    }
}

/// `is_told`: why there is no model has been said.
fn finish(report: IndexReport, is_told: bool, json: bool) -> Result<()> {
    for damaged in report.closed.iter().chain(&report.damaged).take(MAX_TOLD) {
        eprintln!("kmidi: warning: {}: {}", damaged.path, damaged.reason);
    }
    let untold = (report.closed.len() as u64 + report.damaged_files).saturating_sub(MAX_TOLD as u64);
    if untold > 0 {
        eprintln!("kmidi: warning: {untold} more cannot be read; `kmidi index status` lists them");
    }
    if report.without_vector > 0 && !is_told {
        eprintln!(
            "kmidi: {} of {} items are found by their words alone: {}",
            report.without_vector,
            report.items,
            meaning::HOW_TO_GET_IT
        );
    }
    if json { print_json(&report) } else { print(report_text(&report).as_bytes()) }
}

fn report_text(report: &IndexReport) -> String {
    let counts = [
        (report.added, "new"),
        (report.changed, "changed"),
        (report.moved, "moved"),
        (report.removed, "gone"),
        (report.forgotten, "forgotten"),
        (report.unchanged, "as before"),
        (report.damaged_files, "damaged"),
    ];
    let told: Vec<_> =
        counts.into_iter().filter(|it| it.0 > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let files =
        if told.is_empty() { "nothing to do".to_owned() } else { format!("files: {}", told.join(", ")) };
    format!("{} items; {files}\n", report.items)
}

fn size(bytes: u64) -> String {
    match bytes {
        ..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn status_text(status: &IndexStatus) -> String {
    let kinds: Vec<_> = status.items.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
    let mut text = format!("{}\n  items       {}\n", status.path, kinds.join(", "));
    text += &match &status.model {
        Some(model) => format!("  meaning     {model}; {} items without\n", status.without_vector),
        None => format!("  meaning     none: {}\n", meaning::HOW_TO_GET_IT),
    };
    text += &format!(
        "  files       {} known, {} gone and remembered\n  size        {}, of which a search maps {}\n",
        status.files,
        status.remembered,
        size(status.file_bytes),
        size(status.mapped_bytes)
    );
    for root in &status.roots {
        text += &format!("  folder      {root}\n");
    }
    for excluded in &status.excluded {
        text += &format!("  not         {excluded}\n");
    }
    for damaged in &status.damaged {
        text += &format!("  damaged     {}: {}\n", damaged.path, damaged.reason);
    }
    text
}
