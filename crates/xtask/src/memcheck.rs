//! `cargo xtask memcheck`: valgrind looks for what is lost for good, first where something is.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cargo, packages, root, succeed};

/// The exit code for what valgrind finds.
const FOUND: i32 = 99;

/// Songs that play for seconds are enough: what is lost is lost the first time.
const RUNS: &[&[&str]] = &[
    &["info", "assets/midi/freedoom-e1m1.mid"],
    &["render", "assets/midi/freedoom-inter.mid", "--to", "2s", "--tail", "0", "--loudness"],
    &[
        "render",
        "assets/midi/freedoom-inter.mid",
        "--to",
        "1s",
        "--tail",
        "0",
        "--loudness",
        "--sf",
        "built-in",
        "--sf",
        "assets/soundfonts/kmidi-gm.sf3@8",
    ],
    &["play", "assets/midi/freedoom-inter.mid", "--audio", "null", "--to", "2s"],
];

/// Builds with the system's allocator, whose blocks valgrind sees, and looks.
///
/// # Errors
/// The planted leak is not found, or another one is.
pub fn run() -> Result<()> {
    packages::ensure(packages::TEST)?;
    let builds = [
        "build --locked --package kmidi-memory --features system-allocator --example planted_leak",
        "build --locked --package kmidi --features system-allocator --bin kmidi",
    ];
    for build in builds {
        succeed(&mut cargo(build))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let debug = root().join(target).join("debug");
    if !finds_leaks(&debug.join("examples/planted_leak"), &[])? {
        bail!("valgrind does not find the planted leak: it would find no other");
    }
    for arguments in RUNS {
        if finds_leaks(&debug.join("kmidi"), arguments)? {
            bail!("`kmidi {}` loses memory for good: see above", arguments.join(" "));
        }
        println!("nothing is lost: kmidi {}", arguments.join(" "));
    }
    Ok(())
}

/// Whether valgrind finds blocks that nothing points to when the program ends.
fn finds_leaks(program: &Path, arguments: &[&str]) -> Result<bool> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--leak-check=full", "--show-leak-kinds=definite"]);
    valgrind.args(["--errors-for-leak-kinds=definite", &format!("--error-exitcode={FOUND}")]);
    let status =
        valgrind.current_dir(root()).arg(program).args(arguments).status().context("cannot run valgrind")?;
    match status.code() {
        Some(0) => Ok(false),
        Some(FOUND) => Ok(true),
        _ => bail!("{} {} ended with {status}", program.display(), arguments.join(" ")),
    }
}
