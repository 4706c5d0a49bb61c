//! Which numbers people use for a parameter. VST3 counts from 0 to 1, whatever the plugin shows: decibels, steps, hertz.

use super::controller::Controller;
use super::exchange::normalised;

/// Where a parameter without steps is looked at between its ends.
const LOOKED_AT: [f64; 9] = [0.07, 0.2, 0.25, 0.37, 0.5, 0.63, 0.75, 0.81, 0.96];
/// Steps that are looked at, evenly over all of them.
const STEPS_LOOKED_AT: u32 = 32;
/// By so much of the range both may differ: many plugins count in 32 bits.
const TOLERANCE: f64 = 1e-5;

/// The plugin's own numbers of a parameter, which follow those of VST3 in a straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// What stands for 0.
    pub min: f64,
    /// What stands for 1; greater.
    pub max: f64,
}

impl Range {
    /// VST3's own numbers.
    pub const NORMALISED: Range = Range { min: 0.0, max: 1.0 };

    /// Asks the controller for a parameter's numbers; `None` where they follow no straight line, or where both ways do not agree.
    /// Of a parameter with steps only these count. `[side B]`
    pub fn read(controller: &Controller, id: u32, steps: u32) -> Option<Self> {
        let range = Range { min: controller.plain_of(id, 0.0)?, max: controller.plain_of(id, 1.0)? };
        let span = range.max - range.min;
        if !(span > 0.0 && span.is_finite()) {
            return None;
        }
        let is_straight = |value: f64| {
            let wanted = range.plain(value);
            let is_near = |plain: f64| (plain - wanted).abs() <= TOLERANCE * span;
            let comes_back = |back: f64| (back - value).abs() <= TOLERANCE;
            controller.plain_of(id, value).is_some_and(is_near)
                && controller.value_of_plain(id, wanted).is_some_and(comes_back)
        };
        let is_whole = match steps {
            0 => LOOKED_AT.into_iter().chain([0.0, 1.0]).all(is_straight),
            steps => (0..=steps.min(STEPS_LOOKED_AT)).all(|at| is_straight(step(at, steps))),
        };
        is_whole.then_some(range)
    }

    /// The plugin's number for one of VST3. `[side A]`
    pub fn plain(self, value: f64) -> f64 {
        // The ends are met exactly, whatever is lost in between.
        if value >= 1.0 { self.max } else { (self.min + value * (self.max - self.min)).min(self.max) }
    }

    /// VST3's number for one of the plugin; that of the nearer end for one beyond them, `None` if it is no number. `[side A]`
    pub fn normalised(self, plain: f64) -> Option<f64> {
        normalised((plain - self.min) / (self.max - self.min))
    }
}

/// One of the steps that are looked at, as VST3 counts.
fn step(at: u32, steps: u32) -> f64 {
    let looked_at = steps.min(STEPS_LOOKED_AT);
    let step = u64::from(at) * u64::from(steps) / u64::from(looked_at);
    step as f64 / f64::from(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_meet_at_the_ends_and_come_back_in_between() {
        for (min, max) in [(-60.0, 0.0), (20.0, 20_000.0), (0.1, 0.3), (-1e-3, 1e9), (0.0, 1.0)] {
            let range = Range { min, max };
            assert_eq!((range.plain(0.0), range.plain(1.0)), (min, max));
            assert_eq!((range.normalised(min), range.normalised(max)), (Some(0.0), Some(1.0)));
            for at in 0..=1000 {
                let value = f64::from(at) / 1000.0;
                let plain = range.plain(value);
                assert!((min..=max).contains(&plain));
                assert!((range.normalised(plain).unwrap() - value).abs() < 1e-12, "{min} {max} {value}");
            }
        }
        let range = Range { min: -60.0, max: 0.0 };
        assert_eq!((range.normalised(f64::NAN), range.normalised(f64::INFINITY)), (None, Some(1.0)));
        assert_eq!((range.normalised(-1e300), range.normalised(7.0)), (Some(0.0), Some(1.0)));
    }

    #[test]
    fn of_many_steps_some_are_looked_at_and_both_ends_among_them() {
        for steps in [1, 2, 31, 32, 33, 1000, u32::MAX] {
            let looked_at: Vec<f64> = (0..=steps.min(STEPS_LOOKED_AT)).map(|at| step(at, steps)).collect();
            assert!(looked_at.is_sorted() && looked_at.len() <= 33);
            assert_eq!((looked_at[0], looked_at[looked_at.len() - 1]), (0.0, 1.0));
        }
    }
}
