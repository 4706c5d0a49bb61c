//! The order by words: BM25 over the terms of the index, with words that only begin so, and words with one slip.

use fst::{Automaton, IntoStreamer, Map, Streamer};

use super::top::Top;
use crate::file::{IndexFile, Section, read_postings};
use crate::query::Query;
use crate::typo::OneSlip;
use crate::words::terms;

/// Words of a query that count: a bit each.
const MAX_WORDS: usize = 32;
/// Terms that one word can stand for.
const MAX_READINGS: usize = 64;
/// What a term counts that only begins with the word, and one with a slip.
const PREFIX_FACTOR: f32 = 0.6;
const SLIP_FACTOR: f32 = 0.5;
/// Shorter words begin too much.
const LEAST_PREFIX_BYTES: usize = 3;
/// How soon a term that is often in a text counts no more (Robertson and others), and how much long texts lose.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// How a word of a query was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WordMatch {
    /// As it stands, or as the beginning of longer words.
    Word,
    /// With one slip.
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
    /// The terms it stands for; at most 64.
    pub terms: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    bm25: f32,
    words: u32,
}

#[derive(Default)]
pub(super) struct Keywords {
    /// A sum for each item.
    sums: Vec<Sum>,
    /// Items whose sum is not 0.
    touched: Vec<u32>,
    /// Places of postings that a word stands for, and what they count.
    places: Vec<(u64, f32)>,
    term: String,
}

impl Keywords {
    pub fn rank(&mut self, index: &IndexFile, query: &Query, top: &mut Top) {
        for item in self.touched.drain(..) {
            self.sums[item as usize] = Sum::default();
        }
        self.sums.resize(index.items() as usize, Sum::default());
        let Ok(map) = Map::new(index.section(Section::Terms)) else { return };
        let Keywords { sums, touched, places, term } = self;
        let mut word = 0;
        words_that_count(query.text(), term, &mut |term| {
            read_word(&map, term, places, &mut |_| {});
            for (at, factor) in places.drain(..) {
                add(index, query, at, factor, 1 << word, sums, touched);
            }
            word += 1;
        });
        for item in &*touched {
            top.offer(sums[*item as usize].bm25, *item);
        }
        top.sort();
    }

    /// Which words an item of the last query matched.
    pub fn words_of(&self, item: u32) -> u32 {
        self.sums.get(item as usize).map_or(0, |sum| sum.words)
    }

    pub fn readings(&mut self, index: &IndexFile, text: &str) -> Vec<Reading> {
        let Ok(map) = Map::new(index.section(Section::Terms)) else { return vec![] };
        let mut all = vec![];
        let Keywords { places, term, .. } = self;
        words_that_count(text, term, &mut |term| {
            let mut terms = vec![];
            let by = read_word(&map, term, places, &mut |term| {
                terms.push(String::from_utf8_lossy(term).into_owned());
            });
            places.clear();
            all.push(Reading { word: term.to_owned(), by, terms });
        });
        all
    }

    /// What an item takes.
    pub fn item_bytes(&self) -> usize {
        size_of::<Sum>() + size_of::<u32>()
    }

    pub fn bytes(&self) -> usize {
        self.sums.capacity() * size_of::<Sum>()
            + self.touched.capacity() * size_of::<u32>()
            + self.places.capacity() * size_of::<(u64, f32)>()
            + self.term.capacity()
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

/// Calls `each` with the words of a question, each once and at most [`MAX_WORDS`]. Those that only join others are in all kinds of texts,
/// and begin other words: they are left out, unless there is nothing else.
fn words_that_count(text: &str, term: &mut String, each: &mut dyn FnMut(&str)) {
    let joins = |word: &str| FUNCTION_WORDS.binary_search(&word).is_ok();
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

/// Fills `places` with the postings that a word stands for.
fn read_word(
    map: &Map<&[u8]>,
    word: &str,
    places: &mut Vec<(u64, f32)>,
    tell: &mut dyn FnMut(&[u8]),
) -> WordMatch {
    places.clear();
    if let Some(at) = map.get(word) {
        places.push((at, 1.0));
        tell(word.as_bytes());
    }
    if word.len() >= LEAST_PREFIX_BYTES {
        let mut stream = map.search(fst::automaton::Str::new(word).starts_with()).into_stream();
        while let Some((term, at)) = stream.next() {
            if places.len() == MAX_READINGS {
                break;
            }
            if term != word.as_bytes() {
                places.push((at, PREFIX_FACTOR));
                tell(term);
            }
        }
    }
    if !places.is_empty() {
        return WordMatch::Word;
    }
    if let Some(slip) = OneSlip::of(word) {
        let mut stream = map.search(slip).into_stream();
        while let Some((term, at)) = stream.next() {
            if places.len() == MAX_READINGS {
                break;
            }
            places.push((at, SLIP_FACTOR));
            tell(term);
        }
    }
    if places.is_empty() { WordMatch::None } else { WordMatch::Slip }
}

/// Adds what one term says to the sums of the items that pass the filter.
fn add(
    index: &IndexFile,
    query: &Query,
    at: u64,
    factor: f32,
    word: u32,
    sums: &mut [Sum],
    touched: &mut Vec<u32>,
) {
    let Some((count, postings)) = read_postings(index.section(Section::Postings), at, index.items()) else {
        return;
    };
    let (items, with) = (index.items() as f32, count as f32);
    let rarity = (1.0 + (items - with + 0.5) / (with + 0.5)).ln();
    let mean = index.mean_weight();
    for posting in postings {
        let Some(columns) = index.columns(posting.item).filter(|it| query.filter.passes(it)) else {
            continue;
        };
        let Some(sum) = sums.get_mut(posting.item as usize) else { continue };
        let weight = f32::from(posting.weight);
        let length = 1.0 - B + B * f32::from(columns.weight) / mean;
        if sum.words == 0 {
            touched.push(posting.item);
        }
        sum.words |= word;
        sum.bm25 += factor * rarity * weight * (K1 + 1.0) / (weight + K1 * length);
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
