//! The weights of a model in a file of their own, each where it can be used as it lies there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rten_onnx::onnx::{DataLocation, DataType, StringStringEntryProto, TensorProto};

use super::ConvertError;

/// Where a tensor begins is a multiple of this: a cache line, which any instruction can load from.
const ALIGNED_BYTES: u64 = 64;

/// Writes weights, one after the other.
pub(super) struct Weights {
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
    at: u64,
    tensors: Vec<TensorProto>,
}

impl Weights {
    /// Begins a file.
    pub fn create(folder: &Path, name: &str) -> Result<Self, ConvertError> {
        let path = folder.join(name);
        let file =
            File::create(&path).map_err(|source| ConvertError::Write { path: path.clone(), source })?;
        Ok(Weights { path, name: name.to_owned(), file: BufWriter::new(file), at: 0, tensors: Vec::new() })
    }

    /// Begins a tensor, whose bytes are those that are appended until the next one begins.
    pub fn begin(&mut self, name: &str, shape: &[usize], kind: DataType) -> Result<(), ConvertError> {
        let padding = self.at.next_multiple_of(ALIGNED_BYTES) - self.at;
        self.append(&[0; ALIGNED_BYTES as usize][..padding as usize])?;
        let width = if kind == DataType::INT8 { 1 } else { 4 };
        let length = shape.iter().product::<usize>() * width;
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value),
        };
        self.tensors.push(TensorProto {
            dims: shape.iter().map(|it| *it as i64).collect(),
            data_type: Some(kind),
            name: Some(name.to_owned()),
            external_data: vec![
                entry("location", self.name.clone()),
                entry("offset", self.at.to_string()),
                entry("length", length.to_string()),
            ],
            data_location: Some(DataLocation::EXTERNAL),
            ..TensorProto::default()
        });
        Ok(())
    }

    /// Goes on with the tensor that was begun.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ConvertError> {
        self.at += bytes.len() as u64;
        let path = &self.path;
        self.file.write_all(bytes).map_err(|source| ConvertError::Write { path: path.clone(), source })
    }

    /// A whole tensor of real numbers.
    pub fn reals(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<(), ConvertError> {
        self.begin(name, shape, DataType::FLOAT)?;
        values.iter().try_for_each(|value| self.append(&value.to_le_bytes()))
    }

    /// Ends the file, which is on the disk then, and says where in it each tensor lies.
    pub fn finish(mut self) -> Result<Vec<TensorProto>, ConvertError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|source| ConvertError::Write { path: self.path, source })?;
        Ok(self.tensors)
    }
}
