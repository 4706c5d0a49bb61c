//! The model that is asked what a text feels: without it nothing changes, and one that is damaged is told.

use std::fs;

use crate::support::program;

/// Feelings that words name, and a text that has none.
const TEXTS: [&str; 3] =
    ["I am so happy, but a little scared", "heavy rain on the roof", "tables and chairs"];

/// What a command prints of a text.
fn told(command: &str, text: &str, more: &[&str]) -> program::Outcome {
    let arguments: Vec<&str> = [command, text].into_iter().chain(more.iter().copied()).collect();
    program::kmidi(&arguments).success()
}

#[test]
fn without_the_model_a_text_feels_what_its_words_say_and_nothing_is_told_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = folder.path().to_str().expect("UTF-8");
    for command in ["therapy", "emotions"] {
        for text in TEXTS {
            for json in [&[][..], &["--json"]] {
                let by_words = told(command, text, &[json, &["--no-model"]].concat());
                let missing = told(command, text, &[json, &["--models", none]].concat());
                assert_eq!(by_words.stdout, missing.stdout, "{command} {text}");
                assert_eq!((missing.stderr.as_str(), missing.stdout.contains("MiniLM")), ("", false));
            }
        }
    }
    let mood = told("emotions", TEXTS[0], &["--json"]).json();
    assert_eq!((&mood["mood"]["primary"], &mood["mood"]["second_opinion"]), (&"fear".into(), &().into()));
}

#[test]
fn a_model_that_is_damaged_is_told_and_words_are_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let models = folder.path().to_str().expect("UTF-8");
    fs::create_dir(folder.path().join("minilm")).expect("a folder");
    fs::write(folder.path().join("minilm/minilm.onnx"), "no model").expect("a file");
    fs::write(folder.path().join("minilm/minilm.data"), "no weights").expect("a file");
    let damaged = told("therapy", TEXTS[0], &["--models", models]);
    assert_eq!(damaged.stdout, told("therapy", TEXTS[0], &["--no-model"]).stdout);
    assert!(damaged.stderr.contains("the model minilm is damaged"), "{}", damaged.stderr);
    assert!(damaged.stderr.contains("going by words alone"), "{}", damaged.stderr);
    // Where it is not asked, it is not looked at.
    assert_eq!(told("therapy", TEXTS[0], &["--models", models, "--no-model"]).stderr, "");
}
