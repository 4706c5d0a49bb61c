//! What is made from the command line's own description: completions and manual pages.

use anyhow::Result;
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::config;
use crate::exit::Unreadable;
use crate::output::print;

pub fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut full(), "kmidi", &mut text);
    print(&text)
}

pub fn manual(of: Option<&str>) -> Result<()> {
    let mut program = full();
    program.build();
    let command = match of {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name);
            found.cloned().ok_or_else(|| Unreadable(anyhow::anyhow!("no command is called {name}")))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command).render(&mut text)?;
    print(&text)
}

/// With the environment's names, without the user's own configuration.
fn full() -> Command {
    config::with_environment(Cli::command())
}
