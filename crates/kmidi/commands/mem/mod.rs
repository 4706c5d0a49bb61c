//! What there is to know of memory: of another kmidi that runs, or of this process.

pub mod args;
mod attached;
mod dashboard;
mod demo;
mod library;
mod phases;
mod profile;
pub mod text;
mod trend;

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::output::{print, print_json};
use args::{Mem, What};

pub fn run(args: Mem) -> Result<ExitCode> {
    match args.what {
        What::Budget(args) => attached::budget(&args)?,
        What::Hot(args) => attached::hot(&args)?,
        What::Leaks(args) => attached::leaks(&args)?,
        What::Dashboard(args) => dashboard::run(&args)?,
        What::Phases(args) => phases::run(&args)?,
        What::Info(args) => info(args.json)?,
        What::Profile(args) => return profile::run(&args),
        What::Trend(args) => return trend::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Info {
    process: kmidi_memory::ProcessMemory,
    system: kmidi_memory::SystemMemory,
}

/// As `/proc` has it.
fn info(json: bool) -> Result<()> {
    let info = Info { process: kmidi_memory::process_memory()?, system: kmidi_memory::system_memory()? };
    if json {
        return print_json(&info);
    }
    let Info { process, system } = info;
    let lines = [
        ("process: heaps and stacks (RssAnon)", process.rss_anon_bytes),
        ("process: mapped files (RssFile)", process.rss_file_bytes),
        ("process: shared memory (RssShmem)", process.rss_shmem_bytes),
        ("process: the most at once (VmHWM)", process.rss_peak_bytes),
        ("system: all (MemTotal)", system.total_bytes),
        ("system: free for programs (MemAvailable)", system.available_bytes),
    ];
    let text: String =
        lines.iter().map(|(name, bytes)| format!("{name:<42} {:>10} MiB\n", text::mib(*bytes))).collect();
    print(text.as_bytes())
}
