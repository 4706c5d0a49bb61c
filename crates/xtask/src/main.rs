//! `cargo xtask`: the commands that set up, play, test and maintain the project.
//!
//! Builds without any system library, so that it can say (and install) what the rest needs.
#![forbid(unsafe_code)]

mod bench_peers;
mod memcheck;
mod packages;
mod play;
mod plugins;
mod soundfont;
mod steps;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  play [FILE] [OPTION]...   install what the build needs, build, and play FILE (or a demo song);
                            options go to `kmidi play`
  test                      install what the tests need, and run every check of the project
  memcheck                  look with valgrind for memory that is lost for good
  plugins                   build our plugins as CLAP files into target/plugins/
  soundfont                 make assets/soundfonts/kmidi-gm.sf3 again, and check it
  bench-peers [--seconds N] [NAME]...
                            install FluidSynth, TiMidity, pedalboard and dawdreamer, and measure kmidi, them
                            and rustysynth with the same songs (those with NAME in their name) of N seconds
                            (600) or more; `plugins`: the comparison of hosts, `transcription`:
                            with basic-pitch
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let result = match (command.as_deref(), rest.is_empty()) {
        (Some("play"), _) => play::run(&rest),
        (Some("test"), true) => test::run(),
        (Some("memcheck"), true) => memcheck::run(),
        (Some("plugins"), true) => plugins::run(),
        (Some("soundfont"), true) => soundfont::run(),
        (Some("bench-peers"), _) => bench_peers::run(&rest),
        (Some("help" | "--help" | "-h"), _) => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's `Cargo.toml`.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("crates/xtask stands two folders below the root").to_owned()
}

/// `cargo` with words that have no blanks in them, in [`root`].
fn cargo(arguments: &str) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args(arguments.split(' '));
    command
}

/// Runs `command`, whose failure is an error.
fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status().with_context(|| format!("cannot run {name}"))?.success() {
        true => Ok(()),
        false => bail!("this failed (its message is above)"),
    }
}
