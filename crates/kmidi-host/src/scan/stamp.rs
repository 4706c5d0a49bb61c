//! By what a file or bundle is known to be the same as before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Files that are looked at in one bundle.
const MAX_FILES: usize = 20_000;
/// How deep a bundle is looked into.
const MAX_DEPTH: usize = 8;

/// When a file was changed, how large it is and what is in it; of a bundle, all files together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Latest change, nanoseconds since 1970.
    pub mtime_ns: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
    /// SHA-256 in hex of what decides how a plugin behaves: libraries and descriptions, not samples and pictures.
    pub sha256: String,
}

impl Stamp {
    /// The stamp of what is there now; `None` if it cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let (files, stamp) = look(path)?;
        let mut hash = Sha256::new();
        for file in files.iter().filter(|file| decides(file, path)) {
            hash.update(file.strip_prefix(path).unwrap_or(file).as_os_str().as_encoded_bytes());
            hash.update([0]);
            io::copy(&mut fs::File::open(file).ok()?, &mut Hashed(&mut hash)).ok()?;
        }
        Some(Stamp { sha256: hex(&hash.finalize()), ..stamp })
    }

    /// The same without the hash: no file is opened.
    pub fn times_of(path: &Path) -> Option<Self> {
        look(path).map(|(_, stamp)| stamp)
    }

    /// Whether nothing but perhaps the hash differs.
    pub fn has_times_of(&self, other: &Stamp) -> bool {
        (self.mtime_ns, self.bytes, self.files) == (other.mtime_ns, other.bytes, other.files)
    }
}

struct Hashed<'a>(&'a mut Sha256);

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether what the file says can change what a host sees of the plugin.
fn decides(file: &Path, bundle: &Path) -> bool {
    file == bundle
        || file.extension().is_some_and(|it| ["so", "ttl", "json"].iter().any(|ending| it == *ending))
}

/// All files, in order, and what they come to.
fn look(path: &Path) -> Option<(Vec<PathBuf>, Stamp)> {
    let mut files = Vec::new();
    let mut stamp = Stamp::default();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((path, depth)) = folders.pop() {
        // Follows links: what they lead to is what counts.
        let Ok(metadata) = fs::metadata(&path) else {
            if depth == 0 {
                return None;
            }
            continue;
        };
        if metadata.is_dir() {
            if depth < MAX_DEPTH {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                folders.extend(entries.map(|entry| (entry.path(), depth + 1)));
            }
        } else if metadata.is_file() && files.len() < MAX_FILES {
            let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            stamp.mtime_ns = stamp.mtime_ns.max(since.map_or(0, |since| since.as_nanos() as u64));
            stamp.bytes += metadata.len();
            files.push(path);
        }
    }
    stamp.files = files.len();
    files.sort();
    Some((files, stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_known_by_all_of_it_and_a_touched_one_by_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("manifest.ttl");
        fs::write(&file, "one").unwrap();
        let before = Stamp::of(folder.path()).unwrap();
        let touch = fs::File::options().write(true).open(&file).unwrap();
        touch.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9)).unwrap();
        let touched = Stamp::of(folder.path()).unwrap();
        assert!(!before.has_times_of(&touched) && before.sha256 == touched.sha256);
        fs::write(&file, "two").unwrap();
        assert_ne!(Stamp::of(folder.path()).unwrap().sha256, before.sha256);
        fs::write(folder.path().join("sample.wav"), "la").unwrap();
        assert!(!Stamp::of(folder.path()).unwrap().has_times_of(&touched));
        assert_eq!(Stamp::of(Path::new("/nonexistent")), None);
    }
}
