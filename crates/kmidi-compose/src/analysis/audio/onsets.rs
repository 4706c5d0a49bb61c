use serde::Serialize;

use super::AudioError;
use super::flux::Flux;
use super::picker::Picker;
use kmidi_core::limits::SAMPLE_RATE_RANGE_HZ;

/// Onsets are at least so many seconds apart.
pub const MIN_GAP_SECONDS: f64 = 0.05;
/// A hop is cut into so many pieces to say where in it an onset is: of 0.7 ms at 44.1 kHz.
const PIECES_IN_HOP: u64 = 16;
/// An onset is looked for so many pieces before the end of the window in which the spectrum grew most: a window weighs its
/// last quarter little.
const PIECES_BACK: u64 = PIECES_IN_HOP * 5 / 2;
/// What a piece is compared with: the mean of so many before it.
const PIECES_BEFORE: u64 = 8;

/// The beginning of a note, a beat of a drum, anything that begins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Onset {
    /// Where it is, in frames from the beginning, to some 1 ms.
    pub frame: u64,
    /// How far the spectrum grew there beyond what was usual, in nepers.
    pub strength: f32,
}

/// Finds onsets in a stream of mono samples. `[side A]`, but for [`OnsetDetector::new`].
///
/// An onset is told some 60 ms after it was heard ([`OnsetDetector::latency_frames`]).
pub struct OnsetDetector {
    flux: Flux,
    picker: Picker,
    pieces: Pieces,
    hop_seconds: f64,
    gap_frames: u64,
    hops: u64,
    frames: u64,
    last: Option<u64>,
}

impl OnsetDetector {
    /// `[side B]` One that has heard nothing.
    ///
    /// # Errors
    /// [`AudioError::Rate`].
    pub fn new(sample_rate_hz: u32) -> Result<Self, AudioError> {
        if !SAMPLE_RATE_RANGE_HZ.contains(&sample_rate_hz) {
            return Err(AudioError::Rate { sample_rate_hz });
        }
        let flux = Flux::new(sample_rate_hz);
        let hop_seconds = flux.hop() as f64 / f64::from(sample_rate_hz);
        let picker = Picker::new(hop_seconds);
        let remembered = PIECES_BACK + PIECES_BEFORE + PIECES_IN_HOP * (picker.ahead() as u64 + 1);
        Ok(OnsetDetector {
            pieces: Pieces::new(flux.hop() as u64 / PIECES_IN_HOP, remembered),
            picker,
            flux,
            hop_seconds,
            gap_frames: (MIN_GAP_SECONDS * f64::from(sample_rate_hz)) as u64,
            hops: 0,
            frames: 0,
            last: None,
        })
    }

    /// The next samples, a block of any length. Calls `found` for each onset that is certain by now, in order.
    ///
    /// # Errors
    /// [`AudioError::NotFinite`]: nothing of the block was listened to.
    pub fn push(&mut self, samples: &[f32], mut found: impl FnMut(Onset)) -> Result<(), AudioError> {
        self.listen(samples, &mut |_| (), &mut found)
    }

    /// The stream has ended: onsets of its last moments. What begins less than a hop (12 ms) before the end is not heard.
    pub fn finish(&mut self, mut found: impl FnMut(Onset)) {
        // Silence, but not the fall to it: that would be a click.
        for _ in 0..self.picker.ahead() {
            self.next(0.0, &mut found);
        }
    }

    /// How long after it was pushed a sample may still become an onset, in frames.
    pub fn latency_frames(&self) -> usize {
        (self.picker.ahead() + 2) * self.flux.hop()
    }

    /// Seconds between two values of the flux.
    pub(super) fn hop_seconds(&self) -> f64 {
        self.hop_seconds
    }

    /// As [`OnsetDetector::push`], telling each value of the flux too.
    pub(super) fn listen(
        &mut self,
        mut samples: &[f32],
        measured: &mut dyn FnMut(f32),
        found: &mut dyn FnMut(Onset),
    ) -> Result<(), AudioError> {
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(AudioError::NotFinite { frame: self.frames + at as u64 });
        }
        self.frames += samples.len() as u64;
        while !samples.is_empty() {
            let (taken, flux) = self.flux.take(samples);
            self.pieces.push(&samples[..taken]);
            samples = &samples[taken..];
            if let Some(flux) = flux {
                measured(flux);
                self.next(flux, found);
            }
        }
        Ok(())
    }

    fn next(&mut self, flux: f32, found: &mut dyn FnMut(Onset)) {
        self.hops += 1;
        let Some(strength) = self.picker.push(flux) else { return };
        let frame = self.pieces.steepest((self.hops - self.picker.ahead() as u64) * PIECES_IN_HOP);
        if self.last.is_none_or(|last| frame >= last + self.gap_frames) {
            self.last = Some(frame);
            found(Onset { frame, strength });
        }
    }
}

/// The level of the last short pieces of a stream.
struct Pieces {
    frames: u64,
    /// A ring: the piece of number `n` is at `n` modulo its length.
    levels: Box<[f32]>,
    count: u64,
    square: f32,
    filled: u64,
}

impl Pieces {
    fn new(frames: u64, remembered: u64) -> Self {
        Pieces { frames, levels: vec![0.0; remembered as usize].into(), count: 0, square: 0.0, filled: 0 }
    }

    fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            self.square += sample * sample;
            self.filled += 1;
            if self.filled == self.frames {
                let at = (self.count % self.levels.len() as u64) as usize;
                self.levels[at] = (self.square.min(f32::MAX) / self.frames as f32).sqrt();
                (self.square, self.filled) = (0.0, 0);
                self.count += 1;
            }
        }
    }

    /// The level of a piece that is still remembered; before the beginning it was silent.
    fn level(&self, piece: u64) -> f32 {
        self.levels[(piece % self.levels.len() as u64) as usize]
    }

    /// The frame where the level rises most, of the pieces before `end`: the first that rises half as much as the
    /// steepest, for what begins does so again and again, a period later.
    fn steepest(&self, end: u64) -> u64 {
        let pieces = end.saturating_sub(PIECES_BACK)..end;
        let rise = |piece: u64| {
            let before = piece.saturating_sub(PIECES_BEFORE)..piece;
            self.level(piece) - before.map(|piece| self.level(piece)).sum::<f32>() / PIECES_BEFORE as f32
        };
        let most = pieces.clone().map(rise).fold(0.0, f32::max);
        let piece = pieces.clone().find(|&piece| rise(piece) >= 0.5 * most);
        piece.unwrap_or(pieces.start) * self.frames
    }
}
