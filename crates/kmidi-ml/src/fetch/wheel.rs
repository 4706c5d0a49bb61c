//! A package of Python's: an archive (ZIP) of files.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::FetchError;

/// An open package.
pub(super) struct Wheel {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Wheel {
    /// Opens a package.
    pub fn open(path: &Path) -> Result<Self, FetchError> {
        let file = File::open(path).map_err(|source| FetchError::Read { path: path.to_owned(), source })?;
        let archive =
            ZipArchive::new(BufReader::new(file)).map_err(|error| broken(path, error.to_string()))?;
        Ok(Wheel { path: path.to_owned(), archive })
    }

    /// Writes a file of it, which is to have `bytes` bytes, in constant memory. The written file is on the disk when
    /// this returns.
    pub fn extract(&mut self, name: &str, bytes: u64, to: &Path) -> Result<(), FetchError> {
        let unwritten = |source| FetchError::Write { path: to.to_owned(), source };
        let mut file = File::create(to).map_err(unwritten)?;
        let path = self.path.clone();
        let mut from = self.entry(name, bytes)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(&path, format!("{name}: {error}"))),
            };
            file.write_all(&buffer[..count]).map_err(unwritten)?;
        }
        file.sync_all().map_err(unwritten)
    }

    /// A file of it, of which no more is read than it may have.
    fn entry(&mut self, name: &str, most_bytes: u64) -> Result<impl Read + '_, FetchError> {
        let path = &self.path;
        let file = self.archive.by_name(name).map_err(|error| broken(path, format!("{name}: {error}")))?;
        if file.size() > most_bytes {
            let reason = format!("{name} has {} bytes, and {most_bytes} at most were expected", file.size());
            return Err(broken(path, reason));
        }
        Ok(file.take(most_bytes))
    }
}

fn broken(path: &Path, reason: String) -> FetchError {
    FetchError::Package { path: path.to_owned(), reason }
}
