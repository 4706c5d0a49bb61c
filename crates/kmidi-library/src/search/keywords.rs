//! The order by words: BM25 over the terms of the index.

use std::cmp::Reverse;

use super::reading::{MAX_WORDS, Places, Reading, Terms, WordMatch, joins, words_that_count};
use super::top::Top;
use crate::Embed;
use crate::file::{IndexFile, Section, read_postings};
use crate::query::Query;
use crate::words::terms;

/// How soon a term that is often in a text counts no more (Robertson and others), and how much long texts lose.
const K1: f32 = 1.2;
const B: f32 = 0.75;

#[derive(Clone, Copy, Default)]
struct Sum {
    bm25: f32,
    /// What the last word of `words` says, by the term of it that says most.
    of_word: f32,
    words: u32,
}

#[derive(Default)]
pub(super) struct Keywords {
    /// A sum for each item.
    sums: Vec<Sum>,
    /// Items whose sum is not 0.
    touched: Vec<u32>,
    places: Places,
    term: String,
    /// A question whose slips were put right.
    mended: String,
    likeliest: String,
}

impl Keywords {
    pub fn rank(&mut self, index: &IndexFile, query: &Query, top: &mut Top) {
        for item in self.touched.drain(..) {
            self.sums[item as usize] = Sum::default();
        }
        self.sums.resize(index.items() as usize, Sum::default());
        let Some(terms) = Terms::of(index) else { return };
        let Keywords { sums, touched, places, term, .. } = self;
        let mut word = 0;
        words_that_count(query.text(), term, &mut |term| {
            terms.read(term, places, &mut |_, _| {});
            for (at, factor) in places.drain() {
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
        let Some(index) = Terms::of(index) else { return vec![] };
        let mut all = vec![];
        let Keywords { places, term, .. } = self;
        words_that_count(text, term, &mut |term| {
            let mut terms = vec![];
            let by = index.read(term, places, &mut |term, items| {
                terms.push((items, String::from_utf8_lossy(term).into_owned()));
            });
            if by == WordMatch::Slip {
                terms.sort_by_key(|(items, _)| Reverse(*items));
            }
            all.push(Reading {
                word: term.to_owned(),
                by,
                terms: terms.into_iter().map(|it| it.1).collect(),
            });
        });
        all
    }

    /// A text with the likeliest words of the index in the place of those that are slips of them and that the model does not know either.
    pub fn mended<'a>(&'a mut self, index: &IndexFile, text: &'a str, model: &dyn Embed) -> &'a str {
        let Some(index) = Terms::of(index) else { return text };
        let Keywords { places, term, mended, likeliest, .. } = self;
        mended.clear();
        let mut slips = 0;
        for piece in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            let (mut parts, mut most) = (0, 0);
            terms(word, term, &mut |_| parts += 1);
            // A word in several parts is a name, and none of English.
            if parts == 1 && slips < MAX_WORDS && !joins(term) && !model.knows(term) {
                let by = index.read(term, places, &mut |term, items| {
                    if items > most {
                        most = items;
                        likeliest.clear();
                        likeliest.push_str(&String::from_utf8_lossy(term));
                    }
                });
                if by == WordMatch::Slip {
                    slips += 1;
                    mended.push_str(likeliest);
                    mended.push_str(&piece[word.len()..]);
                    continue;
                }
            }
            mended.push_str(piece);
        }
        if slips == 0 { text } else { mended }
    }

    /// What an item takes.
    pub fn item_bytes(&self) -> usize {
        size_of::<Sum>() + size_of::<u32>()
    }

    pub fn bytes(&self) -> usize {
        self.sums.capacity() * size_of::<Sum>()
            + self.touched.capacity() * size_of::<u32>()
            + self.places.bytes()
            + self.term.capacity()
            + self.mended.capacity()
            + self.likeliest.capacity()
    }
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
        if sum.words & word == 0 {
            sum.words |= word;
            sum.of_word = 0.0;
        }
        // A word that stands there in several forms says no more than in the one that says most.
        let says = factor * rarity * weight * (K1 + 1.0) / (weight + K1 * length);
        sum.bm25 += (says - sum.of_word).max(0.0);
        sum.of_word = sum.of_word.max(says);
    }
}
