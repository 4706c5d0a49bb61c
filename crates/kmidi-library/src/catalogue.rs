//! What is known of files: what indexing need not find out again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::codec::{Reader, Writer};
use crate::file::BuildItem;
use crate::meaning::text_hash;
use crate::{Item, ItemKind, Key};

/// Files that have gone and are remembered; those that went first are forgotten first.
const MAX_GONE: usize = 20_000;
/// Bytes that are written at once.
const WRITTEN_BYTES: usize = 64 << 10;

/// By what a file is known not to have changed without being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub bytes: u64,
    /// Latest change, nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// What is known of one file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileRecord {
    pub stamp: Stamp,
    /// Of what is in it.
    pub hash: u128,
    /// Whether it is a plugin of the scan, not a file of an indexed folder.
    pub is_plugin: bool,
    /// What can be found in it, or why nothing can.
    pub items: Result<Vec<Item>, String>,
}

/// A file that was there once: when it is back, under whatever name, it is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gone {
    /// Counts up.
    pub order: u64,
    pub record: FileRecord,
}

/// All that is known. It is the second half of an index file; the first follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalogue {
    /// Folders and files that were added.
    pub roots: BTreeSet<PathBuf>,
    /// What was taken out of these.
    pub excluded: BTreeSet<PathBuf>,
    /// In the order of items.
    pub files: BTreeMap<PathBuf, FileRecord>,
    /// By what was in them.
    pub gone: BTreeMap<u128, Gone>,
}

impl Catalogue {
    /// Each item, in order.
    pub fn items(&self) -> impl Iterator<Item = BuildItem<'_>> {
        self.files.iter().flat_map(|(path, record)| {
            let items = record.items.iter().flatten();
            items.map(move |item| BuildItem { path, item, text_hash: text_hash(path, item) })
        })
    }

    /// A file has gone; what is known of it stays for a while. What was damaged or came from a scan is soon found out again.
    pub fn let_go(&mut self, path: &Path) {
        let Some(record) = self.files.remove(path) else { return };
        if record.is_plugin || record.items.is_err() {
            return;
        }
        let order = self.gone.values().map(|gone| gone.order + 1).max().unwrap_or(0);
        self.gone.insert(record.hash, Gone { order, record });
        if self.gone.len() > MAX_GONE {
            let first = self.gone.iter().min_by_key(|(_, gone)| gone.order).map(|(hash, _)| *hash);
            first.map(|first| self.gone.remove(&first));
        }
    }

    /// Whether the nearest folder above a path (or itself) that was added or taken out was added.
    pub fn is_covered(&self, path: &Path) -> bool {
        let is_told = |folder: &&Path| self.roots.contains(*folder) || self.excluded.contains(*folder);
        path.ancestors().find(is_told).is_some_and(|folder| self.roots.contains(folder))
    }

    /// Gives all of it as bytes, some thousands at a time: an index has as many files as a disk.
    pub fn write(&self, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut out = Writer::default();
        let mut flush = |out: &mut Writer, least: usize| -> io::Result<()> {
            if out.0.len() >= least {
                put(&out.0)?;
                out.0.clear();
            }
            Ok(())
        };
        for paths in [&self.roots, &self.excluded] {
            out.varint(paths.len() as u64);
            paths.iter().for_each(|path| out.bytes(path.as_os_str().as_bytes()));
        }
        out.varint(self.files.len() as u64);
        for (path, record) in &self.files {
            out.bytes(path.as_os_str().as_bytes());
            write_record(record, &mut out);
            flush(&mut out, WRITTEN_BYTES)?;
        }
        out.varint(self.gone.len() as u64);
        for gone in self.gone.values() {
            out.varint(gone.order);
            write_record(&gone.record, &mut out);
            flush(&mut out, WRITTEN_BYTES)?;
        }
        flush(&mut out, 0)
    }

    /// `None` where the bytes are damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut all = Catalogue::default();
        for paths in [&mut all.roots, &mut all.excluded] {
            for _ in 0..reader.varint()? {
                paths.insert(path(&mut reader)?);
            }
        }
        for _ in 0..reader.varint()? {
            let path = path(&mut reader)?;
            all.files.insert(path, read_record(&mut reader)?);
        }
        for _ in 0..reader.varint()? {
            let order = reader.varint()?;
            let record = read_record(&mut reader)?;
            all.gone.insert(record.hash, Gone { order, record });
        }
        reader.0.is_empty().then_some(all)
    }
}

fn path(reader: &mut Reader) -> Option<PathBuf> {
    Some(OsStr::from_bytes(reader.bytes()?).into())
}

fn write_record(record: &FileRecord, out: &mut Writer) {
    out.u64(record.stamp.bytes);
    out.u64(record.stamp.mtime_ns.cast_unsigned());
    out.0.extend(record.hash.to_le_bytes());
    out.u8(u8::from(record.is_plugin) | u8::from(record.items.is_err()) << 1);
    match &record.items {
        Err(reason) => out.bytes(reason.as_bytes()),
        Ok(items) => {
            out.varint(items.len() as u64);
            items.iter().for_each(|item| write_item(item, out));
        }
    }
}

fn read_record(reader: &mut Reader) -> Option<FileRecord> {
    let stamp = Stamp { bytes: reader.u64()?, mtime_ns: reader.u64()?.cast_signed() };
    let hash = u128::from_le_bytes(reader.take(16)?.try_into().ok()?);
    let flags = reader.u8()?;
    let items = if flags & 2 != 0 {
        Err(reader.text()?.to_owned())
    } else {
        Ok((0..reader.varint()?).map(|_| read_item(reader)).collect::<Option<_>>()?)
    };
    Some(FileRecord { stamp, hash, is_plugin: flags & 1 != 0, items })
}

fn write_item(item: &Item, out: &mut Writer) {
    out.u8(item.kind as u8);
    for text in [&item.part, &item.name, &item.text] {
        out.bytes(text.as_bytes());
    }
    out.u8(Key::number(item.key));
    // What is not known is no number.
    out.f32(item.bpm.unwrap_or(f32::NAN));
    out.f32(item.duration_seconds.unwrap_or(f32::NAN));
}

fn read_item(reader: &mut Reader) -> Option<Item> {
    let known = |number: f32| (!number.is_nan()).then_some(number);
    Some(Item {
        kind: ItemKind::from_number(reader.u8()?)?,
        part: reader.text()?.to_owned(),
        name: reader.text()?.to_owned(),
        text: reader.text()?.to_owned(),
        key: Key::from_number(reader.u8()?),
        bpm: known(reader.f32()?),
        duration_seconds: known(reader.f32()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(hash: u128, items: Result<Vec<Item>, String>) -> FileRecord {
        FileRecord { stamp: Stamp { bytes: 5, mtime_ns: -1 }, hash, is_plugin: false, items }
    }

    fn item(name: &str) -> Item {
        Item {
            kind: ItemKind::Preset,
            part: "0:48".into(),
            name: name.into(),
            text: "strings\nslow".into(),
            key: Some(Key::new(9, true)),
            bpm: Some(120.5),
            duration_seconds: None,
        }
    }

    #[test]
    fn all_that_is_known_comes_back_and_cut_bytes_do_not() {
        let mut all = Catalogue::default();
        all.roots.insert("/a".into());
        all.excluded.insert("/a/b".into());
        let odd = PathBuf::from(OsStr::from_bytes(b"/a/\xff\n.sf2"));
        all.files.insert(odd.clone(), record(1, Ok(vec![item("Größe"), item("")])));
        all.files.insert("/a/bad.wav".into(), record(2, Err("no audio".into())));
        all.files.insert("/a/left.mid".into(), record(3, Ok(vec![])));
        all.let_go(Path::new("/a/left.mid"));
        all.let_go(Path::new("/never"));
        assert_eq!((all.gone.len(), all.items().count()), (1, 2));
        let mut bytes = vec![];
        all.write(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })
        .unwrap();
        assert_eq!(Catalogue::read(&bytes).unwrap(), all);
        for len in 0..bytes.len() {
            assert!(Catalogue::read(&bytes[..len]).is_none(), "{len}");
        }
        all.let_go(&odd);
        assert_eq!(all.gone.len(), 2);
        all.let_go(Path::new("/a/bad.wav"));
        assert_eq!((all.gone.len(), all.files.len()), (2, 0), "damage is not remembered");
    }

    #[test]
    fn the_nearest_folder_decides_whether_a_file_is_covered() {
        let all = Catalogue {
            roots: ["/a".into(), "/a/b/c".into()].into(),
            excluded: ["/a/b".into()].into(),
            ..Catalogue::default()
        };
        let is = |path: &str| all.is_covered(Path::new(path));
        assert!(is("/a") && is("/a/bc") && is("/a/b/c/d.wav"));
        assert!(!is("/a/b") && !is("/a/b/x.wav") && !is("/") && !is("/b/a"));
    }
}
