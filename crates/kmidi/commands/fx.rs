//! `kmidi fx`: an audio file through plugins.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use kmidi_core::limits::{MAX_QUANTUM_FRAMES, SAMPLE_RATE_RANGE_HZ};
use kmidi_session::{Cancel, FxError, FxReport, FxRequest, JobError, NotNumbers, Tail};

use super::{progress_bar, warn_of_grades};
use crate::chain_flag::ChainFlag;
use crate::cli::{Bits, tail_seconds};
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::memory::MemoryArgs;
use crate::output::print_json;
use crate::trace_flag::TraceArgs;

const AFTER_HELP: &str = "\
What a plugin is late is taken off the front, so that the sound stays in time; behind the end its tail rings out.
Without a plugin the file comes out as it went in.

The chain runs at the rate of the file, or at --rate: the file is then resampled before the first plugin, to the frame as long
as it was and with nothing moved in time.

A mono plugin on a stereo file runs twice, set alike, once for each side. A stereo plugin on a mono file gets the same on both
sides. A plugin that makes stereo of mono, or mono of stereo, gets the mean of both sides where it takes one. The output has
the channels that the last plugin gives. A file with more than two channels goes only through plugins with as many.

EXAMPLES:
  kmidi fx in.wav -o out.wav -p ZamComp -c threshold=-20 -c ratio=4
  kmidi fx in.mp3 -o out.flac -p clap:com.zamaudio.ZamVerb --preset Hall
  kmidi fx in.wav -o out.wav --rate 48000
  curl -s https://example.org/in.ogg | kmidi fx - -o - -p ZamEQ2 | aplay";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Fx {
    /// Audio file: WAV, FLAC, MP3 or Ogg Vorbis; - reads standard input
    pub file: PathBuf,
    /// File to write, .wav or .flac; it appears when it is complete. - writes WAV to standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub chain: ChainFlag,
    /// Bits of a sample: 16, 24 or 32f
    #[arg(long, value_enum, default_value_t = Bits::B24)]
    pub bits: Bits,
    /// Sample rate of the chain and the output; that of the file otherwise
    #[arg(long, value_name = "HZ", value_parser = rate_hz())]
    pub rate: Option<u32>,
    /// Frames that plugins get at once
    #[arg(long, value_name = "N", default_value_t = 256,
          value_parser = clap::value_parser!(u32).range(16..=MAX_QUANTUM_FRAMES as i64))]
    pub quantum: u32,
    /// Seconds to go on behind the end; until it is silent, at most 30 s, otherwise
    #[arg(long, value_name = "S", value_parser = tail_seconds)]
    pub tail: Option<f64>,
    /// Print one JSON object on stdout at the end
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

fn rate_hz() -> clap::builder::RangedI64ValueParser<u32> {
    let (least, most) = (*SAMPLE_RATE_RANGE_HZ.start(), *SAMPLE_RATE_RANGE_HZ.end());
    clap::value_parser!(u32).range(i64::from(least)..=i64::from(most))
}

/// The name that stands for standard input and output.
const STANDARD: &str = "-";

pub fn run(args: Fx) -> Result<ExitCode> {
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let standard_output = match args.output == Path::new(STANDARD) {
        true => Some(StandardOutput::new(args.json)?),
        false => None,
    };
    let request = FxRequest {
        // A pipe is read as a file that has no length.
        input: if args.file == Path::new(STANDARD) { "/dev/stdin".into() } else { args.file },
        output: standard_output.as_ref().map_or(args.output, StandardOutput::path),
        format: args.bits.into(),
        plugins: args.chain.plugins,
        rate_hz: args.rate,
        quantum_frames: args.quantum,
        tail: args.tail.map_or_else(Tail::default, Tail::Seconds),
        budgets: memory.budgets.clone(),
    };
    warn_of_grades(&request.plugins);
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let bar = progress_bar();
    bar.set_message("effects");
    let done = kmidi_session::fx(&request, &cancel, |part| bar.set_position((part * 1000.0) as u64));
    bar.finish_and_clear();
    let mut report = done.map_err(error)?;
    if let Some(output) = standard_output {
        output.write()?;
        report.output = STANDARD.into();
    }
    tell(&report);
    if args.json {
        print_json(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn usage(text: &'static str) -> anyhow::Error {
    Unreadable(anyhow::Error::msg(text)).into()
}

/// A file that is written to standard output when it is complete: its header says how long it is.
struct StandardOutput {
    folder: tempfile::TempDir,
}

impl StandardOutput {
    fn new(json: bool) -> Result<Self> {
        if json {
            return Err(usage("--json and -o - would both write to standard output"));
        }
        if io::stdout().is_terminal() {
            return Err(usage("-o -: standard output is a terminal; send it to a program or a file"));
        }
        Ok(StandardOutput { folder: tempfile::tempdir().context("no temporary folder")? })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("output.wav")
    }

    fn write(self) -> Result<()> {
        let mut stdout = io::stdout().lock();
        io::copy(&mut File::open(self.path())?, &mut stdout)
            .and_then(|_| stdout.flush())
            .context("standard output")
    }
}

fn error(error: FxError) -> anyhow::Error {
    match error {
        FxError::Job(JobError::Cancelled) => Interrupted.into(),
        error if error.is_usage() => Unreadable(error.into()).into(),
        error => error.into(),
    }
}

/// What happened, for people: on stderr.
fn tell(report: &FxReport) {
    for message in &report.messages {
        eprintln!("kmidi: {message}");
    }
    if report.guard_trips > 0 {
        eprintln!(
            "kmidi: warning: a plugin was muted {} times for sending what is no sound",
            report.guard_trips
        );
    }
    for text in [report.loss.to_string(), not_numbers(report)].iter().filter(|text| !text.is_empty()) {
        eprintln!("kmidi: warning: {}: {text}", report.input.display());
    }
    if report.limited_frames > 0 {
        eprintln!(
            "kmidi: warning: {} frames were too loud (up to {:+.1} dBFS) and were lowered: lower the gain of a plugin, or use \
             --bits 32f",
            report.limited_frames, report.peak_dbfs
        );
    }
    if report.input_rate_hz != report.sample_rate_hz {
        eprintln!("kmidi: resampled from {} to {} Hz", report.input_rate_hz, report.sample_rate_hz);
    }
    let seconds = report.frames as f64 / f64::from(report.sample_rate_hz);
    // What is short is over before the plugins are loaded.
    let speed = match report.speed {
        1.5.. => format!("{:.0} times faster than it sounds", report.speed),
        _ => format!("in {:.2} s", report.elapsed_seconds),
    };
    eprintln!(
        "kmidi: wrote {}: {seconds:.2} s, peak {:.1} dBFS, {speed}",
        report.output.display(),
        report.peak_dbfs
    );
}

fn not_numbers(report: &FxReport) -> String {
    match report.not_numbers {
        0 => String::new(),
        count => format!("{}, and were taken for silence", NotNumbers(count)),
    }
}
