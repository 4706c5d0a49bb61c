use crate::limits::SMOOTHING_MS;

/// A value that moves to its target in a straight line over
/// [`SMOOTHING_MS`](crate::limits::SMOOTHING_MS), so that no gain change clicks. `[side A]`
#[derive(Clone, Copy, Debug)]
pub struct Ramp {
    value: f32,
    target: f32,
    step: f32,
    frames_left: u32,
    length_frames: u32,
}

impl Ramp {
    /// A ramp at rest at `value`.
    pub fn new(value: f32, sample_rate_hz: u32) -> Self {
        let length_frames = (SMOOTHING_MS * 1e-3 * sample_rate_hz as f32) as u32;
        Ramp { value, target: value, step: 0.0, frames_left: 0, length_frames: length_frames.max(1) }
    }

    /// Starts towards `target`, from wherever the value is.
    pub fn set(&mut self, target: f32) {
        if target != self.target {
            self.target = target;
            self.frames_left = self.length_frames;
            self.step = (target - self.value) / self.length_frames as f32;
        }
    }

    /// Arrives at once.
    pub fn finish(&mut self) {
        self.value = self.target;
        self.frames_left = 0;
    }

    /// Where it goes.
    pub fn target(&self) -> f32 {
        self.target
    }

    /// The value, if it does not move; `None` on the way.
    pub fn settled(&self) -> Option<f32> {
        (self.frames_left == 0).then_some(self.value)
    }

    /// The value of the next frame. It arrives exactly.
    pub fn next_frame(&mut self) -> f32 {
        if self.frames_left > 0 {
            self.frames_left -= 1;
            self.value = if self.frames_left == 0 { self.target } else { self.value + self.step };
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_moves_evenly_and_arrives_exactly() {
        let mut ramp = Ramp::new(0.0, 48_000);
        ramp.set(0.3);
        let values: Vec<f32> = (0..480).map(|_| ramp.next_frame()).collect();
        assert!(values.windows(2).all(|w| (w[1] - w[0] - 0.3 / 480.0).abs() < 1e-5));
        assert_eq!((values[479], ramp.settled()), (0.3, Some(0.3)));
        ramp.set(1.0);
        assert_eq!(ramp.settled(), None);
        ramp.finish();
        assert_eq!(ramp.settled(), Some(1.0));
    }
}
