//! Sections of songs that were built from known ones, and the whole report.
use kmidi_compose::analysis::{Analysis, AnalysisError, MAX_BARS, NoteView, Part, SectionKind, sections_of};
use kmidi_core::{Division, MeterMap, TempoMap, Ticks};
use kmidi_song::{Format, Note, SmfEvent, Song, Track};

use crate::songs::{BAR, PPQ, keys_of, note, view_of};

/// A part of a song: chords, a bar each, played so many times.
struct Stretch {
    chords: &'static str,
    times: i64,
    velocity: u8,
    /// Notes of the melody in a bar; 0 for none.
    melody: i64,
    drums: bool,
}

const INTRO: Stretch = Stretch { chords: "Am F C G", times: 1, velocity: 50, melody: 0, drums: false };
const VERSE: Stretch = Stretch { chords: "Am F C G", times: 2, velocity: 75, melody: 4, drums: true };
const RISE: Stretch = Stretch { chords: "Dm Em F G", times: 1, velocity: 90, melody: 8, drums: true };
const CHORUS: Stretch = Stretch { chords: "F G Em Am", times: 2, velocity: 118, melody: 16, drums: true };
const BREAK: Stretch = Stretch { chords: "Bb Eb Bb Eb", times: 1, velocity: 45, melody: 0, drums: false };
const OUTRO: Stretch = Stretch { chords: "Am F Am F", times: 1, velocity: 40, melody: 0, drums: false };

fn song(parts: &[&Stretch]) -> NoteView {
    let mut notes: Vec<Note> = vec![];
    let mut at = 0;
    for part in parts {
        for _ in 0..part.times {
            for symbol in part.chords.split(' ') {
                let chord = symbol.parse().unwrap();
                let louder = |it: Note| Note { velocity: part.velocity, ..it };
                notes.extend(keys_of(&chord, 3).into_iter().map(|key| louder(note(at, at + BAR, key))));
                for step in 0..part.melody {
                    let tone =
                        keys_of(&chord, 5)[1 + (step % 3) as usize] + if part.melody > 8 { 12 } else { 0 };
                    let start = at + step * BAR / part.melody;
                    notes.push(Note { channel: 1, ..louder(note(start, start + BAR / part.melody, tone)) });
                }
                if part.drums {
                    notes.extend((0..8).map(|step| Note {
                        channel: 9,
                        ..louder(note(at + step * 240, at + step * 240 + 60, 42))
                    }));
                }
                at += BAR;
            }
        }
    }
    view_of(notes)
}

fn labels(parts: &[&Stretch]) -> Vec<(SectionKind, u32, u32)> {
    sections_of(&song(parts)).iter().map(|it| (it.kind, it.bar, it.bars)).collect()
}

#[test]
fn a_song_in_the_usual_form_is_cut_and_named() {
    use SectionKind::{Breakdown, Chorus, Intro, Outro, Prechorus, Verse};
    let parts = [&INTRO, &VERSE, &RISE, &CHORUS, &VERSE, &RISE, &CHORUS, &BREAK, &CHORUS, &OUTRO];
    let wanted = [
        (Intro, 1, 4),
        (Verse, 5, 8),
        (Prechorus, 13, 4),
        (Chorus, 17, 8),
        (Verse, 25, 8),
        (Prechorus, 33, 4),
        (Chorus, 37, 8),
        (Breakdown, 45, 4),
        (Chorus, 49, 8),
        (Outro, 57, 4),
    ];
    assert_eq!(labels(&parts), wanted);
}

#[test]
fn the_same_music_has_the_same_letter() {
    let found = sections_of(&song(&[&VERSE, &CHORUS, &VERSE, &CHORUS]));
    let letters: Vec<&str> = found.iter().map(|it| &*it.material).collect();
    assert_eq!(letters, ["A", "B", "A", "B"]);
    let kinds: Vec<SectionKind> = found.iter().map(|it| it.kind).collect();
    use SectionKind::{Chorus, Verse};
    assert_eq!(kinds, [Verse, Chorus, Verse, Chorus]);
    assert!(found[1].energy > found[0].energy + 0.1);
}

#[test]
fn something_else_in_the_second_half_is_a_bridge() {
    const BRIDGE: Stretch = Stretch { chords: "Eb Bb Eb F", times: 2, velocity: 85, melody: 6, drums: true };
    let found = labels(&[&VERSE, &CHORUS, &VERSE, &CHORUS, &BRIDGE, &CHORUS]);
    assert_eq!(found[4], (SectionKind::Bridge, 33, 8), "{found:?}");
}

#[test]
fn music_that_stays_the_same_is_one_section() {
    assert_eq!(labels(&[&VERSE, &VERSE, &VERSE]), [(SectionKind::Verse, 1, 24)]);
}

#[test]
fn sections_follow_each_other_without_a_gap_to_the_end() {
    let view = song(&[&INTRO, &VERSE, &CHORUS, &BREAK, &CHORUS, &OUTRO]);
    let mut next = 1;
    for section in sections_of(&view) {
        assert_eq!(section.bar, next);
        assert!(section.bars >= 1 && (0.0..=1.0).contains(&section.energy));
        next += section.bars;
    }
    assert_eq!(next, view.bars() + 1);
}

#[test]
fn a_report_has_all_parts_and_prints_and_serialises() {
    let analysis = Analysis::of(&song(&[&INTRO, &VERSE, &CHORUS, &VERSE, &CHORUS]));
    let text = analysis.to_string();
    for line in [
        "key         A minor",
        "tempo       120.00 bpm",
        "meter       4/4",
        "chorus",
        "bar    1  Am",
        "tension",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    assert!(!analysis.text(&[Part::Key]).contains("bpm"));
    let json = serde_json::to_value(&analysis).unwrap();
    assert_eq!(json["key"]["name"], "A minor");
    assert_eq!(json["chords"][0]["chord"], "Am");
    assert_eq!(json["sections"][0]["kind"], "intro");
    assert_eq!(json["tempo"]["meter"], "4/4");
    assert_eq!(json["tension"]["bars"].as_array().unwrap().len(), 36);
}

fn midi(events: Vec<(i64, [u8; 3])>, end: i64) -> Song {
    let events =
        events.into_iter().map(|(tick, message)| (Ticks(tick), SmfEvent::Channel(message))).collect();
    let track = Track { events, end: Ticks(end) };
    Song { format: Format::Single, division: Division::Ppq(480), tracks: vec![track] }
}

#[test]
fn notes_of_a_file_are_paired_and_what_is_left_open_ends_with_its_track() {
    let song = midi(
        vec![
            (0, [0x90, 60, 80]),
            (100, [0x90, 60, 70]),
            (200, [0x80, 60, 0]),
            (300, [0x90, 60, 0]),
            (400, [0x91, 64, 90]),
        ],
        960,
    );
    let view = NoteView::from_song(&song).unwrap();
    let found: Vec<(i64, i64, u8)> = view.notes().iter().map(|it| (it.start.0, it.end.0, it.key)).collect();
    assert_eq!(found, [(0, 200, 60), (100, 300, 60), (400, 960, 64)]);
}

#[test]
fn only_drums_are_no_notes_and_songs_without_end_are_refused() {
    let drums = midi(vec![(0, [0x99, 36, 80]), (100, [0x89, 36, 0])], 480);
    assert_eq!(NoteView::from_song(&drums).unwrap_err(), AnalysisError::NoNotes);
    let endless = midi(vec![(0, [0x90, 60, 80]), (1 << 60, [0x80, 60, 0])], 1 << 60);
    assert!(matches!(NoteView::from_song(&endless), Err(AnalysisError::TooLong { bars }) if bars > MAX_BARS));
}

#[test]
fn the_longest_song_is_analysed_in_bounded_steps() {
    // A note each eight bars, and one held from beginning to end.
    let bars = i64::from(MAX_BARS);
    let mut notes: Vec<Note> =
        (0..bars / 8).map(|at| note(at * 8 * BAR, at * 8 * BAR + PPQ, 60 + (at % 12) as u8)).collect();
    notes.push(note(0, bars * BAR, 48));
    let sections = sections_of(&view_of(notes));
    assert_eq!(sections.iter().map(|it| it.bars).sum::<u32>(), MAX_BARS);
}

#[test]
fn strange_meters_and_divisions_are_no_trouble() {
    use kmidi_core::Meter;
    for (numerator, denominator_log2) in [(1, 0), (5, 3), (7, 3), (6, 3), (12, 3), (255, 8), (1, 8), (2, 1)] {
        for ppq in [1u16, 2, 7, 96, 32_767] {
            let tempos = TempoMap::new(Division::Ppq(ppq), []);
            let meters = MeterMap::new(
                tempos.ticks_per_quarter(),
                [(Ticks(0), Meter { numerator, denominator_log2 })],
            );
            let quarter = i64::from(ppq);
            let notes = (0..40).map(|at| note(at * quarter, (at + 1) * quarter, 60 + (at % 5) as u8));
            let view = NoteView::new(notes, tempos, meters).unwrap();
            let analysis = Analysis::of(&view);
            assert_eq!(analysis.notes, 40);
            assert!(analysis.chords.iter().all(|chord| chord.beats > 0.0));
        }
    }
}
