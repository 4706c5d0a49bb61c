use std::ops::RangeInclusive;

use super::Tone;
use super::chart::{Chart, class};
use super::clashes;
use super::form::Form;
use super::grid::Grid;
use super::style::Style;
use crate::theory::{Chord, PitchClass};

/// The tones that say what a chord is: its third (or what is suspended in its place) and its seventh; the fifth of a chord that has
/// neither.
pub fn guide_tones(chord: Chord) -> Vec<PitchClass> {
    let root = chord.root().pitch_class();
    let above = |tone: crate::theory::Tone| root.transposed(i32::from(tone.semitones));
    let mut tones: Vec<PitchClass> = chord.third().into_iter().chain(chord.seventh()).map(above).collect();
    if tones.is_empty() {
        let others = chord.tones().iter().copied().filter(|tone| tone.semitones > 0);
        tones.extend(others.map(above).next());
    }
    if tones.is_empty() {
        tones.push(root);
    }
    tones
}

/// The line of guide tones: of all lines the one of the least steps. `sounding` has the keys of the chords part for each span.
pub fn guide(chart: &Chart, sounding: &[Vec<u8>], grid: &Grid, form: &Form, style: &Style) -> Vec<Tone> {
    let line = least_steps(chart, sounding, &style.guide_range);
    let mut tones: Vec<Tone> = Vec::new();
    for (span, key) in chart.spans.iter().zip(line) {
        for bar in span.start / grid.bar..(span.end + grid.bar - 1) / grid.bar {
            if !form.layers(bar as u32).guide {
                continue;
            }
            let start = span.start.max(bar * grid.bar);
            let end = span.end.min((bar + 1) * grid.bar);
            match tones.last_mut().filter(|last| last.end == start && last.key == key && start != span.start)
            {
                Some(last) => last.end = end,
                None => tones.push(Tone { start, end, key, accent: 0.0 }),
            }
        }
    }
    tones
}

/// A guide tone for each chord. Steps cost their square, so that none is wide where two small ones will do; standing beside
/// a sounding key costs more than any step.
fn least_steps(chart: &Chart, sounding: &[Vec<u8>], range: &RangeInclusive<u8>) -> Vec<u8> {
    let centre = (*range.start() + *range.end()) / 2;
    let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
    // For each chord its candidates: key, cost of the cheapest way there, and the candidate before on that way.
    let mut ways: Vec<Vec<(u8, u32, usize)>> = Vec::with_capacity(chart.spans.len());
    for (span, others) in chart.spans.iter().zip(sounding) {
        let wanted = guide_tones(span.chord);
        let of_chord = range.clone().filter(|key| wanted.contains(&class(*key)));
        let way = |key: u8| {
            let clash = if others.iter().any(|other| clashes(key, *other)) { 1000 } else { 0 };
            let own = clash + u32::from(key.abs_diff(centre));
            let from = ways.last().map_or(&[][..], Vec::as_slice).iter().enumerate();
            let cheapest = from.map(|(at, (last, cost, _))| (cost + square(key, *last), at)).min();
            let (cost, at) = cheapest.unwrap_or((0, 0));
            (key, own + cost, at)
        };
        let mut candidates: Vec<_> = of_chord.map(way).collect();
        if candidates.is_empty() {
            candidates.push(way(centre));
        }
        ways.push(candidates);
    }
    let mut at = ways.last().and_then(|last| (0..last.len()).min_by_key(|&at| last[at].1)).unwrap_or(0);
    let mut line = vec![centre; ways.len()];
    for (key, candidates) in line.iter_mut().zip(&ways).rev() {
        (*key, at) = (candidates[at].0, candidates[at].2);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guide_tones_are_thirds_and_sevenths() {
        let tones = |symbol: &str| -> Vec<u8> {
            guide_tones(symbol.parse().unwrap()).into_iter().map(PitchClass::number).collect()
        };
        assert_eq!(tones("C"), [4]);
        assert_eq!(tones("Dm7"), [5, 0]);
        assert_eq!(tones("DbMaj7"), [5, 0]);
        assert_eq!(tones("G7"), [11, 5]);
        assert_eq!(tones("Csus4"), [5]);
        assert_eq!(tones("C5"), [7]);
    }
}
