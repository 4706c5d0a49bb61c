//! The end of a log, found from behind.

use std::io;

use crate::log::Moment;
use crate::record::{MAX_RECORD_BYTES, Record};
use crate::section::value_at;
use crate::tail::line_start;

/// Where the last `count` records begin; the start of the file where there are not as many.
pub(crate) fn start(moment: &Moment, count: u64) -> io::Result<u64> {
    let (mut start, mut seen) = (moment.bytes, 0);
    while seen < count && start > 0 {
        // The newline before a line ends the one before that.
        let end = if is_newline(moment, start - 1)? { start - 1 } else { start };
        start = match line_start(&moment.file, end, MAX_RECORD_BYTES as u64)? {
            Some(start) => start,
            // No record is so long.
            None => far_line_start(moment, end)?,
        };
        seen += u64::from(value_at::<Record>(&moment.file, start, moment.bytes)?.is_some());
    }
    Ok(start)
}

fn is_newline(moment: &Moment, at: u64) -> io::Result<bool> {
    let mut byte = [0];
    std::os::unix::fs::FileExt::read_exact_at(&*moment.file, &mut byte, at)?;
    Ok(byte == *b"\n")
}

fn far_line_start(moment: &Moment, end: u64) -> io::Result<u64> {
    Ok(line_start(&moment.file, end, u64::MAX)?.unwrap_or(0))
}
