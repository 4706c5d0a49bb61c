//! Records, one at a time.

use std::path::{Path, PathBuf};

use kmidi_jsonl::{BadLine, Reader};

use crate::error::TraceError;
use crate::follow::{Follow, Place};
use crate::log::{Moment, TraceLog};
use crate::record::{Kind, MAX_RECORD_BYTES, Record};
use crate::section::Section;
use crate::timestamp::Timestamp;

/// Which records are wanted: those of which all holds that is said here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<Kind>,
    /// From a provider whose name begins so: `kmidi::`.
    pub provider: Option<String>,
    /// Made of this.
    pub source_id: Option<String>,
    /// With a score of at least this.
    pub min_score: Option<f64>,
    /// With a score of at most this.
    pub max_score: Option<f64>,
    /// With every one of these features.
    pub features: Vec<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Not after this.
    pub until: Option<Timestamp>,
    /// So many at most, the first ones.
    pub limit: Option<u64>,
}

impl Filter {
    /// Whether a record is wanted; the limit is none of its business.
    pub fn admits(&self, record: &Record) -> bool {
        // A record without a score has neither enough nor little enough of it.
        let scores = |bound: Option<f64>, holds: fn(f64, f64) -> bool| {
            bound.is_none_or(|bound| record.score.is_some_and(|score| holds(score, bound)))
        };
        self.kind.is_none_or(|kind| record.kind == kind)
            && self.provider.as_ref().is_none_or(|start| record.provider.starts_with(start))
            && self.source_id.as_ref().is_none_or(|source| record.source_id == *source)
            && scores(self.min_score, |score, least| score >= least)
            && scores(self.max_score, |score, most| score <= most)
            && self.since.is_none_or(|since| record.timestamp >= since)
            && self.until.is_none_or(|until| record.timestamp <= until)
            && self.features.iter().all(|feature| record.features.contains(feature))
    }
}

/// A record, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its line, from 1; of [`crate::TraceLog::latest`], of those that were read.
    pub line: u64,
    /// What is there.
    pub record: Record,
}

/// Records as they are read: an iterator, of constant size.
///
/// Lines that are no records are passed over and counted.
pub struct Query {
    path: PathBuf,
    reader: Option<Reader<Section, Record>>,
    filter: Filter,
    left: u64,
    bytes: u64,
    torn_bytes: u64,
    place: Option<Place>,
}

impl Query {
    pub(crate) fn new(path: &Path, moment: Option<Moment>, start: u64, filter: Filter) -> Self {
        let (bytes, torn_bytes) =
            moment.as_ref().map_or((0, 0), |moment| (moment.bytes - start, moment.torn_bytes));
        let place = moment.as_ref().map(Place::behind);
        let reader = moment.map(|moment| {
            let section = Section::new(moment.file, start, moment.bytes);
            Reader::new(section).most_line_bytes(MAX_RECORD_BYTES as u64)
        });
        let left = filter.limit.unwrap_or(u64::MAX);
        Query { path: path.to_owned(), reader, filter, left, bytes, torn_bytes, place }
    }

    /// What is added behind what this query reads.
    pub fn follow(&self) -> Follow {
        Follow::new(TraceLog::new(&self.path), self.place.clone())
    }

    /// Bytes that there are to read.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that have been read.
    pub fn bytes_read(&self) -> u64 {
        self.reader.as_ref().map_or(0, Reader::offset)
    }

    /// Bytes of a torn last line, which are not read.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Lines so far that are no records.
    pub fn bad_lines(&self) -> u64 {
        self.reader.as_ref().map_or(0, Reader::bad_lines)
    }

    /// The first ones of them.
    pub fn first_bad_lines(&self) -> &[BadLine] {
        self.reader.as_ref().map_or(&[], Reader::first_bad_lines)
    }
}

impl Iterator for Query {
    type Item = Result<Found, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let path = &self.path;
        let found = self.reader.as_mut()?.find_map(|read| match read {
            Ok(read) if !self.filter.admits(&read.value) => None,
            Ok(read) => Some(Ok(Found { line: read.line, record: read.value })),
            Err(source) => Some(Err(TraceError::Read { path: path.clone(), source })),
        });
        self.left -= 1;
        found
    }
}
