use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use kmidi_core::Ticks;
use kmidi_song::Note;

/// Lines that notes are drawn to: the note value between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridValue {
    /// The note value: 1 a whole note, 32 a thirty-second.
    division: u8,
    /// Three in the time of two.
    triplet: bool,
}

/// Every grid there is.
pub const GRIDS: [&str; 12] = ["1", "2", "4", "8", "16", "32", "1t", "2t", "4t", "8t", "16t", "32t"];

/// A grid that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no grid: 1, 2, 4, 8, 16 or 32, with a t for triplets (16, 8t)")]
pub struct GridError(String);

impl FromStr for GridValue {
    type Err = GridError;

    /// `16`, `1/16`, `8t`.
    fn from_str(text: &str) -> Result<Self, GridError> {
        let value = text.strip_prefix("1/").unwrap_or(text);
        let (digits, triplet) =
            value.strip_suffix(['t', 'T']).map_or((value, false), |digits| (digits, true));
        match digits.parse::<u8>() {
            Ok(division @ (1 | 2 | 4 | 8 | 16 | 32)) => Ok(Self { division, triplet }),
            _ => Err(GridError(text.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for GridValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}{}", self.division, if self.triplet { "t" } else { "" })
    }
}

impl GridValue {
    /// Lines in four whole notes: an even number for every grid, so that every second line is one wherever it is counted from.
    fn lines_in_period(self) -> i64 {
        i64::from(self.division) * if self.triplet { 6 } else { 4 }
    }
}

/// How notes are drawn to a grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantise {
    /// The lines.
    pub grid: GridValue,
    /// 0 leaves notes where they are, 1 puts them on the lines.
    pub strength: f64,
    /// How much later every second line is: 0 straight, 1 by a third of the way to the next, as triplets swing.
    pub swing: f64,
}

/// What quantising did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantised {
    /// Notes whose start changed.
    pub moved: usize,
    /// Notes that fell onto another one of the same key and became one with it.
    pub merged: usize,
    /// Notes that now end earlier, because the next one of the same key begins.
    pub shortened: usize,
}

impl Quantise {
    /// Draws notes to the grid, which begins at tick 0. A note keeps its length: its end moves with its start. Of one
    /// channel and key no two notes overlap afterwards: the earlier ends where the later begins, and two that fall onto
    /// one line become one, with the louder velocity and the later end. The result is ordered by start and key.
    pub fn apply(&self, notes: &mut Vec<Note>, ticks_per_quarter: u32) -> Quantised {
        let mut done = Quantised::default();
        for note in notes.iter_mut() {
            let length = (note.end.0 - note.start.0).max(0);
            let start = self.drawn(note.start.0, ticks_per_quarter);
            done.moved += usize::from(start != note.start.0);
            (note.start, note.end) = (Ticks(start), Ticks(start.saturating_add(length)));
        }
        notes.sort_by_key(|note| (note.start, note.key, note.channel, note.end));
        let mut last_of: HashMap<(u8, u8), usize> = HashMap::new();
        let mut kept: Vec<Note> = Vec::with_capacity(notes.len());
        for note in notes.drain(..) {
            if let Some(last) = last_of.get(&(note.channel, note.key)).map(|&at| &mut kept[at]) {
                if last.start == note.start {
                    last.end = last.end.max(note.end);
                    last.velocity = last.velocity.max(note.velocity);
                    done.merged += 1;
                    continue;
                }
                if last.end > note.start {
                    last.end = note.start;
                    done.shortened += 1;
                }
            }
            last_of.insert((note.channel, note.key), kept.len());
            kept.push(note);
        }
        *notes = kept;
        done
    }

    /// Where a tick is drawn to.
    fn drawn(&self, tick: i64, ticks_per_quarter: u32) -> i64 {
        let line = self.nearest_line(tick, ticks_per_quarter);
        let strength = if self.strength.is_nan() { 0.0 } else { self.strength.clamp(0.0, 1.0) };
        tick.saturating_add(libm::round((line - tick) as f64 * strength) as i64)
    }

    fn nearest_line(&self, tick: i64, ticks_per_quarter: u32) -> i64 {
        // Lines are counted from the last multiple of four whole notes, so that rounding does not add up.
        let period = 16 * i64::from(ticks_per_quarter.max(1));
        let origin = tick.div_euclid(period) * period;
        let lines = self.grid.lines_in_period();
        let line = |number: i64| origin.saturating_add(self.line(number, lines, period));
        let near = (i128::from(tick - origin) * i128::from(lines) / i128::from(period)) as i64;
        let mut candidates: Vec<i64> = (near - 1..=near + 2).map(line).filter(|&at| at >= 0).collect();
        // Of two that are as near, the earlier.
        candidates.sort_by_key(|&at| ((at - tick).abs(), at));
        candidates.first().copied().unwrap_or(tick)
    }

    /// A line of a period, in ticks from its beginning. Every second line is late by the swing.
    fn line(&self, number: i64, lines: i64, period: i64) -> i64 {
        let swing = if self.swing.is_nan() { 0.0 } else { self.swing.clamp(0.0, 1.0) };
        let straight = number as f64 * period as f64 / lines as f64;
        let late = if number.rem_euclid(2) == 1 { swing * period as f64 / lines as f64 / 3.0 } else { 0.0 };
        libm::round(straight + late) as i64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PPQ: u32 = 480;

    fn note(start: i64, length: i64, key: u8) -> Note {
        Note { start: Ticks(start), end: Ticks(start + length), channel: 0, key, velocity: 80 }
    }

    fn quantise(grid: &str, strength: f64, swing: f64) -> Quantise {
        Quantise { grid: grid.parse().unwrap(), strength, swing }
    }

    fn starts(how: Quantise, ticks: &[i64]) -> Vec<i64> {
        let mut notes: Vec<Note> = ticks.iter().zip(40..).map(|(&tick, key)| note(tick, 10, key)).collect();
        how.apply(&mut notes, PPQ);
        notes.sort_by_key(|note| note.key);
        notes.iter().map(|note| note.start.0).collect()
    }

    #[test]
    fn lines_are_where_note_values_are() {
        assert_eq!(starts(quantise("16", 1.0, 0.0), &[0, 55, 65, 130, 475]), [0, 0, 120, 120, 480]);
        assert_eq!(starts(quantise("8t", 1.0, 0.0), &[150, 170, 330]), [160, 160, 320]);
        assert_eq!(starts(quantise("4t", 1.0, 0.0), &[300, 650]), [320, 640]);
        assert_eq!(starts(quantise("1", 1.0, 0.0), &[900, 1000, 2000]), [0, 1920, 1920]);
        assert_eq!(starts(quantise("1t", 1.0, 0.0), &[1200, 2500]), [1280, 2560]);
        assert_eq!(starts(quantise("32", 1.0, 0.0), &[61, 89, 91]), [60, 60, 120]);
    }

    #[test]
    fn strength_is_the_share_of_the_way() {
        assert_eq!(starts(quantise("4", 0.5, 0.0), &[40, 440]), [20, 460]);
        assert_eq!(starts(quantise("4", 0.0, 0.0), &[41, 439]), [41, 439]);
        assert_eq!(starts(quantise("4", f64::NAN, f64::NAN), &[41]), [41]);
    }

    #[test]
    fn swing_delays_every_second_line_up_to_the_triplet() {
        assert_eq!(starts(quantise("8", 1.0, 1.0), &[0, 240, 480, 720]), [0, 320, 480, 800]);
        assert_eq!(starts(quantise("8", 1.0, 0.5), &[240]), [280]);
    }

    #[test]
    fn notes_of_one_key_end_where_the_next_begins_or_become_one() {
        let mut notes = vec![note(0, 130, 60), note(110, 100, 60), note(125, 300, 60), note(115, 50, 62)];
        let done = quantise("16", 1.0, 0.0).apply(&mut notes, PPQ);
        assert_eq!(notes, [note(0, 120, 60), note(120, 300, 60), note(120, 50, 62)]);
        assert_eq!(done, Quantised { moved: 3, merged: 1, shortened: 1 });
    }

    #[test]
    fn a_grid_is_read_as_it_is_written_and_others_are_refused() {
        for grid in GRIDS {
            assert_eq!(grid.parse::<GridValue>().unwrap().to_string(), format!("1/{grid}"));
            assert_eq!(format!("1/{grid}").parse::<GridValue>(), grid.parse());
        }
        for wrong in ["", "3", "64", "t", "8tt", "1/", "1/5", "🎵"] {
            assert!(wrong.parse::<GridValue>().is_err(), "{wrong}");
        }
    }

    fn any_notes() -> impl Strategy<Value = Vec<Note>> {
        let one = (0i64..20_000, 1i64..2_000, 58u8..62, 0u8..2, 1u8..=127).prop_map(
            |(start, length, key, channel, velocity)| Note {
                start: Ticks(start),
                end: Ticks(start + length),
                channel,
                key,
                velocity,
            },
        );
        prop::collection::vec(one, 0..60)
    }

    fn any_grid() -> impl Strategy<Value = GridValue> {
        (0..GRIDS.len()).prop_map(|at| GRIDS[at].parse().unwrap())
    }

    fn overlaps(notes: &[Note]) -> bool {
        let same = |a: &Note, b: &Note| (a.channel, a.key) == (b.channel, b.key);
        notes
            .iter()
            .enumerate()
            .any(|(at, a)| notes[at + 1..].iter().any(|b| same(a, b) && a.start < b.end && b.start < a.end))
    }

    proptest! {
        #[test]
        fn at_full_strength_a_second_time_changes_nothing(mut notes in any_notes(), grid in any_grid(), swing in 0.0..=1.0f64, ppq in prop::sample::select(vec![1u32, 24, 96, 480, 960, 1001])) {
            let how = Quantise { grid, strength: 1.0, swing };
            how.apply(&mut notes, ppq);
            let once = notes.clone();
            let again = how.apply(&mut notes, ppq);
            prop_assert_eq!(once, notes);
            prop_assert_eq!(again, Quantised::default());
        }

        #[test]
        fn ends_move_with_starts_and_nothing_overlaps_itself(notes in any_notes(), grid in any_grid(), strength in 0.0..=1.0f64, swing in 0.0..=1.0f64) {
            let mut after = notes.clone();
            let done = Quantise { grid, strength, swing }.apply(&mut after, PPQ);
            prop_assert!(!overlaps(&after));
            prop_assert_eq!(after.len() + done.merged, notes.len());
            prop_assert!(after.iter().all(|note| note.end >= note.start && note.start.0 >= 0));
            if done.merged == 0 && done.shortened == 0 {
                let mut lengths: Vec<i64> = notes.iter().map(|note| note.length().0).collect();
                let mut lengths_after: Vec<i64> = after.iter().map(|note| note.length().0).collect();
                lengths.sort_unstable();
                lengths_after.sort_unstable();
                prop_assert_eq!(lengths, lengths_after);
            }
            // No note goes farther than half a whole note's grid, swing included.
            let furthest = |note: &Note| after.iter().map(|it| (it.start.0 - note.start.0).abs()).min().unwrap_or(0);
            prop_assert!(notes.iter().all(|note| furthest(note) <= 1920));
        }
    }
}
