//! KmiDi: plays and renders MIDI files. A client of [`kmidi_session`]: it reads the command line,
//! shows what happens, and says how it ended.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod exit;
mod output;
mod screens;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, Command};
use crate::exit::Unreadable;

fn main() -> ExitCode {
    match parse().and_then(run) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kmidi: {}", exit::describe(&error));
            exit::code(&error)
        }
    }
}

/// Reads the command line, the environment and the configuration file; leaves by itself after a
/// usage error, `--help` and `--version`.
fn parse() -> Result<Cli> {
    let mut command = config::with_environment(Cli::command());
    if let Some((path, file)) = config::read_file().map_err(Unreadable)? {
        let attached = config::with_file(command, &file);
        command = attached.with_context(|| path.display().to_string()).map_err(Unreadable)?;
    }
    let matches = command.get_matches_mut();
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit()))
}

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Play(args) => return commands::play::run(args),
        Command::Render(args) => return commands::render::run(args),
        Command::Info(args) => commands::info::run(args)?,
        Command::Doctor(args) => return commands::doctor::run(args),
        Command::Completions { shell } => commands::generate::completions(shell)?,
        Command::Man { command } => commands::generate::manual(command.as_deref())?,
        Command::Devices(args) => commands::devices::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}
