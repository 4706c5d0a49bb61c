//! The folder of a cache: what in it is ours.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use kmidi_sys::{FileLock, lock_file};
use tempfile::NamedTempFile;

use super::entry::{self, Checked};
use super::key::CacheKey;
use super::{CacheError, Cleaned};

/// By this name programs that make copies know a folder that needs none.
const MARKER: &str = "CACHEDIR.TAG";
const MARKER_TEXT: &str = "\
Signature: 8a477f597d28d172789f06886806bc55
# Intermediate results of kmidi, which makes them again when they are needed. `kmidi cache clean --all` removes them.
";
const ENDING: &str = ".kmaudio";
const WRITING: &str = ".writing-";
const KEY_DIGITS: usize = 64;
/// How long the lock is waited for: it is held while names are read and files removed.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// A file of the cache.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// What is in the folder.
#[derive(Debug, Default)]
pub(super) struct List {
    pub entries: Vec<Listed>,
    pub writing: Vec<Listed>,
    pub foreign: u64,
}

impl List {
    pub fn bytes(&self) -> u64 {
        self.entries.iter().chain(&self.writing).map(|file| file.bytes).sum()
    }
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let folder = Folder { path: path.to_owned() };
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        // Another program may be making it at the same time.
        for _ in 0..3 {
            let marker = folder.marker()?;
            if marker == MARKER_TEXT.as_bytes() {
                return Ok(folder);
            }
            let others = fs::read_dir(path)?.filter_map(|it| it.ok().map(|it| it.file_name()));
            let others: Vec<_> = others.filter(|it| it != MARKER).collect();
            let is_ours = |it: &OsString| it.to_str().is_some_and(|it| is_entry(it) || is_writing(it));
            // One that a program began that was killed, or that a power cut has damaged: names like ours nobody else gives.
            let is_begun = MARKER_TEXT.as_bytes().starts_with(&marker);
            if others.iter().all(is_ours) && (is_begun || !others.is_empty()) {
                let file =
                    File::options().write(true).create(true).truncate(false).open(folder.marker_path());
                let mut file = file?;
                file.write_all(MARKER_TEXT.as_bytes())?;
                file.set_len(MARKER_TEXT.len() as u64)?;
            }
        }
        Err(CacheError::NotOurs { path: path.to_owned() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn entry_path(&self, key: &CacheKey) -> PathBuf {
        self.path.join(format!("{key}{ENDING}"))
    }

    fn marker_path(&self) -> PathBuf {
        self.path.join(MARKER)
    }

    /// What the marker says; nothing if there is none. What is no file is none of ours.
    fn marker(&self) -> Result<Vec<u8>, CacheError> {
        let mut text = vec![];
        let found = match fs::symlink_metadata(self.marker_path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(text),
            found => found?,
        };
        if !found.is_file() {
            return Err(CacheError::NotOurs { path: self.path.clone() });
        }
        File::open(self.marker_path())?.take(MARKER_TEXT.len() as u64 + 1).read_to_end(&mut text)?;
        Ok(text)
    }

    /// How long ago somebody cleaned.
    pub fn since_cleaning(&self) -> io::Result<Duration> {
        let cleaned = fs::metadata(self.marker_path())?.modified()?;
        // A time to come is a clock that was wrong.
        Ok(cleaned.elapsed().unwrap_or(Duration::MAX))
    }

    pub fn list(&self) -> io::Result<List> {
        let mut list = List::default();
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            let name = file.file_name();
            // Not what a link leads to.
            let metadata = match file.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let listed = || -> io::Result<Listed> {
                Ok(Listed { path: file.path(), bytes: metadata.len(), used: metadata.modified()? })
            };
            match name.to_str().filter(|_| metadata.is_file()) {
                Some(MARKER) => {}
                Some(name) if is_entry(name) => list.entries.push(listed()?),
                Some(name) if is_writing(name) => list.writing.push(listed()?),
                _ => list.foreign += 1,
            }
        }
        Ok(list)
    }

    /// Keeps other programs from changing what is in it.
    pub fn lock(&self) -> Result<Locked<'_>, CacheError> {
        let marker = File::options().read(true).write(true).open(self.marker_path())?;
        lock_file(&marker, FileLock::Exclusive, PATIENCE).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => CacheError::Busy,
            _ => error.into(),
        })?;
        Ok(Locked { folder: self, marker })
    }
}

/// A folder in which nobody else changes anything.
pub(super) struct Locked<'a> {
    folder: &'a Folder,
    marker: File,
}

impl Locked<'_> {
    pub fn folder(&self) -> &Folder {
        self.folder
    }

    pub fn note_cleaning(&self) -> io::Result<()> {
        self.marker.set_modified(SystemTime::now())
    }

    /// A file to write into.
    pub fn new_file(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(WRITING).suffix(ENDING).rand_bytes(16).tempfile_in(&self.folder.path)
    }

    /// Removes a file, if it is ours; whether it is gone.
    pub fn remove(&self, path: &Path, bytes: u64, cleaned: &mut Cleaned) -> bool {
        let is_ours = matches!(entry::check_start(path), Checked::Whole(..));
        let is_gone = is_ours && fs::remove_file(path).is_ok();
        if is_gone {
            cleaned.removed += 1;
            cleaned.bytes += bytes;
        }
        is_gone
    }

    /// Removes what a program was writing that has ended; whether it is gone.
    pub fn remove_abandoned(&self, file: &Listed, cleaned: &mut Cleaned) -> bool {
        let Checked::Whole(opened, _) = entry::check_start(&file.path) else { return false };
        // Who writes holds its lock.
        opened.try_lock().is_ok() && self.remove(&file.path, file.bytes, cleaned)
    }
}

fn is_entry(name: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    name.strip_suffix(ENDING).is_some_and(|key| key.len() == KEY_DIGITS && key.bytes().all(is_digit))
}

fn is_writing(name: &str) -> bool {
    name.strip_prefix(WRITING).and_then(|rest| rest.strip_suffix(ENDING)).is_some_and(|it| it.len() == 16)
}
