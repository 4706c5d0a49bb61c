//! Words by which somebody may say that they are in danger.

/// Phrases, in the form that [`plain`] gives a text. Plain ones only: a song about a loss is no emergency.
const PHRASES: [&str; 18] = [
    "suicidal",
    "suicide",
    "kill myself",
    "killing myself",
    "end my life",
    "ending my life",
    "take my own life",
    "want to die",
    "wanna die",
    "no reason to live",
    "better off dead",
    "hurt myself",
    "hurting myself",
    "cut myself",
    "cutting myself",
    "not worth living",
    "can't go on any more",
    "can't go on anymore",
];

/// Whether a text speaks of suicide or of hurting oneself. A program that asks how somebody feels must not answer that with
/// music alone: whoever shows a plan of such a text also says where help is. Rather once too often: negation is not looked at.
///
/// ```
/// use kmidi_compose::mood::speaks_of_suicide;
/// assert!(speaks_of_suicide("Some days I want to die."));
/// assert!(!speaks_of_suicide("The flowers die in autumn, and I miss them"));
/// ```
pub fn speaks_of_suicide(text: &str) -> bool {
    let text = plain(text);
    PHRASES.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
}

/// Lower-case words between single blanks, one at each end.
fn plain(text: &str) -> String {
    let words = text.split(|it: char| !it.is_alphanumeric() && it != '\'').filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |text, word| text + &word.to_lowercase() + " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_in_any_writing_are_found_and_others_are_not() {
        for text in ["SUICIDAL", "I  want\nto die", "...no reason to live!", "thoughts of suicide, again"] {
            assert!(speaks_of_suicide(text), "{text}");
        }
        for text in ["", "suicidally", "I want to dine", "my plans die", "a reason to live", "dead tired"] {
            assert!(!speaks_of_suicide(text), "{text}");
        }
    }
}
