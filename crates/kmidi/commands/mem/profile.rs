use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use kmidi_compose::arrange::arrange;
use kmidi_compose::plan::TherapySession;
use kmidi_memory::{Budgets, MIB, Scope, Usage, process_memory};
use kmidi_session::{
    Cancel, FileSource, RenderRequest, SampleFormat, SoundFontChoice, SoundSettings, Tail, describe, render,
};
use kmidi_song::SongIndex;
use kmidi_song::groove::{self, HumanizeChoice};
use serde::Serialize;

use super::args::{self, Operation};
use super::demo::Song;
use super::phases::playing;
use super::text::mib;
use crate::exit::Unreadable;
use crate::output::{print, print_json};

/// What an operation did to memory.
#[derive(Clone, Debug, Serialize)]
pub struct Profiled {
    pub operation: &'static str,
    #[serde(flatten)]
    pub usage: Usage,
    /// Left behind, of all domains together.
    pub net_bytes: i64,
    /// The most that the process had in RAM until then, files and all.
    pub rss_peak_bytes: u64,
}

#[derive(Serialize)]
struct Report {
    file: Option<PathBuf>,
    profiles: Vec<Profiled>,
    /// `--max-mb`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_bytes: Option<u64>,
    over_limit: bool,
}

pub fn run(args: &args::Profile) -> Result<ExitCode> {
    let song = Song::or_demo(args.file.as_deref())?;
    let operations = args.operation.map_or(Operation::ALL.to_vec(), |operation| vec![operation]);
    let profiles: Vec<_> = operations
        .into_iter()
        .map(|operation| measure(operation, song.path(), &args.sf.fonts))
        .collect::<Result<_>>()?;
    let limit_bytes = args.max_mb.map(|mb| mb * MIB);
    let over_limit =
        limit_bytes.is_some_and(|limit| profiles.iter().any(|it| it.usage.total_peak_bytes > limit));
    let report = Report { file: args.file.clone(), profiles, limit_bytes, over_limit };
    if args.json {
        print_json(&report)?
    } else {
        print(text(&report).as_bytes())?
    }
    Ok(if over_limit { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Does it, and looks on.
pub fn measure(operation: Operation, song: &Path, fonts: &[SoundFontChoice]) -> Result<Profiled> {
    let scope = Scope::start();
    match operation {
        Operation::Load => drop(playing(song, fonts)?),
        Operation::Render => render_nowhere(song, fonts)?,
        Operation::Read => drop(describe(song).map_err(|error| Unreadable(error.into()))?),
        Operation::Therapy => compose_nowhere()?,
        Operation::Groove => humanize_nowhere(song)?,
    }
    let usage = scope.finish();
    Ok(Profiled {
        operation: operation.name(),
        net_bytes: usage.net_bytes(),
        usage,
        rss_peak_bytes: process_memory()?.rss_peak_bytes,
    })
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
    for Profiled { operation, usage, net_bytes, rss_peak_bytes } in &report.profiles {
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
    }
    if let Some(limit) = report.limit_bytes {
        let sign = if report.over_limit { "more than" } else { "within" };
        out += &format!("{sign} the {} MiB that are allowed\n", mib(limit));
    }
    out
}
