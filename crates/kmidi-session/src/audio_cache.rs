//! Intermediate results of what is done with recordings, kept on the disk: a decoded file, what a model said of it.
//!
//! A result is found by what it was made of, which stage made it and with which settings. The folder has a marker by which it
//! is known as ours; in it, only files of our naming that begin as our files do are ever replaced or removed. An entry appears
//! when it is complete, and one that is damaged is gone when it is asked for. Several programs may use it at once.

mod entry;
mod folder;
mod key;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tempfile::NamedTempFile;

use entry::{Checked, HEADER_BYTES, Header, Sum};
use folder::{Folder, Locked};
pub use key::{CacheKey, ContentHash};

/// The most for which a writer makes room ahead of what it writes.
const ROOM_BYTES: u64 = 4 << 20;

/// What a cache may grow to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CacheLimits {
    /// Bytes of all entries together. What was not used for longest goes first.
    pub bytes: u64,
    /// An entry that was not used for so long goes.
    pub age: Duration,
    /// How often, at most, opening it looks for what is too old.
    pub interval: Duration,
}

impl Default for CacheLimits {
    /// 512 MiB, 30 days, each hour.
    fn default() -> Self {
        CacheLimits {
            bytes: 512 << 20,
            age: Duration::from_secs(30 * 24 * 3600),
            interval: Duration::from_secs(3600),
        }
    }
}

/// Why a result is not kept. It is as good as before; the next run computes it again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// No place for it: set `HOME` or `XDG_CACHE_HOME`.
    #[error("no place for the audio cache: set HOME or XDG_CACHE_HOME")]
    NoPlace,
    /// There are files in the folder and no marker of ours: move them away, or choose another folder.
    #[error("{path}: this folder was not made by kmidi, and is left alone", path = path.display())]
    NotOurs {
        /// Which folder.
        path: PathBuf,
    },
    /// Something of that name is there that was not made by kmidi.
    #[error("{path}: this file was not made by kmidi, and is left alone", path = path.display())]
    ForeignFile {
        /// Which file.
        path: PathBuf,
    },
    /// Larger than all of the cache may be: raise its limit.
    #[error("a result of {bytes} bytes is more than the audio cache may have ({most})")]
    TooLarge {
        /// So far.
        bytes: u64,
        /// May be.
        most: u64,
    },
    /// Another program keeps it locked.
    #[error("another program keeps the audio cache locked")]
    Busy,
    /// The system refuses: make room, or see who may write there.
    #[error("audio cache: {0}")]
    System(#[from] io::Error),
}

/// A cache, by its folder. `[side B]`
#[derive(Debug)]
pub struct AudioCache {
    folder: Folder,
    limits: CacheLimits,
}

/// What is in a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheStat {
    /// Results.
    pub entries: u64,
    /// Bytes of all of them, and of what is being written.
    pub bytes: u64,
    /// Seconds since the one was used that was not used for longest.
    pub oldest_seconds: Option<u64>,
    /// Files that are not ours, and are never touched.
    pub foreign_files: u64,
}

/// What a cleaning did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cleaned {
    /// Files that were removed.
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl AudioCache {
    /// The cache in a folder, which is made if it is not there. Looks for what is too old, where nobody has for an interval.
    ///
    /// # Errors
    /// [`CacheError::NotOurs`] for a folder with other files and no marker; [`CacheError::System`].
    pub fn open(folder: &Path, limits: CacheLimits) -> Result<Self, CacheError> {
        let cache = AudioCache { folder: Folder::open(folder)?, limits };
        if cache.folder.since_cleaning()? > limits.interval {
            cache.clean()?;
        }
        Ok(cache)
    }

    /// Where the user's own is: `$XDG_CACHE_HOME/kmidi/audio`.
    ///
    /// # Errors
    /// [`CacheError::NoPlace`].
    pub fn standard_folder() -> Result<PathBuf, CacheError> {
        Ok(crate::plugins::cache_folder().map_err(|_| CacheError::NoPlace)?.join("audio"))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it may grow to.
    pub fn limits(&self) -> CacheLimits {
        self.limits
    }

    /// A result that was kept: complete and whole, which is looked at first. None otherwise, whatever the reason; one that is
    /// damaged is removed.
    pub fn get(&self, key: &CacheKey) -> Option<CachedResult> {
        let path = self.folder.entry_path(key);
        match entry::check(&path, key) {
            Checked::Whole(file, bytes) => {
                // That it was used: without it, it only goes sooner.
                let _ = file.set_modified(SystemTime::now());
                Some(CachedResult { file: file.take(bytes), bytes })
            }
            Checked::Damaged => {
                let _ = fs::remove_file(&path);
                None
            }
            Checked::Missing | Checked::Foreign => None,
        }
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// [`CacheError`]: it is not kept, and nothing of it is left.
    pub fn put(&self, key: &CacheKey, bytes: &[u8]) -> Result<(), CacheError> {
        let mut writer = self.writer(key)?;
        writer.write(bytes)?;
        writer.commit()
    }

    /// Keeps a result that is too long to hold: it is there once [`CacheWriter::commit`] has been called.
    ///
    /// # Errors
    /// [`CacheError::System`], [`CacheError::Busy`].
    pub fn writer(&self, key: &CacheKey) -> Result<CacheWriter<'_>, CacheError> {
        // The one who cleans takes it for abandoned until it is locked.
        let locked = self.folder.lock()?;
        let mut file = locked.new_file()?;
        file.write_all(&Header::unfinished())?;
        file.as_file().try_lock().map_err(io::Error::from)?;
        drop(locked);
        Ok(CacheWriter { cache: self, key: *key, file, sum: Sum::default(), room_until: 0 })
    }

    /// What is in it.
    ///
    /// # Errors
    /// [`CacheError::System`].
    pub fn stat(&self) -> Result<CacheStat, CacheError> {
        let list = self.folder.list()?;
        let since = |used: SystemTime| SystemTime::now().duration_since(used).unwrap_or_default().as_secs();
        Ok(CacheStat {
            entries: list.entries.len() as u64,
            bytes: list.bytes(),
            oldest_seconds: list.entries.iter().map(|entry| since(entry.used)).max(),
            foreign_files: list.foreign,
        })
    }

    /// Removes what is too old, what a killed program left, and then what was not used for longest, until the rest is small
    /// enough.
    ///
    /// # Errors
    /// [`CacheError::System`], [`CacheError::Busy`].
    pub fn clean(&self) -> Result<Cleaned, CacheError> {
        let locked = self.folder.lock()?;
        let cleaned = make_room(&locked, self.limits, 0)?.0;
        locked.note_cleaning()?;
        Ok(cleaned)
    }

    /// Removes all that is ours but the marker.
    ///
    /// # Errors
    /// [`CacheError::System`], [`CacheError::Busy`].
    pub fn clear(&self) -> Result<Cleaned, CacheError> {
        let none = CacheLimits { bytes: 0, age: Duration::ZERO, ..self.limits };
        Ok(make_room(&self.folder.lock()?, none, 0)?.0)
    }
}

/// Removes until `more` bytes can come; also says whether they can.
fn make_room(locked: &Locked<'_>, limits: CacheLimits, more: u64) -> io::Result<(Cleaned, bool)> {
    let mut list = locked.folder().list()?;
    let mut cleaned = Cleaned::default();
    list.writing.retain(|file| !locked.remove_abandoned(file, &mut cleaned));
    // The one that was used last stands last, and goes last.
    list.entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    let now = SystemTime::now();
    let mut bytes = list.bytes();
    while let Some(entry) = list.entries.pop() {
        // A time to come is a clock that was wrong.
        let is_old = now.duration_since(entry.used).is_ok_and(|age| age > limits.age);
        if !is_old && bytes.saturating_add(more) <= limits.bytes {
            break;
        }
        if locked.remove(&entry.path, entry.bytes, &mut cleaned) {
            bytes -= entry.bytes;
        }
    }
    Ok((cleaned, bytes.saturating_add(more) <= limits.bytes))
}

/// A result that was kept, from its start. It stays readable also when it is removed meanwhile.
#[derive(Debug)]
pub struct CachedResult {
    file: io::Take<File>,
    bytes: u64,
}

impl CachedResult {
    /// How long it is.
    pub fn len_bytes(&self) -> u64 {
        self.bytes
    }

    /// All of it.
    ///
    /// # Errors
    /// The system's.
    pub fn to_vec(mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or(0));
        self.file.read_to_end(&mut all)?;
        Ok(all)
    }
}

impl Read for CachedResult {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// A result that is being written. Where it is dropped, nothing of it is left.
#[derive(Debug)]
pub struct CacheWriter<'a> {
    cache: &'a AudioCache,
    key: CacheKey,
    file: NamedTempFile,
    sum: Sum,
    /// So long it may become before room is made again.
    room_until: u64,
}

impl CacheWriter<'_> {
    /// Adds bytes.
    ///
    /// # Errors
    /// [`CacheError::TooLarge`]; [`CacheError::System`]: the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), CacheError> {
        let limits = self.cache.limits;
        let after = HEADER_BYTES + self.sum.bytes() + bytes.len() as u64;
        if after > limits.bytes {
            return Err(CacheError::TooLarge { bytes: after, most: limits.bytes });
        }
        if after > self.room_until {
            // One that is long will be longer.
            let ahead = self.sum.bytes().min(ROOM_BYTES);
            make_room(&self.cache.folder.lock()?, limits, bytes.len() as u64 + ahead)?;
            self.room_until = after + ahead;
        }
        self.file.write_all(bytes)?;
        self.sum.add(bytes);
        Ok(())
    }

    /// Puts it in its place, complete.
    ///
    /// # Errors
    /// [`CacheError::ForeignFile`], [`CacheError::TooLarge`] where others write as much at the same time,
    /// [`CacheError::System`], [`CacheError::Busy`]. Nothing of it is left then.
    pub fn commit(self) -> Result<(), CacheError> {
        let CacheWriter { cache, key, file, sum, .. } = self;
        Header::of(&key, &sum).write(file.as_file())?;
        let path = cache.folder.entry_path(&key);
        let locked = cache.folder.lock()?;
        if matches!(entry::check_start(&path), Checked::Foreign) {
            return Err(CacheError::ForeignFile { path });
        }
        // It is in the folder already, and counted.
        if !make_room(&locked, cache.limits, 0)?.1 {
            return Err(CacheError::TooLarge { bytes: sum.bytes(), most: cache.limits.bytes });
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
