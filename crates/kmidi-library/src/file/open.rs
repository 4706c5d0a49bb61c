//! An index file that is being searched.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use kmidi_sys::MappedFile;

use super::layout::{HEADER_BYTES, Header, HeaderFault, ModelId, Section, VERSION};
use super::names::{NameRecord, stem};
use crate::codec::Reader;
use crate::query::Filter;
use crate::vectors::{self, DIMENSIONS};
use crate::{ItemKind, Key};

/// Bytes of an item in [`Section::Columns`].
pub(crate) const COLUMN_BYTES: usize = 16;
/// Bytes that are read at once where a checksum is made.
const CHECK_BYTES: usize = 64 << 10;

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none yet.
    #[error("there is no index at {}: `kmidi index add DIR` makes one of what is in a folder", .0.display())]
    Missing(PathBuf),
    /// The system does not give it, or does not take it. What was there before is as it was.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is another kind of file.
    #[error("{} is no index of KmiDi, and is left as it is: delete it, or name another file with --library", .0.display())]
    NotAnIndex(PathBuf),
    /// The folder that it would be in is not there.
    #[error("there is no folder {}: make it first", .0.display())]
    NoFolder(PathBuf),
    /// A program of another version wrote it.
    #[error(
        "{}: version {version} of the index, and this program reads {VERSION}: `kmidi index add --rebuild DIR` builds it \
         anew",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A checksum does not fit, or what it says cannot be.
    #[error("{} is damaged ({part}): `kmidi index add --rebuild DIR` builds it anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        part: &'static str,
    },
    /// Another process is indexing.
    #[error("another kmidi is indexing into {}: wait for it, or end it", .0.display())]
    Busy(PathBuf),
}

/// By what another file of the same name is told from this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    mtime: (i64, i64),
}

impl Identity {
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            mtime: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// What a search filters by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Columns {
    pub kind: ItemKind,
    pub key: Option<Key>,
    pub bpm: Option<f32>,
    pub duration_seconds: Option<f32>,
    /// Weights of all its terms together.
    pub weight: u16,
    /// Of its [`NameRecord`].
    pub name_at: u32,
}

impl Columns {
    pub fn to_bytes(self) -> [u8; COLUMN_BYTES] {
        let mut bytes = [0; COLUMN_BYTES];
        let centi = |value: Option<f32>| value.map_or(0, |value| (value * 100.0).round() as u16);
        let millis = |value: Option<f32>| value.map_or(u32::MAX, |value| (value * 1000.0).round() as u32);
        bytes[0] = self.kind as u8;
        bytes[1] = Key::number(self.key);
        bytes[2..4].copy_from_slice(&self.weight.to_le_bytes());
        bytes[4..6].copy_from_slice(&centi(self.bpm).to_le_bytes());
        bytes[8..12].copy_from_slice(&millis(self.duration_seconds).to_le_bytes());
        bytes[12..].copy_from_slice(&self.name_at.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; COLUMN_BYTES]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (kind, key, weight) = (reader.u8()?, reader.u8()?, reader.u16()?);
        let (centi, _, millis, name_at) = (reader.u16()?, reader.u16()?, reader.u32()?, reader.u32()?);
        Some(Columns {
            kind: ItemKind::from_number(kind)?,
            key: Key::from_number(key),
            bpm: (centi > 0).then(|| f32::from(centi) / 100.0),
            duration_seconds: (millis != u32::MAX).then(|| millis as f32 / 1000.0),
            weight,
            name_at,
        })
    }
}

/// Where an item is, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub path: PathBuf,
    pub part: String,
    pub name: String,
}

/// An index file. Of it, what a search looks at is mapped. `[side B]`
#[derive(Debug)]
pub struct IndexFile {
    path: PathBuf,
    file: File,
    map: MappedFile,
    header: Header,
    identity: Identity,
}

impl IndexFile {
    /// Opens an index and checks all that a search looks at against its checksums.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let io = |source| IndexError::Io { path: path.to_owned(), source };
        let damaged = |part| IndexError::Damaged { path: path.to_owned(), part };
        // A pipe in its place would be waited for.
        if std::fs::metadata(path).is_ok_and(|it| !it.is_file()) {
            return Err(IndexError::NotAnIndex(path.to_owned()));
        }
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(IndexError::Missing(path.to_owned()));
            }
            file => file.map_err(io)?,
        };
        let metadata = file.metadata().map_err(io)?;
        let mut bytes = [0; HEADER_BYTES];
        match file.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                // What a crash leaves often has nothing in it.
                let is_cut = metadata.len() == 0 || bytes_at_front(&file) == Some(super::layout::MAGIC);
                return Err(if is_cut { damaged("header") } else { IndexError::NotAnIndex(path.to_owned()) });
            }
            read => read.map_err(io)?,
        }
        let header = Header::read(&bytes, metadata.len()).map_err(|fault| match fault {
            HeaderFault::NotAnIndex => IndexError::NotAnIndex(path.to_owned()),
            HeaderFault::Version(version) => IndexError::Version { path: path.to_owned(), version },
            HeaderFault::Damaged => damaged("header"),
        })?;
        let mapped = usize::try_from(header.mapped_bytes()).map_err(|_| damaged("header"))?;
        let map = MappedFile::new(&file, mapped).map_err(io)?;
        let identity = Identity::of(&metadata);
        let opened = IndexFile { path: path.to_owned(), file, map, header, identity };
        opened.check(Section::is_mapped)?;
        opened.check_sizes()?;
        Ok(opened)
    }

    /// Reads sections without mapping them and compares their checksums.
    fn check(&self, which: impl Fn(Section) -> bool) -> Result<(), IndexError> {
        let mut buffer = vec![0; CHECK_BYTES];
        for section in Section::ALL.into_iter().filter(|section| which(*section)) {
            let extent = self.header.extent(section);
            let mut hasher = crc32fast::Hasher::new();
            let (mut at, mut left) = (extent.at, extent.len);
            while left > 0 {
                let len = left.min(CHECK_BYTES as u64) as usize;
                let source = self.file.read_exact_at(&mut buffer[..len], at);
                source.map_err(|source| IndexError::Io { path: self.path.clone(), source })?;
                hasher.update(&buffer[..len]);
                (at, left) = (at + len as u64, left - len as u64);
            }
            if hasher.finalize() != extent.crc {
                return Err(self.damaged(section.name()));
            }
        }
        Ok(())
    }

    /// What the sections of fixed size must have.
    fn check_sizes(&self) -> Result<(), IndexError> {
        let items = u64::from(self.header.items);
        let rows = if self.header.model.is_none() { 0 } else { items };
        for (section, len) in [
            (Section::Columns, items * COLUMN_BYTES as u64),
            (Section::Scales, rows * 4),
            (Section::Vectors, rows * DIMENSIONS as u64),
            (Section::TextHashes, rows * 16),
        ] {
            if self.header.extent(section).len != len {
                return Err(self.damaged(section.name()));
            }
        }
        if fst::Map::new(self.section(Section::Terms)).is_err() {
            return Err(self.damaged(Section::Terms.name()));
        }
        Ok(())
    }

    pub(crate) fn damaged(&self, part: &'static str) -> IndexError {
        IndexError::Damaged { path: self.path.clone(), part }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Items.
    pub fn items(&self) -> u32 {
        self.header.items
    }

    /// Counts up with each change of the index.
    pub fn generation(&self) -> u64 {
        self.header.generation
    }

    /// The model that made the vectors; `None` if there are none.
    pub fn model(&self) -> Option<String> {
        (!self.header.model.is_none()).then(|| self.header.model.name())
    }

    /// Bytes that a search looks at; they are mapped.
    pub fn mapped_bytes(&self) -> u64 {
        self.header.mapped_bytes()
    }

    /// Of these, bytes that are in memory now.
    ///
    /// # Errors
    /// Of the system.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        self.map.resident_bytes()
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.identity.bytes
    }

    pub(crate) fn model_id(&self) -> ModelId {
        self.header.model
    }

    pub(crate) fn mean_weight(&self) -> f32 {
        (self.header.total_weight as f64 / f64::from(self.items().max(1))).max(1.0) as f32
    }

    /// Whether its path leads to another file by now.
    pub(crate) fn is_replaced(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|now| Identity::of(&now) != self.identity)
    }

    /// The bytes of a section that is mapped.
    pub(crate) fn section(&self, section: Section) -> &[u8] {
        let extent = self.header.extent(section);
        let range = extent.at as usize..extent.end().unwrap_or(extent.at) as usize;
        self.map.get(range).unwrap_or(&[])
    }

    /// The bytes of a section that is not mapped, checked.
    pub(crate) fn read_section(&self, section: Section) -> Result<Vec<u8>, IndexError> {
        self.check(|it| it == section)?;
        let extent = self.header.extent(section);
        let mut bytes = vec![0; extent.len as usize];
        let read = self.file.read_exact_at(&mut bytes, extent.at);
        read.map_err(|source| IndexError::Io { path: self.path.clone(), source })?;
        Ok(bytes)
    }

    pub(crate) fn columns(&self, item: u32) -> Option<Columns> {
        let rows = self.section(Section::Columns).as_chunks::<COLUMN_BYTES>().0;
        Columns::read(rows.get(item as usize)?)
    }

    /// An item's vector and scale.
    pub(crate) fn vector(&self, item: u32) -> Option<(&vectors::Row, f32)> {
        let scale = self.section(Section::Scales).as_chunks::<4>().0.get(item as usize)?;
        let row = self.section(Section::Vectors).as_chunks::<DIMENSIONS>().0.get(item as usize)?;
        Some((row, f32::from_le_bytes(*scale)))
    }

    /// The vectors of all items that pass a filter, in their order, with their scales.
    #[inline(always)]
    pub(crate) fn vectors_of<'a>(
        &'a self,
        filter: &'a Filter,
    ) -> impl Iterator<Item = (u32, &'a vectors::Row, f32)> {
        let columns = self.section(Section::Columns).as_chunks::<COLUMN_BYTES>().0;
        let scales = self.section(Section::Scales).as_chunks::<4>().0;
        let rows = self.section(Section::Vectors).as_chunks::<DIMENSIONS>().0;
        // Reading columns takes as long as comparing vectors.
        let is_open = *filter == Filter::default();
        let passes = move |columns| is_open || Columns::read(columns).is_some_and(|it| filter.passes(&it));
        let items = (0..).zip(columns).zip(scales).zip(rows);
        let passing = items.filter(move |(((_, columns), _), _)| passes(columns));
        passing.map(|(((item, _), scale), row)| (item, row, f32::from_le_bytes(*scale)))
    }

    pub(crate) fn place(&self, item: u32) -> Option<Place> {
        let record = NameRecord::read(self.section(Section::Names), self.columns(item)?.name_at)?;
        let folder = self.folder(record.folder)?;
        let name = match record.name {
            "" => stem(OsStr::from_bytes(record.file)).to_string_lossy().into_owned(),
            name => name.to_owned(),
        };
        let path = Path::new(OsStr::from_bytes(folder)).join(OsStr::from_bytes(record.file));
        Some(Place { path, part: record.part.to_owned(), name })
    }

    /// Places of all folders, then the folders.
    fn folder(&self, number: u32) -> Option<&[u8]> {
        let bytes = self.section(Section::Folders);
        let count = Reader(bytes).u32()?;
        if number >= count {
            return None;
        }
        let at = Reader(bytes.get(4 + 4 * number as usize..)?).u32()?;
        Reader(bytes.get(at as usize..)?).bytes()
    }
}

fn bytes_at_front(file: &File) -> Option<[u8; 8]> {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, 0).ok()?;
    Some(bytes)
}
