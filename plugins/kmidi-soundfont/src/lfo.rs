//! A triangle that starts at zero and rises first (section 8.1.2, generators 21 to 24).

/// A low-frequency oscillator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lfo {
    /// Frames until it starts.
    delay: f64,
    /// Periods since it started, 0 to 1.
    phase: f64,
}

impl Lfo {
    /// `delay_frames` before the first movement.
    pub fn start(delay_frames: f64) -> Self {
        Lfo { delay: delay_frames, phase: 0.0 }
    }

    /// -1 to 1, `frames` frames from now, if it has no corner before.
    pub fn ahead(&self, periods_per_frame: f64, frames: f64) -> f64 {
        let from_trough = part(self.phase + 0.25);
        let value = 1.0 - 4.0 * (from_trough - 0.5).abs();
        let slope = match from_trough {
            _ if self.delay > 0.0 => 0.0,
            x if x < 0.5 => 4.0,
            _ => -4.0,
        };
        value + slope * periods_per_frame * frames
    }

    /// Frames until its course has a corner: the start, a crest or a trough.
    pub fn frames_to_corner(&self, periods_per_frame: f64) -> u32 {
        let from_trough = part(self.phase + 0.25);
        let to_corner = if from_trough < 0.5 { 0.5 - from_trough } else { 1.0 - from_trough };
        let frames = if self.delay > 0.0 { self.delay } else { to_corner / periods_per_frame };
        // Upwards; `ceil` calls a function.
        let whole = frames as u32;
        whole.saturating_add(u32::from(f64::from(whole) < frames)).max(1)
    }

    pub fn advance(&mut self, periods_per_frame: f64, frames: u32) {
        self.delay -= f64::from(frames);
        if self.delay <= 0.0 {
            self.phase = part(self.phase - self.delay * periods_per_frame);
            self.delay = 0.0;
        }
    }
}

/// What is behind the point, for a number that is not negative; `fract` calls a function.
fn part(number: f64) -> f64 {
    number - (number as i64) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_zero_after_its_delay_and_rises_first() {
        let mut lfo = Lfo::start(100.0);
        let value_at = |lfo: &mut Lfo, frames| {
            lfo.advance(0.001, frames);
            (lfo.ahead(0.001, 0.0) * 1000.0).round() as i32
        };
        assert_eq!(value_at(&mut lfo, 0), 0);
        assert_eq!(value_at(&mut lfo, 100), 0);
        assert_eq!(value_at(&mut lfo, 125), 500);
        assert_eq!(value_at(&mut lfo, 125), 1000);
        assert_eq!(value_at(&mut lfo, 250), 0);
        assert_eq!(value_at(&mut lfo, 250), -1000);
        assert_eq!(value_at(&mut lfo, 250), 0);
    }

    #[test]
    fn corners_are_where_the_course_bends() {
        let mut lfo = Lfo::start(10.5);
        let mut corners = Vec::new();
        let mut at = 0;
        while at < 3000 {
            let frames = lfo.frames_to_corner(0.001);
            lfo.advance(0.001, frames);
            at += frames;
            corners.push(at);
        }
        assert_eq!(corners, [11, 261, 761, 1261, 1761, 2261, 2761, 3261]);
    }
}
