//! CLAP plugins: Debian's are in `zam-plugins`.

use std::path::{Path, PathBuf};

use kmidi_host::{Format, scan};

use crate::child::{in_parallel, is_there};
use crate::run::{COLUMNS, in_child};
use crate::table::publish;

/// Files of Debian's `zam-plugins`.
const LEAST_FILES: usize = 17;

#[test]
fn every_installed_clap_plugin_runs_and_keeps_its_state() {
    let files = scan::candidates(Format::Clap, &["/usr/lib/clap".into()]);
    let files: Vec<PathBuf> = files.into_iter().map(|it| it.path).collect();
    if !is_there("zam-plugins", files.len() >= LEAST_FILES) {
        return;
    }
    let rows: Vec<_> =
        in_parallel(&files, |file| in_child(Format::Clap, file, None)).into_iter().flatten().collect();
    publish("clap", &COLUMNS, &rows, &[]);
    assert!(rows.len() >= files.len());
}

#[test]
fn control_a_file_that_is_no_clap_plugin_fails_in_the_child() {
    // The second is a program, but not a plugin.
    for file in [Path::new("/nonexistent.clap"), &std::env::current_exe().unwrap()] {
        assert!(in_child(Format::Clap, file, None)[0].1.is_err(), "{}", file.display());
    }
}
