//! The part of a voice that runs at each frame: reading the sample, filter, envelope, busses.
//!
//! Voices stand in blocks of [`LANES`], each quantity an array over the lanes, which is the shape
//! a vector unit wants. Every quantity moves by a recurrence per frame, so a run may be cut
//! anywhere without changing a bit; values are set afresh at control points only.

use std::array::from_fn;

use basedrop::Shared;

use crate::reader::{FRAME, Reader};
use crate::sample::Sample;

/// Voices in one block.
pub(crate) const LANES: usize = 8;

/// Frames between two control points of the common grid, and the longest run of the kernel.
pub(crate) const CONTROL_FRAMES: u32 = 64;

/// What voices are mixed into: left, right, and the mono sends to reverb and chorus.
pub(crate) const BUSSES: usize = 4;

/// One run of the busses.
pub(crate) type Busses = [[f32; CONTROL_FRAMES as usize]; BUSSES];

/// A value that moves by the same step at each frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ramp {
    value: f32,
    step: f32,
}

impl Ramp {
    /// From `value` at the next frame to `target` after `frames` frames.
    pub fn new(value: f64, target: f64, frames: u32) -> Self {
        Ramp { value: value as f32, step: ((target - value) / f64::from(frames)) as f32 }
    }
}

/// The low-pass filter of a voice at work.
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    coefficients: [Ramp; 3],
    band: f32,
    low: f32,
}

impl Filter {
    #[inline]
    fn process(&mut self, input: f32) -> f32 {
        let [a1, a2, a3] = self.coefficients.map(|c| c.value);
        let difference = input - self.low;
        let band = a1 * self.band + a2 * difference;
        let low = self.low + a2 * self.band + a3 * difference;
        self.band = 2.0 * band - self.band;
        self.low = 2.0 * low - self.low;
        for coefficient in &mut self.coefficients {
            coefficient.value += coefficient.step;
        }
        low
    }
}

/// [`LANES`] voices at the rate of frames.
pub(crate) struct VoiceBlock {
    samples: [Option<Shared<Sample>>; LANES],
    readers: [Reader; LANES],
    levels: [f32; LANES],
    level_factors: [f32; LANES],
    level_steps: [f32; LANES],
    gains: [[Ramp; BUSSES]; LANES],
    filters: [Option<Filter>; LANES],
    /// What the voice gave last, where a filter that comes into circuit starts from.
    last_inputs: [f32; LANES],
}

impl VoiceBlock {
    /// All lanes empty. `[side B]`: no allocation of its own, but large.
    pub fn new() -> Self {
        VoiceBlock {
            samples: from_fn(|_| None),
            readers: [Reader::default(); LANES],
            levels: [0.0; LANES],
            level_factors: [1.0; LANES],
            level_steps: [0.0; LANES],
            gains: [[Ramp::default(); BUSSES]; LANES],
            filters: [None; LANES],
            last_inputs: [0.0; LANES],
        }
    }

    /// Puts a voice into a lane, silent until its level is set.
    pub fn start(&mut self, lane: usize, sample: Shared<Sample>, reader: Reader) {
        self.samples[lane] = Some(sample);
        self.readers[lane] = reader;
        self.levels[lane] = 0.0;
        self.gains[lane] = [Ramp::default(); BUSSES];
        self.filters[lane] = None;
        self.last_inputs[lane] = 0.0;
    }

    /// Empties a lane. The sample goes to the collector of its allocator, so nothing is freed here.
    pub fn clear(&mut self, lane: usize) {
        self.samples[lane] = None;
    }

    /// The loop is left when its end is next reached.
    pub fn leave_loop(&mut self, lane: usize) {
        self.readers[lane].looping = false;
    }

    /// The envelope's level at the next frame and its recurrence from there on.
    pub fn set_level(&mut self, lane: usize, level: f64, factor: f64, step: f64) {
        self.levels[lane] = level as f32;
        self.level_factors[lane] = factor as f32;
        self.level_steps[lane] = step as f32;
    }

    /// From the level it has straight to another in `frames` frames.
    pub fn ramp_level(&mut self, lane: usize, target: f64, frames: u32) {
        self.level_factors[lane] = 1.0;
        self.level_steps[lane] = (target as f32 - self.levels[lane]) / frames as f32;
    }

    /// The speed of reading at the next frame and after `frames` frames, in sample frames per frame.
    pub fn set_increment(&mut self, lane: usize, value: f64, target: f64, frames: u32) {
        let fixed = |ratio: f64| (ratio * FRAME as f64) as i64;
        let reader = &mut self.readers[lane];
        reader.increment = fixed(value);
        reader.increment_step = (fixed(target) - reader.increment) / i64::from(frames);
    }

    /// The gain into a bus.
    pub fn set_gain(&mut self, lane: usize, bus: usize, ramp: Ramp) {
        self.gains[lane][bus] = ramp;
    }

    /// Puts the filter into circuit, without a step, or moves it.
    pub fn set_filter(&mut self, lane: usize, coefficients: [Ramp; 3]) {
        let low = self.last_inputs[lane];
        let filter = self.filters[lane].get_or_insert(Filter { low, ..Filter::default() });
        filter.coefficients = coefficients;
    }

    /// Adds `frames` frames of one voice to the busses from frame `from` on; false if its sample
    /// ended among them.
    pub fn render(&mut self, lane: usize, busses: &mut Busses, from: usize, frames: usize) -> bool {
        let Some(sample) = &self.samples[lane] else { return false };
        let data = &sample.data[..];
        let mut reader = self.readers[lane];
        let mut level = self.levels[lane];
        let (factor, step) = (self.level_factors[lane], self.level_steps[lane]);
        let mut gains = self.gains[lane];
        let mut filter = self.filters[lane];
        let mut last = self.last_inputs[lane];
        let [left, right, reverb, chorus] = busses.each_mut().map(|bus| &mut bus[from..from + frames]);
        let busses = left.iter_mut().zip(right).zip(reverb.iter_mut().zip(chorus));
        for ((left, right), (reverb, chorus)) in busses {
            last = reader.sample(data);
            let filtered = match &mut filter {
                Some(filter) => filter.process(last),
                None => last,
            };
            let sound = filtered * level;
            level = level * factor + step;
            for (bus, gain) in [left, right, reverb, chorus].into_iter().zip(&mut gains) {
                *bus += sound * gain.value;
                gain.value += gain.step;
            }
            if !reader.advance() {
                return false;
            }
        }
        self.readers[lane] = reader;
        self.levels[lane] = level;
        self.gains[lane] = gains;
        self.filters[lane] = filter;
        self.last_inputs[lane] = last;
        true
    }

    /// How loud the voice is at this frame: its level through its louder side.
    pub fn loudness(&self, lane: usize) -> f32 {
        self.levels[lane].abs() * self.loudness_at_peak(lane)
    }

    /// How loud the voice is where its envelope peaks.
    pub fn loudness_at_peak(&self, lane: usize) -> f32 {
        self.gains[lane][0].value.abs().max(self.gains[lane][1].value.abs())
    }
}
