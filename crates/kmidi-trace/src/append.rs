//! What is added: all of it, on the disk, or nothing.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use uuid::Uuid;

use crate::error::TraceError;
use crate::log::is_file;
use crate::record::Record;
use crate::tail::{self, Tail};
use crate::{lock, log};

/// The most that is added at once.
pub const MAX_APPEND_BYTES: u64 = 64 << 20;

/// What an append did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The ids of what was added, in order.
    pub ids: Vec<Uuid>,
    /// Bytes of a torn last line that were taken away first.
    pub repaired_bytes: u64,
}

/// Adds lines. They are on the disk when this returns; where it fails, none of them are.
pub(crate) fn append(path: &Path, records: &[Record]) -> Result<Appended, TraceError> {
    let lines = lines(records)?;
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::ResourceBusy => TraceError::Busy { path: path.to_owned() },
        _ => TraceError::Write { path: path.to_owned(), source },
    };
    let ids = records.iter().map(|record| record.id).collect();
    if records.is_empty() {
        return Ok(Appended { ids, repaired_bytes: 0 });
    }
    let file = open(path)?;
    let length = file.metadata().map_err(fail)?.len();
    if is_of_others(&file).map_err(fail)? {
        return Err(TraceError::NoLog { path: path.to_owned() });
    }
    let (length, separator) = match tail::look(&file, length).map_err(fail)? {
        Tail::Ended => (length, ""),
        Tail::Torn(start) => (start, ""),
        Tail::Unended | Tail::Foreign => (length, "\n"),
    };
    let repaired_bytes = file.metadata().map_err(fail)?.len() - length;
    if repaired_bytes > 0 {
        file.set_len(length).map_err(fail)?;
    }
    let bytes = [separator.as_bytes(), &lines].concat();
    if let Err(error) = write(&file, &bytes) {
        // What is left where this fails too is a torn line, as after a crash.
        let _ = file.set_len(length).and_then(|()| file.sync_data());
        return Err(fail(error));
    }
    if length == 0 {
        sync_folder(path).map_err(fail)?;
    }
    Ok(Appended { ids, repaired_bytes })
}

fn lines(records: &[Record]) -> Result<Vec<u8>, TraceError> {
    let mut lines = Vec::new();
    for (record, number) in records.iter().zip(1..) {
        lines.extend(record.to_line().map_err(|reason| TraceError::Schema { number, reason })?);
        if lines.len() as u64 > MAX_APPEND_BYTES {
            return Err(TraceError::TooMuch { bytes: lines.len() as u64, most: MAX_APPEND_BYTES });
        }
    }
    Ok(lines)
}

fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

/// How recordings, songs and SoundFonts begin: one of them was named by mistake.
const OF_OTHERS: [&[u8]; 6] = [b"RIFF", b"RF64", b"MThd", b"fLaC", b"OggS", b"ID3"];

/// Whether a file is one of those. Anything else may be a log that was damaged.
fn is_of_others(file: &File) -> io::Result<bool> {
    let mut start = [0; 4];
    let length = file.read_at(&mut start, 0)?;
    Ok(OF_OTHERS.iter().any(|other| start[..length].starts_with(other)))
}

/// Opens the file for what is added, and locks it: the one that has this name also once the lock is held.
fn open(path: &Path) -> Result<File, TraceError> {
    let write = |source| TraceError::Write { path: path.to_owned(), source };
    make_folder(path).map_err(write)?;
    loop {
        // A pipe would wait for its other end.
        match fs::metadata(path) {
            Ok(found) if !found.is_file() => return Err(TraceError::NoFile { path: path.to_owned() }),
            _ => {}
        }
        let file =
            File::options().read(true).append(true).create(true).mode(0o600).open(path).map_err(write)?;
        is_file(&file, path)?;
        lock::exclusive(&file).map_err(|error| log::refused(error, path, write))?;
        let (held, named) = (file.metadata().map_err(write)?, fs::metadata(path));
        // Somebody may have put it away meanwhile.
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
            return Ok(file);
        }
    }
}

/// Only this user can enter a folder that is made here.
fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// That a new file is there is on the disk only with its folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
