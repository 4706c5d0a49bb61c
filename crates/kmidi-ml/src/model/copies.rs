//! Copies of models with smaller weights, which lie where fetched models do.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ModelEntry, ModelFile, ModelFolders, ModelName};

/// The file that says that there is a copy.
pub(crate) const COPY_FILE: &str = "copy.toml";
const LONGEST_BYTES: u64 = 64 << 10;

/// What a copy is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelCopy {
    /// SHA-256 of the graph that it is a copy of: one of another version of the model is no copy of this one.
    pub of_sha256: String,
    /// How its weights are kept.
    pub weights: String,
    /// Its files; the first one is the graph.
    pub files: Vec<ModelFile>,
}

/// A copy that lies in one of the folders and cannot take its model's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the copy of the model {model} in {} is not used: {reason}. `kmidi models quantise {model} -o {}` makes it anew",
    .folder.join(.model.name()).display(), .folder.display()
)]
pub struct UnusedCopy {
    /// Of which.
    pub model: ModelName,
    /// The folder of models that it lies in.
    pub folder: PathBuf,
    /// Why not.
    pub reason: String,
}

/// What the catalogue says of a model's copy, if one of the folders has one; those that are found before it and are none go
/// to `unused`.
pub(super) fn find(
    entry: &ModelEntry,
    folders: &ModelFolders,
    unused: &mut Vec<UnusedCopy>,
) -> Option<ModelEntry> {
    folders.all().iter().find_map(|folder| {
        let copy = read(&folder.join(entry.name.name()).join(COPY_FILE));
        let found = copy.and_then(|copy| copy.map(|copy| in_place_of(entry, copy)).transpose());
        found.unwrap_or_else(|reason| {
            unused.push(UnusedCopy { model: entry.name, folder: folder.clone(), reason });
            None
        })
    })
}

/// The model's entry with the copy's files; why it cannot be that.
fn in_place_of(entry: &ModelEntry, copy: ModelCopy) -> Result<ModelEntry, String> {
    let original = entry.files.first().ok_or("the model has no file")?;
    if !copy.of_sha256.eq_ignore_ascii_case(&original.sha256) {
        return Err("it is a copy of another version of the model".to_owned());
    }
    let mut found = entry.clone();
    (found.built_in, found.is_copy) = (false, true);
    (found.weights, found.files) = (copy.weights, copy.files);
    if let Some(fault) = found.fault() {
        return Err(format!("{COPY_FILE}: {fault}"));
    }
    match entry.files[1..].iter().find(|file| found.file(&file.name).is_none()) {
        Some(file) => Err(format!("{COPY_FILE}: it has no {}", file.name)),
        None => Ok(found),
    }
}

/// What is said of a copy; nothing where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<ModelCopy>, String> {
    let told = |reason: &dyn std::fmt::Display| format!("{COPY_FILE}: {reason}");
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(told(&error)),
    };
    let mut text = String::new();
    // One more than there may be tells that there is more.
    file.take(LONGEST_BYTES + 1).read_to_string(&mut text).map_err(|error| told(&error))?;
    if text.len() as u64 > LONGEST_BYTES {
        return Err(told(&format_args!("it is longer than {LONGEST_BYTES} bytes")));
    }
    toml::from_str(&text).map(Some).map_err(|error| told(&error.message()))
}
