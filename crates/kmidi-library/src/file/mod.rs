//! The index as one file: what a search looks at comes first and is mapped, what only indexing needs stands behind it and
//! is read when it is asked for.

mod build;
mod layout;
mod names;
mod open;
mod postings;

pub(crate) use build::{BuildItem, Builder, folder_words, lock_path};
pub(crate) use layout::{ModelId, Section};
pub(crate) use names::stem;
pub(crate) use open::Columns;
pub use open::{IndexError, IndexFile};
pub(crate) use postings::read_postings;
