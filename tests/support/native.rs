//! Small C programs of the tests: what must sit where no Rust of the project does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `tests/support/NAME.c` into `folder`.
fn compile(name: &str, output: &Path, flags: &[&str]) {
    let source = super::root().join("tests/support").join(name);
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-O2", "-Wall", "-Werror", "-o"]).arg(output).arg(source).args(flags);
    let done = cc.output().expect("cc runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The recorder of JACK clients.
pub fn recorder(folder: &Path) -> PathBuf {
    let output = folder.join("recorder");
    compile("recorder.c", &output, &["-ljack", "-pthread"]);
    output
}

/// The library that counts what happens inside a JACK process callback.
pub fn callback_watch(folder: &Path) -> PathBuf {
    let output = folder.join("libcallback_watch.so");
    compile("callback_watch.c", &output, &["-shared", "-fPIC", "-ldl"]);
    output
}
