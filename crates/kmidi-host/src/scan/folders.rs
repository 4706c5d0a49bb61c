//! Where plugins are looked for.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::Format;
use crate::walk::{Walk, walk};

/// How deep below a plugin folder files are looked for.
const MAX_DEPTH: usize = 8;

/// A file or bundle that may hold plugins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Where.
    pub path: PathBuf,
    /// What it looks like.
    pub format: Format,
}

/// The folders of a format, those that win first: of its variable (`CLAP_PATH`, `VST3_PATH`, `LV2_PATH`), the user's,
/// the machine's. `LV2_PATH` takes the place of the others, as the LV2 hosts have it; the other two come before them.
pub fn standard_folders(format: Format, variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let (name, hidden, shared) = match format {
        Format::Clap => ("CLAP_PATH", ".clap", "clap"),
        Format::Vst3 => ("VST3_PATH", ".vst3", "vst3"),
        Format::Lv2 => ("LV2_PATH", ".lv2", "lv2"),
    };
    let given = variable(name).filter(|value| !value.is_empty());
    let is_alone = given.is_some() && format == Format::Lv2;
    let mut folders: Vec<_> =
        given.iter().flat_map(std::env::split_paths).filter(|path| path.is_absolute()).collect();
    if !is_alone {
        let home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        folders.extend(home.map(|home| home.join(hidden)));
        folders.extend(["/usr/local/lib", "/usr/lib"].map(|lib| Path::new(lib).join(shared)));
    }
    folders
}

/// The plugin files and bundles of a format in folders and the folders below, each once, in order of their paths. What
/// cannot be read is passed over.
pub fn candidates(format: Format, folders: &[PathBuf]) -> Vec<Candidate> {
    // A bundle of LV2 is right in the folder.
    let depth = if format == Format::Lv2 { 0 } else { MAX_DEPTH };
    let mut choose = |path: &Path| if is_plugin(format, path) { Walk::Take } else { Walk::Enter };
    let mut seen = HashSet::new();
    let found = folders.iter().flat_map(|folder| walk(folder, depth, &mut choose));
    let once = found.filter(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let mut found: Vec<_> = once.map(|path| Candidate { path, format }).collect();
    found.sort();
    found
}

fn is_plugin(format: Format, path: &Path) -> bool {
    let ends_with = |ending| path.extension().is_some_and(|it| it.eq_ignore_ascii_case(ending));
    match format {
        Format::Clap => ends_with("clap") && path.is_file(),
        Format::Vst3 => ends_with("vst3"),
        // Any folder with a manifest is a bundle, whatever its name.
        Format::Lv2 => path.join("manifest.ttl").is_file(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn files_and_bundles_are_found_below_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a.vst3/Contents/x86_64-linux", "deep/er", "b.lv2", "c.lv2", "d.clap"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for file in
            ["deep/er/x.clap", "y.clap", "a.vst3/Contents/x86_64-linux/a.so", "b.lv2/manifest.ttl", "z.so"]
        {
            fs::write(path(file), "").unwrap();
        }
        // Round and round: found, and left again.
        std::os::unix::fs::symlink(folder.path(), path("deep/loop")).unwrap();
        std::os::unix::fs::symlink(path("y.clap"), path("again.clap")).unwrap();
        std::os::unix::fs::symlink(path("gone"), path("broken.clap")).unwrap();
        let found = |format| {
            let found = candidates(format, &[folder.path().to_owned(), "/nonexistent".into()]);
            let names = found.iter().map(|it| it.path.file_name().unwrap().to_str().unwrap().to_owned());
            names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(found(Format::Clap), ["again.clap", "x.clap"]);
        assert_eq!(found(Format::Vst3), ["a.vst3"]);
        assert_eq!(found(Format::Lv2), ["b.lv2"]);
    }

    #[test]
    fn the_variable_comes_first_and_for_lv2_alone() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/a".into()),
            _ => Some("/x:relative:/y".into()),
        };
        let of = |format| standard_folders(format, variable);
        assert_eq!(of(Format::Lv2), [Path::new("/x"), Path::new("/y")]);
        let all = ["/x", "/y", "/home/a/.clap", "/usr/local/lib/clap", "/usr/lib/clap"].map(PathBuf::from);
        assert_eq!(of(Format::Clap), all);
        assert_eq!(standard_folders(Format::Lv2, |_| None).len(), 2);
    }
}
