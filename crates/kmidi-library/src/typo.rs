//! Words that are one letter away from a query's: one too many, one missing, a wrong one, two in the wrong order.

use fst::Automaton;

/// Longest word in which a slip is forgiven: a bit each.
const MAX_BYTES: usize = 60;

/// Accepts what begins like a word with at most one slip and has its length, over bytes.
pub(crate) struct OneSlip<'a> {
    word: &'a [u8],
}

/// Which places of the word can have been reached, a bit each: without a slip, with one, and in the middle of
/// two letters in the wrong order.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    exact: u64,
    slipped: u64,
    swapping: u64,
}

impl<'a> OneSlip<'a> {
    /// `None` for words that are too short for a slip to be told from another word, or too long.
    pub fn of(word: &'a str) -> Option<Self> {
        (4..=MAX_BYTES).contains(&word.len()).then_some(OneSlip { word: word.as_bytes() })
    }

    /// The places in front of which the word has this letter.
    fn letter(&self, byte: u8) -> u64 {
        self.word.iter().enumerate().fold(0, |set, (at, it)| set | u64::from(*it == byte) << at)
    }
}

impl Automaton for OneSlip<'_> {
    type State = Places;

    fn start(&self) -> Places {
        // Its first letter may be missing.
        Places { exact: 1, slipped: 1 << 1, swapping: 0 }
    }

    fn is_match(&self, places: &Places) -> bool {
        (places.exact | places.slipped) & (1 << self.word.len()) != 0
    }

    fn can_match(&self, places: &Places) -> bool {
        places.exact | places.slipped | places.swapping != 0
    }

    fn accept(&self, places: &Places, byte: u8) -> Places {
        let here = self.letter(byte);
        let all = (1u64 << (self.word.len() + 1)) - 1;
        let exact = (places.exact & here) << 1;
        // Another letter than the word's, one that is not in it, or one that is missing behind what is right.
        let slipped = (places.exact << 1) | places.exact | (exact << 1);
        let right_after_slip = (places.slipped & here) << 1;
        // The word's next letter but one has come: its next must follow.
        let swapping = places.exact & (here >> 1);
        let swapped = (places.swapping & here) << 2;
        Places {
            exact: exact & all,
            slipped: (slipped | right_after_slip | swapped) & all,
            swapping: swapping & all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(word: &str, text: &str) -> bool {
        let automaton = OneSlip::of(word).unwrap();
        let end = text.bytes().fold(automaton.start(), |places, byte| automaton.accept(&places, byte));
        automaton.is_match(&end)
    }

    /// The same, by trying all that one slip can make of a word.
    fn one_slip_away(word: &str, text: &str) -> bool {
        let (word, text) = (word.as_bytes(), text.as_bytes());
        let without = |bytes: &[u8], at: usize| [&bytes[..at], &bytes[at + 1..]].concat();
        let swapped = |at: usize| {
            let mut bytes = word.to_vec();
            bytes.swap(at, at + 1);
            bytes
        };
        word == text
            || (0..word.len()).any(|at| without(word, at) == text)
            || (0..text.len()).any(|at| without(text, at) == word)
            || (word.len() == text.len() && (0..word.len()).any(|at| without(word, at) == without(text, at)))
            || (0..word.len() - 1).any(|at| swapped(at) == text)
    }

    #[test]
    fn what_is_accepted_is_what_one_slip_makes_and_nothing_else() {
        let words =
            ["piano", "pian", "pianoo", "paino", "pxano", "xpiano", "piaon", "iano", "poano", "panio"];
        let more =
            ["strings", "guitar", "giutar", "gitar", "guitarr", "aaaa", "aaab", "abaa", "baaa", "abab"];
        let all: Vec<&str> = words.into_iter().chain(more).collect();
        let mut accepted = 0;
        for word in &all {
            for text in &all {
                let expected = one_slip_away(word, text);
                accepted += usize::from(expected);
                assert_eq!(accepts(word, text), expected, "{word} {text}");
            }
        }
        assert!(accepted > all.len() && accepted < all.len() * all.len() / 2);
        assert!(OneSlip::of("pad").is_none() && OneSlip::of(&"a".repeat(61)).is_none());
    }
}
