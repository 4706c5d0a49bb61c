//! What must hold for any text that a mood is read from. The fuzz target and the tests both come here.

use kmidi_compose::mood::{Affect, Mood, TextError, read};
use kmidi_compose::plan::TherapySession;

/// Panics if anything about this text is not as promised.
pub fn check(text: &str) {
    let mood = read(text);
    assert_eq!(mood, read(text), "the same text, another mood");
    match &mood {
        Ok(mood) => check_mood(mood),
        Err(TextError::Empty) => assert!(text.trim().is_empty()),
        Err(TextError::TooLong { characters, most }) => assert!(characters > most),
        Err(TextError::NoWords | TextError::NotEnglish { .. }) => assert!(!text.trim().is_empty()),
    }
    let mut session = TherapySession::default();
    assert_eq!(session.process_core_input("I am happy").map(|mood| mood.primary), Ok(Affect::Joy));
    assert_eq!(session.process_core_input(text).cloned(), mood, "what was read before matters");
    let plan = session.generate_plan();
    assert_eq!(plan, session.generate_plan());
    assert_eq!(plan.sections.iter().map(|section| section.bars).sum::<u32>(), plan.length_bars);
    assert!(!plan.progression.is_empty() && (20.0..=400.0).contains(&plan.tempo_bpm));
    assert!(!plan.to_string().is_empty());
}

/// Panics if a mood that was read is none that there can be.
pub fn check_mood(mood: &Mood) {
    assert!((0.0..=1.0).contains(&mood.intensity) && (0.0..=0.5).contains(&mood.blend));
    assert!((-1.0..=1.0).contains(&mood.valence) && (0.0..=1.0).contains(&mood.arousal));
    assert!(mood.words > 0 && mood.evidence.len() <= Mood::MOST_EVIDENCE);
    assert_eq!(mood.is_unknown(), mood.intensity == 0.0);
    assert_ne!(mood.secondary, Some(mood.primary));
    let speaks = mood.evidence.iter().any(|it| it.weight > 0.0 && it.affect == mood.primary);
    assert!(speaks || mood.is_unknown() || mood.evidence.len() == Mood::MOST_EVIDENCE);
}
