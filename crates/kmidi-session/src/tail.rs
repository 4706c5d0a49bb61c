//! Where a rendered song ends: after its tail.

/// Below this, half a second long, a tail has died away: half a step of 16 bits.
pub(crate) const SILENCE: f32 = 1.0 / 65_536.0;

/// How long to go on after the end of the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// Until it is silent, at most this long.
    UntilSilent {
        /// In seconds.
        limit_seconds: f64,
    },
    /// Exactly this long.
    Seconds(f64),
}

impl Default for Tail {
    fn default() -> Self {
        Tail::UntilSilent { limit_seconds: 30.0 }
    }
}

/// Counts frames to the end of a render. It looks at single frames, so that the end does not
/// depend on the sizes of the blocks it is shown.
pub(crate) struct End {
    song_frames: u64,
    most_frames: u64,
    /// Silent frames that end the tail.
    silence_frames: Option<u64>,
    seen: u64,
    silent: u64,
}

impl End {
    pub fn new(song_frames: u64, tail: Tail, sample_rate_hz: u32) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate_hz)).round() as u64;
        let (longest, silence_frames) = match tail {
            Tail::UntilSilent { limit_seconds } => (limit_seconds, Some(frames(0.5))),
            Tail::Seconds(seconds) => (seconds, None),
        };
        let most_frames = song_frames.saturating_add(frames(longest));
        End { song_frames, most_frames, silence_frames, seen: 0, silent: 0 }
    }

    /// A render that ends after exactly so many frames.
    pub fn exactly(frames: u64) -> Self {
        End { song_frames: frames, most_frames: frames, silence_frames: None, seen: 0, silent: 0 }
    }

    /// Looks at the next frames; how many of them belong to the render, and whether it is over.
    pub fn take(&mut self, channels: &[&[f32]]) -> (usize, bool) {
        let frames = channels.first().map_or(0, |channel| channel.len());
        if self.seen + (frames as u64) < self.song_frames.min(self.most_frames) {
            let loud = |channel: &&[f32]| channel.iter().rposition(|sample| sample.abs() >= SILENCE);
            self.seen += frames as u64;
            self.silent = match channels.iter().filter_map(loud).max() {
                Some(last) => (frames - 1 - last) as u64,
                None => self.silent + frames as u64,
            };
            return (frames, false);
        }
        for frame in 0..frames {
            if self.is_over() {
                return (frame, true);
            }
            self.seen += 1;
            let loud = channels.iter().any(|channel| channel[frame].abs() >= SILENCE);
            self.silent = if loud { 0 } else { self.silent + 1 };
        }
        (frames, self.is_over())
    }

    fn is_over(&self) -> bool {
        let died_away = self.silence_frames.is_some_and(|frames| self.silent >= frames);
        self.seen >= self.most_frames || (self.seen >= self.song_frames && died_away)
    }

    /// Frames that have been taken.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How much of the song has been seen, 0 to 1.
    pub fn progress(&self) -> f64 {
        (self.seen as f64 / self.song_frames.max(1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of a render at 1000 Hz of a song of 2000 frames that sounds for `sounding` frames.
    fn check(tail: Tail, sounding: usize, expected: u64) {
        for block in [1, 7, 64, 10_000] {
            let mut end = End::new(2000, tail, 1000);
            let samples: Vec<f32> = (0..100_000).map(|n| if n < sounding { 0.5 } else { 0.0 }).collect();
            let mut total = 0;
            for block in samples.chunks(block) {
                let (taken, over) = end.take(&[&vec![0.0; block.len()], block]);
                total += taken as u64;
                if over {
                    break;
                }
            }
            assert_eq!((total, end.seen()), (expected, expected), "blocks of {block}");
        }
    }

    #[test]
    fn the_end_does_not_depend_on_the_size_of_the_blocks() {
        let silent = Tail::UntilSilent { limit_seconds: 3.0 };
        check(silent, 2300, 2800);
        check(silent, 0, 2000);
        check(silent, 1900, 2400);
        check(silent, 100_000, 5000);
        check(Tail::Seconds(0.0), 100_000, 2000);
        check(Tail::Seconds(1.5), 0, 3500);
    }
}
