//! Intents for tests.

use kmidi_compose::intent::{Intent, MoodName, Rule};

/// A complete intent that leaves every choice to the mood.
pub fn intent(mood: MoodName) -> Intent {
    let mut intent = Intent::template("Harbour");
    intent.phase_0.event = "The boat left at noon".to_owned();
    intent.phase_0.longing = "To be on it".to_owned();
    intent.phase_1.mood_primary = mood.name().to_owned();
    intent
}

/// The same, with a rule to break.
pub fn with_rule(mood: MoodName, rule: Rule) -> Intent {
    let mut intent = intent(mood);
    intent.phase_2.rule = rule.name().to_owned();
    intent.phase_2.justification = rule.justification(&intent);
    intent
}
