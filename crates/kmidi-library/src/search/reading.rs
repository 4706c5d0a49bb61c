//! What the words of a question stand for in an index: words that are there, that begin so, that are other forms of it, and words with
//! one slip.

use fst::{Automaton, IntoStreamer, Map, Streamer};

use crate::file::{IndexFile, Section, read_postings};
use crate::typo::OneSlip;
use crate::words::terms;

/// Words of a query that count: a bit each.
pub(super) const MAX_WORDS: usize = 32;
/// Terms that one word can stand for.
const MAX_READINGS: usize = 64;
/// What a term counts that only begins with the word, one that is another form of it, and one with a slip.
const PREFIX_FACTOR: f32 = 0.6;
const FORM_FACTOR: f32 = 0.6;
const SLIP_FACTOR: f32 = 0.5;
/// Endings that make other forms of one word, so that `distorted` finds `distortion`. With those of doers too (`er`, `or`), fewer of the
/// questions of `cargo bench --bench search_quality` found what is right.
const ENDINGS: [&str; 5] = ["", "s", "ed", "ing", "ion"];
/// Shorter stems are those of too many words.
const LEAST_STEM_BYTES: usize = 4;
/// Shorter words begin too much.
const LEAST_PREFIX_BYTES: usize = 3;

/// How a word of a query was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WordMatch {
    /// As it stands, as the beginning of longer words, or in another form.
    Word,
    /// With one slip: what more items have is more likely meant.
    Slip,
    /// In no item.
    None,
}

/// How a word of a query was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The word.
    pub word: String,
    /// How it was found.
    pub by: WordMatch,
    /// The terms it stands for, at most 64; with a slip, the likeliest first.
    pub terms: Vec<String>,
}

/// Places of postings that a word stands for, and what they count.
#[derive(Default)]
pub(super) struct Places {
    all: Vec<(u64, f32)>,
    /// Another form of the word.
    form: String,
}

impl Places {
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, f32)> + '_ {
        self.all.drain(..)
    }

    pub fn bytes(&self) -> usize {
        self.all.capacity() * size_of::<(u64, f32)>() + self.form.capacity()
    }
}

/// English words that say how others belong together, sorted; without the one that is also a key.
const FUNCTION_WORDS: [&str; 43] = [
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "can",
    "do",
    "for",
    "from",
    "has",
    "have",
    "how",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "made",
    "me",
    "my",
    "of",
    "on",
    "or",
    "so",
    "some",
    "something",
    "than",
    "that",
    "the",
    "their",
    "there",
    "these",
    "this",
    "to",
    "what",
    "which",
    "who",
    "with",
    "without",
];

pub(super) fn joins(word: &str) -> bool {
    FUNCTION_WORDS.binary_search(&word).is_ok()
}

/// Calls `each` with the words of a question, each once and at most [`MAX_WORDS`]. Those that only join others are in all kinds of texts,
/// and begin other words: they are left out, unless there is nothing else.
pub(super) fn words_that_count(text: &str, term: &mut String, each: &mut dyn FnMut(&str)) {
    let mut only_joins = true;
    terms(text, term, &mut |word| only_joins &= joins(word));
    let (mut seen, mut count) = (Words::default(), 0);
    terms(text, term, &mut |word| {
        if count < MAX_WORDS && (only_joins || !joins(word)) && seen.is_new(word) {
            count += 1;
            each(word);
        }
    });
}

/// Words that have been met, by their hashes: two that share one count once, which costs one of them.
struct Words {
    hashes: [u32; MAX_WORDS],
    count: usize,
}

impl Default for Words {
    fn default() -> Self {
        Words { hashes: [0; MAX_WORDS], count: 0 }
    }
}

impl Words {
    fn is_new(&mut self, word: &str) -> bool {
        let hash = crc32fast::hash(word.as_bytes());
        if self.count == MAX_WORDS || self.hashes[..self.count].contains(&hash) {
            return false;
        }
        self.hashes[self.count] = hash;
        self.count += 1;
        true
    }
}

/// A word without its ending, if it has one and is still a word without it.
fn stem(word: &str) -> Option<&str> {
    let stems = ENDINGS.iter().filter(|it| !it.is_empty()).filter_map(|ending| word.strip_suffix(ending));
    stems.min_by_key(|stem| stem.len()).filter(|stem| stem.len() >= LEAST_STEM_BYTES)
}

/// The words of an index.
pub(super) struct Terms<'a> {
    map: Map<&'a [u8]>,
    postings: &'a [u8],
    items: u32,
}

impl<'a> Terms<'a> {
    pub fn of(index: &'a IndexFile) -> Option<Self> {
        let map = Map::new(index.section(Section::Terms)).ok()?;
        Some(Terms { map, postings: index.section(Section::Postings), items: index.items() })
    }

    /// Items that have a term, by the place of its postings.
    fn items_at(&self, at: u64) -> u32 {
        read_postings(self.postings, at, self.items).map_or(0, |(count, _)| count)
    }

    /// Fills `places` with the postings that a word stands for. `tell` is given each term, and how many items have it.
    pub fn read(&self, word: &str, places: &mut Places, tell: &mut dyn FnMut(&[u8], u32)) -> WordMatch {
        let Places { all: places, form } = places;
        places.clear();
        if let Some(at) = self.map.get(word) {
            places.push((at, 1.0));
            tell(word.as_bytes(), self.items_at(at));
        }
        if word.len() >= LEAST_PREFIX_BYTES {
            let mut stream = self.map.search(fst::automaton::Str::new(word).starts_with()).into_stream();
            while let Some((term, at)) = stream.next() {
                if places.len() == MAX_READINGS {
                    break;
                }
                if term != word.as_bytes() {
                    places.push((at, PREFIX_FACTOR));
                    tell(term, self.items_at(at));
                }
            }
        }
        if let Some(stem) = stem(word) {
            for ending in ENDINGS {
                form.clear();
                form.push_str(stem);
                form.push_str(ending);
                // What begins with the word is there already.
                let is_new = places.len() < MAX_READINGS && !form.starts_with(word);
                if let Some(at) = self.map.get(&*form).filter(|_| is_new) {
                    places.push((at, FORM_FACTOR));
                    tell(form.as_bytes(), self.items_at(at));
                }
            }
        }
        if !places.is_empty() {
            return WordMatch::Word;
        }
        let mut most = 1;
        if let Some(slip) = OneSlip::of(word) {
            let mut stream = self.map.search(slip).into_stream();
            while let Some((term, at)) = stream.next() {
                if places.len() == MAX_READINGS {
                    break;
                }
                let items = self.items_at(at);
                most = most.max(items);
                places.push((at, items as f32));
                tell(term, items);
            }
        }
        // What is in twice as many items is twice as likely what was meant.
        places.iter_mut().for_each(|(_, factor)| *factor *= SLIP_FACTOR / most as f32);
        if places.is_empty() { WordMatch::None } else { WordMatch::Slip }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut all = vec![];
        words_that_count(text, &mut String::new(), &mut |word| all.push(word.to_owned()));
        all
    }

    #[test]
    fn words_that_only_join_others_do_not_count_beside_them() {
        assert!(FUNCTION_WORDS.is_sorted());
        assert_eq!(words("the sound of the sea in A, the SEA"), ["sound", "sea", "a"]);
        assert_eq!(words("With or without"), ["with", "or", "without"], "a name may be nothing else");
        assert_eq!(words("A4 in C"), ["a4", "c"]);
        assert_eq!(words(&(0..99).map(|n| format!("w{n} ")).collect::<String>()).len(), MAX_WORDS);
    }
}
