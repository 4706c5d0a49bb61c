//! What files there are below a folder, however deep, tangled or closed.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kmidi_memory::{JobContext, JobError};

use crate::catalogue::Stamp;

/// Files of one walk; a folder with more is told and its rest passed over.
pub(crate) const MAX_FILES: usize = 1_000_000;
/// How deep folders are looked into.
const MAX_DEPTH: usize = 64;

/// What is told of what [`is_away`].
pub(crate) const AWAY: &str =
    "nothing is there now: what is known of it stays until `kmidi index remove` takes it out";

/// Whether a folder (or file) that was added is not there as a whole, as when the disk that it is on is not: what a disk is mounted
/// on is an empty folder. `has_known`: whether something was there before.
pub(crate) fn is_away(root: &Path, has_known: impl FnOnce() -> bool) -> bool {
    match fs::metadata(root) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(_) => fs::read_dir(root).is_ok_and(|mut it| it.next().is_none()) && has_known(),
    }
}

/// What a walk came across.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Sorted, each once.
    pub files: Vec<(PathBuf, Stamp)>,
    /// Folders and files that could not be looked at, and why: what is known of what is there stays.
    pub closed: Vec<(PathBuf, String)>,
    /// Whether there were too many.
    pub is_cut: bool,
}

impl Walked {
    /// Adds what is wanted at and below `root`. Folders that links lead to come behind those that are there themselves, so that
    /// a file has its own path; a folder is entered once, whatever leads to it. What begins with a dot is passed over.
    pub fn walk(
        &mut self,
        root: &Path,
        wanted: &dyn Fn(&Path) -> bool,
        skipped: &dyn Fn(&Path) -> bool,
        job: &JobContext,
    ) -> Result<(), JobError> {
        let mut entered = HashSet::new();
        let (mut waiting, mut links) = (vec![(root.to_owned(), 0)], vec![]);
        while let Some((path, depth)) = waiting.pop().or_else(|| links.pop()) {
            job.check()?;
            if skipped(&path) {
                continue;
            }
            let metadata = match fs::metadata(&path) {
                Ok(metadata) => metadata,
                // A link that leads nowhere, or what has gone while we looked.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.closed.push((path, error.to_string()));
                    continue;
                }
            };
            if metadata.is_file() {
                self.take(path, &metadata);
            } else if metadata.is_dir() && entered.insert((metadata.dev(), metadata.ino())) {
                if depth == MAX_DEPTH {
                    self.closed.push((path, format!("more than {MAX_DEPTH} folders deep")));
                    continue;
                }
                match entries(&path, wanted) {
                    Err(error) => self.closed.push((path, error.to_string())),
                    Ok((folders, linked)) => {
                        waiting.extend(folders.into_iter().rev().map(|it| (it, depth + 1)));
                        links.extend(linked.into_iter().rev().map(|it| (it, depth + 1)));
                    }
                }
            }
        }
        self.files.sort();
        self.files.dedup();
        Ok(())
    }

    fn take(&mut self, path: PathBuf, metadata: &Metadata) {
        if self.files.len() >= MAX_FILES {
            self.is_cut = true;
            return;
        }
        let seconds = metadata.mtime().saturating_mul(1_000_000_000);
        let stamp = Stamp { bytes: metadata.len(), mtime_ns: seconds.saturating_add(metadata.mtime_nsec()) };
        self.files.push((path, stamp));
    }
}

/// What is to be looked at in a folder, sorted: what is there, and what links lead to.
fn entries(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> std::io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut there, mut linked) = (vec![], vec![]);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_symlink() {
            linked.push(path);
        } else if kind.is_dir() || (kind.is_file() && wanted(&path)) {
            there.push(path);
        }
    }
    // A link may lead to a folder, whatever it is called.
    linked.retain(|path| wanted(path) || path.is_dir());
    there.sort();
    linked.sort();
    Ok((there, linked))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use kmidi_memory::{Budgets, Cancel, Limits, MIB, Need};

    use super::*;

    fn walk(root: &Path) -> Walked {
        let wanted = |path: &Path| path.extension() == Some(OsStr::new("wav"));
        let (budgets, cancel) = (Budgets::new(Limits::default()), Cancel::default());
        JobContext::run(&budgets, Need::working(MIB, "walk"), &cancel, |job| {
            let mut walked = Walked::default();
            walked.walk(root, &wanted, &|_| false, &job).unwrap();
            walked
        })
        .unwrap()
    }

    #[test]
    fn loops_of_links_end_and_odd_names_are_taken() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        fs::create_dir_all(a.join("deep")).unwrap();
        symlink(root.path(), a.join("deep/up")).unwrap();
        symlink(&a, &b).unwrap();
        symlink("nowhere", root.path().join("gone.wav")).unwrap();
        symlink(root.path().join("self.wav"), root.path().join("self.wav")).unwrap();
        let odd = a.join(OsStr::from_bytes(b"\xff\n.wav"));
        for file in [&odd, &a.join("x.wav"), &a.join(".hidden.wav"), &a.join("x.txt")] {
            fs::write(file, "").unwrap();
        }
        fs::create_dir(root.path().join("folder.wav")).unwrap();
        let walked = walk(root.path());
        let files: Vec<_> = walked.files.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(files, [a.join("x.wav"), odd]);
        assert_eq!(walked.closed.len(), 1, "a link to itself: {:?}", walked.closed);
    }

    #[test]
    fn a_single_file_is_a_root_and_one_that_is_missing_has_nothing() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("x.wav");
        fs::write(&file, "12345").unwrap();
        assert_eq!(walk(&file).files[0].1.bytes, 5);
        assert!(walk(&root.path().join("none")).files.is_empty());
    }
}
