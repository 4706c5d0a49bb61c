//! What a line of the log says, and what it may not.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// The longest line of a log, its newline not counted.
pub const MAX_RECORD_BYTES: usize = 1 << 20;

const MAX_NAME_BYTES: usize = 128;
const MAX_SOURCE_BYTES: usize = 1024;
const MAX_FEATURES: usize = 64;
const MAX_METRICS: usize = 256;

/// What kind of deed a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something was thought out: the plan of a song.
    Plan,
    /// Something was made of something: a render, a transcription.
    Job,
    /// Somebody played or listened for a while.
    Session,
}

impl Kind {
    /// All there are.
    pub const ALL: [Kind; 3] = [Kind::Plan, Kind::Job, Kind::Session];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Plan => "plan",
            Kind::Job => "job",
            Kind::Session => "session",
        }
    }
}

/// A line of the log. What is read from one has been checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft")]
pub struct Record {
    /// Its own; no other record has it.
    pub id: Uuid,
    /// When it was.
    pub timestamp: Timestamp,
    /// What it was.
    pub kind: Kind,
    /// Which part of which program it is from: `kmidi::render`.
    pub provider: String,
    /// What it was made of: a file, a plan.
    pub source_id: String,
    /// What was asked for.
    pub seed_params: Map<String, Value>,
    /// How well it went, 0 to 1, where somebody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What was measured; the unit is part of the name.
    pub metrics: BTreeMap<String, f64>,
    /// What there is to say of it, in words to search for: at least one.
    pub features: Vec<String>,
    /// Whatever else. `confidence`, if it is there, is a number from 0 to 1.
    pub metadata: Map<String, Value>,
}

impl Record {
    /// How sure it is, 0 to 1, if that is told.
    pub fn confidence(&self) -> Option<f64> {
        self.metadata.get("confidence").and_then(Value::as_f64)
    }

    /// What a line of the log begins with.
    pub(crate) const START: &[u8] = b"{\"id\":\"";

    /// Its line, with the newline.
    ///
    /// # Errors
    /// [`SchemaError`]: it is not as a record has to be.
    pub(crate) fn to_line(&self) -> Result<Vec<u8>, SchemaError> {
        self.check()?;
        let mut line = Short(Vec::new());
        serde_json::to_writer(&mut line, self).map_err(|_| SchemaError::TooLong)?;
        line.0.push(b'\n');
        Ok(line.0)
    }

    fn check(&self) -> Result<(), SchemaError> {
        let is_word = |word: &str| {
            let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
            (1..=MAX_NAME_BYTES).contains(&word.len()) && word.chars().all(allowed)
        };
        if !self.provider.split_once("::").is_some_and(|(program, part)| is_word(program) && is_word(part)) {
            return Err(SchemaError::Provider);
        }
        if !is_text(&self.source_id, MAX_SOURCE_BYTES) {
            return Err(SchemaError::Source);
        }
        let is_part = |number: f64| (0.0..=1.0).contains(&number);
        if !self.score.is_none_or(is_part) {
            return Err(SchemaError::Score);
        }
        let is_metric = |(name, value): (&String, &f64)| is_text(name, MAX_NAME_BYTES) && value.is_finite();
        if self.metrics.len() > MAX_METRICS || !self.metrics.iter().all(is_metric) {
            return Err(SchemaError::Metrics);
        }
        let are_some = (1..=MAX_FEATURES).contains(&self.features.len());
        if !are_some || !self.features.iter().all(|feature| is_text(feature, MAX_NAME_BYTES)) {
            return Err(SchemaError::Features);
        }
        match self.metadata.get("confidence") {
            Some(confidence) if !confidence.as_f64().is_some_and(is_part) => Err(SchemaError::Confidence),
            _ => Ok(()),
        }
    }
}

fn is_text(text: &str, most_bytes: usize) -> bool {
    (1..=most_bytes).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Takes no more than a line may have.
struct Short(Vec<u8>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_RECORD_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A record that has yet to get its id and its time, where it has none.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// A new one, if none.
    pub id: Option<Uuid>,
    /// Now, if none.
    pub timestamp: Option<Timestamp>,
    /// As in a [`Record`]; so are all others.
    pub kind: Kind,
    /// See [`Record::provider`].
    pub provider: String,
    /// See [`Record::source_id`].
    pub source_id: String,
    /// See [`Record::seed_params`].
    #[serde(default)]
    pub seed_params: Map<String, Value>,
    /// See [`Record::score`].
    pub score: Option<f64>,
    /// See [`Record::metrics`].
    #[serde(default)]
    pub metrics: BTreeMap<String, f64>,
    /// See [`Record::features`].
    pub features: Vec<String>,
    /// See [`Record::metadata`].
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl Draft {
    /// A draft with what none can do without.
    pub fn new(
        kind: Kind,
        provider: impl Into<String>,
        source_id: impl Into<String>,
        feature: impl Into<String>,
    ) -> Self {
        Draft {
            id: None,
            timestamp: None,
            kind,
            provider: provider.into(),
            source_id: source_id.into(),
            seed_params: Map::new(),
            score: None,
            metrics: BTreeMap::new(),
            features: vec![feature.into()],
            metadata: Map::new(),
        }
    }

    /// The record: with a new random id and the time of now, where it has none of its own.
    ///
    /// # Errors
    /// [`SchemaError`]: what is wrong with it.
    pub fn finish(self) -> Result<Record, SchemaError> {
        let id = self.id.unwrap_or_else(Uuid::new_v4);
        let timestamp = self.timestamp.unwrap_or_else(Timestamp::now);
        let Draft { kind, provider, source_id, seed_params, score, metrics, features, metadata, .. } = self;
        let record = Record {
            id,
            timestamp,
            kind,
            provider,
            source_id,
            seed_params,
            score,
            metrics,
            features,
            metadata,
        };
        record.check().map(|()| record)
    }
}

impl TryFrom<Draft> for Record {
    type Error = SchemaError;

    fn try_from(draft: Draft) -> Result<Self, SchemaError> {
        match (draft.id, draft.timestamp) {
            (None, _) => Err(SchemaError::NoId),
            (_, None) => Err(SchemaError::NoTimestamp),
            _ => draft.finish(),
        }
    }
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// No `id`.
    #[error("`id` is missing")]
    NoId,
    /// No `timestamp`.
    #[error("`timestamp` is missing")]
    NoTimestamp,
    /// A wrong `provider`.
    #[error("`provider` has to be PROGRAM::PART, each of a-z, 0-9, `_`, `.` and `-`")]
    Provider,
    /// A wrong `source_id`.
    #[error("`source_id` has to be a text of 1 to {} bytes without control characters", MAX_SOURCE_BYTES)]
    Source,
    /// A wrong `score`.
    #[error("`score` has to be a number from 0 to 1")]
    Score,
    /// Wrong `metrics`.
    #[error(
        "`metrics` has to have at most {MAX_METRICS} names of 1 to {MAX_NAME_BYTES} bytes, a number each"
    )]
    Metrics,
    /// Wrong `features`.
    #[error("`features` has to be a list of 1 to {} texts of 1 to {} bytes", MAX_FEATURES, MAX_NAME_BYTES)]
    Features,
    /// A wrong `metadata.confidence`.
    #[error("`metadata.confidence` has to be a number from 0 to 1")]
    Confidence,
    /// Too much in it.
    #[error("it is longer than {} bytes", MAX_RECORD_BYTES)]
    TooLong,
}
