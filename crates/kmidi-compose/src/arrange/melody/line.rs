use kmidi_song::Random;

use super::phrase::{Cadence, Sketch};
use crate::arrange::chart::{Chart, Span, class};
use crate::arrange::clashes;
use crate::arrange::grid::{EIGHTH, Grid, QUARTER, SIXTEENTH};
use crate::theory::PitchClass;

/// What keys are chosen by.
pub struct Rules<'a> {
    pub grid: &'a Grid,
    pub chart: &'a Chart,
    /// Held keys of the other parts for each chord of the chart.
    pub sounding: &'a [Vec<u8>],
    /// The highest key of the chords part for each chord of the chart.
    pub tops: &'a [u8],
    /// The tonic of the key.
    pub tonic: PitchClass,
    /// Key that heights are counted from.
    pub centre: i32,
    /// Lowest key of all.
    pub low: i32,
    /// What a note on a strong beat that is no chord tone costs.
    pub foreign: i32,
    /// What standing a semitone beside a held key costs.
    pub clash: i32,
    /// Semitones.
    pub widest_leap: i32,
    /// Whether the last cadence is to come to rest.
    pub resolves: bool,
}

/// A note that waits for its key.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Place, step, height.
    pub sketch: Sketch,
    /// Highest key that it may have.
    pub top: i32,
    /// The key that it must have, if any.
    pub fixed: Option<i32>,
}

/// What each semitone costs that a note lies under the highest key of a chord.
const UNDER_CHORDS: i32 = 7;

/// How a line came to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Motion {
    Step,
    Again,
    LeapUp,
    LeapDown,
}

const MOTIONS: [Motion; 4] = [Motion::Step, Motion::Again, Motion::LeapUp, Motion::LeapDown];

fn motion(by: i32) -> Motion {
    match by {
        0 => Motion::Again,
        5.. => Motion::LeapUp,
        ..=-5 => Motion::LeapDown,
        _ => Motion::Step,
    }
}

/// A key that a note may have, and what it costs by itself.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    key: i32,
    cost: i32,
    /// Whether it belongs to the chord.
    consonant: bool,
}

/// The cheapest way to a candidate that ends in one of the motions: its cost, and the candidate and motion before.
#[derive(Clone, Copy, Debug)]
struct Way {
    cost: i32,
    from: (usize, usize),
}

const NO_WAY: Way = Way { cost: i32::MAX / 2, from: (0, 0) };

/// The chord that a note is heard with: that of its start, but for one that comes an eighth early and stays.
pub fn chord_of<'a>(chart: &'a Chart, sketch: &Sketch) -> &'a Span {
    let span = chart.at(sketch.start);
    let early = sketch.start >= span.end - EIGHTH && sketch.end > span.end + SIXTEENTH;
    if early { chart.at(span.end) } else { span }
}

/// Whether a note bears weight: on a strong beat, or a beat long.
pub fn is_structural(grid: &Grid, sketch: &Sketch) -> bool {
    grid.weight(sketch.start.rem_euclid(grid.bar)) >= 2 || sketch.end - sketch.start >= QUARTER || sketch.last
}

/// The keys of a line: of all lines the one that fits best, note by note and step by step (Viterbi's way). `before` is where the
/// line comes from.
pub fn line(rules: &Rules<'_>, wishes: &[Wish], before: Option<i32>, random: &mut Random) -> Vec<u8> {
    let mut choices: Vec<Vec<Candidate>> = Vec::with_capacity(wishes.len());
    let mut ways: Vec<Vec<[Way; 4]>> = Vec::with_capacity(wishes.len());
    for (index, wish) in wishes.iter().enumerate() {
        let candidates = candidates(rules, wish, random);
        let mut to: Vec<[Way; 4]> = vec![[NO_WAY; 4]; candidates.len()];
        for (place, candidate) in candidates.iter().enumerate() {
            match index.checked_sub(1) {
                None => {
                    let far = before.map_or(0, |before| afar(rules, candidate.key - before));
                    to[place][0] = Way { cost: candidate.cost + far, from: (0, 0) };
                }
                Some(last) => {
                    for (from, earlier) in choices[last].iter().enumerate() {
                        let by = candidate.key - earlier.key;
                        let step = candidate.cost + step_cost(rules, &wishes[last], wish, earlier, candidate);
                        let arrives = MOTIONS.iter().position(|it| *it == motion(by)).unwrap_or(0);
                        for (state, way) in ways[last][from].iter().enumerate() {
                            let cost = way.cost.saturating_add(step + turn_cost(MOTIONS[state], by));
                            if cost < to[place][arrives].cost {
                                to[place][arrives] = Way { cost, from: (from, state) };
                            }
                        }
                    }
                }
            }
        }
        choices.push(candidates);
        ways.push(to);
    }
    trace(&choices, &ways)
}

/// The cheapest line, from its end back.
fn trace(choices: &[Vec<Candidate>], ways: &[Vec<[Way; 4]>]) -> Vec<u8> {
    let Some(last) = ways.last() else { return vec![] };
    let ends = (0..last.len()).flat_map(|place| (0..4).map(move |state| (place, state)));
    let mut at = ends.min_by_key(|&(place, state)| last[place][state].cost).unwrap_or((0, 0));
    let mut keys = vec![0; ways.len()];
    for index in (0..ways.len()).rev() {
        keys[index] = choices[index][at.0].key.clamp(0, 127) as u8;
        at = ways[index][at.0][at.1].from;
    }
    keys
}

fn candidates(rules: &Rules<'_>, wish: &Wish, random: &mut Random) -> Vec<Candidate> {
    let span = chord_of(rules.chart, &wish.sketch);
    let top = wish.top.max(rules.low + 7);
    let held = held(rules, &wish.sketch);
    let mut candidates = Vec::with_capacity(24);
    for key in rules.low..=top {
        // Chance is asked for every key, so that what one note may be changes nothing for the others.
        let whim = random.below(8) as i32;
        let of_scale = span.scale.contains(PitchClass::new(key));
        if of_scale && wish.fixed.is_none_or(|fixed| fixed == key) {
            let consonant = span.has(key as u8);
            candidates.push(Candidate {
                key,
                cost: own_cost(rules, wish, span, &held, key) + whim,
                consonant,
            });
        }
    }
    if candidates.is_empty() {
        let key = wish.fixed.unwrap_or(rules.centre).clamp(rules.low, top);
        candidates.push(Candidate { key, cost: 0, consonant: true });
    }
    candidates
}

/// What other parts hold during a note.
struct Held<'a> {
    /// For how many of its ticks.
    overlap: i64,
    keys: &'a [u8],
    /// The highest key of the chords.
    top: i32,
}

/// What other parts hold during a note, chord by chord.
fn held<'a>(rules: &Rules<'a>, sketch: &Sketch) -> Vec<Held<'a>> {
    let first = rules.chart.spans.partition_point(|span| span.end <= sketch.start);
    let during = rules.chart.spans.iter().zip(rules.sounding.iter().zip(rules.tops)).skip(first);
    let during = during.take_while(|(span, _)| span.start < sketch.end);
    let overlap = |span: &Span| span.end.min(sketch.end) - span.start.max(sketch.start);
    during.map(|(span, (keys, top))| Held { overlap: overlap(span), keys, top: i32::from(*top) }).collect()
}

/// What a key costs a note, wherever the line comes from.
fn own_cost(rules: &Rules<'_>, wish: &Wish, span: &Span, held: &[Held<'_>], key: i32) -> i32 {
    let sketch = &wish.sketch;
    let length = sketch.end - sketch.start;
    let structural = is_structural(rules.grid, sketch);
    let consonant = span.has(key as u8);
    let mut cost = (3.0 * (f64::from(key - rules.centre) - sketch.height).abs()) as i32;
    if !consonant {
        cost += match () {
            () if sketch.last => 400,
            () if structural => rules.foreign,
            () if rules.grid.weight(sketch.start.rem_euclid(rules.grid.bar)) == 1 => 14,
            () => 5,
        };
        // A semitone above a chord tone rubs against it.
        if length >= EIGHTH && span.tones.contains(PitchClass::new(key - 1)) {
            cost += 12;
        }
    }
    for Held { overlap, keys, top } in held {
        if keys.iter().any(|&it| clashes(it, key as u8)) {
            cost += if *overlap > EIGHTH || structural { rules.clash } else { 8 };
        }
        // A tune among the chords is not heard as one.
        cost += UNDER_CHORDS * (top - key).clamp(0, 5);
    }
    let next = rules.chart.at(span.end);
    if sketch.end > span.end + SIXTEENTH && !next.has(key as u8) {
        cost += 60;
    }
    cost + sketch.cadence.map_or(0, |cadence| cadence_cost(rules, cadence, span, key))
}

fn cadence_cost(rules: &Rules<'_>, cadence: Cadence, span: &Span, key: i32) -> i32 {
    let class = class(key as u8);
    let up = span.chord.root().pitch_class().up_to(class);
    let (root, third, fifth) = match cadence {
        Cadence::Open => (14, 0, 0),
        Cadence::Closed => (0, 8, 12),
        Cadence::Final if rules.resolves => (0, 25, 40),
        Cadence::Final => (60, 10, 0),
    };
    match up {
        0 if cadence == Cadence::Final && class != rules.tonic => root + 10,
        0 => root,
        3 | 4 => third,
        6..=8 => fifth,
        _ => 50,
    }
}

/// What it costs to go from one note to the next.
fn step_cost(rules: &Rules<'_>, last: &Wish, wish: &Wish, from: &Candidate, to: &Candidate) -> i32 {
    let by = to.key - from.key;
    let distance = by.abs();
    let rest = wish.sketch.start - last.sketch.end;
    if rest >= QUARTER || last.sketch.last {
        return afar(rules, by);
    }
    let mut cost = match wish.sketch.step {
        // Seven steps are twelve semitones.
        Some(step) => (7 * by - 12 * step).abs() * 4 / 7 + if distance == 0 && step != 0 { 14 } else { 0 },
        None => distance + if distance == 0 { 6 } else { 0 },
    };
    if distance > rules.widest_leap {
        cost += 200 + 20 * (distance - rules.widest_leap);
    } else if distance > 4 {
        cost += 2 * (distance - 4);
    }
    cost += match distance {
        6 => 20,
        10 | 11 => 40,
        _ => 0,
    };
    if !from.consonant && distance > 2 {
        cost += 120;
    }
    if !from.consonant && distance == 0 {
        cost += 50;
    }
    if !to.consonant && distance > 4 {
        cost += 40;
    }
    cost
}

/// What it costs to begin elsewhere behind a breath: little, but for more than an octave.
fn afar(rules: &Rules<'_>, by: i32) -> i32 {
    let distance = by.abs();
    (distance - 4).max(0) + 8 * (distance - rules.widest_leap).max(0) + 60 * (distance - 12).max(0)
}

/// What it costs to go on from a motion: a leap is left against its direction, a tone is not said a third time.
fn turn_cost(last: Motion, by: i32) -> i32 {
    match last {
        Motion::LeapUp if by > 0 => 32 + 3 * by,
        Motion::LeapDown if by < 0 => 32 - 3 * by,
        Motion::LeapUp | Motion::LeapDown if by == 0 => 4,
        Motion::Again if by == 0 => 22,
        _ => 0,
    }
}
