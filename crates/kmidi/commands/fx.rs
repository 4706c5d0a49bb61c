//! `kmidi fx`: an audio file through plugins.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use kmidi_core::limits::MAX_QUANTUM_FRAMES;
use kmidi_session::{Cancel, FxError, FxReport, FxRequest, JobError, Tail};

use super::progress_bar;
use crate::chain_flag::ChainFlag;
use crate::cli::{Bits, tail_seconds};
use crate::exit::{Interrupted, Unreadable, on_signals};
use crate::memory::MemoryArgs;
use crate::output::print_json;

const AFTER_HELP: &str = "\
What a plugin is late is taken off the front, so that the sound stays in time; behind the end its tail rings out.
Without a plugin the file comes out as it went in.

EXAMPLES:
  kmidi fx in.wav -o out.wav -p ZamComp -c threshold=-20 -c ratio=4
  kmidi fx in.mp3 -o out.flac -p clap:com.zamaudio.ZamVerb --preset Hall";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Fx {
    /// Audio file: WAV, FLAC, MP3 or Ogg Vorbis
    pub file: PathBuf,
    /// File to write, .wav or .flac; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub chain: ChainFlag,
    /// Bits of a sample: 16, 24 or 32f
    #[arg(long, value_enum, default_value_t = Bits::B24)]
    pub bits: Bits,
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
}

pub fn run(args: Fx) -> Result<ExitCode> {
    let memory = args.memory.start(|line| eprintln!("kmidi: {line}"))?;
    let request = FxRequest {
        input: args.file,
        output: args.output,
        format: args.bits.into(),
        plugins: args.chain.plugins,
        quantum_frames: args.quantum,
        tail: args.tail.map_or_else(Tail::default, Tail::Seconds),
        budgets: memory.budgets.clone(),
    };
    let cancel = Cancel::default();
    let interrupted = cancel.clone();
    on_signals(move || interrupted.cancel())?;
    let bar = progress_bar();
    bar.set_message("effects");
    let done = kmidi_session::fx(&request, &cancel, |part| bar.set_position((part * 1000.0) as u64));
    bar.finish_and_clear();
    let report = done.map_err(error)?;
    tell(&report);
    if args.json {
        print_json(&report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn error(error: FxError) -> anyhow::Error {
    match error {
        FxError::Job(JobError::Cancelled) => Interrupted.into(),
        FxError::Input(_) | FxError::OverInput(_) | FxError::Chain(_) | FxError::Channels { .. } => {
            Unreadable(error.into()).into()
        }
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
    if report.damaged_packets > 0 {
        let damaged = report.damaged_packets;
        eprintln!("kmidi: warning: {damaged} damaged pieces of {} are left out", report.input.display());
    }
    eprintln!(
        "kmidi: wrote {}: {:.2} s, peak {:.1} dBFS, {:.0} times faster than it sounds",
        report.output.display(),
        report.frames as f64 / f64::from(report.sample_rate_hz),
        report.peak_dbfs,
        report.speed,
    );
}
