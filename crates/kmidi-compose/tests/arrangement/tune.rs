//! The melody, as a musician would judge it.

use std::collections::{BTreeMap, BTreeSet};

use kmidi_compose::Score;
use kmidi_compose::arrange::arrange;
use kmidi_compose::mood::{Affect, Contour};
use kmidi_song::{Note, Random};

use crate::measure::{self, QUARTER, chord_at, intervals, of_chord, part, rhythms};
use crate::plans::{SEEDS, song_plan as plan};

fn melody(affect: Affect, seed: u64) -> Score {
    measure::solo(&arrange(&plan(affect, seed)), "Melody")
}

/// How many bars have a rhythm that another bar has too, as a share.
fn repeated(rhythms: &[Vec<i64>]) -> f64 {
    let mut counts: BTreeMap<&[i64], usize> = BTreeMap::new();
    for rhythm in rhythms {
        *counts.entry(rhythm).or_default() += 1;
    }
    let again: usize = counts.values().filter(|&&count| count > 1).sum();
    again as f64 / rhythms.len().max(1) as f64
}

/// The longest run of notes that are equally far apart.
fn longest_even_run(notes: &[Note]) -> usize {
    let apart: Vec<i64> =
        notes.windows(2).map(|pair| (pair[1].start.0 - pair[0].start.0 + 30) / 60).collect();
    apart.chunk_by(|one, other| one == other).map(<[i64]>::len).max().unwrap_or(0)
}

#[test]
fn motifs_come_again_and_bars_are_not_all_alike() {
    for affect in Affect::all() {
        for seed in SEEDS {
            let rhythms = rhythms(&melody(affect, seed), "Melody");
            let kinds: BTreeSet<_> = rhythms.iter().collect();
            assert!(repeated(&rhythms) >= 0.5, "{affect} seed {seed}: {rhythms:?}");
            assert!(kinds.len() >= 3, "{affect} seed {seed}: {rhythms:?}");
        }
    }
}

#[test]
fn control_a_rhythm_by_chance_does_not_come_again() {
    let mut random = Random::new(1);
    let bars: Vec<Vec<i64>> =
        (0..28).map(|_| (0..16).filter(|_| random.chance(0.35)).map(|place| place * 120).collect()).collect();
    assert!(repeated(&bars) < 0.5);
}

#[test]
fn there_are_no_endless_eighths() {
    for affect in Affect::all() {
        for seed in SEEDS {
            let run = longest_even_run(part(&melody(affect, seed), "Melody"));
            assert!(run <= 16, "{affect} seed {seed}: {run} notes in a row equally far apart");
        }
    }
}

#[test]
fn lines_go_by_step_and_leaps_turn_back() {
    let mut leaps = (0, 0);
    for affect in Affect::all() {
        let (mut steps, mut widest) = ((0, 0), 0);
        for seed in SEEDS {
            let score = melody(affect, seed);
            let intervals = intervals(part(&score, "Melody"));
            steps.0 += intervals.len();
            steps.1 += intervals.iter().filter(|step| step.abs() <= 4).count();
            for pair in intervals.windows(2).filter(|pair| pair[0].abs() >= 5) {
                leaps.0 += 1;
                leaps.1 += usize::from(pair[1] == 0 || (pair[1] > 0) != (pair[0] > 0));
            }
            widest = intervals.iter().map(|step| step.abs()).max().unwrap_or(0).max(widest);
        }
        let share = measure::share(steps);
        let least = if affect.preset().character.contour == Contour::Jagged { 0.5 } else { 0.72 };
        assert!(share >= least, "{affect}: {share:.2} of the steps are small");
        assert!(widest <= 12, "{affect}: a leap of {widest} semitones");
    }
    assert!(leaps.0 > 100 && measure::share(leaps) >= 0.7, "of {} leaps {} turn back", leaps.0, leaps.1);
}

#[test]
fn control_a_random_walk_fails_the_same_measure() {
    let mut random = Random::new(2);
    let keys: Vec<i32> = (0..400).map(|_| 60 + random.below(15) as i32).collect();
    let steps: Vec<i32> = keys.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let small = steps.iter().filter(|step| step.abs() <= 4).count();
    assert!((small as f64) < 0.72 * steps.len() as f64);
}

#[test]
fn non_chord_tones_are_left_by_step() {
    for affect in Affect::all() {
        let (mut all, mut stray) = (0, 0);
        for seed in SEEDS {
            let score = melody(affect, seed);
            for pair in part(&score, "Melody").windows(2) {
                let near = pair[1].start.0 - pair[0].end.0 < QUARTER;
                let at = pair[0].start.0;
                let early = of_chord(&chord_at(&score, at + QUARTER / 2), pair[0].key);
                if near && !of_chord(&chord_at(&score, at), pair[0].key) && !early {
                    all += 1;
                    stray += usize::from(pair[0].key.abs_diff(pair[1].key) > 3);
                }
            }
        }
        assert!(stray * 8 <= all, "{affect}: {stray} of {all} dissonances are left by a leap");
    }
}

#[test]
fn phrases_end_on_chord_tones_and_breathe() {
    for affect in Affect::all() {
        let character = affect.preset().character;
        let (mut silent, mut all, mut ends) = (0, 0, (0, 0));
        for seed in SEEDS {
            let score = melody(affect, seed);
            let notes = part(&score, "Melody");
            let (Some(first), Some(last)) = (notes.first(), notes.last()) else {
                panic!("{affect}: no melody")
            };
            let sections = last.end.0 - first.start.0;
            silent += notes
                .windows(2)
                .map(|pair| (pair[1].start.0 - pair[0].end.0).max(0))
                .filter(|it| *it > 120)
                .sum::<i64>();
            all += sections;
            for pair in notes.windows(2).filter(|pair| pair[1].start.0 - pair[0].end.0 >= 240) {
                ends.0 += 1;
                // A note that comes before its chord belongs to it all the same.
                let (start, middle) = (pair[0].start.0, (pair[0].start.0 + pair[0].end.0) / 2);
                let belongs =
                    [start, middle].iter().any(|tick| of_chord(&chord_at(&score, *tick), pair[0].key));
                ends.1 += usize::from(belongs);
            }
        }
        let rest = silent as f64 / all as f64;
        let space = character.space;
        // Detached notes leave gaps of their own.
        let most = 2.0 * space + 0.15 + 0.6 * (1.0 - character.articulation);
        assert!(rest >= 0.4 * space && rest <= most, "{affect}: rests {rest:.2}, space {space}");
        assert!(measure::share(ends) >= 0.85, "{affect}: {ends:?}");
    }
}

#[test]
fn the_highest_note_comes_once_where_the_tension_is_highest() {
    for affect in Affect::all().filter(|it| it.preset().character.contour != Contour::Level) {
        for seed in SEEDS {
            let score = melody(affect, seed);
            let notes = part(&score, "Melody");
            let top = notes.iter().map(|note| note.key).max().unwrap_or(0);
            let at: Vec<i64> =
                notes.iter().filter(|note| note.key == top).map(|note| note.start.0 / 1920).collect();
            assert!(
                at.len() == 1 && (22..30).contains(&at[0]),
                "{affect} seed {seed}: key {top} in bars {at:?}"
            );
        }
    }
}

#[test]
fn the_density_is_the_plans() {
    for affect in Affect::all() {
        let given = affect.preset().character.density_per_beat;
        let (mut notes, mut beats) = (0.0, 0.0);
        for seed in 0..8 {
            let score = melody(affect, seed);
            notes += part(&score, "Melody").len() as f64;
            beats += rhythms(&score, "Melody").len() as f64 * 4.0;
        }
        let ratio = notes / beats / given;
        assert!(
            (0.6..=1.6).contains(&ratio),
            "{affect}: {:.2} notes a beat, {given} asked for",
            notes / beats
        );
    }
}

#[test]
fn complexity_brings_syncopation_and_vulnerability_softness() {
    let measured = |complexity: f64, vulnerability: f64| {
        let (mut off, mut all, mut loud) = (0, 0, 0.0);
        for seed in 0..10 {
            let mut plan = plan(Affect::Hope, seed);
            plan.complexity = complexity;
            plan.vulnerability = vulnerability;
            let score = measure::solo(&arrange(&plan), "Melody");
            let notes = part(&score, "Melody");
            let before_beat = notes.iter().filter(|note| {
                let place = (note.start.0 + 60) % 480;
                place > 120 && note.start.0 + note.length().0 > (note.start.0 + 420) / 480 * 480 + 60
            });
            off += before_beat.count();
            all += notes.len();
            loud += measure::mean(notes.iter().map(|note| (f64::from(note.velocity), 1.0))) / 10.0;
        }
        (off as f64 / all as f64, all, loud)
    };
    let (plain, bold) = (measured(0.0, 0.4), measured(1.0, 0.4));
    assert!(bold.0 > plain.0 * 1.2, "over the beat: {:.2} and {:.2}", plain.0, bold.0);
    let (firm, open) = (measured(0.3, 0.0), measured(0.3, 1.0));
    assert!(open.2 < firm.2 - 3.0 && open.1 < firm.1, "{firm:?} {open:?}");
}

/// How much of the melody's time it lies on or above the highest tone of the chords part that sounds with it.
fn above_chords(score: &Score) -> f64 {
    let chords = part(score, "Chords");
    let (mut above, mut all) = (0, 0);
    for note in part(score, "Melody") {
        let beside = chords.iter().filter(|chord| chord.start < note.end && chord.end > note.start);
        let Some(top) = beside.map(|chord| chord.key).max() else { continue };
        let length = note.end.0 - note.start.0;
        all += length;
        above += if note.key >= top { length } else { 0 };
    }
    above as f64 / all.max(1) as f64
}

#[test]
fn the_melody_lies_above_the_chords() {
    let mut under = vec![];
    for affect in Affect::all() {
        let shares: Vec<f64> =
            SEEDS.iter().map(|seed| above_chords(&arrange(&plan(affect, *seed)))).collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        println!("{affect:13} above the chords for {mean:.2} of the time");
        if mean < 0.8 {
            under.push(format!("{affect}: {mean:.2}"));
        }
    }
    assert_eq!(under, [""; 0]);
}

#[test]
fn control_a_melody_two_octaves_lower_does_not() {
    for affect in Affect::all() {
        let mut score = arrange(&plan(affect, 1));
        let melody = score.parts.iter_mut().find(|part| part.name == "Melody").expect("a melody");
        melody.notes.iter_mut().for_each(|note| note.key -= 24);
        assert!(above_chords(&score) < 0.5, "{affect}");
    }
}
