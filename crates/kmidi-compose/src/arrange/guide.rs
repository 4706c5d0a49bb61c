use std::ops::RangeInclusive;

use super::Tone;
use super::chart::{Chart, Span};
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

/// The line of guide tones: from chord to chord by the least step. `sounding` has the keys of the chords part for each span.
pub fn guide(chart: &Chart, sounding: &[Vec<u8>], grid: &Grid, form: &Form, style: &Style) -> Vec<Tone> {
    let centre = (*style.guide_range.start() + *style.guide_range.end()) / 2;
    let mut last = centre;
    let mut tones: Vec<Tone> = Vec::new();
    for (span, others) in chart.spans.iter().zip(sounding) {
        let key = least_step(span, others, last, &style.guide_range, centre);
        last = key;
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

/// The guide tone nearest to the last one, that no sounding key stands beside.
fn least_step(span: &Span, others: &[u8], last: u8, range: &RangeInclusive<u8>, centre: u8) -> u8 {
    let wanted = guide_tones(span.chord);
    let candidates = range.clone().filter(|key| wanted.contains(&PitchClass::new(i32::from(*key))));
    let cost = |key: &u8| {
        let clash = others.iter().any(|other| super::clashes(*key, *other));
        let away = u32::from(key.abs_diff(centre)) / 6;
        (clash, u32::from(key.abs_diff(last)) * 2 + away)
    };
    candidates.min_by_key(cost).unwrap_or(last)
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
