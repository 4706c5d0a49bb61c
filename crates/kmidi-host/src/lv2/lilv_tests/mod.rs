//! What this host reads and plays, against lilv: the library that other hosts use. Here it is an oracle of the tests alone.

#[path = "../../../tests/foreign/child.rs"]
mod child;
mod facts;
mod reader;
mod sound;
#[path = "../../../tests/foreign/table.rs"]
mod table;
mod wave;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::bundle::{Bundle, bundles};

/// Plugins in the packages that `cargo xtask test` installs.
const LEAST_PLUGINS: usize = 500;

/// A C program of the tests, linked to lilv.
struct Program {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

/// Compiles a program; `None` with a note where lilv is not there.
fn compile(source: &str) -> Option<Program> {
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "lilv-0"]).output();
    let flags = flags.ok().filter(|it| it.status.success());
    if !child::is_there("liblilv-dev", flags.is_some()) {
        return None;
    }
    let flags = String::from_utf8(flags?.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lilv").join(source);
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&path).arg(source);
    assert!(compiler.args(flags.split_whitespace()).status().unwrap().success());
    Some(Program { _folder: folder, path })
}

/// Folder and URI of each installed plugin; `None` with a note where packages are missing.
fn installed() -> Option<Vec<(PathBuf, String)>> {
    let of_bundle = |folder: PathBuf| {
        let plugins = Bundle::open(&folder).unwrap().plugins();
        plugins.into_iter().map(move |uri| (folder.clone(), uri))
    };
    let plugins: Vec<_> = bundles().into_iter().flat_map(of_bundle).collect();
    child::is_there("one of the packages of LV2 plugins", plugins.len() >= LEAST_PLUGINS).then_some(plugins)
}
