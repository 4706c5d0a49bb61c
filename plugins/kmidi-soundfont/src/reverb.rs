//! A hall: eight delay lines that feed each other through a lossless matrix (a feedback delay
//! network), each with its own damping, behind two diffusers that blur the onset.

use std::array::from_fn;

use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

use crate::delay_line::{DelayLine, SlowSines};
use crate::lanes::{LANES, transpose_square};
use crate::one_pole::{LowCut, one_pole};

const LINES: usize = LANES;

/// Lengths of the lines in milliseconds: no two have a common measure that would ring.
const LENGTHS_MS: [f64; LINES] = [31.71, 37.11, 41.23, 45.97, 53.03, 59.51, 67.43, 73.19];
/// Time until the sound ahead of the damping has fallen by 60 dB, in seconds.
const DECAY_SECONDS: f64 = 2.0;
/// Corner of the damping in the lines, in Hz: higher sounds decay faster.
const DAMPING_HZ: f64 = 5_500.0;
/// What is taken off below, in Hz, so that basses do not pile up.
const LOW_CUT_HZ: f64 = 120.0;
/// Time before the first reflection, in milliseconds.
const PRE_DELAY_MS: f64 = 12.0;
/// Lengths of the diffusers in milliseconds.
const DIFFUSERS_MS: [f64; 2] = [4.77, 3.59];
const DIFFUSION: f32 = 0.62;
/// Movement of the lines' lengths, in milliseconds: keeps resonances from standing.
const WANDER_MS: f64 = 0.15;
/// How the lines are fed.
const SIGNS: [f32; LINES] = [1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0];
/// Level of the whole, so that a full send gives a tail about as loud as the sound itself.
const LEVEL: f32 = 0.55;

struct Diffuser {
    line: DelayLine,
    length: usize,
}

impl Diffuser {
    #[inline(always)]
    fn process<S: Simd>(&mut self, simd: S, input: f32x8<S>, count: usize) -> f32x8<S> {
        let delayed = self.line.at(simd, self.length);
        let kept = input - delayed * DIFFUSION;
        self.line.push(kept, count);
        delayed + kept * DIFFUSION
    }
}

/// Mono in, stereo out. `[side A]` except [`Reverb::new`].
pub(crate) struct Reverb {
    pre_delay: DelayLine,
    pre_delay_frames: usize,
    diffusers: [Diffuser; 2],
    lines: [DelayLine; LINES],
    lengths: [f32; LINES],
    wander: SlowSines,
    /// Loss of one pass.
    gains: [f32; LINES],
    damped: [f32; LINES],
    damping: f32,
    wander_frames: f32,
    low_cut: LowCut,
}

impl Reverb {
    /// `[side B]`: allocates.
    pub fn new(sample_rate_hz: f64) -> Self {
        let frames = |milliseconds: f64| (milliseconds * sample_rate_hz / 1000.0).round().max(1.0);
        let lengths = LENGTHS_MS.map(frames);
        let wander_frames = WANDER_MS * sample_rate_hz / 1000.0;
        Reverb {
            pre_delay: DelayLine::new(frames(PRE_DELAY_MS) as usize),
            pre_delay_frames: frames(PRE_DELAY_MS) as usize,
            diffusers: DIFFUSERS_MS.map(|length| Diffuser {
                line: DelayLine::new(frames(length) as usize),
                length: frames(length) as usize,
            }),
            lines: lengths.map(|length| DelayLine::new((length + wander_frames) as usize + 4)),
            lengths: lengths.map(|length| length as f32),
            wander: SlowSines::new(
                sample_rate_hz,
                from_fn(|i| (0.31 + 0.07 * i as f64, i as f64 / LINES as f64)),
            ),
            gains: lengths.map(|length| libm::exp10(-3.0 * length / (DECAY_SECONDS * sample_rate_hz)) as f32),
            damped: [0.0; LINES],
            damping: one_pole(DAMPING_HZ.min(0.4 * sample_rate_hz), sample_rate_hz),
            wander_frames: wander_frames as f32,
            low_cut: LowCut::new(LOW_CUT_HZ, sample_rate_hz),
        }
    }

    /// The first `count` of eight frames; what comes after them means nothing.
    #[inline(always)]
    pub fn process<S: Simd>(&mut self, simd: S, input: &[f32; LANES], count: usize) -> (f32x8<S>, f32x8<S>) {
        let mut cut = [0.0; LANES];
        for (cut, input) in cut.iter_mut().zip(&input[..count]) {
            *cut = self.low_cut.process(*input);
        }
        let mut sound = self.pre_delay.at(simd, self.pre_delay_frames);
        self.pre_delay.push(f32x8::load_array(simd, cut), count);
        for diffuser in &mut self.diffusers {
            sound = diffuser.process(simd, sound, count);
        }
        let mut lines = [f32x8::splat(simd, 0.0); LINES];
        for (i, (back, line)) in lines.iter_mut().zip(&self.lines).enumerate() {
            let delays = self.wander.ahead(simd, i) * self.wander_frames + self.lengths[i];
            *back = line.between(simd, delays);
        }
        self.wander.advance(count);
        // The damping goes from frame to frame: for it a lane is a line.
        let mut frames = transpose_square(lines);
        let gains = f32x8::load_array(simd, self.gains) * self.damping;
        let mut damped = f32x8::load_array(simd, self.damped);
        for frame in &mut frames {
            damped = damped * (1.0 - self.damping) + gains * *frame;
            *frame = damped;
        }
        frames[count - 1].store_slice(&mut self.damped);
        let [a, b, c, d, e, f, g, h] = transpose_square(frames);
        // Householder: each line gets back itself minus a quarter of the sum: no energy is lost.
        let (odd, even) = ((a + c) + (e + g), (b + d) + (f + h));
        let common = (odd + even) * (2.0 / LINES as f32);
        for ((line, back), sign) in self.lines.iter_mut().zip([a, b, c, d, e, f, g, h]).zip(SIGNS) {
            line.push(back - common + sound * sign, count);
        }
        ((a - c + e - g) * LEVEL, (b - d + f - h) * LEVEL)
    }

    pub fn clear(&mut self) {
        self.pre_delay.clear();
        self.diffusers.iter_mut().for_each(|diffuser| diffuser.line.clear());
        self.lines.iter_mut().for_each(DelayLine::clear);
        self.damped = [0.0; LINES];
        self.low_cut.clear();
    }
}
