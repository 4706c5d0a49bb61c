//! `cargo xtask test`: every check of the project, in the order in which a mistake shows soonest.

use std::process::Command;

use anyhow::Result;

use crate::steps::Steps;
use crate::{cargo, packages};

/// Installs what the tests need and runs all of them.
///
/// # Errors
/// The first check that fails.
pub fn run() -> Result<()> {
    packages::ensure(packages::BUILD)?;
    packages::ensure(packages::TEST)?;
    packages::ensure(packages::PLUGINS)?;
    let mut steps = Steps::default();

    steps.run("format", &mut cargo("fmt --all --check"))?;
    steps.run("clippy", &mut cargo("clippy --locked --workspace --all-targets -- -D warnings"))?;
    steps.run(
        "documentation",
        cargo("doc --locked --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    forget_dead_jack_servers()?;
    // With servers and plugins installed above, a test that lacks one must fail instead of passing over it.
    let required = [("KMIDI_REQUIRE_SERVERS", "1"), ("KMIDI_REQUIRE_PLUGINS", "1")];
    steps.run("tests", test_runner().envs(required))?;
    steps.run("doc tests", &mut cargo("test --locked --workspace --doc"))?;
    // A million quanta, each kind of violation planted once, and the worst quantum's instructions by callgrind.
    steps.run("real-time safety", &mut cargo("bench --locked --bench rt_safety"))?;
    // A restless user for two minutes: memory, files and threads are back where they were.
    let soak = "run --locked --package kmidi --bin kmidi -- soak --minutes 2 --check-fds --check-threads";
    steps.run("soak", &mut cargo(soak))?;
    // After all that runs the program as it is: this builds it with another allocator.
    steps.run("memory that is lost", &mut cargo("run --quiet --locked --package xtask -- memcheck"))?;
    // What counting costs beside the bare allocator, in instructions.
    steps.run("allocator", &mut cargo("bench --locked --bench allocator"))?;
    // And what looking on costs: a scope, the monitor.
    steps.run("profile scope", &mut cargo("bench --locked --bench profile_scope"))?;
    // `--cfg loom` rebuilds everything below the models: in a folder of its own, or the next build would do it again.
    let models =
        "test --locked --package kmidi-rt --package kmidi-memory --lib --target-dir target/loom -- model";
    steps.run("every interleaving", cargo(models).env("RUSTFLAGS", "--cfg loom"))?;
    let fuzz = "build --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz";
    steps.run("fuzz targets build", &mut cargo(fuzz))?;
    steps.summary();
    Ok(())
}

/// JACK keeps a table of eight servers for the whole machine; one that was killed stays in it, and
/// when it is full no server starts. Where none runs, all of it is left over.
fn forget_dead_jack_servers() -> Result<()> {
    let running = Command::new("pgrep").args(["-x", "jackd|jackdbus|pipewire"]).output();
    if !running.is_ok_and(|output| output.status.code() == Some(1)) {
        return Ok(());
    }
    for entry in std::fs::read_dir("/dev/shm")? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("jack") && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// `cargo nextest` where it is installed, else `cargo test`.
fn test_runner() -> Command {
    let nextest = Command::new("cargo").args(["nextest", "--version"]).output();
    match nextest.is_ok_and(|output| output.status.success()) {
        true => cargo("nextest run --locked --workspace --no-fail-fast"),
        false => cargo("test --locked --workspace --lib --bins --tests --no-fail-fast"),
    }
}
