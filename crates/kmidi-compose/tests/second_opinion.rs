//! A model that places texts moves valence and arousal by what it weighs, says so, and changes nothing where it is not there.

use kmidi_compose::mood::{Affect, AffectModel, Mood, Opinion, Place};
use kmidi_compose::plan::{HarmonyPlan, TherapySession};

/// Texts whose feeling words name, ones that have none, and one where it is denied.
const TEXTS: [&str; 4] =
    ["I am happy and a little scared", "tables and chairs", "a filthy swindle", "I am not angry"];

/// Thinks the same of each text, or has no opinion.
struct Places(Option<Opinion>);

impl AffectModel for Places {
    fn name(&self) -> &str {
        "a model"
    }

    fn opinion(&self, _: &str) -> Option<Opinion> {
        self.0
    }
}

fn opinion(confidence: f64) -> Opinion {
    let place = Place {
        valence: 0.8,
        valence_weight: 0.5,
        arousal: 0.9,
        arousal_weight: 0.1,
        nearest: "what a beautiful and delightful day",
        likeness: 0.61,
    };
    Opinion { affect: Affect::Hope, intensity: 0.5, confidence, place: Some(place) }
}

fn plan(text: &str, model: Option<Opinion>, asks: bool) -> HarmonyPlan {
    let mut session = TherapySession::default();
    if asks {
        session.set_model(Box::new(Places(model)));
    }
    session.process_core_input(text).expect("a text");
    session.generate_plan()
}

fn mood(text: &str, model: Option<Opinion>) -> Mood {
    plan(text, model, true).mood
}

#[test]
fn without_a_model_plans_are_what_they_always_were() {
    for text in TEXTS {
        let (without, silent) = (plan(text, None, false), plan(text, None, true));
        let json = serde_json::to_string_pretty(&without).expect("JSON");
        assert_eq!(json, serde_json::to_string_pretty(&silent).expect("JSON"));
        assert_eq!(without.to_string(), silent.to_string());
        assert!(!json.contains("second_opinion") && !without.to_string().contains("model"), "{json}");
        // The control: one that says something is seen.
        let told = plan(text, Some(opinion(0.0)), true);
        assert_ne!(json, serde_json::to_string_pretty(&told).expect("JSON"));
        assert!(told.to_string().contains("a model"));
    }
}

#[test]
fn it_moves_valence_and_arousal_by_what_it_weighs() {
    for text in TEXTS {
        let words = plan(text, None, false).mood;
        let moved = mood(text, Some(opinion(0.0)));
        assert!((moved.valence - (words.valence + 0.8) / 2.0).abs() < 1e-12, "{text}");
        assert!((moved.arousal - (words.arousal * 0.9 + 0.09)).abs() < 1e-12, "{text}");
        // It was not sure: the feeling is still that of the words.
        assert_eq!((moved.primary, &moved.evidence), (words.primary, &words.evidence));
        let told = moved.second_opinion.expect("it was asked");
        assert_eq!(
            (told.decided, told.valence_of_words, told.arousal_of_words),
            (false, words.valence, words.arousal)
        );
    }
}

#[test]
fn a_plan_says_whether_words_or_the_model_decided_and_by_what() {
    let reasons = |text: &str, confidence: f64| {
        let plan = plan(text, Some(opinion(confidence)), true);
        plan.reasons.iter().map(|it| format!("{}: {}", it.what, it.because)).collect::<Vec<_>>().join("\n")
    };
    let by_words = reasons("I am happy", 0.9);
    assert!(by_words.contains("joy, intensity 0.33: `happy`"), "{by_words}");
    assert!(
        by_words.contains("hope for a model, 90 % sure: most like `what a beautiful and delightful day` (0.61); the words decided"),
        "{by_words}"
    );
    let by_model = reasons("tables and chairs", 0.9);
    assert!(by_model.contains("a model is sure of it") && by_model.contains("; it decided"), "{by_model}");
    assert!(by_model.contains("with weight 0.1 only: it was not trained for it"), "{by_model}");
    let by_nobody = reasons("tables and chairs", 0.3);
    assert!(by_nobody.contains("that is too little to decide"), "{by_nobody}");
    let json = serde_json::to_value(plan("tables and chairs", Some(opinion(0.9)), true)).expect("JSON");
    assert_eq!(json["second_opinion"]["model"], "a model");
    assert_eq!(json["second_opinion"]["decided"], true);
    assert_eq!(json["second_opinion"]["valence_weight"], 0.5);
}

#[test]
fn the_same_opinion_gives_the_same_plan() {
    for text in TEXTS {
        let json = || serde_json::to_string(&plan(text, Some(opinion(0.7)), true)).expect("JSON");
        assert_eq!(json(), json());
    }
}

/// Sentences in which a word names the feeling, and that feeling.
fn said() -> impl Iterator<Item = (Affect, &'static str)> {
    include_str!("data/feelings.tsv").lines().filter_map(|line| {
        let (affect, text) = line.strip_prefix("said\t")?.split_once('\t')?;
        Some((affect.parse().expect("a feeling"), text))
    })
}

#[test]
fn what_words_say_clearly_no_model_turns_however_sure_it_is() {
    let (mut clear, mut open) = (0, 0);
    for (affect, text) in said() {
        let words = plan(text, None, false).mood;
        for other in Affect::ALL {
            let mood = mood(text, Some(Opinion { affect: other, ..opinion(1.0) }));
            if words.blend < 0.45 {
                assert_eq!(
                    (words.primary, mood.primary, mood.model),
                    (affect, affect, None),
                    "{text}: {other}"
                );
            } else {
                // Two feelings that weigh the same: it may say which, and not a third.
                let turned = words.secondary.filter(|second| *second == other);
                assert_eq!(mood.primary, turned.unwrap_or(words.primary), "{text}: {other}");
            }
        }
        if words.blend < 0.45 { clear += 1 } else { open += 1 }
    }
    assert!(clear >= 40 && open > 0, "{clear} sentences are clear, {open} are not");
    // The control: where no word says anything, it is heard.
    assert_eq!(mood("tables and chairs", Some(opinion(1.0))).primary, Affect::Hope);
}
