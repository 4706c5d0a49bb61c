//! What the program's commands do, from options to a report. They read and write what they are handed, and print nothing.

use std::io::{Seek, Write};

use serde::Serialize;

use super::rewrite::{Change, change_file};
use super::settings::{Algorithm, Channels, Humanize};
use super::styles::{preset_named, style};
use super::{ApplyOptions, Changes, DRUM_CHANNEL, Groove, GrooveError, Statistics};
use crate::index::SongIndex;
use crate::source::ByteSource;

/// What was chosen for humanising: names and numbers, each of which may be left open.
#[derive(Clone, Debug, PartialEq)]
pub struct HumanizeChoice {
    /// Name of a [`Preset`](super::Preset).
    pub preset: Option<String>,
    /// Name of a [`Style`](super::Style); its feel wins over the preset's.
    pub style: Option<String>,
    /// See [`Humanize::complexity`]; wins over preset and style.
    pub complexity: Option<f64>,
    /// See [`Humanize::vulnerability`]; wins over preset and style.
    pub vulnerability: Option<f64>,
    /// Channel, 1 to 16; the drums if they play, else all, where none is named.
    pub channel: Option<u8>,
    /// Whether soft strokes may be added.
    pub ghost_notes: bool,
    /// See [`Humanize::ghosts`]; wins over preset and style.
    pub ghosts: Option<f64>,
    /// See [`Humanize::dropout`].
    pub dropout: Option<f64>,
    /// See [`Humanize::seed`].
    pub seed: u64,
    /// See [`Humanize::algorithm`]; the drummer where none is named.
    pub algorithm: Option<Algorithm>,
}

impl Default for HumanizeChoice {
    fn default() -> Self {
        HumanizeChoice {
            preset: None,
            style: None,
            complexity: None,
            vulnerability: None,
            channel: None,
            ghost_notes: true,
            ghosts: None,
            dropout: None,
            seed: 1,
            algorithm: None,
        }
    }
}

impl HumanizeChoice {
    /// The settings that the choice amounts to, on all channels or the one that it names.
    ///
    /// # Errors
    /// [`GrooveError::Unknown`] or [`GrooveError::Range`].
    pub fn settings(&self) -> Result<Humanize, GrooveError> {
        let preset = self.preset.as_deref().map(preset_named).transpose()?;
        let chosen_style = self.style.as_deref().map(style).transpose()?;
        let named = self.preset.is_some() || self.style.is_some();
        let of_style = style(
            chosen_style.or(preset.map(|it| style(it.style)).transpose()?).map_or("standard", |it| it.name),
        )?;
        let mut settings = match preset {
            Some(preset) => {
                Humanize { feel: of_style.settings(self.seed).feel, ..preset.settings(self.seed) }
            }
            None => of_style.settings(self.seed),
        };
        settings.complexity = self.complexity.unwrap_or(settings.complexity);
        settings.vulnerability = self.vulnerability.unwrap_or(settings.vulnerability);
        settings.algorithm = self.algorithm.unwrap_or(Algorithm::Drummer);
        if !named {
            // The bare engine: its own limits of velocity, and ghost notes by its own rule.
            let bare = match settings.algorithm {
                Algorithm::Uniform => Humanize::uniform,
                Algorithm::Drummer => Humanize::drummer,
            };
            settings = bare(settings.complexity, settings.vulnerability, self.seed);
        }
        settings.ghosts = self.ghosts.unwrap_or(settings.ghosts);
        if !self.ghost_notes {
            settings.ghosts = 0.0;
        }
        settings.dropout = self.dropout;
        settings.channels = channels(self.channel)?.unwrap_or(Channels::ALL);
        settings.checked()
    }
}

fn channels(channel: Option<u8>) -> Result<Option<Channels>, GrooveError> {
    let Some(channel) = channel else { return Ok(None) };
    super::error::in_range("channel", channel.into(), 1.0, 16.0)?;
    Ok(Some(Channels::one(channel - 1)))
}

/// The channels that notes are played on.
fn playing(index: &SongIndex) -> Channels {
    let used = index.programs.iter().filter(|program| program.keys != 0);
    Channels(used.fold(0, |bits, program| bits | 1 << (program.channel & 0x0f)))
}

/// The channels that a change is for.
fn chosen(index: &SongIndex, asked: Option<Channels>, default: Channels) -> Result<Channels, GrooveError> {
    let playing = playing(index);
    if playing.0 == 0 {
        return Err(GrooveError::NoNotes("in the file"));
    }
    let chosen = Channels(asked.unwrap_or(default).0 & playing.0);
    match (chosen.0, asked) {
        (0, Some(_)) => Err(GrooveError::NoNotes("on the channel that was asked for")),
        (0, None) => Ok(playing),
        _ => Ok(chosen),
    }
}

/// What humanising did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HumanizeReport {
    /// How chance moved notes.
    pub algorithm: Algorithm,
    /// See [`Humanize::complexity`].
    pub complexity: f64,
    /// See [`Humanize::vulnerability`].
    pub vulnerability: f64,
    /// See [`Humanize::ghosts`].
    pub ghost_probability: f64,
    /// See [`Humanize::dropout`].
    pub dropout: f64,
    /// See [`Humanize::seed`].
    pub seed: u64,
    /// Channels whose notes were changed, 1 to 16.
    pub channels: Vec<u8>,
    /// What was done.
    #[serde(flatten)]
    pub changes: Changes,
    /// How late notes are on average now, in ticks of the file.
    pub mean_ticks: f64,
    /// Standard deviation of that.
    pub sd_ticks: f64,
    /// Mean velocity now.
    pub mean_velocity: f64,
    /// Mean velocity as it was.
    pub mean_velocity_before: f64,
}

/// Humanises a file: `kmidi groove humanize`. As [`change_file`].
///
/// # Errors
/// [`GrooveError`]; where the choice or the file cannot be used, nothing has been written.
pub fn humanize_file<W: Write + Seek>(
    source: &dyn ByteSource,
    index: &SongIndex,
    choice: &HumanizeChoice,
    out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<HumanizeReport, GrooveError> {
    let mut settings = choice.settings()?;
    let asked = choice.channel.is_some().then_some(settings.channels);
    settings.channels = chosen(index, asked, Channels::one(DRUM_CHANNEL))?;
    let changes = change_file(source, index, Change::Humanize(&settings), out, progress)?;
    let (mean_velocity, mean_velocity_before) = changes.mean_velocities();
    Ok(HumanizeReport {
        algorithm: settings.algorithm,
        complexity: settings.complexity,
        vulnerability: settings.vulnerability,
        ghost_probability: settings.ghosts,
        dropout: settings.dropout(),
        seed: settings.seed,
        channels: settings.channels.numbers(),
        mean_ticks: changes.mean_ticks(),
        sd_ticks: changes.sd_ticks(),
        mean_velocity,
        mean_velocity_before,
        changes,
    })
}

/// What applying a groove did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApplyReport {
    /// Name of the groove.
    pub groove: String,
    /// See [`ApplyOptions::intensity`].
    pub intensity: f64,
    /// Swing of the groove.
    pub swing: f64,
    /// Places in a whole note that it was applied at.
    pub slots_per_whole: u8,
    /// Channels whose notes were changed, 1 to 16.
    pub channels: Vec<u8>,
    /// What was done.
    #[serde(flatten)]
    pub changes: Changes,
    /// How late notes are on average now, in ticks of the file.
    pub mean_ticks: f64,
    /// Mean velocity now.
    pub mean_velocity: f64,
    /// Mean velocity as it was.
    pub mean_velocity_before: f64,
}

/// Plays a file with a groove: `kmidi groove apply`. As [`change_file`]; but at intensity 0, where nothing changes, what is written is
/// byte for byte what was read.
///
/// # Errors
/// [`GrooveError`]; where the options or the file cannot be used, nothing has been written.
pub fn apply_file<W: Write + Seek>(
    source: &dyn ByteSource,
    index: &SongIndex,
    groove: &Groove,
    options: &ApplyOptions,
    mut out: W,
    progress: &mut dyn FnMut(u64),
) -> Result<ApplyReport, GrooveError> {
    let channels = chosen(index, options.channels, Channels::ALL)?;
    let options = ApplyOptions { channels: Some(channels), ..*options };
    let change = Change::Apply(groove, &options);
    let changes = if options.intensity == 0.0 {
        let changes = change_file(source, index, change, std::io::empty(), progress)?;
        copy(source, &mut out)?;
        changes
    } else {
        change_file(source, index, change, out, progress)?
    };
    let (mean_velocity, mean_velocity_before) = changes.mean_velocities();
    Ok(ApplyReport {
        groove: groove.name.clone(),
        intensity: options.intensity,
        swing: groove.swing,
        slots_per_whole: options.slots_per_whole.unwrap_or(groove.slots_per_whole),
        channels: channels.numbers(),
        mean_ticks: changes.mean_ticks(),
        mean_velocity,
        mean_velocity_before,
        changes,
    })
}

/// Copies a source as it is.
fn copy(source: &dyn ByteSource, out: &mut impl Write) -> std::io::Result<()> {
    let mut piece = vec![0; 1 << 16];
    let mut at = 0;
    loop {
        let count = source.read_at(at, &mut piece)?;
        if count == 0 {
            return out.flush();
        }
        out.write_all(&piece[..count])?;
        at += count as u64;
    }
}

/// What was learnt from a song: `kmidi groove extract`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtractReport {
    /// Name of the groove.
    pub groove: String,
    /// Its swing.
    pub swing: f64,
    /// Places in a whole note.
    pub slots_per_whole: u8,
    /// Places of which something is known.
    pub slots_known: usize,
    /// Slowest and fastest tempo, in quarter notes a minute.
    pub tempo_range_bpm: (f64, f64),
    /// Its figures.
    pub statistics: Statistics,
    /// Channels on which notes are played, 1 to 16.
    pub channels: Vec<u8>,
}

/// A report of a groove that was extracted.
pub fn extract_report(groove: &Groove) -> ExtractReport {
    ExtractReport {
        groove: groove.name.clone(),
        swing: groove.swing,
        slots_per_whole: groove.slots_per_whole,
        slots_known: groove.slots.iter().flatten().count(),
        tempo_range_bpm: groove.tempo_range_bpm,
        statistics: groove.statistics.unwrap_or_default(),
        channels: groove.channels.iter().map(|channel| channel.channel).collect(),
    }
}

/// How far what was written has drifted from what it was made of: `--check-drift`. All are 0 where nothing has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Ticks by which the song ends later; negative is earlier.
    pub end_ticks: i64,
    /// Furthest that the end of a track has moved, in ticks.
    pub most_track_end_ticks: u64,
    /// Tracks more, or fewer if negative.
    pub tracks: i64,
}

impl Drift {
    /// Nothing has drifted.
    pub fn is_none(&self) -> bool {
        *self == Drift::default()
    }
}

/// Compares a song with what was written of it, from the two files as they are read.
pub fn drift(before: &SongIndex, after: &SongIndex) -> Drift {
    let ends = before.tracks.iter().zip(&after.tracks);
    Drift {
        end_ticks: after.end.0 - before.end.0,
        most_track_end_ticks: ends.map(|(a, b)| (b.end.0 - a.end.0).unsigned_abs()).max().unwrap_or(0),
        tracks: after.tracks.len() as i64 - before.tracks.len() as i64,
    }
}
