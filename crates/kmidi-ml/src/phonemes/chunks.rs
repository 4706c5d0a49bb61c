//! Cuts sound of any length into pieces that the model takes, where nobody speaks.

use super::voice::WINDOW_SAMPLES;

/// Windows of the longest piece: just under ten seconds.
pub(super) const MAX_WINDOWS: usize = 10 * super::SAMPLE_RATE_HZ as usize / WINDOW_SAMPLES;

/// A pause of so many windows, a second, always ends a piece.
const LONG_PAUSE_WINDOWS: usize = 31;

/// So many windows, a third of a second, are kept before the first and behind the last word of a piece.
const MARGIN_WINDOWS: usize = 10;

/// A piece with speech in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chunk {
    /// Where it begins, in samples of the whole.
    pub start: u64,
    /// Its sound.
    pub samples: Vec<f32>,
}

/// What is known of a window.
#[derive(Clone, Copy, Debug)]
struct Known {
    is_speech: bool,
    level_dbfs: f64,
}

/// Collects windows until a piece is complete; holds no more than the longest piece.
pub(super) struct Chunker {
    samples: Vec<f32>,
    windows: Vec<Known>,
    /// Of the first sample that is held.
    start: u64,
}

impl Chunker {
    pub fn new() -> Self {
        Chunker {
            samples: Vec::with_capacity(MAX_WINDOWS * WINDOW_SAMPLES),
            windows: Vec::with_capacity(MAX_WINDOWS),
            start: 0,
        }
    }

    /// Takes a window; returns a piece when one is complete.
    pub fn push(
        &mut self,
        window: &[f32; WINDOW_SAMPLES],
        is_speech: bool,
        level_dbfs: f64,
    ) -> Option<Chunk> {
        self.samples.extend_from_slice(window);
        self.windows.push(Known { is_speech, level_dbfs });
        let pause = self.pause_at_the_end();
        if pause == self.windows.len() {
            self.drop_front(pause.saturating_sub(MARGIN_WINDOWS));
            return None;
        }
        if pause >= LONG_PAUSE_WINDOWS {
            return self.cut(self.windows.len() - pause + MARGIN_WINDOWS);
        }
        if self.windows.len() == MAX_WINDOWS {
            return self.cut(self.best_cut());
        }
        None
    }

    /// The last piece, if there is speech in what is left.
    pub fn finish(&mut self) -> Option<Chunk> {
        self.cut(self.windows.len())
    }

    fn pause_at_the_end(&self) -> usize {
        self.windows.iter().rev().take_while(|it| !it.is_speech).count()
    }

    fn cut(&mut self, windows: usize) -> Option<Chunk> {
        let has_speech = self.windows[..windows].iter().any(|it| it.is_speech);
        let samples = self.samples[..windows * WINDOW_SAMPLES].to_vec();
        let chunk = has_speech.then_some(Chunk { start: self.start, samples });
        self.drop_front(windows);
        chunk
    }

    fn drop_front(&mut self, windows: usize) {
        self.windows.drain(..windows);
        self.samples.drain(..windows * WINDOW_SAMPLES);
        self.start += (windows * WINDOW_SAMPLES) as u64;
    }

    /// In the middle of the longest pause of the last two thirds, else at their quietest place.
    fn best_cut(&self) -> usize {
        let first = self.windows.len() / 3;
        let mut longest = first..first;
        let mut at = first;
        while at < self.windows.len() {
            let pause = self.windows[at..].iter().take_while(|it| !it.is_speech).count();
            if pause > longest.len() {
                longest = at..at + pause;
            }
            at += pause.max(1);
        }
        if !longest.is_empty() {
            // At least one window more than nothing: what is left must be less than what there was.
            return (longest.start + longest.len() / 2).max(1);
        }
        let quietest = (first..self.windows.len()).min_by(|a, b| self.level(*a).total_cmp(&self.level(*b)));
        quietest.unwrap_or(first).max(1)
    }

    fn level(&self, window: usize) -> f64 {
        self.windows[window].level_dbfs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Windows whose samples say which window they are of.
    fn chunks(speech: &[bool]) -> Vec<Chunk> {
        let mut chunker = Chunker::new();
        let mut chunks = vec![];
        for (number, is_speech) in speech.iter().enumerate() {
            let level = if *is_speech { -20.0 - (number % 7) as f64 } else { -60.0 };
            chunks.extend(chunker.push(&[number as f32; WINDOW_SAMPLES], *is_speech, level));
            assert!(chunker.windows.len() <= MAX_WINDOWS);
        }
        chunks.extend(chunker.finish());
        chunks
    }

    fn windows_of(chunk: &Chunk) -> (usize, usize) {
        let last = chunk.samples.last().expect("no piece is empty");
        (chunk.samples[0] as usize, *last as usize)
    }

    #[test]
    fn a_short_recording_is_one_piece() {
        let speech =
            [vec![false; 5], vec![true; 60], vec![false; 10], vec![true; 60], vec![false; 5]].concat();
        let chunks = chunks(&speech);
        assert_eq!(chunks.len(), 1);
        assert_eq!(windows_of(&chunks[0]), (0, 139));
    }

    #[test]
    fn silence_is_no_piece_and_long_pauses_part_pieces() {
        assert!(chunks(&[false; 2_000]).is_empty());
        let speech = [vec![false; 400], vec![true; 40], vec![false; 400], vec![true; 40]].concat();
        let chunks = chunks(&speech);
        assert_eq!(chunks.iter().map(windows_of).collect::<Vec<_>>(), [(390, 449), (830, 879)]);
        assert_eq!(chunks[1].start, 830 * WINDOW_SAMPLES as u64);
    }

    #[test]
    fn a_long_speech_is_cut_at_its_longest_pause() {
        let mut speech = vec![true; 400];
        speech[150..153].fill(false);
        speech[200..210].fill(false);
        speech[290..294].fill(false);
        assert_eq!(windows_of(&chunks(&speech)[0]), (0, 204));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// No window with speech is lost or told twice, and no piece is too long.
        #[test]
        fn pieces_hold_all_speech_once_in_order(
            runs in prop::collection::vec((1_usize..500, any::<bool>()), 1..8),
        ) {
            let speech: Vec<bool> = runs.iter().flat_map(|(count, is)| vec![*is; *count]).collect();
            let mut told = vec![false; speech.len()];
            let mut before = 0;
            for chunk in chunks(&speech) {
                prop_assert!(chunk.samples.len() <= MAX_WINDOWS * WINDOW_SAMPLES);
                prop_assert!(chunk.start >= before);
                before = chunk.start + chunk.samples.len() as u64;
                let (first, last) = windows_of(&chunk);
                prop_assert_eq!(chunk.start, (first * WINDOW_SAMPLES) as u64);
                told[first..=last].fill(true);
            }
            for (number, is_speech) in speech.iter().enumerate() {
                prop_assert!(told[number] || !is_speech, "window {number} is lost");
            }
        }
    }
}
