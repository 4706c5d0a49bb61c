//! Where the files of models lie, and whether they are what the catalogue says.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ModelEntry, ModelError, ModelFile, built_in};

/// The folders that fetched models are looked for in, the first one first: each model has a folder of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFolders(Vec<PathBuf>);

/// Whether a model can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It is part of the program.
    BuiltIn,
    /// It is there, and what it should be.
    There,
    /// It has not been fetched.
    Missing,
    /// It is there, and not what it should be.
    Damaged,
}

impl ModelFolders {
    /// These; models are fetched into the first one.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        ModelFolders(folders.into_iter().collect())
    }

    /// The folders, in their order.
    pub(super) fn all(&self) -> &[PathBuf] {
        &self.0
    }

    /// The folder that models are fetched into.
    pub fn first(&self) -> Option<&Path> {
        self.0.first().map(PathBuf::as_path)
    }

    /// Where a model lies, or would lie if it were fetched.
    pub fn folder_of(&self, entry: &ModelEntry) -> PathBuf {
        let of_name = |folder: &PathBuf| folder.join(entry.name.name());
        let has_graph =
            |folder: &PathBuf| entry.files.first().is_some_and(|it| folder.join(&it.name).exists());
        let found = self.0.iter().map(of_name).find(has_graph);
        found.or_else(|| self.0.first().map(of_name)).unwrap_or_else(|| entry.name.name().into())
    }

    /// Whether all files of a model are there, and what they should be; why not, if they are not. It reads them all.
    pub fn state(&self, entry: &ModelEntry) -> (FileState, Option<ModelError>) {
        if entry.built_in {
            return (FileState::BuiltIn, None);
        }
        let folder = self.folder_of(entry);
        let fault = entry.files.iter().find_map(|file| verify(entry, file, &folder.join(&file.name)).err());
        match fault {
            None => (FileState::There, None),
            // A copy was there once: its description is.
            Some(fault @ ModelError::Missing { is_copy: false, .. }) => (FileState::Missing, Some(fault)),
            Some(fault) => (FileState::Damaged, Some(fault)),
        }
    }

    /// A file of a model, whole.
    pub(super) fn read(
        &self,
        entry: &ModelEntry,
        file: &ModelFile,
    ) -> Result<Cow<'static, [u8]>, ModelError> {
        if entry.built_in
            && let Some(bytes) = built_in::file(entry.name, &file.name)
        {
            return Ok(Cow::Borrowed(bytes));
        }
        let path = self.folder_of(entry).join(&file.name);
        let mut bytes = Vec::new();
        // One more than there should be tells that there is more.
        let read = open(entry, file, &path)?.take(file.bytes + 1).read_to_end(&mut bytes);
        read.map_err(|source| unreadable(entry, &path, source))?;
        let (found_bytes, found) = (bytes.len() as u64, hex(&Sha256::digest(&bytes)));
        compare(entry, file, &path, found_bytes, found)?;
        Ok(Cow::Owned(bytes))
    }
}

/// Whether a file is what the catalogue says; it is read in constant memory.
pub(crate) fn verify(entry: &ModelEntry, file: &ModelFile, path: &Path) -> Result<(), ModelError> {
    let mut opened = open(entry, file, path)?.take(file.bytes + 1);
    let (bytes, hash) = hashed(&mut opened).map_err(|source| unreadable(entry, path, source))?;
    compare(entry, file, path, bytes, hash)
}

/// The SHA-256 of a file, in 64 digits.
pub(crate) fn sha256_of(path: &Path) -> io::Result<String> {
    Ok(hashed(&mut File::open(path)?)?.1)
}

/// How long it is, and its SHA-256.
fn hashed(reader: &mut impl Read) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(count) => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens a file whose length is right: nothing is read of one that cannot be it.
fn open(entry: &ModelEntry, file: &ModelFile, path: &Path) -> Result<File, ModelError> {
    let is_copy = entry.is_copy;
    let opened = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ModelError::Missing { model: entry.name, is_copy, path: path.to_owned() },
        _ => unreadable(entry, path, source),
    })?;
    let metadata = opened.metadata().map_err(|source| unreadable(entry, path, source))?;
    if !metadata.is_file() {
        return Err(unreadable(entry, path, io::ErrorKind::InvalidInput.into()));
    }
    if metadata.len() != file.bytes {
        return Err(wrong_length(entry, file, path, metadata.len()));
    }
    Ok(opened)
}

fn compare(
    entry: &ModelEntry,
    file: &ModelFile,
    path: &Path,
    found_bytes: u64,
    found: String,
) -> Result<(), ModelError> {
    if found_bytes != file.bytes {
        return Err(wrong_length(entry, file, path, found_bytes));
    }
    if !found.eq_ignore_ascii_case(&file.sha256) {
        let (model, is_copy, path) = (entry.name, entry.is_copy, path.to_owned());
        return Err(ModelError::Hash { model, is_copy, path, expected: file.sha256.clone(), found });
    }
    Ok(())
}

fn wrong_length(entry: &ModelEntry, file: &ModelFile, path: &Path, found_bytes: u64) -> ModelError {
    let (model, is_copy, path) = (entry.name, entry.is_copy, path.to_owned());
    ModelError::Length { model, is_copy, path, expected_bytes: file.bytes, found_bytes }
}

fn unreadable(entry: &ModelEntry, path: &Path, source: io::Error) -> ModelError {
    ModelError::Read { model: entry.name, path: path.to_owned(), source }
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
