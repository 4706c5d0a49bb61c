//! Lines of any file of JSON Lines, written on as they are.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use kmidi_jsonl::{BadLine, Reader};
use serde::de::IgnoredAny;

use crate::error::TraceError;
use crate::log::is_file;
use crate::section::Section;

/// What was written on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Lines that are JSON, of up to 64 MiB each.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lines that are not, which were left out.
    pub bad_lines: u64,
    /// The first of those.
    pub first_bad_lines: Vec<BadLine>,
}

/// Writes every line of a file that is JSON of any kind, byte for byte, in constant memory whatever its length. Each line is
/// read twice: it is known to be good only at its end.
///
/// # Errors
/// [`TraceError::Read`] and [`TraceError::NoFile`] of the file; [`TraceError::Output`] of where it is written to.
pub fn copy_lines(path: &Path, to: &mut impl Write) -> Result<Copied, TraceError> {
    let read = |source| TraceError::Read { path: path.to_owned(), source };
    match path.metadata() {
        Ok(found) if !found.is_file() => return Err(TraceError::NoFile { path: path.to_owned() }),
        _ => {}
    }
    let file = Arc::new(File::open(path).map_err(read)?);
    is_file(&file, path)?;
    let end = file.metadata().map_err(read)?.len();
    let mut reader = Reader::<_, IgnoredAny>::new(Section::new(file.clone(), 0, end));
    let mut copied = Copied::default();
    while let Some(line) = reader.next() {
        let line = line.map_err(read)?;
        let mut section = Section::new(file.clone(), line.offset, reader.offset());
        copied.bytes += io::copy(&mut section, to).map_err(TraceError::Output)?;
        copied.lines += 1;
    }
    (copied.bad_lines, copied.first_bad_lines) = (reader.bad_lines(), reader.first_bad_lines().to_vec());
    to.flush().map_err(TraceError::Output)?;
    Ok(copied)
}
