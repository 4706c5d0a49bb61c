//! Three copies of the sound, each a little behind and slowly wandering, spread from left to right.

use crate::delay_line::{DelayLine, SlowSine};

/// Middle of the delay, in milliseconds.
const DELAY_MS: f64 = 14.0;
/// How far it wanders from there, in milliseconds.
const DEPTH_MS: f64 = 2.2;
/// How often, in Hz.
const RATE_HZ: f64 = 0.43;
/// Level, so that a full send is about as loud as the sound itself.
const LEVEL: f32 = 0.8;

/// Mono in, stereo out. `[side A]` except [`Chorus::new`].
pub(crate) struct Chorus {
    line: DelayLine,
    taps: [SlowSine; 3],
    delay_frames: f32,
    depth_frames: f32,
}

impl Chorus {
    /// `[side B]`: allocates.
    pub fn new(sample_rate_hz: f64) -> Self {
        let frames = |milliseconds: f64| milliseconds * sample_rate_hz / 1000.0;
        Chorus {
            line: DelayLine::new(frames(DELAY_MS + DEPTH_MS) as usize + 4),
            taps: [0.0, 1.0, 2.0].map(|third| SlowSine::new(RATE_HZ, sample_rate_hz, third / 3.0)),
            delay_frames: frames(DELAY_MS) as f32,
            depth_frames: frames(DEPTH_MS) as f32,
        }
    }

    /// One frame.
    #[inline]
    pub fn process(&mut self, input: f32) -> (f32, f32) {
        self.line.push(input);
        let (delay, depth) = (self.delay_frames, self.depth_frames);
        let line = &self.line;
        let [left, middle, right] = self.taps.each_mut().map(|tap| line.between(delay + depth * tap.next()));
        let middle = 0.5 * middle;
        (LEVEL * (left + middle), LEVEL * (right + middle))
    }

    pub fn clear(&mut self) {
        self.line.clear();
    }
}
