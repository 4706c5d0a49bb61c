//! Copies of models with smaller weights, which lie where fetched models do.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{ModelEntry, ModelFile, ModelFolders};

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

/// What the catalogue says of a model's copy, if one of the folders has one. A copy whose description cannot be read, or names files
/// outside its folder, is none.
pub(super) fn find(entry: &ModelEntry, folders: &ModelFolders) -> Option<ModelEntry> {
    folders.all().iter().find_map(|folder| {
        let copy = read(&folder.join(entry.name.name()).join(COPY_FILE))?;
        let original = entry.files.first()?;
        let mut found = entry.clone();
        (found.built_in, found.weights, found.files) = (false, copy.weights, copy.files);
        let is_it = copy.of_sha256.eq_ignore_ascii_case(&original.sha256);
        let has_all = entry.files[1..].iter().all(|file| found.file(&file.name).is_some());
        (is_it && has_all && found.fault().is_none()).then_some(found)
    })
}

fn read(path: &Path) -> Option<ModelCopy> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST_BYTES).read_to_string(&mut text).ok()?;
    toml::from_str(&text).ok()
}
