//! Whether a render is the same through callbacks of any length.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};

use crossbeam_channel::bounded;
use kmidi_device::CallbackSizes;
use serde::Serialize;
use serde::ser::SerializeSeq;

use crate::job::JobContext;
use crate::offline::Score;
use crate::render::{BLOCK_FRAMES, Jobs, RenderError, RenderProgress};
use crate::tail::End;

/// What the comparison found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    /// Whether every bit was the same every time.
    pub identical: bool,
    /// Lengths of the callbacks it was rendered through again; `"random"` for changing ones.
    #[serde(serialize_with = "sizes")]
    pub callback_sizes: Vec<Option<usize>>,
    /// Where the first difference was, if there was one.
    pub first_difference: Option<Difference>,
    /// The first plugin of the row with which there is one, as it was asked for; none where it is there without any.
    pub plugin: Option<String>,
}

/// A place where two renders part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Callback length of the render that is different; null for random ones.
    pub callback_size: Option<usize>,
    /// Frame from the start.
    pub frame: u64,
    /// Channel, from 0.
    pub channel: usize,
}

/// Constant lengths, and `None` for random ones.
const SIZES: [Option<usize>; 6] = [Some(1), Some(32), Some(64), Some(441), Some(1024), None];
/// More than a row of plugins is late.
const LATEST_SECONDS: u64 = 2;
const SEED: u64 = 0x6b6d_6964_6931;

fn sizes<S: serde::Serializer>(sizes: &[Option<usize>], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(sizes.len()))?;
    for size in sizes {
        match size {
            Some(frames) => list.serialize_element(frames)?,
            None => list.serialize_element("random")?,
        }
    }
    list.end()
}

/// Every sample of the first render, in a temporary file: a long song would not fit into memory.
pub(crate) struct Reference {
    file: BufWriter<File>,
    bytes: Vec<u8>,
}

impl Reference {
    pub fn create() -> Result<Self, RenderError> {
        let file = tempfile::tempfile().map_err(no_file)?;
        Ok(Reference { file: BufWriter::with_capacity(1 << 16, file), bytes: vec![] })
    }

    pub fn write(&mut self, block: &[&[f32]]) -> Result<(), RenderError> {
        to_bytes(block, &mut self.bytes);
        self.file.write_all(&self.bytes).map_err(no_file)
    }
}

fn no_file(source: io::Error) -> RenderError {
    RenderError::System { what: "no temporary file to compare with", source }
}

fn to_bytes(block: &[&[f32]], bytes: &mut Vec<u8>) {
    bytes.clear();
    for frame in 0..block[0].len() {
        bytes.extend(block.iter().flat_map(|channel| channel[frame].to_le_bytes()));
    }
}

/// Renders again through callbacks of every length, several at a time, and compares.
pub(crate) fn compare(jobs: &Jobs<'_>, reference: Reference) -> Result<Verification, RenderError> {
    let file = reference.file.into_inner().map_err(|error| no_file(error.into_error()))?;
    let (results, received) = bounded(SIZES.len());
    for size in SIZES {
        let (score, frames, cancel) = (jobs.score.clone(), jobs.frames, jobs.cancel.clone());
        let file = file.try_clone().map_err(no_file)?;
        let results = results.clone();
        let job =
            move |context: JobContext| difference(&score, size, frames, &file, &context.wanted_by(cancel));
        let deliver = move |result| {
            let _ = results.send(result);
        };
        jobs.spawn(job, deliver)?;
    }
    drop(results);
    let mut first_difference: Option<Difference> = None;
    (jobs.on_progress)(RenderProgress::Verifying(0.0));
    for (done, result) in received.iter().enumerate() {
        let difference = result??;
        first_difference = first_difference.into_iter().chain(difference).min_by_key(|found| found.frame);
        (jobs.on_progress)(RenderProgress::Verifying((done + 1) as f64 / SIZES.len() as f64));
    }
    let plugin = first_difference.map(|found| culprit(jobs, found)).transpose()?.flatten();
    Ok(Verification {
        identical: first_difference.is_none(),
        callback_sizes: SIZES.to_vec(),
        first_difference,
        plugin,
    })
}

/// The plugin that makes the difference: with those before it alone there is none.
fn culprit(jobs: &Jobs<'_>, found: Difference) -> Result<Option<String>, RenderError> {
    let plugins = &jobs.score.rack.plugins;
    // What plugins behind it are late has been taken off the front.
    let frames = jobs.frames.min(found.frame + LATEST_SECONDS * u64::from(jobs.score.sample_rate_hz));
    for count in 0..=plugins.len() {
        let mut score = jobs.score.clone();
        score.rack.plugins.truncate(count);
        let differs = |context: JobContext| differs(&score, found.callback_size, frames, &context);
        if JobContext::run(jobs.budgets, score.need(), jobs.cancel, differs)?? {
            return Ok(count.checked_sub(1).map(|at| plugins[at].choice.plugin.clone()));
        }
    }
    Ok(None)
}

/// Whether a render through callbacks of `size` is another than the usual one.
fn differs(
    score: &Score,
    size: Option<usize>,
    frames: u64,
    context: &JobContext,
) -> Result<bool, RenderError> {
    let mut reference = Reference::create()?;
    let sizes = &mut CallbackSizes::Constant(BLOCK_FRAMES);
    let pass = score.pass(sizes, End::exactly(frames), context, |block, _| reference.write(block));
    pass.map_err(|error| RenderError::from_pass(&score.song, error))?;
    let file = reference.file.into_inner().map_err(|error| no_file(error.into_error()))?;
    Ok(difference(score, size, frames, &file, context)?.is_some())
}

/// The first place where a render through callbacks of `size` is not the reference.
fn difference(
    score: &Score,
    size: Option<usize>,
    frames: u64,
    reference: &File,
    context: &JobContext,
) -> Result<Option<Difference>, RenderError> {
    let mut sizes = size.map_or(CallbackSizes::Random(SEED), CallbackSizes::Constant);
    let mut reference = BufReader::with_capacity(1 << 16, At { file: reference, offset: 0 });
    let (mut ours, mut theirs) = (vec![], vec![]);
    let mut frame = 0;
    let mut found = None;
    let pass = score.pass(&mut sizes, End::exactly(frames), context, |block, _| {
        to_bytes(block, &mut ours);
        theirs.resize(ours.len(), 0);
        reference.read_exact(&mut theirs).map_err(no_file)?;
        if found.is_none()
            && let Some(byte) = ours.iter().zip(&theirs).position(|(a, b)| a != b)
        {
            let sample = byte / size_of::<f32>();
            let (at, channel) = (sample / block.len(), sample % block.len());
            found = Some(Difference { callback_size: size, frame: frame + at as u64, channel });
        }
        frame += block[0].len() as u64;
        Ok(())
    });
    pass.map_err(|error| RenderError::from_pass(&score.song, error))?;
    Ok(found)
}

/// A file read from a place of its own: several jobs share one open file.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = crate::input::read_at(self.file, self.offset, bytes)?;
        self.offset += read as u64;
        Ok(read)
    }
}
