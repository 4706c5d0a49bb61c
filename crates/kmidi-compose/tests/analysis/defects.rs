//! One test for each way in which the analysis of the older program was wrong.
use kmidi_compose::analysis::{AnalysisError, NoteView, Progression, diagnose, key_name, key_of};
use kmidi_compose::theory::{Key, Roman};

use crate::songs::{chords_in, loop_of, only_chord};

fn key_of_progression(text: &str) -> String {
    key_name(text.parse::<Progression>().unwrap().key().key)
}

/// Each numeral as the root of its chord in C.
fn in_c(numerals: &str) -> Vec<String> {
    let c: Key = "C".parse().unwrap();
    numerals.split(' ').map(|numeral| numeral.parse::<Roman>().unwrap().in_key(c).to_string()).collect()
}

#[test]
fn roman_numerals_with_an_i_in_them_are_not_all_the_tonic() {
    assert_eq!(in_c("I ii iii IV V vi"), ["C", "Dm", "Em", "F", "G", "Am"]);
    let readings = diagnose(&"C Dm Em F G Am Bdim".parse().unwrap(), "C".parse().ok());
    let romans: Vec<&str> = readings.chords.iter().map(|chord| &*chord.roman).collect();
    assert_eq!(romans, ["I", "ii", "iii", "IV", "V", "vi", "viio"]);
}

#[test]
fn flat_degrees_are_not_all_b() {
    assert_eq!(in_c("bVI bIII bVII"), ["Ab", "Eb", "Bb"]);
    let readings = diagnose(&"C Ab Eb Bb C".parse().unwrap(), "C".parse().ok());
    let romans: Vec<&str> = readings.chords.iter().map(|chord| &*chord.roman).collect();
    assert_eq!(romans, ["I", "bVI", "bIII", "bVII", "I"]);
}

#[test]
fn keys_b_flat_and_e_flat_are_not_c() {
    for (chords, key) in
        [("Bb Eb F7 Bb", "Bb major"), ("Eb Ab Bb7 Eb", "Eb major"), ("Eb Cm Ab Bb", "Eb major")]
    {
        assert_eq!(key_of_progression(chords), key);
        assert_eq!(key_name(key_of(&loop_of(chords, 2)).key), key, "{chords}");
    }
}

#[test]
fn cmaj7_is_no_triad() {
    assert_eq!(only_chord("Cmaj7"), "Cmaj7");
}

#[test]
fn g7_is_no_triad() {
    assert_eq!(only_chord("G7"), "G7");
}

#[test]
fn am7_is_not_c() {
    assert_eq!(only_chord("Am7"), "Am7");
}

#[test]
fn bm7b5_is_not_dm() {
    assert_eq!(only_chord("Bm7b5"), "Bm7b5");
}

#[test]
fn c5_is_not_c() {
    assert_eq!(only_chord("C5"), "C5");
}

#[test]
fn sixths_are_kept() {
    assert_eq!(only_chord("C6"), "C6");
    assert_eq!(only_chord("Cm6"), "Cm6");
}

#[test]
fn a_loop_of_am_f_c_g_is_in_a_minor() {
    assert_eq!(key_of_progression("Am F C G"), "A minor");
    for times in [1, 2, 4] {
        let found = key_of(&loop_of("Am F C G", times));
        assert_eq!(key_name(found.key), "A minor", "{times} times");
        assert!(found.confidence < 0.5, "C major is close: {}", found.confidence);
        assert_eq!(key_name(found.alternatives[0].0), "C major");
    }
}

#[test]
fn a_loop_of_em_c_g_d_is_in_e_minor() {
    assert_eq!(key_of_progression("Em C G D"), "E minor");
    for times in [1, 2, 4] {
        assert_eq!(key_name(key_of(&loop_of("Em C G D", times)).key), "E minor", "{times} times");
    }
}

#[test]
fn control_loops_that_begin_on_c_or_cadence_there_are_in_c() {
    for chords in ["C G Am F", "C Am F G", "Am F G C", "Dm7 G7 Cmaj7"] {
        assert_eq!(key_of_progression(chords), "C major", "{chords}");
        assert_eq!(key_name(key_of(&loop_of(chords, 2)).key), "C major", "{chords}");
    }
}

#[test]
fn borrowed_chords_are_found_by_their_tones_not_by_a_list_of_roots() {
    let origins = |chords: &str| -> Vec<String> {
        let found = diagnose(&chords.parse().unwrap(), "C".parse().ok());
        found.chords.iter().map(|chord| chord.origin.to_string()).collect()
    };
    // The same root, once of the key and once not.
    assert_eq!(origins("C F Fm C")[1..3], ["in the key", "borrowed from the parallel minor"]);
    assert_eq!(origins("C Dm Dm7b5 G C")[1..3], ["in the key", "borrowed from the parallel minor"]);
}

#[test]
fn a_song_without_notes_is_an_error_and_no_made_up_chords() {
    use kmidi_core::{Division, Ticks};
    use kmidi_song::{Format, Song, Track};
    let track = Track { events: vec![], end: Ticks(960) };
    let song = Song { format: Format::Single, division: Division::Ppq(480), tracks: vec![track] };
    assert_eq!(NoteView::from_song(&song).unwrap_err(), AnalysisError::NoNotes);
}

#[test]
fn chords_come_from_the_notes() {
    let chords = ["Dm7", "G7", "Cmaj7", "Am7"];
    let text = chords.join(" ");
    assert_eq!(chords_in(&loop_of(&text, 1), "C"), chords);
    let other = ["Fm", "Bbm", "Eb7", "Ab"];
    assert_eq!(chords_in(&loop_of(&other.join(" "), 1), "Ab"), other);
}
