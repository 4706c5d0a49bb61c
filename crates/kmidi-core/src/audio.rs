use std::ops::{Deref, DerefMut};

/// One channel of one quantum: 32-bit float samples, full scale ±1.0. Its length is the engine's
/// quantum and never changes.
#[derive(Debug, Default)]
pub struct AudioBuffer(Box<[f32]>);

impl AudioBuffer {
    /// A silent buffer of `frames` frames. `[side B]`: allocates.
    pub fn silent(frames: usize) -> Self {
        AudioBuffer(vec![0.0; frames].into_boxed_slice())
    }
}

impl Deref for AudioBuffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for AudioBuffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// Samples compared side by side, so that the compiler may use vector instructions.
const LANES: usize = 8;

/// The highest absolute value; 0 of no samples. What is not a number does not count. `[side A]`
pub fn peak(samples: &[f32]) -> f32 {
    let (chunks, rest) = samples.as_chunks::<LANES>();
    let mut peaks = [0.0f32; LANES];
    for chunk in chunks {
        for (peak, sample) in peaks.iter_mut().zip(chunk) {
            *peak = if sample.abs() > *peak { sample.abs() } else { *peak };
        }
    }
    peaks.into_iter().chain(rest.iter().map(|sample| sample.abs())).fold(0.0, f32::max)
}

/// Copies samples, with zero for what is not a finite number. Both are of one length. `[side A]`
pub fn copy_finite(from: &[f32], to: &mut [f32]) {
    let finite = |sample: f32| if sample.abs() < f32::INFINITY { sample } else { 0.0 };
    let (from_chunks, from_rest) = from.as_chunks::<LANES>();
    let (to_chunks, to_rest) = to.as_chunks_mut::<LANES>();
    for (to, from) in to_chunks.iter_mut().zip(from_chunks) {
        *to = from.map(finite);
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = finite(*from);
    }
}

/// The audio of one node for one quantum: channels of all ports, flat, in port order.
/// Every slice is one quantum long.
pub struct AudioPorts<'a> {
    /// Input channels.
    pub inputs: &'a [&'a [f32]],
    /// Output channels; they hold what the previous user of the buffer left: write every sample.
    pub outputs: &'a mut [AudioBuffer],
    /// Bit *n* is set when input channel *n* is known to be all zero.
    pub silent_inputs: u64,
    /// The node may set bit *n* after it has written zeros to output channel *n*.
    pub silent_outputs: u64,
}

impl AudioPorts<'_> {
    /// Writes zeros to every output and says so. `[side A]`
    pub fn silence_outputs(&mut self) {
        for output in self.outputs.iter_mut() {
            output.fill(0.0);
        }
        self.silent_outputs = mask(self.outputs.len());
    }

    /// Whether every input channel is known to be zero (true when there is none). `[side A]`
    pub fn inputs_are_silent(&self) -> bool {
        let all = mask(self.inputs.len());
        self.silent_inputs & all == all
    }
}

fn mask(channels: usize) -> u64 {
    if channels >= 64 { u64::MAX } else { (1 << channels) - 1 }
}
