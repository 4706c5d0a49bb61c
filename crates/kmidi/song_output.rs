//! Where a song goes that a command makes: into a file, or through standard output to the next program.

use std::fs::{File, Permissions};
use std::io::{self, IsTerminal, Seek, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use kmidi_session::{STDIN, check_output};

use crate::exit::Unreadable;
use crate::output::print;

/// Endings of files that sound.
const SOUNDS: [&str; 8] = ["wav", "flac", "mp3", "ogg", "opus", "aif", "aiff", "m4a"];

/// Where a song goes. `[side B]`
#[derive(Clone, Debug)]
pub enum SongOutput {
    /// Into this file, which appears when it is complete.
    File(PathBuf),
    /// To the next program of a pipe.
    Pipe,
}

impl SongOutput {
    /// What was typed behind `--output`; `inputs` are the files that the song is made of, `json` whether standard output has an object.
    ///
    /// # Errors
    /// Nothing could be written there, or not what the name says; with the next step.
    pub fn new<'a>(path: &Path, inputs: impl Iterator<Item = &'a PathBuf>, json: bool) -> Result<Self> {
        let refused = |text: String| Err(Unreadable(anyhow!(text)).into());
        if path.as_os_str() == STDIN {
            return match (json, stdout().is_terminal()) {
                (true, _) => refused(
                    "-o - and --json both need standard output: name a file, or leave one of them out".into(),
                ),
                (false, true) => refused(
                    "-o -: a terminal shows no songs: name a file, or pipe it (.. -o - | kmidi play -)"
                        .into(),
                ),
                (false, false) => Ok(Self::Pipe),
            };
        }
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if SOUNDS.iter().any(|it| it.eq_ignore_ascii_case(ending)) {
            let (wanted, song) = (path.display(), path.with_extension("mid"));
            return refused(format!(
                "{wanted}: this is no name for a MIDI file, which is what is written: -o {0}, then kmidi render {0} -o {wanted}",
                song.display()
            ));
        }
        check_output(path, inputs).map_err(|error| Unreadable(error.into()))?;
        Ok(Self::File(path.to_owned()))
    }

    /// Whether standard output has the song, so that everything else goes to stderr.
    pub fn is_pipe(&self) -> bool {
        matches!(self, Self::Pipe)
    }

    /// Its name, for messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Pipe => "standard output".to_owned(),
        }
    }

    /// Writes a song that is there as a whole.
    pub fn write(&self, song: &[u8]) -> Result<()> {
        self.write_with(|file| Ok(file.write_all(song)?))
    }

    /// Writes what `work` writes: all of it, or nothing.
    pub fn write_with<T>(&self, work: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
        match self {
            Self::File(path) => into_file(path, work),
            Self::Pipe => {
                let mut file = tempfile::tempfile().context("no temporary file")?;
                let done = work(&mut file)?;
                file.rewind()?;
                match io::copy(&mut file, &mut stdout().lock()) {
                    // A reader that has heard enough is no error.
                    Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
                    _ => Ok(done),
                }
            }
        }
    }
}

/// Prints a report: on standard output, or on stderr if a song has that.
pub fn report(output: Option<&SongOutput>, text: &str) -> Result<()> {
    match output {
        Some(SongOutput::Pipe) => {
            eprint!("{text}");
            Ok(())
        }
        _ => print(text.as_bytes()),
    }
}

fn into_file<T>(path: &Path, work: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let told = || path.display().to_string();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(anyhow!("there is no folder {}; make it first", folder.display()).context(told()));
    }
    if path.is_dir() {
        return Err(anyhow!("this is a folder").context(told()));
    }
    // As other files are: others may read it.
    let readable: Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(folder).with_context(told)?;
    let done = work(file.as_file_mut())?;
    file.as_file().sync_all().with_context(told)?;
    file.persist(path).with_context(told)?;
    Ok(done)
}
