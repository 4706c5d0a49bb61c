//! A song described, for people and programs.

use std::fmt;

use kmidi_core::Division;
use kmidi_song::{SongIndex, TextKind};
use serde::Serialize;

/// Most tempo changes that are listed; all are counted.
const LISTED: usize = 1000;

/// What there is to say of a song.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SongInfo {
    /// The file's name.
    pub file: String,
    /// SMF format: 0, 1 or 2.
    pub format: u8,
    /// Ticks in a quarter note, or frames per second and ticks in a frame.
    pub division: DivisionInfo,
    /// How many tracks there are.
    pub tracks: usize,
    /// Note-ons.
    pub notes: u64,
    /// Events of every kind.
    pub events: u64,
    /// At the written tempo.
    pub duration_seconds: f64,
    /// The same, exactly: a fraction of whole numbers.
    pub duration_fraction: String,
    /// Length in ticks.
    pub duration_ticks: i64,
    /// Bars begun.
    pub bars: u32,
    /// Places after the start where the tempo changes.
    pub tempo_changes: usize,
    /// Places after the start where the meter changes.
    pub meter_changes: usize,
    /// Tempos and where they begin; the first thousand.
    pub tempos: Vec<TempoInfo>,
    /// Meters and where they begin; the first thousand.
    pub meters: Vec<MeterInfo>,
    /// Title named in the file.
    pub title: Option<String>,
    /// Copyright notices.
    pub copyright: Vec<String>,
    /// Each track.
    pub track_list: Vec<TrackInfo>,
    /// Which channels play which programs.
    pub programs: Vec<ProgramInfo>,
    /// What is wrong with the file, as far as it is kept.
    pub warnings: Vec<WarningInfo>,
    /// How many warnings there were.
    pub warnings_total: u64,
}

/// What a tick is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DivisionInfo {
    /// Ticks in a quarter note.
    Ppq(u16),
    /// SMPTE time.
    Smpte {
        /// Frames per second.
        frames_per_second: f64,
        /// Ticks in a frame.
        ticks_per_frame: u8,
    },
}

/// A tempo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TempoInfo {
    /// From when on.
    pub seconds: f64,
    /// Quarter notes per minute.
    pub bpm: f64,
}

/// A meter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeterInfo {
    /// From which bar on.
    pub bar: u32,
    /// Beats in a bar.
    pub numerator: u8,
    /// Note value of a beat.
    pub denominator: u32,
}

/// A track.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackInfo {
    /// From 1.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Events of every kind.
    pub events: u64,
    /// Note-ons.
    pub notes: u64,
    /// Channels it sends on, from 1.
    pub channels: Vec<u8>,
}

/// A program that notes are played with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgramInfo {
    /// MIDI port, from 1.
    pub port: u8,
    /// From 1.
    pub channel: u8,
    /// From 1, as General MIDI lists count.
    pub program: u8,
    /// Bank select, most significant part.
    pub bank_msb: u8,
    /// Bank select, least significant part.
    pub bank_lsb: u8,
    /// Whether it is a drum kit.
    pub drums: bool,
    /// How many different keys are played.
    pub keys: u32,
}

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WarningInfo {
    /// Track, from 1; null outside of any.
    pub track: Option<u32>,
    /// Byte offset in the file.
    pub offset: u64,
    /// What it is and what is lost by it.
    pub message: String,
}

impl fmt::Display for WarningInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(track) = self.track {
            write!(f, "track {track}, ")?;
        }
        write!(f, "byte {}: {}", self.offset, self.message)
    }
}

impl SongInfo {
    /// Describes a scanned song.
    pub fn new(file: impl Into<String>, index: &SongIndex) -> Self {
        let (tempo_map, meter_map) = (&index.tempo_map, &index.meter_map);
        let (numerator, denominator) = tempo_map.seconds_fraction(index.end);
        let common = gcd(numerator, denominator);
        let tempos = tempo_map.changes().take(LISTED);
        let meters = meter_map.changes().iter().take(LISTED);
        let last_tick = kmidi_core::Ticks((index.end.0 - 1).max(0));
        SongInfo {
            file: file.into(),
            format: index.format.number(),
            division: match index.division {
                Division::Ppq(ticks) => DivisionInfo::Ppq(ticks),
                Division::Smpte { rate, subframes } => {
                    let (frames, seconds) = rate.fraction();
                    let frames_per_second = f64::from(frames) / f64::from(seconds);
                    DivisionInfo::Smpte { frames_per_second, ticks_per_frame: subframes }
                }
            },
            tracks: index.tracks.len(),
            notes: index.notes,
            events: index.events,
            duration_seconds: tempo_map.seconds(index.end),
            duration_fraction: format!("{}/{}", numerator / common, denominator / common),
            duration_ticks: index.end.0,
            bars: meter_map.position(last_tick).bar,
            tempo_changes: tempo_map.changes().count() - 1,
            meter_changes: meter_map.changes().len() - 1,
            tempos: tempos
                .map(|(tick, tempo)| TempoInfo { seconds: tempo_map.seconds(tick), bpm: tempo.bpm() })
                .collect(),
            meters: meters
                .map(|change| MeterInfo {
                    bar: change.bar,
                    numerator: change.meter.numerator,
                    denominator: change.meter.denominator(),
                })
                .collect(),
            title: title(index),
            copyright: texts(index, TextKind::Copyright).map(str::to_string).collect(),
            track_list: tracks(index),
            programs: programs(index),
            warnings: warnings(index),
            warnings_total: index.warnings.total(),
        }
    }
}

/// The title of a song: of a format 1 file, the name of its first track.
pub(crate) fn title(index: &SongIndex) -> Option<String> {
    let name = index.tracks.first()?.name.trim();
    Some(name).filter(|name| !name.is_empty()).map(str::to_string)
}

fn texts(index: &SongIndex, kind: TextKind) -> impl Iterator<Item = &str> {
    index.texts.iter().filter(move |text| text.kind == kind).map(|text| text.text.trim())
}

fn tracks(index: &SongIndex) -> Vec<TrackInfo> {
    let describe = |(n, track): (usize, &kmidi_song::TrackSummary)| TrackInfo {
        number: n + 1,
        name: track.name.to_string(),
        events: track.events,
        notes: track.notes,
        channels: (1..=16).filter(|channel| track.channels >> (channel - 1) & 1 == 1).collect(),
    };
    index.tracks.iter().enumerate().map(describe).collect()
}

fn programs(index: &SongIndex) -> Vec<ProgramInfo> {
    let describe = |used: &kmidi_song::ProgramUse| ProgramInfo {
        port: used.port + 1,
        channel: used.channel + 1,
        program: used.program + 1,
        bank_msb: used.bank_msb,
        bank_lsb: used.bank_lsb,
        drums: used.drums,
        keys: used.keys.count_ones(),
    };
    index.programs.iter().map(describe).collect()
}

/// What is wrong with a song, as far as it is kept.
pub(crate) fn warnings(index: &SongIndex) -> Vec<WarningInfo> {
    let describe = |warning: &kmidi_song::Warning| WarningInfo {
        track: warning.track.map(|track| track + 1),
        offset: warning.offset,
        message: warning.kind.to_string(),
    };
    index.warnings.as_slice().iter().map(describe).collect()
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
