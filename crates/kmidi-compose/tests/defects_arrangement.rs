//! Defects that the system which this one follows has when it makes music of a plan: one test each.

#[path = "arrangement/plans.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod plans;

use std::collections::BTreeSet;

use kmidi_compose::arrange::arrange;
use kmidi_compose::mood::Affect;
use kmidi_compose::theory::{Key, Scale};
use kmidi_song::{SmfEvent, Song};

use plans::{plan, with_chords};

/// There: the track of guide tones holds one note for the whole piece.
#[test]
fn guide_tones_are_more_than_one_note() {
    for affect in Affect::all() {
        let score = arrange(&plan(affect, 1));
        let guide = &score.part("Guide Tones").expect("guide tones").notes;
        let keys: BTreeSet<u8> = guide.iter().map(|note| note.key).collect();
        assert!(guide.len() >= 4 && keys.len() >= 2, "{affect}: {guide:?}");
        let longest = guide.iter().map(|note| note.length().0).max().expect("notes");
        assert!(longest * 4 <= score.end.0, "{affect}: one is held for {longest} ticks");
    }
}

/// There: the capital M of `DbMaj7` is not read, and its C becomes the C flat of a dominant.
#[test]
fn dbmaj7_is_no_dominant() {
    for affect in [Affect::Dissociation, Affect::Confusion] {
        let mut plan = with_chords(plan(affect, 1), "Cdim DbMaj7 Ebm Cdim");
        plan.character.chords_per_bar = 1.0;
        plan.character.dissonance = 0.0;
        let score = arrange(&plan);
        for (index, (start, chord)) in
            score.chords.iter().enumerate().filter(|it| it.1.1.to_string() == "Dbmaj7")
        {
            let end = score.chords[index + 1].0;
            let harmony = ["Chords", "Bass", "Guide Tones"].iter().filter_map(|name| score.part(name));
            let notes = harmony.flat_map(|part| &part.notes);
            let heard: BTreeSet<u8> = notes
                .filter(|it| it.start.0 >= start.0 && it.start < end && it.end.0 - it.start.0 > 120)
                .map(|it| it.key % 12)
                .collect();
            assert!(heard.contains(&0), "{affect}: {chord} without its seventh: {heard:?}");
            assert!(!heard.contains(&11), "{affect}: {chord} as a dominant: {heard:?}");
        }
    }
}

/// There: key F, tempo 60 and the progression F C give C aeolian at 70.
#[test]
fn key_tempo_and_progression_are_honoured() {
    let mut plan = with_chords(plan(Affect::Grief, 1), "F C");
    plan.key = Key { tonic: "F".parse().expect("a pitch"), scale: Scale::IONIAN };
    plan.tempo_bpm = 60.0;
    let score = arrange(&plan);
    assert_eq!(score.tempos[0].1, 60.0);
    let symbols: BTreeSet<String> = score.chords.iter().map(|(_, chord)| chord.to_string()).collect();
    assert_eq!(symbols, BTreeSet::from(["F".to_owned(), "C".to_owned()]));
    let f_major = [5, 7, 9, 10, 0, 2, 4];
    for part in score.parts.iter().filter(|part| part.channel != 9) {
        assert!(
            part.notes.iter().all(|note| f_major.contains(&(note.key % 12))),
            "{} leaves F major",
            part.name
        );
    }
    let song = score.to_song();
    let tempo = SmfEvent::tempo(1_000_000);
    assert!(song.tracks[0].events.iter().any(|(_, event)| *event == tempo));
    let one_flat = SmfEvent::Meta { kind: 0x59, data: Box::new([255, 0]) };
    assert!(song.tracks[0].events.iter().any(|(_, event)| *event == one_flat));
}

/// There: without a library that writes files an empty one is written, and told to be good.
#[test]
fn a_score_is_never_an_empty_file() {
    for affect in Affect::all() {
        let bytes = arrange(&plan(affect, 1)).to_song().to_smf().expect("a file");
        let song = Song::from_smf(&bytes).expect("that can be read").0;
        let strokes =
            song.tracks.iter().flat_map(|track| &track.events).filter_map(|(_, event)| match event {
                SmfEvent::Channel([status, _, velocity]) => Some(status & 0xf0 == 0x90 && *velocity > 0),
                _ => None,
            });
        assert!(strokes.filter(|&is| is).count() > 60, "{affect}");
    }
}

/// There: every chord stands once in its bar at velocity 80, for the full bar, in every mood.
#[test]
fn moods_are_not_all_played_alike() {
    let chords = |affect| {
        let score = arrange(&plan(affect, 1));
        let notes = score.part("Chords").expect("chords").notes.clone();
        notes
            .iter()
            .map(|note| (note.start.0 % 1920, note.length().0, note.velocity))
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = Affect::all().map(chords).collect();
    assert_eq!(all.len(), Affect::COUNT);
    assert!(all.iter().all(|manner| manner.len() > 4));
}
