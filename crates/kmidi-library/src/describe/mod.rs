//! What a file is found by: from what it says of itself, and from what analysis hears.

mod audio;
mod gm;
mod midi;
mod names;
mod plugins;
mod sound_font;
mod spectrum;
mod tags;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kmidi_memory::{JobContext, JobError};

use crate::Item;

pub(crate) use plugins::plugin_files;

/// Longest text of an item, in bytes.
const MAX_TEXT_BYTES: usize = 2000;

/// Why nothing is found in a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    #[error(transparent)]
    Job(#[from] JobError),
    /// It cannot be read; others can.
    #[error("{0}")]
    Damaged(String),
}

impl DescribeError {
    fn damaged(error: impl std::fmt::Display) -> Self {
        DescribeError::Damaged(error.to_string())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Audio,
    Midi,
    SoundFont,
}

/// What a file is by its ending.
fn kind_of(path: &Path) -> Option<FileKind> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "wav" | "wave" | "flac" | "mp3" | "ogg" | "oga" => FileKind::Audio,
        "mid" | "midi" | "smf" | "kar" | "rmi" => FileKind::Midi,
        "sf2" | "sf3" => FileKind::SoundFont,
        _ => return None,
    })
}

/// Whether a file is one of those that can be found.
pub(crate) fn is_wanted(path: &Path) -> bool {
    kind_of(path).is_some()
}

/// What can be found in a file.
pub(crate) fn describe(path: &Path, job: &JobContext) -> Result<Vec<Item>, DescribeError> {
    let mut items = match kind_of(path) {
        Some(FileKind::Audio) => vec![audio::describe(path, job)?],
        Some(FileKind::Midi) => vec![midi::describe(path, job)?],
        Some(FileKind::SoundFont) => sound_font::describe(Source::open(path)?)?,
        None => return Ok(vec![]),
    };
    items.iter_mut().for_each(|item| tidy(&mut item.text));
    Ok(items)
}

/// What can be found in a SoundFont that is no file.
pub(crate) fn describe_sound_font(bytes: &'static [u8]) -> Result<Vec<Item>, DescribeError> {
    let mut items = sound_font::describe(bytes)?;
    items.iter_mut().for_each(|item| tidy(&mut item.text));
    Ok(items)
}

/// One line of limited length.
fn tidy(text: &mut String) {
    let mut line = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|it| !it.is_empty()) {
        if line.len() + 1 + word.len() > MAX_TEXT_BYTES {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    *text = line;
}

/// A file that is read at any place.
struct Source {
    file: File,
    len: u64,
}

impl Source {
    fn open(path: &Path) -> Result<Self, DescribeError> {
        let file = File::open(path).map_err(DescribeError::damaged)?;
        let len = file.metadata().map_err(DescribeError::damaged)?.len();
        Ok(Source { file, len })
    }
}

impl kmidi_song::ByteSource for Source {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.file, bytes, offset)
    }
}

impl kmidi_soundfont::SampleSource for Source {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.file, bytes, offset)
    }
}

/// How a tempo feels.
fn tempo_words(bpm: f32) -> &'static str {
    match bpm {
        ..76.0 => "slow",
        140.0.. => "fast",
        _ => "mid-tempo",
    }
}
