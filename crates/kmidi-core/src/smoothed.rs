use crate::limits::SMOOTHING_MS;

/// A value that moves to its target in a straight line of fixed length, so that a step is not heard.
/// `[side A]`
///
/// Every frame's value is computed from the ends of the line, not from the frame before: no drift,
/// and the same bits whatever the block length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothed {
    start: f32,
    target: f32,
    /// Frames until the line begins.
    wait: u32,
    /// Frames until the target.
    left: u32,
    length: u32,
}

impl Smoothed {
    /// A value at rest whose changes take `length_frames` frames (at least 1).
    pub fn new(value: f32, length_frames: u32) -> Self {
        Smoothed { start: value, target: value, wait: 0, left: 0, length: length_frames.max(1) }
    }

    /// [`SMOOTHING_MS`] in frames.
    pub fn frames(sample_rate_hz: u32) -> u32 {
        ((sample_rate_hz as f32 * SMOOTHING_MS / 1000.0) as u32).max(1)
    }

    /// The value of the next frame.
    pub fn value(&self) -> f32 {
        if self.left == 0 {
            return self.target;
        }
        self.target + (self.start - self.target) * (self.left as f32 / self.length as f32)
    }

    /// Where it goes, or is.
    pub fn target(&self) -> f32 {
        self.target
    }

    /// Whether the value is at its target.
    pub fn is_settled(&self) -> bool {
        self.left == 0
    }

    /// Goes to `target` from wherever it is now. A target that is not finite is ignored.
    pub fn set_target(&mut self, target: f32) {
        self.set_target_after(target, 0);
    }

    /// As [`Smoothed::set_target`], but stays where it is for `wait_frames` first.
    pub fn set_target_after(&mut self, target: f32, wait_frames: u32) {
        if !target.is_finite() || target == self.target {
            return;
        }
        self.start = self.value();
        self.target = target;
        self.wait = wait_frames;
        self.left = if self.start == target { 0 } else { self.length };
    }

    /// Is at `value` at once.
    pub fn jump(&mut self, value: f32) {
        *self = Smoothed::new(value, self.length);
    }

    /// The value of the next frame, and a step to the one after.
    pub fn next_frame(&mut self) -> f32 {
        let value = self.value();
        self.advance(1);
        value
    }

    /// Steps over `frames` frames.
    pub fn advance(&mut self, frames: u32) {
        let waited = self.wait.min(frames);
        self.wait -= waited;
        self.left = self.left.saturating_sub(frames - waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_straight_and_the_same_for_any_block_length() {
        let mut by_frame = Smoothed::new(0.0, 480);
        by_frame.set_target_after(1.0, 5);
        let mut by_block = by_frame;
        let values: Vec<f32> = (0..600).map(|_| by_frame.next_frame()).collect();
        for block in values.chunks(7) {
            let mut inside = by_block;
            assert!(block.iter().all(|&value| value == inside.next_frame()));
            by_block.advance(7);
        }
        assert!(values.windows(2).all(|w| (0.0..=1.001 / 480.0).contains(&(w[1] - w[0]))));
        assert_eq!((values[5], values[245], values[485]), (0.0, 0.5, 1.0));
        assert!(by_frame.is_settled());
    }

    #[test]
    fn a_storm_of_the_same_target_still_arrives() {
        let mut value = Smoothed::new(0.0, 100);
        for _ in 0..100 {
            value.set_target(1.0);
            value.advance(1);
        }
        value.set_target(f32::NAN);
        assert_eq!((value.value(), value.is_settled()), (1.0, true));
    }
}
