use std::collections::BTreeSet;

use super::*;
use crate::theory::{Letter, PitchName, Scale};

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

#[test]
fn every_topic_has_text_examples_and_questions_in_every_key() {
    let scales =
        [Scale::IONIAN, Scale::AEOLIAN, Scale::DORIAN, Scale::LOCRIAN, Scale::BLUES, Scale::CHROMATIC];
    for letter in Letter::ALL {
        for accidental in [-1, 0, 1] {
            for scale in scales {
                let key = Key::new(PitchName::new(letter, accidental), scale);
                for (topic, _) in topics() {
                    let lesson = lesson(topic, key).unwrap();
                    assert!(
                        lesson.paragraphs.len() >= 2
                            && !lesson.examples.is_empty()
                            && !lesson.quiz.is_empty(),
                        "{topic}"
                    );
                    assert!(
                        lesson.examples.iter().all(|it| it.lines.iter().all(|line| !line.ends_with(": "))),
                        "{topic} {key}"
                    );
                    for question in &lesson.quiz {
                        assert!(!question.answer.is_empty(), "{topic} in {key}: {}", question.question);
                        assert!(question.accepts(&question.answer) && !question.accepts("no idea"));
                    }
                }
            }
        }
    }
}

#[test]
fn the_asked_topics_are_there_and_lead_to_others() {
    let names: BTreeSet<&str> = topics().map(|topic| topic.0).collect();
    for wanted in [
        "intervals",
        "scales",
        "modes",
        "chords",
        "seventh chords",
        "roman numerals",
        "cadences",
        "voice leading",
        "borrowed chords",
        "secondary dominants",
        "tritone substitution",
        "rule-breaking",
        "groove",
        "swing",
        "tension",
    ] {
        assert!(names.contains(wanted), "{wanted}");
    }
    for topic in &TOPICS {
        assert!(
            !topic.see_also.is_empty() && topic.see_also.iter().all(|it| names.contains(it)),
            "{}",
            topic.name
        );
    }
}

#[test]
fn topics_are_found_by_near_names_and_unknown_ones_are_told() {
    let found = |topic: &str| lesson(topic, key("C")).map(|lesson| lesson.topic);
    for (asked, topic) in [
        ("Intervals", "intervals"),
        ("interval", "intervals"),
        ("RULE_BREAKING", "rule-breaking"),
        ("rule breaking", "rule-breaking"),
        ("Modal-Interchange", "borrowed chords"),
        ("circle of fifths", "keys"),
        ("seventh chord", "seventh chords"),
    ] {
        assert_eq!(found(asked), Ok(topic), "{asked}");
    }
    let error = found("cadanse").unwrap_err();
    assert_eq!(error.nearest, Some("cadences"));
    assert!(
        error
            .to_string()
            .starts_with("no lesson is called `cadanse`; did you mean `cadences`?; topics: intervals, ")
    );
    for asked in ["", "💥", "quantum gravity", &"x".repeat(100_000)] {
        let error = found(asked).unwrap_err();
        assert!(error.nearest.is_none() && error.to_string().len() < 600, "{asked}");
    }
}

#[test]
fn no_two_topics_share_a_word() {
    let mut seen = BTreeSet::new();
    for topic in &TOPICS {
        let words: BTreeSet<String> = topic.words().map(plain).collect();
        assert!(words.iter().all(|word| seen.insert(word.clone())), "{}", topic.name);
    }
}

#[test]
fn examples_are_worked_out_in_the_key() {
    let text = |topic: &str, name: &str| lesson(topic, key(name)).unwrap().to_string();
    assert!(text("secondary dominants", "Bb").contains("V7/V V7 I: C7 F7 Bb"));
    assert!(text("borrowed chords", "E").contains("I bVI bVII I: E C D E"));
    assert!(text("tritone sub", "C").contains("of these in both: B F"));
    assert!(text("scales", "F#").contains("ionian                F# G# A# B C# D# E#"));
    assert!(text("voice leading", "D").contains("parallels 0, cost"));
    assert!(!text("voice leading", "D").contains("\nThe same chords moved as blocks:\n    D     D3 A3 D4 F#4\n    G     G3 D4 G4 B4\n    A     A3 E4 A4 C#5\n    D     D3 A3 D4 F#4\n    parallels 0"));
    assert!(text("swing", "C").contains("2:1  second eighth at tick 320 of 480 (66.7 %), 333 ms"));
}

#[test]
fn answers_are_taken_as_people_type_them() {
    let ask =
        |answer: &str| Question { question: String::new(), answer: answer.to_owned(), why: String::new() };
    assert!(ask("Bb7").accepts(" b♭7 ") && ask("Bb7").accepts("A#7") && !ask("Bb7").accepts("Bbmaj7"));
    assert!(ask("Eb").accepts("d#") && !ask("Eb").accepts("E"));
    assert!(
        ask("off the beat").accepts("Off Beat") && ask("6").accepts("6 semitones") && !ask("6").accepts("7")
    );
    assert!(!ask("6").accepts(&"6".repeat(100_000)));
}

#[test]
fn lines_stay_within_eighty_columns() {
    for (topic, _) in topics() {
        for line in lesson(topic, key("C#")).unwrap().to_string().lines() {
            assert!(line.chars().count() <= 80 && line.trim_end() == line, "{topic}: {line}");
        }
    }
}
