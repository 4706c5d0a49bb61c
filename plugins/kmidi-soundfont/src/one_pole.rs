//! The simplest filter, as effects use it.

/// The coefficient of a one-pole low-pass.
pub(crate) fn one_pole(corner_hz: f64, sample_rate_hz: f64) -> f32 {
    (1.0 - libm::exp(-std::f64::consts::TAU * corner_hz / sample_rate_hz)) as f32
}

/// Takes off what is below a corner: copies of basses, and of the constant part that samples may
/// have, would pile up.
pub(crate) struct LowCut {
    low: f32,
    coefficient: f32,
}

impl LowCut {
    pub fn new(corner_hz: f64, sample_rate_hz: f64) -> Self {
        LowCut { low: 0.0, coefficient: one_pole(corner_hz, sample_rate_hz) }
    }

    #[inline(always)]
    pub fn process(&mut self, input: f32) -> f32 {
        // Two steps that wait for the frame before, not three.
        self.low = self.low * (1.0 - self.coefficient) + input * self.coefficient;
        input - self.low
    }

    pub fn clear(&mut self) {
        self.low = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_goes_and_a_tone_far_above_stays() {
        let mut cut = LowCut::new(40.0, 48_000.0);
        let constant: Vec<f32> = (0..48_000).map(|_| cut.process(1.0)).collect();
        assert!(constant[0] > 0.99 && constant[47_999].abs() < 1e-3);
        cut.clear();
        let tone = |i: i32| (f64::from(i) * std::f64::consts::TAU * 4000.0 / 48_000.0).sin() as f32;
        let peak =
            (0..4800).map(|i| cut.process(tone(i))).skip(2400).fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!((0.99..1.01).contains(&peak), "{peak}");
    }
}
