use kmidi_song::Random;

use crate::arrange::grid::{Beat, Grid};
use crate::mood::Contour;

/// A note of a motif.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// In ticks from the start of the motif.
    pub at: i64,
    /// Until the next one begins, or the motif ends.
    pub length: i64,
    /// Steps of the scale from the stroke before; 0 for the first.
    pub step: i32,
}

/// A few notes that are recognised when they come again: a rhythm, and the steps between its notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motif {
    /// In order; never empty, the first within the first beat.
    pub strokes: Vec<Stroke>,
    /// Its length in bars, 1 or 2.
    pub bars: u32,
}

/// What a motif is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Taste {
    /// Notes a beat.
    pub density: f64,
    /// 0 to 1.
    pub syncopation: f64,
    /// The way it goes.
    pub contour: Contour,
    /// Whether sixteenths can be played at this tempo.
    pub sixteenths: bool,
    /// 0 to 1: how many of its steps are twice as wide.
    pub restless: f64,
    /// Its length in bars.
    pub bars: u32,
}

/// How a beat can be filled: where notes begin in it, in twelfths. Nothing: the note before goes on.
struct Cell {
    onsets: &'static [i64],
    /// How usual it is.
    usual: f64,
    /// Leans against the beat.
    against: bool,
    /// Needs sixteenths.
    fine: bool,
}

const fn cell(onsets: &'static [i64], usual: f64, against: bool, fine: bool) -> Cell {
    Cell { onsets, usual, against, fine }
}

const OF_TWO: &[Cell] = &[
    cell(&[], 1.0, false, false),
    cell(&[0], 2.0, false, false),
    cell(&[0, 6], 1.6, false, false),
    cell(&[6], 0.7, true, false),
    cell(&[0, 9], 0.9, false, true),
    cell(&[0, 6, 9], 0.6, false, true),
    cell(&[0, 3, 6], 0.6, false, true),
    cell(&[0, 3], 0.2, true, true),
    cell(&[3, 9], 0.2, true, true),
    cell(&[0, 3, 6, 9], 0.4, false, true),
];

const OF_THREE: &[Cell] = &[
    cell(&[], 1.0, false, false),
    cell(&[0], 2.0, false, false),
    cell(&[0, 8], 1.8, false, false),
    cell(&[0, 4, 8], 1.2, false, false),
    cell(&[0, 4], 0.6, true, false),
    cell(&[8], 0.5, true, false),
    cell(&[0, 6, 8], 0.4, false, true),
    cell(&[0, 4, 8, 10], 0.3, false, true),
];

/// Steps that belong together, by where a phrase goes.
fn gestures(contour: Contour) -> &'static [&'static [i32]] {
    match contour {
        Contour::Falling => {
            &[&[-1, -1, -1], &[2, -1, -1], &[0, -1, -1], &[3, -1, -1, -1], &[-1, -2], &[1, -1, -2]]
        }
        Contour::Rising => &[&[1, 1, 1], &[2, -1, 2], &[4, -1, 1], &[0, 1, 1], &[1, 2], &[-1, 2, 1]],
        Contour::Arch => &[&[1, 1, -1], &[2, 1, -1, -1], &[2, -2], &[4, -1, -1, -1], &[1, 1, 1, -1, -1]],
        Contour::Wave => &[&[2, -1, -1], &[-1, 1, 1], &[2, -2, 1], &[-2, 1, 1], &[1, -1, -1, 2]],
        Contour::Level => &[&[0, 1, -1], &[1, -1], &[-1, 1], &[0, 0, -1, 1], &[0, 0, 1]],
        Contour::Jagged => &[&[4, -3], &[-4, 5], &[0, 0, 4], &[3, 2, -5], &[0, -1, 5, -3], &[-5, 4]],
    }
}

impl Motif {
    /// A new one. Not all its notes are of one length, if there are more than two.
    pub fn new(grid: &Grid, taste: Taste, random: &mut Random) -> Self {
        let mut onsets = rhythm(grid, taste, random);
        for _ in 0..8 {
            if is_uneven(&onsets, grid.bar * i64::from(taste.bars)) {
                break;
            }
            onsets = rhythm(grid, taste, random);
        }
        if onsets.len() > 3 && !is_uneven(&onsets, grid.bar * i64::from(taste.bars)) {
            onsets.pop();
        }
        let mut motif = Motif { strokes: Vec::with_capacity(onsets.len()), bars: taste.bars };
        let mut steps = Vec::new();
        while steps.len() < onsets.len() {
            steps.extend_from_slice(random.pick(gestures(taste.contour)).copied().unwrap_or(&[1]));
        }
        for (index, &at) in onsets.iter().enumerate() {
            let step = if index == 0 { 0 } else { steps[index - 1] };
            let step = if step.abs() <= 2 && random.chance(taste.restless) { 2 * step } else { step };
            motif.strokes.push(Stroke { at, length: 0, step });
        }
        motif.measure(grid);
        motif
    }

    /// Sets every length to where the next stroke begins.
    fn measure(&mut self, grid: &Grid) {
        let end = grid.bar * i64::from(self.bars);
        let starts: Vec<i64> = self.strokes.iter().skip(1).map(|stroke| stroke.at).chain([end]).collect();
        for (stroke, next) in self.strokes.iter_mut().zip(starts) {
            stroke.length = next - stroke.at;
        }
    }

    /// One bar of it, as a motif of its own; its first note does not step from the bar before.
    pub fn bar(&self, grid: &Grid, bar: u32) -> Motif {
        let bar = i64::from(bar % self.bars.max(1));
        let (start, end) = (bar * grid.bar, (bar + 1) * grid.bar);
        let inside = self.strokes.iter().filter(|stroke| (start..end).contains(&stroke.at));
        let mut strokes: Vec<Stroke> =
            inside.map(|stroke| Stroke { at: stroke.at - start, length: 0, step: stroke.step }).collect();
        if let Some(first) = strokes.first_mut() {
            first.step = 0;
        }
        let mut motif = Motif { strokes, bars: 1 };
        motif.measure(grid);
        motif
    }

    /// The same rhythm, but for its end, with the steps the other way: what answers it.
    pub fn answer(&self, grid: &Grid, random: &mut Random) -> Motif {
        let mut motif = self.clone();
        for stroke in &mut motif.strokes {
            stroke.step = -stroke.step;
        }
        motif.vary_end(grid, random);
        motif
    }

    /// Its last beat otherwise: a note less, or one more.
    pub fn vary_end(&mut self, grid: &Grid, random: &mut Random) {
        let end = grid.bar * i64::from(self.bars);
        let Some(&last) = self.strokes.last() else { return };
        let beat = grid.beats[grid.beats.len() - 1];
        if self.strokes.len() > 2 && random.chance(0.5) {
            self.strokes.pop();
        } else if last.at < end - beat.length {
            let step = if last.step > 0 { -1 } else { 1 };
            self.strokes.push(Stroke { at: end - beat.length, length: 0, step });
        } else if let Some(last) = self.strokes.last_mut() {
            last.step = -last.step;
        }
        self.measure(grid);
    }

    /// The first half of a bar of it, twice.
    pub fn twice_its_head(&self, grid: &Grid) -> Motif {
        let half = grid.middle();
        let head: Vec<Stroke> =
            self.bar(grid, 0).strokes.into_iter().filter(|stroke| stroke.at < half).collect();
        let again = head.iter().map(|stroke| Stroke { at: stroke.at + half, ..*stroke });
        let strokes = head.iter().copied().chain(again.filter(|stroke| stroke.at < grid.bar)).collect();
        let mut motif = Motif { strokes, bars: 1 };
        motif.measure(grid);
        motif
    }
}

/// Whether notes have two lengths at least, or are too few for that.
fn is_uneven(onsets: &[i64], end: i64) -> bool {
    let mut lengths =
        onsets.windows(2).map(|pair| pair[1] - pair[0]).chain(onsets.last().map(|last| end - last));
    let first = lengths.next();
    onsets.len() < 3 || lengths.any(|length| Some(length) != first)
}

/// Where the notes of a motif begin.
fn rhythm(grid: &Grid, taste: Taste, random: &mut Random) -> Vec<i64> {
    let beats: Vec<(i64, Beat)> = (0..i64::from(taste.bars))
        .flat_map(|bar| grid.beats.iter().map(move |beat| (bar * grid.bar + beat.start, *beat)))
        .collect();
    let quarters = (grid.bar * i64::from(taste.bars)) as f64 / super::super::grid::QUARTER as f64;
    let mut left = (taste.density * quarters).max(1.5);
    let mut onsets: Vec<i64> = Vec::new();
    let mut before = usize::MAX;
    for (index, &(start, beat)) in beats.iter().enumerate() {
        let ideal = left / (beats.len() - index) as f64;
        let last = index + 1 == beats.len();
        let (chosen, cell) = choose(beat, ideal, index == 0, last, before, taste, random);
        before = chosen;
        onsets.extend(cell.onsets.iter().map(|twelfth| start + beat.length * twelfth / 12));
        left -= cell.onsets.len() as f64;
    }
    if onsets.is_empty() {
        onsets.push(0);
    }
    onsets
}

fn choose(
    beat: Beat,
    ideal: f64,
    first: bool,
    last: bool,
    before: usize,
    taste: Taste,
    random: &mut Random,
) -> (usize, &'static Cell) {
    let cells = if beat.parts() % 3 == 0 { OF_THREE } else { OF_TWO };
    let weight = |(index, cell): (usize, &Cell)| {
        let off = cell.onsets.len() as f64 - ideal;
        // Where there is little to say, a note too many weighs more.
        let mut weight = cell.usual / (1.0 + (3.0 + 2.0 / taste.density.max(0.2)) * off * off);
        if cell.fine && !taste.sixteenths || first && cell.onsets.first() != Some(&0) {
            return 0.0;
        }
        if cell.against {
            weight *= 0.3 + 2.0 * taste.syncopation;
        }
        if index == before && !cell.onsets.is_empty() {
            weight *= 0.5;
        }
        if ideal < 0.3 && !cell.onsets.is_empty() {
            weight *= 0.15;
        }
        // A motif comes to rest.
        if last && cell.onsets.len() > 1 {
            weight *= 0.3;
        }
        weight
    };
    let weights: Vec<f64> = cells.iter().enumerate().map(weight).collect();
    let mut drawn = random.unit() * weights.iter().sum::<f64>();
    for (index, (cell, weight)) in cells.iter().zip(&weights).enumerate() {
        drawn -= weight;
        if drawn < 0.0 {
            return (index, cell);
        }
    }
    (1, &cells[1])
}

#[cfg(test)]
mod tests {
    use kmidi_core::Meter;

    use super::*;

    fn taste(density: f64) -> Taste {
        Taste { density, syncopation: 0.3, contour: Contour::Arch, sixteenths: true, restless: 0.2, bars: 2 }
    }

    #[test]
    fn motifs_have_the_density_and_are_never_even() {
        let grid = Grid::new(Meter::default());
        for density in [0.5, 1.0, 2.0] {
            let mut count = 0;
            for seed in 0..100 {
                let motif = Motif::new(&grid, taste(density), &mut Random::new(seed));
                let onsets: Vec<i64> = motif.strokes.iter().map(|stroke| stroke.at).collect();
                assert!(onsets.is_sorted() && onsets[0] < grid.beats[0].length);
                assert!(onsets.len() < 4 || is_uneven(&onsets, 2 * grid.bar), "{onsets:?}");
                assert_eq!(
                    motif.strokes.iter().map(|stroke| stroke.length).sum::<i64>(),
                    2 * grid.bar - onsets[0]
                );
                count += onsets.len();
            }
            let mean = count as f64 / 100.0 / 8.0;
            assert!((0.7..1.4).contains(&(mean / density)), "{density}: {mean}");
        }
    }

    #[test]
    fn an_answer_turns_the_steps_round_and_keeps_the_rhythm() {
        let grid = Grid::new(Meter::default());
        let mut random = Random::new(3);
        let motif = Motif::new(&grid, taste(1.0), &mut random);
        let answer = motif.answer(&grid, &mut random);
        let kept =
            motif.strokes.iter().zip(&answer.strokes).filter(|(a, b)| a.at == b.at && a.step == -b.step);
        assert!(kept.count() + 1 >= motif.strokes.len().min(answer.strokes.len()));
        assert_eq!(motif.bar(&grid, 1).bars, 1);
    }
}
