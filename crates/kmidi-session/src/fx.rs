//! An audio file through a chain of plugins, as fast as they go.

use std::path::PathBuf;
use std::time::Instant;

use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_LATENCY_FRAMES};
use kmidi_device::Offline;
use kmidi_device::files::{
    AudioFileReader, AudioFileWriter, AudioSpec, Container, FileError, ReadError, SampleFormat,
};
use kmidi_graph::{EngineHandle, Graph, GraphError, NodeId};
use kmidi_host::scan::IndexError;
use kmidi_host::{Activation, ActivePlugin, Told};
use kmidi_memory::{Budgets, MIB, audio_heap};
use kmidi_rt::{Engine, EngineConfig};
use serde::Serialize;

use crate::chain::{self, ChainError, Link, PluginChoice};
use crate::input::{OverInput, check_output};
use crate::job::{Cancel, JobContext, JobError, Need};
use crate::plugins::{self, ScanError};
use crate::rig::RigError;
use crate::snapshot::dbfs;
use crate::tail::{SILENCE, Tail};

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
    /// In Hz.
    pub sample_rate_hz: u32,
    /// Channels of both files.
    pub channels: usize,
    /// Frames of the input.
    pub input_frames: u64,
    /// Frames of the output.
    pub frames: u64,
    /// Frames by which the chain was late, taken off the front.
    pub latency_frames: u64,
    /// The highest sample.
    pub peak_dbfs: f32,
    /// Plugins muted for sending what is no sound.
    pub guard_trips: u64,
    /// What the plugins said.
    pub messages: Vec<String>,
    /// Damaged packets of the input that were left out.
    pub damaged_packets: u64,
    /// Time it took.
    pub elapsed_seconds: f64,
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
    Chain(#[from] ChainError),
    /// A plugin has no sound to go in or to come out.
    #[error("{plugin} has no audio {what}: it cannot stand in a chain of effects")]
    NoAudio {
        /// Which.
        plugin: String,
        /// Input or output.
        what: &'static str,
    },
    /// Channels do not fit.
    #[error("{from} gives {from_channels} channels and {to} takes {to_channels}")]
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
    /// The chain is too late.
    #[error("the chain is {frames} frames late, and {MAX_LATENCY_FRAMES} can be")]
    TooLate {
        /// Frames.
        frames: u64,
    },
    /// The engine could not be set up.
    #[error(transparent)]
    Rig(#[from] RigError),
    /// It is not wanted any more, or has no room.
    #[error(transparent)]
    Job(#[from] JobError),
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
    let reader = AudioFileReader::open(&request.input)?;
    let need = Need::working(MIB, format!("effects on {}", request.input.display()));
    JobContext::run(&request.budgets, need, cancel, |context| {
        Pass::new(request, reader)?.run(request, &context, on_progress)
    })?
}

/// A chain and the file that goes through it.
struct Pass {
    started: Instant,
    reader: AudioFileReader,
    // The engine first: plugins end when their audio halves have.
    engine: Engine,
    handle: EngineHandle,
    plugins: Vec<ActivePlugin>,
    report: Vec<FxPlugin>,
    latency_frames: u64,
}

impl Pass {
    fn new(request: &FxRequest, reader: AudioFileReader) -> Result<Self, FxError> {
        let started = Instant::now();
        let sample_rate_hz = reader.sample_rate_hz();
        let activation = Activation { sample_rate_hz, quantum_frames: request.quantum_frames, offline: true };
        let index = plugins::open_index()?;
        let links = chain::load(&index, &request.plugins, &activation)?;
        let told = links.iter().map(|link| FxPlugin {
            id: link.plugin.description().id.to_string(),
            name: link.info.name.clone(),
            latency_frames: link.info.latency_frames,
        });
        let report: Vec<_> = told.collect();
        let latency_frames = report.iter().map(|plugin| u64::from(plugin.latency_frames)).sum();
        if latency_frames > MAX_LATENCY_FRAMES as u64 {
            return Err(FxError::TooLate { frames: latency_frames });
        }
        let channels = reader.channels() as u16;
        let config = EngineConfig {
            sample_rate_hz,
            quantum_frames: request.quantum_frames,
            channels_in: channels,
            channels_out: channels,
            has_ceiling: request.format != SampleFormat::Float32,
        };
        let (handle, engine, plugins) =
            audio_heap("the engine", || wire(links, config)).map_err(RigError::from)??;
        Ok(Pass { started, reader, engine, handle, plugins, report, latency_frames })
    }

    fn run(
        mut self,
        request: &FxRequest,
        context: &JobContext,
        mut on_progress: impl FnMut(f64),
    ) -> Result<FxReport, FxError> {
        let (sample_rate_hz, channels) = (self.reader.sample_rate_hz(), self.reader.channels());
        let spec = AudioSpec { sample_rate_hz, channels: channels as u16, format: request.format };
        let writer = AudioFileWriter::create(&request.output, Container::of(&request.output)?, spec)?;
        let mut sink = Sink::new(writer, self.latency_frames, request.tail, sample_rate_hz);
        let mut driver = Offline::duplex(channels, channels);
        let (mut input_frames, mut messages) = (0, Vec::new());
        while !sink.is_done() {
            context.check()?;
            let mut inputs = driver.inputs(BLOCK_FRAMES);
            let frames = self.reader.read(&mut inputs)?;
            inputs.iter_mut().for_each(|channel| channel[frames..].fill(0.0));
            drop(inputs);
            input_frames += frames as u64;
            if frames < BLOCK_FRAMES {
                sink.input_ends(input_frames);
            }
            let block = driver.run(&mut self.engine, BLOCK_FRAMES);
            sink.take(&block.channels)?;
            self.handle.collect();
            for plugin in &mut self.plugins {
                plugin.idle();
                listen(plugin, &mut messages);
            }
            if let Some(total) = self.reader.frames().filter(|&total| total > 0) {
                on_progress((input_frames as f64 / total as f64).min(1.0));
            }
        }
        let guard_trips = self.handle.status().guard_trips;
        let (frames, peak) = sink.finish()?;
        let elapsed_seconds = self.started.elapsed().as_secs_f64();
        Ok(FxReport {
            input: request.input.clone(),
            output: request.output.clone(),
            plugins: self.report,
            sample_rate_hz,
            channels,
            input_frames,
            frames,
            latency_frames: self.latency_frames,
            peak_dbfs: dbfs(peak),
            guard_trips,
            messages,
            damaged_packets: self.reader.damaged_packets(),
            elapsed_seconds,
            speed: frames as f64 / f64::from(sample_rate_hz) / elapsed_seconds,
        })
    }
}

/// Messages of plugins that are kept; one that talks without end is cut short.
const MAX_MESSAGES: usize = 64;

fn listen(plugin: &mut ActivePlugin, messages: &mut Vec<String>) {
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

/// Input, plugins and output in a row.
fn wire(
    links: Vec<Link>,
    config: EngineConfig,
) -> Result<(EngineHandle, Engine, Vec<ActivePlugin>), FxError> {
    let mut graph = Graph::new();
    let mut plugins = Vec::with_capacity(links.len());
    let mut from = (graph.add_device_in(config.channels_in)?, "the file".to_owned(), config.channels_in);
    for Link { plugin, processor, info } in links {
        let name = info.name.clone();
        let channels = |ports: &[u16], what| {
            ports.first().copied().ok_or_else(|| FxError::NoAudio { plugin: name.clone(), what })
        };
        let (takes, gives) =
            (channels(&info.audio_inputs, "input")?, channels(&info.audio_outputs, "output")?);
        let node = graph.add_processor(info, processor)?;
        connect(&mut graph, &from, (node, &name, takes))?;
        from = (node, name, gives);
        plugins.push(plugin);
    }
    let output = graph.add_output(config.channels_out)?;
    connect(&mut graph, &from, (output, "the file", config.channels_out))?;
    let (mut handle, engine) = kmidi_graph::engine(config).map_err(RigError::from)?;
    handle.set_graph(&mut graph).map_err(RigError::from)?;
    Ok((handle, engine, plugins))
}

fn connect(graph: &mut Graph, from: &(NodeId, String, u16), to: (NodeId, &str, u16)) -> Result<(), FxError> {
    graph.connect_audio((from.0, 0), (to.0, 0)).map_err(|error| match error {
        GraphError::ChannelMismatch { from_channels, to_channels } => {
            FxError::Channels { from: from.1.clone(), from_channels, to: to.1.to_owned(), to_channels }
        }
        error => error.into(),
    })
}

/// Where the sound goes: without the latency in front and the silence behind.
struct Sink {
    writer: AudioFileWriter,
    /// Frames to leave out yet.
    skip: u64,
    /// Frames of the input, once they are known.
    input_frames: Option<u64>,
    /// Frames behind the input at most.
    tail_frames: u64,
    /// Silent frames that end it; with none the tail is as long as was asked for.
    silence_frames: Option<u64>,
    written: u64,
    /// Frames behind the input that are silent up to now, a vector a channel: written if there is sound behind them.
    held: Vec<Vec<f32>>,
    peak: f32,
}

impl Sink {
    fn new(writer: AudioFileWriter, latency_frames: u64, tail: Tail, sample_rate_hz: u32) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate_hz)).round() as u64;
        let (tail_frames, silence_frames) = match tail {
            Tail::UntilSilent { limit_seconds } => (frames(limit_seconds), Some(frames(0.5))),
            Tail::Seconds(seconds) => (frames(seconds), None),
        };
        let skip = latency_frames;
        Sink {
            writer,
            skip,
            input_frames: None,
            tail_frames,
            silence_frames,
            written: 0,
            held: Vec::new(),
            peak: 0.0,
        }
    }

    fn input_ends(&mut self, input_frames: u64) {
        self.input_frames.get_or_insert(input_frames);
    }

    fn held_frames(&self) -> u64 {
        self.held.first().map_or(0, |channel| channel.len() as u64)
    }

    fn is_done(&self) -> bool {
        let Some(input_frames) = self.input_frames else { return false };
        let seen = self.written + self.held_frames();
        let died_away = self.silence_frames.is_some_and(|frames| self.held_frames() >= frames);
        self.skip == 0 && seen >= input_frames && (died_away || seen >= input_frames + self.tail_frames)
    }

    fn take(&mut self, channels: &[&[f32]]) -> Result<(), FileError> {
        let frames = channels[0].len();
        let skipped = self.skip.min(frames as u64) as usize;
        self.skip -= skipped as u64;
        let reach = |from: usize, more: u64| from + more.min((frames - from) as u64) as usize;
        // What belongs to the input is written whatever it is. Until it has ended, all of it may.
        let Some(input_frames) = self.input_frames else { return self.write(channels, skipped, frames) };
        let from = reach(skipped, input_frames.saturating_sub(self.written));
        self.write(channels, skipped, from)?;
        let seen = self.written + self.held_frames();
        let to = reach(from, (input_frames + self.tail_frames).saturating_sub(seen));
        if self.silence_frames.is_none() {
            return self.write(channels, from, to);
        }
        let loud = |channel: &&[f32]| channel[from..to].iter().rposition(|it| it.abs() >= SILENCE);
        let silent_from = channels.iter().filter_map(loud).max().map_or(from, |last| from + last + 1);
        if silent_from > from {
            let held = std::mem::take(&mut self.held);
            let held: Vec<&[f32]> = held.iter().map(Vec::as_slice).collect();
            self.write(&held, 0, held.first().map_or(0, |channel| channel.len()))?;
            self.write(channels, from, silent_from)?;
        }
        self.held.resize(channels.len(), Vec::new());
        for (held, channel) in self.held.iter_mut().zip(channels) {
            held.extend(&channel[silent_from..to]);
        }
        Ok(())
    }

    fn write(&mut self, channels: &[&[f32]], from: usize, to: usize) -> Result<(), FileError> {
        if from == to {
            return Ok(());
        }
        let block: Vec<&[f32]> = channels.iter().map(|channel| &channel[from..to]).collect();
        self.peak = block.iter().map(|channel| kmidi_core::peak(channel)).fold(self.peak, f32::max);
        self.written += (to - from) as u64;
        self.writer.write(&block)
    }

    /// Completes the file; its frames and its peak. Silence that was held back is left out.
    fn finish(self) -> Result<(u64, f32), FileError> {
        self.writer.finish()?;
        Ok((self.written, self.peak))
    }
}
