//! Each rule by what it is named after, on a score that is written here: what differs, by how much, and that nothing else does.

mod notes;
mod sound;
mod time;

use std::collections::BTreeMap;

use kmidi_core::{Meter, Ticks};
use kmidi_song::Note;

use super::tools::bar_ticks;
use super::{Rule, Unbreakable};
use crate::score::{Part, Score};
use crate::theory::Key;

const SEED: u64 = 11;

fn note(channel: u8, start: i64, end: i64, key: u8, velocity: u8) -> Note {
    Note { start: Ticks(start), end: Ticks(end), channel, key, velocity }
}

fn part(name: &str, channel: u8, program: Option<u8>, notes: Vec<Note>) -> Part {
    Part { name: name.to_owned(), channel, program, notes, ..Part::default() }
}

fn meter(numerator: u8, denominator_log2: u8) -> Meter {
    Meter { numerator, denominator_log2 }
}

/// C Am F G, over and over: a bar each, as block chords, bass, a melody of two notes a bar, and a drum on every unit.
fn song_in(meter: Meter, bars: i64) -> Score {
    const CHORDS: [(&str, [u8; 3]); 4] =
        [("C", [60, 64, 67]), ("Am", [57, 60, 64]), ("F", [60, 65, 69]), ("G", [59, 62, 67])];
    let bar = bar_ticks(meter);
    let mut parts = [
        part("Chords", 0, Some(0), vec![]),
        part("Bass", 1, Some(33), vec![]),
        part("Melody", 2, Some(73), vec![]),
        part("Drums", 9, None, vec![]),
    ];
    parts[0].controllers = vec![(Ticks(0), 10, 40), (Ticks(bar), 7, 90)];
    parts[2].controllers = vec![(Ticks(0), 10, 90)];
    let mut chords = vec![];
    for index in 0..bars {
        let (symbol, keys) = CHORDS[index as usize % 4];
        let (start, end) = (index * bar, (index + 1) * bar);
        chords.push((Ticks(start), symbol.parse().expect("a chord")));
        parts[0].notes.extend(keys.map(|key| note(0, start, end, key, 70)));
        parts[1].notes.push(note(1, start, end - 60, keys[0] - 24, 60 + (index % 3) as u8));
        parts[2].notes.push(note(2, start, start + bar / 2, keys[2] + 12, 80));
        parts[2].notes.push(note(2, start + bar / 2, end, keys[1] + 12, 90));
        let unit = bar / i64::from(meter.numerator);
        parts[3].notes.extend((0..meter.numerator).map(|n| {
            let at = start + i64::from(n) * unit;
            note(9, at, at + 60, 38, 100)
        }));
    }
    Score {
        title: "Four chords".to_owned(),
        tempos: vec![(Ticks(0), 100.0), (Ticks(5 * bar), 110.0)],
        meter,
        markers: vec![(Ticks(0), "verse".to_owned()), (Ticks(4 * bar), "chorus".to_owned())],
        chords,
        parts: parts.into(),
        end: Ticks(bars * bar),
        ..Score::default()
    }
}

fn song() -> Score {
    song_in(Meter::default(), 16)
}

fn c_major() -> Key {
    "C".parse().expect("a key")
}

/// The song with the rule broken, and without.
fn broken(rule: Rule) -> (Score, Score) {
    let before = song();
    let mut after = before.clone();
    let said = rule.in_score(&mut after, c_major(), SEED).expect("it can be broken");
    assert!(said.is_some(), "{rule} says nothing");
    (before, after)
}

/// What no rule may do.
fn faults(score: &Score) -> Vec<String> {
    let mut faults = vec![];
    let mut keys: BTreeMap<(u8, u8), Vec<&Note>> = BTreeMap::new();
    for part in &score.parts {
        for note in &part.notes {
            let inside = Ticks(0) <= note.start && note.start < note.end && note.end <= score.end;
            let sane = note.channel == part.channel && note.key < 128 && (1..=127).contains(&note.velocity);
            if !inside || !sane {
                faults.push(format!("{}: {note:?}", part.name));
            }
            keys.entry((note.channel, note.key)).or_default().push(note);
        }
        if part.controllers.iter().any(|(tick, controller, value)| {
            *tick < Ticks(0) || *tick > score.end || *controller > 127 || *value > 127
        }) {
            faults.push(format!("{}: {:?}", part.name, part.controllers));
        }
        if part.bends.iter().any(|(tick, bend)| *tick > score.end || !(-8192..=8191).contains(bend)) {
            faults.push(format!("{}: {:?}", part.name, part.bends));
        }
    }
    for notes in keys.values_mut() {
        notes.sort_by_key(|note| note.start);
        let overlaps = notes.windows(2).filter(|pair| pair[1].start < pair[0].end);
        faults.extend(overlaps.map(|pair| format!("overlap: {pair:?}")));
    }
    let tempos = &score.tempos;
    let rising = tempos.is_sorted_by(|one, next| one.0 < next.0);
    if tempos.first().map(|it| it.0) != Some(Ticks(0)) || !rising || tempos.iter().any(|it| it.1 <= 0.0) {
        faults.push(format!("tempos: {tempos:?}"));
    }
    faults
}

/// Parts that are not as they were, by name; new ones with a `+`.
fn changed(before: &Score, after: &Score) -> Vec<String> {
    let old = |part: &&Part| before.parts.iter().any(|other| other.name == part.name);
    let new = after.parts.iter().filter(|part| !old(part)).map(|part| format!("+{}", part.name));
    let kept = before.parts.iter().filter(|part| after.part(&part.name) != Some(part));
    kept.map(|part| part.name.clone()).chain(new).collect()
}

/// Starts, ends and keys of a part, without loudness.
fn written(part: &Part) -> Vec<(i64, i64, u8)> {
    part.notes.iter().map(|note| (note.start.0, note.end.0, note.key)).collect()
}

#[test]
fn control_faults_are_seen() {
    assert_eq!(faults(&song()), [""; 0]);
    let spoilt = |spoil: fn(&mut Score)| {
        let mut score = song();
        spoil(&mut score);
        faults(&score).len()
    };
    assert_eq!(spoilt(|score| score.parts[0].notes[0].end = Ticks(2000)), 1);
    assert_eq!(spoilt(|score| score.parts[1].notes[0].end = Ticks(0)), 1);
    assert_eq!(spoilt(|score| score.parts[2].notes[0].velocity = 0), 1);
    assert_eq!(spoilt(|score| score.end.0 -= 1), 4);
    assert_eq!(spoilt(|score| score.tempos[1].0 = Ticks(0)), 1);
}

#[test]
fn every_rule_of_the_notes_keeps_the_notes_whole_in_every_meter() {
    let meters = [(4, 2), (3, 2), (6, 3), (5, 2), (7, 3), (12, 3), (2, 1)];
    for rule in Rule::ALL.iter().filter(|rule| !rule.changes_plan()) {
        for (numerator, denominator_log2) in meters {
            let before = song_in(meter(numerator, denominator_log2), 12);
            let mut after = before.clone();
            let said = rule.in_score(&mut after, c_major(), SEED).expect("it can be broken");
            assert!(said.is_some_and(|said| !said.is_empty()));
            assert_eq!(faults(&after), [""; 0], "{rule} in {numerator}/{}", 1 << denominator_log2);
            assert_ne!(before, after, "{rule} changes nothing");
            if *rule != Rule::DroppedBeats {
                assert_eq!(before.end, after.end, "{rule} changes the length");
                assert_eq!(before.meter_changes, after.meter_changes);
            }
            assert!(after.to_song().to_smf().is_ok());
        }
    }
}

#[test]
fn the_same_seed_breaks_a_rule_the_same_way() {
    for rule in Rule::ALL.iter().filter(|rule| !rule.changes_plan()) {
        assert_eq!(broken(*rule).1, broken(*rule).1, "{rule}");
    }
    let with = |seed| {
        let mut score = song();
        Rule::PitchImperfection.in_score(&mut score, c_major(), seed).expect("it can be broken");
        score.parts[2].bends.clone()
    };
    assert_ne!(with(1), with(2));
}

#[test]
fn rules_of_the_plan_leave_the_notes_alone() {
    for rule in Rule::ALL.iter().filter(|rule| rule.changes_plan()) {
        let mut score = song();
        assert_eq!(rule.in_score(&mut score, c_major(), SEED), Ok(None));
        assert_eq!(score, song());
    }
}

#[test]
fn what_cannot_be_broken_is_said_and_nothing_panics() {
    let empty = Score { meter: Meter::default(), tempos: vec![(Ticks(0), 120.0)], ..Score::default() };
    for rule in Rule::ALL.iter().filter(|rule| !rule.changes_plan()) {
        let _ = rule.in_score(&mut empty.clone(), c_major(), SEED);
        let mut short = song_in(Meter::default(), 1);
        let _ = rule.in_score(&mut short, c_major(), SEED);
        assert_eq!(faults(&short), [""; 0], "{rule}");
    }
    let refused = |rule: Rule, score: Score| rule.in_score(&mut score.clone(), c_major(), SEED).unwrap_err();
    assert_eq!(refused(Rule::DroppedBeats, song_in(Meter::default(), 4)), Unbreakable::TooShort(5));
    assert_eq!(refused(Rule::DroppedBeats, song_in(meter(1, 2), 8)), Unbreakable::OneBeat);
    assert_eq!(refused(Rule::MetricModulation, song_in(Meter::default(), 3)), Unbreakable::TooShort(4));
    assert_eq!(refused(Rule::BuriedVocals, empty.clone()), Unbreakable::NoPart("Melody"));
    let mut full = song();
    full.parts
        .extend((3..16).filter(|channel| *channel != 9).map(|channel| part("x", channel, Some(0), vec![])));
    assert_eq!(refused(Rule::RoomNoise, full), Unbreakable::NoChannel);
}
