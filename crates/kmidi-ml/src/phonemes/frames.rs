//! What the model says of each 20 ms: a probability for each symbol.

/// Samples a second that the model takes.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Samples from the middle of a frame to the middle of the next; the first lies at the start.
pub const FRAME_SAMPLES: usize = 320;

/// Seconds of a frame.
pub const FRAME_SECONDS: f64 = FRAME_SAMPLES as f64 / SAMPLE_RATE_HZ as f64;

/// Natural logarithms of probabilities, frame by frame.
#[derive(Clone, Copy, Debug)]
pub struct LogProbs<'a> {
    values: &'a [f32],
    symbols: usize,
}

impl<'a> LogProbs<'a> {
    /// Frames of so many symbols each; what is left over at the end is not used.
    pub fn new(values: &'a [f32], symbols: usize) -> Self {
        assert!(symbols > 0, "a frame says something of at least one symbol");
        LogProbs { values: &values[..values.len() / symbols * symbols], symbols }
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.symbols
    }

    /// What one of them says.
    pub fn frame(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.symbols..][..self.symbols]
    }

    /// All of them in order.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.symbols)
    }
}

/// log(exp(a) + exp(b)).
pub(super) fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}
