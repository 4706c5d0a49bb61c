//! Words that say how other words are to be taken.

/// How many words a denial reaches: Chapman et al. (2001, "A simple algorithm for identifying negated findings") found five.
pub const REACH: usize = 5;

/// Words that deny what follows, sorted.
const DENYING: &[&str] = &[
    "aint", "arent", "barely", "cannot", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hardly",
    "hasnt", "havent", "isnt", "lack", "lacking", "lacks", "mustnt", "neither", "never", "no", "nobody",
    "none", "nor", "not", "nothing", "nowhere", "rarely", "scarcely", "seldom", "shouldnt", "wasnt",
    "werent", "without", "wont", "wouldnt",
];

/// Words that weaken.
const WEAKENING: &[&str] = &[
    "slightly", "somewhat", "mildly", "kinda", "sorta", "partly", "almost", "little", "bit", "faintly",
    "vaguely", "fairly", "a-bit", "tad",
];

const STRENGTHENING: &[&str] = &[
    "very",
    "so",
    "really",
    "too",
    "truly",
    "such",
    "deeply",
    "all",
    "full",
    "quite",
    "much",
    "pretty",
    "damn",
    "highly",
    "terribly",
    "filled",
    "pure",
    "deep",
    "great",
    "more",
    "most",
    "really",
    "especially",
    "profoundly",
    "super",
];

const STRENGTHENING_MOST: &[&str] = &[
    "extremely",
    "absolutely",
    "utterly",
    "completely",
    "totally",
    "incredibly",
    "insanely",
    "unbearably",
    "entirely",
    "overwhelmingly",
    "intensely",
    "immensely",
    "tremendously",
    "fucking",
    "bloody",
    "hugely",
    "utter",
    "unbelievably",
];

/// Whether a word denies what follows.
pub fn denies(word: &str) -> bool {
    word.ends_with("n't") || DENYING.binary_search(&word).is_ok()
}

/// Whether a denial is not undone by one before it: "neither sad nor angry".
pub fn denies_again(word: &str) -> bool {
    matches!(word, "nor" | "neither" | "or")
}

/// What a word multiplies the next by, if it is a word of degree.
pub fn degree(word: &str) -> Option<f64> {
    if STRENGTHENING_MOST.contains(&word) {
        Some(5.0 / 3.0)
    } else if STRENGTHENING.contains(&word) {
        Some(4.0 / 3.0)
    } else if WEAKENING.contains(&word) {
        Some(0.5)
    } else {
        None
    }
}

/// Whether what follows counts more than what came before.
pub fn contrasts(word: &str) -> bool {
    matches!(word, "but" | "however" | "yet" | "nevertheless" | "nonetheless")
}

/// Whether `but` after this word is no contrast: "nothing but", "can't help but".
pub fn takes_but(word: &str) -> bool {
    matches!(word, "nothing" | "anything" | "help" | "all" | "not")
}

/// Whether the clause that follows counts less.
pub fn concedes(word: &str) -> bool {
    matches!(word, "although" | "though" | "despite")
}

/// Whether a word begins something that a denial before it does not reach.
pub fn begins_clause(word: &str) -> bool {
    matches!(word, "because" | "since" | "while" | "when" | "until" | "unless" | "so" | "just" | "only")
}

/// Whether a word is who does something, so that `and` before it begins a clause.
pub fn is_subject(word: &str) -> bool {
    let pronoun = word.split('\'').next().unwrap_or_default();
    matches!(pronoun, "i" | "he" | "she" | "we" | "they" | "it" | "you" | "my")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_are_in_the_order_in_which_they_are_searched() {
        assert!(DENYING.is_sorted());
        assert!(denies("wasn't") && denies("not") && denies("without") && !denies("notable"));
    }
}
