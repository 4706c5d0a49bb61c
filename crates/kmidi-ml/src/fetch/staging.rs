//! Where a package is taken apart: a folder beside the models, which goes when that is done, or at the next fetch.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use kmidi_sys::{FileLock, lock_file};
use tempfile::TempDir;

use super::FetchError;

const PREFIX: &str = ".fetch-";
/// How long another fetch may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder of one's own, locked as long as it is used: who was killed holds no lock.
pub(super) struct Staging {
    folder: TempDir,
    _lock: File,
}

impl Staging {
    /// A new one in the folder of models, from which those of the dead are removed.
    pub fn new(models: &Path) -> Result<Self, FetchError> {
        let failed = |source| FetchError::Write { path: models.to_owned(), source };
        // While it is held, nobody has a folder that is not locked yet.
        let of_models = File::open(models).map_err(failed)?;
        lock_file(&of_models, FileLock::Exclusive, PATIENCE).map_err(failed)?;
        remove_abandoned(models);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(models).map_err(failed)?;
        let lock = File::open(folder.path()).map_err(failed)?;
        lock_file(&lock, FileLock::Exclusive, Duration::ZERO).map_err(failed)?;
        Ok(Staging { folder, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What cannot be removed only takes room.
fn remove_abandoned(models: &Path) {
    for entry in fs::read_dir(models).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        // A link of that name was made by somebody else.
        if !is_ours || !entry.file_type().is_ok_and(|it| it.is_dir()) {
            continue;
        }
        let is_free = File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if is_free {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_have_left_goes_and_what_somebody_uses_stays() {
        let models = tempfile::tempdir().unwrap();
        let dead = models.path().join(".fetch-liiaat");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("half.whl"), "half").unwrap();
        let other = models.path().join("minilm");
        fs::create_dir(&other).unwrap();
        let first = Staging::new(models.path()).unwrap();
        assert!(!dead.exists() && other.exists());
        let second = Staging::new(models.path()).unwrap();
        assert!(first.path().exists() && second.path() != first.path());
        let path = first.path().to_owned();
        drop(first);
        assert!(!path.exists() && second.path().exists());
    }
}
