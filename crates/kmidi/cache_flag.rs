//! The flags of the audio cache, and how a command goes through it.

use std::fmt::Display;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use kmidi_session::audio_cache::{AudioCache, CacheError, CacheKey, CacheLimits, ContentHash};

use crate::exit::Unreadable;

/// Flags that mean the same for every command.
pub const FLAGS: [&str; 3] = ["audio-cache", "audio-cache-mb", "audio-cache-days"];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What commands share that listen to recordings.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Audio cache")]
pub struct CacheArgs {
    /// Keep what is worked out of a recording, and need not work it out again; kmidi cache looks into it
    #[arg(long)]
    pub audio_cache: bool,
    #[command(flatten)]
    pub size: CacheSizeArgs,
}

/// How large the cache may grow.
#[derive(Clone, Copy, Debug, Args)]
pub struct CacheSizeArgs {
    /// What the audio cache may have, in MiB; what was not used for longest goes first
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1 << 20),
          hide_short_help = true)]
    pub audio_cache_mb: u64,
    /// Days after which a result that was not used goes
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=36_500),
          hide_short_help = true)]
    pub audio_cache_days: u32,
}

impl CacheSizeArgs {
    /// The user's own cache.
    pub fn open(&self) -> Result<AudioCache, CacheError> {
        let limits = CacheLimits {
            bytes: self.audio_cache_mb << 20,
            age: DAY * self.audio_cache_days,
            ..CacheLimits::default()
        };
        AudioCache::open(&AudioCache::standard_folder()?, limits)
    }
}

impl CacheArgs {
    /// What a stage makes of a recording: what was kept, or what `compute` says, which is kept then. Where the cache is not
    /// wanted, or cannot be used, it is always computed. Whatever the result depends on has to be in the settings.
    pub fn through(
        &self,
        recording: &Path,
        stage: &str,
        settings: &[(&str, &dyn Display)],
        compute: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        if !self.audio_cache {
            return compute();
        }
        let unreadable =
            |error| Unreadable(anyhow::Error::new(error).context(recording.display().to_string()));
        let before = stamp(recording);
        let content = File::open(recording).and_then(|mut file| ContentHash::of(&mut file));
        let key = CacheKey::new(&content.map_err(unreadable)?, stage, settings);
        let cache = match self.size.open() {
            Ok(cache) => cache,
            Err(error) => {
                eprintln!("kmidi: warning: {error}");
                return compute();
            }
        };
        // One that cannot be read after all is as good as none.
        if let Some(kept) = cache.get(&key).and_then(|kept| kept.to_vec().ok()) {
            eprintln!("kmidi: taken from the audio cache");
            return Ok(kept);
        }
        let result = compute()?;
        // Of a file that has changed meanwhile nobody knows what was heard.
        if before.is_some() && stamp(recording) == before {
            let kept = cache.put(&key, &result).context("not kept");
            let _ = kept.inspect_err(|error| eprintln!("kmidi: warning: {error:#}"));
        }
        Ok(result)
    }
}

/// Changes with a file.
fn stamp(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
