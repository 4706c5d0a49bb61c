//! An audio file through a chain of plugins, as fast as they go.

mod sink;
mod source;
mod wire;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kmidi_core::limits::MAX_CALLBACK_FRAMES;
use kmidi_device::Offline;
use kmidi_device::files::{
    AudioFileReader, AudioFileWriter, AudioSpec, Container, FileError, ReadError, ReadLoss, SampleFormat,
};
use kmidi_graph::{EngineHandle, GraphError};
use kmidi_host::scan::IndexError;
use kmidi_host::{Activation, ActivePlugin, Told};
use kmidi_memory::{Budgets, MIB, audio_heap};
use kmidi_rt::{Engine, EngineConfig};
use kmidi_sys::process_cpu_time;
use serde::Serialize;

use crate::chain::{LinkError, PluginChoice};
use crate::input::{OverInput, check_output};
use crate::job::{Cancel, JobContext, JobError, Need};
use crate::plugins::{self, ScanError};
use crate::rack::Sides;
use crate::rig::RigError;
use crate::snapshot::dbfs;
use crate::tail::{Tail, Tails};
use sink::Sink;
use source::Source;
use wire::Chain;

/// Frames of a callback: what is done between two looks at whether it is still wanted.
const BLOCK_FRAMES: usize = 4096;
const _: () = assert!(BLOCK_FRAMES <= MAX_CALLBACK_FRAMES);

/// What to do to which file.
#[derive(Clone, Debug)]
pub struct FxRequest {
    /// The audio file to read.
    pub input: PathBuf,
    /// The audio file to write, WAV or FLAC.
    pub output: PathBuf,
    /// How its samples are stored.
    pub format: SampleFormat,
    /// The plugins, in their order. With none the file is copied.
    pub plugins: Vec<PluginChoice>,
    /// Rate of the chain and the output, in Hz; the input's where none is given.
    pub rate_hz: Option<u32>,
    /// Frames that plugins get at once.
    pub quantum_frames: u32,
    /// How long to go on behind the end of the input.
    pub tail: Tail,
    /// Whose memory it uses.
    pub budgets: Budgets,
}

/// A plugin of the chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FxPlugin {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many of it there are: two for a mono plugin between two channels.
    pub instances: usize,
    /// Frames by which it is late; they are taken off.
    pub latency_frames: u32,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FxReport {
    /// The file that was read.
    pub input: PathBuf,
    /// The file that was written.
    pub output: PathBuf,
    /// The chain.
    pub plugins: Vec<FxPlugin>,
    /// Rate of the input, in Hz.
    pub input_rate_hz: u32,
    /// Rate of the chain and the output, in Hz.
    pub sample_rate_hz: u32,
    /// Channels of the input.
    pub input_channels: usize,
    /// Channels of the output.
    pub channels: usize,
    /// Frames of the input.
    pub input_frames: u64,
    /// Frames of the output.
    pub frames: u64,
    /// Frames by which the chain was late, taken off the front.
    pub latency_frames: u64,
    /// The highest sample, as loud as it was before it was lowered.
    pub peak_dbfs: f32,
    /// Frames that were louder than full scale and were lowered, as integer formats need it.
    pub limited_frames: u64,
    /// Samples of the input that are no numbers, or infinite; they are silent.
    pub not_numbers: u64,
    /// Plugins muted for sending what is no sound.
    pub guard_trips: u64,
    /// What the plugins said.
    pub messages: Vec<String>,
    /// What of the input could not be read.
    #[serde(flatten)]
    pub loss: ReadLoss,
    /// Time it took.
    pub elapsed_seconds: f64,
    /// Processor time of the chain alone, without loading, resampling and files, where the system tells.
    pub chain_cpu_seconds: Option<f64>,
    /// How many times faster than it sounds.
    pub speed: f64,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum FxError {
    /// The input cannot be read.
    #[error(transparent)]
    Input(#[from] ReadError),
    /// The output would replace the input.
    #[error(transparent)]
    OverInput(#[from] OverInput),
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] FileError),
    /// The plugins cannot be looked up.
    #[error(transparent)]
    Plugins(#[from] ScanError),
    /// The chain cannot be had.
    #[error(transparent)]
    Chain(#[from] LinkError),
    /// A plugin has no sound to go in or to come out.
    #[error("{plugin} has no audio {what}: it cannot stand in a chain of effects{advice}")]
    NoAudio {
        /// Which.
        plugin: String,
        /// Input or output.
        what: &'static str,
        /// Where it can.
        advice: &'static str,
    },
    /// The input has no sound.
    #[error("{}: there is no sound in it: it is empty, or cut off before its first sample", .0.display())]
    Empty(PathBuf),
    /// Channels do not fit.
    #[error(
        "{from} has {from_channels} channels and {to} takes {to_channels}: only mono and stereo go into each other. Take a \
         plugin for {from_channels} channels, or mix the file down to 2 first"
    )]
    Channels {
        /// What gives.
        from: String,
        /// How many.
        from_channels: u16,
        /// What takes.
        to: String,
        /// How many.
        to_channels: u16,
    },
    /// The engine could not be set up.
    #[error(transparent)]
    Rig(#[from] RigError),
    /// It is not wanted any more, or has no room.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl FxError {
    /// Whether it is what was asked for, or the input, that is at fault.
    pub fn is_usage(&self) -> bool {
        match self {
            FxError::Input(_)
            | FxError::Empty(_)
            | FxError::OverInput(_)
            | FxError::Chain(_)
            | FxError::NoAudio { .. }
            | FxError::Channels { .. } => true,
            FxError::Output(error) => error.is_usage(),
            FxError::Plugins(_) | FxError::Rig(_) | FxError::Job(_) => false,
        }
    }
}

impl From<IndexError> for FxError {
    fn from(error: IndexError) -> Self {
        FxError::Plugins(error.into())
    }
}

impl From<GraphError> for FxError {
    fn from(error: GraphError) -> Self {
        FxError::Rig(error.into())
    }
}

/// Sends a file through plugins. `on_progress` is told the part that is done, 0 to 1, where the input says how long it is;
/// `cancel` ends it soon, with nothing written.
///
/// # Errors
/// [`FxError`].
pub fn fx(request: &FxRequest, cancel: &Cancel, on_progress: impl FnMut(f64)) -> Result<FxReport, FxError> {
    check_output(&request.output, std::iter::once(&request.input))?;
    Container::of(&request.output)?.check(&request.output, request.format)?;
    let reader = AudioFileReader::open(&request.input)?;
    let rate_hz = request.rate_hz.unwrap_or(reader.sample_rate_hz());
    let held = match request.plugins.is_empty() {
        true => 0,
        // A plugin makes stereo of mono.
        false => request.tail.held_bytes(reader.channels().max(2), rate_hz),
    };
    let bytes = MIB + Source::bytes(&reader, request.rate_hz) + held;
    let need = Need::working(bytes, format!("effects on {}", request.input.display()));
    JobContext::run(&request.budgets, need, cancel, |context| {
        Pass::new(request, reader)?.run(request, &context, on_progress)
    })?
}

/// A chain and the file that goes through it.
struct Pass {
    started: Instant,
    source: Source,
    channels_out: u16,
    // The engine first: plugins end when their audio halves have.
    engine: Engine,
    handle: EngineHandle,
    plugins: Vec<ActivePlugin>,
    report: Vec<FxPlugin>,
    tails: Tails,
    latency_frames: u64,
    chain_cpu: Option<Duration>,
}

impl Pass {
    fn new(request: &FxRequest, reader: AudioFileReader) -> Result<Self, FxError> {
        let started = Instant::now();
        let source = Source::new(reader, request.rate_hz);
        let (sample_rate_hz, quantum_frames) = (source.sample_rate_hz(), request.quantum_frames);
        let channels_in = source.file().channels() as u16;
        let activation = Activation { sample_rate_hz, quantum_frames, offline: true };
        let known = plugins::lookup()?;
        let chain = Chain::load(&|text| Ok(known.find(text)?), &request.plugins, &activation, channels_in)?;
        let (report, tails, channels_out) = (chain.report(), chain.tails(), chain.channels_out);
        let config = EngineConfig {
            sample_rate_hz,
            quantum_frames,
            channels_in,
            channels_out,
            has_ceiling: request.format != SampleFormat::Float32,
        };
        let wired = audio_heap("the engine", || chain.wire(config)).map_err(RigError::from)?;
        let (mut handle, engine, plugins) = wired?;
        let latency_frames = handle.compiler().latency_frames().into();
        let chain_cpu = Some(Duration::ZERO);
        Ok(Pass {
            started,
            source,
            channels_out,
            engine,
            handle,
            plugins,
            report,
            tails,
            latency_frames,
            chain_cpu,
        })
    }

    fn run(
        mut self,
        request: &FxRequest,
        context: &JobContext,
        mut on_progress: impl FnMut(f64),
    ) -> Result<FxReport, FxError> {
        let sample_rate_hz = self.source.sample_rate_hz();
        let spec = AudioSpec { sample_rate_hz, channels: self.channels_out, format: request.format };
        let writer = AudioFileWriter::create(&request.output, Container::of(&request.output)?, spec)?;
        let (tail, silence) = (
            request.tail.most_frames(sample_rate_hz),
            request.tail.silence_frames(&self.tails, sample_rate_hz),
        );
        let mut sink = Sink::new(writer, self.latency_frames, tail, silence);
        let mut driver = Offline::duplex(self.source.file().channels(), self.channels_out.into());
        let (mut frames_in, mut messages) = (0, Vec::new());
        while !sink.is_done() {
            context.check()?;
            let mut inputs = driver.inputs(BLOCK_FRAMES);
            let frames = self.source.read(&mut inputs)?;
            inputs.iter_mut().for_each(|channel| channel[frames..].fill(0.0));
            drop(inputs);
            frames_in += frames as u64;
            if frames_in == 0 {
                return Err(FxError::Empty(request.input.clone()));
            }
            if frames < BLOCK_FRAMES {
                sink.input_ends(frames_in);
            }
            let before = process_cpu_time().ok();
            let block = driver.run(&mut self.engine, BLOCK_FRAMES);
            let taken = process_cpu_time().ok().zip(before).map(|(now, before)| now.saturating_sub(before));
            self.chain_cpu = self.chain_cpu.zip(taken).map(|(sum, taken)| sum + taken);
            sink.take(&block.channels)?;
            self.handle.collect();
            for plugin in &mut self.plugins {
                plugin.idle();
                listen(plugin, &mut messages);
            }
            if let Some(part) = self.source.progress() {
                on_progress(part);
            }
        }
        let (frames, peak) = sink.finish()?;
        Ok(self.report(request, messages, frames, peak))
    }

    fn report(self, request: &FxRequest, messages: Vec<String>, frames: u64, peak: f32) -> FxReport {
        let (sample_rate_hz, file) = (self.source.sample_rate_hz(), self.source.file());
        let status = self.handle.status();
        let elapsed_seconds = self.started.elapsed().as_secs_f64();
        FxReport {
            input: request.input.clone(),
            output: request.output.clone(),
            input_rate_hz: file.sample_rate_hz(),
            sample_rate_hz,
            input_channels: file.channels(),
            channels: self.channels_out.into(),
            input_frames: self.source.file_frames(),
            frames,
            latency_frames: self.latency_frames,
            peak_dbfs: dbfs(peak.max(status.ceiling_peak)),
            limited_frames: status.ceiling_frames,
            not_numbers: self.source.not_numbers(),
            guard_trips: status.guard_trips,
            messages,
            loss: file.loss(),
            elapsed_seconds,
            chain_cpu_seconds: self.chain_cpu.map(|it| it.as_secs_f64()),
            speed: frames as f64 / f64::from(sample_rate_hz) / elapsed_seconds,
            plugins: self.report,
        }
    }
}

/// Messages of plugins that are kept; one that talks without end is cut short.
const MAX_MESSAGES: usize = 64;

/// What a report says of plugins.
pub(crate) fn told(plugins: &[Sides]) -> Vec<FxPlugin> {
    let of = |plugin: &Sides| FxPlugin {
        id: plugin.description().id.to_string(),
        name: plugin.description().name.clone(),
        instances: plugin.instances(),
        latency_frames: plugin.plugin().node_info().latency_frames,
    };
    plugins.iter().map(of).collect()
}

/// Keeps what a plugin says, each thing once in a row.
pub(crate) fn listen(plugin: &mut ActivePlugin, messages: &mut Vec<String>) {
    while let Some(told) = plugin.told() {
        let text = match told {
            Told::Log(line) => line.as_str().to_owned(),
            Told::ProcessFailed => "failed, and is silent where it does".to_owned(),
            Told::Parameter { .. } => continue,
        };
        let message = format!("{}: {text}", plugin.description().name);
        if messages.len() < MAX_MESSAGES && messages.last() != Some(&message) {
            messages.push(message);
        }
    }
}
