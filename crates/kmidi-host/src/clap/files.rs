//! Where CLAP plugins are.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into.
const MAX_DEPTH: usize = 8;
/// Entries that are looked at under one folder; a folder with more is taken for a mistake, and its rest is passed over.
const MAX_ENTRIES: usize = 100_000;

/// The folders that CLAP plugins are installed in, in the order in which they count: those of `$CLAP_PATH` (with colons
/// between them), then `~/.clap`, `/usr/local/lib/clap` and `/usr/lib/clap`.
pub fn folders() -> Vec<PathBuf> {
    folders_of(env::var_os("CLAP_PATH"), env::var_os("HOME"))
}

fn folders_of(clap_path: Option<OsString>, home: Option<OsString>) -> Vec<PathBuf> {
    let named = clap_path.iter().flat_map(env::split_paths).filter(|path| path.is_absolute());
    let home = home.map(|home| Path::new(&home).join(".clap"));
    let fixed = ["/usr/local/lib/clap", "/usr/lib/clap"].map(PathBuf::from);
    named.chain(home).chain(fixed).collect()
}

/// The files in these folders, and in folders in them, that may hold CLAP plugins, sorted within each folder and each once.
/// Folders that cannot be read are passed over.
pub fn files(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let is_clap =
        |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("clap"));
    let found = folders.iter().flat_map(|folder| {
        walk(folder, MAX_DEPTH, &mut |path| match is_clap(path) && path.is_file() {
            true => Walk::Take,
            false => Walk::Enter,
        })
    });
    found.filter(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()))).collect()
}

/// What to do with a path.
pub(super) enum Walk {
    /// It is one of those looked for.
    Take,
    /// Look into it, if it is a folder.
    Enter,
}

/// The paths that are taken under a folder, sorted. A folder that links lead back to is entered once.
pub(super) fn walk(folder: &Path, depth: usize, choose: &mut dyn FnMut(&Path) -> Walk) -> Vec<PathBuf> {
    let (mut taken, mut entered, mut looked_at) = (Vec::new(), HashSet::new(), 0);
    let mut waiting = vec![(folder.to_owned(), depth)];
    while let Some((folder, depth)) = waiting.pop() {
        let Ok(entries) = folder.canonicalize().and_then(|real| {
            let is_new = entered.insert(real);
            if is_new { folder.read_dir() } else { Err(std::io::ErrorKind::AlreadyExists.into()) }
        }) else {
            continue;
        };
        for entry in entries.flatten() {
            looked_at += 1;
            if looked_at > MAX_ENTRIES {
                break;
            }
            let path = entry.path();
            match choose(&path) {
                Walk::Take => taken.push(path),
                Walk::Enter if depth > 0 && path.is_dir() => waiting.push((path, depth - 1)),
                Walk::Enter => {}
            }
        }
    }
    taken.sort();
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_that_lead_round_in_circles_and_nested_folders_are_survived() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("vendor/bundle");
        fs::create_dir_all(&deep).unwrap();
        for name in ["a.clap", "vendor/b.CLAP", "vendor/bundle/c.clap", "vendor/readme.txt"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        symlink(root.path(), deep.join("back")).unwrap();
        symlink(root.path().join("a.clap"), deep.join("again.clap")).unwrap();
        symlink(root.path().join("gone"), root.path().join("broken.clap")).unwrap();
        let missing = root.path().join("missing");
        let found = files(&[root.path().to_owned(), missing, deep.clone()]);
        let names: Vec<_> = found.iter().map(|it| it.strip_prefix(root.path()).unwrap()).collect();
        let want = ["a.clap", "vendor/b.CLAP", "vendor/bundle/c.clap"].map(Path::new);
        assert_eq!(names, want);
    }

    #[test]
    fn the_named_folders_come_first_and_an_empty_name_is_not_the_current_folder() {
        let folders = folders_of(Some("/a b::relative:/c".into()), Some("/home/x".into()));
        let want = ["/a b", "/c", "/home/x/.clap", "/usr/local/lib/clap", "/usr/lib/clap"].map(PathBuf::from);
        assert_eq!(folders, want);
        assert_eq!(folders_of(None, None), want[3..]);
    }

    #[test]
    fn folders_deeper_than_the_bound_are_not_looked_into() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = root.path().to_owned();
        for _ in 0..=MAX_DEPTH + 1 {
            fs::write(folder.join("x.clap"), "").unwrap();
            folder.push("d");
            fs::create_dir(&folder).unwrap();
        }
        assert_eq!(files(&[root.path().to_owned()]).len(), MAX_DEPTH + 1);
    }
}
