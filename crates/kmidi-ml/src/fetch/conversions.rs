//! What makes a model's files of those of its package, by the name that the catalogue has for it.

use std::path::Path;

use kmidi_memory::JobContext;

use crate::convert;

/// Why a model's files cannot be made.
pub type ConversionError = Box<dyn std::error::Error + Send + Sync>;

/// Reads a package's file and writes the files that the catalogue names into a folder; always the same ones, to the byte:
/// they are compared with the catalogue's SHA-256. It tells how many bytes it has read, and of how many.
type Convert = fn(&Path, &Path, &JobContext, &mut dyn FnMut(u64, u64)) -> Result<(), ConversionError>;

/// A conversion.
pub(super) struct Conversion {
    /// The name that the catalogue has for it.
    pub name: &'static str,
    /// What it takes of memory at most.
    pub bytes: u64,
    pub run: Convert,
}

/// All there are.
static ALL: [Conversion; 2] = [
    Conversion { name: "minilm", bytes: convert::MINILM_BYTES, run: minilm },
    Conversion { name: "piano", bytes: convert::PIANO_BYTES, run: piano },
];

fn minilm(
    package: &Path,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConversionError> {
    Ok(convert::minilm(package, folder, job, progress)?)
}

fn piano(
    package: &Path,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConversionError> {
    Ok(convert::piano(package, folder, job, progress)?)
}

pub(super) fn named(name: &str) -> Option<&'static Conversion> {
    ALL.iter().find(|it| it.name == name)
}
