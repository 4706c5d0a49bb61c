//! A recording in segments that overlap, with silence before it and behind it.

use super::{PAD, SEGMENT, STEP};
use crate::MonoSource;
use crate::transcribe::{TranscribeError, fill};

/// The segments of a source.
pub(super) struct Segments<'a> {
    source: &'a mut dyn MonoSource,
    samples: Vec<f32>,
    /// Frames of the source so far.
    read: u64,
    /// Segments that were given.
    given: u64,
}

impl<'a> Segments<'a> {
    pub fn new(source: &'a mut dyn MonoSource) -> Self {
        Segments { source, samples: vec![0.0; SEGMENT], read: 0, given: 0 }
    }

    /// The next one, as long as it begins before the end of the silence behind the source.
    pub fn next(&mut self) -> Result<Option<&[f32]>, TranscribeError> {
        let mut filled = PAD;
        if self.given > 0 {
            self.samples.copy_within(STEP.., 0);
            filled = SEGMENT - STEP;
        }
        self.read += fill(self.source, &mut self.samples[filled..], self.read)?;
        if self.read == 0 || self.given * STEP as u64 >= self.read + 2 * PAD as u64 {
            return Ok(None);
        }
        self.given += 1;
        Ok(Some(&self.samples))
    }

    /// When the segment that was given last begins: before 0 for the first ones.
    pub fn begin_seconds(&self) -> f64 {
        let samples = self.given.saturating_sub(1) * STEP as u64;
        (samples as f64 - PAD as f64) / f64::from(super::SAMPLE_RATE_HZ)
    }

    /// Frames of the source so far, and how many there are.
    pub fn progress(&self) -> crate::Progress {
        crate::Progress { frames: self.read, of: self.source.frames() }
    }
}
