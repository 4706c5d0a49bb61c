//! From a song to a file, faster than real time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use basedrop::{Handle, Shared};
use kmidi_core::SongTime;
use kmidi_device::CallbackSizes;
use kmidi_device::files::{AudioFileWriter, AudioSpec, Container, FileError, SampleFormat};
use kmidi_host::Kind;
use kmidi_memory::Budgets;
use kmidi_soundfont::{Preset, PresetKey};
use serde::Serialize;

use crate::chain::{self, LinkError};
use crate::command::Position;
use crate::feed::RESIDENT_EVENTS;
use crate::fx::FxPlugin;
use crate::input::{OverInput, check_output};
use crate::job::{Cancel, JobContext, JobError};
use crate::loudness::{Loudness, LoudnessMeter};
use crate::offline::{Counts, PassError, Score};
use crate::pool::{Pool, PoolFull, Priority};
use crate::presets::{self, LoadedSet, Notes};
use crate::rack::RackConfig;
use crate::rig::{CHANNELS, RigError, SoundSettings};
use crate::snapshot::dbfs;
use crate::song::{OpenError, OpenSong};
use crate::song_info::{WarningInfo, warnings};
use crate::sound_bank::{SoundBank, SoundBankError};
use crate::sound_fonts::{self, SoundFontChoice};
use crate::stems::{self, Stem};
use crate::tail::{End, Tail};
use crate::verify::{self, Verification};

/// Frames of one callback, so that a streamed song is fed often enough.
pub(crate) const BLOCK_FRAMES: usize = 512;

/// What to render, and how.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// The song; `-` for standard input.
    pub song: PathBuf,
    /// The SoundFonts, the last on top; the built-in one where there are none.
    pub sound_fonts: Vec<SoundFontChoice>,
    /// The file to write; its ending says which kind. Nothing is written without it.
    pub output: Option<PathBuf>,
    /// How samples are stored.
    pub format: SampleFormat,
    /// In Hz.
    pub sample_rate_hz: u32,
    /// Frames that are computed at once.
    pub quantum_frames: u32,
    /// How it is to sound.
    pub sound: SoundSettings,
    /// The plugins that it is played with.
    pub rack: RackConfig,
    /// Where to start.
    pub from: Option<Position>,
    /// Where to end.
    pub to: Option<Position>,
    /// How long to go on after the end.
    pub tail: Tail,
    /// A folder that gets a file for each channel.
    pub stems: Option<PathBuf>,
    /// Whether to measure loudness.
    pub loudness: bool,
    /// Whether to compare renders through callbacks of other lengths.
    pub verify: bool,
    /// Whose memory it uses.
    pub budgets: Budgets,
}

impl RenderRequest {
    /// The files that are read.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.song).chain(sound_fonts::files(&self.sound_fonts))
    }
}

/// What a render has done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RenderReport {
    /// The song.
    pub song: String,
    /// The SoundFonts, the top one first.
    pub sound_fonts: Vec<String>,
    /// The plugins, in their order.
    pub plugins: Vec<FxPlugin>,
    /// Frames by which the sound was late because of them, taken off the front.
    pub latency_frames: u64,
    /// What plugins said.
    pub messages: Vec<String>,
    /// The file that was written.
    pub output: Option<PathBuf>,
    /// In Hz.
    pub sample_rate_hz: u32,
    /// Frames computed at once.
    pub quantum_frames: u32,
    /// Length of the render in frames.
    pub frames: u64,
    /// Its length, tail included.
    pub duration_seconds: f64,
    /// The highest sample, as loud as it was before it was lowered.
    pub peak_dbfs: f32,
    /// Frames that were louder than full scale and were lowered, as integer formats need it.
    pub limited_frames: u64,
    /// Most voices at the same time.
    pub most_voices: u32,
    /// Frames that voices have sounded, those of all voices added up: what there was to compute.
    pub voice_samples: u64,
    /// Voices cut short for new ones.
    pub stolen_voices: u64,
    /// Events for which there was no room.
    pub dropped_events: u64,
    /// Notes that `transpose` moved beyond keys 0 to 127.
    pub notes_off_the_keyboard: u64,
    /// Nodes muted for sending what is no sound.
    pub guard_trips: u64,
    /// Damages found in the song.
    pub warnings: Vec<WarningInfo>,
    /// Sounds that the SoundFont lacks.
    pub missing_sounds: Vec<String>,
    /// Loudness, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
    /// The comparison, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verification>,
    /// The stems, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stems: Option<Vec<Stem>>,
    /// Processor time of the whole program so far.
    pub cpu_seconds: f64,
    /// Time it took.
    pub elapsed_seconds: f64,
    /// How many times faster than it sounds the song itself was rendered.
    pub speed: f64,
}

/// Where a render is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RenderProgress {
    /// Reading the song and its sounds; part of the samples done, 0 to 1.
    Opening(f64),
    /// Rendering; part done, 0 to 1.
    Rendering(f64),
    /// Rendering the channels one by one; part done, 0 to 1.
    Stems(f64),
    /// Rendering again and comparing; part done, 0 to 1.
    Verifying(f64),
}

/// Told of the progress, by several threads.
pub type OnProgress = Arc<dyn Fn(RenderProgress) + Send + Sync>;

/// Why a render did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The song cannot be opened.
    #[error(transparent)]
    Song(OpenError),
    /// The SoundFont cannot be used.
    #[error(transparent)]
    SoundBank(SoundBankError),
    /// The song cannot be read any more.
    #[error("{path}: {source}")]
    Reading {
        /// The song.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Output(#[from] FileError),
    /// An output would replace what it is made from.
    #[error(transparent)]
    OverInput(#[from] OverInput),
    /// The folder of the stems cannot be made.
    #[error("{}: no folder for the stems: {source}", path.display())]
    Stems {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A temporary file or a thread cannot be had.
    #[error("{what}: {source}")]
    System {
        /// What for.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The part to render has no length.
    #[error("there is nothing to render: the end ({to:.3} s) is not after the start ({from:.3} s)")]
    Nothing {
        /// In seconds.
        from: f64,
        /// In seconds.
        to: f64,
    },
    /// There are not all plugins.
    #[error(transparent)]
    Plugin(LinkError),
    /// The engine could not be set up.
    #[error(transparent)]
    Rig(#[from] RigError),
    /// A part of it did not end well, or had no room.
    #[error(transparent)]
    Job(JobError),
    /// A job too many.
    #[error(transparent)]
    PoolFull(#[from] PoolFull),
    /// It was cancelled; nothing was written.
    #[error("cancelled")]
    Cancelled,
}

impl From<OpenError> for RenderError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Job { source: JobError::Cancelled, .. } => RenderError::Cancelled,
            error => RenderError::Song(error),
        }
    }
}

impl From<SoundBankError> for RenderError {
    fn from(error: SoundBankError) -> Self {
        match error {
            SoundBankError::Job(JobError::Cancelled) => RenderError::Cancelled,
            error => RenderError::SoundBank(error),
        }
    }
}

impl From<JobError> for RenderError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Cancelled => RenderError::Cancelled,
            error => RenderError::Job(error),
        }
    }
}

impl RenderError {
    /// Whether it is the input, or what was asked for, that is at fault.
    pub fn is_unreadable_input(&self) -> bool {
        if let RenderError::Output(error) = self {
            return error.is_usage();
        }
        matches!(
            self,
            RenderError::Song(OpenError::Input(_) | OpenError::Song { .. } | OpenError::Io { .. })
                | RenderError::SoundBank(SoundBankError::Input(_) | SoundBankError::SoundFont { .. })
                | RenderError::Reading { .. }
                | RenderError::Nothing { .. }
                | RenderError::OverInput(_)
                | RenderError::Plugin(_)
                | RenderError::Rig(RigError::NoPlace { .. })
        )
    }

    pub(crate) fn from_pass(song: &OpenSong, error: PassError<RenderError>) -> Self {
        match error {
            PassError::Rig(error) => RenderError::Rig(error),
            PassError::Song(source) => RenderError::Reading { path: song.name.clone(), source },
            PassError::Job(error) => error.into(),
            PassError::Plugin(error) => RenderError::Plugin(error),
            PassError::Sink(error) => error,
        }
    }
}

/// Renders a song. It uses all processors where it can; `cancel` ends it soon, with nothing written.
///
/// # Errors
/// [`RenderError`].
pub fn render(
    request: &RenderRequest,
    cancel: &Cancel,
    on_progress: &OnProgress,
) -> Result<RenderReport, RenderError> {
    let mut collector = presets::collector();
    let rendered = render_with(request, cancel, on_progress, &collector.handle());
    // However it ended: what was loaded, and is held by nothing any more, is freed by the collector alone.
    collector.collect();
    let _ = collector.try_cleanup();
    rendered
}

fn render_with(
    request: &RenderRequest,
    cancel: &Cancel,
    on_progress: &OnProgress,
    handle: &Handle,
) -> Result<RenderReport, RenderError> {
    let started = Instant::now();
    on_progress(RenderProgress::Opening(0.0));
    request.output.as_ref().map_or(Ok(()), |output| check_output(output, request.inputs()))?;
    let output = request.output.as_ref().map(|path| writer(request, path.clone())).transpose()?;
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let no_thread = |source| RenderError::System { what: "no thread for a worker", source };
    let budgets = &request.budgets;
    let pool = Arc::new(Pool::new(workers, budgets).map_err(no_thread)?);
    let bank = Arc::new(SoundBank::open_here(&request.sound_fonts, handle, budgets, cancel)?);
    let song = OpenSong::open_here(&request.song, budgets, cancel)?;
    let plugins = || request.rack.plugins.iter();
    let notes = match () {
        () if chain::has_kind(plugins().map(|it| &it.choice), Kind::NoteEffect) => Notes::Changed,
        () if request.sound.transpose != 0 => Notes::Transposed,
        () => Notes::AsWritten,
    };
    // What an instrument plays for it the synthesiser need not be able to.
    let for_the_rest = plugins().filter(|it| it.channels.is_empty()).map(|it| &it.choice);
    let wanted = match chain::has_kind(for_the_rest, Kind::Instrument) {
        true => vec![],
        false => presets::wanted(&song, notes),
    };
    let tell = |part| on_progress(RenderProgress::Opening(part));
    let LoadedSet { presets, complaints, refused } = presets::load_all(&pool, &bank, &wanted, cancel, tell);
    if cancel.is_cancelled() {
        return Err(RenderError::Cancelled);
    }
    // A file without some of its instruments would be worse than none.
    if let Some(exceeded) = refused {
        return Err(RenderError::Job(exceeded.into()));
    }
    let score = score(request, song, presets)?;

    let main = Instant::now();
    let play = |context| main_pass(request, &score, output, &context, on_progress);
    let mut need = score.need();
    if !score.rack.plugins.is_empty() {
        need.bytes += request.tail.held_bytes(CHANNELS, request.sample_rate_hz);
    }
    let pass = JobContext::run(budgets, need, cancel, play)??;
    let main_seconds = main.elapsed().as_secs_f64();
    let jobs = Jobs { score: &score, frames: pass.counts.frames, pool: &pool, budgets, cancel, on_progress };
    let stems = request.stems.as_ref().map(|folder| stems::render(&jobs, folder, request)).transpose()?;
    let verify = pass.reference.map(|reference| verify::compare(&jobs, reference)).transpose()?;

    let duration_seconds = pass.counts.frames as f64 / f64::from(request.sample_rate_hz);
    Ok(RenderReport {
        song: score.song.name.clone(),
        sound_fonts: bank.names(),
        plugins: pass.counts.plugins,
        latency_frames: pass.counts.latency_frames,
        messages: pass.counts.messages,
        output: request.output.clone(),
        sample_rate_hz: request.sample_rate_hz,
        quantum_frames: request.quantum_frames,
        frames: pass.counts.frames,
        duration_seconds,
        peak_dbfs: dbfs(pass.counts.peak),
        limited_frames: pass.counts.ceiling_frames,
        most_voices: pass.counts.most_voices,
        voice_samples: pass.counts.voice_samples,
        stolen_voices: pass.counts.stolen_voices,
        dropped_events: pass.counts.dropped_events,
        notes_off_the_keyboard: pass.counts.notes_off_the_keyboard,
        guard_trips: pass.counts.guard_trips,
        warnings: warnings(&score.song.index),
        missing_sounds: complaints,
        loudness: pass.loudness,
        verify,
        stems,
        cpu_seconds: crate::cpu_seconds(),
        elapsed_seconds: started.elapsed().as_secs_f64(),
        speed: duration_seconds / main_seconds.max(1e-9),
    })
}

/// What passes beside the main one have in common.
pub(crate) struct Jobs<'a> {
    pub score: &'a Score,
    /// Length of the main pass.
    pub frames: u64,
    pub pool: &'a Pool,
    pub budgets: &'a Budgets,
    pub cancel: &'a Cancel,
    pub on_progress: &'a OnProgress,
}

impl Jobs<'_> {
    /// Runs a pass on a worker. Plugins have one main thread for their whole life in this program, and that is
    /// this one: with them the passes follow each other.
    pub fn spawn<T: 'static>(
        &self,
        job: impl FnOnce(JobContext) -> T + Send + 'static,
        deliver: impl FnOnce(Result<T, JobError>) + Send + 'static,
    ) -> Result<(), RenderError> {
        let need = self.score.need();
        if !self.score.rack.plugins.is_empty() {
            deliver(JobContext::run(self.budgets, need, self.cancel, job));
            return Ok(());
        }
        self.pool.spawn(Priority::Urgent, need, job, deliver)?;
        Ok(())
    }
}

fn score(
    request: &RenderRequest,
    song: OpenSong,
    presets: Vec<(PresetKey, Shared<Preset>)>,
) -> Result<Score, RenderError> {
    let rate = request.sample_rate_hz;
    let place = |position| song.song_time(position, SongTime::ZERO, rate);
    let from = request.from.map_or(SongTime::ZERO, place);
    let to = request.to.map(place);
    let end = to.unwrap_or_else(|| song.end(rate));
    // A song without any music is rendered as it is.
    if end <= from && song.end(rate) > SongTime::ZERO {
        return Err(RenderError::Nothing { from: from.seconds(rate), to: end.seconds(rate) });
    }
    Ok(Score {
        song,
        presets: presets.into(),
        sound: request.sound.clone(),
        rack: request.rack.clone(),
        // Floating point holds what is louder than full scale: whoever asks for it wants it whole.
        has_ceiling: request.format != SampleFormat::Float32,
        only: None,
        sample_rate_hz: rate,
        quantum_frames: request.quantum_frames,
        resident_events: RESIDENT_EVENTS,
        from,
        to,
    })
}

/// What the main pass gave.
struct MainPass {
    counts: Counts,
    loudness: Option<Loudness>,
    reference: Option<verify::Reference>,
}

fn main_pass(
    request: &RenderRequest,
    score: &Score,
    mut output: Option<AudioFileWriter>,
    context: &JobContext,
    on_progress: &OnProgress,
) -> Result<MainPass, RenderError> {
    let mut meter = request.loudness.then(|| LoudnessMeter::new(CHANNELS as u32, request.sample_rate_hz));
    let mut reference = request.verify.then(verify::Reference::create).transpose()?;
    let end = End::new(score.frames(), request.tail, request.sample_rate_hz);
    let sizes = &mut CallbackSizes::Constant(BLOCK_FRAMES);
    let pass = score.pass(sizes, end, context, |block, end| {
        if let Some(output) = &mut output {
            output.write(block)?;
        }
        if let Some(meter) = &mut meter {
            meter.add(block);
        }
        if let Some(reference) = &mut reference {
            reference.write(block)?;
        }
        on_progress(RenderProgress::Rendering(end.progress()));
        Ok(())
    });
    let counts = pass.map_err(|error| RenderError::from_pass(&score.song, error))?;
    output.map(AudioFileWriter::finish).transpose()?;
    Ok(MainPass { counts, loudness: meter.map(|meter| meter.finish(CHANNELS as u32)), reference })
}

/// A writer in the format of the request.
pub(crate) fn writer(request: &RenderRequest, path: PathBuf) -> Result<AudioFileWriter, RenderError> {
    let spec = AudioSpec {
        sample_rate_hz: request.sample_rate_hz,
        channels: CHANNELS as u16,
        format: request.format,
    };
    Ok(AudioFileWriter::create(&path, Container::of(&path)?, spec)?)
}
