use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use kmidi_compose::arrange::arrange;
use kmidi_compose::plan::TherapySession;
use kmidi_memory::{Budgets, Domain, MIB, Scope, Usage, process_memory};
use kmidi_ml::embed::Embedder;
use kmidi_ml::model::ModelName;
use kmidi_session::{
    Cancel, FileSource, RenderRequest, SampleFormat, SoundFontChoice, SoundSettings, Tail, describe, render,
};
use kmidi_song::SongIndex;
use kmidi_song::groove::{self, HumanizeChoice};
use serde::Serialize;

use super::args::{self, Operation};
use super::demo::Song;
use super::library;
use super::phases::playing;
use super::text::mib;
use crate::commands::listeners::{self, Listener};
use crate::exit::Unreadable;
use crate::models_flag::ModelsFlag;
use crate::output::{print, print_json};

/// What an operation did to memory.
#[derive(Clone, Debug, Serialize)]
pub struct Profiled {
    pub operation: &'static str,
    #[serde(flatten)]
    pub usage: Usage,
    /// Left behind, of all domains together.
    pub net_bytes: i64,
    /// Of that, tables that the first use makes for all later ones: so much less is left by a second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_bytes: Option<i64>,
    /// The most that the process had in RAM until then, files and all.
    pub rss_peak_bytes: u64,
    /// Of what runs under a lease that is told.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
}

/// What was taken beyond what was there before, such as a model.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Promise {
    /// At most at once, of all domains together.
    pub observed_bytes: u64,
    /// What had been promised for it.
    pub leased_bytes: u64,
    /// What an inference may take at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_bytes: Option<u64>,
}

/// What an inference may take at most beyond its model.
const INFERENCE_BYTES: u64 = 20 * MIB;

impl Promise {
    fn is_within(&self) -> bool {
        self.observed_bytes <= self.leased_bytes
    }
}

/// What operations are done on.
pub struct What<'a> {
    song: &'a Path,
    /// The start of the song, or speech, otherwise.
    recording: Option<&'a Path>,
    /// Songs in many versions otherwise.
    folder: Option<&'a Path>,
    fonts: &'a [SoundFontChoice],
    models: ModelsFlag,
}

impl<'a> What<'a> {
    /// A song, what is part of the program, and what has been fetched.
    pub fn demo(song: &'a Path) -> Self {
        What { song, recording: None, folder: None, fonts: &[], models: ModelsFlag { models: None } }
    }
}

#[derive(Serialize)]
struct Report {
    file: Option<PathBuf>,
    profiles: Vec<Profiled>,
    /// `--max-mb`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_bytes: Option<u64>,
    over_limit: bool,
    /// Something took more than it was promised.
    over_lease: bool,
}

pub fn run(args: &args::Profile) -> Result<ExitCode> {
    let hears =
        |operation| matches!(operation, Operation::Transcribe | Operation::Piano | Operation::Phonemes);
    let looks = |operation| matches!(operation, Operation::Index | Operation::Search);
    let recording = args.file.as_deref().filter(|_| args.operation.is_some_and(hears));
    let folder = args.file.as_deref().filter(|_| args.operation.is_some_and(looks));
    let song = Song::or_demo(args.file.as_deref().filter(|_| recording.or(folder).is_none()))?;
    let operations = args.operation.map_or(Operation::ALL.to_vec(), |operation| vec![operation]);
    let (fonts, models) = (&args.sf.fonts, args.models.clone());
    let what = What { song: song.path(), recording, folder, fonts, models };
    let profiles: Vec<_> =
        operations.into_iter().map(|operation| measure(operation, &what)).collect::<Result<_>>()?;
    let limit_bytes = args.max_mb.map(|mb| mb * MIB);
    let over_limit =
        limit_bytes.is_some_and(|limit| profiles.iter().any(|it| it.usage.total_peak_bytes > limit));
    let over_lease = profiles.iter().filter_map(|it| it.promise).any(|it| !it.is_within());
    let report = Report { file: args.file.clone(), profiles, limit_bytes, over_limit, over_lease };
    if args.json {
        print_json(&report)?
    } else {
        print(text(&report).as_bytes())?
    }
    Ok(if over_limit || over_lease { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Does it, and looks on.
pub fn measure(operation: Operation, what: &What) -> Result<Profiled> {
    let (song, fonts) = (what.song, what.fonts);
    match operation {
        Operation::Load => watch(operation, || playing(song, fonts).map(drop)),
        Operation::Render => watch(operation, || render_nowhere(song, fonts)),
        Operation::Read => {
            watch(operation, || Ok(describe(song).map(drop).map_err(|error| Unreadable(error.into()))?))
        }
        Operation::Therapy => watch_twice(operation, compose_nowhere),
        Operation::Groove => watch(operation, || humanize_nowhere(song)),
        Operation::Transcribe => listen(operation, Listener::Transcribe, what),
        Operation::Piano => listen(operation, Listener::Piano, what),
        Operation::Phonemes => listen(operation, Listener::Phonemes, what),
        Operation::Index => profile_index(operation, what),
        Operation::Search => profile_search(operation, what),
        Operation::Embed => embed(operation, what),
    }
}

fn watch(operation: Operation, work: impl FnOnce() -> Result<()>) -> Result<Profiled> {
    let scope = Scope::start();
    work()?;
    let usage = scope.finish();
    Ok(Profiled {
        operation: operation.name(),
        net_bytes: usage.net_bytes(),
        table_bytes: None,
        usage,
        rss_peak_bytes: process_memory()?.rss_peak_bytes,
        promise: None,
    })
}

/// The same for what makes tables at its first use in a process: a second use tells them from what it leaves behind.
fn watch_twice(operation: Operation, work: impl Fn() -> Result<()>) -> Result<Profiled> {
    let mut first = watch(operation, &work)?;
    let again = watch(operation, &work)?;
    first.table_bytes = Some(first.net_bytes - again.net_bytes);
    Ok(first)
}

/// The same for what was promised so much beyond what is there before.
fn leased(operation: Operation, leased_bytes: u64, work: impl FnOnce() -> Result<()>) -> Result<Profiled> {
    let before: u64 = Domain::ALL.into_iter().map(|it| kmidi_memory::tally(it).live_bytes()).sum();
    let mut profiled = watch(operation, work)?;
    let observed_bytes = profiled.usage.total_peak_bytes.saturating_sub(before);
    profiled.promise = Some(Promise { observed_bytes, leased_bytes, allowed_bytes: None });
    Ok(profiled)
}

/// The same for what runs models, which are there before.
fn infer(operation: Operation, leased_bytes: u64, work: impl FnOnce() -> Result<()>) -> Result<Profiled> {
    let mut profiled = leased(operation, leased_bytes, work)?;
    profiled.promise = profiled.promise.map(|it| Promise { allowed_bytes: Some(INFERENCE_BYTES), ..it });
    Ok(profiled)
}

fn listen(operation: Operation, listener: Listener, what: &What) -> Result<Profiled> {
    let folder = tempfile::tempdir()?;
    let file = match what.recording {
        Some(file) => file.to_owned(),
        None => listeners::example(listener, what.song, folder.path())?,
    };
    let budgets = Budgets::default();
    let models = what.models.cache(&budgets, listener.models());
    listener.models().iter().try_for_each(|model| models.warm_up(*model))?;
    let leased_bytes = listener.leased_bytes(&models, listener.open(&file)?.bytes());
    infer(operation, leased_bytes, || listener.listen(&file, &models, &budgets, &Cancel::default()).map(drop))
}

fn profile_index(operation: Operation, what: &What) -> Result<Profiled> {
    let place = library::Place::new(what.folder, what.song)?;
    let budgets = Budgets::default();
    let mut profiled = leased(operation, 0, || place.index(&budgets))?;
    // What it asks for grows with what it finds.
    let leased_bytes = budgets.most_leased_bytes();
    profiled.promise = profiled.promise.map(|it| Promise { leased_bytes, ..it });
    Ok(profiled)
}

fn profile_search(operation: Operation, what: &What) -> Result<Profiled> {
    let place = library::Place::new(what.folder, what.song)?;
    place.index(&Budgets::default())?;
    let budgets = Budgets::default();
    let leased_bytes = place.most_bytes()?;
    leased(operation, leased_bytes, || place.search(&budgets))
}

fn embed(operation: Operation, what: &What) -> Result<Profiled> {
    let models = Arc::new(what.models.cache(&Budgets::default(), &[ModelName::MiniLm]));
    let embedder = Embedder::new(models.clone());
    models.warm_up(ModelName::MiniLm)?;
    let leased_bytes = models.entry(ModelName::MiniLm).run_bytes();
    infer(operation, leased_bytes, || Ok(embedder.embed("a warm slow pad").map(drop)?))
}

fn render_nowhere(song: &Path, fonts: &[SoundFontChoice]) -> Result<()> {
    let request = RenderRequest {
        song: song.to_owned(),
        sound_fonts: fonts.to_vec(),
        output: None,
        format: SampleFormat::Int16,
        sample_rate_hz: 48_000,
        quantum_frames: 512,
        sound: SoundSettings::default(),
        rack: Default::default(),
        from: None,
        to: None,
        tail: Tail::default(),
        stems: None,
        loudness: false,
        verify: false,
        budgets: Budgets::default(),
    };
    match render(&request, &Cancel::default(), &(Arc::new(|_| {}) as kmidi_session::OnProgress)) {
        Err(error) if error.is_unreadable_input() => Err(Unreadable(error.into()).into()),
        rendered => Ok(rendered.map(drop)?),
    }
}

fn compose_nowhere() -> Result<()> {
    let mut session = TherapySession::default();
    session.process_core_input("I miss the old days, and yet I am grateful")?;
    session.set_scales(10.0, 1.0);
    let score = arrange(&session.generate_plan());
    Ok(score.to_song().to_smf().map(drop)?)
}

fn humanize_nowhere(song: &Path) -> Result<()> {
    let source = FileSource::open(song).map_err(|error| Unreadable(error.into()))?;
    let index = SongIndex::scan(&source, &mut |_| {})?;
    let choice = HumanizeChoice::default();
    // What a file would take is on the disk, not in memory.
    let mut nowhere = std::io::BufWriter::new(tempfile::tempfile()?);
    groove::humanize_file(&source, &index, &choice, &mut nowhere, &mut |_| {}).map(drop)?;
    Ok(())
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for Profiled { operation, usage, net_bytes, table_bytes, rss_peak_bytes, promise } in &report.profiles {
        out += &format!(
            "{operation}: {:.3} s\n  MiB            now    peak  left behind in bytes  blocks\n",
            usage.seconds
        );
        for it in &usage.domains {
            out += &format!(
                "  {:<9} {:>8} {:>7} {:>21} {:>7}\n",
                it.domain.name(),
                mib(it.live_bytes),
                mib(it.peak_bytes),
                it.net_bytes,
                it.allocations
            );
        }
        out += &format!(
            "  all                {:>7} {net_bytes:>21}\n  peak of the process in RAM, with mapped files: {} MiB\n",
            mib(usage.total_peak_bytes),
            mib(*rss_peak_bytes)
        );
        if let Some(tables) = table_bytes {
            out +=
                &format!("  of what is left behind, tables that a second use finds there: {tables} bytes\n");
        }
        if let Some(it) = promise {
            let allowed = it.allowed_bytes.map(|bytes| format!(" (an inference may take {})", mib(bytes)));
            out += &format!(
                "  beyond what was there: {} MiB, of {} that were promised{}{}\n",
                mib(it.observed_bytes),
                mib(it.leased_bytes),
                if it.is_within() { "" } else { ": TOO MUCH" },
                allowed.unwrap_or_default()
            );
        }
    }
    let peak = |it: &&Profiled| it.usage.total_peak_bytes;
    if let (Some(limit), Some(most)) = (report.limit_bytes, report.profiles.iter().max_by_key(peak)) {
        let sign = if report.over_limit { "more than" } else { "within" };
        out += &format!(
            "--max-mb: {} had {} MiB in use at once (the peak of `all`), {sign} the {} MiB that are allowed\n",
            most.operation,
            mib(most.usage.total_peak_bytes),
            mib(limit)
        );
    }
    out
}
