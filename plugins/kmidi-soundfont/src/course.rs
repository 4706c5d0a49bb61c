//! What a voice does between two of its control points, as functions of the frames since the first.
//!
//! Everything is in closed form: frame *k* is computed from *k* alone, so that it makes no difference
//! where a run of frames is cut.

/// Frames between two points of the common control grid.
pub(crate) const CONTROL_FRAMES: u32 = 64;

/// The longest course: a voice whose channel stands still goes past every other point of the grid.
pub(crate) const LONGEST_COURSE_FRAMES: u32 = 2 * CONTROL_FRAMES;

/// What voices are mixed into: left, right, and the mono sends to reverb and chorus.
pub(crate) const BUSSES: usize = 4;

/// One frame of a sample in a voice's place.
pub(crate) const FRAME: i64 = 1 << 32;

/// Bends of the speed are whole multiples of this, the grain of places inside a course.
const BEND_GRAIN: i64 = 1 << 8;

/// A value that moves by the same step at each frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ramp {
    pub value: f32,
    pub step: f32,
}

impl Ramp {
    /// From `value` at frame 0 to `target` at frame `1 / part`.
    pub fn new(value: f64, target: f64, part: f64) -> Self {
        Ramp { value: value as f32, step: ((target - value) * part) as f32 }
    }

    pub fn is_zero(&self) -> bool {
        self.value == 0.0 && self.step == 0.0
    }
}

/// The level of the envelope: `start + k * (slope + k * bend)`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LevelCurve {
    pub start: f32,
    pub slope: f32,
    pub bend: f32,
}

impl LevelCurve {
    /// From `start` at frame 0 to `end` at frame `frames`, straight.
    pub fn straight(start: f64, end: f64, frames: u32) -> Self {
        let Ramp { value, step } = Ramp::new(start, end, 1.0 / f64::from(frames));
        LevelCurve { start: value, slope: step, bend: 0.0 }
    }

    /// Slope and bend of the parabola that falls from 1 as an exponential does: through start, middle
    /// and end, where `frames` frames bring `factor`.
    pub fn parabola(factor: f64, frames: u32) -> (f64, f64) {
        let (middle, frames) = (factor.sqrt(), f64::from(frames));
        let slope = (4.0 * middle - 3.0 - factor) / frames;
        (slope, 2.0 * (1.0 - 2.0 * middle + factor) / (frames * frames))
    }

    pub fn is_constant(&self) -> bool {
        self.slope == 0.0 && self.bend == 0.0
    }

    pub fn at(&self, frame: u32) -> f32 {
        let k = frame as f32;
        self.start + k * (self.slope + k * self.bend)
    }
}

/// Where the sample is read: `position + k * speed + k * (k - 1) / 2 * bend`, in 1 / [`FRAME`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Path {
    pub position: i64,
    pub speed: i64,
    pub bend: i64,
}

impl Path {
    /// The speed goes from `start` to `end` (sample frames per frame) in `frames` frames.
    pub fn set_speed(&mut self, start: f64, end: f64, frames: u32) {
        let fixed = |ratio: f64| (ratio * FRAME as f64) as i64;
        let (speed, frames) = (fixed(start), i64::from(frames));
        let change = fixed(end) - speed;
        if change == 0 {
            (self.speed, self.bend) = (speed, 0);
            return;
        }
        self.bend = change / frames / BEND_GRAIN * BEND_GRAIN;
        // What the coarser bend leaves out, the speed makes up for: the path ends where it should.
        self.speed = speed + (change - self.bend * frames) * (frames - 1) / (2 * frames);
    }

    /// The place at frame `frame`.
    pub fn at(&self, frame: u32) -> i64 {
        let k = i64::from(frame);
        self.position + k * self.speed + k * (k - 1) / 2 * self.bend
    }

    /// The highest speed in the first `frames` frames.
    pub fn top_speed(&self, frames: u32) -> i64 {
        self.speed.max(self.speed + i64::from(frames) * self.bend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parabola_stays_close_to_an_exponential() {
        let end = (-0.25f64).exp();
        let (slope, bend) = LevelCurve::parabola(end, 64);
        let curve = LevelCurve { start: 1.0, slope: slope as f32, bend: bend as f32 };
        for frame in 0..=64 {
            let exact = (-0.25 * f64::from(frame) / 64.0).exp();
            assert!((f64::from(curve.at(frame)) - exact).abs() < 2e-4, "{frame}");
        }
        assert!((f64::from(curve.at(32)) - (-0.05f64).exp()).abs() > 1e-3, "another curve is another curve");
    }

    #[test]
    fn a_bent_path_covers_the_whole_distance() {
        let mut path = Path::default();
        path.set_speed(0.7, 1.3, 64);
        let exact = (0..64).map(|k| 0.7 + 0.6 * f64::from(k) / 64.0).sum::<f64>();
        assert!((path.at(64) as f64 / FRAME as f64 - exact).abs() < 1e-7);
        assert_eq!(path.bend % BEND_GRAIN, 0);
    }
}
