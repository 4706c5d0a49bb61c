//! What holds for every song and every change of it.

use kmidi_core::Ticks;
use kmidi_song::groove::{
    ApplyOptions, Change, Changes, Feel, Groove, Humanize, Pulse, change_song, humanize, presets, templates,
};
use kmidi_song::{Note, SmfEvent, Song};
use proptest::prelude::*;

use super::songs::{notes_of, parts, song_of, tame_notes, wild_song};

fn settings() -> impl Strategy<Value = Humanize> {
    let numbers = (0.0f64..=1.0, 0.0f64..=1.0, any::<u64>());
    let bare = (numbers, any::<bool>(), 0.0f64..=1.0, -1.0f64..=1.0, 0.0f64..=1.0).prop_map(
        |((complexity, vulnerability, seed), uniform, swing, depth, ghosts)| {
            let feel = Feel { swing, depth, ..Feel::default() };
            match uniform {
                true => Humanize { feel, ..Humanize::uniform(complexity, vulnerability, seed) },
                false => Humanize { feel, ghosts, ..Humanize::drummer(complexity, vulnerability, seed) },
            }
        },
    );
    let preset = (0..presets().len(), any::<u64>()).prop_map(|(at, seed)| presets()[at].settings(seed));
    prop_oneof![bare, preset]
}

fn grooves() -> impl Strategy<Value = (Groove, ApplyOptions)> {
    let slots = prop_oneof![3 => Just(None), 1 => Just(Some(8)), 1 => Just(Some(12)), 1 => Just(Some(32))];
    (0..templates().len(), 0.0f64..=1.0, slots).prop_map(|(at, intensity, slots_per_whole)| {
        (templates()[at].groove(), ApplyOptions { intensity, slots_per_whole, channels: None })
    })
}

fn changed(song: &Song, change: Change<'_>) -> (Song, Changes) {
    let mut after = song.clone();
    let changes = change_song(&mut after, change).unwrap();
    (after, changes)
}

fn reach(song: &Song) -> i64 {
    match song.division {
        kmidi_core::Division::Ppq(ppq) => i64::from(ppq / 2).max(1),
        kmidi_core::Division::Smpte { .. } => unreachable!(),
    }
}

/// All that has to hold of any change; `one_to_one`: it leaves no note out and adds none.
fn check(before: &Song, after: &Song, changes: &Changes, one_to_one: bool) -> Result<(), TestCaseError> {
    prop_assert_eq!(before.tracks.len(), after.tracks.len());
    let (mut notes, mut notes_after) = (0, 0);
    for (a, b) in before.tracks.iter().zip(&after.tracks) {
        prop_assert_eq!(a.end, b.end, "the piece is as long as it was");
        prop_assert!(b.events.is_sorted_by_key(|event| event.0));
        prop_assert!(b.events.iter().all(|event| (0..=b.end.0).contains(&event.0.0)));
        let ((others, chains), (others_after, chains_after)) = (parts(a), parts(b));
        prop_assert_eq!(others, others_after, "what is no note is untouched");
        notes += chains.values().map(|chain| chain.len() as u64).sum::<u64>();
        notes_after += chains_after.values().map(|chain| chain.len() as u64).sum::<u64>();
        for (key, chain_after) in &chains_after {
            prop_assert!(chains.contains_key(key), "no key comes from nowhere");
            let chain = &chains[key];
            if one_to_one {
                prop_assert_eq!(chain.len(), chain_after.len());
                each_is_its_note(chain, chain_after, reach(before))?;
            } else if chain.windows(2).all(|pair| pair[0].end < pair[1].start) {
                prop_assert!(!overlaps(chain_after), "{:?} -> {:?}", chain, chain_after);
            }
        }
    }
    prop_assert_eq!(notes_after, notes - changes.dropped + changes.ghosts);
    Ok(())
}

fn each_is_its_note(chain: &[Note], after: &[Note], reach: i64) -> Result<(), TestCaseError> {
    for (a, b) in chain.iter().zip(after) {
        prop_assert!((b.start.0 - a.start.0).abs() <= reach, "{:?} -> {:?}", a, b);
        prop_assert!(b.length().0 >= a.length().0.min(1), "{:?} -> {:?}", a, b);
    }
    for (i, j) in (1..chain.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
        // At one tick a start may come before an end: then it is an overlap too.
        let overlapped = chain[j].start <= chain[i].end;
        prop_assert!(overlapped || after[j].start >= after[i].end, "{:?} {:?}", &chain[i..=j], &after[i..=j]);
    }
    Ok(())
}

fn overlaps(chain: &[Note]) -> bool {
    chain.windows(2).any(|pair| pair[1].start < pair[0].end)
}

fn sorted(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by_key(|note| (note.start, note.channel, note.key, note.end, note.velocity));
    notes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn humanising_keeps_the_law_on_any_song(song in wild_song(), settings in settings()) {
        let (after, changes) = changed(&song, Change::Humanize(&settings));
        check(&song, &after, &changes, false)?;
        let (again, _) = changed(&song, Change::Humanize(&settings));
        prop_assert_eq!(again.to_smf().unwrap(), after.to_smf().unwrap(), "the same seed, the same bytes");
    }

    #[test]
    fn a_groove_keeps_the_law_on_any_song(song in wild_song(), (groove, options) in grooves()) {
        let (after, changes) = changed(&song, Change::Apply(&groove, &options));
        check(&song, &after, &changes, true)?;
    }

    #[test]
    fn at_no_intensity_nothing_changes_at_all(song in wild_song(), (groove, options) in grooves()) {
        let options = ApplyOptions { intensity: 0.0, ..options };
        let (after, changes) = changed(&song, Change::Apply(&groove, &options));
        prop_assert_eq!(after, song);
        prop_assert_eq!(changes.moved, 0);
    }

    #[test]
    fn no_note_sounds_twice_at_once_after_any_change((notes, end) in tame_notes(), settings in settings()) {
        let song = song_of(480, &notes, end);
        let (after, changes) = changed(&song, Change::Humanize(&settings));
        check(&song, &after, &changes, false)?;
        for chain in parts(&after.tracks[0]).1.values() {
            prop_assert!(!overlaps(chain), "{:?}", chain);
        }
    }

    /// Two ways to the same notes: all at once, and event by event as they come from a file.
    #[test]
    fn a_part_and_a_track_become_the_same((notes, end) in tame_notes(), settings in settings()) {
        let song = song_of(480, &notes, end);
        let (after, changes) = changed(&song, Change::Humanize(&settings));
        let mut part = notes_of(&song);
        let mine = humanize(&mut part, &Pulse::of(&song).unwrap(), Ticks(end), &settings).unwrap();
        prop_assert!(part.is_sorted_by_key(|note| note.start));
        prop_assert_eq!(sorted(part), sorted(notes_of(&after)));
        prop_assert_eq!(mine, changes);
    }
}

/// An end that is written after the next start, at one tick and that the last one: found by the checks above.
#[test]
fn a_note_that_ends_where_the_next_has_started_ends_in_the_piece() {
    let message = |tick, message| (Ticks(tick), SmfEvent::Channel(message));
    let events = vec![message(0, [0x9a, 38, 1]), message(1, [0x9a, 38, 1]), message(1, [0x9a, 38, 0])];
    let mut song = song_of(480, &[], 1);
    song.tracks[0].events = events;
    let settings = Humanize::drummer(0.0, 0.0, 0);
    let (after, changes) = changed(&song, Change::Humanize(&settings));
    check(&song, &after, &changes, true).unwrap();
}

/// Control: the checks above see what they are for.
#[test]
fn control_what_breaks_the_law_is_seen() {
    let notes = super::songs::steady(4, 120, 9, 38, 100);
    let before = song_of(480, &notes, 480);
    let broken = |change: &dyn Fn(&mut Vec<Note>)| {
        let mut notes = notes.clone();
        change(&mut notes);
        let after = song_of(480, &notes, 480);
        check(&before, &after, &Changes::default(), true).is_err()
            && check(&before, &after, &Changes::default(), false).is_err()
    };
    assert!(broken(&|notes| notes[1].end = Ticks(250)), "an overlap");
    assert!(broken(&|notes| _ = notes.pop()), "a note that is lost");
    assert!(broken(&|notes| notes[3].end = Ticks(490)), "a note after the end");
    assert!(broken(&|notes| notes[0].key = 39), "another key");
    assert!(!broken(&|_| {}));
    let mut longer = before.clone();
    longer.tracks[0].end = Ticks(481);
    assert!(check(&before, &longer, &Changes::default(), true).is_err());
}
