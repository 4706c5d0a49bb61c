//! Sound that comes in pieces.

/// Why sound cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub Box<dyn std::error::Error + Send + Sync>);

/// From here on a sample is at full scale. Absolute: a recording that is quiet as a whole is not clipped, and one that is at the limit
/// all the time is. What a resampler does to a clipped wave stays above it.
pub const FULL_SCALE: f32 = 0.98;

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

    /// Share of samples at full scale so far, 0 to 1, in the worst of the channels that were mixed: in the mix they cannot be told.
    /// Sound that was always mono has no other than what is read.
    fn clipped_share(&self) -> f64 {
        0.0
    }
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
