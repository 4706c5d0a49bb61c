//! WordPiece: words as pieces that a vocabulary knows, the longest first (Wu et al. 2016, as BERT has it).

use super::clean::{cleaned, is_blank, is_sign};
use super::vocabulary::Vocabulary;

/// Longer words are not looked up: the model knows none.
const LONGEST_WORD: usize = 100;
/// Characters of a text that are read: far more than [`Tokenizer::MOST_PIECES`] of them hold in any language.
const MOST_CHARACTERS: usize = 64 << 10;

/// The pieces of BERT's uncased English vocabulary.
static PIECES: &str = include_str!("../../../../assets/models/minilm/vocab.txt");

/// Makes numbers of a text that a model of the BERT family reads. `[side B]`
///
/// What stands in brackets in the vocabulary (`[SEP]`) is no command in a text: it is read as the word that it is.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    begin: i32,
    end: i32,
    unknown: i32,
}

impl Tokenizer {
    /// The most numbers that a text has, with its beginning and its end; what is beyond is not read. The model was trained on this.
    pub const MOST_PIECES: usize = 256;

    /// With the vocabulary of BERT's uncased models, which is part of the program.
    pub fn uncased() -> Self {
        let vocabulary = Vocabulary::new(PIECES);
        let special = |piece| vocabulary.id(piece).expect("a test finds it in the vocabulary");
        let (begin, end, unknown) = (special("[CLS]"), special("[SEP]"), special("[UNK]"));
        Tokenizer { vocabulary, begin, end, unknown }
    }

    /// How many pieces there are.
    pub fn pieces(&self) -> usize {
        self.vocabulary.len()
    }

    /// Whether a word, in lower case, is one piece.
    pub fn knows(&self, word: &str) -> bool {
        self.vocabulary.id(word).is_some()
    }

    /// The numbers of a text, between those of its beginning and its end.
    pub fn ids(&self, text: &str) -> Vec<i32> {
        let mut ids = Vec::with_capacity(64);
        ids.push(self.begin);
        let mut word = Word::default();
        for it in cleaned(&text[..limit(text)]) {
            if ids.len() >= Self::MOST_PIECES {
                break;
            }
            if is_blank(it) {
                self.take(&mut word, &mut ids);
            } else if is_sign(it) {
                self.take(&mut word, &mut ids);
                word.push(it);
                self.take(&mut word, &mut ids);
            } else {
                word.push(it);
            }
        }
        self.take(&mut word, &mut ids);
        ids.truncate(Self::MOST_PIECES - 1);
        ids.push(self.end);
        ids
    }

    /// Adds the pieces of a word, which is empty afterwards. A word that is not made of pieces is one that is not known.
    fn take(&self, word: &mut Word, ids: &mut Vec<i32>) {
        let before = ids.len();
        let mut from = 0;
        while from < word.text.len() && !word.is_too_long() {
            let Some((id, to)) = self.longest(word, from) else { break };
            ids.push(id);
            from = to;
        }
        if from < word.text.len() {
            ids.truncate(before);
            ids.push(self.unknown);
        }
        word.clear();
    }

    /// The longest piece that a word has at a place, and where it ends.
    fn longest(&self, word: &mut Word, from: usize) -> Option<(i32, usize)> {
        let Word { text, piece, .. } = word;
        piece.clear();
        if from > 0 {
            piece.push_str("##");
        }
        let prefix = piece.len();
        piece.push_str(&text[from..]);
        while piece.len() > prefix {
            if let Some(id) = self.vocabulary.id(piece) {
                return Some((id, from + piece.len() - prefix));
            }
            piece.pop();
        }
        None
    }
}

/// Where the part of a text that is read ends.
fn limit(text: &str) -> usize {
    text.char_indices().nth(MOST_CHARACTERS).map_or(text.len(), |(at, _)| at)
}

/// A word that is being read; never longer than it may be by more than one character.
#[derive(Default)]
struct Word {
    text: String,
    characters: usize,
    piece: String,
}

impl Word {
    fn push(&mut self, it: char) {
        if !self.is_too_long() {
            self.text.push(it);
            self.characters += 1;
        }
    }

    fn is_too_long(&self) -> bool {
        self.characters > LONGEST_WORD
    }

    fn clear(&mut self) {
        self.text.clear();
        self.characters = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_the_longest_pieces_there_are() {
        let tokenizer = Tokenizer::uncased();
        assert_eq!(tokenizer.pieces(), 30_522);
        // [CLS] warm slow pad [SEP]
        assert_eq!(tokenizer.ids("Warm, slow\tPAD"), [101, 4010, 1010, 4030, 11687, 102]);
        assert_eq!(tokenizer.ids(""), [101, 102]);
        assert_eq!(tokenizer.ids(" \n\u{200b}"), [101, 102]);
        let long = "x".repeat(100_000);
        assert_eq!(tokenizer.ids(&long), [101, 100, 102]);
    }

    #[test]
    fn words_that_were_met_often_are_known_and_slips_of_them_are_not() {
        let tokenizer = Tokenizer::uncased();
        for (word, slip) in [("guitar", "guitr"), ("warm", "wamr"), ("harpsichord", "harpsicord")] {
            assert!(tokenizer.knows(word) && !tokenizer.knows(slip), "{word}");
        }
        assert!(!tokenizer.knows("") && !tokenizer.knows("qwer"));
    }

    #[test]
    fn a_text_of_any_length_has_no_more_numbers_than_the_model_takes() {
        let tokenizer = Tokenizer::uncased();
        for text in
            ["a ".repeat(1 << 20), "!".repeat(1 << 20), "e\u{301}".repeat(1 << 20), "\u{301}".repeat(1 << 20)]
        {
            let ids = tokenizer.ids(&text);
            assert!(ids.len() <= Tokenizer::MOST_PIECES);
            assert_eq!((ids[0], ids[ids.len() - 1]), (101, 102));
        }
        assert_eq!(tokenizer.ids(&"a ".repeat(300)).len(), Tokenizer::MOST_PIECES);
        let words = "cat ".repeat(254);
        assert_eq!(tokenizer.ids(&words), tokenizer.ids(&format!("{words} dog")));
        assert_ne!(tokenizer.ids(&words), tokenizer.ids(&format!("dog {words}")));
    }
}
