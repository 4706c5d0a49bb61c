//! Writes an index file: items in their order, then all that is made of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::layout::{ALIGN, Extent, HEADER_BYTES, Header, ModelId, Section};
use super::names::{NameRecord, stem};
use super::open::{Columns, IndexError};
use super::postings::Postings;
use crate::catalogue::Catalogue;
use crate::codec::Writer;
use crate::vectors::Packed;
use crate::words::terms;
use crate::{Item, glossary};

/// What a term of a name weighs; one of the text weighs 1.
const NAME_WEIGHT: u8 = 3;
/// Longest that an index knows: 655 beats a minute, 49 days.
const MAX_BPM: f32 = 655.0;
const MAX_SECONDS: f32 = 4.2e6;

/// An item and where it is.
pub(crate) struct BuildItem<'a> {
    pub path: &'a Path,
    pub item: &'a Item,
    /// Of the text that the vector stands for.
    pub text_hash: u128,
}

/// Takes items in the order that they will have.
pub(crate) struct Builder {
    columns: Writer,
    names: Writer,
    folders: BTreeMap<Vec<u8>, u32>,
    terms: BTreeMap<Box<str>, Postings>,
    hashes: Vec<u128>,
    total_weight: u64,
    items: u32,
    term: String,
}

impl Builder {
    pub fn new() -> Self {
        Builder {
            columns: Writer::default(),
            names: Writer::default(),
            folders: BTreeMap::new(),
            terms: BTreeMap::new(),
            hashes: vec![],
            total_weight: 0,
            items: 0,
            term: String::new(),
        }
    }

    pub fn push(&mut self, BuildItem { path, item, text_hash }: &BuildItem) {
        let number = self.items;
        let name_at = self.names.0.len() as u32;
        let file = path.file_name().unwrap_or(path.as_os_str()).as_bytes();
        let folder = path.parent().unwrap_or(Path::new("")).as_os_str().as_bytes();
        let next = self.folders.len() as u32;
        // Numbers in the order of first use: items are sorted, so these are too.
        let folder = *self.folders.entry(folder.to_vec()).or_insert(next);
        NameRecord { folder, file, part: &item.part, name: &item.name }.write(&mut self.names);
        let weight = self.add_terms(number, path, item);
        let columns = Columns {
            kind: item.kind,
            key: item.key,
            bpm: item.bpm.filter(|bpm| (0.01..=MAX_BPM).contains(bpm)),
            duration_seconds: item.duration_seconds.filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds)),
            weight,
            name_at,
        };
        self.columns.0.extend(columns.to_bytes());
        self.hashes.push(*text_hash);
        self.total_weight += u64::from(weight);
        self.items += 1;
    }

    /// Adds the terms of an item's name, text and folder; returns what they weigh together.
    fn add_terms(&mut self, number: u32, path: &Path, item: &Item) -> u16 {
        let mut total = 0u16;
        let Builder { terms: all, term, .. } = self;
        let mut add = |text: &str, weight: u8| {
            terms(text, term, &mut |term| {
                total = total.saturating_add(weight.into());
                match all.get_mut(term) {
                    Some(list) => list.add(number, weight),
                    None => all.entry(term.into()).or_default().add(number, weight),
                }
            });
        };
        for (text, weight) in searched_texts(path, item) {
            add(&text, weight);
        }
        total
    }

    /// Writes the file as a whole, or not at all. `vector` gives the vector of a text by its hash; `catalogue` is what
    /// only indexing needs.
    pub fn write(
        self,
        path: &Path,
        generation: u64,
        model: ModelId,
        vector: &mut dyn FnMut(u128) -> Packed,
        catalogue: &Catalogue,
    ) -> Result<(), IndexError> {
        let io = |source| IndexError::Io { path: path.to_owned(), source };
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(io)?;
        // Who holds the lock is alone: what a killed one has left under this name is written over.
        let new = sibling(path, ".new");
        let mut file = File::create(&new).map_err(io)?;
        let new = tempfile::TempPath::try_from_path(new).map_err(io)?;
        self.write_to(&mut file, generation, model, vector, catalogue).map_err(io)?;
        file.sync_all().map_err(io)?;
        new.persist(path).map_err(|error| io(error.error))?;
        // So that the name is there too after a power cut; where a folder cannot be synced it is as good as before.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn write_to(
        self,
        file: &mut File,
        generation: u64,
        model: ModelId,
        vector: &mut dyn FnMut(u128) -> Packed,
        catalogue: &Catalogue,
    ) -> io::Result<()> {
        let Builder { columns, names, folders, terms: lists, hashes, .. } = self;
        let rows = if model.is_none() { 0 } else { self.items };
        let mut header = Header {
            items: self.items,
            generation,
            total_weight: self.total_weight,
            model,
            sections: [Extent::default(); Section::COUNT],
        };
        let (mut terms, mut postings) = (fst::MapBuilder::memory(), Writer::default());
        for (term, list) in lists {
            terms.insert(term.as_bytes(), postings.0.len() as u64).map_err(io::Error::other)?;
            list.write(&mut postings);
        }
        let terms = terms.into_inner().map_err(io::Error::other)?;
        let mut out = Sections { out: BufWriter::with_capacity(1 << 18, file), at: 0 };
        out.write(&[0; HEADER_BYTES])?;
        let mut scales = Writer::default();
        let hash = |row: u32| hashes[row as usize];
        (0..rows).for_each(|row| scales.f32(vector(hash(row)).scale));
        for (section, bytes) in [
            (Section::Columns, &columns.0),
            (Section::Names, &names.0),
            (Section::Folders, &folder_table(&folders)),
            (Section::Terms, &terms),
            (Section::Postings, &postings.0),
            (Section::Scales, &scales.0),
        ] {
            header.sections[section as usize] = out.section(bytes)?;
        }
        header.sections[Section::Vectors as usize] =
            out.streamed(rows, &mut |row, out| out.extend(vector(hash(row)).numbers))?;
        header.sections[Section::TextHashes as usize] =
            out.streamed(rows, &mut |row, out| out.extend(hash(row).to_le_bytes()))?;
        header.sections[Section::Catalogue as usize] = out.chunked(&|put| catalogue.write(put))?;
        let file = out.out.into_inner().map_err(|error| error.into_error())?;
        std::os::unix::fs::FileExt::write_all_at(file, &header.to_bytes(), 0)
    }
}

/// What the terms of an item come from, and what each weighs there.
fn searched_texts(path: &Path, item: &Item) -> [(String, u8); 3] {
    let lossy = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    let file = lossy(stem(path.file_name().unwrap_or_default()));
    let (name, rest) = if item.name.is_empty() {
        (file, item.text.clone())
    } else {
        (item.name.clone(), format!("{file} {} {}", item.text, glossary::of(item)))
    };
    [(name, NAME_WEIGHT), (rest, 1), (folder_words(path), 1)]
}

/// The two folders that a file is in: what lies above says nothing of a sound.
pub(crate) fn folder_words(path: &Path) -> String {
    let folders = path.ancestors().skip(1).filter_map(Path::file_name).take(2);
    let mut words: Vec<_> = folders.map(|folder| folder.to_string_lossy()).collect();
    words.reverse();
    words.join(" ")
}

fn folder_table(folders: &BTreeMap<Vec<u8>, u32>) -> Vec<u8> {
    let mut in_order = vec![&[][..]; folders.len()];
    for (folder, number) in folders {
        in_order[*number as usize] = folder;
    }
    let mut texts = Writer::default();
    let mut table = Writer::default();
    table.u32(folders.len() as u32);
    let start = 4 + 4 * folders.len();
    for folder in in_order {
        table.u32((start + texts.0.len()) as u32);
        texts.bytes(folder);
    }
    table.0.extend(texts.0);
    table.0
}

/// Takes some bytes.
type Put<'a> = dyn FnMut(&[u8]) -> io::Result<()> + 'a;

struct Sections<'a> {
    out: BufWriter<&'a mut File>,
    at: u64,
}

impl Sections<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn align(&mut self) -> io::Result<u64> {
        let gap = (ALIGN - self.at % ALIGN) % ALIGN;
        self.write(&[0; ALIGN as usize][..gap as usize])?;
        Ok(self.at)
    }

    fn section(&mut self, bytes: &[u8]) -> io::Result<Extent> {
        let at = self.align()?;
        self.write(bytes)?;
        Ok(Extent { at, len: bytes.len() as u64, crc: crc32fast::hash(bytes) })
    }

    /// A section that comes in parts.
    fn chunked(&mut self, write: &dyn Fn(&mut Put) -> io::Result<()>) -> io::Result<Extent> {
        let at = self.align()?;
        let mut hasher = crc32fast::Hasher::new();
        write(&mut |bytes| {
            hasher.update(bytes);
            self.write(bytes)
        })?;
        Ok(Extent { at, len: self.at - at, crc: hasher.finalize() })
    }

    /// A section of rows that are never in memory together.
    fn streamed(&mut self, rows: u32, row: &mut dyn FnMut(u32, &mut Vec<u8>)) -> io::Result<Extent> {
        let at = self.align()?;
        let mut hasher = crc32fast::Hasher::new();
        let mut bytes = Vec::new();
        for number in 0..rows {
            bytes.clear();
            row(number, &mut bytes);
            hasher.update(&bytes);
            self.write(&bytes)?;
        }
        Ok(Extent { at, len: self.at - at, crc: hasher.finalize() })
    }
}

/// The file that a process holds locked while it indexes.
pub(crate) fn lock_path(index: &Path) -> PathBuf {
    sibling(index, ".lock")
}

/// A file beside another one.
fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}
