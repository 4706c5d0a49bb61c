//! Where VST3 plugins are installed. `[side B]`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::limits::{MAX_FOLDER_DEPTH, MAX_FOLDER_ENTRIES};

/// The folders in which VST3 plugins are looked for, in order: those of `$VST3_PATH` (colons between), `~/.vst3`,
/// `/usr/local/lib/vst3`, `/usr/lib/vst3`.
pub fn vst3_folders() -> Vec<PathBuf> {
    folders(std::env::var_os("VST3_PATH").as_deref(), std::env::var_os("HOME").as_deref())
}

fn folders(path: Option<&OsStr>, home: Option<&OsStr>) -> Vec<PathBuf> {
    let named = path.map(std::env::split_paths).into_iter().flatten().filter(|it| it.is_absolute());
    let own = home.filter(|home| !home.is_empty()).map(|home| Path::new(home).join(".vst3"));
    let system = ["/usr/local/lib/vst3", "/usr/lib/vst3"].map(PathBuf::from);
    let mut found = Vec::new();
    for folder in named.chain(own).chain(system) {
        if !found.contains(&folder) {
            found.push(folder);
        }
    }
    found
}

/// Every VST3 plugin file and bundle in these folders and the folders inside them, in the order of the folders and then of
/// the names. None is opened. What cannot be read is passed over.
pub fn vst3_candidates(folders: &[PathBuf]) -> Vec<PathBuf> {
    walk(folders, "vst3")
}

/// Files and folders with an extension, in these folders and those inside them to a bounded depth. A folder that has the
/// extension is not entered, and one that is reached twice (by links) only once.
pub fn walk(folders: &[PathBuf], extension: &str) -> Vec<PathBuf> {
    let mut search =
        Search { extension: OsStr::new(extension), seen: Vec::new(), found: Vec::new(), entries: 0 };
    for folder in folders {
        search.enter(folder, 0);
    }
    search.found
}

struct Search<'a> {
    extension: &'a OsStr,
    /// Folders that have been entered, without links in their paths.
    seen: Vec<PathBuf>,
    found: Vec<PathBuf>,
    entries: usize,
}

impl Search<'_> {
    fn enter(&mut self, folder: &Path, depth: usize) {
        let (Ok(real), Ok(entries)) = (folder.canonicalize(), std::fs::read_dir(folder)) else { return };
        if self.seen.contains(&real) {
            return;
        }
        self.seen.push(real);
        let room = MAX_FOLDER_ENTRIES.saturating_sub(self.entries);
        let mut paths: Vec<PathBuf> = entries.flatten().take(room).map(|entry| entry.path()).collect();
        self.entries += paths.len();
        paths.sort();
        for path in paths {
            if path.extension() == Some(self.extension) {
                self.found.push(path);
            } else if depth < MAX_FOLDER_DEPTH && path.is_dir() {
                self.enter(&path, depth + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_folders_come_first_and_none_comes_twice() {
        let path = OsStr::new("/a:/usr/lib/vst3::relative:/a");
        let found = folders(Some(path), Some(OsStr::new("/home/x")));
        let expected = ["/a", "/usr/lib/vst3", "/home/x/.vst3", "/usr/local/lib/vst3"].map(PathBuf::from);
        assert_eq!(found, expected);
        assert_eq!(folders(None, None).len(), 2);
    }

    #[test]
    fn links_in_circles_and_folders_without_an_end_do_not_hold_the_search() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("Vendor/B.vst3/Contents/Inner.vst3")).unwrap();
        std::fs::write(root.join("A.vst3"), "").unwrap();
        std::fs::write(root.join("Vendor/readme.txt"), "").unwrap();
        std::os::unix::fs::symlink(root, root.join("Vendor/again")).unwrap();
        std::os::unix::fs::symlink(root.join("nowhere"), root.join("broken")).unwrap();
        let deep = (0..MAX_FOLDER_DEPTH + 3).fold(root.to_owned(), |path, _| path.join("d"));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("Deep.vst3"), "").unwrap();
        let found = vst3_candidates(&[root.to_owned(), root.join("Vendor"), root.join("none")]);
        assert_eq!(found, [root.join("A.vst3"), root.join("Vendor/B.vst3")]);
    }
}
