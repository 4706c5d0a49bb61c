use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use kmidi_jsonl::Reader;
use serde::de::DeserializeOwned;

use crate::record::MAX_RECORD_BYTES;

/// What is read at once where one record is wanted.
const ONE_RECORD_BYTES: usize = 4096;

/// Bytes of a file from a place to a place, whatever else is done with the file meanwhile.
pub(crate) struct Section {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Section {
    pub fn new(file: Arc<File>, start: u64, end: u64) -> Self {
        Section { file, at: start, end }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let bytes = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}

/// What is on the line that begins there: a record, or what else was asked for, if it is that.
pub(crate) fn value_at<T: DeserializeOwned>(file: &Arc<File>, start: u64, end: u64) -> io::Result<Option<T>> {
    let end = end.min(start.saturating_add(MAX_RECORD_BYTES as u64 + 1));
    let section = Section::new(file.clone(), start, end);
    let first = Reader::with_capacity(ONE_RECORD_BYTES, section).next().transpose()?;
    Ok(first.filter(|it| it.line == 1).map(|it| it.value))
}
