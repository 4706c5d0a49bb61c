//! Results on stdout, everything else on stderr.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

/// Prints one JSON object.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(text.as_bytes())
}

/// Writes to stdout; a reader that has seen enough (`| head`) is no error.
pub fn print(text: &[u8]) -> Result<()> {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
