//! What is learnt from a song.

use kmidi_core::{Division, SmpteRate, Ticks};
use kmidi_song::groove::{
    ApplyOptions, Change, Channels, ExtractOptions, Groove, GrooveError, change_song, extract, templates,
};
use kmidi_song::{Note, SmfEvent, Song};
use proptest::prelude::*;

use super::songs::{song_of, steady, wild_song};

fn learnt(song: &Song) -> Groove {
    extract(song, &ExtractOptions::default()).unwrap()
}

/// Where a groove has a sixteenth, swing included, in ticks of 1/480 of a quarter.
fn timing(groove: &Groove, slot: usize) -> f64 {
    let swing = if slot % 4 == 2 { groove.swing * 120.0 } else { 0.0 };
    groove.slots[slot].unwrap().timing_ticks * 480.0 / f64::from(groove.ticks_per_quarter) + swing
}

/// Within a tick of where it was (of the coarser of the two divisions), and within 1 in velocity.
fn check_round_trip(groove: &Groove, ppq: u16) -> Result<(), TestCaseError> {
    let apart = i64::from(ppq) / 4;
    let mut song = song_of(ppq, &steady(16 * 8, apart, 0, 60, 64), 16 * 8 * apart);
    let whole = ApplyOptions { intensity: 1.0, ..ApplyOptions::default() };
    change_song(&mut song, Change::Apply(groove, &whole)).unwrap();
    let again = learnt(&song);
    let tolerance = 0.51 * (480.0 / f64::from(ppq)).max(1.0);
    for slot in 0..16 {
        let (a, b) = (timing(groove, slot), timing(&again, slot));
        prop_assert!((a - b).abs() <= tolerance, "{} {slot}: {a} {b}", groove.name);
        let (a, b) = (groove.slots[slot].unwrap().velocity, again.slots[slot].unwrap().velocity);
        prop_assert!((a - b).abs() <= 0.5, "{} {slot}: {a} {b}", groove.name);
    }
    Ok(())
}

#[test]
fn every_template_applied_is_found_again() {
    for template in templates() {
        for ppq in [96, 480, 960] {
            check_round_trip(&template.groove(), ppq).unwrap();
        }
        // Its swing too: how late the offbeats are against the beats, as far as the table itself has them apart.
        let groove = template.groove();
        let mut song = song_of(480, &steady(128, 120, 0, 60, 64), 128 * 120);
        let whole = ApplyOptions { intensity: 1.0, ..ApplyOptions::default() };
        change_song(&mut song, Change::Apply(&groove, &whole)).unwrap();
        let found = learnt(&song).swing;
        assert!((found - groove.swing).abs() < 0.06, "{}: {found} for {}", groove.name, groove.swing);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Any groove whose notes stay near their places, with swing or without.
    #[test]
    fn what_is_applied_is_found_again(
        timing in proptest::collection::vec(-14.0f64..14.0, 16),
        velocities in proptest::collection::vec(1.0f64..=127.0, 16),
        swing in prop_oneof![Just(0.0), 0.0f64..0.6],
    ) {
        let mut groove = templates()[0].groove();
        groove.swing = swing;
        for (slot, (ticks, velocity)) in groove.slots.iter_mut().zip(timing.into_iter().zip(velocities)) {
            let slot = slot.as_mut().unwrap();
            (slot.timing_ticks, slot.velocity) = (ticks.round(), velocity.round());
        }
        // The very first note cannot be early.
        let first = groove.slots[0].as_mut().unwrap();
        first.timing_ticks = first.timing_ticks.abs();
        check_round_trip(&groove, 480)?;
    }

    #[test]
    fn whatever_the_song_what_is_learnt_can_be_kept(song in wild_song()) {
        match extract(&song, &ExtractOptions::default()) {
            Ok(groove) => {
                prop_assert_eq!(Groove::from_json(groove.to_json().as_bytes()).unwrap(), groove);
            }
            Err(GrooveError::NoNotes(_)) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}

#[test]
fn figures_are_those_of_the_notes() {
    // Four quarters a bar: 10 late, 10 early, on the beat twice; one ghost note and one accent in each.
    let mut notes = vec![];
    for bar in 0..8 {
        for (beat, late, velocity) in [(0, 10, 101), (1, -10, 39), (2, 0, 100), (3, 0, 40)] {
            let start = Ticks(1920 * (bar + 1) + 480 * beat + late);
            notes.push(Note { start, end: start + Ticks(50), channel: 3, key: 60, velocity });
        }
    }
    let groove = learnt(&song_of(480, &notes, 20_000));
    let found = groove.statistics.unwrap();
    assert_eq!((found.notes, found.ghosts, found.accents), (32, 8, 8));
    assert_eq!((found.mean_ticks, found.most_ticks, found.mean_velocity), (0.0, 10.0, 70.0));
    assert!((found.sd_ticks - 50f64.sqrt()).abs() < 1e-6);
    // 480 ticks are 500 ms at the tempo of a file that names none.
    assert!((found.sd_ms - 50f64.sqrt() / 0.96).abs() < 1e-6);
    assert_eq!(found.quarter_velocities, [101.0, 39.0, 100.0, 40.0]);
    assert_eq!(groove.slots.iter().flatten().count(), 4);
    assert_eq!(groove.slots[4].unwrap().timing_ticks, -10.0);
    assert_eq!(groove.tempo_range_bpm, (120.0, 120.0));
}

#[test]
fn the_drums_are_learnt_from_where_they_play_and_each_channel_by_itself() {
    let mut notes = steady(16, 120, 9, 42, 90);
    notes.extend(steady(16, 120, 0, 42, 30).into_iter().map(|note| Note {
        start: note.start + Ticks(20),
        end: note.end + Ticks(20),
        ..note
    }));
    let song = song_of(480, &notes, 2000);
    let groove = learnt(&song);
    assert_eq!(groove.statistics.unwrap().mean_velocity, 90.0);
    let channels: Vec<_> = groove
        .channels
        .iter()
        .map(|it| (it.channel, it.statistics.mean_ticks, it.statistics.ghosts))
        .collect();
    assert_eq!(channels, [(1, 20.0, 16), (10, 0.0, 0)]);
    let first = ExtractOptions { channels: Some(Channels::one(0)), ..ExtractOptions::default() };
    assert_eq!(extract(&song, &first).unwrap().statistics.unwrap().mean_velocity, 30.0);
    let none = ExtractOptions { channels: Some(Channels::one(5)), ..ExtractOptions::default() };
    assert!(matches!(extract(&song, &none), Err(GrooveError::NoNotes(_))));
}

#[test]
fn a_bar_is_what_the_meter_says() {
    // 3/4 from the second bar on: a late third beat is slot 8 of every bar, and there is no slot 12.
    let mut notes = vec![];
    for bar in 0..6 {
        for beat in 0..3 {
            let start = Ticks(1920 + bar * 1440 + beat * 480 + if beat == 2 { 15 } else { 0 });
            notes.push(Note { start, end: start + Ticks(100), channel: 0, key: 60, velocity: 80 });
        }
    }
    let mut song = song_of(480, &notes, 20_000);
    let meter = SmfEvent::Meta { kind: 0x58, data: [3, 2, 24, 8].into() };
    song.tracks[0].events.insert(0, (Ticks(1920), meter));
    song.tracks[0].events.sort_by_key(|event| event.0);
    let groove = learnt(&song);
    assert_eq!(groove.slots[8].unwrap().timing_ticks, 15.0);
    assert_eq!(groove.slots.iter().flatten().count(), 3);
}

#[test]
fn what_has_no_beats_or_no_notes_is_refused() {
    let mut song = song_of(480, &steady(4, 120, 0, 60, 64), 480);
    song.division = Division::Smpte { rate: SmpteRate::Fps25, subframes: 40 };
    assert!(matches!(extract(&song, &ExtractOptions::default()), Err(GrooveError::Smpte)));
    let groove = templates()[0].groove();
    let before = song.clone();
    let refused = change_song(&mut song, Change::Apply(&groove, &ApplyOptions::default()));
    assert!(matches!(refused, Err(GrooveError::Smpte)));
    assert_eq!(song, before);
    let empty = song_of(480, &[], 480);
    assert!(matches!(extract(&empty, &ExtractOptions::default()), Err(GrooveError::NoNotes(_))));
}
