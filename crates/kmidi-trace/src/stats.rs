//! What there is in a log, in one pass.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::TraceError;
use crate::log::TraceLog;
use crate::query::Filter;
use crate::record::{Kind, Record};
use crate::timestamp::Timestamp;

/// Providers that are told apart; records of the others are counted together.
pub const MOST_GROUPS: usize = 256;

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Records.
    pub records: u64,
    /// Lines that are no records.
    pub bad_lines: u64,
    /// Bytes of the file, without a torn last line.
    pub bytes: u64,
    /// Bytes of a torn last line.
    pub torn_bytes: u64,
    /// The earliest record.
    pub first: Option<Timestamp>,
    /// The latest record.
    pub last: Option<Timestamp>,
    /// Records of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Records of each provider, with their scores.
    pub providers: BTreeMap<String, Group>,
    /// Records of providers beyond the first [`MOST_GROUPS`].
    pub records_of_other_providers: u64,
    /// The scores of all.
    pub scores: Scores,
}

/// The records of one provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// How many.
    pub records: u64,
    /// Their scores.
    pub scores: Scores,
}

/// Scores, as far as records have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// How many have one.
    pub count: u64,
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    /// Their mean.
    pub mean: Option<f64>,
}

impl Scores {
    fn add(&mut self, score: f64) {
        self.count += 1;
        self.min = Some(self.min.map_or(score, |min| min.min(score)));
        self.max = Some(self.max.map_or(score, |max| max.max(score)));
        let mean = self.mean.unwrap_or(0.0);
        self.mean = Some(mean + (score - mean) / self.count as f64);
    }
}

impl Stats {
    fn add(&mut self, record: Record) {
        self.records += 1;
        self.first = Some(self.first.map_or(record.timestamp, |first| first.min(record.timestamp)));
        self.last = Some(self.last.map_or(record.timestamp, |last| last.max(record.timestamp)));
        *self.kinds.entry(record.kind.name()).or_default() += 1;
        if let Some(score) = record.score {
            self.scores.add(score);
        }
        if self.providers.len() == MOST_GROUPS && !self.providers.contains_key(&record.provider) {
            self.records_of_other_providers += 1;
            return;
        }
        let group = self.providers.entry(record.provider).or_default();
        group.records += 1;
        if let Some(score) = record.score {
            group.scores.add(score);
        }
    }
}

impl TraceLog {
    /// Counts what there is, in one pass. `tell` is given the part that has been read, 0 to 1.
    ///
    /// # Errors
    /// As [`TraceLog::query`].
    pub fn stats(&self, mut tell: impl FnMut(f64)) -> Result<Stats, TraceError> {
        let mut query = self.query(Filter::default())?;
        let mut stats = Stats {
            bytes: query.bytes(),
            torn_bytes: query.torn_bytes(),
            kinds: Kind::ALL.map(|kind| (kind.name(), 0)).into(),
            ..Stats::default()
        };
        while let Some(found) = query.next() {
            stats.add(found?.record);
            if stats.records.is_multiple_of(1024) {
                tell(query.bytes_read() as f64 / query.bytes() as f64);
            }
        }
        stats.bad_lines = query.bad_lines();
        Ok(stats)
    }
}
