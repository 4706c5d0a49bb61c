//! Ids and where their lines begin, in pages. An id's page follows from its bits; where that one is full, the id is in one of
//! the next.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uuid::Uuid;

use super::{Damaged, Read, read_page};

pub(super) const PAGE_BYTES: usize = 4096;
const ENTRY_BYTES: usize = 24;
/// A page begins with its checksum and the number of its entries.
const START_BYTES: usize = 16;
const PAGE_ENTRIES: usize = (PAGE_BYTES - START_BYTES) / ENTRY_BYTES;
/// On average; few pages run over then.
const FULL_ENTRIES: u64 = 136;
const LEAST_PAGES: u64 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub id: Uuid,
    pub offset: u64,
}

/// The pages behind the header.
pub(super) struct Table<'a> {
    file: &'a File,
    pages: u64,
    /// The one that was read last.
    page: Option<Page>,
}

struct Page {
    number: u64,
    entries: Vec<Entry>,
    is_changed: bool,
}

impl<'a> Table<'a> {
    pub fn new(file: &'a File, pages: u64) -> Self {
        Table { file, pages, page: None }
    }

    /// How many pages so many entries want.
    pub fn pages_for(entries: u64) -> u64 {
        (entries / FULL_ENTRIES).max(LEAST_PAGES).next_power_of_two()
    }

    pub fn has_room_for(&self, entries: u64) -> bool {
        entries <= self.pages * FULL_ENTRIES
    }

    /// Writes empty pages.
    pub fn clear(&self) -> io::Result<()> {
        let empty = |number| Page { number, entries: vec![], is_changed: false }.to_bytes();
        (0..self.pages).try_for_each(|number| self.file.write_all_at(&empty(number), place(number)))
    }

    /// Where the first line with this id begins.
    pub fn find(&mut self, id: Uuid) -> Read<Option<u64>> {
        for number in self.way(id) {
            let Ok(page) = self.load(number)? else { return Ok(Err(Damaged)) };
            if let Some(entry) = page.entries.iter().find(|entry| entry.id == id) {
                return Ok(Ok(Some(entry.offset)));
            }
            if page.entries.len() < PAGE_ENTRIES {
                break;
            }
        }
        Ok(Ok(None))
    }

    /// Takes entries in; of those with the same id, the first that comes.
    pub fn insert(&mut self, entries: &mut [Entry]) -> Read<()> {
        // Each page is then read and written once.
        entries.sort_unstable_by_key(|entry| (mixed(entry.id), entry.id, entry.offset));
        for entry in entries {
            if self.insert_one(*entry)?.is_err() {
                return Ok(Err(Damaged));
            }
        }
        self.store()?;
        Ok(Ok(()))
    }

    fn insert_one(&mut self, entry: Entry) -> Read<()> {
        for number in self.way(entry.id) {
            let Ok(page) = self.load(number)? else { return Ok(Err(Damaged)) };
            if page.entries.iter().any(|it| it.id == entry.id) {
                return Ok(Ok(()));
            }
            if page.entries.len() < PAGE_ENTRIES {
                page.entries.push(entry);
                page.is_changed = true;
                return Ok(Ok(()));
            }
        }
        // Every page is full, which the header does not allow.
        Ok(Err(Damaged))
    }

    /// The pages in which an id may be.
    fn way(&self, id: Uuid) -> impl Iterator<Item = u64> + use<> {
        let (pages, first) = (self.pages, mixed(id).checked_shr(64 - self.pages.ilog2()).unwrap_or(0));
        (0..pages).map(move |step| (first + step) % pages)
    }

    fn load(&mut self, number: u64) -> Read<&mut Page> {
        if self.page.as_ref().is_none_or(|page| page.number != number) {
            self.store()?;
            self.page = read_page(self.file, number + 1)?.and_then(|bytes| Page::from_bytes(number, &bytes));
        }
        Ok(self.page.as_mut().ok_or(Damaged))
    }

    /// Writes the page that is held, if it has changed.
    fn store(&mut self) -> io::Result<()> {
        match &mut self.page {
            Some(page) if page.is_changed => {
                self.file.write_all_at(&page.to_bytes(), place(page.number))?;
                page.is_changed = false;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Ids need not be random: their bits are mixed (the finisher of SplitMix64).
fn mixed(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    let mut bits = high.rotate_left(32) ^ low;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn place(number: u64) -> u64 {
    (number + 1) * PAGE_BYTES as u64
}

impl Page {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; START_BYTES];
        bytes[4..8].copy_from_slice(&(self.entries.len() as u32).to_le_bytes());
        // A page that has come to a wrong place is none.
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.id.as_bytes());
            bytes.extend(entry.offset.to_le_bytes());
        }
        bytes.resize(PAGE_BYTES, 0);
        let checksum = crc32fast::hash(&bytes[4..]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn from_bytes(number: u64, bytes: &[u8; PAGE_BYTES]) -> Option<Self> {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let count = u32_at(4) as usize;
        if u32_at(0) != crc32fast::hash(&bytes[4..]) || u64_at(8) != number || count > PAGE_ENTRIES {
            return None;
        }
        let entry = |index: usize| {
            let at = START_BYTES + index * ENTRY_BYTES;
            let id = bytes[at..at + 16].try_into().expect("sixteen bytes");
            Entry { id: Uuid::from_bytes(id), offset: u64_at(at + 16) }
        };
        Some(Page { number, entries: (0..count).map(entry).collect(), is_changed: false })
    }
}
