//! Walks the chunks of a RIFF file without believing their lengths.

use std::io;

use super::SampleSource;
use super::warning::{WarningKind, Warnings};

/// Chunks looked at in one list.
const MAX_CHUNKS: usize = 1024;

/// Identifier of a chunk or list.
pub(super) type Id = [u8; 4];

/// A chunk's identifier and where its data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub id: Id,
    pub offset: u64,
    pub length: u64,
    /// Length that its header states, if the data is shorter.
    pub stated: u64,
}

/// How an identifier is shown.
pub(super) fn name(id: Id) -> String {
    id.escape_ascii().to_string()
}

/// The chunks between two offsets.
pub(super) fn chunks(
    source: &dyn SampleSource,
    mut offset: u64,
    end: u64,
    list: &str,
    warnings: &mut Warnings,
) -> io::Result<Vec<Chunk>> {
    let mut chunks = Vec::new();
    // A last header that is cut off says nothing.
    while end.saturating_sub(offset) >= 8 {
        if chunks.len() == MAX_CHUNKS {
            warnings.push(list, WarningKind::TooManyChunks);
            break;
        }
        let mut header = [0; 8];
        source.read_exact_at(offset, &mut header)?;
        let [a, b, c, d, length @ ..] = header;
        let (id, stated) = ([a, b, c, d], u64::from(u32::from_le_bytes(length)));
        let offset_of_data = offset + 8;
        let length = stated.min(end - offset_of_data);
        if length < stated {
            warnings.push(name(id), WarningKind::ChunkCut);
        }
        chunks.push(Chunk { id, offset: offset_of_data, length, stated });
        offset = offset_of_data + stated;
        if stated % 2 == 1 && offset < end {
            // Chunks begin at even places: a zero that the length does not count comes between.
            // Some programs leave it out, and their next chunk begins at once.
            let mut pad = [0];
            source.read_exact_at(offset, &mut pad)?;
            offset += u64::from(pad == [0]);
        }
    }
    Ok(chunks)
}

/// The chunk of this identifier.
pub(super) fn first_of<'a>(
    chunks: impl Iterator<Item = &'a Chunk>,
    id: Id,
    warnings: &mut Warnings,
) -> Option<Chunk> {
    let mut of_id = chunks.filter(|chunk| chunk.id == id);
    let first = of_id.next().copied();
    if of_id.next().is_some() {
        warnings.push(name(id), WarningKind::ChunkTwice);
    }
    first
}
