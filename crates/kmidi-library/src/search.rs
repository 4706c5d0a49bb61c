//! Finds items by words and by likeness.

mod keywords;
mod reading;
mod top;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use fearless_simd::{Simd, dispatch};
use keywords::Keywords;
pub use reading::{Reading, WordMatch};
use top::Top;

use crate::cache::{CacheCounts, CacheLimits, QueryCache};
use crate::codec::Writer;
use crate::file::{IndexError, IndexFile, ModelId};
use crate::query::Query;
use crate::vectors::QueryVector;
use crate::{Embed, EmbedError, ItemKind, Key};

/// How much later places of the two orders count less (reciprocal rank fusion, G. V. Cormack and others 2009).
const FUSION_K: f32 = 60.0;
/// What the order by likeness counts of both. Of 60 questions about 2,773 installed sounds and plugins, with MiniLM
/// (`cargo bench --bench search_quality`), so much of what is right came among the first ten: by words alone 0.84, with 0.1 of likeness 0.85,
/// with 0.3 0.81, with 0.5 0.79, by likeness alone 0.68. Of 49 questions of others, by whose words no item was described: 0.43, 0.44, 0.46,
/// 0.39 and 0.30.
pub const LIKENESS_WEIGHT: f32 = 0.3;
/// What is less like the query than this has no place in that order. The same questions found 0.81 with 0.2 to 0.3, and 0.79 with 0.4
/// and 0.5. It does not tell questions that mean nothing from others: what is most like those has 0.20 to 0.55, and like real ones 0.31 to 0.78.
pub const LEAST_LIKENESS: f32 = 0.2;
/// Places of each order that are added up. A later one, of whoever wants more results, counts only for what has no earlier one, and no
/// more than in the order that counts less, and so comes behind all that has: more results begin with those of a lower limit.
const LEAST_PLACES: usize = 1000;
fn is_early(rank: u32) -> bool {
    rank as usize <= LEAST_PLACES
}

/// For the words of a question, what each can stand for, and reading an index.
const QUESTION_BYTES: usize = 512 << 10;
/// Most results of a query.
pub const MAX_LIMIT: usize = 100_000;

/// A result, by the number of its item.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hit {
    /// For [`Searcher::found`].
    pub item: u32,
    /// 0 to 1; 1 is what is first in every order that there is.
    pub score: f32,
    /// The cosine to the query, -1 to 1; 0 where it has no place in the order by likeness.
    pub likeness: f32,
    /// What the words that match say together; 0 where none does.
    pub bm25: f32,
    /// Place in the order by likeness, from 1; 0 for none.
    pub likeness_rank: u32,
    /// Place in the order by words, from 1; 0 for none.
    pub word_rank: u32,
    /// Which words of the query match, a bit each.
    pub words: u32,
}

/// A result as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Name shown to people.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Which part of the file it is; empty for all of it.
    pub part: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its key.
    pub key: Option<Key>,
    /// Beats a minute.
    pub bpm: Option<f32>,
    /// Its length.
    pub duration_seconds: Option<f32>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The model cannot.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// What a search went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchedBy {
    /// Likeness of meaning, and words.
    LikenessAndWords,
    /// Words alone: there is no model.
    WordsNoModel,
    /// Words alone: the index has no vectors.
    WordsNoVectors,
    /// Words alone: another model made the vectors of the index.
    WordsOtherModel,
    /// No words were given: all that pass the filter, by path.
    Filter,
}

/// What a searcher has in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SearcherMemory {
    /// Of the mapped part of the index, what is resident.
    pub index_resident_bytes: u64,
    /// The mapped part as a whole.
    pub index_mapped_bytes: u64,
    /// The query cache.
    pub cache_bytes: u64,
    /// What queries work with, which is kept between them.
    pub scratch_bytes: u64,
}

/// An index that is searched, with the answers that it gave. `[side B]`
pub struct Searcher {
    index: IndexFile,
    cache: QueryCache,
    /// Of all that a query needs nothing is freed behind it.
    key: Writer,
    keywords: Keywords,
    alike: Top,
    wordy: Top,
    hits: Vec<Hit>,
}

impl Searcher {
    /// Opens an index.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn open(path: &Path, limits: CacheLimits) -> Result<Self, IndexError> {
        Ok(Searcher {
            index: IndexFile::open(path)?,
            cache: QueryCache::new(limits),
            key: Writer::default(),
            keywords: Keywords::default(),
            alike: Top::default(),
            wordy: Top::default(),
            hits: vec![],
        })
    }

    /// The index that is searched.
    pub fn index(&self) -> &IndexFile {
        &self.index
    }

    /// Best first. Where an index has taken the place of the one that was opened, that one is searched. A question that
    /// was asked before, with the same filter, limit, index and model, takes no memory.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn search(&mut self, query: &Query, model: Option<&mut dyn Embed>) -> Result<&[Hit], SearchError> {
        if self.index.is_replaced() {
            self.index = IndexFile::open(self.index.path())?;
            self.cache.clear();
        }
        let model =
            model.filter(|model| self.searched_by(query, Some(model.id())) == SearchedBy::LikenessAndWords);
        self.write_key(query, model.is_some());
        let now = Instant::now();
        // Twice, as a borrow that is returned on one way lasts on the other too.
        if self.cache.get(&self.key.0, now).is_some() {
            return Ok(self.cache.again(&self.key.0));
        }
        let vector = match model {
            Some(model) => {
                let text = self.keywords.mended(&self.index, query.text(), model);
                QueryVector::of(&model.embed(text)?)
            }
            None => None,
        };
        self.answer(query, vector.as_ref());
        self.cache.put(&self.key.0, &self.hits, now);
        Ok(&self.hits)
    }

    /// What a search goes by where there is this model, or none.
    pub fn searched_by(&self, query: &Query, model: Option<&str>) -> SearchedBy {
        if query.text().is_empty() {
            return SearchedBy::Filter;
        }
        match model {
            _ if self.index.model_id().is_none() => SearchedBy::WordsNoVectors,
            None => SearchedBy::WordsNoModel,
            Some(model) if ModelId::of(model) != self.index.model_id() => SearchedBy::WordsOtherModel,
            Some(_) => SearchedBy::LikenessAndWords,
        }
    }

    fn write_key(&mut self, query: &Query, by_likeness: bool) {
        self.key.0.clear();
        self.key.u64(self.index.generation());
        let model = if by_likeness { self.index.model_id() } else { ModelId::default() };
        self.key.0.extend(model.bytes());
        query.write_key(&mut self.key);
    }

    fn answer(&mut self, query: &Query, vector: Option<&QueryVector>) {
        self.hits.clear();
        let limit = query.limit.min(MAX_LIMIT).min(self.index.items() as usize);
        if limit == 0 {
            return;
        }
        if query.text().is_empty() {
            return self.all_that_pass(query, limit);
        }
        let places = limit.max(LEAST_PLACES);
        self.alike.restart(places);
        if let Some(vector) = vector {
            self.rank_by_likeness(query, vector);
        }
        self.wordy.restart(places);
        self.keywords.rank(&self.index, query, &mut self.wordy);
        self.fuse(vector.is_some());
        self.hits.retain(|hit| hit.score >= query.min_score);
        self.hits.truncate(limit);
    }

    /// Without words there is no order but that of the index.
    fn all_that_pass(&mut self, query: &Query, limit: usize) {
        let passes = |item: &u32| self.index.columns(*item).is_some_and(|it| query.filter.passes(&it));
        if query.min_score <= 1.0 {
            let items = (0..self.index.items()).filter(passes).take(limit);
            self.hits.extend(items.map(|item| Hit { item, score: 1.0, ..Hit::default() }));
        }
    }

    fn rank_by_likeness(&mut self, query: &Query, vector: &QueryVector) {
        dispatch!(vector.level(), simd => self.rank_by_likeness_with(simd, query, vector));
        self.alike.sort();
    }

    #[inline(always)]
    fn rank_by_likeness_with<S: Simd>(&mut self, simd: S, query: &Query, vector: &QueryVector) {
        for (item, row, scale) in self.index.vectors_of(&query.filter) {
            let likeness = vector.likeness(simd, row, scale);
            if likeness >= LEAST_LIKENESS {
                self.alike.offer(likeness, item);
            }
        }
    }

    /// Makes one order of two.
    fn fuse(&mut self, by_likeness: bool) {
        let word_weight = if by_likeness { 1.0 - LIKENESS_WEIGHT } else { 1.0 };
        let part = |weight: f32, rank: u32| {
            let weight = if is_early(rank) { weight } else { LIKENESS_WEIGHT.min(word_weight) };
            weight * (FUSION_K + 1.0) / (FUSION_K + rank as f32)
        };
        let both = |alike: (f32, u32), wordy: (f32, u32)| match [alike, wordy].map(|it| is_early(it.1)) {
            [true, true] => alike.0 + wordy.0,
            [true, false] => alike.0,
            [false, true] => wordy.0,
            [false, false] => alike.0.max(wordy.0),
        };
        for (place, (likeness, item)) in self.alike.sorted().enumerate() {
            let rank = place as u32 + 1;
            let score = part(LIKENESS_WEIGHT, rank);
            self.hits.push(Hit { item, score, likeness, likeness_rank: rank, ..Hit::default() });
        }
        self.hits.sort_unstable_by_key(|hit| hit.item);
        let alike = self.hits.len();
        for (place, (bm25, item)) in self.wordy.sorted().enumerate() {
            let (rank, words) = (place as u32 + 1, self.keywords.words_of(item));
            let score = part(word_weight, rank);
            let known = self.hits[..alike].binary_search_by_key(&item, |hit| hit.item);
            match known {
                Ok(at) => {
                    let hit = &mut self.hits[at];
                    let score = both((hit.score, hit.likeness_rank), (score, rank));
                    *hit = Hit { score, bm25, word_rank: rank, words, ..*hit };
                }
                Err(_) => self.hits.push(Hit { item, score, bm25, word_rank: rank, words, ..Hit::default() }),
            }
        }
        self.hits.sort_unstable_by(|a, b| {
            b.score.total_cmp(&a.score).then(b.likeness.total_cmp(&a.likeness)).then(a.item.cmp(&b.item))
        });
    }

    /// What an item is; `None` for a number that no hit has.
    pub fn found(&self, item: u32) -> Option<Found> {
        let (columns, place) = (self.index.columns(item)?, self.index.place(item)?);
        Some(Found {
            name: place.name,
            path: place.path,
            part: place.part,
            kind: columns.kind,
            key: columns.key,
            bpm: columns.bpm,
            duration_seconds: columns.duration_seconds,
        })
    }

    /// How the words of a query were read, in their order: the bits of [`Hit::words`].
    pub fn readings(&mut self, query: &Query) -> Vec<Reading> {
        self.keywords.readings(&self.index, query.text())
    }

    /// The words of a query, of those that count, that no item has and the model does not know.
    pub fn unknown_words(&mut self, query: &Query, model: Option<&dyn Embed>) -> Vec<String> {
        let is_known = |word: &str| model.is_some_and(|model| model.knows(word));
        let words = self.readings(query).into_iter().filter(|it| it.by == WordMatch::None);
        words.map(|it| it.word).filter(|word| !is_known(word)).collect()
    }

    /// How the cache was used.
    pub fn cache_counts(&self) -> CacheCounts {
        self.cache.counts()
    }

    /// The most that searching has in use beside what is mapped, where no question has a higher limit than this: so much is to be
    /// leased for it.
    pub fn most_bytes(&self, limit: usize) -> u64 {
        let items = self.index.items() as usize;
        let places = limit.clamp(LEAST_PLACES, MAX_LIMIT).min(items);
        // What grows has up to twice what it needs.
        let of_orders = 2 * (self.alike.place_bytes() + self.wordy.place_bytes()) * places;
        let of_hits = 2 * size_of::<Hit>() * 2 * places;
        let scratch = 2 * self.keywords.item_bytes() * items + of_orders + of_hits;
        self.cache.limit_bytes() + (scratch + QUESTION_BYTES) as u64
    }

    /// What is in memory now.
    ///
    /// # Errors
    /// Of the system.
    pub fn memory(&self) -> io::Result<SearcherMemory> {
        let scratch = self.keywords.bytes()
            + self.alike.bytes()
            + self.wordy.bytes()
            + self.key.0.capacity()
            + self.hits.capacity() * size_of::<Hit>();
        Ok(SearcherMemory {
            index_resident_bytes: self.index.resident_bytes()?,
            index_mapped_bytes: self.index.mapped_bytes(),
            cache_bytes: self.cache.bytes() as u64,
            scratch_bytes: scratch as u64,
        })
    }
}
