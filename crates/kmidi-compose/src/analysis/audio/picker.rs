//! Which moments of a flux are the beginnings of something.

/// A peak is the highest within this time on both sides, in seconds.
const PEAK_SECONDS: f64 = 0.03;
/// What is usual is learned from so many seconds.
const USUAL_SECONDS: f64 = 0.5;
/// How far above the median a peak must be: so many times the distance from the median down to the lower sixth of values
/// (one standard deviation, where the flux is that of noise), ...
const DEVIATIONS: f32 = 6.0;
/// ... so much in any case, in nepers, ...
const FLOOR: f32 = 0.03;
/// ... and this part of the highest of the last seconds.
const PART_OF_HIGHEST: f32 = 0.1;
/// Seconds in which the highest is forgotten, but for 1/e.
const HIGHEST_SECONDS: f64 = 2.0;

/// Picks peaks out of a row of values. `[side A]`, but for [`Picker::new`].
pub(super) struct Picker {
    /// The last values, newest last.
    values: Box<[f32]>,
    /// How many of them have come, until all have.
    seen: usize,
    sorted: Box<[f32]>,
    /// Values behind a peak that must be known.
    ahead: usize,
    highest: f32,
    fading: f32,
}

impl Picker {
    /// `[side B]` For values that are so many seconds apart.
    pub fn new(hop_seconds: f64) -> Self {
        let hops = |seconds: f64| (seconds / hop_seconds).round().max(1.0) as usize;
        let ahead = hops(PEAK_SECONDS);
        let length = hops(USUAL_SECONDS) + ahead + 1;
        Picker {
            values: vec![0.0; length].into(),
            seen: 0,
            sorted: vec![0.0; length].into(),
            ahead,
            highest: 0.0,
            fading: (-hop_seconds / HIGHEST_SECONDS).exp() as f32,
        }
    }

    /// How many values later a peak is told.
    pub fn ahead(&self) -> usize {
        self.ahead
    }

    /// The next value. If the one that came [`Picker::ahead`] values earlier is a peak: how far it stands out.
    pub fn push(&mut self, value: f32) -> Option<f32> {
        self.values.copy_within(1.., 0);
        let last = self.values.len() - 1;
        self.values[last] = value;
        self.seen = (self.seen + 1).min(self.values.len());
        let at = last - self.ahead;
        let peak = self.values[at];
        self.highest = (self.highest * self.fading).max(peak);
        let is_highest = self.values[at - self.ahead..at].iter().all(|&before| before < peak)
            && self.values[at + 1..].iter().all(|&after| after <= peak);
        if !is_highest || peak <= FLOOR {
            return None;
        }
        let sorted = &mut self.sorted[..self.seen];
        sorted.copy_from_slice(&self.values[last + 1 - self.seen..]);
        sorted.sort_unstable_by(f32::total_cmp);
        let (median, low) = (sorted[(self.seen - 1) / 2], sorted[(self.seen - 1) / 6]);
        let margin = FLOOR.max(DEVIATIONS * (median - low)).max(PART_OF_HIGHEST * self.highest);
        (peak > median + margin).then_some(peak - median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(values: &[f32]) -> Vec<usize> {
        let mut picker = Picker::new(0.0116);
        let ahead = picker.ahead();
        let all = values.iter().copied().chain(std::iter::repeat_n(0.0, ahead));
        let found = all.enumerate().filter_map(|(at, value)| picker.push(value).map(|_| at - ahead));
        found.collect()
    }

    #[test]
    fn peaks_are_found_where_they_stand_and_a_plateau_counts_once() {
        let mut values = [0.0; 200];
        for (at, value) in [(0, 0.5), (50, 1.0), (100, 1.0), (101, 1.0), (150, 0.9), (152, 0.8)] {
            values[at] = value;
        }
        assert_eq!(picked(&values), [0, 50, 100, 150]);
    }

    #[test]
    fn what_is_usual_is_no_peak() {
        let noise: Vec<f32> = (0..2000u32)
            .map(|i| 0.3 + 0.1 * (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0)
            .collect();
        assert!(picked(&noise[..]).iter().all(|&at| at < 2), "{:?}", picked(&noise));
        let mut click = noise.clone();
        click[1000] = 1.2;
        assert!(picked(&click).contains(&1000));
    }
}
