//! What is said of progressions.
use kmidi_compose::analysis::{CadenceKind, Diagnosis, Function, diagnose};

fn of(text: &str) -> Diagnosis {
    diagnose(&text.parse().unwrap(), None)
}

fn suggests(found: &Diagnosis, what: &str) -> bool {
    found.suggestions.iter().any(|suggestion| suggestion.what.contains(what))
}

fn observes(found: &Diagnosis, what: &str) -> bool {
    found.observations.iter().any(|observation| observation.contains(what))
}

#[test]
fn the_example_of_the_help_text() {
    let found = of("C Am F G");
    let romans: Vec<&str> = found.chords.iter().map(|chord| &*chord.roman).collect();
    assert_eq!(romans, ["I", "vi", "IV", "V"]);
    let functions: Vec<Function> = found.chords.iter().map(|chord| chord.function).collect();
    assert_eq!(functions, [Function::Tonic, Function::Tonic, Function::Subdominant, Function::Dominant]);
    assert!(observes(&found, "ends on G, a dominant"));
    assert!(suggests(&found, "End on C"));
    assert!(suggests(&found, "Borrow Fm from C minor"));
    assert!(!observes(&found, "no dominant"));
}

#[test]
fn a_missing_dominant_is_told_and_a_present_one_is_not() {
    let found = of("C F Am F C");
    assert!(observes(&found, "no dominant") && suggests(&found, "Put G7 before C"));
    let minor = of("Am Dm G Am");
    assert!(suggests(&minor, "Try E7 before Am"));
    assert!(!suggests(&of("Am Dm E7 Am"), "before Am"));
}

#[test]
fn a_dominant_of_another_chord_at_the_end_asks_for_that_one() {
    let found = of("Dm7 G7 | Cmaj7 A7");
    assert!(observes(&found, "dominant of ii") && !observes(&found, "to C"), "{found}");
    assert!(observes(&of("C F G7"), "asks to go on to C"));
}

#[test]
fn resolved_endings_are_left_alone() {
    let found = of("C F G C");
    assert!(!suggests(&found, "End on"));
    assert_eq!(found.cadences.last().map(|it| it.kind), Some(CadenceKind::Authentic));
}

#[test]
fn foreign_chords_are_explained() {
    let found = of("C A7 Dm Fm G7 C");
    assert!(
        observes(&found, "A7 (bar 2) is not in the key: secondary dominant of ii"),
        "{:?}",
        found.observations
    );
    assert!(observes(&found, "Fm (bar 4) is not in the key: borrowed from the parallel minor"));
    let open = of("C E7 F G C");
    assert!(suggests(&open, "Let E7 lead where it wants to"));
}

#[test]
fn tritone_steps_and_deceptive_cadences_are_seen() {
    assert!(observes(
        &diagnose(&"C F B7 Em".parse().unwrap(), "C".parse().ok()),
        "F to B7 moves by a tritone"
    ));
    assert!(observes(&of("C F G Am F G C"), "put off"));
    assert!(!observes(&of("C F G C"), "put off"));
}

#[test]
fn an_open_key_names_the_other_one() {
    let found = of("Am F C G");
    assert_eq!(found.or_key, "C".parse().ok());
    assert!(observes(&found, "C major as well"));
    assert_eq!(of("C F G7 C").or_key, None);
    let given = diagnose(&"Am F C G".parse().unwrap(), "C".parse().ok());
    assert_eq!((given.chords[0].roman.as_str(), given.confidence), ("vi", 1.0));
}

#[test]
fn it_prints_and_serialises() {
    let found = of("C A7 Dm G7 | C");
    let text = found.to_string();
    for line in ["key          C major", "V7/ii", "authentic cadence"] {
        assert!(text.contains(line), "{text}");
    }
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["key"], "C major");
    assert_eq!(json["chords"][1]["origin"]["kind"], "secondary_dominant");
    assert_eq!(json["cadences"][0]["kind"], "authentic");
}

#[test]
fn a_seventh_is_suggested_for_a_chord_that_it_leaves_what_it_is() {
    let suggested = |chords: &str| {
        let found = diagnose(&chords.parse().unwrap(), None).to_string();
        found.lines().find_map(|line| line.split("such as ").nth(1)?.split(':').next().map(str::to_owned))
    };
    // C is major and foreign here: no C minor seventh is made of it.
    assert_eq!(suggested("C Eb Ab Db").as_deref(), Some("Eb7"));
    assert_eq!(suggested("C Am F G").as_deref(), Some("Cmaj7"));
}
