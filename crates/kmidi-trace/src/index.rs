//! Where each id is: a table of pages beside the log.
//!
//! Anything that is wrong with it is seen by its checksums, and it is made anew from the log.

mod header;
mod table;

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use kmidi_jsonl::Reader;
use serde::Deserialize;
use uuid::Uuid;

use crate::lock;
use crate::log::Moment;
use crate::record::{MAX_RECORD_BYTES, Record};
use crate::section::{Section, value_at};
use header::{Header, MAGIC};
use table::{Entry, PAGE_BYTES, Table};

/// Entries that are gathered before they go into the table, in its order: 1.5 MiB.
const GATHERED: usize = 64 << 10;
/// Few records are shorter: what a new table is made for.
const SHORT_RECORD_BYTES: u64 = 256;

/// How an id was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexUse {
    /// The index had it, or had it not.
    Used,
    /// So many bytes of the log had to be read into the index first.
    Extended(u64),
    /// The index was missing, damaged, or of another file: it has been made anew.
    Rebuilt,
    /// There can be no index, for this reason: all was looked through.
    Unusable(String),
}

/// The index of a log, locked.
pub(crate) struct Index {
    file: File,
}

/// What is wrong with an index: it has to be made anew.
#[derive(Debug)]
struct Damaged;

/// A damaged index is no error of the system.
type Read<T> = io::Result<Result<T, Damaged>>;

impl Index {
    /// Opens it, makes an empty one if there is none, and waits until no other program uses it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let options =
            || File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        // A pipe would wait for its other end.
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other(format!("{} is no file", path.display())));
        }
        let file = options()?;
        lock::exclusive(&file)?;
        let mut start = [0; MAGIC.len()];
        let length = file.metadata()?.len();
        if length > 0
            && (length < MAGIC.len() as u64 || file.read_at(&mut start, 0)? < start.len() || start != MAGIC)
        {
            let text = format!("{} is no index; delete it if it is not yours", path.display());
            return Err(io::Error::other(text));
        }
        Ok(Index { file })
    }

    /// Brings it up to date and looks an id up.
    pub fn find(&mut self, log: &Moment, id: Uuid) -> io::Result<(Option<Record>, IndexUse)> {
        let fitting = match Header::read(&self.file)?.filter(|header| header.fits(log)) {
            Some(header) => self.catch_up(log, header)?,
            None => Err(Damaged),
        };
        if let Ok((header, used)) = fitting
            && let Ok(record) = self.look_up(log, &header, id)?
        {
            return Ok((record, used));
        }
        let header = self.rebuild(log)?;
        match self.look_up(log, &header, id)? {
            Ok(record) => Ok((record, IndexUse::Rebuilt)),
            Err(Damaged) => Err(io::Error::other("the index does not keep what is written to it")),
        }
    }

    fn look_up(&self, log: &Moment, header: &Header, id: Uuid) -> Read<Option<Record>> {
        let Ok(found) = Table::new(&self.file, header.pages).find(id)? else { return Ok(Err(Damaged)) };
        let Some(offset) = found else { return Ok(Ok(None)) };
        match value_at::<IdOnly>(&log.file, offset, log.bytes)? {
            Some(line) if line.id == id => {}
            _ => return Ok(Err(Damaged)),
        }
        match value_at::<Record>(&log.file, offset, log.bytes)? {
            Some(record) => Ok(Ok(Some(record))),
            // Then a later line may be one.
            None => Err(io::Error::other(format!("the first line with the id {id} is no record"))),
        }
    }

    /// Takes in what has been added to the log.
    fn catch_up(&mut self, log: &Moment, header: Header) -> Read<(Header, IndexUse)> {
        let bytes = log.bytes - header.log_bytes;
        if bytes == 0 {
            return Ok(Ok((header, IndexUse::Used)));
        }
        let extended = self.take_in(log, header)?;
        Ok(extended.map(|header| (header, IndexUse::Extended(bytes))))
    }

    fn rebuild(&mut self, log: &Moment) -> io::Result<Header> {
        let mut pages = Table::pages_for(log.bytes / SHORT_RECORD_BYTES);
        // Records may be shorter than thought, but not by much.
        for _ in 0..8 {
            // Until the header is written, this is an index that is damaged.
            self.file.set_len(0)?;
            self.file.write_all_at(&MAGIC, 0)?;
            Table::new(&self.file, pages).clear()?;
            if let Ok(header) = self.take_in(log, Header::empty(pages, log)?)? {
                return Ok(header);
            }
            pages *= 2;
        }
        Err(io::Error::other("the index does not keep what is written to it"))
    }

    /// Damaged where the table is, or where it is too small.
    fn take_in(&mut self, log: &Moment, mut header: Header) -> Read<Header> {
        let section = Section::new(log.file.clone(), header.log_bytes, log.bytes);
        let mut reader = Reader::<_, IdOnly>::new(section).most_line_bytes(MAX_RECORD_BYTES as u64);
        let mut table = Table::new(&self.file, header.pages);
        let mut gathered = Vec::with_capacity(GATHERED);
        let start = header.log_bytes;
        loop {
            let next = reader.next().transpose()?;
            let is_over = next.is_none();
            gathered.extend(next.map(|it| Entry { id: it.value.id, offset: start + it.offset }));
            if gathered.len() < GATHERED && !is_over {
                continue;
            }
            header.entries += gathered.len() as u64;
            if !table.has_room_for(header.entries) || table.insert(&mut gathered)?.is_err() {
                return Ok(Err(Damaged));
            }
            gathered.clear();
            if is_over {
                break;
            }
        }
        // The header never says more than is there, whenever the system goes down.
        self.file.sync_data()?;
        header.cover(log)?;
        header.write(&self.file)?;
        Ok(Ok(header))
    }
}

/// Of a line, what the index is about. Whether the rest is right is seen when it is looked up.
#[derive(Deserialize)]
struct IdOnly {
    id: Uuid,
}

/// Reads a page; None where the file ends before its end.
fn read_page(file: &File, number: u64) -> io::Result<Option<Box<[u8; PAGE_BYTES]>>> {
    let mut page = Box::new([0; PAGE_BYTES]);
    match file.read_exact_at(&mut *page, number * PAGE_BYTES as u64) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(|()| Some(page)),
    }
}

/// The checksum of a piece of the log.
fn checksum_of(file: &Arc<File>, start: u64, end: u64) -> io::Result<u32> {
    let mut bytes = vec![0; (end - start) as usize];
    file.read_exact_at(&mut bytes, start)?;
    Ok(crc32fast::hash(&bytes))
}
