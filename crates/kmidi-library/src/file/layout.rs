//! Where what stands in the file.

use crate::codec::{Reader, Writer};

pub(crate) const MAGIC: [u8; 8] = *b"KMIDILIB";
/// Of the layout and of how texts are made; an index of another version is built anew.
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: usize = 512;
const MODEL_BYTES: usize = 64;
/// Where sections begin: vectors then lie well for loads of whole registers.
pub(crate) const ALIGN: u64 = 64;
/// Most items of an index.
pub(crate) const MAX_ITEMS: usize = 4_000_000;

/// A part of the file, with a checksum of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Section {
    /// Kind, key, tempo, length, weight of the text and place of the name, of each item.
    Columns,
    /// File name, part and shown name of each item.
    Names,
    /// Folders, in the order of their numbers.
    Folders,
    /// Term to place of its postings: an `fst`.
    Terms,
    /// Which items have a term.
    Postings,
    /// What 1 stands for in each vector.
    Scales,
    /// 384 bytes an item.
    Vectors,
    /// From here on it is not mapped: the hash of the text that each vector stands for.
    TextHashes,
    /// What is known of files, those that are gone too, and which folders are indexed.
    Catalogue,
}

impl Section {
    pub const COUNT: usize = 9;
    pub const ALL: [Section; Self::COUNT] = [
        Section::Columns,
        Section::Names,
        Section::Folders,
        Section::Terms,
        Section::Postings,
        Section::Scales,
        Section::Vectors,
        Section::TextHashes,
        Section::Catalogue,
    ];

    pub fn is_mapped(self) -> bool {
        (self as usize) < Section::TextHashes as usize
    }

    pub fn name(self) -> &'static str {
        match self {
            Section::Columns => "columns",
            Section::Names => "names",
            Section::Folders => "folders",
            Section::Terms => "terms",
            Section::Postings => "postings",
            Section::Scales => "scales",
            Section::Vectors => "vectors",
            Section::TextHashes => "text hashes",
            Section::Catalogue => "catalogue",
        }
    }
}

/// Which model made the vectors: those of two models cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ModelId([u8; MODEL_BYTES]);

impl Default for ModelId {
    fn default() -> Self {
        ModelId([0; MODEL_BYTES])
    }
}

impl ModelId {
    /// Cut to 64 bytes.
    pub fn of(name: &str) -> Self {
        let mut id = [0; MODEL_BYTES];
        let len = name.len().min(MODEL_BYTES);
        id[..len].copy_from_slice(&name.as_bytes()[..len]);
        ModelId(id)
    }

    /// Whether there are no vectors.
    pub fn is_none(&self) -> bool {
        self.0[0] == 0
    }

    pub fn name(&self) -> String {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(MODEL_BYTES);
        String::from_utf8_lossy(&self.0[..len]).into_owned()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub at: u64,
    pub len: u64,
    pub crc: u32,
}

impl Extent {
    pub fn end(&self) -> Option<u64> {
        self.at.checked_add(self.len)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub items: u32,
    /// Counts up with each commit.
    pub generation: u64,
    /// Weights of all texts together.
    pub total_weight: u64,
    pub model: ModelId,
    pub sections: [Extent; Section::COUNT],
}

/// What is wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    NotAnIndex,
    Version(u32),
    Damaged,
}

impl Header {
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = Writer::default();
        out.0.extend(MAGIC);
        out.u32(VERSION);
        out.u32(self.items);
        out.u64(self.generation);
        out.u64(self.total_weight);
        out.0.extend(self.model.bytes());
        for section in &self.sections {
            out.u64(section.at);
            out.u64(section.len);
            out.u32(section.crc);
        }
        out.0.resize(HEADER_BYTES - 4, 0);
        out.u32(crc32fast::hash(&out.0));
        out.0.try_into().expect("a header is filled up to its length")
    }

    pub fn read(bytes: &[u8; HEADER_BYTES], file_bytes: u64) -> Result<Self, HeaderFault> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len()) != Some(&MAGIC) {
            return Err(HeaderFault::NotAnIndex);
        }
        // Of another version nothing else is known.
        let version = reader.u32().ok_or(HeaderFault::Damaged)?;
        if version != VERSION {
            return Err(HeaderFault::Version(version));
        }
        let header = Self::read_fields(&mut reader).ok_or(HeaderFault::Damaged)?;
        let (body, crc) = bytes.split_at(HEADER_BYTES - 4);
        if crc32fast::hash(body).to_le_bytes() != crc {
            return Err(HeaderFault::Damaged);
        }
        let fits = |section: &Extent| {
            section.at >= HEADER_BYTES as u64 && section.end().is_some_and(|end| end <= file_bytes)
        };
        let is_sound = header.items as usize <= MAX_ITEMS && header.sections.iter().all(fits);
        if is_sound { Ok(header) } else { Err(HeaderFault::Damaged) }
    }

    fn read_fields(reader: &mut Reader) -> Option<Self> {
        let (items, generation, total_weight) = (reader.u32()?, reader.u64()?, reader.u64()?);
        let model = ModelId(reader.take(MODEL_BYTES)?.try_into().ok()?);
        let mut sections = [Extent::default(); Section::COUNT];
        for section in &mut sections {
            *section = Extent { at: reader.u64()?, len: reader.u64()?, crc: reader.u32()? };
        }
        Some(Header { items, generation, total_weight, model, sections })
    }

    pub fn extent(&self, section: Section) -> Extent {
        self.sections[section as usize]
    }

    /// Bytes from the beginning of the file that a search looks at.
    pub fn mapped_bytes(&self) -> u64 {
        let mapped = Section::ALL.into_iter().filter(|section| section.is_mapped());
        mapped.filter_map(|section| self.extent(section).end()).max().unwrap_or(0).max(HEADER_BYTES as u64)
    }
}
