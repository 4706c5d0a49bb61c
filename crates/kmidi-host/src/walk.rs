//! Folders and what is in them, however deep and tangled.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Entries that are looked at under one folder; a folder with more is taken for a mistake, and its rest is passed over.
const MAX_ENTRIES: usize = 100_000;

/// What to do with a path.
pub(crate) enum Walk {
    /// It is one of those looked for.
    Take,
    /// Look into it, if it is a folder.
    Enter,
}

/// The paths that are taken under a folder, sorted. A folder that links lead back to is entered once.
pub(crate) fn walk(folder: &Path, depth: usize, choose: &mut dyn FnMut(&Path) -> Walk) -> Vec<PathBuf> {
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

    #[test]
    fn folders_deeper_than_the_bound_are_not_looked_into() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = root.path().to_owned();
        for _ in 0..9 {
            fs::write(folder.join("x"), "").unwrap();
            folder.push("d");
            fs::create_dir(&folder).unwrap();
        }
        let mut choose = |path: &Path| if path.is_file() { Walk::Take } else { Walk::Enter };
        assert_eq!(walk(root.path(), 4, &mut choose).len(), 5);
    }
}
