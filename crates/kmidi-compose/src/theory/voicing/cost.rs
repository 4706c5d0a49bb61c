//! What a voicing costs, by itself and after another.
//!
//! The rules are those of four-part writing (Aldwell and Schachter, Harmony and Voice Leading, 1978): keep common tones, move by
//! step, no parallel fifths and octaves, no hidden ones between the outer voices, no overlap, upper voices within an octave of each
//! other. The weights are ours: a parallel is dearer than any reasonable leap that avoids it.
use arrayvec::ArrayVec;

use super::Voicing;
use crate::theory::{Chord, PitchClass, PitchClassSet, Tone};

/// What it costs to go from one voicing to the next: counts, and their weighted sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The weight of the distances that the voices go: steps are cheap, leaps are dear, and less so in the bass.
    pub leaps: u32,
    /// Pairs of voices that go from one fifth, octave or unison to the next in the same direction.
    pub parallels: u32,
    /// Fifths and octaves that the outer voices reach in the same direction, the upper one by a leap.
    pub hidden: u32,
    /// Voices that go beyond where a neighbour was.
    pub crossings: u32,
    /// 1 if bass and top move in the same direction; 0 if they move against each other, or one stays.
    pub similar: u32,
    /// All of it, weighted.
    pub total: u32,
}

pub(super) const PARALLEL: u32 = 60;
pub(super) const HIDDEN: u32 = 12;
pub(super) const CROSSING: u32 = 10;
pub(super) const SIMILAR: u32 = 2;
/// Of each tone that does not go where it should: [`unresolved`].
pub(super) const UNRESOLVED: u32 = 9;

/// A voice that comes or goes.
pub(super) const UNPAIRED: u32 = 6;

/// What it costs to go from one voicing to the next. Voices are paired from the bass upwards. `[side A]`
///
/// ```
/// use kmidi_compose::theory::{Voicing, voice_leading_cost};
/// let c: Voicing = [48, 55, 60, 64].into_iter().collect();
/// let d: Voicing = [50, 57, 62, 66].into_iter().collect();
/// let cost = voice_leading_cost(&c, &d);
/// // Fifth and octave over the bass go along.
/// assert_eq!((cost.parallels, cost.similar), (2, 1));
/// assert!(cost.total > voice_leading_cost(&c, &c).total);
/// ```
pub fn voice_leading_cost(from: &Voicing, to: &Voicing) -> Cost {
    if from.is_empty() || to.is_empty() {
        return Cost::default();
    }
    let mut cost = Cost::default();
    for voice in 0..from.len().min(to.len()) {
        let one = of_voice(from, &to[..=voice]);
        cost.leaps += one.leaps;
        cost.parallels += one.parallels;
        cost.crossings += one.crossings;
    }
    let outer = outer(from, to);
    let unpaired = UNPAIRED * from.len().abs_diff(to.len()) as u32;
    let total = cost.leaps + cost.parallels * PARALLEL + cost.crossings * CROSSING + unpaired + outer.total;
    Cost { hidden: outer.hidden, similar: outer.similar, total, ..cost }
}

/// What the last voice of `to` adds to the cost of those below it.
pub(super) fn of_voice(from: &[u8], to: &[u8]) -> Cost {
    let voice = to.len() - 1;
    let Some(&was) = from.get(voice) else { return Cost { total: UNPAIRED, ..Cost::default() } };
    let is = to[voice];
    let leaps = if voice == 0 { bass_leap(was.abs_diff(is)) } else { leap(was.abs_diff(is)) };
    let parallel = |lower: usize| {
        let same_way = (is > was && to[lower] > from[lower]) || (is < was && to[lower] < from[lower]);
        let (before, after) = (was.abs_diff(from[lower]) % 12, is.abs_diff(to[lower]) % 12);
        same_way && before == after && (after == 0 || after == 7)
    };
    let parallels = (0..voice).filter(|lower| parallel(*lower)).count() as u32;
    let over_the_next = from.get(voice + 1).is_some_and(|above| is > *above);
    let under_the_last = voice > 0 && is < from[voice - 1];
    let crossings = u32::from(over_the_next) + u32::from(under_the_last);
    let total = leaps + parallels * PARALLEL + crossings * CROSSING;
    Cost { leaps, parallels, crossings, total, ..Cost::default() }
}

/// What bass and top cost together.
pub(super) fn outer(from: &[u8], to: &[u8]) -> Cost {
    let (Some(&low), Some(&high), Some(&bass), Some(&top)) =
        (from.first(), from.last(), to.first(), to.last())
    else {
        return Cost::default();
    };
    let same_way = (bass > low && top > high) || (bass < low && top < high);
    if !same_way || to.len() < 2 {
        return Cost::default();
    }
    let perfect = matches!((top - bass) % 12, 0 | 7);
    let hidden = u32::from(perfect && top.abs_diff(high) > 2);
    Cost { hidden, similar: 1, total: SIMILAR + hidden * HIDDEN, ..Cost::default() }
}

/// A step costs what it is; a leap more the wider it is.
pub(super) fn leap(semitones: u8) -> u32 {
    let semitones = u32::from(semitones);
    match semitones {
        0..=2 => semitones,
        3..=5 => 2 * semitones - 2,
        _ => 4 * semitones - 12,
    }
}

/// A bass leaps where the chords want it to, but by an octave or more only if it must.
fn bass_leap(semitones: u8) -> u32 {
    let semitones = u32::from(semitones);
    if semitones <= 7 { semitones.div_ceil(2) } else { 4 + 3 * (semitones - 7) }
}

/// What is owed to the tones of the chord before that want to go somewhere: its seventh stays or falls by a step, and a dominant's
/// third in the top voice stays or moves by a step. Each one that does otherwise counts. `[side A]`
///
/// ```
/// use kmidi_compose::theory::{Chord, Voicing, unresolved};
/// let g7: Chord = "G7".parse()?;
/// let from: Voicing = [43, 53, 59, 62].into_iter().collect();
/// assert_eq!(unresolved(&g7, &from, &[48, 52, 60, 64].into_iter().collect()), 0);
/// assert_eq!(unresolved(&g7, &from, &[48, 55, 60, 64].into_iter().collect()), 1);
/// # Ok::<(), kmidi_compose::theory::ChordError>(())
/// ```
pub fn unresolved(chord: &Chord, from: &Voicing, to: &Voicing) -> u32 {
    let leading = Leading::of(chord);
    (0..from.len().min(to.len())).filter(|voice| leading.breaks(from, *voice, to[*voice])).count() as u32
}

/// The pitch classes of a chord that want to go somewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leading {
    falls: Option<PitchClass>,
    steps_on_top: Option<PitchClass>,
}

impl Leading {
    pub fn of(chord: &Chord) -> Self {
        let falls = chord.seventh().map(|tone| chord.class_of(tone));
        let third = chord.third().filter(|_| chord.is_dominant());
        Self { falls, steps_on_top: third.map(|tone| chord.class_of(tone)) }
    }

    /// Does this voice of the voicing before leave a tone as it should not?
    pub fn breaks(self, from: &[u8], voice: usize, to: u8) -> bool {
        let Some(&was) = from.get(voice) else { return false };
        let class = Some(PitchClass::new(i32::from(was)));
        let up = i16::from(to) - i16::from(was);
        let top = voice + 1 == from.len();
        (self.falls == class && !(-2..=0).contains(&up))
            || (top && self.steps_on_top == class && up.abs() > 2)
    }
}

/// What a voicing costs by itself: tones left out or doubled that should not be, gaps between upper voices of more than an octave,
/// close intervals in the depth, semitones side by side, and the way from the middle of the range. `[side A]`
pub fn shape_cost(voicing: &Voicing, chord: &Chord, range: std::ops::RangeInclusive<u8>) -> u32 {
    let keys = voicing.keys();
    let voices = (0..keys.len()).map(|voice| spacing(&keys[..=voice], &range)).sum::<u32>();
    voices + Weights::of(chord).content(keys, 0)
}

/// What the place of the highest of these keys costs.
pub(super) fn spacing(keys: &[u8], range: &std::ops::RangeInclusive<u8>) -> u32 {
    let voice = keys.len() - 1;
    let key = keys[voice];
    if voice == 0 {
        // The bass lies best in the lower third.
        let best = range.start().saturating_add((range.end().saturating_sub(*range.start())) / 6);
        return u32::from(key.abs_diff(best)) / 3;
    }
    let gap = u32::from(key - keys[voice - 1]);
    let wide = if voice == 1 { gap.saturating_sub(19) } else { 3 * gap.saturating_sub(12) };
    // Thirds and seconds are mud below C3, and seconds below C4.
    let muddy = match (keys[voice - 1], gap) {
        (_, 0) => 8,
        (..48, 1..=4) => 14 + 2 * (5 - gap),
        (..48, 5..=6) => 4,
        (..60, 1..=2) => 6,
        _ => 0,
    };
    let harsh = if gap == 1 || (gap == 13) { 5 } else { 0 };
    let middle = range.start().midpoint(*range.end());
    wide + muddy + harsh + u32::from(key.abs_diff(middle)) / 6
}

/// What a third and each further one of the same tone costs beyond doubling: soon all voices but it would be gone.
const TRIPLED: u32 = 6;

/// What it costs to leave out or to double each pitch class of a chord.
pub(super) struct Weights {
    tones: PitchClassSet,
    importance: [u32; 12],
    doubling: [u32; 12],
}

impl Weights {
    pub fn of(chord: &Chord) -> Self {
        let mut weights = Self { tones: PitchClassSet::EMPTY, importance: [0; 12], doubling: [0; 12] };
        for tone in chord.tones() {
            let class = chord.class_of(*tone);
            weights.tones.insert(class);
            weights.importance[usize::from(class.number())] = importance(*tone, chord);
            weights.doubling[usize::from(class.number())] = doubling(*tone, chord);
        }
        weights
    }

    /// What is twice among these keys, and what is left out if `free` more voices take the most important tones of those that are
    /// not there yet: with more keys it never becomes less.
    pub fn content(&self, keys: &[u8], free: usize) -> u32 {
        let mut counts = [0u32; 12];
        for key in keys {
            counts[usize::from(key % 12)] += 1;
        }
        let mut missing: ArrayVec<u32, 12> = ArrayVec::new();
        let mut doubled = 0;
        for class in self.tones.iter().map(|class| usize::from(class.number())) {
            match counts[class] {
                0 => missing.push(self.importance[class]),
                1 => {}
                more => doubled += (more - 1) * self.doubling[class] + (more - 2) * TRIPLED,
            }
        }
        missing.sort_unstable();
        doubled + missing[..missing.len().saturating_sub(free)].iter().sum::<u32>()
    }
}

/// What it costs to leave a tone out.
fn importance(tone: Tone, chord: &Chord) -> u32 {
    match (tone.degree, tone.semitones) {
        // Under a natural eleventh a major third is left out.
        (3, 4) if chord.tones().contains(&Tone { degree: 11, semitones: 17 }) => 0,
        (3 | 7, _) | (2 | 4, _) => 80,
        (1, _) if chord.tones().len() > 3 => 12,
        (5, 7) if chord.tones().len() > 3 => 4,
        (5, 7) => 20,
        (9, 14) | (11, 17) if chord.tones().len() > 4 => 10,
        _ => 40,
    }
}

/// What it costs to have a tone once more than once. The root is doubled best, then the fifth; tones that lead somewhere are not.
fn doubling(tone: Tone, chord: &Chord) -> u32 {
    match (tone.degree, tone.semitones) {
        (1, _) => 0,
        (5, 7) => 1,
        (3, 3) => 4,
        // The third of a dominant leads; that of another major chord may be doubled if need be.
        (3, _) if chord.is_dominant() => 20,
        (3, _) => 12,
        (2 | 4 | 6, _) => 8,
        _ => 20,
    }
}
