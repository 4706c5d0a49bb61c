use kmidi_core::Meter;
use kmidi_song::Note;

use super::NoteView;

/// How much a place in a bar is one where harmony changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Bar,
    Beat,
    Between,
}

/// A song cut into slots of half a beat (a third, where the beat is dotted).
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    /// First tick of each slot, and the end of the last one; rising.
    pub starts: Vec<i64>,
    /// One for each slot.
    pub places: Vec<Place>,
    /// Bar of each slot, from 0.
    pub bars: Vec<u32>,
    /// Length of each slot in beats.
    pub beats: Vec<f64>,
}

/// Beats of a bar, and slots of a beat.
pub(crate) fn beats_and_slots(meter: Meter) -> (i64, i64) {
    let numerator = i64::from(meter.numerator.max(1));
    if numerator > 3 && numerator % 3 == 0 && meter.denominator_log2 >= 3 {
        (numerator / 3, 3)
    } else if meter.denominator_log2 >= 3 {
        (numerator, 1)
    } else {
        (numerator, 2)
    }
}

impl Grid {
    pub(crate) fn new(view: &NoteView) -> Self {
        let bar_starts = view.bar_starts();
        let mut grid = Grid { starts: vec![], places: vec![], bars: vec![], beats: vec![] };
        for (bar, ends) in bar_starts.windows(2).enumerate() {
            let &[start, end] = ends else { continue };
            let meter = view.meters().meter(kmidi_core::Ticks(start));
            let (beats, slots) = beats_and_slots(meter);
            let length =
                view.ticks_per_quarter() * 4 * i64::from(meter.numerator) / i64::from(meter.denominator());
            for slot in 0..beats * slots {
                let at = start + length * slot / (beats * slots);
                if at >= end || grid.starts.last().is_some_and(|&last| last >= at) {
                    continue;
                }
                grid.starts.push(at);
                grid.bars.push(bar as u32);
                grid.beats.push(1.0 / slots as f64);
                grid.places.push(match slot {
                    0 => Place::Bar,
                    _ if slot % slots == 0 => Place::Beat,
                    _ => Place::Between,
                });
            }
        }
        let end = bar_starts.last().copied().unwrap_or(1);
        grid.starts.push(end.max(grid.starts.last().map_or(1, |last| last + 1)));
        grid
    }

    pub(crate) fn slots(&self) -> usize {
        self.places.len()
    }

    /// The slot that a tick is in; the last one for all behind it.
    pub(crate) fn slot_of(&self, tick: i64) -> usize {
        self.starts
            .partition_point(|&start| start <= tick)
            .saturating_sub(1)
            .min(self.slots().saturating_sub(1))
    }

    /// The place that a tick is nearest to, if it is as near as players are: within a sixth of a slot.
    pub(crate) fn place_of(&self, tick: i64) -> Option<Place> {
        let slot = self.slot_of(tick);
        let (start, end) = (self.starts[slot], self.starts[slot + 1]);
        let near = (end - start) / 6;
        if tick - start <= near {
            Some(self.places[slot])
        } else if end - tick <= near {
            Some(self.places.get(slot + 1).copied().unwrap_or(Place::Bar))
        } else {
            None
        }
    }
}

/// Weights of the twelve pitch classes.
pub(crate) type Chroma = [f64; 12];

/// How long each pitch class sounds in each slot, as running sums: any span costs twelve subtractions.
#[derive(Clone, Debug)]
pub(crate) struct ChromaSums(Vec<Chroma>);

impl ChromaSums {
    /// Notes with their weights, in beats of sounding time.
    pub(crate) fn new(grid: &Grid, notes: impl Iterator<Item = (Note, f64)>) -> Self {
        let slots = grid.slots();
        let mut sums = vec![[0.0; 12]; slots + 1];
        // What sounds through whole slots, as changes from slot to slot.
        let mut changes = vec![[0.0; 12]; slots + 1];
        let length = |slot: usize| (grid.starts[slot + 1] - grid.starts[slot]) as f64;
        let share =
            |slot: usize, from: i64, to: i64| (to - from).max(0) as f64 / length(slot) * grid.beats[slot];
        for (note, weight) in notes {
            let (start, end, class) = (note.start.0, note.end.0, usize::from(note.key % 12));
            let (first, last) = (grid.slot_of(start), grid.slot_of((end - 1).max(start)));
            if first == last {
                sums[first + 1][class] += weight * share(first, start, end);
                continue;
            }
            sums[first + 1][class] += weight * share(first, start, grid.starts[first + 1]);
            sums[last + 1][class] += weight * share(last, grid.starts[last], end.min(grid.starts[last + 1]));
            changes[first + 1][class] += weight;
            changes[last][class] -= weight;
        }
        let mut held = [0.0; 12];
        for slot in 0..slots {
            for class in 0..12 {
                held[class] += changes[slot][class];
                sums[slot + 1][class] += sums[slot][class] + held[class].max(0.0) * grid.beats[slot];
            }
        }
        Self(sums)
    }

    /// Of the slots from `first` to before `end`.
    pub(crate) fn of(&self, first: usize, end: usize) -> Chroma {
        std::array::from_fn(|class| (self.0[end][class] - self.0[first][class]).max(0.0))
    }
}

/// The pitch classes that sound in each slot, for a third of it at least; a bit each.
pub(crate) fn sounding_classes(grid: &Grid, notes: &[Note]) -> Vec<u16> {
    let mut sounding = vec![0; grid.slots()];
    // Of whole slots only where it begins and ends: many notes may last as long as the song.
    let mut changes = vec![[0i32; 12]; grid.slots() + 1];
    for note in notes {
        let (start, end, class) = (note.start.0, note.end.0, usize::from(note.key % 12));
        let (first, last) = (grid.slot_of(start), grid.slot_of((end - 1).max(start)));
        for slot in [first, last] {
            let (slot_start, slot_end) = (grid.starts[slot], grid.starts[slot + 1]);
            if 3 * (end.min(slot_end) - start.max(slot_start)) >= slot_end - slot_start {
                sounding[slot] |= 1 << class;
            }
        }
        if last > first {
            changes[first + 1][class] += 1;
            changes[last][class] -= 1;
        }
    }
    let mut held = [0; 12];
    for (set, changes) in sounding.iter_mut().zip(&changes) {
        for (class, (held, change)) in held.iter_mut().zip(changes).enumerate() {
            *held += change;
            *set |= u16::from(*held > 0) << class;
        }
    }
    sounding
}

/// The lowest key that sounds in each slot.
pub(crate) fn lowest_keys(grid: &Grid, notes: &[Note]) -> Vec<Option<u8>> {
    use std::cmp::Reverse;
    let mut sounding = std::collections::BinaryHeap::new();
    let mut next = notes.iter().filter(|note| note.end > note.start).peekable();
    let lowest = |slot: usize| {
        while let Some(note) = next.next_if(|note| note.start.0 < grid.starts[slot + 1]) {
            sounding.push((Reverse(note.key), note.end.0));
        }
        while sounding.peek().is_some_and(|&(_, end)| end <= grid.starts[slot]) {
            sounding.pop();
        }
        sounding.peek().map(|&(Reverse(key), _)| key)
    };
    (0..grid.slots()).map(lowest).collect()
}

#[cfg(test)]
mod tests {
    use kmidi_core::{Division, MeterMap, TempoMap, Ticks};

    use super::*;

    fn note(start: i64, end: i64, key: u8) -> Note {
        Note { start: Ticks(start), end: Ticks(end), channel: 0, key, velocity: 80 }
    }

    fn view(notes: &[Note], meter: Meter) -> NoteView {
        let tempos = TempoMap::new(Division::Ppq(96), []);
        NoteView::new(notes.iter().copied(), tempos, MeterMap::new(96, [(Ticks(0), meter)])).unwrap()
    }

    const SIX_EIGHT: Meter = Meter { numerator: 6, denominator_log2: 3 };

    #[test]
    fn beats_are_dotted_where_the_meter_is_compound() {
        let grid = Grid::new(&view(&[note(0, 300, 60)], SIX_EIGHT));
        assert_eq!(grid.starts, (0..=12).map(|slot| slot * 48).collect::<Vec<_>>());
        let beats: Vec<_> = (0..6).filter(|&slot| grid.places[slot] != Place::Between).collect();
        assert_eq!(beats, [0, 3]);
        assert_eq!(Grid::new(&view(&[note(0, 384, 60)], Meter::default())).slots(), 8);
    }

    #[test]
    fn running_sums_are_the_time_that_each_pitch_class_sounds() {
        let notes = [note(0, 384, 60), note(24, 72, 64), note(90, 100, 67), note(96, 96, 61)];
        let grid = Grid::new(&view(&notes, Meter::default()));
        let sums = ChromaSums::new(&grid, notes.iter().map(|&note| (note, 1.0)));
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(sums.of(0, 8)[0], 4.0) && close(sums.of(3, 5)[0], 1.0));
        assert!(close(sums.of(0, 8)[4], 0.5) && close(sums.of(0, 1)[4], 0.25));
        assert!(close(sums.of(0, 2)[7], 6.0 / 96.0) && close(sums.of(2, 3)[7], 4.0 / 96.0));
        assert!(close(sums.of(0, 8)[1], 0.0));
    }

    #[test]
    fn the_lowest_key_is_of_what_sounds_in_the_slot() {
        let notes = [note(0, 96, 48), note(0, 384, 60), note(200, 230, 40)];
        let grid = Grid::new(&view(&notes, Meter::default()));
        let lowest = lowest_keys(&grid, view(&notes, Meter::default()).notes());
        assert_eq!(lowest, [48, 48, 60, 60, 40, 60, 60, 60].map(Some));
    }

    #[test]
    fn a_class_sounds_in_the_slots_that_it_fills_a_third_of() {
        let notes = [note(0, 96, 48), note(0, 384, 60), note(200, 230, 40), note(96, 110, 62)];
        let grid = Grid::new(&view(&notes, Meter::default()));
        let sounding = sounding_classes(&grid, view(&notes, Meter::default()).notes());
        assert_eq!(sounding, [1, 1, 1, 1, 1 | 1 << 4, 1, 1, 1]);
        // Two of one class, of which one ends: the other sounds on.
        let notes = [note(0, 384, 60), note(48, 144, 72)];
        let view = view(&notes, Meter::default());
        assert_eq!(sounding_classes(&grid, view.notes()), [1; 8]);
    }

    #[test]
    fn one_tick_a_quarter_and_bars_of_no_length_end() {
        let tempos = TempoMap::new(Division::Ppq(1), []);
        let meter = Meter { numerator: 1, denominator_log2: 8 };
        let meters = MeterMap::new(1, [(Ticks(0), meter)]);
        let view = NoteView::new([note(0, 10, 60)], tempos, meters).unwrap();
        let grid = Grid::new(&view);
        assert!(grid.starts.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(grid.slots(), 10);
    }
}
