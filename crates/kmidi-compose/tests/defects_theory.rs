//! What the program before this one got wrong in theory: one test for each defect, named after it.
#![forbid(unsafe_code)]

use kmidi_compose::theory::{Chord, Key, Roman, Voicer, parse_progression, parse_progression_in};

fn chord(symbol: &str) -> Chord {
    symbol.parse().unwrap_or_else(|error| panic!("{symbol}: {error}"))
}

fn key(text: &str) -> Key {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn semitones(symbol: &str) -> Vec<u8> {
    chord(symbol).tones().iter().map(|tone| tone.semitones).collect()
}

fn names_in(numerals: &str, name: &str) -> Vec<String> {
    let chords = parse_progression_in(numerals, key(name)).expect("numerals");
    chords.chords().map(|chord| chord.to_string()).collect()
}

/// `DbMaj7` and `EbMaj7` were read as C#7 and D#7.
#[test]
fn a_capital_m_in_maj7_is_still_a_major_seventh() {
    for (symbol, names) in [("DbMaj7", ["Db", "F", "Ab", "C"]), ("EbMaj7", ["Eb", "G", "Bb", "D"])] {
        assert_eq!(semitones(symbol), [0, 4, 7, 11]);
        let spelled: Vec<String> = chord(symbol).spelled().map(|name| name.to_string()).collect();
        assert_eq!(spelled, names);
    }
    assert_eq!(semitones("Db7"), [0, 4, 7, 10]);
}

/// Its own locrian plan sounded 49 53 56 59 in bar 2; the seventh is 60.
#[test]
fn the_locrian_plan_has_a_major_seventh_in_its_second_bar() {
    let plan = parse_progression("Cdim DbMaj7 Ebm Cdim").expect("the plan's chords");
    let second = plan.bars[1][0].expect("a chord");
    let root = 48 + second.root().pitch_class().number();
    let keys: Vec<u8> = second.tones().iter().map(|tone| root + tone.semitones).collect();
    assert_eq!(keys, [49, 53, 56, 60]);
}

/// `C6` and `Cm6` lost their sixths.
#[test]
fn sixth_chords_keep_the_sixth() {
    assert_eq!(semitones("C6"), [0, 4, 7, 9]);
    assert_eq!(semitones("Cm6"), [0, 3, 7, 9]);
}

/// Every numeral with an I in it was the tonic: `I ii iii IV V vi vii` in C gave C Cm Cm C G Cm Cm.
#[test]
fn numerals_that_contain_i_are_not_all_the_tonic() {
    assert_eq!(names_in("I ii iii IV V vi viio", "C"), ["C", "Dm", "Em", "F", "G", "Am", "Bdim"]);
}

/// bVI, bIII and bVII were all B.
#[test]
fn flat_numerals_are_a_semitone_below_the_major_degrees() {
    assert_eq!(names_in("bVI bIII bVII", "C"), ["Ab", "Eb", "Bb"]);
}

/// The keys Bb and Eb were read as C.
#[test]
fn keys_with_flats_are_not_c() {
    assert_eq!(
        (key("Bb").to_string(), key("Eb").to_string()),
        ("Bb ionian".to_owned(), "Eb ionian".to_owned())
    );
    assert_eq!(names_in("I V7 IV", "Bb"), ["Bb", "F7", "Eb"]);
    assert_eq!(names_in("I V7 IV", "Eb"), ["Eb", "Bb7", "Ab"]);
    assert_eq!(Roman::of(&chord("Bb"), key("Bb")).to_string(), "I");
}

/// Cmaj7 and G7 became triads, Am7 C, Bm7b5 Dm. (How sounding notes are named is tested with the analysis.)
#[test]
fn sevenths_are_kept_from_symbol_to_keys() {
    for symbol in ["Cmaj7", "G7", "Am7", "Bm7b5"] {
        let chord = chord(symbol);
        let voicing = Voicer::new(40..=79, 4).next(&chord);
        let seventh = chord.class_of(chord.seventh().expect("a seventh")).number();
        assert!(voicing.iter().any(|key| key % 12 == seventh), "{symbol}: {voicing}");
        assert_eq!(chord.to_string(), symbol);
    }
    assert_eq!(semitones("C5"), [0, 7]);
}
