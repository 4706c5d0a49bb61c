use kmidi_core::Ticks;
use kmidi_song::Note;

use super::NoteView;
use super::grid::{ChromaSums, Grid, Place, lowest_keys, sounding_classes};
use super::templates::{Heard, best_chord};

/// A span of a song with one harmony, as pitch classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeardSpan {
    /// From here.
    pub start: Ticks,
    /// To here.
    pub end: Ticks,
    /// Bar that it begins in, from 0.
    pub bar: u32,
    /// How long it lasts, in beats.
    pub beats: f64,
    /// `None` where there is no chord.
    pub heard: Option<Heard>,
}

/// Longest span that is weighed as one, in slots; longer harmonies are joined afterwards.
const LONGEST: usize = 16;
/// The same in songs of very many slots, where time matters more than the last passing tone.
const LONGEST_OF_MANY: usize = 6;
const MANY: usize = 20_000;

/// What it costs, in beats of perfect fit, that harmony changes at a place.
fn cost_of_change(place: Place) -> f64 {
    match place {
        Place::Bar => 0.25,
        Place::Beat => 0.4,
        Place::Between => 0.9,
    }
}

/// What silence and single tones are worth against chords that fit badly.
const NO_CHORD: f64 = 0.4;
/// What silence within a chord is worth: a short rest is part of the harmony around it, a long one is none.
const REST_IN_CHORD: f64 = 0.25;

/// How much a note tells about harmony: short ones off the beat are mostly passing.
pub(crate) fn harmonic_weight(grid: &Grid, note: &Note) -> f64 {
    let slot = grid.slot_of(note.start.0);
    let slot_ticks = grid.starts[slot + 1] - grid.starts[slot];
    let beats = note.length().0 as f64 / slot_ticks as f64 * grid.beats[slot];
    match grid.place_of(note.start.0) {
        _ if beats >= 0.95 => 1.0,
        Some(Place::Bar | Place::Beat) => 1.0,
        Some(Place::Between) => 0.5,
        None => 0.35,
    }
}

/// The harmonies of a song from its start to its end, without a gap; equal neighbours are one.
pub(crate) fn hear(view: &NoteView, grid: &Grid) -> Vec<HeardSpan> {
    let weighted = view.notes().iter().map(|note| (*note, harmonic_weight(grid, note)));
    let sums = ChromaSums::new(grid, weighted);
    let sounding = sounding_classes(grid, view.notes());
    let lowest = lowest_keys(grid, view.notes());
    let longest = if grid.slots() > MANY { LONGEST_OF_MANY } else { LONGEST };
    let mut spans: Vec<HeardSpan> = vec![];
    for (first, end, heard) in best_spans(grid, &sums, &sounding, &lowest, longest) {
        let beats = grid.beats[first..end].iter().sum();
        match spans.last_mut() {
            Some(last) if same(last.heard, heard) => {
                last.end = Ticks(grid.starts[end]);
                last.beats += beats;
            }
            _ => spans.push(HeardSpan {
                start: Ticks(grid.starts[first]),
                end: Ticks(grid.starts[end]),
                bar: grid.bars[first],
                beats,
                heard,
            }),
        }
    }
    spans
}

fn same(one: Option<Heard>, other: Option<Heard>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is(&other),
        (None, None) => true,
        _ => false,
    }
}

/// Cuts the slots into spans so that the chords fit best in sum, less what the changes cost: the best cut of the slots
/// before `end` is the best last span together with the best cut of what is before it.
fn best_spans(
    grid: &Grid,
    sums: &ChromaSums,
    sounding: &[u16],
    lowest: &[Option<u8>],
    longest: usize,
) -> Vec<(usize, usize, Option<Heard>)> {
    let slots = grid.slots();
    let silence = |slot: &usize| lowest[*slot].is_none();
    let mut best: Vec<(f64, usize, Option<Heard>)> = vec![(0.0, 0, None)];
    for end in 1..=slots {
        let mut here = (f64::NEG_INFINITY, 0, None);
        for first in (end.saturating_sub(longest)..end).rev() {
            let chroma = sums.of(first, end);
            let beats: f64 = grid.beats[first..end].iter().sum();
            let heard = best_chord(&chroma, bass(&lowest[first..end]), &sounding[first..end]);
            let heard = heard.filter(|heard| heard.fit > NO_CHORD);
            let silent: f64 = (first..end).filter(silence).map(|slot| grid.beats[slot]).sum();
            let worth = match heard {
                Some(heard) => heard.fit * (beats - silent) + REST_IN_CHORD * silent,
                None => NO_CHORD * beats,
            };
            let total = best[first].0 + worth - cost_of_change(grid.places[first]);
            if total > here.0 {
                here = (total, first, heard);
            }
        }
        best.push(here);
    }
    let mut spans = vec![];
    let mut end = slots;
    while end > 0 {
        let (_, first, heard) = best[end];
        spans.push((first, end, heard));
        end = first;
    }
    spans.reverse();
    spans
}

/// The bass of a span: of its lowest keys, those within a fifth of the lowest one, the pitch class that lasts longest;
/// the first slot counts double.
fn bass(lowest: &[Option<u8>]) -> Option<u8> {
    let floor = lowest.iter().flatten().min()?;
    let mut weights = [0u32; 12];
    for (slot, key) in lowest.iter().enumerate() {
        if let Some(key) = key.filter(|key| *key <= floor + 7) {
            weights[usize::from(key % 12)] += if slot == 0 { 2 } else { 1 };
        }
    }
    // Of equals the first that sounds.
    let most = *weights.iter().max()?;
    let first =
        lowest.iter().flatten().find(|&&key| weights[usize::from(key % 12)] == most && key <= floor + 7);
    first.map(|key| key % 12)
}
