use arrayvec::ArrayVec;

use crate::limits::MAX_SPANS;
use crate::musical::{Beats, MusicalAnchor};
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
    /// What these three come from.
    pub anchor: MusicalAnchor,
    /// The loop, when it is on.
    pub looping: Option<LoopRange>,
    /// The runs of the quantum, covering it without a gap; empty while not playing.
    pub spans: ArrayVec<Span, MAX_SPANS>,
}

impl Transport {
    /// Sets musical time to that of `position`. `[side A]`
    pub fn set_musical_time(&mut self, anchor: MusicalAnchor) {
        self.anchor = anchor;
        self.beats = anchor.beats_at(self.position);
        (self.bar_start, self.bar) = anchor.bar_at(self.beats);
    }
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
            anchor: MusicalAnchor::default(),
            looping: None,
            spans: ArrayVec::new(),
        }
    }
}
