//! `kmidi-probe`: the child process in which foreign code is run that nobody has looked at yet. `kmidi` starts it; there is
//! no need to start it by hand.
//!
//! It counts what that code does: [`hooks`] stand before the functions of libc, [`dispatch`] before the kernel.

mod certify;
mod dispatch;
mod heap;
mod hooks;
mod library;
mod stack;
mod state;
mod symbols;
mod system_calls;
mod table;
mod watch;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use kmidi_host::{Format, PluginId, scan};
use rustix::process::{Signal, set_parent_process_death_signal};

#[global_allocator]
static HEAP: heap::AroundHooks = heap::AroundHooks;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kmidi-probe: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    let run = match command.to_str() {
        Some("describe") => describe,
        Some("certify") => certify::run,
        _ => bail!("kmidi starts this program by itself: kmidi-probe describe|certify FORMAT FILE ..."),
    };
    let format = arguments.next().context("a format is missing")?;
    let format = Format::ALL.into_iter().find(|it| format == it.name()).context("no such format")?;
    let path = PathBuf::from(arguments.next().context("a file is missing")?);
    // Whoever asked is gone: nobody is left to end what hangs.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    run(format, path, &mut arguments, &mut taken_stdout()?)
}

/// `describe FORMAT FILE [ID TO PASS OVER]...`
fn describe(
    format: Format,
    path: PathBuf,
    rest: &mut dyn Iterator<Item = OsString>,
    out: &mut File,
) -> Result<()> {
    let skip = rest.map(|id| plugin_id(&id)).collect::<Result<Vec<PluginId>>>()?;
    scan::describe_for_parent(format, &path, &skip, out)?;
    Ok(())
}

fn plugin_id(text: &OsString) -> Result<PluginId> {
    Ok(text.to_str().context("an id is no UTF-8")?.parse()?)
}

/// The pipe to the parent, where no plugin finds it: what they print goes to stderr.
fn taken_stdout() -> Result<File> {
    let out = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 100)?;
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    Ok(File::from(out))
}
