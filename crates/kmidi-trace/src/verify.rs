//! Whether every line of a log is as it has to be.

use kmidi_jsonl::BadLine;

use crate::error::TraceError;
use crate::log::TraceLog;
use crate::query::Filter;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Lines that are right.
    pub records: u64,
    /// Lines that are not.
    pub bad_lines: u64,
    /// The first of those, with their numbers and reasons.
    pub first_bad_lines: Vec<BadLine>,
    /// Bytes of the file, without a torn last line.
    pub bytes: u64,
    /// Bytes of a torn last line: a program was killed, or the system went down, while it was written. The next append takes
    /// it away.
    pub torn_bytes: u64,
}

impl Verdict {
    /// Whether all is well.
    pub fn is_sound(&self) -> bool {
        self.bad_lines == 0 && self.torn_bytes == 0
    }
}

impl TraceLog {
    /// Checks every line against the schema. `tell` is given the part that has been read, 0 to 1.
    ///
    /// # Errors
    /// As [`TraceLog::query`]: what is wrong with lines is no error.
    pub fn verify(&self, mut tell: impl FnMut(f64)) -> Result<Verdict, TraceError> {
        let mut query = self.query(Filter::default())?;
        let mut records = 0u64;
        while let Some(found) = query.next() {
            found?;
            records += 1;
            if records.is_multiple_of(1024) {
                tell(query.bytes_read() as f64 / query.bytes() as f64);
            }
        }
        Ok(Verdict {
            records,
            bad_lines: query.bad_lines(),
            first_bad_lines: query.first_bad_lines().to_vec(),
            bytes: query.bytes(),
            torn_bytes: query.torn_bytes(),
        })
    }
}
