//! Indexing and searching a folder, for a profile.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kmidi_library::{CacheLimits, IndexSettings, Indexer, Plugins, Query, Searcher};
use kmidi_memory::{Budgets, Cancel, JobContext, Need};
use tempfile::TempDir;

use crate::commands::index::{NEED_BYTES, index_error, job_error};

/// Versions of a song, which differ by their last bytes, where there is no folder.
const SONGS: u32 = 200;
const QUESTIONS: usize = 1000;
const WORDS: [&str; 10] =
    ["demo", "song", "piano", "fast", "minor", "guitar", "drums", "version", "slow", "pano"];
/// As `kmidi search` has it.
const LIMIT: usize = 10;

/// A folder, and an index of it that goes with this.
pub struct Place {
    folder: PathBuf,
    kept: TempDir,
}

impl Place {
    /// A folder; versions of a song otherwise.
    pub fn new(folder: Option<&Path>, song: &Path) -> Result<Self> {
        let kept = tempfile::tempdir()?;
        if let Some(folder) = folder {
            return Ok(Place { folder: folder.to_owned(), kept });
        }
        let (folder, song) = (kept.path().join("songs"), std::fs::read(song)?);
        std::fs::create_dir(&folder)?;
        for version in 0..SONGS {
            let name = format!("demo song version {version}.mid");
            std::fs::write(folder.join(name), [&song[..], &version.to_le_bytes()].concat())?;
        }
        Ok(Place { folder, kept })
    }

    fn path(&self) -> PathBuf {
        self.kept.path().join("library.index")
    }

    /// Indexes the folder by words.
    pub fn index(&self, budgets: &Budgets) -> Result<()> {
        let need = Need::working(NEED_BYTES, "index");
        let done = JobContext::run(budgets, need, &Cancel::default(), |job| {
            let indexer = Indexer::open(&self.path(), IndexSettings::default())?;
            let folders = [self.folder.clone()];
            indexer.add(&folders, Plugins::default(), None, &job, &mut |_| {})
        });
        done.map_err(|error| job_error(error.into()))?.map(drop).map_err(job_error)
    }

    fn open(&self) -> Result<Searcher> {
        Searcher::open(&self.path(), CacheLimits::default()).map_err(index_error)
    }

    /// What a search is promised beside what is mapped.
    pub fn most_bytes(&self) -> Result<u64> {
        Ok(self.open()?.most_bytes(LIMIT))
    }

    /// Asks a thousand questions, of which some are asked again.
    pub fn search(&self, budgets: &Budgets) -> Result<()> {
        let mut searcher = self.open()?;
        let need = Need::working(searcher.most_bytes(LIMIT), "search");
        JobContext::run(budgets, need, &Cancel::default(), |job| -> Result<()> {
            for number in 0..QUESTIONS {
                job.check()?;
                let (first, second) =
                    (WORDS[number % WORDS.len()], WORDS[number / WORDS.len() % WORDS.len()]);
                let text = format!("{first} {second} {}", number % 700);
                searcher.search(&Query { limit: LIMIT, ..Query::of(&text) }, None)?;
            }
            Ok(())
        })?
    }
}
