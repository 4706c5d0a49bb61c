//! Songs that are inside the program, as files.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::control;

static DEMO: &[u8] = include_bytes!("../../../../assets/midi/freedoom-e1m1.mid");

/// One track with one long rest: its end comes after an hour.
static SILENCE: &[u8] = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x06\xaa\x98\x00\xff\x2f\x00";

/// A song to work with: the user's, or one of the program's own for as long as this is kept.
pub struct Song {
    path: PathBuf,
    is_ours: bool,
}

impl Song {
    pub fn or_demo(file: Option<&Path>) -> Result<Self> {
        match file {
            Some(file) => Ok(Song { path: file.to_owned(), is_ours: false }),
            None => Self::write("demo.mid", DEMO),
        }
    }

    /// Without a note.
    pub fn silence() -> Result<Self> {
        Self::write("silence.mid", SILENCE)
    }

    fn write(name: &str, bytes: &[u8]) -> Result<Self> {
        let path = control::folder()?.join(format!("{}-{name}", std::process::id()));
        let shown = || path.display().to_string();
        // One that a process of this number has left behind.
        let _ = fs::remove_file(&path);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).with_context(shown)?;
        file.write_all(bytes).with_context(shown)?;
        Ok(Song { path, is_ours: true })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Song {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}
