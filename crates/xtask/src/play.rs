//! `cargo xtask play`: from a fresh clone to sound.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{packages, root};

/// Installs what the build needs, builds, and plays the song of `arguments` or a demo.
pub fn run(arguments: &[String]) -> Result<()> {
    packages::ensure(packages::BUILD)?;
    let manifest = root().join("Cargo.toml");
    let build = ["--release", "--locked", "--bin", "kmidi", "--manifest-path"];
    let status = Command::new("cargo").arg("build").args(build).arg(&manifest).status();
    if !status.context("cannot run cargo")?.success() {
        bail!("the build failed (cargo's message is above)");
    }
    let mut play = Command::new("cargo");
    play.args(["run", "--quiet"]).args(build).arg(&manifest).args(["--", "play"]).args(arguments);
    if !arguments.iter().any(|argument| !argument.starts_with('-')) {
        play.arg(demo()?);
    }
    replace(play)
}

/// The demo song that comes first by name.
fn demo() -> Result<PathBuf> {
    let folder = root().join("assets/midi");
    let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
    let songs = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let first = songs.filter(|path| path.extension().is_some_and(|extension| extension == "mid")).min();
    first.with_context(|| format!("no song in {}", folder.display()))
}

/// Runs `command` in place of this process, so that Ctrl-C and the terminal are the player's own.
#[cfg(unix)]
fn replace(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("cannot run kmidi")
}

/// Runs `command` and passes its exit code on.
#[cfg(not(unix))]
fn replace(mut command: Command) -> Result<()> {
    let status = command.status().context("cannot run kmidi")?;
    std::process::exit(status.code().unwrap_or(1))
}
