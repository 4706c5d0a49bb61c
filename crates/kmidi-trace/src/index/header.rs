use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::table::PAGE_BYTES;
use super::{checksum_of, read_page};
use crate::log::Moment;

pub(super) const MAGIC: [u8; 8] = *b"KMTRIDX1";
/// Bytes of the log by which it is known again, at its start and at its end.
const COMPARED_BYTES: u64 = 4096;
/// Its six numbers.
const BYTES: usize = MAGIC.len() + 6 * 8;

/// The first page: what the index covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Of the table; a power of two.
    pub pages: u64,
    /// Lines of the log that are in it.
    pub entries: u64,
    /// Up to here the log has been read.
    pub log_bytes: u64,
    /// Which file it was.
    inode: u64,
    start_checksum: u32,
    end_checksum: u32,
}

impl Header {
    /// Of an index that covers nothing yet.
    pub fn empty(pages: u64, log: &Moment) -> io::Result<Self> {
        let mut header =
            Header { pages, entries: 0, log_bytes: 0, inode: 0, start_checksum: 0, end_checksum: 0 };
        header.mark(log, 0)?;
        Ok(header)
    }

    /// Covers all of the log.
    pub fn cover(&mut self, log: &Moment) -> io::Result<()> {
        self.mark(log, log.bytes)
    }

    fn mark(&mut self, log: &Moment, bytes: u64) -> io::Result<()> {
        self.log_bytes = bytes;
        self.inode = log.inode;
        self.start_checksum = checksum_of(&log.file, 0, COMPARED_BYTES.min(bytes))?;
        self.end_checksum = checksum_of(&log.file, bytes.saturating_sub(COMPARED_BYTES), bytes)?;
        Ok(())
    }

    /// Whether this log only grew since.
    pub fn fits(&self, log: &Moment) -> bool {
        let mut now = self.clone();
        self.log_bytes <= log.bytes && now.mark(log, self.log_bytes).is_ok() && now == *self
    }

    /// None where it is damaged.
    pub fn read(file: &File) -> io::Result<Option<Self>> {
        let Some(page) = read_page(file, 0)? else { return Ok(None) };
        let (used, rest) = page.split_at(BYTES);
        let number = |index: usize| {
            let at = MAGIC.len() + index * 8;
            u64::from_le_bytes(used[at..at + 8].try_into().expect("eight bytes"))
        };
        let checksums = number(4);
        let header = Header {
            pages: number(0),
            entries: number(1),
            log_bytes: number(2),
            inode: number(3),
            start_checksum: checksums as u32,
            end_checksum: (checksums >> 32) as u32,
        };
        let own = u64::from(crc32fast::hash(&used[..BYTES - 8]));
        let is_whole = used.starts_with(&MAGIC) && number(5) == own && rest.iter().all(|byte| *byte == 0);
        Ok((is_whole && header.pages.is_power_of_two()).then_some(header))
    }

    pub fn write(&self, file: &File) -> io::Result<()> {
        let checksums = u64::from(self.start_checksum) | u64::from(self.end_checksum) << 32;
        let numbers = [self.pages, self.entries, self.log_bytes, self.inode, checksums];
        let mut page = MAGIC.to_vec();
        numbers.iter().for_each(|number| page.extend(number.to_le_bytes()));
        page.extend(u64::from(crc32fast::hash(&page)).to_le_bytes());
        page.resize(PAGE_BYTES, 0);
        file.write_all_at(&page, 0)
    }
}
