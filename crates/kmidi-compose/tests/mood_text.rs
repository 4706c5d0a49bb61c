//! What the fuzz target promises, for texts by chance and for those that are hard on a reader.
#![forbid(unsafe_code)]

use proptest::prelude::*;

#[path = "../../../fuzz/checks/mood_text.rs"]
mod mood_text;

/// Words that matter to a reader, and those that do not.
const WORDS: &[&str] = &[
    "not", "no", "never", "but", "although", "very", "slightly", "kind", "of", "and", "i", "angry", "happy",
    "sad", "love", "lost", "my", "home", "used", "to", "be", "can't", "breathe", "so", "much", "nothing",
    "table", "number", "HAPPY", "😢", "❤️", ",", ".", "!", "?", "'", "wish", "without", "hope", "no more",
    "-", "\n", "die", "ich", "日本", "e\u{301}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text(text in any::<String>()) {
        mood_text::check(&text);
    }

    #[test]
    fn any_sentence(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..30)) {
        mood_text::check(&words.join(" "));
    }
}

#[test]
fn texts_that_are_hard_on_a_reader() {
    for text in [
        "",
        "'",
        "''''",
        "n't",
        "'s",
        "a'",
        "not",
        "but",
        "but but but",
        "no no no no",
        "\u{0}",
        "\u{feff}sad",
        "\u{200d}",
        "kind of",
        "İstanbul",
        "ǅ",
        "ﬁne",
        "a\u{300}\u{300}\u{300}",
        "🏽",
        "👨‍👩‍👧‍👦",
        "so much so much so much",
        "=happy",
        "=",
        "\t=\t",
        "happy\0sad",
    ] {
        mood_text::check(text);
    }
    for unit in
        ["a", "'", "not ", "happy ", "😢", "happy but ", "é", "kind of ", "lost my ", "!", "so ", "x\u{301}"]
    {
        mood_text::check(&unit.repeat(20_000 / unit.chars().count()));
        mood_text::check(&unit.repeat(100_000));
    }
}

#[test]
#[should_panic(expected = "assertion")]
fn control_a_mood_that_cannot_be_is_seen() {
    let mut mood = kmidi_compose::mood::read("happy and sad").unwrap();
    mood_text::check_mood(&mood);
    mood.secondary = Some(mood.primary);
    mood_text::check_mood(&mood);
}
