//! Turns of phrase that deny what stands beside them, or say it by seeming to deny it.
//!
//! All of them hang on where they stand: `who could` asks at the beginning of a clause ("Who could be angry at that?") and tells of
//! somebody in the middle of one ("a man who could be angry"); `not` takes back what was said where it stands alone.

/// How a clause that begins so is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its answer is no: "Who could be angry at that?"
    Denies,
    /// Its answer is yes, though it has a denial: "Who wouldn't love that?", "Isn't she lovely?"
    Affirms,
}

/// Beginnings of questions that say no, without apostrophes; of those that begin alike the longest first.
const DENYING: &[&str] = &[
    "who could possibly",
    "who could",
    "who would",
    "who can",
    "who needs",
    "who said",
    "who says",
    "how could anyone",
    "how could anybody",
    "how could one",
    "how could i",
    "how can anyone",
    "how can anybody",
    "how can one",
    "how can i",
    "how am i supposed to",
    "why would i",
    "why would anyone",
    "why would anybody",
    "why should i",
    "why should anyone",
    "why should anybody",
    "why be",
    "what is there to",
    "whats there to",
    "what do i have to be",
    "what have i got to be",
    "what reason is there to",
    "do i look",
    "do i sound",
    "do i seem",
    "does this look like",
    "since when am i",
    "since when are we",
    "am i supposed to be",
];

/// Beginnings of questions that say yes.
const AFFIRMING: &[&str] = &[
    "who wouldnt",
    "who would not",
    "who couldnt",
    "who could not",
    "who doesnt",
    "who does not",
    "whats not to",
    "what is not to",
    "how could i not",
    "how can i not",
    "how could anyone not",
    "how can i stop",
    "how could i stop",
    "how can i forget",
    "how could i forget",
    "how could i ever forget",
    "dont you love",
    "dont we all",
];

/// What takes back the clause or the sentence before, where it stands alone: "It was great. Not."
const TAKING_BACK: &[&str] = &[
    "not",
    "as if",
    "yeah right",
    "yeah no",
    "said no one ever",
    "said nobody ever",
    "far from it",
    "quite the opposite",
    "quite the contrary",
    "on the contrary",
    "in my dreams",
    "in your dreams",
    "my ass",
    "my foot",
];

/// What answers a question with no: "Am I happy? Not really."
const ANSWERING: &[&str] = &[
    "no",
    "nope",
    "nah",
    "never",
    "hardly",
    "no way",
    "not really",
    "not at all",
    "not any more",
    "not anymore",
    "not exactly",
    "not a bit",
    "not one bit",
    "absolutely not",
    "of course not",
    "certainly not",
    "i dont think so",
];

/// Auxiliaries that ask where they come before who they are about, with their denial.
const ASKING: &[&str] = &[
    "isnt", "arent", "wasnt", "werent", "hasnt", "havent", "cant", "couldnt", "wont", "wouldnt", "doesnt",
    "didnt",
];

/// The question that begins with these words, of which `first` is the first letter, and how many of them it takes.
pub fn question(first: Option<u8>, stands: impl Fn(&str) -> bool) -> Option<(Question, usize)> {
    let begins = |turn: &str| turn.bytes().next() == first;
    let find = |list: &'static [&'static str]| list.iter().find(|turn| begins(turn) && stands(turn));
    let words = |turn: &str| turn.split(' ').count();
    find(AFFIRMING)
        .map(|turn| (Question::Affirms, words(turn)))
        .or_else(|| find(DENYING).map(|turn| (Question::Denies, words(turn))))
}

/// How many words take back what stands before them, if these do, of which `first` is the first letter; `asked` is whether a
/// question stands there.
pub fn taken_back(asked: bool, first: Option<u8>, alone: impl Fn(&str) -> bool) -> Option<usize> {
    let turns = TAKING_BACK.iter().chain(ANSWERING.iter().filter(|_| asked));
    let turn = turns.filter(|turn| turn.bytes().next() == first).find(|turn| alone(turn))?;
    Some(turn.split(' ').count())
}

/// Whether `word`, at the beginning of a clause and before `next`, asks and does not deny: "Isn't it lovely".
pub fn asks(word: &str, next: &str) -> bool {
    let asking = ASKING.iter().any(|it| it.bytes().eq(word.bytes().filter(|&byte| byte != b'\'')));
    asking && matches!(next, "i" | "you" | "he" | "she" | "it" | "we" | "they" | "this" | "that" | "life")
}

/// Whether a question may begin behind this word, though no sign parts them.
pub fn leads_in(word: &str) -> bool {
    matches!(word, "and" | "but" | "so" | "oh" | "well" | "really" | "then" | "because")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_turns_that_begin_alike_the_longer_comes_first() {
        for list in [DENYING, AFFIRMING] {
            for (at, turn) in list.iter().enumerate() {
                let hidden = list[..at].iter().any(|before| turn.starts_with(&format!("{before} ")));
                assert!(!hidden, "{turn}");
            }
        }
    }

    #[test]
    fn what_asks_with_a_denial_is_no_denial() {
        assert!(asks("isn't", "she") && asks("isnt", "it") && asks("can't", "you"));
        assert!(!asks("isn't", "angry") && !asks("don't", "you") && !asks("not", "it"));
    }
}
