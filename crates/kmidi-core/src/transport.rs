use arrayvec::ArrayVec;

use crate::limits::MAX_SPANS;
use crate::tempo::{Meter, Tempo};
use crate::time::{SongTime, TempoScale};

/// A stretch of song that repeats: `start` is played again when `end` is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopRange {
    /// First moment inside.
    pub start: SongTime,
    /// First moment outside.
    pub end: SongTime,
}

/// A run of frames inside one quantum in which song time runs without a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First frame, counted from the start of the quantum.
    pub offset: u32,
    /// Frames in this run.
    pub frames: u32,
    /// Song time at `offset`.
    pub position: SongTime,
    /// Whether song time jumped to `position` here (a loop wrap or a seek).
    pub jumped: bool,
}

/// Quarter notes since the song's start, in units of 2^-31 (CLAP's fixed point).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beats(pub i64);

impl Beats {
    /// The song's start.
    pub const ZERO: Beats = Beats(0);

    /// As a number of quarter notes.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / (1u64 << 31) as f64
    }
}

/// What the song is doing during one quantum: the same snapshot for every node (shifted by the
/// latency a node is behind).
#[derive(Clone, Debug)]
pub struct Transport {
    /// Whether song time advances.
    pub playing: bool,
    /// Song time at the first frame of the quantum.
    pub position: SongTime,
    /// Speed against the written tempo.
    pub scale: TempoScale,
    /// Tempo at the first frame, already scaled.
    pub tempo: Tempo,
    /// Meter at the first frame.
    pub meter: Meter,
    /// Musical time at the first frame.
    pub beats: Beats,
    /// Musical time at which the bar began.
    pub bar_start: Beats,
    /// Bars before this one.
    pub bar: i32,
    /// The loop, when it is on.
    pub looping: Option<LoopRange>,
    /// The runs of the quantum, covering it without a gap; empty while not playing.
    pub spans: ArrayVec<Span, MAX_SPANS>,
}

impl Default for Transport {
    fn default() -> Self {
        Transport {
            playing: false,
            position: SongTime::ZERO,
            scale: TempoScale::ONE,
            tempo: Tempo::default(),
            meter: Meter::default(),
            beats: Beats::ZERO,
            bar_start: Beats::ZERO,
            bar: 0,
            looping: None,
            spans: ArrayVec::new(),
        }
    }
}
