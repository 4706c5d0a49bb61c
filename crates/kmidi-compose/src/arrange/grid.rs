use kmidi_core::Meter;

use crate::score::TICKS_PER_QUARTER;

/// Ticks of a quarter note, of an eighth and of a sixteenth.
pub const QUARTER: i64 = TICKS_PER_QUARTER as i64;
pub const EIGHTH: i64 = QUARTER / 2;
pub const SIXTEENTH: i64 = QUARTER / 4;

/// A beat as it is felt: a quarter in 4/4, a dotted quarter in 6/8, a group of two or three eighths in 7/8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Ticks from the start of the bar.
    pub start: i64,
    /// In ticks.
    pub length: i64,
    /// Whether the bar leans on it: its first beat, and the first of each group of beats.
    pub strong: bool,
}

impl Beat {
    /// Into how many parts it is heard to be divided: three where it is dotted, else two.
    pub fn parts(self) -> i64 {
        if self.length % (3 * EIGHTH) == 0 { 3 * (self.length / (3 * EIGHTH)) } else { 2 }
    }

    /// Where each of its parts begins, in ticks from the start of the bar.
    pub fn part(self, index: i64) -> i64 {
        self.start + self.length * index / self.parts()
    }

    /// Where it ends, in ticks from the start of the bar.
    pub fn end(self) -> i64 {
        self.start + self.length
    }
}

/// How a bar is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Ticks of a bar.
    pub bar: i64,
    /// Its beats; never empty.
    pub beats: Vec<Beat>,
}

impl Grid {
    /// The beats of a meter. A numerator of 0 is read as 4, a beat shorter than a 64th as a 64th.
    pub fn new(meter: Meter) -> Self {
        let count = if meter.numerator == 0 { 4 } else { usize::from(meter.numerator) };
        let unit = (4 * QUARTER) >> meter.denominator_log2.min(6);
        let (lengths, strong) = match unit {
            // Whole and half notes are felt in quarters.
            unit if unit > QUARTER => {
                let quarters = (unit / QUARTER) as usize;
                (vec![QUARTER; count * quarters], firsts(&vec![quarters; count]))
            }
            unit if unit == QUARTER => (vec![QUARTER; count], firsts(&groups(count))),
            unit if unit == EIGHTH => {
                let lengths: Vec<i64> = eighths(count).iter().map(|&it| it as i64 * EIGHTH).collect();
                let strong = strong_of_unequal(&lengths);
                (lengths, strong)
            }
            unit => {
                let lengths = quarters_and_rest(count as i64 * unit);
                let strong = firsts(&groups(lengths.len()));
                (lengths, strong)
            }
        };
        let mut start = 0;
        let mut beats = Vec::with_capacity(lengths.len());
        for (index, &length) in lengths.iter().enumerate() {
            beats.push(Beat { start, length, strong: strong.contains(&index) });
            start += length;
        }
        Grid { bar: start, beats }
    }

    /// The bar that a tick lies in, and its place there.
    pub fn place(&self, tick: i64) -> (i64, i64) {
        (tick.div_euclid(self.bar), tick.rem_euclid(self.bar))
    }

    /// The beat that a place of the bar lies in.
    pub fn beat_at(&self, place: i64) -> Beat {
        let later = self.beats.iter().rev().find(|beat| beat.start <= place);
        later.copied().unwrap_or(self.beats[0])
    }

    /// How heavy a place of the bar is: 3 for its start, 2 for the other strong beats, 1 for beats, 0 between.
    pub fn weight(&self, place: i64) -> u8 {
        match self.beats.iter().find(|beat| beat.start == place) {
            Some(Beat { start: 0, .. }) => 3,
            Some(Beat { strong: true, .. }) => 2,
            Some(_) => 1,
            None => 0,
        }
    }

    /// The beats from each strong beat to the next.
    pub fn groups(&self) -> impl Iterator<Item = &[Beat]> {
        self.beats.chunk_by(|_, next| !next.strong)
    }

    /// The beat that stands nearest to the middle of the bar, a strong one if there is one within a beat of it.
    pub fn middle(&self) -> i64 {
        let away = |beat: &&Beat| (2 * beat.start - self.bar).abs() - if beat.strong { QUARTER } else { 0 };
        self.beats.iter().skip(1).min_by_key(away).map_or(self.bar / 2, |beat| beat.start)
    }
}

/// A count as groups of two and three: 5 = 3 + 2, 7 = 2 + 2 + 3, 4 = 2 + 2, 3 = 3, 6 = 3 + 3.
fn groups(count: usize) -> Vec<usize> {
    match count {
        0..=3 => vec![count.max(1)],
        count if count % 3 == 0 && count % 4 != 0 => vec![3; count / 3],
        count if count % 2 == 0 => vec![2; count / 2],
        5 => vec![3, 2],
        count => [vec![2; (count - 3) / 2], vec![3]].concat(),
    }
}

/// How a bar of so many eighths is felt.
fn eighths(count: usize) -> Vec<usize> {
    match count {
        count if count % 3 == 0 => vec![3; count / 3],
        8 => vec![3, 3, 2],
        count => groups(count),
    }
}

/// Each group's first index.
fn firsts(groups: &[usize]) -> Vec<usize> {
    let sums = groups.iter().scan(0, |sum, group| {
        let first = *sum;
        *sum += group;
        Some(first)
    });
    sums.collect()
}

/// Of equal beats, the first of each group; of unequal ones, the first, and those where another length begins.
fn strong_of_unequal(lengths: &[i64]) -> Vec<usize> {
    if lengths.iter().all(|length| *length == lengths[0]) {
        return firsts(&groups(lengths.len()));
    }
    (0..lengths.len()).filter(|&index| index == 0 || lengths[index] != lengths[index - 1]).collect()
}

/// Quarters, and what is left over as part of the last or as a beat of its own.
fn quarters_and_rest(bar: i64) -> Vec<i64> {
    let (quarters, rest) = (bar / QUARTER, bar % QUARTER);
    let mut lengths = vec![QUARTER; quarters as usize];
    match lengths.last_mut() {
        Some(last) if rest > 0 && rest < EIGHTH => *last += rest,
        _ if rest > 0 => lengths.push(rest),
        _ => {}
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(numerator: u8, denominator_log2: u8) -> String {
        let grid = Grid::new(Meter { numerator, denominator_log2 });
        let beats = grid
            .beats
            .iter()
            .map(|beat| format!("{}{}", beat.length * 4 / QUARTER, if beat.strong { "!" } else { "" }));
        beats.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn meters_are_felt_in_groups() {
        assert_eq!(drawn(4, 2), "4! 4 4! 4");
        assert_eq!(drawn(3, 2), "4! 4 4");
        assert_eq!(drawn(5, 2), "4! 4 4 4! 4");
        assert_eq!(drawn(7, 2), "4! 4 4! 4 4! 4 4");
        assert_eq!(drawn(6, 3), "6! 6");
        assert_eq!(drawn(9, 3), "6! 6 6");
        assert_eq!(drawn(12, 3), "6! 6 6! 6");
        assert_eq!(drawn(7, 3), "4! 4 6!");
        assert_eq!(drawn(5, 3), "6! 4!");
        assert_eq!(drawn(8, 3), "6! 6 4!");
        assert_eq!(drawn(2, 1), "4! 4 4! 4");
        assert_eq!(drawn(7, 4), "4! 3");
        assert_eq!(drawn(1, 2), "4!");
    }

    #[test]
    fn every_meter_fills_its_bar() {
        for numerator in 0..=255 {
            for denominator_log2 in 0..=8 {
                let grid = Grid::new(Meter { numerator, denominator_log2 });
                let unit = (4 * QUARTER) >> denominator_log2.min(6);
                let count = if numerator == 0 { 4 } else { i64::from(numerator) };
                assert_eq!(grid.bar, count * unit, "{numerator}/{denominator_log2}");
                assert_eq!(grid.beats.last().unwrap().end(), grid.bar);
                assert!(grid.beats.iter().all(|beat| beat.length > 0) && grid.beats[0].strong);
            }
        }
    }

    #[test]
    fn the_middle_of_a_bar_is_a_beat_of_it() {
        let middle = |numerator, denominator_log2| Grid::new(Meter { numerator, denominator_log2 }).middle();
        assert_eq!(middle(4, 2), 2 * QUARTER);
        assert_eq!(middle(6, 3), 3 * EIGHTH);
        assert_eq!(middle(5, 2), 3 * QUARTER);
        assert_eq!(middle(7, 3), 4 * EIGHTH);
    }
}
