//! Makes and changes an index, as a job.

mod known;
mod report;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kmidi_host::{PluginId, Preset, scan};
use kmidi_memory::{JobContext, JobError};

use self::known::{Known, hash, hash_of};
pub use self::report::{Damaged, IndexReport, IndexStatus, Progress, status};
use self::vectors::Vectors;
use crate::catalogue::{Catalogue, FileRecord, Stamp};
use crate::describe::{DescribeError, describe, describe_sound_font, is_wanted, plugin_files};
use crate::file::{Builder, IndexError, IndexFile, ModelId, Section, lock_path};
use crate::meaning::{text_hash, text_of};
use crate::walk::{AWAY, Walked, is_away};
use crate::{Embed, EmbedError};

/// What writing an index takes at most beside what is known: for its dictionary, and for names and terms of each item.
const COMMIT_BYTES: u64 = 4 << 20;
const COMMIT_BYTES_PER_ITEM: u64 = 512;
/// New vectors that are held before they are written.
const MAX_NEW_VECTORS: usize = 20_000;
/// File systems count time in steps of up to two seconds.
const FRESH_NS: i64 = 2_000_000_000;
/// Damaged files that are named in a report.
const MAX_NAMED: usize = 1000;

/// Why indexing has ended early. What was done until then is in the index, but where that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum IndexJobError {
    /// The index cannot be read or written; what was there before is as it was.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It was cancelled, or there is not enough memory.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// What was to be added or removed is not there.
    #[error("{}: {source}", path.display())]
    NoSuch {
        /// What was named.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// How indexing is to go.
#[derive(Clone, Copy, Debug)]
pub struct IndexSettings {
    /// Whether an index that cannot be read is built anew, and everything found out again.
    pub rebuild: bool,
    /// Whether the file is the program's own, which nobody named: its folder is made, and where it is rebuilt, whatever lies in its place
    /// is replaced.
    pub is_own: bool,
    /// How often what is done is written, so that little is lost whatever happens; less often where writing would take more than a
    /// twentieth of the time. Zero: after each file.
    pub commit_every: Duration,
}

impl Default for IndexSettings {
    fn default() -> Self {
        IndexSettings { rebuild: false, is_own: false, commit_every: Duration::from_secs(3) }
    }
}

/// What is indexed beside files.
#[derive(Clone, Copy, Default)]
pub struct Plugins<'a> {
    /// What the scan knows; `None` leaves the index's plugins as they are.
    pub index: Option<&'a scan::Index>,
    /// Their presets, each with its plugin: [`kmidi_host::known_presets`].
    pub presets: &'a [(PluginId, Preset)],
    /// A SoundFont that is no file: what it is called where it is added like a folder, and all of it.
    pub sound_font: Option<(&'a str, &'static [u8])>,
}

/// An index that is being changed; nobody else changes it meanwhile, and searches go on in what was there before. `[side B]`
pub struct Indexer {
    path: PathBuf,
    settings: IndexSettings,
    catalogue: Catalogue,
    vectors: Vectors,
    generation: u64,
    report: IndexReport,
    committed: Instant,
    commit_took: Duration,
    is_changed: bool,
    /// Locked as long as it is open.
    _lock: File,
}

impl Indexer {
    /// Opens an index to change it; one that is missing is made.
    ///
    /// # Errors
    /// [`IndexError`]. One that is damaged or empty is no error where it is rebuilt; a file of another kind is replaced only in the
    /// program's own place.
    pub fn open(path: &Path, settings: IndexSettings) -> Result<Self, IndexError> {
        let lock = lock(path, settings.is_own)?;
        let old = match IndexFile::open(path) {
            Ok(file) => Some(file),
            Err(IndexError::Missing(_)) => None,
            Err(IndexError::Damaged { .. } | IndexError::Version { .. }) if settings.rebuild => None,
            Err(IndexError::NotAnIndex(_)) if settings.rebuild && settings.is_own => None,
            Err(error) => return Err(error),
        };
        // Also of a file that cannot be read, so that searches see that another has come.
        let generation = old.as_ref().map_or(0, IndexFile::generation);
        let mut catalogue = Catalogue::default();
        let mut vectors = Vectors::default();
        match (&old, settings.rebuild) {
            (Some(old), false) => {
                let bytes = old.read_section(Section::Catalogue)?;
                catalogue = Catalogue::read(&bytes).ok_or_else(|| old.damaged(Section::Catalogue.name()))?;
            }
            // The folders are known where they can be read, and nothing else is taken over.
            (Some(old), true) => {
                let read =
                    old.read_section(Section::Catalogue).ok().and_then(|bytes| Catalogue::read(&bytes));
                let known = read.unwrap_or_default();
                catalogue = Catalogue { roots: known.roots, excluded: known.excluded, ..catalogue };
            }
            (None, _) => {}
        }
        if let Some(old) = old.filter(|_| !settings.rebuild) {
            vectors = Vectors::of(old)?;
        }
        Ok(Indexer {
            path: path.to_owned(),
            settings,
            catalogue,
            vectors,
            generation,
            report: IndexReport::default(),
            committed: Instant::now(),
            commit_took: Duration::ZERO,
            is_changed: settings.rebuild || generation == 0,
            _lock: lock,
        })
    }

    /// Folders and files that are indexed.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        self.catalogue.roots.iter().map(PathBuf::as_path)
    }

    /// Adds folders (or files), and brings all that was added before up to date. What does not end well is in the report:
    /// damaged files, folders that cannot be read.
    ///
    /// # Errors
    /// [`IndexJobError`].
    pub fn add(
        mut self,
        folders: &[PathBuf],
        plugins: Plugins,
        mut model: Option<&mut dyn Embed>,
        job: &JobContext,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<IndexReport, IndexJobError> {
        for folder in folders {
            match plugins.sound_font.filter(|(name, _)| folder == Path::new(name)) {
                // It has no place; paths that were added are absolute.
                Some(_) => self.is_changed |= self.catalogue.roots.insert(folder.clone()),
                None => self.include(folder)?,
            }
        }
        if let Some(model) = &model {
            self.is_changed |= self.vectors.use_model(ModelId::of(model.id()));
        }
        // What has been done when somebody ends it, or the model fails, is kept.
        let done = self.bring_up_to_date(plugins, &mut model, job, tell);
        self.commit(job)?;
        done?;
        Ok(self.report)
    }

    /// Takes out folders or files. What lies in a folder that stays indexed does not come back before it is added again.
    ///
    /// # Errors
    /// [`IndexJobError::NoSuch`] where nothing of it is in the index.
    pub fn remove(mut self, paths: &[PathBuf], job: &JobContext) -> Result<IndexReport, IndexJobError> {
        for path in paths {
            let is_root = self.catalogue.roots.contains(path);
            let path = if is_root { path.clone() } else { absolute(path)? };
            let is_in = |it: &Path| it.starts_with(&path);
            let roots = self.catalogue.roots.len();
            self.catalogue.roots.retain(|root| !is_in(root));
            let gone: Vec<PathBuf> = self.files_below(&path);
            if gone.is_empty() && roots == self.catalogue.roots.len() {
                let source = io::Error::other("nothing of it is in the index");
                return Err(IndexJobError::NoSuch { path, source });
            }
            self.catalogue.excluded.retain(|it| !is_in(it));
            if self.catalogue.is_covered(&path) {
                self.catalogue.excluded.insert(path.clone());
            }
            for file in &gone {
                self.let_go(file);
            }
            self.is_changed = true;
        }
        self.commit(job)?;
        Ok(self.report)
    }

    /// Forgets what is known of files that have gone, and writes the index anew.
    ///
    /// # Errors
    /// [`IndexJobError`].
    pub fn compact(mut self, job: &JobContext) -> Result<IndexReport, IndexJobError> {
        self.report.forgotten = self.catalogue.gone.len() as u64;
        self.catalogue.gone.clear();
        self.is_changed = true;
        self.commit(job)?;
        Ok(self.report)
    }

    fn include(&mut self, folder: &Path) -> Result<(), IndexJobError> {
        let path = fs::canonicalize(folder)
            .map_err(|source| IndexJobError::NoSuch { path: folder.to_owned(), source })?;
        if !(path.is_dir() || path.is_file() && is_wanted(&path)) {
            let source = io::Error::other(
                "this is no folder, and no recording, MIDI file or SoundFont, as its name ends",
            );
            return Err(IndexJobError::NoSuch { path: folder.to_owned(), source });
        }
        self.is_changed |= self.catalogue.excluded.remove(&path);
        if !self.catalogue.is_covered(&path) {
            self.catalogue.roots.insert(path);
            self.is_changed = true;
        }
        Ok(())
    }

    fn files_below(&self, folder: &Path) -> Vec<PathBuf> {
        let from = self.catalogue.files.range(folder.to_owned()..);
        from.map(|(path, _)| path).take_while(|path| path.starts_with(folder)).cloned().collect()
    }

    fn let_go(&mut self, path: &Path) {
        self.catalogue.let_go(path);
        self.report.removed += 1;
        self.is_changed = true;
    }

    fn bring_up_to_date(
        &mut self,
        plugins: Plugins,
        model: &mut Option<&mut dyn Embed>,
        job: &JobContext,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<(), IndexJobError> {
        let walked = self.look(job)?;
        self.let_go_what_is_gone(&walked);
        if let Some(index) = plugins.index {
            self.take_plugins(plugin_files(index, plugins.presets));
        }
        if let Some((name, bytes)) =
            plugins.sound_font.filter(|it| self.catalogue.roots.contains(Path::new(it.0)))
        {
            self.take_sound_font(Path::new(name), bytes);
        }
        let total = walked.files.len() as u64;
        let known = Known::of(&self.catalogue);
        for (done, (path, stamp)) in walked.files.iter().enumerate() {
            job.check()?;
            tell(Progress { done: done as u64, total, path });
            self.take(path, *stamp, &known, job)?;
            self.embed(path, model)?;
            let is_time =
                is_commit_due(self.committed.elapsed(), self.settings.commit_every, self.commit_took);
            if self.is_changed && (is_time || self.vectors.new_ones() >= MAX_NEW_VECTORS) {
                self.commit(job)?;
            }
        }
        let plugins = self.catalogue.files.iter().filter(|(_, record)| record.is_plugin);
        for path in plugins.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
            job.check()?;
            self.embed(&path, model)?;
        }
        Ok(())
    }

    /// What is there now.
    fn look(&mut self, job: &JobContext) -> Result<Walked, JobError> {
        let mut walked = Walked::default();
        let catalogue = &self.catalogue;
        for root in catalogue.roots.iter().filter(|root| root.is_absolute()) {
            match is_away(root, || !self.files_below(root).is_empty()) {
                true => walked.closed.push((root.clone(), AWAY.to_owned())),
                false => walked.walk(root, &is_wanted, &|path| !catalogue.is_covered(path), job)?,
            }
        }
        walked.files.sort();
        walked.files.dedup_by(|a, b| a.0 == b.0);
        self.report.closed = walked.closed.iter().take(MAX_NAMED).map(Damaged::of).collect();
        self.report.is_cut = walked.is_cut;
        Ok(walked)
    }

    /// Files that are not there any more leave; those in folders that cannot be looked into now stay.
    fn let_go_what_is_gone(&mut self, walked: &Walked) {
        let there: BTreeSet<&Path> = walked.files.iter().map(|(path, _)| path.as_path()).collect();
        let is_closed = |path: &Path| walked.closed.iter().any(|(closed, _)| path.starts_with(closed));
        let of_folders = self.catalogue.files.iter().filter(|(_, record)| !record.is_plugin);
        let gone: Vec<PathBuf> = of_folders
            .map(|(path, _)| path)
            .filter(|path| !there.contains(path.as_path()) && !is_closed(path) && !walked.is_cut)
            .cloned()
            .collect();
        for path in &gone {
            self.let_go(path);
        }
    }

    /// Takes over what the scan knows now.
    fn take_plugins(&mut self, now: BTreeMap<PathBuf, FileRecord>) {
        let is_plugin = |it: &(&PathBuf, &FileRecord)| it.1.is_plugin && it.0.is_absolute();
        let before: Vec<PathBuf> =
            self.catalogue.files.iter().filter(is_plugin).map(|it| it.0.clone()).collect();
        for path in before.iter().filter(|path| !now.contains_key(*path)) {
            self.let_go(path);
        }
        for (path, record) in now {
            match self.catalogue.files.get(&path) {
                Some(known) if *known == record => {
                    self.report.unchanged += 1;
                    continue;
                }
                Some(_) => self.report.changed += 1,
                None => self.report.added += 1,
            }
            self.catalogue.files.insert(path, record);
            self.is_changed = true;
        }
    }

    /// Takes a SoundFont in that is no file, if it is another one than before.
    fn take_sound_font(&mut self, name: &Path, bytes: &'static [u8]) {
        let hash = hash_of(bytes);
        let before = self.catalogue.files.get(name).map(|known| known.hash);
        if before == Some(hash) {
            self.report.unchanged += 1;
            return;
        }
        let count = if before.is_some() { &mut self.report.changed } else { &mut self.report.added };
        *count += 1;
        let items = describe_sound_font(bytes).map_err(|error| error.to_string());
        // Like plugins it is not looked for among files.
        self.set(name, FileRecord { stamp: Stamp::default(), hash, is_plugin: true, items });
    }

    /// Takes a file in as it is now: by time and size if these are as before, else by what is in it.
    fn take(&mut self, path: &Path, stamp: Stamp, known: &Known, job: &JobContext) -> Result<(), JobError> {
        let before = self.catalogue.files.get(path);
        let stamp = if is_fresh(stamp) { Stamp { mtime_ns: i64::MIN, ..stamp } } else { stamp };
        if let Some(before) = before.filter(|before| before.stamp == stamp && stamp.mtime_ns != i64::MIN) {
            self.report.unchanged += 1;
            if let Err(reason) = &before.items {
                let reason = reason.clone();
                self.report.damage(path, &reason);
            }
            return Ok(());
        }
        let hashed = match hash(path, job)? {
            Ok(hash) => hash,
            Err(error) => {
                self.set(
                    path,
                    FileRecord { stamp, hash: 0, is_plugin: false, items: Err(error.to_string()) },
                );
                return Ok(());
            }
        };
        let before = before.map(|before| (before.hash == hashed).then(|| before.items.clone()));
        let (items, count) = match before {
            Some(Some(same)) => (same, &mut self.report.unchanged),
            before => match (known.items(hashed, &self.catalogue), before.is_some()) {
                (Some(items), false) => (items, &mut self.report.moved),
                (Some(items), true) => (items, &mut self.report.changed),
                (None, was_there) => {
                    let items = describe(path, job);
                    let count = if was_there { &mut self.report.changed } else { &mut self.report.added };
                    match items {
                        Ok(items) => (Ok(items), count),
                        Err(DescribeError::Job(error)) => return Err(error),
                        Err(DescribeError::Damaged(reason)) => (Err(reason), count),
                    }
                }
            },
        };
        *count += 1;
        self.is_changed |= self.catalogue.gone.remove(&hashed).is_some();
        self.set(path, FileRecord { stamp, hash: hashed, is_plugin: false, items });
        Ok(())
    }

    fn set(&mut self, path: &Path, record: FileRecord) {
        if let Err(reason) = &record.items {
            self.report.damage(path, reason);
        }
        if self.catalogue.files.get(path) != Some(&record) {
            self.catalogue.files.insert(path.to_owned(), record);
            self.is_changed = true;
        }
    }

    /// Makes the vectors of a file's items that have none.
    fn embed(&mut self, path: &Path, model: &mut Option<&mut dyn Embed>) -> Result<(), EmbedError> {
        let (Some(model), Some(record)) = (model, self.catalogue.files.get(path)) else { return Ok(()) };
        for item in record.items.iter().flatten() {
            let hash = text_hash(path, item);
            if !self.vectors.has(hash) {
                self.vectors.put(hash, &model.embed(&text_of(path, item))?);
                self.report.embedded += 1;
                self.is_changed = true;
            }
        }
        Ok(())
    }

    /// Writes what is known now; nothing where nothing has changed.
    fn commit(&mut self, job: &JobContext) -> Result<(), IndexJobError> {
        let since = Instant::now();
        if self.is_changed {
            let items = self.catalogue.items().count() as u64;
            let _lease = job.lease(COMMIT_BYTES + items * COMMIT_BYTES_PER_ITEM, "writing")?;
            let mut builder = Builder::new();
            self.catalogue.items().for_each(|item| builder.push(&item));
            self.generation += 1;
            let model = self.vectors.model();
            builder.write(
                &self.path,
                self.generation,
                model,
                &mut |hash| self.vectors.get(hash),
                &self.catalogue,
            )?;
            self.vectors = Vectors::of(IndexFile::open(&self.path)?)?;
            self.is_changed = false;
        }
        self.report.summarise(&self.catalogue, &self.vectors);
        self.committed = Instant::now();
        self.commit_took = self.committed - since;
        Ok(())
    }
}

/// Whether to write, so long after the last time, which took so long: writing a large index costs seconds, losing minutes of
/// listening costs minutes.
fn is_commit_due(since: Duration, every: Duration, took: Duration) -> bool {
    every.is_zero() || since >= every.max(took * 20)
}

/// Only one process changes an index at a time. A folder that somebody named may be misspelt: it is not made.
fn lock(index: &Path, make_folder: bool) -> Result<File, IndexError> {
    let path = lock_path(index);
    let io = |source| IndexError::Io { path: path.clone(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if make_folder => fs::create_dir_all(folder).map_err(io)?,
        Some(folder) if !folder.exists() => return Err(IndexError::NoFolder(folder.to_owned())),
        _ => {}
    }
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IndexError::Busy(index.to_owned())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// As it would be written from the root; of what is there no more, as far as it can be told.
fn absolute(path: &Path) -> Result<PathBuf, IndexJobError> {
    let absolute = || std::path::absolute(path);
    let known = fs::canonicalize(path).or_else(|_| absolute());
    known.map_err(|source| IndexJobError::NoSuch { path: path.to_owned(), source })
}

/// Whether a file was changed so lately that it could change again without a later time: then its time says nothing.
fn is_fresh(stamp: Stamp) -> bool {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now_ns = now.map_or(0, |now| i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
    stamp.mtime_ns > now_ns.saturating_sub(FRESH_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_is_due_soon_and_never_takes_more_than_a_twentieth_of_the_time() {
        let seconds = Duration::from_secs_f64;
        let every = IndexSettings::default().commit_every;
        assert!(!is_commit_due(seconds(2.9), every, seconds(0.1)));
        assert!(is_commit_due(seconds(3.0), every, seconds(0.1)));
        assert!(
            !is_commit_due(seconds(39.0), every, seconds(2.0)),
            "an index whose writing takes two seconds"
        );
        assert!(is_commit_due(seconds(40.0), every, seconds(2.0)));
    }
}
