//! The network of `transkun` (Yan & Duan, 2024), which hears what a piano plays, from its package's checkpoint.
//!
//! All weights stay real numbers of 32 bits. Matrices are turned round, as ONNX multiplies, and factors behind them are
//! multiplied into them. The window functions and the bands of the spectra, which are part of the checkpoint, go with the graph as constants.

mod graph;
mod layout;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

use kmidi_memory::{JobContext, MIB};
use zip::ZipArchive;

use self::graph::{COORDINATES, GROUP_ONES, GROUP_ZEROS, ONES};
use self::layout::{
    Along, BANDS, ENDS, FRAMES, GROUPS, HALVINGS, PLACES, SCORE_PARTS, SCORES, STEP, VELOCITY,
};
use super::ConvertError;
use super::checkpoint::{Checkpoint, unpacking};
use super::weights::Weights;

pub(crate) use self::layout::{Sizes, TRACKS, VELOCITIES, tracks};

/// What the conversion takes of memory, at most: the largest tensor three times, the list of all, and buffers.
pub const PIANO_BYTES: u64 = 12 * MIB;

/// The file of the package.
const FILE: &str = "transkun/pretrained/2.0.pt";
/// A longer one is not it.
const LONGEST_BYTES: u64 = 64 << 20;
const GRAPH: &str = "piano.onnx";
const WEIGHTS: &str = "piano.data";
/// What is copied at once.
const PIECE_BYTES: usize = 64 << 10;

/// The network as the package has it, for sixteen seconds at once.
pub(crate) const PIANO: Sizes =
    Sizes { frames: 691, bands: 229, windows: 6, window: 4096, planes: 64, heads: 8, layers: 6, hidden: 512 };

/// Constants of the graph that spectra are made by: how much of each bin is in each band, the fixed window, and for each of the others
/// how wide it is and where, as logits.
pub(crate) const SPECTRA: [&str; 4] = [
    "framewiseFeatureExtractor.freq2mels",
    "framewiseFeatureExtractor.spectrogramExtractor.win",
    "framewiseFeatureExtractor.spectrogramExtractor.winGen.sigma",
    "framewiseFeatureExtractor.spectrogramExtractor.winGen.center",
];

/// Makes `piano.onnx` and `piano.data` in a folder of what pip fetches for `transkun==2.0.1`. `[side B]`
///
/// Nothing that the checkpoint says is run. Both files are on the disk when this returns, and not complete if it fails: the folder should
/// be one that is not in use yet. `progress` gets the bytes that were read, and how many there are.
///
/// # Errors
/// [`ConvertError`]: the package is another, it cannot be read, the files cannot be written, or `job` is to stop.
pub fn piano(
    package: &Path,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConvertError> {
    let package = File::open(package).map_err(ConvertError::Read)?;
    convert(&PIANO, BufReader::new(package), folder, job, progress)
}

fn convert(
    sizes: &Sizes,
    package: impl Read + Seek,
    folder: &Path,
    job: &JobContext,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ConvertError> {
    let (checkpoint, bytes) = unpacked(package, folder, job)?;
    let checkpoint = Checkpoint::open(BufReader::new(checkpoint))?;
    let weights = Weights::create(folder, WEIGHTS)?;
    let mut making = Making { sizes, checkpoint, weights, job, progress, done: 0, all: bytes };
    making.all()?;
    let weights = making.weights.finish()?;
    graph::draw(sizes, &folder.join(GRAPH), weights)
}

/// The checkpoint as a file without a name, and its length: an archive within an archive cannot be looked into where it is.
fn unpacked(package: impl Read + Seek, folder: &Path, job: &JobContext) -> Result<(File, u64), ConvertError> {
    let unwritten = |source| ConvertError::Write { path: folder.to_owned(), source };
    let mut archive = ZipArchive::new(package).map_err(unpacking)?;
    let mut packed = archive.by_name(FILE).map_err(unpacking)?;
    let mut file = tempfile::tempfile_in(folder).map_err(unwritten)?;
    let (mut piece, mut bytes) = (vec![0; PIECE_BYTES], 0);
    loop {
        job.check()?;
        let count = match packed.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ConvertError::reading(error)),
        };
        bytes += count as u64;
        if bytes > LONGEST_BYTES {
            return Err(ConvertError::Package(format!("{FILE} has more than {LONGEST_BYTES} bytes")));
        }
        file.write_all(&piece[..count]).map_err(unwritten)?;
    }
    file.rewind().map_err(unwritten)?;
    Ok((file, bytes))
}

/// The files while they are written.
struct Making<'a, R> {
    sizes: &'a Sizes,
    checkpoint: Checkpoint<R>,
    weights: Weights,
    job: &'a JobContext,
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

impl<R: Read + Seek> Making<'_, R> {
    fn all(&mut self) -> Result<(), ConvertError> {
        self.spectra()?;
        self.tables()?;
        self.convolutions()?;
        let Sizes { planes, layers, hidden, .. } = *self.sizes;
        let width = self.sizes.width();
        self.place(BANDS, 1, planes)?;
        PLACES.iter().try_for_each(|name| self.place(name, 2, width))?;
        for layer in 0..layers {
            for along in Along::BOTH {
                self.attention(&layout::attention(layer, along))?;
                self.inner(&layout::inner(layer, along))?;
            }
        }
        self.steps_to_frames()?;
        self.scores()?;
        for (name, outputs) in [(VELOCITY, VELOCITIES), (ENDS, 4)] {
            self.matrix(&format!("{name}.0"), [hidden, 3 * width], None)?;
            self.matrix(&format!("{name}.3"), [outputs, hidden], None)?;
        }
        Ok(())
    }

    fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ConvertError> {
        self.job.check()?;
        let numbers = self.checkpoint.reals(name, shape)?;
        self.done += 4 * numbers.len() as u64;
        (self.progress)(self.done.min(self.all), self.all);
        Ok(numbers)
    }

    /// As it is, in another shape.
    fn kept(&mut self, name: &str, shape: &[usize], to: &[usize]) -> Result<(), ConvertError> {
        let numbers = self.read(name, shape)?;
        self.weights.reals(name, to, &numbers)
    }

    /// What spectra are made by ([`SPECTRA`]): the fixed window, what shapes the others, and the bands.
    fn spectra(&mut self) -> Result<(), ConvertError> {
        let Sizes { bands, windows, window, .. } = *self.sizes;
        let bins = window / 2 + 1;
        self.kept(SPECTRA[0], &[bins, bands], &[bins, bands])?;
        self.kept(SPECTRA[1], &[window], &[window])?;
        SPECTRA[2..].iter().try_for_each(|name| self.kept(name, &[windows - 1], &[windows - 1]))
    }

    /// Tables of numbers that depend on nothing.
    fn tables(&mut self) -> Result<(), ConvertError> {
        let sizes = self.sizes;
        let bands: Vec<f32> = (0..sizes.bands).map(|band| band as f32).collect();
        self.weights.reals(COORDINATES[0], &[sizes.bands, 1], &bands)?;
        let times = 0..=sizes.steps();
        let grid = |pitches: &[f32]| -> Vec<f32> {
            times
                .clone()
                .flat_map(|time| pitches.iter().flat_map(move |pitch| [time as f32, *pitch]))
                .collect()
        };
        let rows: Vec<f32> = (0..=sizes.rows()).map(|row| row as f32).collect();
        let tracks: Vec<f32> = tracks().map(f32::from).collect();
        for (name, pitches) in [(COORDINATES[1], rows), (COORDINATES[2], tracks)] {
            let places = grid(&pitches);
            self.weights.reals(name, &[places.len() / 2, 2], &places)?;
        }
        self.weights.reals(ONES, &[sizes.width()], &vec![1.0; sizes.width()])?;
        self.weights.reals(GROUP_ONES, &[GROUPS], &[1.0; GROUPS])?;
        self.weights.reals(GROUP_ZEROS, &[GROUPS], &[0.0; GROUPS])
    }

    fn convolutions(&mut self) -> Result<(), ConvertError> {
        let Sizes { windows, planes, .. } = *self.sizes;
        self.convolution("backbone.inputConv", windows, planes)?;
        for halving in &HALVINGS {
            let [inputs, outputs] = halving.planes.map(|it| it * planes);
            self.convolution(halving.convolution, inputs, outputs)?;
            for part in ["weight", "bias"] {
                self.kept(&format!("{}.{part}", halving.norm), &[outputs], &[outputs, 1, 1])?;
            }
        }
        Ok(())
    }

    fn convolution(&mut self, name: &str, inputs: usize, outputs: usize) -> Result<(), ConvertError> {
        let shape = [outputs, inputs, 3, 3];
        self.kept(&format!("{name}.weight"), &shape, &shape)?;
        self.kept(&format!("{name}.bias"), &[outputs], &[outputs])
    }

    /// A matrix turned round, and its bias, both multiplied by a factor for each output.
    fn matrix(&mut self, name: &str, shape: [usize; 2], factors: Option<&[f32]>) -> Result<(), ConvertError> {
        let [outputs, inputs] = shape;
        let mut numbers = self.read(&format!("{name}.weight"), &shape)?;
        let mut biases = self.read(&format!("{name}.bias"), &[outputs])?;
        if let Some(factors) = factors {
            let rows = numbers.chunks_exact_mut(inputs).zip(factors);
            rows.for_each(|(row, factor)| row.iter_mut().for_each(|it| *it *= factor));
            biases.iter_mut().zip(factors).for_each(|(bias, factor)| *bias *= factor);
        }
        self.weights.reals(&format!("{name}.weight"), &[inputs, outputs], &turned(&numbers, inputs))?;
        self.weights.reals(&format!("{name}.bias"), &[outputs], &biases)
    }

    /// What says where something is.
    fn place(&mut self, name: &str, coordinates: usize, width: usize) -> Result<(), ConvertError> {
        self.matrix(&format!("{name}.proj"), [width, coordinates], None)?;
        self.matrix(&format!("{name}.mlp.0"), [4 * width, width], None)?;
        self.matrix(&format!("{name}.mlp.3"), [width, 4 * width], None)
    }

    fn attention(&mut self, name: &str) -> Result<(), ConvertError> {
        let (width, head) = (self.sizes.width(), self.sizes.width() / self.sizes.heads);
        for part in ["q", "k", "v"] {
            let name = format!("{name}.module.{part}_proj_weight");
            // These are written as ONNX multiplies.
            let mut numbers = self.read(&name, &[width, width])?;
            if part == "q" {
                numbers.iter_mut().for_each(|it| *it /= (head as f32).sqrt());
            }
            self.weights.reals(&name, &[width, width], &numbers)?;
        }
        let factors = self.read(&format!("{name}.scale"), &[width])?;
        self.matrix(&format!("{name}.module.out_proj"), [width, width], Some(&factors))
    }

    fn inner(&mut self, name: &str) -> Result<(), ConvertError> {
        let (width, inner) = (self.sizes.width(), self.sizes.inner());
        let factors = self.read(&format!("{name}.scale"), &[width])?;
        self.matrix(&format!("{name}.module.0"), [inner, width], None)?;
        self.matrix(&format!("{name}.module.3"), [width, inner], Some(&factors))
    }

    /// A step of time to its frames: a transposed convolution whose steps do not overlap is a matrix.
    fn steps_to_frames(&mut self) -> Result<(), ConvertError> {
        let width = self.sizes.width();
        let numbers = self.read(&format!("{FRAMES}.weight"), &[width, width, STEP])?;
        let of_input = |row: &[f32]| turned(row, STEP);
        let numbers: Vec<f32> = numbers.chunks_exact(width * STEP).flat_map(of_input).collect();
        self.weights.reals(&format!("{FRAMES}.weight"), &[width, width * STEP], &numbers)?;
        let biases = self.read(&format!("{FRAMES}.bias"), &[width])?;
        self.weights.reals(&format!("{FRAMES}.bias"), &[width * STEP], &biases.repeat(STEP))
    }

    /// One matrix for the ends of events, for their begins, and for events of one frame.
    fn scores(&mut self) -> Result<(), ConvertError> {
        let width = self.sizes.width();
        let outputs = 2 * width + 1;
        let numbers = self.read(&format!("{SCORES}.weight"), &[outputs, width])?;
        let biases = self.read(&format!("{SCORES}.bias"), &[outputs])?;
        let parts = [0..width, width..2 * width, 2 * width..outputs];
        for (n, (name, part)) in SCORE_PARTS.into_iter().zip(parts).enumerate() {
            // Products are divided by the root of their length.
            let factor = if n == 0 { 1.0 / (width as f32).sqrt() } else { 1.0 };
            let scaled = |numbers: &[f32]| -> Vec<f32> { numbers.iter().map(|it| it * factor).collect() };
            let matrix = turned(&scaled(&numbers[part.start * width..part.end * width]), width);
            self.weights.reals(&format!("{name}.weight"), &[width, part.len()], &matrix)?;
            self.weights.reals(&format!("{name}.bias"), &[part.len()], &scaled(&biases[part]))?;
        }
        Ok(())
    }
}

/// Rows of so many numbers as columns.
fn turned(numbers: &[f32], row: usize) -> Vec<f32> {
    (0..row).flat_map(|column| numbers[column..].iter().step_by(row).copied()).collect()
}
