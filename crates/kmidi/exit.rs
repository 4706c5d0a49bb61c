//! How the program ends; the table in the help text is the user's copy of this.

use std::fmt;

/// Something could not be read: exit code 2, where any other error is 1.
#[derive(Debug)]
pub struct Unreadable(pub anyhow::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// The user ended what was not done: exit code 130, as shells have it for Ctrl-C.
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// An error and what caused it, in one line, each thing said once.
pub fn describe(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += &format!(": {cause}");
        }
    }
    text
}

pub const UNREADABLE: u8 = 2;

/// The exit code of an error.
pub fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Unreadable>() {
        UNREADABLE
    } else if error.is::<Interrupted>() {
        130
    } else {
        1
    }
}

/// Stack of a thread that does little: what threads may use counts against a limit on the program's memory.
pub const SMALL_STACK_BYTES: usize = 256 << 10;

/// Has writes beyond the limit on the size of files (`ulimit -f`) fail as those on a full disk do, and be told, where the
/// system would end the program without a word.
pub fn outlive_file_limits() -> std::io::Result<()> {
    // A handler, not the word to ignore it: programs that are started from here get back what is usual.
    let unread = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, unread)?;
    Ok(())
}

/// Calls `told` when the user (or the system) wants the program to end.
pub fn on_signals(told: impl Fn() + Send + 'static) -> std::io::Result<()> {
    on_each_signal(move |_| told())
}

/// Calls `told` with each signal by which a user (or the system) speaks to the program.
pub fn on_each_signal(told: impl Fn(i32) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new()
        .name("kmidi-signals".into())
        .stack_size(SMALL_STACK_BYTES)
        .spawn(move || signals.forever().for_each(told))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let cause = || anyhow!("no such file");
        assert_eq!(describe(&cause().context("a.mid: no such file")), "a.mid: no such file");
        let unreadable = Unreadable(Err::<(), _>(cause()).context("a.mid").unwrap_err());
        assert_eq!(describe(&unreadable.into()), "a.mid: no such file");
    }
}
