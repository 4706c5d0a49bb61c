//! What sentences are read as; each class of them with others that look like it and are none.
#![forbid(unsafe_code)]

mod ordinary;
mod told;
mod turned;

use kmidi_compose::mood::{Affect, Mood, read};

fn mood(text: &str) -> Mood {
    read(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(sentences: &[(&str, Affect)]) {
    let mut wrong = Vec::new();
    for &(text, affect) in sentences {
        let mood = mood(text);
        if mood.primary != affect {
            let words: Vec<_> =
                mood.evidence.iter().map(|it| (it.word.as_str(), it.affect.name(), it.weight)).collect();
            wrong.push(format!("{text}: {} and not {affect} for {words:?}", mood.primary));
        }
    }
    assert_eq!(wrong, [""; 0]);
}
