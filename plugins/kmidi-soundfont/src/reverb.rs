//! A hall: eight delay lines that feed each other through a lossless matrix (a feedback delay
//! network), each with its own damping, behind two diffusers that blur the onset.

use std::array::from_fn;

use crate::delay_line::{DelayLine, SlowSine};

const LINES: usize = 8;

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
/// Level of the whole, so that a full send gives a tail about as loud as the sound itself.
const LEVEL: f32 = 0.55;

struct Diffuser {
    line: DelayLine,
    length: usize,
}

impl Diffuser {
    #[inline]
    fn process(&mut self, input: f32) -> f32 {
        let delayed = self.line.at(self.length - 1);
        let kept = input - DIFFUSION * delayed;
        self.line.push(kept);
        delayed + DIFFUSION * kept
    }
}

struct Line {
    line: DelayLine,
    length: f32,
    wander: SlowSine,
    /// Loss of one pass.
    gain: f32,
    damped: f32,
}

/// Mono in, stereo out. `[side A]` except [`Reverb::new`].
pub(crate) struct Reverb {
    pre_delay: DelayLine,
    pre_delay_frames: usize,
    diffusers: [Diffuser; 2],
    lines: [Line; LINES],
    damping: f32,
    wander_frames: f32,
    low: f32,
    low_cut: f32,
}

/// The coefficient of a one-pole low-pass.
fn one_pole(corner_hz: f64, rate: f64) -> f32 {
    (1.0 - libm::exp(-std::f64::consts::TAU * corner_hz / rate)) as f32
}

impl Reverb {
    /// `[side B]`: allocates.
    pub fn new(sample_rate_hz: f64) -> Self {
        let frames = |milliseconds: f64| (milliseconds * sample_rate_hz / 1000.0).round().max(1.0);
        let wander_frames = WANDER_MS * sample_rate_hz / 1000.0;
        Reverb {
            pre_delay: DelayLine::new(frames(PRE_DELAY_MS) as usize),
            pre_delay_frames: frames(PRE_DELAY_MS) as usize,
            diffusers: DIFFUSERS_MS.map(|length| Diffuser {
                line: DelayLine::new(frames(length) as usize),
                length: frames(length) as usize,
            }),
            lines: from_fn(|i| {
                let length = frames(LENGTHS_MS[i]);
                Line {
                    line: DelayLine::new((length + wander_frames) as usize + 4),
                    length: length as f32,
                    wander: SlowSine::new(0.31 + 0.07 * i as f64, sample_rate_hz, i as f64 / LINES as f64),
                    gain: libm::exp10(-3.0 * length / (DECAY_SECONDS * sample_rate_hz)) as f32,
                    damped: 0.0,
                }
            }),
            damping: one_pole(DAMPING_HZ.min(0.4 * sample_rate_hz), sample_rate_hz),
            wander_frames: wander_frames as f32,
            low: 0.0,
            low_cut: one_pole(LOW_CUT_HZ, sample_rate_hz),
        }
    }

    /// One frame.
    #[inline]
    pub fn process(&mut self, input: f32) -> (f32, f32) {
        self.low += self.low_cut * (input - self.low);
        self.pre_delay.push(input - self.low);
        let mut sound = self.pre_delay.at(self.pre_delay_frames);
        for diffuser in &mut self.diffusers {
            sound = diffuser.process(sound);
        }
        let wander = self.wander_frames;
        let mut returns = [0.0; LINES];
        for (line, back) in self.lines.iter_mut().zip(&mut returns) {
            let raw = line.line.between(line.length + wander * line.wander.next());
            line.damped += self.damping * (line.gain * raw - line.damped);
            *back = line.damped;
        }
        // Householder: each line gets back itself minus a quarter of the sum: no energy is lost.
        let mean = returns.iter().sum::<f32>() * (2.0 / LINES as f32);
        for (i, (line, back)) in self.lines.iter_mut().zip(returns).enumerate() {
            let sign = if i % 4 < 2 { 1.0 } else { -1.0 };
            line.line.push(back - mean + sign * sound);
        }
        let [a, b, c, d, e, f, g, h] = returns;
        (LEVEL * (a - c + e - g), LEVEL * (b - d + f - h))
    }

    pub fn clear(&mut self) {
        self.pre_delay.clear();
        self.diffusers.iter_mut().for_each(|diffuser| diffuser.line.clear());
        for line in &mut self.lines {
            line.line.clear();
            line.damped = 0.0;
        }
        self.low = 0.0;
    }
}
