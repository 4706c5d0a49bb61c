//! What indexing has done, and what there is.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::MAX_NAMED;
use super::vectors::Vectors;
use crate::ItemKind;
use crate::catalogue::Catalogue;
use crate::file::{IndexError, IndexFile, Section};

/// How far indexing is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Files that are done.
    pub done: u64,
    /// Files in all.
    pub total: u64,
    /// The file that is next.
    pub path: &'a Path,
}

/// A file or folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// Which; what is no text of Unicode is shown with marks in its place.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl Damaged {
    pub(super) fn of((path, reason): &(PathBuf, String)) -> Self {
        Damaged { path: path.to_string_lossy().into_owned(), reason: reason.clone() }
    }
}

/// What indexing has done.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IndexReport {
    /// Items that can be found now.
    pub items: u64,
    /// Files that were new.
    pub added: u64,
    /// Files that were other than before.
    pub changed: u64,
    /// Files that were known under another name.
    pub moved: u64,
    /// Files that were as before.
    pub unchanged: u64,
    /// Files that have left.
    pub removed: u64,
    /// Files that had gone before and are forgotten now.
    pub forgotten: u64,
    /// Vectors that were made.
    pub embedded: u64,
    /// Items that have no vector: they are found by words alone.
    pub without_vector: u64,
    /// Files that cannot be read.
    pub damaged_files: u64,
    /// The first thousand of these.
    pub damaged: Vec<Damaged>,
    /// Folders that could not be looked into; what is known of what is in them stays.
    pub closed: Vec<Damaged>,
    /// Whether there were more files than an index can hold.
    pub is_cut: bool,
}

impl IndexReport {
    pub(super) fn damage(&mut self, path: &Path, reason: &str) {
        self.damaged_files += 1;
        if self.damaged.len() < MAX_NAMED {
            self.damaged.push(Damaged::of(&(path.to_owned(), reason.to_owned())));
        }
    }

    pub(super) fn summarise(&mut self, catalogue: &Catalogue, vectors: &Vectors) {
        (self.items, self.without_vector) = (0, 0);
        for item in catalogue.items() {
            self.items += 1;
            self.without_vector += u64::from(!vectors.has(item.text_hash));
        }
    }
}

/// What there is in an index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexStatus {
    /// The file.
    pub path: String,
    /// Its bytes, and those of it that a search looks at.
    pub file_bytes: u64,
    /// These.
    pub mapped_bytes: u64,
    /// Counts up with each change.
    pub generation: u64,
    /// Items of each kind.
    pub items: Vec<(ItemKind, u64)>,
    /// The model that made the vectors.
    pub model: Option<String>,
    /// Items without a vector.
    pub without_vector: u64,
    /// Files that are known.
    pub files: u64,
    /// Files that have gone and are remembered: `compact` forgets them.
    pub remembered: u64,
    /// Folders and files that were added.
    pub roots: Vec<String>,
    /// What was taken out of these.
    pub excluded: Vec<String>,
    /// Files that cannot be read; the first thousand.
    pub damaged: Vec<Damaged>,
}

/// What there is in an index. `[side B]`
///
/// # Errors
/// [`IndexError`].
pub fn status(path: &Path) -> Result<IndexStatus, IndexError> {
    let file = IndexFile::open(path)?;
    let bytes = file.read_section(Section::Catalogue)?;
    let catalogue = Catalogue::read(&bytes).ok_or_else(|| file.damaged(Section::Catalogue.name()))?;
    let count = |kind| catalogue.items().filter(|it| it.item.kind == kind).count() as u64;
    let has_vector = |item: u32| file.vector(item).is_some_and(|(_, scale)| scale > 0.0);
    let texts = |paths: &std::collections::BTreeSet<PathBuf>| {
        paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
    };
    let failed = catalogue.files.iter().filter_map(|(path, record)| {
        record.items.as_ref().err().map(|reason| Damaged::of(&(path.clone(), reason.clone())))
    });
    Ok(IndexStatus {
        path: path.to_string_lossy().into_owned(),
        file_bytes: file.file_bytes(),
        mapped_bytes: file.mapped_bytes(),
        generation: file.generation(),
        items: ItemKind::ALL.into_iter().map(|kind| (kind, count(kind))).collect(),
        model: file.model(),
        without_vector: (0..file.items()).filter(|item| !has_vector(*item)).count() as u64,
        files: catalogue.files.len() as u64,
        remembered: catalogue.gone.len() as u64,
        roots: texts(&catalogue.roots),
        excluded: texts(&catalogue.excluded),
        damaged: failed.take(MAX_NAMED).collect(),
    })
}
