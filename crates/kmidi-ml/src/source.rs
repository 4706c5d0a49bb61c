//! Sound that comes in pieces.

/// Why sound cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub Box<dyn std::error::Error + Send + Sync>);

/// Mono sound of any length at one rate; every sample is a number. `[side B]`
pub trait MonoSource {
    /// Frames a second.
    fn sample_rate_hz(&self) -> u32;

    /// Fills `into` from its start, and says how many frames came. Fewer than fit is the end, and 0 after it.
    ///
    /// # Errors
    /// [`SourceError`].
    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError>;

    /// How many frames there are in all, as far as that is known before the end.
    fn frames(&self) -> Option<u64>;
}

/// Sound that is in memory.
#[derive(Clone, Debug)]
pub struct Samples {
    samples: Vec<f32>,
    sample_rate_hz: u32,
    position: usize,
}

impl Samples {
    /// From its start.
    pub fn new(samples: Vec<f32>, sample_rate_hz: u32) -> Self {
        Samples { samples, sample_rate_hz, position: 0 }
    }
}

impl MonoSource for Samples {
    fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let left = &self.samples[self.position..];
        let count = left.len().min(into.len());
        into[..count].copy_from_slice(&left[..count]);
        self.position += count;
        Ok(count)
    }

    fn frames(&self) -> Option<u64> {
        Some(self.samples.len() as u64)
    }
}

/// How far a long listening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Frames of the source that have been listened to.
    pub frames: u64,
    /// How many there are, where that is known.
    pub of: Option<u64>,
}
