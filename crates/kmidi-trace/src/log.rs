//! The log as others see it.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::append::{self, Appended};
use crate::error::TraceError;
use crate::index::{Index, IndexUse};
use crate::query::{Filter, Found, Query};
use crate::record::Record;
use crate::tail::{self, Tail};
use crate::{latest, lock};

/// A log, by its path. Nothing is opened until something is asked.
#[derive(Clone, Debug)]
pub struct TraceLog {
    path: PathBuf,
}

/// The log as it is at one moment, between two appends.
pub(crate) struct Moment {
    pub file: Arc<File>,
    /// By which it is told from another of its name.
    pub inode: u64,
    /// Up to the end of its last whole line.
    pub bytes: u64,
    /// What is behind that: of a program that was killed.
    pub torn_bytes: u64,
}

/// What was found by an id.
#[derive(Debug)]
pub struct Lookup {
    /// The record, its line, if there is one.
    pub record: Option<Record>,
    /// How it was looked for.
    pub index: IndexUse,
}

impl TraceLog {
    /// The log in this file. One that is not there is empty, and is made by the first append.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        TraceLog { path: path.into() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the index of its ids is: beside it, with `.ids` behind its name. It may be deleted at any time.
    pub fn index_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".ids");
        path.into()
    }

    /// Adds records, which are on the disk when this returns; where it fails, the file is as it was. A torn last line that
    /// a killed program has left is taken away first. Others may append at the same time.
    ///
    /// # Errors
    /// [`TraceError::Schema`] and [`TraceError::TooMuch`] for what is not added; [`TraceError::Write`],
    /// [`TraceError::Busy`] and [`TraceError::NoFile`] where it cannot be.
    pub fn append(&self, records: &[Record]) -> Result<Appended, TraceError> {
        append::append(&self.path, records)
    }

    /// The records that a filter lets through, in their order, one at a time. What is added after the call is not among
    /// them.
    ///
    /// # Errors
    /// [`TraceError::Read`], [`TraceError::Busy`], [`TraceError::NoFile`].
    pub fn query(&self, filter: Filter) -> Result<Query, TraceError> {
        Ok(Query::new(&self.path, self.moment()?, 0, filter))
    }

    /// The last `count` records, in their order. Of the file only its end is read.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn latest(&self, count: u64) -> Result<Query, TraceError> {
        let Some(moment) = self.moment()? else {
            return Ok(Query::new(&self.path, None, 0, Filter::default()));
        };
        let start = latest::start(&moment, count).map_err(|source| self.unreadable(source))?;
        Ok(Query::new(&self.path, Some(moment), start, Filter::default()))
    }

    /// The record with this id; the first where several have it. An index beside the file, made and brought up to date by
    /// the call, says where it is; where there can be none, the file is looked through.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn by_id(&self, id: Uuid) -> Result<Lookup, TraceError> {
        let Some(moment) = self.moment()? else {
            return Ok(Lookup { record: None, index: IndexUse::Used });
        };
        match Index::open(&self.index_path()).and_then(|mut index| index.find(&moment, id)) {
            Ok((record, index)) => Ok(Lookup { record, index }),
            Err(error) => {
                let mut all = Query::new(&self.path, Some(moment), 0, Filter::default());
                let found = all.find(|it| !matches!(it, Ok(Found { record, .. }) if record.id != id));
                let record = found.transpose()?.map(|found| found.record);
                Ok(Lookup { record, index: IndexUse::Unusable(error.to_string()) })
            }
        }
    }

    /// The first of these ids that a record has, if one does: that `append` does not look, which gives its own.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn first_known(&self, ids: &[Uuid]) -> Result<Option<Uuid>, TraceError> {
        let Some(moment) = self.moment()?.filter(|_| !ids.is_empty()) else { return Ok(None) };
        let known = |index: &mut Index| {
            for id in ids {
                if index.find(&moment, *id)?.0.is_some() {
                    return Ok(Some(*id));
                }
            }
            Ok(None)
        };
        if let Ok(found) = Index::open(&self.index_path()).and_then(|mut index| known(&mut index)) {
            return Ok(found);
        }
        let wanted: HashSet<&Uuid> = ids.iter().collect();
        let mut all = Query::new(&self.path, Some(moment), 0, Filter::default());
        let found = all.find(|it| !matches!(it, Ok(Found { record, .. }) if !wanted.contains(&record.id)));
        Ok(found.transpose()?.map(|found| found.record.id))
    }

    /// The file between two appends; None if there is none.
    pub(crate) fn moment(&self) -> Result<Option<Moment>, TraceError> {
        let read = |source| self.unreadable(source);
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if !found.is_file() => return Err(TraceError::NoFile { path: self.path.clone() }),
            _ => {}
        }
        let file = File::open(&self.path).map_err(read)?;
        is_file(&file, &self.path)?;
        self.moment_of(Arc::new(file)).map(Some)
    }

    /// An open file between two appends.
    pub(crate) fn moment_of(&self, file: Arc<File>) -> Result<Moment, TraceError> {
        let read = |source| self.unreadable(source);
        lock::shared(&file).map_err(|error| refused(error, &self.path, read))?;
        let metadata = file.metadata().map_err(read)?;
        let (all, inode) = (metadata.len(), metadata.ino());
        let tail = tail::look(&file, all).map_err(read)?;
        file.unlock().map_err(read)?;
        let bytes = if let Tail::Torn(start) = tail { start } else { all };
        Ok(Moment { file, inode, bytes, torn_bytes: all - bytes })
    }

    pub(crate) fn unreadable(&self, source: io::Error) -> TraceError {
        TraceError::Read { path: self.path.clone(), source }
    }
}

/// A lock that was not got.
pub(crate) fn refused(
    error: io::Error,
    path: &Path,
    otherwise: impl Fn(io::Error) -> TraceError,
) -> TraceError {
    match error.kind() {
        io::ErrorKind::ResourceBusy => TraceError::Busy { path: path.to_owned() },
        _ => otherwise(error),
    }
}

/// Refuses what is opened and is no file.
pub(crate) fn is_file(file: &File, path: &Path) -> Result<(), TraceError> {
    let metadata = file.metadata().map_err(|source| TraceError::Read { path: path.to_owned(), source })?;
    if metadata.is_file() { Ok(()) } else { Err(TraceError::NoFile { path: path.to_owned() }) }
}
