//! How many voice-samples FluidSynth computes for a song.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::engine::POLYPHONY;

/// A program around libfluidsynth: the `fluidsynth` command does not tell its voices.
pub struct VoiceCounter {
    program: PathBuf,
    soundfont: PathBuf,
}

/// What a song takes.
pub struct Voices {
    /// Voices times frames.
    pub samples: u64,
    /// Most voices at once.
    pub most: u64,
}

impl VoiceCounter {
    /// Compiles the program into `folder`.
    pub fn build(soundfont: &Path, folder: &Path) -> Result<Self> {
        let program = folder.join("voices");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/voices.c");
        let status = Command::new("gcc")
            .args(["-O2", source, "-lfluidsynth", "-o"])
            .arg(&program)
            .status()
            .context("cannot run gcc")?;
        if !status.success() {
            bail!("gcc could not compile {source} (its message is above)");
        }
        Ok(Self { program, soundfont: soundfont.to_owned() })
    }

    /// Counts through one song.
    pub fn count(&self, song: &Path) -> Result<Voices> {
        let polyphony = POLYPHONY.to_string();
        let mut command = Command::new(&self.program);
        command.arg(&self.soundfont).arg(polyphony).arg(song);
        let output = command.output().context("cannot run the voice counter")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map_while(|word| word.parse().ok());
        match (output.status.success(), numbers.next(), numbers.next()) {
            (true, Some(samples), Some(most)) => Ok(Voices { samples, most }),
            _ => bail!("the voice counter failed: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
