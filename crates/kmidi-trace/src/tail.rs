//! How a file ends: a program that was killed may have left half a line.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::record::{MAX_RECORD_BYTES, Record};

const BLOCK_BYTES: u64 = 64 << 10;

/// The end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Its last line has its newline, or there is no line.
    Ended,
    /// Its last line is a record without its newline.
    Unended,
    /// Its last line is a part of a record, from this byte on.
    Torn(u64),
    /// Its last line has no newline, and is nothing that was ever written here.
    Foreign,
}

/// Looks at the end of the first `length` bytes.
pub(crate) fn look(file: &File, length: u64) -> io::Result<Tail> {
    let start = match line_start(file, length, MAX_RECORD_BYTES as u64)? {
        Some(start) if start == length => return Ok(Tail::Ended),
        Some(start) => start,
        None => return Ok(Tail::Foreign),
    };
    let mut line = vec![0; (length - start) as usize];
    file.read_exact_at(&mut line, start)?;
    let compared = line.len().min(Record::START.len());
    Ok(if serde_json::from_slice::<Record>(&line).is_ok() {
        Tail::Unended
    } else if line[..compared] == Record::START[..compared] {
        Tail::Torn(start)
    } else {
        Tail::Foreign
    })
}

/// Where the line begins that `end` is in or behind: after the last newline before `end`. None if that is more than
/// `most_bytes` away.
pub(crate) fn line_start(file: &File, end: u64, most_bytes: u64) -> io::Result<Option<u64>> {
    let mut block = vec![0; BLOCK_BYTES.min(end) as usize];
    let mut at = end;
    while at > 0 && end - at <= most_bytes {
        let bytes = BLOCK_BYTES.min(at);
        let block = &mut block[..bytes as usize];
        at -= bytes;
        file.read_exact_at(block, at)?;
        if let Some(newline) = block.iter().rposition(|&byte| byte == b'\n') {
            let start = at + newline as u64 + 1;
            return Ok((end - start <= most_bytes).then_some(start));
        }
    }
    Ok((at == 0 && end <= most_bytes).then_some(0))
}
