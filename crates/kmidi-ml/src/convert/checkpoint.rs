//! A checkpoint of PyTorch's: an archive (ZIP) of a list of tensors and, for each, a file of its numbers.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::ConvertError;
use super::pickle::{self, Stored};

/// An open checkpoint.
pub(super) struct Checkpoint<R> {
    archive: ZipArchive<R>,
    /// The folder that all is in, by the name that the file once had.
    folder: String,
    tensors: BTreeMap<String, Stored>,
}

impl<R: Read + Seek> Checkpoint<R> {
    /// Reads the list of its tensors.
    pub fn open(reader: R) -> Result<Self, ConvertError> {
        let mut archive = ZipArchive::new(reader).map_err(unpacking)?;
        let folder = archive.file_names().find_map(|name| name.strip_suffix("/data.pkl"));
        let folder = folder.ok_or_else(|| damaged("it has no list of tensors".to_owned()))?.to_owned();
        let list = read(&mut archive, &format!("{folder}/data.pkl"), pickle::LONGEST_BYTES)?;
        let order = read(&mut archive, &format!("{folder}/byteorder"), 16)?;
        if order != b"little" {
            return Err(damaged("its numbers have their highest bytes first".to_owned()));
        }
        Ok(Checkpoint { archive, folder, tensors: pickle::tensors(&list)? })
    }

    /// The numbers of a tensor, which must have this shape.
    pub fn reals(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ConvertError> {
        let stored = self.tensors.get(name).ok_or_else(|| damaged(format!("it has no {name}")))?;
        if stored.shape != shape {
            return Err(damaged(format!("{name} is of the shape {:?}, not {shape:?}", stored.shape)));
        }
        let bytes = 4 * shape.iter().product::<usize>();
        let numbers =
            read(&mut self.archive, &format!("{}/data/{}", self.folder, stored.file), bytes as u64)?;
        if numbers.len() != bytes {
            return Err(damaged(format!("{name} has {} bytes, not {bytes}", numbers.len())));
        }
        let numbers: Vec<f32> = numbers.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(damaged(format!("{name} has values that are no numbers"))),
        }
    }
}

/// A whole file of an archive, which may have so many bytes.
fn read<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    most_bytes: u64,
) -> Result<Vec<u8>, ConvertError> {
    let file = archive.by_name(name).map_err(unpacking)?;
    let mut bytes = Vec::new();
    // One more than there should be tells that there is more.
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(ConvertError::reading)?;
    match bytes.len() as u64 <= most_bytes {
        true => Ok(bytes),
        false => Err(damaged(format!("{name} has more than {most_bytes} bytes"))),
    }
}

/// An archive that cannot be unpacked is a package that is damaged.
pub(super) fn unpacking(error: ZipError) -> ConvertError {
    match error {
        ZipError::Io(error) => ConvertError::reading(error),
        error => ConvertError::Package(error.to_string()),
    }
}

fn damaged(what: String) -> ConvertError {
    ConvertError::Package(what)
}
