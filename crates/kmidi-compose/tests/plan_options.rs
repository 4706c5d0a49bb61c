//! What is asked of a plan is what is played: mode, chords with their bars, key; and chords that are not of the mode say why.
#![forbid(unsafe_code)]

use kmidi_compose::arrange::arrange;
use kmidi_compose::mood::{Affect, Mood};
use kmidi_compose::plan::{HarmonyPlan, OptionError, PlanOptions, Scales};
use kmidi_compose::theory::{Chord, Scale};

fn plan(affect: Affect, options: PlanOptions) -> HarmonyPlan {
    assert_eq!(options.check(), Ok(()), "{options:?}");
    HarmonyPlan::of(Mood::of(affect, 0.8), Scales::default(), &options)
}

fn with_key(affect: Affect, key: &str, mode: Option<Scale>) -> HarmonyPlan {
    plan(affect, PlanOptions { key: Some(key.parse().unwrap()), mode, ..PlanOptions::default() })
}

fn with_chords(affect: Affect, chords: &str) -> HarmonyPlan {
    plan(affect, PlanOptions { progression: Some(chords.parse().unwrap()), ..PlanOptions::default() })
}

fn symbols(chords: &[Chord]) -> String {
    chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Chords of a plan that are not of its mode, each with what is said of it.
fn foreign(plan: &HarmonyPlan) -> Vec<(String, Option<String>)> {
    let of_key = plan.key.pitch_classes();
    let chords = plan.progression.iter().chain(&plan.contrast);
    let foreign = chords.filter(|chord| !of_key.contains_all(chord.pitch_classes()));
    let why = |chord: &Chord| {
        let begins = format!("{chord} beside");
        plan.reasons.iter().find(|it| it.what.starts_with(&begins)).map(|it| it.because.clone())
    };
    foreign.map(|chord| (chord.to_string(), why(chord))).collect()
}

#[test]
fn chords_follow_the_mode_that_is_asked_for() {
    for affect in Affect::all() {
        let own = affect.preset().scale;
        for mode in Scale::all().filter(|mode| *mode != own) {
            for tonic in ["C", "Eb", "F#"] {
                let plan = with_key(affect, tonic, Some(mode));
                assert_eq!(foreign(&plan), [], "{affect} in {}", plan.key);
            }
        }
    }
    assert_eq!(symbols(&with_key(Affect::Triumph, "Eb", Some(Scale::LYDIAN)).progression), "Eb Cm Dm Eb");
    let whole_tone = with_key(Affect::Joy, "C", Some(Scale::WHOLE_TONE));
    assert!(whole_tone.progression.iter().all(|chord| chord.to_string().contains("aug")), "{whole_tone}");
}

#[test]
fn a_soft_mood_has_no_diminished_chord_in_any_church_mode_but_a_tonic() {
    let modes = ["lydian", "ionian", "mixolydian", "dorian", "aeolian", "phrygian"];
    let diminished = |affect: Affect, mode: &str| {
        let plan = with_key(affect, &format!("C {mode}"), None);
        let chords: Vec<Chord> = plan.progression.into_iter().chain(plan.contrast).collect();
        chords.iter().filter(|chord| chord.to_string().ends_with("dim")).count()
    };
    for affect in
        [Affect::Calm, Affect::Joy, Affect::Love, Affect::Tenderness, Affect::Gratitude, Affect::Hope]
    {
        for mode in modes {
            assert_eq!(diminished(affect, mode), 0, "{affect} in {mode}");
        }
    }
    assert_eq!(symbols(&with_key(Affect::Calm, "C lydian", None).progression), "C D C G");
    // Control: a rough mood takes what its mode has.
    assert!(modes.iter().any(|mode| diminished(Affect::Confusion, mode) > 0));
}

#[test]
fn chords_that_are_borrowed_say_where_they_come_from() {
    let mut borrowed = 0;
    for affect in Affect::all() {
        for tonic in ["C", "Eb"] {
            for (chord, why) in foreign(&with_key(affect, tonic, None)) {
                borrowed += 1;
                assert!(why.is_some_and(|why| !why.is_empty()), "{affect}: {chord}");
            }
        }
    }
    // Control: there are such chords, and what is said of them is what they are.
    assert!(borrowed >= 8, "{borrowed}");
    let triumph = foreign(&with_key(Affect::Triumph, "C", None));
    assert_eq!(triumph[0], ("Ab".to_owned(), Some("borrowed from the parallel minor".to_owned())));
}

#[test]
fn a_mode_that_is_said_twice_and_differently_is_refused() {
    let options = PlanOptions {
        key: Some("F# dorian".parse().unwrap()),
        mode: Some(Scale::LYDIAN),
        ..PlanOptions::default()
    };
    assert!(matches!(options.check(), Err(OptionError::TwoModes { .. })));
}

#[test]
fn bar_lines_are_kept() {
    let plan = with_chords(Affect::Calm, "C | Am F | % | NC |");
    assert_eq!(plan.chords_of_bars, [1, 2, 2, 0]);
    assert!(plan.to_string().contains("C | Am F | Am F | /"), "{plan}");
    let bar = 4 * 480;
    let chords: Vec<(i64, String)> =
        arrange(&plan).chords.iter().map(|(tick, chord)| (tick.0, chord.to_string())).take(6).collect();
    let expected = [
        (0, "C"),
        (bar, "Am"),
        (bar + bar / 2, "F"),
        (2 * bar, "Am"),
        (2 * bar + bar / 2, "F"),
        (4 * bar, "C"),
    ];
    assert_eq!(chords, expected.map(|(tick, chord)| (tick, chord.to_owned())));
    // Control: without bar lines, the mood says how many chords a bar has: calm has one for two.
    let free = arrange(&with_chords(Affect::Calm, "C Am F G"));
    assert_eq!(free.chords[1].0.0, 2 * bar);
}

#[test]
fn more_chords_in_a_bar_than_beats_have_all_their_place() {
    let score = arrange(&with_chords(Affect::Joy, "C D E F G A B | C"));
    assert_eq!(score.chords.iter().filter(|(tick, _)| tick.0 < 1920).count(), 7);
}

#[test]
fn chords_say_which_key_and_mode_they_are_in() {
    for (affect, chords, key) in [
        (Affect::Joy, "D G A D", "D ionian"),
        (Affect::Joy, "Am Dm E7 Am", "A harmonic minor"),
        (Affect::Grief, "C Am F G C", "C ionian"),
        (Affect::Grief, "Am F G Am", "A aeolian"),
        (Affect::Nostalgia, "Dm G Dm G Dm", "D dorian"),
        (Affect::Rage, "Eb Ab Bb Eb", "Eb ionian"),
    ] {
        assert_eq!(with_chords(affect, chords).key.to_string(), key, "{affect}: {chords}");
    }
    // What is asked comes first.
    let options = PlanOptions {
        progression: Some("Am F G Am".parse().unwrap()),
        mode: Some(Scale::IONIAN),
        ..PlanOptions::default()
    };
    assert_eq!(plan(Affect::Grief, options).key.to_string(), "C ionian");
    let options = PlanOptions {
        progression: Some("Fm Bbm Fm".parse().unwrap()),
        key: Some("F".parse().unwrap()),
        ..PlanOptions::default()
    };
    assert_eq!(plan(Affect::Joy, options).key.to_string(), "F aeolian");
}

#[test]
fn there_are_no_other_chords_beside_those_that_were_given() {
    let given = with_chords(Affect::Joy, "C Am F G");
    assert!(given.sections.iter().all(|section| !section.contrast), "{given}");
    assert!(!given.to_string().contains("other chords"), "{given}");
    // Control.
    let free = plan(Affect::Joy, PlanOptions::default());
    assert!(free.sections.iter().any(|section| section.contrast) && free.contrast != free.progression);
}
