//! What the system that this one follows gets wrong about feelings; one test for each line of its list of defects.
#![forbid(unsafe_code)]

use kmidi_compose::mood::{Affect, Mood, read};
use kmidi_compose::plan::{HarmonyPlan, PlanOptions, Scales, TherapySession};

fn mood(text: &str) -> Mood {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Both feelings of a text.
fn feelings(text: &str) -> (Affect, Option<Affect>) {
    let mood = mood(text);
    (mood.primary, mood.secondary)
}

fn plan(text: &str) -> HarmonyPlan {
    let mut session = TherapySession::default();
    session.process_core_input(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    session.generate_plan()
}

#[test]
fn grief_is_a_word_for_grief() {
    for text in ["grief", "I feel deep grief", "feeling grief and loss", "GRIEF!", "we are grieving"] {
        assert_eq!(mood(text).primary, Affect::Grief, "{text}");
    }
    assert_eq!(plan("I feel deep grief").key.to_string(), "C aeolian");
    assert!((mood("feeling grief and loss").intensity - 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn happy_and_joyful_is_joy() {
    let mood = mood("happy and joyful");
    assert_eq!(mood.primary, Affect::Joy);
    assert!(mood.intensity > 0.5 && mood.valence > 0.5, "{mood:?}");
}

#[test]
fn i_feel_peaceful_is_calm() {
    let mood = mood("I feel peaceful");
    assert_eq!(mood.primary, Affect::Calm);
    assert!(mood.valence > 0.3 && mood.arousal < 0.3, "{mood:?}");
    assert!(plan("I feel peaceful").tempo_bpm < 80.0);
}

#[test]
fn there_are_pleasant_feelings_of_all_energies() {
    for (text, affect) in [
        ("joy", Affect::Joy),
        ("I am calm", Affect::Calm),
        ("I am full of hope", Affect::Hope),
        ("we won, what a triumph", Affect::Triumph),
        ("I love you", Affect::Love),
        ("I am grateful", Affect::Gratitude),
    ] {
        assert_eq!(mood(text).primary, affect, "{text}");
        assert!(mood(text).valence > 0.0, "{text}");
    }
}

#[test]
fn devastated_is_grief_and_not_awe_for_its_vast() {
    assert_eq!(feelings("I was devastated"), (Affect::Grief, None));
}

#[test]
fn whatever_is_not_rage_for_its_hate() {
    assert_eq!(feelings("whatever happens"), (Affect::Neutral, None));
}

#[test]
fn i_dont_understand_is_confusion_and_not_defiance_for_its_stand() {
    for text in ["I don't understand", "I don’t understand", "i dont understand"] {
        assert_eq!(feelings(text), (Affect::Confusion, None), "{text}");
    }
}

#[test]
fn number_one_is_not_dissociation_for_its_numb() {
    assert_eq!(feelings("number one"), (Affect::Neutral, None));
}

#[test]
fn breakfast_is_not_defiance() {
    assert_eq!(feelings("breakfast"), (Affect::Neutral, None));
}

#[test]
fn scared_is_fear_only_and_not_tenderness_for_its_care() {
    assert_eq!(feelings("I am scared"), (Affect::Fear, None));
}

#[test]
fn a_glove_in_the_software_wallet_is_nothing() {
    let mood = mood("a glove in the software wallet");
    assert_eq!((mood.primary, mood.secondary, mood.intensity), (Affect::Neutral, None, 0.0));
    assert_eq!(mood.evidence, []);
}

#[test]
fn i_lost_my_home_is_grief_first() {
    assert_eq!(feelings("I lost my home"), (Affect::Grief, Some(Affect::Nostalgia)));
    assert_eq!(mood("I am lost").primary, Affect::Confusion);
}

#[test]
fn not_angry_is_not_rage() {
    for text in [
        "I am not angry",
        "I'm not really angry",
        "I am no longer angry",
        "she isn't angry",
        "he isn’t angry at all",
        "without anger",
        "never angry",
        "I don't think I am angry",
        "neither angry nor furious",
        "far from angry",
    ] {
        let mood = mood(text);
        assert_eq!((mood.primary, mood.intensity), (Affect::Neutral, 0.0), "{text}: {mood:?}");
        assert!(
            mood.evidence.iter().any(|it| it.affect == Affect::Rage && it.why.contains("denied")),
            "{text}"
        );
    }
    // Controls: what is not denied counts.
    for text in [
        "I am angry",
        "not sad. I am angry",
        "I'm not sad, I am angry",
        "not only angry",
        "I can't stop being angry",
    ] {
        assert_eq!(mood(text).primary, Affect::Rage, "{text}");
    }
}

#[test]
fn the_locrian_plan_has_a_major_seventh() {
    for text in ["I feel numb", "I am confused"] {
        let plan = plan(text);
        assert_eq!(plan.key.to_string(), "C locrian");
        let seventh = plan.progression[1];
        assert_eq!(seventh.to_string(), "Dbmaj7");
        let classes: Vec<u8> = seventh.spelled().map(|name| name.pitch_class().number()).collect();
        assert_eq!(classes, [1, 5, 8, 0], "Db F Ab C");
    }
}

#[test]
fn the_shared_presets_are_never_changed() {
    let before: Vec<_> = Affect::all().map(|affect| affect.preset().clone()).collect();
    for text in ["euphoric", "desperate", "I am happy but scared", "I feel nothing"] {
        assert_eq!(plan(text), plan(text), "{text}");
    }
    let after: Vec<_> = Affect::all().map(|affect| affect.preset().clone()).collect();
    assert_eq!(before, after);
}

#[test]
fn key_tempo_and_chords_are_as_asked() {
    let options = PlanOptions {
        key: Some("F".parse().unwrap()),
        bpm: Some(60.0),
        progression: Some("F, C".parse().unwrap()),
        ..PlanOptions::default()
    };
    let plan = HarmonyPlan::of(mood("grief"), Scales::default(), &options);
    let chords: Vec<String> = plan.progression.iter().map(ToString::to_string).collect();
    assert_eq!((plan.key.tonic.to_string().as_str(), plan.tempo_bpm), ("F", 60.0));
    assert_eq!(chords, ["F", "C"]);
}
