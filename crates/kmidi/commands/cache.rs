//! `kmidi cache`: what is kept of recordings.

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use kmidi_session::audio_cache::{AudioCache, CacheStat};
use serde::Serialize;

use crate::cache_flag::CacheSizeArgs;
use crate::output::{print, print_json};

const AFTER_HELP: &str = "\
With --audio-cache, commands that listen keep what they have worked out of a recording in $XDG_CACHE_HOME/kmidi/audio, and
need not work it out again. Only files that were made there by kmidi are ever removed.

EXAMPLES:
  kmidi cache stat
  kmidi cache clean                          what is too old, and what is too much
  kmidi cache clean --audio-cache-mb 100
  kmidi cache clean --all";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Cache {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// Tell where it is, how large, and how old
    Stat(Stat),
    /// Remove what is too old and what is too much
    Clean(Clean),
}

#[derive(Debug, Args)]
pub struct Stat {
    #[command(flatten)]
    pub size: CacheSizeArgs,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Clean {
    /// Remove all that is in it
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub size: CacheSizeArgs,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

impl Cache {
    pub fn wants_json(&self) -> bool {
        match &self.what {
            What::Stat(args) => args.json,
            What::Clean(args) => args.json,
        }
    }
}

pub fn run(args: &Cache) -> Result<()> {
    match &args.what {
        What::Stat(args) => stat(args),
        What::Clean(args) => clean(&open(args.size)?, args),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a, T> {
    folder: &'a Path,
    most_bytes: u64,
    #[serde(flatten)]
    numbers: T,
}

fn open(size: CacheSizeArgs) -> Result<AudioCache> {
    let folder = AudioCache::standard_folder()?;
    size.open().with_context(|| folder.display().to_string())
}

fn stat(args: &Stat) -> Result<()> {
    let folder = AudioCache::standard_folder()?;
    // Who only looks makes none.
    let numbers = if folder.exists() { open(args.size)?.stat()? } else { CacheStat::default() };
    let most = args.size.audio_cache_mb << 20;
    if args.json {
        return print_json(&Told { folder: &folder, most_bytes: most, numbers });
    }
    let oldest = numbers.oldest_seconds.map_or("-".into(), |seconds| format!("{} h ago", seconds / 3600));
    let text = format!(
        "{}\nresults       {}\nMiB           {:.1} of {}\nleast in use  {oldest}\nother files   {}\n",
        folder.display(),
        numbers.entries,
        numbers.bytes as f64 / f64::from(1 << 20),
        most >> 20,
        numbers.foreign_files,
    );
    print(text.as_bytes())
}

fn clean(cache: &AudioCache, args: &Clean) -> Result<()> {
    let cleaned = if args.all { cache.clear()? } else { cache.clean()? };
    if args.json {
        return print_json(&Told {
            folder: cache.folder(),
            most_bytes: cache.limits().bytes,
            numbers: cleaned,
        });
    }
    print(format!("removed {} files, {} bytes\n", cleaned.removed, cleaned.bytes).as_bytes())
}
