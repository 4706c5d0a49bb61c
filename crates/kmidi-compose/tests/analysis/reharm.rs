//! Other chords in every style: valid, different, as long as before, at home where the original is, and safe for the melody.
use kmidi_compose::analysis::{Progression, Reharm, Style, Variant, diagnose, reharmonise};
use kmidi_compose::theory::{Chord, Key, PitchClass, PitchClassSet};

const PROGRESSIONS: [&str; 10] = [
    "C Am F G C",
    "C Am F G",
    "Am F C G",
    "Dm7 G7 Cmaj7",
    "Eb Cm Ab Bb7 Eb",
    "F#m D A E F#m",
    "C | F G | C",
    "C | NC | F G | C",
    "Am Dm E7 Am",
    "C",
];

fn reharm(text: &str, style: Style, variants: usize, seed: u64) -> Vec<Variant> {
    let progression: Progression = text.parse().unwrap();
    reharmonise(&progression, Reharm { style, variants, seed, key: None, melody: None })
}

fn first_and_last(progression: &Progression) -> (Chord, Chord) {
    (*progression.chords().next().unwrap(), *progression.chords().last().unwrap())
}

#[test]
fn every_style_gives_something_different_and_valid_for_every_progression() {
    for text in PROGRESSIONS {
        let original: Progression = text.parse().unwrap();
        for style in Style::ALL {
            for seed in 0..20 {
                let variants = reharm(text, style, 3, seed);
                assert!(!variants.is_empty(), "{style} of {text}, seed {seed}");
                for variant in &variants {
                    let printed = variant.progression.to_string();
                    assert_eq!(
                        printed.parse::<Progression>().unwrap(),
                        variant.progression,
                        "{style} of {text}: {printed}"
                    );
                    assert_ne!(variant.progression, original);
                    assert_eq!(variant.progression.bars().len(), original.bars().len(), "{printed}");
                    assert!(
                        !variant.changes.is_empty()
                            && variant.changes.iter().all(|it| !it.because.is_empty())
                    );
                }
                let mut texts: Vec<String> = variants.iter().map(|it| it.progression.to_string()).collect();
                texts.sort();
                texts.dedup();
                assert_eq!(texts.len(), variants.len(), "variants differ");
            }
        }
    }
}

#[test]
fn as_many_variants_as_wanted_where_there_is_room() {
    for style in Style::ALL {
        assert_eq!(reharm("C Am F G C", style, 5, 1).len(), 5, "{style}");
    }
}

#[test]
fn the_ends_stay_on_the_tonic_but_in_the_experimental_style() {
    for text in PROGRESSIONS {
        let original: Progression = text.parse().unwrap();
        let tonic = original.key().key.tonic.pitch_class();
        for style in Style::ALL.into_iter().filter(|style| *style != Style::Experimental) {
            for seed in 0..20 {
                for variant in reharm(text, style, 3, seed) {
                    let ((first, last), (new_first, new_last)) =
                        (first_and_last(&original), first_and_last(&variant.progression));
                    for (old, new) in [(first, new_first), (last, new_last)] {
                        if old.root().pitch_class() == tonic {
                            assert_eq!(
                                new.root().pitch_class(),
                                tonic,
                                "{style}: {text} -> {}",
                                variant.progression
                            );
                            assert_eq!(
                                new.is_minor(),
                                old.is_minor(),
                                "{style}: {text} -> {}",
                                variant.progression
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_and_another_one_something_else() {
    for style in Style::ALL {
        assert_eq!(reharm("C Am F G C", style, 3, 7), reharm("C Am F G C", style, 3, 7));
        let all: Vec<_> = (0..8).map(|seed| reharm("C Am F G C", style, 1, seed)).collect();
        assert!(all.iter().any(|one| *one != all[0]), "{style}");
    }
}

/// Whether a chord has the tone a semitone below, and not the melody's own.
fn clashes(chord: &Chord, melody: PitchClass) -> bool {
    let tones: Vec<PitchClass> = chord.tones().iter().map(|tone| chord.class_of(*tone)).collect();
    !tones.contains(&melody) && tones.contains(&melody.transposed(-1))
}

#[test]
fn no_chord_has_a_tone_a_semitone_below_the_melody() {
    let melody: Vec<PitchClassSet> = [[0, 4], [4, 9], [5, 9], [2, 7], [0, 0]]
        .iter()
        .map(|bar| bar.iter().map(|&class| PitchClass::new(class)).collect())
        .collect();
    let progression: Progression = "C Am F G C".parse().unwrap();
    let (mut variants, mut without) = (0, 0);
    for style in Style::ALL {
        for seed in 0..30 {
            let how = Reharm { style, variants: 3, seed, key: None, melody: Some(&melody) };
            for variant in reharmonise(&progression, how) {
                variants += 1;
                for (bar, tones) in variant.progression.bars().iter().zip(&melody) {
                    for (chord, tone) in
                        bar.iter().flat_map(|chord| tones.iter().map(move |tone| (chord, tone)))
                    {
                        assert!(
                            !clashes(chord, tone),
                            "{style}: {chord} under {tone:?} in {}",
                            variant.progression
                        );
                    }
                }
            }
            // Negative control: without the melody some would clash.
            for variant in reharmonise(&progression, Reharm { melody: None, ..how }) {
                let bars = variant.progression.bars().iter().zip(&melody);
                without += bars
                    .flat_map(|(bar, tones)| {
                        bar.iter().flat_map(move |chord| tones.iter().map(move |it| clashes(chord, it)))
                    })
                    .filter(|it| *it)
                    .count();
            }
        }
    }
    assert!(variants > 200, "{variants}");
    assert!(without > 20, "{without}");
}

fn names(text: &str, style: Style) -> Vec<&'static str> {
    let mut names: Vec<&str> = (0..60)
        .flat_map(|seed| reharm(text, style, 1, seed))
        .flat_map(|it| it.changes)
        .map(|it| it.what)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn each_style_has_its_techniques() {
    let has = |text: &str, style, wanted: &[&str]| {
        let found = names(text, style);
        for name in wanted {
            assert!(found.contains(name), "{style} lacks {name}: {found:?}");
        }
    };
    let text = "C Dm F G C Am Dm G C";
    has(
        text,
        Style::Jazz,
        &[
            "seventh",
            "ninth",
            "ii-V",
            "tritone substitute",
            "secondary dominant",
            "chromatic approach",
            "passing diminished chord",
            "backdoor dominant",
        ],
    );
    has(
        text,
        Style::Pop,
        &["suspension", "added ninth", "bass by step", "pedal", "borrowed chord", "relative chord"],
    );
    has(
        text,
        Style::Rnb,
        &["ninth", "eleventh or thirteenth", "borrowed chord", "parallel approach", "chromatic approach"],
    );
    has(
        text,
        Style::Classical,
        &[
            "first inversion",
            "secondary dominant",
            "leading-tone chord",
            "Neapolitan sixth",
            "cadential six-four",
        ],
    );
    has(
        text,
        Style::Experimental,
        &[
            "chromatic mediant",
            "quartal chord",
            "foreign bass",
            "tritone away",
            "parallel chords",
            "lydian colour",
        ],
    );
}

#[test]
fn applied_chords_resolve_where_they_say() {
    for seed in 0..60 {
        for variant in reharm("C Am Dm G C", Style::Jazz, 1, seed) {
            let chords: Vec<Chord> = variant.progression.chords().copied().collect();
            for change in variant.changes.iter().filter(|it| it.what == "tritone substitute") {
                let made: Chord = change.to.parse().unwrap();
                let at = chords.iter().position(|it| it.root() == made.root()).expect("it is there");
                let next = chords[(at + 1) % chords.len()];
                assert_eq!(
                    made.root().pitch_class().transposed(-1),
                    next.root().pitch_class(),
                    "{}",
                    variant.progression
                );
            }
        }
    }
}

/// By how many semitones a chord that leads somewhere is below where it leads.
fn way_to_its_aim(what: &str) -> Option<i32> {
    match what {
        "secondary dominant" | "ii-V" => Some(5),
        "chromatic approach" | "tritone substitute" => Some(-1),
        "leading-tone chord" | "passing diminished chord" => Some(1),
        "backdoor dominant" => Some(2),
        _ => None,
    }
}

#[test]
fn what_leads_somewhere_arrives_whatever_is_done_to_the_chord_behind_it() {
    let mut led = 0;
    for style in [Style::Jazz, Style::Rnb, Style::Classical] {
        for (seed, chords) in
            (0..40).flat_map(|seed| [(seed, "C Am F G"), (seed, "C Am Dm G C"), (seed, "Am F C G")])
        {
            for variant in reharm(chords, style, 2, seed) {
                let bars = variant.progression.bars();
                for change in &variant.changes {
                    let Some(way) = way_to_its_aim(change.what) else { continue };
                    led += 1;
                    let made: Chord = change.to.split(' ').next_back().unwrap().parse().unwrap();
                    let bar = change.bar as usize - 1;
                    let behind = bars[bar].iter().chain(&bars[(bar + 1) % bars.len()]);
                    let pairs: Vec<&Chord> = behind.collect();
                    let arrives = pairs.windows(2).any(|pair| {
                        pair[0].root() == made.root()
                            && pair[1].root().pitch_class() == made.root().pitch_class().transposed(way)
                    });
                    assert!(arrives, "{style}: {} in {}", change.to, variant.progression);
                }
            }
        }
    }
    assert!(led > 300, "{led}");
}

#[test]
fn a_reharmonised_cadence_still_has_its_key() {
    let key: Key = "C".parse().unwrap();
    for style in [Style::Jazz, Style::Pop, Style::Classical] {
        for variant in reharm("C Am Dm G C F G C", style, 4, 3) {
            let found = diagnose(&variant.progression, None);
            assert_eq!(found.key, key, "{style}: {}", variant.progression);
        }
    }
}

#[test]
fn styles_are_read_by_name() {
    for style in Style::ALL {
        assert_eq!(style.name().parse(), Ok(style));
    }
    assert_eq!("R&B".parse(), Ok(Style::Rnb));
    assert!("polka".parse::<Style>().unwrap_err().to_string().contains("jazz"));
}
