//! Files by what they contain, read at any offset without being mapped: a file that shrinks while
//! it plays gives a short read, where a mapping would give a signal.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name that stands for standard input.
pub const STDIN: &str = "-";

/// Longest song read from standard input, in bytes: it is kept in a temporary file.
const MAX_SPOOL_BYTES: u64 = 4 << 30;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// A Standard MIDI File, plain or in an RIFF wrapper.
    Song,
    /// A SoundFont 2 or 3.
    SoundFont,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be opened or read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It is empty.
    #[error("{}: the file is empty", .0.display())]
    Empty(PathBuf),
    /// It is neither a song nor a SoundFont.
    #[error("{}: neither a MIDI file (MThd, RIFF RMID) nor a SoundFont (RIFF sfbk)", .0.display())]
    Unknown(PathBuf),
}

impl InputError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| InputError::Io { path, source }
    }
}

/// A file that is read at offsets by several threads at once.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
    path: PathBuf,
}

impl FileSource {
    /// Opens a file, or spools standard input for the name `-`.
    ///
    /// # Errors
    /// It cannot be opened or read, or is empty.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let file = if path == Path::new(STDIN) { spool(&mut io::stdin().lock()) } else { File::open(path) };
        let file = file.map_err(InputError::io(path))?;
        let metadata = file.metadata().map_err(InputError::io(path))?;
        if metadata.is_dir() {
            return Err(InputError::io(path)(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        // A pipe or a device has no length and no offsets: it is spooled like standard input.
        let file = if metadata.is_file() { file } else { spool(&mut &file).map_err(InputError::io(path))? };
        let len = file.metadata().map_err(InputError::io(path))?.len();
        if len == 0 {
            return Err(InputError::Empty(path.to_path_buf()));
        }
        Ok(FileSource { file, len, path: path.to_path_buf() })
    }

    /// The name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub fn len_bytes(&self) -> u64 {
        self.len
    }

    /// Reads at `offset`; 0 at the end of the file.
    ///
    /// # Errors
    /// Of the system.
    pub fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        read_at(&self.file, offset, bytes)
    }

    /// What the file is, by its content alone.
    ///
    /// # Errors
    /// [`InputError::Unknown`], or it cannot be read.
    pub fn kind(&self) -> Result<InputKind, InputError> {
        let mut head = [0; 64];
        let len = self.read_at(0, &mut head).map_err(InputError::io(&self.path))?;
        kind_of(&head[..len]).ok_or_else(|| InputError::Unknown(self.path.clone()))
    }
}

impl kmidi_song::ByteSource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileSource::read_at(self, offset, bytes)
    }
}

impl kmidi_soundfont::SampleSource for FileSource {
    /// As it is now: a file that has shrunk since it was opened is an error there.
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileSource::read_at(self, offset, bytes)
    }
}

/// Reads at `offset`, wherever other readers of the file are; 0 at its end.
pub(crate) fn read_at(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_at(file, bytes, offset);
    #[cfg(windows)]
    return std::os::windows::fs::FileExt::seek_read(file, bytes, offset);
}

fn kind_of(head: &[u8]) -> Option<InputKind> {
    match (head.get(..4)?, head.get(8..12)) {
        (b"RIFF", Some(b"sfbk")) => Some(InputKind::SoundFont),
        (b"RIFF", Some(b"RMID")) => Some(InputKind::Song),
        // Old Macintosh files carry a header of their own before the song.
        _ => head.windows(4).any(|w| w == b"MThd").then_some(InputKind::Song),
    }
}

fn spool(input: &mut dyn Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let copied = io::copy(&mut input.take(MAX_SPOOL_BYTES + 1), &mut file)?;
    if copied > MAX_SPOOL_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 GiB"));
    }
    file.flush()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// An output would replace what it is made from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: this file is the input: choose another output", path.display())]
pub struct OverInput {
    /// The file.
    pub path: PathBuf,
}

/// Refuses an output that is one of the inputs, under whatever name; [`STDIN`] is the file that standard input comes from.
///
/// # Errors
/// [`OverInput`].
pub fn check_output<'a>(
    output: &Path,
    mut inputs: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), OverInput> {
    let is_same = |input: &PathBuf| match input.as_os_str() == STDIN {
        true => Ok(same_file::Handle::stdin()? == same_file::Handle::from_path(output)?),
        false => same_file::is_same_file(input, output),
    };
    match inputs.any(|input: &PathBuf| is_same(input).unwrap_or(false)) {
        true => Err(OverInput { path: output.to_owned() }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_content_not_by_name() {
        assert_eq!(kind_of(b"MThd\0\0\0\x06"), Some(InputKind::Song));
        assert_eq!(kind_of(b"RIFF\x10\0\0\0RMIDdata"), Some(InputKind::Song));
        assert_eq!(kind_of(b"RIFF\x10\0\0\0sfbkLIST"), Some(InputKind::SoundFont));
        for other in [&b"RIFF\x10\0\0\0WAVEfmt "[..], b"RIF", b"", b"#!/bin/sh\n", b"sfbk"] {
            assert_eq!(kind_of(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_spooled_pipe_reads_at_any_offset() {
        let bytes: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let file = spool(&mut &bytes[..]).unwrap();
        let source = FileSource { file, len: 100_000, path: STDIN.into() };
        let mut part = [0; 100];
        for offset in [99_950, 0, 5_000] {
            let read = source.read_at(offset, &mut part).unwrap();
            assert_eq!(part[..read], bytes[offset as usize..][..read]);
        }
        assert_eq!(source.read_at(100_000, &mut part).unwrap(), 0);
    }

    #[test]
    fn unusable_files_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.mid");
        std::fs::write(&empty, b"").unwrap();
        let text = folder.path().join("text.mid");
        std::fs::write(&text, b"hello").unwrap();
        let error = |path: &Path| match FileSource::open(path) {
            Err(e) => e.to_string(),
            Ok(source) => source.kind().unwrap_err().to_string(),
        };
        assert!(error(&empty).ends_with("empty.mid: the file is empty"));
        assert!(error(&text).contains("neither a MIDI file"));
        assert!(error(folder.path()).contains("directory"));
        assert!(error(&folder.path().join("none.mid")).contains("No such file"));
    }
}
