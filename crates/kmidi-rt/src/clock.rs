use kmidi_core::limits::{MAX_TEMPO_SCALE, MIN_LOOP_FRAMES};
use kmidi_core::{Frames, LoopRange, Meter, MusicalAnchor, SongTime, Tempo, TempoScale};

/// Shortest loop: at the highest tempo scale it still lasts [`MIN_LOOP_FRAMES`].
pub const MIN_LOOP: SongTime = SongTime::from_frames(Frames(MIN_LOOP_FRAMES as i64 * MAX_TEMPO_SCALE as i64));

/// Where the song is: an anchor and the whole frames played since, so that nothing accumulates.
/// `[side A]`
///
/// Every event's frame is computed from the anchor, not from the quantum or the span: it is the
/// frame nearest to the exact moment, whatever the lengths of quanta and callbacks. A loop wrap moves the
/// anchor by exactly the length of the loop and so keeps the fraction of a frame by which the wrap was rounded.
pub(crate) struct Clock {
    anchor: SongTime,
    elapsed: Frames,
    pub scale: TempoScale,
    pub playing: bool,
    /// The loop, while its end is ahead.
    pub looping: Option<LoopRange>,
    /// As written at the current position.
    pub tempo: Tempo,
    pub meter: Meter,
    /// Musical time, from the last change of tempo or meter on.
    pub musical: MusicalAnchor,
}

impl Clock {
    pub fn new() -> Self {
        Clock {
            anchor: SongTime::ZERO,
            elapsed: Frames(0),
            scale: TempoScale::ONE,
            playing: false,
            looping: None,
            tempo: Tempo::default(),
            meter: Meter::default(),
            musical: MusicalAnchor::default(),
        }
    }

    /// The song time of the next frame.
    pub fn position(&self) -> SongTime {
        SongTime(self.anchor.0.saturating_add(self.scale.song_time_in(self.elapsed).0))
    }

    /// Frames from the next frame to the one nearest to `time`.
    pub fn frames_until(&self, time: SongTime) -> i64 {
        let since_anchor = SongTime(time.0.saturating_sub(self.anchor.0));
        self.scale.frames_until(since_anchor).0 - self.elapsed.0
    }

    pub fn advance(&mut self, frames: u32) {
        self.elapsed += Frames(i64::from(frames));
    }

    pub fn locate(&mut self, position: SongTime) {
        self.anchor = position;
        self.elapsed = Frames(0);
    }

    /// From now on the song counts from `new` where it would have counted from `old`.
    pub fn rename(&mut self, old: SongTime, new: SongTime) {
        self.anchor = SongTime(self.anchor.0.saturating_sub(old.0.saturating_sub(new.0)));
    }

    pub fn set_scale(&mut self, scale: TempoScale) {
        self.locate(self.position());
        self.scale = scale;
    }

    /// The written tempo at the current scale.
    pub fn scaled_tempo(&self) -> Tempo {
        scaled(self.tempo, self.scale)
    }
}

/// A tempo as it sounds at a scale.
pub(crate) fn scaled(tempo: Tempo, scale: TempoScale) -> Tempo {
    if scale == TempoScale::ONE {
        return tempo;
    }
    let micros = (f64::from(tempo.micros_per_quarter) / scale.as_f64()).round();
    Tempo { micros_per_quarter: (micros as u32).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_a_fractional_length_does_not_drift() {
        // 4096 1/3 frames (rounded down to units), a thousand times.
        let range = LoopRange { start: SongTime(7), end: SongTime(7 + 4096 * 65_536 + 21_845) };
        let mut clock = Clock::new();
        clock.locate(range.start);
        let mut total = 0;
        for wrap in 1..=1000i64 {
            let frames = clock.frames_until(range.end);
            clock.advance(frames as u32);
            clock.rename(range.end, range.start);
            total += frames;
            assert_eq!(clock.frames_until(range.start), 0, "the start sounds on the frame of the wrap");
            let exact = wrap * (range.end.0 - range.start.0);
            assert_eq!(total, SongTime(exact).to_frames().0);
        }
    }

    #[test]
    fn an_event_beyond_any_time_does_not_overflow() {
        let mut clock = Clock::new();
        clock.rename(SongTime::MAX, SongTime::ZERO);
        assert!(clock.frames_until(SongTime::MAX) > 0);
        clock.locate(SongTime::MAX);
        clock.advance(1);
        assert_eq!(clock.position(), SongTime::MAX);
    }
}
