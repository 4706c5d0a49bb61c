use kmidi_song::Random;

use super::chart::{Chart, Span, class};
use super::clashes;
use super::style::Style;
use crate::theory::Voicer;

/// Chords have no key below this, E2.
const LOWEST: u8 = 40;

/// The keys of the chords part for each chord, low to high: led from one to the next, with what the plan's dissonance adds, and
/// without semitones inside.
pub fn voicings(chart: &Chart, style: &Style, random: &mut Random) -> Vec<Vec<u8>> {
    // The voicer's lowest voice is the chord's bass, which is the bass's part: what stands above it is led by steps, where a root
    // would leap.
    let (low, high) = (*style.chord_range.start(), *style.chord_range.end());
    let mut voicer = Voicer::new(low.saturating_sub(10)..=high, style.voices + 1);
    let mut voicings = Vec::with_capacity(chart.spans.len());
    for span in &chart.spans {
        let voicing = voicer.next(&span.chord);
        let mut keys: Vec<u8> = voicing.keys().iter().skip(1).copied().collect();
        raise(&mut keys, low);
        complete(&mut keys, span, style);
        let root = span.chord.root().pitch_class();
        if random.chance(style.colour) {
            colour(&mut keys, span, style, random);
        }
        part_semitones(&mut keys, span, style);
        if span.tones.len() <= 4 && !keys.iter().any(|&key| class(key) == root) {
            keep_root(&mut keys, voicing.bass(), high);
        }
        keys.sort_unstable();
        keys.dedup();
        voicings.push(keys);
    }
    voicings
}

/// A root that found no place is put where the voicer had it, or an octave higher, and what would rub against it goes up an octave;
/// where that rubs too, it is left to the bass.
fn keep_root(keys: &mut Vec<u8>, bass: Option<u8>, high: u8) {
    let places = bass.into_iter().flat_map(|bass| [bass, bass + 12]);
    for root in places.filter(|root| (LOWEST..=high).contains(root)) {
        let moved: Vec<u8> =
            keys.iter().map(|&key| if clashes(key, root) { key + 12 } else { key }).collect();
        let clear = |(index, key): (usize, &u8)| {
            *key <= high + 5
                && !clashes(*key, root)
                && !moved[..index].iter().any(|&other| clashes(other, *key))
        };
        if moved.iter().enumerate().all(clear) {
            *keys = moved;
            keys.push(root);
            return;
        }
    }
}

/// What lies too low for chords goes up an octave, where that is free.
fn raise(keys: &mut Vec<u8>, low: u8) {
    for index in 0..keys.len() {
        let up = keys[index] + 12;
        if keys[index] < low && !keys.contains(&up) {
            keys[index] = up;
        }
    }
    keys.retain(|&key| key >= low);
}

/// A tone that the symbol has and the voicing has not, if there is room: nothing of what a chord is may be missing. The root is
/// the bass's, where there are five tones or more.
fn complete(keys: &mut Vec<u8>, span: &Span, style: &Style) {
    let root = span.chord.root().pitch_class();
    for wanted in span.tones.iter().filter(|class| *class != root || span.tones.len() <= 4) {
        let there = keys.iter().any(|&key| class(key) == wanted);
        if there || keys.len() >= 6 {
            continue;
        }
        let free = |key: &u8| class(*key) == wanted && !keys.iter().any(|&it| it.abs_diff(*key) < 2);
        let middle = (*style.chord_range.start() + *style.chord_range.end()) / 2;
        let candidate = style.chord_range.clone().filter(free).min_by_key(|key| key.abs_diff(middle));
        keys.extend(candidate);
    }
}

/// A seventh or a ninth of the scale more, where it stands beside nothing.
fn colour(keys: &mut Vec<u8>, span: &Span, style: &Style, random: &mut Random) {
    let root = span.chord.root().pitch_class();
    // A minor ninth would rub against the root in the bass.
    let degrees: [[i32; 2]; 2] = [[14, 14], [10, 11]];
    let first = random.below(2) as usize;
    for [usual, other] in [degrees[first], degrees[1 - first]] {
        let wanted = [usual, other]
            .map(|up| root.transposed(up))
            .into_iter()
            .find(|class| span.scale.contains(*class));
        let Some(wanted) = wanted.filter(|class| !span.tones.contains(*class)) else { continue };
        let free = |key: &u8| class(*key) == wanted && !keys.iter().any(|&it| clashes(it, *key));
        let candidate = style.chord_range.clone().rev().find(free);
        if let Some(key) = candidate {
            keys.push(key);
            return;
        }
    }
}

/// Takes semitones apart: the lower tone goes up an octave or the upper one down, where that stands beside nothing else;
/// where neither does, the root is left out, which the bass has.
fn part_semitones(keys: &mut Vec<u8>, span: &Span, style: &Style) {
    let reach = (style.chord_range.start() - 3).max(LOWEST)..=style.chord_range.end() + 5;
    for _ in 0..keys.len() {
        let pair = keys.iter().enumerate().find_map(|(a, &low)| {
            let b = keys.iter().position(|&high| high > low && clashes(low, high))?;
            Some((a, b))
        });
        let Some((low, high)) = pair else { return };
        let moves = [(low, 12), (high, -12), (low, 24), (high, -24), (low, -12), (high, 12)];
        let fits = |&(index, by): &(usize, i32)| {
            let Ok(key) = u8::try_from(i32::from(keys[index]) + by) else { return false };
            let others = keys.iter().enumerate().filter(|(other, _)| *other != index);
            reach.contains(&key) && others.into_iter().all(|(_, &other)| other != key && !clashes(other, key))
        };
        match moves.iter().find(|it| fits(it)) {
            Some(&(index, by)) => keys[index] = (i32::from(keys[index]) + by) as u8,
            None => {
                let root = span.chord.root().pitch_class();
                let leave = if class(keys[high]) == root { high } else { low };
                keys.remove(leave);
            }
        }
    }
}
