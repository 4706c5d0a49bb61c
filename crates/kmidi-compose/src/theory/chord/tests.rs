use proptest::prelude::*;

use super::*;
use crate::theory::{Letter, Scale};

fn chord(text: &str) -> Chord {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Semitones of its tones above the root.
fn semitones(text: &str) -> Vec<u8> {
    chord(text).tones().iter().map(|tone| tone.semitones).collect()
}

fn spelled(text: &str) -> String {
    chord(text).spelled().map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_quality_of_a_lead_sheet_has_its_tones_and_one_canonical_name() {
    let table: &[(&[&str], &str, &[u8])] = &[
        (&["C", "CM", "Cmaj", "CMaj", "Cma", "Cmajor", "c"], "C", &[0, 4, 7]),
        (&["Cm", "Cmin", "Cmi", "C-", "CMin", "CMI", "Cminor", "C−"], "Cm", &[0, 3, 7]),
        (&["Cdim", "Co", "C°", "Cº", "CDIM"], "Cdim", &[0, 3, 6]),
        (&["Caug", "C+", "C+5", "Caug5"], "Caug", &[0, 4, 8]),
        (&["C5"], "C5", &[0, 7]),
        (&["Csus", "Csus4", "C4", "CSus4"], "Csus4", &[0, 5, 7]),
        (&["Csus2"], "Csus2", &[0, 2, 7]),
        (&["Csus24", "Csus2sus4"], "Csus24", &[0, 2, 5, 7]),
        (&["C6", "CM6", "Cmaj6", "Cadd6"], "C6", &[0, 4, 7, 9]),
        (&["Cm6", "C-6", "Cmin6"], "Cm6", &[0, 3, 7, 9]),
        (&["C69", "C6/9", "C6add9", "C6(9)"], "C6/9", &[0, 4, 7, 9, 14]),
        (&["Cm69", "Cm6/9"], "Cm6/9", &[0, 3, 7, 9, 14]),
        (&["Cadd9", "C2", "C(9)", "Cadd2"], "Cadd9", &[0, 4, 7, 14]),
        (&["Cmadd9", "Cm(add9)", "C-add9"], "Cmadd9", &[0, 3, 7, 14]),
        (&["Cadd11", "Cadd4"], "Cadd11", &[0, 4, 7, 17]),
        (&["C7", "Cdom7", "Cdom7"], "C7", &[0, 4, 7, 10]),
        (
            &[
                "Cmaj7", "CMaj7", "CM7", "CΔ", "CΔ7", "C△7", "C∆", "C^7", "C^", "CMA7", "Cma7", "C(maj7)",
                "CMAJ7",
            ],
            "Cmaj7",
            &[0, 4, 7, 11],
        ),
        (&["Cm7", "C-7", "Cmi7", "Cmin7", "CMI7", "CMin7"], "Cm7", &[0, 3, 7, 10]),
        (
            &["CmMaj7", "Cm(maj7)", "CmM7", "C-Δ7", "C-Δ", "CminMaj7", "Cmin(maj7)", "Cm/maj7", "CmMaj"],
            "CmMaj7",
            &[0, 3, 7, 11],
        ),
        (&["Cdim7", "Co7", "C°7", "CDim7"], "Cdim7", &[0, 3, 6, 9]),
        (
            &["Cø", "Cø7", "CØ7", "Cm7b5", "C-7b5", "Cm7(b5)", "Cmin7♭5", "C-7-5", "Ch7"],
            "Cm7b5",
            &[0, 3, 6, 10],
        ),
        (&["Cdim(maj7)", "CdimMaj7", "CmMaj7b5"], "CmMaj7b5", &[0, 3, 6, 11]),
        (&["C7#5", "C+7", "Caug7", "C7+", "C7+5", "C7aug", "C7(♯5)"], "C7#5", &[0, 4, 8, 10]),
        (&["Cmaj7#5", "C+maj7", "CaugMaj7", "CM7+5"], "Cmaj7#5", &[0, 4, 8, 11]),
        (&["C7b5", "C7-5", "C7(b5)"], "C7b5", &[0, 4, 6, 10]),
        (&["C(b5)", "C-5", "CMb5", "Cmajb5"], "C(b5)", &[0, 4, 6]),
        (&["C7sus4", "C7sus", "Csus7", "C7(sus4)"], "C7sus4", &[0, 5, 7, 10]),
        (&["C9sus4", "C9sus", "Csus9", "C11sus4"], "C9sus4", &[0, 5, 7, 10, 14]),
        (&["C13sus4", "C13sus"], "C13sus4", &[0, 5, 7, 10, 14, 21]),
        (&["C9", "C7(9)", "C7add9"], "C9", &[0, 4, 7, 10, 14]),
        (&["Cmaj9", "CM9", "CΔ9", "Cmaj7(9)"], "Cmaj9", &[0, 4, 7, 11, 14]),
        (&["Cm9", "C-9"], "Cm9", &[0, 3, 7, 10, 14]),
        (&["CmMaj9", "Cm(maj9)"], "CmMaj9", &[0, 3, 7, 11, 14]),
        (&["C11"], "C11", &[0, 4, 7, 10, 14, 17]),
        (&["Cm11", "C-11"], "Cm11", &[0, 3, 7, 10, 14, 17]),
        (&["C13", "C9(13)"], "C13", &[0, 4, 7, 10, 14, 21]),
        (&["Cmaj13", "CM13"], "Cmaj13", &[0, 4, 7, 11, 14, 21]),
        (&["Cm13"], "Cm13", &[0, 3, 7, 10, 14, 17, 21]),
        (&["C7b9", "C7(b9)", "C7-9", "C7♭9"], "C7b9", &[0, 4, 7, 10, 13]),
        (&["C7#9", "C7+9", "C7(#9)"], "C7#9", &[0, 4, 7, 10, 15]),
        (&["C7#11", "C7+11", "C7#4"], "C7#11", &[0, 4, 7, 10, 18]),
        (&["C9#11"], "C9#11", &[0, 4, 7, 10, 14, 18]),
        (&["Cmaj7#11", "CΔ#11"], "Cmaj7#11", &[0, 4, 7, 11, 18]),
        (&["C13#11"], "C13#11", &[0, 4, 7, 10, 14, 18, 21]),
        (&["C7b13", "C7-13", "C7b6"], "C7b13", &[0, 4, 7, 10, 20]),
        (&["C7b9b13", "C7(b9,b13)", "C7(b9, b13)", "C7b13b9"], "C7b9b13", &[0, 4, 7, 10, 13, 20]),
        (&["C13b9", "C7b9add13", "C7(b9,13)"], "C13b9", &[0, 4, 7, 10, 13, 21]),
        (&["C7alt", "Calt", "C7b5#5b9#9"], "C7alt", &[0, 4, 6, 8, 10, 13, 15]),
        (&["C7#5#9"], "C7#5#9", &[0, 4, 8, 10, 15]),
        (&["C7no3", "C7(no3)", "C7omit3"], "C7no3", &[0, 7, 10]),
        (&["C7no5", "C7omit5", "C7(omit5)", "C7no5th"], "C7no5", &[0, 4, 10]),
        (&["Cno3", "C5"], "C5", &[0, 7]),
        (&["C9no5"], "C9no5", &[0, 4, 10, 14]),
        (&["C7susb9", "C7sus4(b9)", "C7b9sus4"], "C7sus4b9", &[0, 5, 7, 10, 13]),
    ];
    for (symbols, canonical, tones) in table {
        for symbol in *symbols {
            assert_eq!(semitones(symbol), *tones, "{symbol}");
            assert_eq!(chord(symbol).to_string(), *canonical, "{symbol}");
        }
    }
}

#[test]
fn roots_and_basses_take_their_accidentals() {
    for (symbol, root, bass) in [
        ("Bb5", "Bb", "Bb"),
        ("Abb5", "Abb", "Abb"),
        ("F#m7/E", "F#", "E"),
        ("B♭Δ/D", "Bb", "D"),
        ("bb7/ab", "Bb", "Ab"),
        ("C6/9/E", "C", "E"),
        ("C/Bb", "C", "Bb"),
        ("C/C", "C", "C"),
        ("Cx7", "C##", "C##"),
    ] {
        let chord = chord(symbol);
        assert_eq!(
            (chord.root().to_string().as_str(), chord.bass().to_string().as_str()),
            (root, bass),
            "{symbol}"
        );
    }
    assert_eq!(chord("C/C").to_string(), "C");
    assert_eq!(chord("C/D").pitch_classes().len(), 4);
}

#[test]
fn tones_have_the_letters_of_their_degrees() {
    for (symbol, names) in [
        ("Cdim7", "C Eb Gb Bbb"),
        ("DbMaj7", "Db F Ab C"),
        ("F#7#9", "F# A# C# E G##"),
        ("Ebm7b5", "Eb Gb Bbb Db"),
        ("G#7", "G# B# D# F#"),
        ("Abm", "Ab Cb Eb"),
        ("B+", "B D# F##"),
        ("Db7b13", "Db F Ab Cb Bbb"),
        ("Bsus4", "B E F#"),
        // Three flats would be needed.
        ("Cbdim7", "Cb Ebb Gbb Ab"),
    ] {
        assert_eq!(spelled(symbol), names, "{symbol}");
    }
}

#[test]
fn errors_show_the_column_what_was_read_and_what_would_be_possible() {
    for (symbol, column, found) in [
        ("", 1, ""),
        ("H7", 1, "H7"),
        ("Cfoo", 2, "foo"),
        ("C♯mzz", 4, "zz"),
        ("C7b7", 3, "b7"),
        ("C8", 2, "8"),
        ("Cmm", 3, "m"),
        ("C7m", 3, "m"),
        ("C7 9", 3, " 9"),
        ("C7add", 6, ""),
        ("Cadd3", 5, "3"),
        ("Cno9", 4, "9"),
        ("C/", 3, ""),
        ("C/H", 2, "/H"),
        ("C/E/G", 4, "/G"),
        ("C7(b9", 6, ""),
        ("C7)", 3, ")"),
        ("C(((((", 6, "("),
        ("Cdimaug", 5, "aug"),
        ("Csus4💥", 6, "💥"),
    ] {
        let error = symbol.parse::<Chord>().expect_err(symbol);
        assert_eq!((error.column, error.found.as_str()), (column, found), "{symbol}");
        assert!(!error.expected.is_empty());
    }
    let error = "C7b7".parse::<Chord>().unwrap_err().to_string();
    assert_eq!(
        error,
        "column 3: cannot read `b7`; possible here: 5, 9, 11 or 13 behind # or b (b5 #5 b9 #9 #11 b13)"
    );
    let long = "C7".repeat(50_000);
    assert!(long.parse::<Chord>().unwrap_err().to_string().len() < 200);
}

#[test]
fn transposed_chords_keep_their_quality_and_their_bass_its_place() {
    let key: Key = "Ab".parse().unwrap();
    assert_eq!(chord("G7/B").transposed(1, key).to_string(), "Ab7/C");
    assert_eq!(chord("Am7b5/Eb").transposed(-1, Spelling::Sharps).to_string(), "G#m7b5/D");
    assert_eq!(chord("C").transposed(6, "Gb".parse::<Key>().unwrap()).to_string(), "Gb");
    assert_eq!(chord("C").transposed(6, Spelling::Sharps).to_string(), "F#");
    for by in -24..=24 {
        let chord = chord("Ebmaj7#11/G");
        let back = chord.transposed(by, Spelling::Flats).transposed(-by, Spelling::Flats);
        assert_eq!(back, chord, "{by}");
    }
}

#[test]
fn every_key_has_its_diatonic_chords() {
    for (key, triads, sevenths) in [
        ("C", "C Dm Em F G Am Bdim", "Cmaj7 Dm7 Em7 Fmaj7 G7 Am7 Bm7b5"),
        ("Gb", "Gb Abm Bbm Cb Db Ebm Fdim", "Gbmaj7 Abm7 Bbm7 Cbmaj7 Db7 Ebm7 Fm7b5"),
        ("A minor", "Am Bdim C Dm Em F G", "Am7 Bm7b5 Cmaj7 Dm7 Em7 Fmaj7 G7"),
        ("C melodic minor", "Cm Dm Ebaug F G Adim Bdim", "CmMaj7 Dm7 Ebmaj7#5 F7 G7 Am7b5 Bm7b5"),
        ("C major pentatonic", "", ""),
        ("C whole tone", "Caug Daug Eaug F#aug G#aug Bbaug", "C7#5 D7#5 E7#5 F#7#5 G#7#5 Bb7#5"),
    ] {
        let key: Key = key.parse().unwrap();
        let chords = |sevenths| -> String {
            let degrees = 0..key.scale.semitones().len();
            degrees.map(|it| diatonic_chord(key, it, sevenths).to_string()).collect::<Vec<_>>().join(" ")
        };
        if key.scale != Scale::MAJOR_PENTATONIC {
            assert_eq!((chords(false), chords(true)), (triads.to_owned(), sevenths.to_owned()), "{key}");
        }
    }
}

#[test]
fn diatonic_chords_of_every_scale_stay_in_it_and_are_read_again() {
    for scale in Scale::all() {
        for tonic in ["C", "F#", "Db"] {
            let key = Key::new(tonic.parse().unwrap(), scale);
            for degree in 0..scale.semitones().len() * 2 {
                for sevenths in [false, true] {
                    let built = diatonic_chord(key, degree, sevenths);
                    assert!(
                        key.pitch_classes().contains_all(built.pitch_classes()),
                        "{key} {degree}: {built}"
                    );
                    assert_eq!(chord(&built.to_string()), built, "{key} {degree}");
                }
            }
        }
    }
}

#[test]
fn progressions_have_bars_repeats_and_no_chords() {
    let bars = |text: &str| -> Vec<Vec<String>> {
        let progression = parse_progression(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let name = |step: &Step| step.map_or("NC".to_owned(), |chord| chord.to_string());
        progression.bars.iter().map(|bar| bar.iter().map(name).collect()).collect()
    };
    assert_eq!(bars("C | Am7 D7 | % | NC"), [vec!["C"], vec!["Am7", "D7"], vec!["Am7", "D7"], vec!["NC"]]);
    assert_eq!(bars("C Am F G"), [["C"], ["Am"], ["F"], ["G"]]);
    assert_eq!(bars("C, Am, F, G"), [["C"], ["Am"], ["F"], ["G"]]);
    assert_eq!(bars("Cm - Ab - Fm"), [["Cm"], ["Ab"], ["Fm"]]);
    assert_eq!(
        bars("|| C / / / | N.C. ||\n| C7(b9, 13) |"),
        [vec!["C", "C", "C", "C"], vec!["NC"], vec!["C13b9"]]
    );
    assert_eq!(bars("n.c."), [["NC"]]);
    for (text, column) in [
        ("", 1),
        (" | | ", 6),
        ("% | C", 1),
        ("C | Am % | F", 8),
        ("/ C", 1),
        ("C | Ax | Hm", 10),
        ("C ♯ D", 3),
        ("C | Dm7b7", 8),
        ("(((( (((", 1),
    ] {
        let error = parse_progression(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn hostile_progressions_are_refused_in_bounds() {
    assert!(parse_progression(&"C ".repeat(100_000)).is_err());
    // Doubling repeats would be millions of chords out of a few bytes.
    let bomb = format!("{} |{}", "C ".repeat(2000), "%|".repeat(4000));
    assert_eq!(parse_progression(&bomb).unwrap_err().expected, "at most 4096 chords, with the repeated ones");
    assert!(parse_progression(&"( ".repeat(8000)).is_err());
    assert!(parse_progression(&"| ".repeat(8000)).is_err());
    let most = parse_progression(&"C ".repeat(4096)).unwrap();
    assert_eq!(most.chords().count(), Progression::MOST_STEPS);
}

/// Roots with what may stand behind them, in every order that makes sense, and in many that do not.
fn symbols() -> impl Strategy<Value = String> {
    let root = (prop::sample::select(&Letter::ALL[..]), -2i8..=2)
        .prop_map(|(letter, it)| PitchName::new(letter, it));
    let quality = prop::sample::select(
        &["", "m", "maj", "dim", "aug", "ø", "-", "+", "M", "Δ", "5", "mMaj", "dimMaj"][..],
    );
    let number = prop::sample::select(&["", "6", "69", "7", "9", "11", "13", "6/9"][..]);
    let suspended = prop::sample::select(&["", "", "sus", "sus2", "sus4", "sus24"][..]);
    let marks = [
        "b5", "#5", "b9", "#9", "#11", "b13", "add9", "add11", "add13", "addb9", "add#9", "add#11", "addb13",
        "add6", "no3", "no5", "alt", "(b9,#11)", "(13)",
    ];
    let more = prop::collection::vec(prop::sample::select(marks.to_vec()), 0..4);
    let bass = prop::option::of(prop::sample::select(&["C", "Eb", "F#", "B", "Gbb"][..]));
    (root, quality, number, suspended, more, bass).prop_map(
        |(root, quality, number, suspended, more, bass)| {
            let bass = bass.map_or(String::new(), |bass| format!("/{bass}"));
            format!("{root}{quality}{number}{suspended}{}{bass}", more.concat())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn what_is_printed_is_read_as_the_same_chord(symbol in symbols()) {
        if let Ok(chord) = symbol.parse::<Chord>() {
            let printed = chord.to_string();
            prop_assert_eq!(printed.parse::<Chord>().ok(), Some(chord), "{} -> {}", symbol, printed);
            prop_assert_eq!(printed.parse::<Chord>().unwrap().to_string(), printed);
            for tone in chord.tones() {
                prop_assert_eq!(chord.name_of(*tone).pitch_class(), chord.class_of(*tone), "{}", symbol);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,70}", odd in "[A-G][b#m7ΔøM0-9()/,+o adsujgnit♭-]{0,12}") {
        for text in [text, odd] {
            let _ = parse_progression(&text);
            if let Ok(chord) = text.parse::<Chord>() {
                prop_assert_eq!(chord.to_string().parse::<Chord>(), Ok(chord), "{}", text);
            }
        }
    }
}

/// Nearly all combinations of tones that can be said at all, not those of a sample.
#[test]
fn every_set_of_tones_has_a_symbol_that_says_it() {
    use super::tones::bit;
    let thirds = [0, bit::MINOR_3, bit::MAJOR_3, bit::SUS2, bit::SUS4, bit::SUSPENDED];
    let fifths = [0, bit::FLAT_5, bit::FIFTH, bit::SHARP_5, bit::FLAT_5 | bit::SHARP_5];
    let sevenths = [0, bit::SIXTH, bit::MINOR_7, bit::MAJOR_7];
    let mut seen = 0;
    for third in thirds {
        for fifth in fifths {
            for seventh in sevenths {
                for extensions in 0..1 << 7 {
                    let tones = Tones::new(third | fifth | seventh | extensions << 12);
                    let chord = Chord::from_tones(PitchName::new(Letter::C, 0), tones);
                    let printed = chord.to_string();
                    assert_eq!(printed.parse(), Ok(chord), "{printed}");
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, 6 * 5 * 4 * 128);
}
