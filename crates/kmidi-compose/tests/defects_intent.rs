//! What the system that the intents come from got wrong, each by what it did there.

mod intents;

use intents::{intent, with_rule};
use kmidi_compose::intent::{MoodName, Rule, process, suggest};

/// There, `rage` is in no list of the rules.
#[test]
fn suggest_rule_break_rage_was_empty() {
    let rules = suggest("rage").expect("rage is a mood").rules;
    assert!(rules.len() >= 3);
    assert!(rules.iter().any(|it| it.rule == Rule::Distortion && !it.reason.is_empty()));
}

/// There, `joy` is in no list of the rules.
#[test]
fn suggest_rule_break_joy_was_empty() {
    let rules = suggest("joy").expect("joy is a mood").rules;
    assert!(rules.len() >= 3);
    assert!(rules.iter().all(|it| !it.justification.is_empty() && !it.examples.is_empty()));
}

/// There, a word that is in no list is answered with nothing, as if there were nothing to suggest.
#[test]
fn suggest_rule_break_of_an_unknown_word_was_empty() {
    assert!(suggest("furious").is_ok_and(|it| it.mood == "rage"));
    assert!(suggest("joyful").is_ok_and(|it| it.mood == "joy"));
    let error = suggest("carburettor").expect_err("no mood").to_string();
    assert!(error.contains("carburettor") && error.contains("Grief"), "{error}");
}

/// There, four harmony rules, four rhythm rules and two arrangement rules generate something; eleven are texts.
#[test]
fn only_ten_of_the_rules_generated_anything() {
    let plain = process(&intent(MoodName::Defiance), 7).expect("a song").score;
    let again = process(&intent(MoodName::Defiance), 7).expect("a song").score;
    assert_eq!(plain, again, "without a rule nothing differs");
    for rule in Rule::ALL {
        let processed = process(&with_rule(MoodName::Defiance, *rule), 7).expect("a song");
        let (one, other) = (plain.to_song().to_smf(), processed.score.to_song().to_smf());
        assert_ne!(one.expect("a file"), other.expect("a file"), "{rule} changes nothing that is heard");
        assert_eq!(processed.rule.map(|broken| broken.rule), Some(*rule));
    }
}
