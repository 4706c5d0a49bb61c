//! A song that has been opened: what it is, and what it needs to sound.

use std::io;
use std::path::Path;
use std::sync::Arc;

use kmidi_core::{SongTime, Ticks};
use kmidi_memory::{Budgets, Lease, MIB};
use kmidi_rt::ChannelMasks;
use kmidi_song::{EventStream, Message, SongError, SongIndex};
use kmidi_soundfont::{KeySet, PresetKey, PresetUse};

use crate::command::Position;
use crate::input::{FileSource, InputError};
use crate::job::{Cancel, JobContext, JobError, Need};
use crate::song_info::SongInfo;

/// Why a song cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It is no song.
    #[error("{path}: {source}")]
    Song {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: SongError,
    },
    /// It cannot be read to its end.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Nobody waits for it any more, or there is no room for it.
    #[error("{path}: {source}")]
    Job {
        /// The file.
        path: String,
        /// Why.
        source: JobError,
    },
}

/// A song, ready to be read from any place by any number of readers.
#[derive(Clone)]
pub(crate) struct OpenSong {
    pub name: String,
    pub index: Arc<SongIndex>,
    pub source: Arc<FileSource>,
    /// The presets that its notes sound, each with its keys.
    pub presets: Vec<(PresetKey, KeySet)>,
    /// Channels that have notes.
    pub sounding: ChannelMasks,
    /// Channels that never sound drums.
    pub melodic: ChannelMasks,
    /// Holds what the index takes.
    _lease: Arc<Lease>,
}

/// Events between two looks at whether the job may go on.
const CHECK_EVENTS: usize = 1024;

impl OpenSong {
    /// What opening a song needs: an index, which does not grow with the song for long.
    pub fn need(path: &Path) -> Need {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Need::working(MIB, name.to_string_lossy())
    }

    /// Opens a file, reads it through once and finds out what it needs. A job with the
    /// [`need`](Self::need) of this song.
    pub fn open(path: &Path, context: JobContext) -> Result<Self, OpenError> {
        let name = path.display().to_string();
        let (index, source) = scan(path)?;
        let mut wanted = PresetUse::new();
        let io_error = |source| OpenError::Io { path: name.clone(), source };
        let mut events = 0usize;
        let mut stream = EventStream::new(index.clone(), source.clone()).map_err(io_error)?;
        while let Some(next) = stream.next().map_err(io_error)? {
            match next.message {
                Message::Event(event) => wanted.event(next.port, event),
                Message::SysEx(bytes) => wanted.sysex(next.port, bytes),
                _ => {}
            }
            events += 1;
            if events.is_multiple_of(CHECK_EVENTS) {
                context.check().map_err(|source| OpenError::Job { path: name.clone(), source })?;
            }
        }
        drop(stream);
        let presets = wanted.used().collect();
        let (sounding, melodic) = (wanted.sounding_channels(), wanted.drum_channels().map(|drums| !drums));
        drop(wanted);
        let _lease = Arc::new(context.settle());
        Ok(OpenSong { name, index, source, presets, sounding, melodic, _lease })
    }

    /// Opens a file on the calling thread.
    pub fn open_here(path: &Path, budgets: &Budgets, cancel: &Cancel) -> Result<Self, OpenError> {
        let no_room = |source| OpenError::Job { path: path.display().to_string(), source };
        JobContext::run(budgets, Self::need(path), cancel, |context| Self::open(path, context))
            .map_err(no_room)?
    }

    /// The end of the song.
    pub fn end(&self, sample_rate_hz: u32) -> SongTime {
        self.index.tempo_map.song_time(self.index.end, sample_rate_hz)
    }

    /// A place in the song, in the time of an engine at `sample_rate_hz`. Relative places start
    /// from `now`. Never before the start nor after the end.
    pub fn song_time(&self, position: Position, now: SongTime, sample_rate_hz: u32) -> SongTime {
        let seconds = |seconds: f64| {
            let units = seconds * f64::from(sample_rate_hz) * SongTime::PER_FRAME as f64;
            SongTime(units as i64)
        };
        let ticks = |ticks| self.index.tempo_map.song_time(ticks, sample_rate_hz);
        let time = match position {
            Position::Bar(bar) => ticks(self.index.meter_map.bar_start(bar)),
            Position::Ticks(tick) => ticks(Ticks(tick)),
            Position::Seconds(at) => seconds(at),
            Position::RelativeSeconds(by) => SongTime(now.0.saturating_add(seconds(by).0)),
        };
        time.clamp(SongTime::ZERO, self.end(sample_rate_hz))
    }
}

/// Describes a song file.
///
/// # Errors
/// It cannot be read.
pub fn describe(path: &Path) -> Result<SongInfo, OpenError> {
    let (index, _) = scan(path)?;
    Ok(SongInfo::new(path.display().to_string(), &index))
}

fn scan(path: &Path) -> Result<(Arc<SongIndex>, Arc<FileSource>), OpenError> {
    let source = Arc::new(FileSource::open(path)?);
    let index = SongIndex::scan(&*source, &mut |_| {})
        .map_err(|source| OpenError::Song { path: path.display().to_string(), source })?;
    Ok((Arc::new(index), source))
}
