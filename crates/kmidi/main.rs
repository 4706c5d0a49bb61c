//! KmiDi: plays and renders MIDI files. A client of [`kmidi_session`]: it reads the command line,
//! shows what happens, and says how it ended.
#![forbid(unsafe_code)]

// First, so that its macros stand in for the standard ones in all modules behind it.
#[macro_use]
mod output;

mod cache_flag;
mod chain_flag;
mod cli;
mod commands;
mod config;
mod control;
mod exit;
mod font_flag;
mod memory;
mod models_flag;
mod needs;
mod opinion_flag;
mod rack_flag;
mod screens;
mod song_output;
mod trace_flag;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, Command};
use crate::exit::Unreadable;
use crate::trace_flag::Entry;

#[global_allocator]
static HEAP: kmidi_memory::Heap = kmidi_memory::Heap::new();

/// What can be done where a plugin has ended the program.
const AFTER_A_CRASH: &str = "If that is a plugin, `kmidi certify` shows what it does; a rack has all its changes when it is started again";

fn main() -> ExitCode {
    kmidi_session::plugins::hide_the_screen_from_plugins();
    kmidi_memory::charge_panics_to_the_program();
    kmidi_sys::name_who_crashes(AFTER_A_CRASH);
    // Read on side B, if ever: not to be held in memory for the callback's sake.
    let seldom_read = kmidi_ml::model::built_in_files().chain([kmidi_session::BUILT_IN_SOUND_FONT]);
    seldom_read.for_each(kmidi_sys::leave_unmapped);
    // Without it all but one thing is the same.
    let _ = exit::outlive_file_limits();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return fail(&error, asks_for_json(&arguments)),
    };
    let json = cli.command.wants_json();
    run(cli).unwrap_or_else(|error| fail(&error, json))
}

/// Says what went wrong, in JSON too if that was asked for.
fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let text = exit::describe(error);
    eprintln!("kmidi: {text}");
    let code = exit::code(error);
    if json {
        // A reader that is gone has been told on stderr.
        let _ = output::print_json(&serde_json::json!({ "error": text, "exit_code": code }));
    }
    ExitCode::from(code)
}

/// Reads the command line, the environment and the configuration file; leaves by itself after a
/// usage error, `--help` and `--version`.
fn parse(arguments: &[OsString]) -> Result<Cli> {
    let mut command = config::with_environment(Cli::command());
    let mut file_path = None;
    if let Some((path, file)) = config::read_file().map_err(Unreadable)? {
        let attached = config::with_file(command, &file);
        command = attached.with_context(|| path.display().to_string()).map_err(Unreadable)?;
        file_path = Some(path);
    }
    let matches = command.try_get_matches_from_mut(arguments);
    let matches = matches.and_then(|matches| needs::check(&mut command, matches));
    let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    Ok(parsed.unwrap_or_else(|error| {
        let origin = config::origin(&command, arguments, &error, file_path.as_deref());
        // Nobody can be told that nobody can be told.
        let _ = error.print();
        // Help and version are no errors.
        if error.use_stderr() && asks_for_json(arguments) {
            let text = error.to_string();
            // What is wrong, and behind an empty line how to use it.
            let wrong = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
            let wrong = wrong.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let _ =
                output::print_json(&serde_json::json!({ "error": wrong, "exit_code": error.exit_code() }));
        }
        if let Some(origin) = origin {
            eprintln!("\nThis value was not typed: it comes from {origin}.");
        }
        std::process::exit(error.exit_code())
    }))
}

/// Of a command line that could not be read as a whole.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "--json")
}

fn run(cli: Cli) -> Result<ExitCode> {
    let mut entry = Entry::begin(&cli.command);
    let result = obey(cli.command, &mut entry);
    entry.end(&result);
    result
}

fn obey(command: Command, entry: &mut Entry) -> Result<ExitCode> {
    match command {
        Command::Play(args) => return commands::play::run(args, entry),
        Command::Run(args) => return commands::run::run(args),
        Command::Render(args) => return commands::render::run(args, entry),
        Command::Info(args) => commands::info::run(args)?,
        Command::Doctor(args) => return commands::doctor::run(args),
        Command::Completions { shell } => commands::generate::completions(shell)?,
        Command::Man { command } => commands::generate::manual(command.as_deref())?,
        Command::Serve(args) => commands::serve::run(args)?,
        Command::Devices(args) => commands::devices::run(args)?,
        Command::Fx(args) => return commands::fx::run(args),
        Command::Plugin(args) => return commands::plugin::run(args),
        Command::Certify(args) => return commands::certify::run(args),
        Command::Mem(args) => return commands::mem::run(args),
        Command::Therapy(args) => return commands::therapy::run(*args, entry),
        Command::Emotions(args) => commands::emotions::run(args)?,
        Command::Teach(args) => commands::teach::run(args)?,
        Command::Groove(args) => return commands::groove::run(args),
        Command::Analyze(args) => commands::analyze::run(args)?,
        Command::Phonemes(args) => return commands::phonemes::run(*args, entry),
        Command::Transcribe(args) => return commands::transcribe::run(*args, entry),
        Command::Diagnose(args) => commands::diagnose::run(args)?,
        Command::Reharm(args) => commands::reharm::run(args)?,
        Command::Intent(args) => return commands::intent::run(args, entry),
        Command::Models(args) => return commands::models::run(args),
        Command::Index(args) => commands::index::run(args, entry)?,
        Command::Search(args) => commands::search::run(*args)?,
        Command::Soak(args) => return commands::soak::run(args),
        Command::Trace(args) => return commands::trace::run(*args),
        Command::Cache(args) => commands::cache::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
