//! Sounds, songs, presets and plugins, found by what they are.
//!
//! An index is one file. [`Indexer`] makes and changes it, as a job under a lease; a [`Searcher`] finds items in it by
//! words, and, where a model is there that [`Embed`]s text, by likeness of meaning. What a search looks at is mapped: 384 bytes
//! an item for its vector, and less than that for all else. `[side B]`
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cache;
mod catalogue;
mod codec;
mod describe;
mod file;
mod glossary;
mod index;
mod item;
mod meaning;
mod query;
mod search;
mod typo;
mod vectors;
mod walk;
mod words;

pub use cache::{CacheCounts, CacheLimits};
pub use file::{IndexError, IndexFile};
pub use index::{
    Damaged, IndexJobError, IndexReport, IndexSettings, IndexStatus, Indexer, Plugins, Progress, status,
};
pub use item::{Item, ItemKind, Key, ParseKeyError};
pub use query::{Filter, MAX_QUERY_BYTES, ParseRangeError, Query, Range};
pub use search::{
    Found, Hit, LEAST_LIKENESS, LIKENESS_WEIGHT, MAX_LIMIT, Reading, SearchError, SearchedBy, Searcher,
    SearcherMemory, WordMatch,
};
pub use vectors::DIMENSIONS;

/// Makes vectors of texts: texts of like meaning have vectors of like direction.
pub trait Embed {
    /// Which model, in which version: vectors of two models are never compared. Not empty, at most 64 bytes.
    fn id(&self) -> &str;

    /// Whether it knows a word, in lower case, as a whole. What it does not know it reads by its parts, which rarely says what is meant.
    fn knows(&self, word: &str) -> bool;

    /// The vector of a text, of any length but 0.
    ///
    /// # Errors
    /// [`EmbedError`].
    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError>;
}

/// A text has no vector.
#[derive(Debug, thiserror::Error)]
#[error("the meaning of a text could not be told: {0}")]
pub struct EmbedError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
