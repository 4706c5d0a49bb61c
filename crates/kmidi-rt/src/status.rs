use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrayvec::ArrayVec;
use kmidi_core::SongTime;
use kmidi_core::limits::MAX_DEVICE_CHANNELS;

use crate::meters::Level;
use crate::seqlock::SeqLock;

/// What the engine was doing when it last rendered: one consistent snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineStatus {
    /// Whether the transport is playing (also while it holds for a late page).
    pub playing: bool,
    /// Song time of the next frame to be rendered.
    pub position: SongTime,
    /// [`Timeline::id`](crate::Timeline::id) of the song; 0 without one.
    pub timeline: u64,
    /// Frames given to the device.
    pub frames: u64,
    /// Callbacks served.
    pub callbacks: u64,
    /// Quanta rendered.
    pub quanta: u64,
    /// Times the song wrapped at the end of its loop.
    pub loop_wraps: u64,
    /// Times song time held because a page was late.
    pub starvations: u64,
    /// Note-offs the sequencer owes; 0 whenever the song is paused.
    pub notes_owed: u32,
    /// Frames by which the border delays audio and MIDI input.
    pub input_latency_frames: u32,
    /// What had to be dropped because something was full.
    pub drops: Drops,
    /// Notes that transposition moved beyond keys 0 to 127.
    pub notes_off_the_keyboard: u64,
    /// Times the output guard muted a node.
    pub guard_trips: u64,
    /// Frames that the master ceiling has lowered.
    pub ceiling_frames: u64,
    /// The highest sample before the master ceiling lowered it; 0 where it never did.
    pub ceiling_peak: f32,
    /// Share of the callbacks' time that rendering took (1 = all of it), where a
    /// [`LoadMeter`](crate::LoadMeter) measures it.
    pub dsp_load: f32,
    /// Levels of the output channels.
    pub levels: ArrayVec<Level, MAX_DEVICE_CHANNELS>,
}

/// Events and reports that found no room, counted since the engine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Events of the song.
    pub song: u64,
    /// Events between nodes.
    pub graph: u64,
    /// MIDI to and from devices.
    pub midi: u64,
    /// Reports.
    pub reports: u64,
}

const SCALARS: usize = 20;
const WORDS: usize = SCALARS + 3 * MAX_DEVICE_CHANNELS;

impl EngineStatus {
    fn to_words(&self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        words[..SCALARS].copy_from_slice(&[
            u64::from(self.playing),
            self.position.0 as u64,
            self.timeline,
            self.frames,
            self.callbacks,
            self.quanta,
            self.loop_wraps,
            self.starvations,
            u64::from(self.notes_owed),
            u64::from(self.input_latency_frames),
            self.drops.song,
            self.drops.graph,
            self.drops.midi,
            self.drops.reports,
            self.guard_trips,
            u64::from(self.dsp_load.to_bits()),
            self.levels.len() as u64,
            self.notes_off_the_keyboard,
            self.ceiling_frames,
            u64::from(self.ceiling_peak.to_bits()),
        ]);
        for (words, level) in words[SCALARS..].chunks_exact_mut(3).zip(&self.levels) {
            let floats = [level.peak, level.rms, level.highest];
            words.copy_from_slice(&floats.map(|float| u64::from(float.to_bits())));
        }
        words
    }

    fn from_words(words: &[u64; WORDS]) -> Self {
        let float = |word: u64| f32::from_bits(word as u32);
        let level = |w: &[u64]| Level { peak: float(w[0]), rms: float(w[1]), highest: float(w[2]) };
        EngineStatus {
            playing: words[0] != 0,
            position: SongTime(words[1] as i64),
            timeline: words[2],
            frames: words[3],
            callbacks: words[4],
            quanta: words[5],
            loop_wraps: words[6],
            starvations: words[7],
            notes_owed: words[8] as u32,
            input_latency_frames: words[9] as u32,
            drops: Drops { song: words[10], graph: words[11], midi: words[12], reports: words[13] },
            notes_off_the_keyboard: words[17],
            guard_trips: words[14],
            ceiling_frames: words[18],
            ceiling_peak: float(words[19]),
            dsp_load: float(words[15]),
            levels: words[SCALARS..].chunks_exact(3).take(words[16] as usize).map(level).collect(),
        }
    }
}

/// The cell through which the status goes from side A to side B.
pub struct StatusCell {
    words: SeqLock<WORDS>,
    dsp_load: AtomicU32,
}

impl StatusCell {
    /// `[side B]`
    #[allow(clippy::disallowed_methods, reason = "side B")]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(StatusCell { words: SeqLock::new(), dsp_load: AtomicU32::new(0) })
    }

    /// `[side A]`
    pub(crate) fn publish(&self, status: &EngineStatus) {
        self.words.write(&status.to_words());
    }

    /// `[side A]`
    pub(crate) fn set_dsp_load(&self, load: f32) {
        self.dsp_load.store(load.to_bits(), Ordering::Relaxed);
    }

    /// The load measured last, for the next snapshot.
    pub(crate) fn dsp_load(&self) -> f32 {
        f32::from_bits(self.dsp_load.load(Ordering::Relaxed))
    }

    /// `[side B]` The latest snapshot.
    pub fn read(&self) -> EngineStatus {
        EngineStatus::from_words(&self.words.read())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_crosses_the_border_whole() {
        let level = |n: f32| Level { peak: n, rms: n / 2.0, highest: n * 2.0 };
        let status = EngineStatus {
            playing: true,
            position: SongTime(-5),
            timeline: 3,
            frames: 4,
            callbacks: 5,
            quanta: 6,
            loop_wraps: 7,
            starvations: 8,
            notes_owed: 9,
            input_latency_frames: 10,
            drops: Drops { song: 11, graph: 12, midi: 13, reports: 14 },
            notes_off_the_keyboard: 16,
            guard_trips: 15,
            ceiling_frames: 17,
            ceiling_peak: 18.0,
            dsp_load: 0.25,
            levels: (0..MAX_DEVICE_CHANNELS).map(|n| level(n as f32)).collect(),
        };
        let cell = StatusCell::new();
        assert_eq!(cell.read(), EngineStatus::default());
        cell.publish(&status);
        assert_eq!(cell.read(), status);
    }
}
