//! What can be measured in a score. Nothing here knows how scores are made.

use std::collections::BTreeSet;

use kmidi_compose::theory::{Chord, PitchClass};
use kmidi_compose::{Part, Score};
use kmidi_song::Note;

pub const QUARTER: i64 = 480;
pub const EIGHTH: i64 = 240;

/// How far a player may be from where a note is written.
const HUMAN: i64 = 45;

pub fn bar(score: &Score) -> i64 {
    i64::from(score.meter.numerator) * 4 * QUARTER / i64::from(score.meter.denominator())
}

/// Strong beats: where bars begin, and the middle of bars of four quarters.
pub fn strong_beats(score: &Score) -> Vec<i64> {
    let bar = bar(score);
    let step = if bar == 4 * QUARTER { bar / 2 } else { bar };
    (0..score.end.0).step_by(step as usize).collect()
}

pub fn chord_at(score: &Score, tick: i64) -> Chord {
    let later = score.chords.partition_point(|(start, _)| start.0 <= tick);
    score.chords[later.max(1) - 1].1
}

pub fn of_chord(chord: &Chord, key: u8) -> bool {
    chord.pitch_classes().contains(PitchClass::new(i32::from(key)))
}

pub fn part<'a>(score: &'a Score, name: &str) -> &'a [Note] {
    score.part(name).map_or(&[], |part| &part.notes)
}

pub fn pitched(score: &Score) -> impl Iterator<Item = &Part> {
    score.parts.iter().filter(|part| part.channel != 9)
}

/// The score with one part alone.
pub fn solo(score: &Score, name: &str) -> Score {
    let mut score = score.clone();
    score.parts.retain(|part| part.name == name);
    score
}

/// Every chord in the place of the one before it, for a control.
pub fn shuffled(score: &Score) -> Score {
    let mut score = score.clone();
    let chords: Vec<Chord> = score.chords.iter().map(|(_, chord)| *chord).collect();
    for (index, (_, chord)) in score.chords.iter_mut().enumerate() {
        *chord = chords[(index + 1) % chords.len()];
    }
    score
}

/// Notes of a part that begin on a strong beat, and how many of these are tones of its chord.
pub fn on_strong_beats(score: &Score, name: &str) -> (usize, usize) {
    let strong = strong_beats(score);
    let mut counts = (0, 0);
    for note in part(score, name) {
        let Some(beat) = strong.iter().find(|beat| (note.start.0 - **beat).abs() <= HUMAN) else { continue };
        counts.0 += 1;
        counts.1 += usize::from(of_chord(&chord_at(score, *beat), note.key));
    }
    counts
}

/// A share, of which nothing is all.
pub fn share((all, some): (usize, usize)) -> f64 {
    if all == 0 { 1.0 } else { some as f64 / all as f64 }
}

/// Pairs of notes of different parts a semitone (or an octave more) apart that sound together for longer than an eighth over a
/// strong beat.
pub fn clashes(score: &Score) -> Vec<(String, Note, String, Note)> {
    let strong = strong_beats(score);
    let mut found = vec![];
    let parts: Vec<&Part> = pitched(score).collect();
    for (index, one) in parts.iter().enumerate() {
        for other in &parts[index..] {
            for a in &one.notes {
                for b in &other.notes {
                    let (from, to) = (a.start.max(b.start).0, a.end.min(b.end).0);
                    let rubs = matches!(a.key.abs_diff(b.key), 1 | 13) && to - from > EIGHTH;
                    let twice = one.name == other.name && a.key > b.key;
                    if rubs && !twice && strong.iter().any(|beat| (from - HUMAN..to - HUMAN).contains(beat)) {
                        found.push((one.name.clone(), *a, other.name.clone(), *b));
                    }
                }
            }
        }
    }
    found
}

/// The longest time in which nothing sounds, in ticks.
pub fn longest_silence(score: &Score) -> i64 {
    let mut notes: Vec<&Note> = score.parts.iter().flat_map(|part| &part.notes).collect();
    notes.sort_by_key(|note| note.start);
    let (mut longest, mut until) = (0, 0);
    for note in notes {
        longest = longest.max(note.start.0 - until);
        until = until.max(note.end.0);
    }
    longest.max(score.end.0 - until)
}

/// Notes of one key that overlap.
pub fn overlaps(part: &Part) -> usize {
    let mut notes = part.notes.clone();
    notes.sort_by_key(|note| (note.key, note.start));
    notes.windows(2).filter(|pair| pair[0].key == pair[1].key && pair[0].end > pair[1].start).count()
}

/// Steps from note to note of a line, in semitones, without those over rests of a beat and more.
pub fn intervals(notes: &[Note]) -> Vec<i32> {
    let near = notes.windows(2).filter(|pair| pair[1].start.0 - pair[0].end.0 < QUARTER);
    near.map(|pair| i32::from(pair[1].key) - i32::from(pair[0].key)).collect()
}

/// Where notes begin in each bar that has any, in ticks of the bar to the nearest sixteenth.
pub fn rhythms(score: &Score, name: &str) -> Vec<Vec<i64>> {
    let bar = bar(score);
    let mut rhythms = vec![vec![]; (score.end.0 / bar) as usize];
    for note in part(score, name) {
        let place = (note.start.0 + 60) / 120 * 120;
        if let Some(rhythm) = rhythms.get_mut((place / bar) as usize) {
            rhythm.push(place % bar);
        }
    }
    rhythms.retain(|rhythm| !rhythm.is_empty());
    rhythms
}

/// The mean of values with weights; 0 of nothing.
pub fn mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, weight) =
        values.fold((0.0, 0.0), |sum, (value, weight)| (sum.0 + value * weight, sum.1 + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// How much higher phrases (four bars of a section, or what is left of it) end than they begin, and how much higher their middle
/// third is than their outer ones.
fn shape(score: &Score, notes: &[Note]) -> (f64, f64) {
    let bar = bar(score);
    let ends = score.markers.iter().skip(1).map(|(tick, _)| tick.0).chain([score.end.0]);
    let sections = score.markers.iter().map(|(tick, _)| tick.0).zip(ends);
    let phrases = sections.flat_map(|(from, to)| {
        (from..to).step_by(4 * bar as usize).map(move |start| (start, (start + 4 * bar).min(to)))
    });
    let (mut rises, mut arches) = (vec![], vec![]);
    for (from, to) in phrases.filter(|(from, to)| to - from >= 2 * bar) {
        let third = |index: i64| {
            let (from, to) = (from + (to - from) * index / 3, from + (to - from) * (index + 1) / 3);
            let inside = notes.iter().filter(|note| (from..to).contains(&note.start.0));
            let keys: Vec<(f64, f64)> =
                inside.map(|note| (f64::from(note.key), note.length().0 as f64)).collect();
            (!keys.is_empty()).then(|| mean(keys.into_iter()))
        };
        if let (Some(first), Some(middle), Some(last)) = (third(0), third(1), third(2)) {
            rises.push(last - first);
            arches.push(middle - f64::midpoint(first, last));
        }
    }
    let average = |values: Vec<f64>| mean(values.into_iter().map(|value| (value, 1.0)));
    (average(rises), average(arches))
}

/// What a listener tells music of different feelings apart by.
#[derive(Clone, Debug)]
pub struct Features {
    /// Steps of the mode above the tonic that are heard for more than one part in a hundred.
    pub mode: BTreeSet<u8>,
    /// Mean key of melody and chords, by duration.
    pub register: f64,
    /// Notes of melody and chords (strokes, not tones) a beat.
    pub density: f64,
    /// Mean velocity of pitched parts, and how far it varies (standard deviation).
    pub dynamics: [f64; 2],
    /// Mean size of the melody's steps; how much higher phrases end than they begin; how much higher their middle is than their
    /// ends; in semitones.
    pub contour: [f64; 3],
    /// The part of the time to its next note that a melody note sounds.
    pub articulation: f64,
}

impl Features {
    pub fn of(score: &Score, tonic: u8) -> Self {
        let melody = part(score, "Melody");
        let chords = part(score, "Chords");
        let mut heard = [0.0; 12];
        for note in pitched(score).flat_map(|part| &part.notes) {
            heard[usize::from((note.key + 12 - tonic) % 12)] += note.length().0 as f64;
        }
        let all: f64 = heard.iter().sum();
        let mode = (0..12).filter(|&step| heard[usize::from(step)] > 0.01 * all).collect();
        let loud = || pitched(score).flat_map(|it| &it.notes).map(|it| f64::from(it.velocity));
        let loudness = mean(loud().map(|it| (it, 1.0)));
        let strokes: BTreeSet<i64> = chords.iter().map(|note| (note.start.0 + 30) / 60).collect();
        let beats = score.end.0 as f64 / QUARTER as f64;
        let steps = intervals(melody);
        let by_duration =
            |notes: &[Note]| mean(notes.iter().map(|it| (f64::from(it.key), it.length().0 as f64)));
        let sounding = melody.windows(2).filter_map(|pair| {
            let apart = (pair[1].start.0 - pair[0].start.0) as f64;
            (apart > 0.0 && apart <= 2.0 * QUARTER as f64)
                .then(|| ((pair[0].length().0 as f64 / apart).min(1.0), 1.0))
        });
        let size = mean(steps.iter().map(|step| (f64::from(step.abs()), 1.0)));
        let (rise, arch) = shape(score, melody);
        Features {
            mode,
            register: (by_duration(melody) * 2.0 + by_duration(chords)) / 3.0,
            density: (melody.len() + strokes.len()) as f64 / beats,
            dynamics: [loudness, mean(loud().map(|it| ((it - loudness).powi(2), 1.0))).sqrt()],
            contour: [size, rise, arch],
            articulation: mean(sounding),
        }
    }

    /// Names of the features in which two scores clearly differ.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut found = vec![];
        let mut note = |differs: bool, name| {
            if differs {
                found.push(name);
            }
        };
        let ratio = |a: f64, b: f64| a.max(b) / a.min(b).max(1e-9);
        note(self.mode != other.mode, "mode");
        note((self.register - other.register).abs() >= 2.0, "register");
        note(ratio(self.density, other.density) >= 1.2, "density");
        let louder = (self.dynamics[0] - other.dynamics[0]).abs();
        note(louder >= 6.0 || ratio(self.dynamics[1], other.dynamics[1]) >= 1.4, "dynamics");
        let apart = |index: usize| (self.contour[index] - other.contour[index]).abs();
        note(
            ratio(self.contour[0], other.contour[0]) >= 1.2 || apart(1) >= 1.5 || apart(2) >= 1.5,
            "contour",
        );
        note((self.articulation - other.articulation).abs() >= 0.06, "articulation");
        found
    }

    /// The mean of several scores' features; the mode is what all of them have.
    pub fn mean(all: &[Self]) -> Self {
        let over = |value: fn(&Self) -> f64| mean(all.iter().map(|it| (value(it), 1.0)));
        let mut mode = all[0].mode.clone();
        mode.retain(|step| all.iter().all(|it| it.mode.contains(step)));
        Features {
            mode,
            register: over(|it| it.register),
            density: over(|it| it.density),
            dynamics: [over(|it| it.dynamics[0]), over(|it| it.dynamics[1])],
            contour: [over(|it| it.contour[0]), over(|it| it.contour[1]), over(|it| it.contour[2])],
            articulation: over(|it| it.articulation),
        }
    }
}
