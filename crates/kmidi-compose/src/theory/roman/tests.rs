use proptest::prelude::*;

use super::*;
use crate::theory::{Letter, PitchClass, Scale, Spelling, diatonic_chord};

fn key(text: &str) -> Key {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn roman(text: &str) -> Roman {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn chord(text: &str) -> Chord {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The twelve keys as they are written, major or minor.
fn twelve(minor: bool) -> Vec<Key> {
    let major = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
    let minors = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];
    let tonics = if minor { minors } else { major };
    tonics
        .into_iter()
        .map(|it| Key::new(it.parse().unwrap(), if minor { Scale::AEOLIAN } else { Scale::IONIAN }))
        .collect()
}

const IN_MAJOR: &[(&str, &str)] = &[
    ("I", "C"),
    ("ii", "Dm"),
    ("iii", "Em"),
    ("IV", "F"),
    ("V", "G"),
    ("vi", "Am"),
    ("viio", "Bdim"),
    ("Imaj7", "Cmaj7"),
    ("ii7", "Dm7"),
    ("V7", "G7"),
    ("viiø7", "Bm7b5"),
    ("viio7", "Bdim7"),
    ("IVmaj7", "Fmaj7"),
    ("I6", "C/E"),
    ("I64", "C/G"),
    ("V65", "G7/B"),
    ("V43", "G7/D"),
    ("V42", "G7/F"),
    ("ii65", "Dm7/F"),
    ("viio6", "Bdim/D"),
    ("viiø65", "Bm7b5/D"),
    ("Imaj65", "Cmaj7/E"),
    ("bII", "Db"),
    ("bII6", "Db/F"),
    ("bIII", "Eb"),
    ("bVI", "Ab"),
    ("bVII", "Bb"),
    ("bVII7", "Bb7"),
    ("bVI7", "Ab7"),
    ("iv", "Fm"),
    ("v", "Gm"),
    ("i", "Cm"),
    ("iiø7", "Dm7b5"),
    ("IV7", "F7"),
    ("bVImaj7", "Abmaj7"),
    ("V/V", "D"),
    ("V7/V", "D7"),
    ("V65/V", "D7/F#"),
    ("V7/ii", "A7"),
    ("V7/iii", "B7"),
    ("V7/IV", "C7"),
    ("V7/vi", "E7"),
    ("viio7/ii", "C#dim7"),
    ("viio7/V", "F#dim7"),
    ("viiø7/V", "F#m7b5"),
    ("viio7/vi", "G#dim7"),
    ("V7b9", "G7b9"),
    ("V13", "G13"),
    ("V7alt", "G7alt"),
    ("V9sus4", "G9sus4"),
    ("Vsus4", "Gsus4"),
    ("Iadd9", "Cadd9"),
    ("Iadd6", "C6"),
    ("Iadd6add9", "C6/9"),
    ("ivadd6", "Fm6"),
    ("I+", "Caug"),
    ("I/b7", "C/Bb"),
    ("Iadd9/3", "Cadd9/E"),
    ("IV/2", "F/G"),
    ("#ivo7", "F#dim7"),
    ("i7", "Cm7"),
    ("imaj7", "CmMaj7"),
    ("I5", "C5"),
    ("I(b5)", "C(b5)"),
];

#[test]
fn numerals_mean_these_chords_in_c_and_chords_these_numerals() {
    for (numeral, symbol) in IN_MAJOR {
        assert_eq!(roman(numeral).in_key(key("C")), chord(symbol), "{numeral}");
        assert_eq!(roman(numeral).to_string(), *numeral);
        // A diminished seventh on #4 leads to V.
        if *numeral != "#ivo7" {
            assert_eq!(Roman::of(&chord(symbol), key("C")).to_string(), *numeral, "{symbol}");
        }
    }
}

const IN_MINOR: &[(&str, &str)] = &[
    ("i", "Am"),
    ("iio", "Bdim"),
    ("III", "C"),
    ("iv", "Dm"),
    ("v", "Em"),
    ("V", "E"),
    ("V7", "E7"),
    ("VI", "F"),
    ("VII", "G"),
    ("VII7", "G7"),
    ("viio", "G#dim"),
    ("viio7", "G#dim7"),
    ("iiø7", "Bm7b5"),
    ("iiø65", "Bm7b5/D"),
    ("vio", "F#dim"),
    ("IV", "D"),
    ("IV7", "D7"),
    ("imaj7", "AmMaj7"),
    ("III+", "Caug"),
    ("bII6", "Bb/D"),
    ("bvii", "Gm"),
    ("bvi", "Fm"),
    ("I", "A"),
    ("#VI", "F#"),
    ("V/V", "B"),
    ("V7/V", "B7"),
    ("V7/iv", "A7"),
    ("V7/VI", "C7"),
    ("viio7/V", "D#dim7"),
    ("viio7/iv", "C#dim7"),
    ("VI7", "F7"),
    ("V65", "E7/G#"),
    ("i64", "Am/E"),
];

#[test]
fn numerals_mean_these_chords_in_a_minor_and_chords_these_numerals() {
    for (numeral, symbol) in IN_MINOR {
        assert_eq!(roman(numeral).in_key(key("Am")), chord(symbol), "{numeral}");
        assert_eq!(Roman::of(&chord(symbol), key("Am")).to_string(), *numeral, "{symbol}");
    }
    // A flat before what is lowered already.
    for (numeral, symbol) in [("bIII", "C"), ("bVI", "F"), ("bVII", "G")] {
        assert_eq!(roman(numeral).in_key(key("Am")), chord(symbol));
    }
    assert_eq!(roman("viio7/ii").in_key(key("Bb")), chord("Bdim7"));
}

#[test]
fn every_numeral_round_trips_in_all_twelve_keys_major_and_minor() {
    for (numerals, minor) in [(IN_MAJOR, false), (IN_MINOR, true)] {
        for key in twelve(minor) {
            for (numeral, _) in numerals.iter().filter(|it| it.0 != "#ivo7") {
                let chord = roman(numeral).in_key(key);
                assert_eq!(Roman::of(&chord, key).to_string(), *numeral, "{chord} in {key}");
            }
        }
    }
}

#[test]
fn a_tone_of_the_key_is_its_degree_however_it_is_written() {
    for (symbol, of, numeral) in [
        ("Ab", "C#m", "V"),
        ("Ab7", "C#m", "V7"),
        ("Eb", "B", "III"),
        ("Dbm", "E", "vi"),
        ("A#", "F", "IV"),
        // Controls: what is none of the key's tones keeps the sign that it is written with.
        ("Ab", "C", "bVI"),
        ("G#dim7", "Am", "viio7"),
        ("Db", "C", "bII"),
        ("F#", "C", "#IV"),
    ] {
        assert_eq!(Roman::of(&chord(symbol), key(of)).to_string(), numeral, "{symbol} in {of}");
    }
}

#[test]
fn numerals_in_other_keys_are_the_same_chords_transposed() {
    for (numerals, minor, home) in [(IN_MAJOR, false, "C"), (IN_MINOR, true, "Am")] {
        for other in twelve(minor) {
            let up = i32::from(key(home).tonic.pitch_class().up_to(other.tonic.pitch_class()));
            for (numeral, symbol) in numerals {
                let moved = chord(symbol).transposed(up, Spelling::Sharps);
                assert!(roman(numeral).in_key(other).sounds_like(&moved), "{numeral} in {other}");
            }
        }
    }
}

#[test]
fn named_chords_are_the_ones_they_sound_like() {
    for (name, major, minor) in [
        ("N6", "Db/F", "Bb/D"),
        ("N", "Db", "Bb"),
        ("Ger65", "Ab7", "F7"),
        ("Ger+6", "Ab7", "F7"),
        ("Fr43", "Ab7b5", "F7b5"),
        ("It6", "Ab7no5", "F7no5"),
    ] {
        assert_eq!(roman(name).in_key(key("C")), chord(major), "{name}");
        assert_eq!(roman(name).in_key(key("Am")), chord(minor), "{name}");
    }
    assert_eq!(roman("Ger65/V").in_key(key("C")), chord("Eb7"));
}

#[test]
fn quality_is_in_letters_and_marks_however_they_are_written() {
    for (numeral, symbol) in [
        ("viidim7", "Bdim7"),
        ("vii°7", "Bdim7"),
        ("VIm", "Am"),
        ("IIm7", "Dm7"),
        ("IVM7", "Fmaj7"),
        ("IΔ7", "Cmaj7"),
        ("♭VII", "Bb"),
        ("V2", "G7/F"),
        ("Vaug", "Gaug"),
        ("iiø", "Dm7b5"),
        ("V7/3", "G7/B"),
        ("I/3", "C/E"),
    ] {
        assert_eq!(roman(numeral).in_key(key("C")), chord(symbol), "{numeral}");
    }
    for (text, column) in [
        ("", 1),
        ("VIII", 1),
        ("IIII", 1),
        ("Iv", 1),
        ("X", 1),
        ("V7/", 4),
        ("V/9", 3),
        ("V7x", 3),
        ("Vfoo", 2),
        ("iifoo", 3),
        ("V/V/V", 5),
    ] {
        assert_eq!(text.parse::<Roman>().expect_err(text).column, column, "{text}");
    }
    assert!("V".repeat(100_000).parse::<Roman>().is_err());
}

#[test]
fn the_seven_numerals_are_the_diatonic_chords_in_every_key() {
    for (minor, numerals) in [
        (false, ["Imaj7", "ii7", "iii7", "IVmaj7", "V7", "vi7", "viiø7"]),
        (true, ["i7", "iiø7", "IIImaj7", "iv7", "v7", "VImaj7", "VII7"]),
    ] {
        for key in twelve(minor) {
            for (degree, numeral) in numerals.into_iter().enumerate() {
                assert_eq!(
                    roman(numeral).in_key(key),
                    diatonic_chord(key, degree, true),
                    "{numeral} in {key}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Any chord on any root over any bass, in any mode: its numeral, read again, sounds the same.
    #[test]
    fn any_chord_comes_back_from_its_numeral(
        root in 0..12i32, flats: bool, tonic in 0..12i32, mode in 0..7usize, bass in prop::option::of(0..12i32),
        quality in prop::sample::select(vec!["", "m", "dim", "aug", "7", "maj7", "m7", "m7b5", "dim7", "mMaj7", "6", "m6",
            "6/9", "sus4", "7sus4", "9", "m9", "13", "7b9", "7#9", "7alt", "add9", "5", "maj7#11", "m11", "7no5", "dim7add9"]),
    ) {
        let spelling = if flats { Spelling::Flats } else { Spelling::Sharps };
        let mut chord = Chord::new(PitchClass::new(root).spelled(spelling), quality).unwrap();
        if let Some(bass) = bass {
            chord = chord.over(PitchClass::new(bass).spelled(spelling));
        }
        let scale = Scale::all().nth(mode).unwrap();
        let key = Key::new(PitchClass::new(tonic).spelled(Spelling::Flats), scale);
        let numeral = Roman::of(&chord, key);
        let back = numeral.in_key(key);
        prop_assert!(back.sounds_like(&chord), "{} in {}: {} is {}", chord, key, numeral, back);
        let read: Roman = numeral.to_string().parse().unwrap();
        prop_assert_eq!(read.in_key(key), back, "{} in {}: {}", chord, key, numeral);
        prop_assert_eq!(read.to_string(), numeral.to_string());
    }
}

#[test]
fn chords_of_keys_that_nobody_writes_still_sound_right() {
    for letter in Letter::ALL {
        for accidental in [-2, 2] {
            for scale in [Scale::IONIAN, Scale::AEOLIAN, Scale::LOCRIAN, Scale::LYDIAN] {
                let key = Key::new(PitchName::new(letter, accidental), scale);
                for class in 0..12 {
                    for quality in ["", "m", "dim7", "7"] {
                        let chord =
                            Chord::new(PitchClass::new(class).spelled(Spelling::Flats), quality).unwrap();
                        let numeral = Roman::of(&chord, key);
                        assert!(numeral.in_key(key).sounds_like(&chord), "{chord} in {key}: {numeral}");
                    }
                }
            }
        }
    }
}
