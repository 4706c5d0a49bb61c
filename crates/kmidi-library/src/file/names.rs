//! How items are called, in few bytes: a folder is written once, and a name that is its file's is not written at all.

use std::ffi::OsStr;
use std::path::Path;

use crate::codec::{Reader, Writer};

/// What is written of an item's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameRecord<'a> {
    pub folder: u32,
    pub file: &'a [u8],
    pub part: &'a str,
    /// Empty where it is the file's without its ending.
    pub name: &'a str,
}

impl<'a> NameRecord<'a> {
    pub fn write(&self, out: &mut Writer) {
        out.varint(self.folder.into());
        out.bytes(self.file);
        out.bytes(self.part.as_bytes());
        out.bytes(self.name.as_bytes());
    }

    pub fn read(bytes: &'a [u8], at: u32) -> Option<Self> {
        let mut reader = Reader(bytes.get(at as usize..)?);
        Some(NameRecord {
            folder: reader.varint()?.try_into().ok()?,
            file: reader.bytes()?,
            part: reader.text()?,
            name: reader.text()?,
        })
    }
}

/// A file's name without its ending.
pub(crate) fn stem(file: &OsStr) -> &OsStr {
    Path::new(file).file_stem().unwrap_or(file)
}
