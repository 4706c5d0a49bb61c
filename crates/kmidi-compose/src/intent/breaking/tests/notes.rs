use kmidi_core::Ticks;

use super::{Rule, broken, changed, written};
use crate::intent::breaking::harmony::SECOND_KEY;

/// The keys that begin together, low to high, in order of their starts.
fn chords(part: &crate::score::Part) -> Vec<Vec<u8>> {
    let mut notes = part.notes.clone();
    notes.sort_by_key(|note| (note.start, note.key));
    notes
        .chunk_by(|one, next| one.start == next.start)
        .map(|it| it.iter().map(|note| note.key).collect())
        .collect()
}

/// How often two chords that follow each other move every voice by the same interval.
fn parallels(chords: &[Vec<u8>]) -> usize {
    let same = |pair: &[Vec<u8>]| {
        let moves: Vec<i16> =
            pair[0].iter().zip(&pair[1]).map(|(one, next)| i16::from(*next) - i16::from(*one)).collect();
        pair[0].len() == pair[1].len() && moves.iter().all(|it| *it == moves[0]) && moves[0] != 0
    };
    chords.windows(2).filter(|pair| same(pair)).count()
}

#[test]
fn parallel_motion_moves_root_fifth_and_octave_as_one() {
    let (before, after) = broken(Rule::ParallelMotion);
    assert_eq!(changed(&before, &after), ["Chords"]);
    let (was, is) = (chords(&before.parts[0]), chords(&after.parts[0]));
    assert_eq!(parallels(&was), 0);
    assert_eq!(parallels(&is), 15);
    for (index, keys) in is.iter().enumerate() {
        let [root, fifth, octave] = keys[..] else { panic!("{keys:?}") };
        assert_eq!((fifth - root, octave - root), (7, 12));
        assert_eq!(root % 12, before.chords[index].1.root().pitch_class().number());
    }
    let times = |part: &crate::score::Part| -> Vec<(i64, i64)> {
        written(part).into_iter().map(|(start, end, _)| (start, end)).collect()
    };
    assert_eq!(times(&before.parts[0]), times(&after.parts[0]));
}

#[test]
fn polytonality_adds_each_chord_a_tritone_away() {
    let (before, after) = broken(Rule::Polytonality);
    assert_eq!(changed(&before, &after), ["+Second key"]);
    let (first, second) = (chords(&before.parts[0]), chords(after.part("Second key").unwrap()));
    assert_eq!(first.len(), second.len());
    let classes = |keys: &[u8], by: u8| {
        let mut classes: Vec<u8> = keys.iter().map(|key| (key + by) % 12).collect();
        classes.sort_unstable();
        classes
    };
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(classes(first, SECOND_KEY), classes(second, 0));
        assert_ne!(classes(first, 0), classes(second, 0));
    }
    assert!(second.iter().flatten().all(|key| (60..72).contains(key)));
}

#[test]
fn unresolved_dissonance_hangs_over_each_phrase_and_steps_nowhere() {
    let (before, after) = broken(Rule::UnresolvedDissonance);
    assert_eq!(changed(&before, &after), ["+Unresolved"]);
    let notes = &after.part("Unresolved").unwrap().notes;
    // G at the end of each phrase: seventh F, ninth A, over the border by half a bar; the last to the end.
    assert_eq!(notes.len(), 8);
    for (index, pair) in notes.chunks(2).enumerate() {
        let end = (index as i64 + 1) * 4 * 1920;
        let classes: Vec<u8> = pair.iter().map(|note| note.key % 12).collect();
        assert_eq!(classes, [5, 9]);
        assert!(pair.iter().all(|note| note.start.0 == end - 1920));
        assert!(pair.iter().all(|note| note.end.0 == (end + 960).min(before.end.0)));
    }
    // Resolution would be a step by what plays it; the next thing it plays comes two bars and a half later or never.
    let starts: Vec<Ticks> = notes.iter().map(|note| note.start).collect();
    let resolved = notes.iter().any(|note| {
        let soon = note.end.0..note.end.0 + 1920;
        starts.iter().any(|start| soon.contains(&start.0))
    });
    assert!(!resolved);
}
