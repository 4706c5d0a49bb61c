//! Words and phrases and what they speak for.
pub mod events;
pub mod grammar;
pub mod phrases;
pub mod table;
pub mod turns;

use std::sync::LazyLock;

use super::text::stem::Stemmer;
use super::text::words::Words;
use super::{Affect, NamedMood};
use events::EVENTS;
use phrases::{PHRASES, Scope};
use table::{IGNORED, SHADES, WORDS};

/// A feeling that a word or a phrase speaks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its place among all; said twice, it counts once.
    pub number: usize,
    /// The feeling.
    pub affect: Affect,
    /// How much.
    pub weight: f64,
}

/// Words that are looked up as they are, or by their stem.
struct Key {
    /// `=` and the word, or the stem.
    text: Box<str>,
    /// Where its rows are.
    rows: std::ops::Range<usize>,
}

struct Phrase {
    text: &'static str,
    /// Its first word.
    first: &'static str,
    words: usize,
    rows: std::ops::Range<usize>,
    scope: Option<Scope>,
}

/// A phrase at a place of a text.
pub struct Found<'a> {
    /// How many words it has.
    pub words: usize,
    /// It, without apostrophes.
    pub text: &'static str,
    /// What it speaks for.
    pub rows: &'a [Row],
    /// How what follows is to be taken.
    pub scope: Option<Scope>,
}

/// All words and phrases; made once, some 50 KB.
pub struct Lexicon {
    rows: Vec<Row>,
    keys: Vec<Key>,
    /// By their first word; the longest of those that begin with the same word first.
    phrases: Vec<Phrase>,
    shades: Vec<(Box<str>, &'static NamedMood)>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

impl Lexicon {
    /// The one there is.
    pub fn get() -> &'static Self {
        &LEXICON
    }

    fn new() -> Self {
        let mut stemmer = Stemmer::default();
        let mut rows = Vec::new();
        let keys = keys(&mut rows, &mut stemmer);
        let phrases = phrases(&mut rows);
        let stems = |words: &'static str, stemmer: &mut Stemmer| -> Vec<Box<str>> {
            words.split(' ').map(|word| stemmer.stem(word).into()).collect()
        };
        let hope = NamedMood::named("triumphant hope").expect("it is a mood");
        let mut shades: Vec<(Box<str>, _)> = vec![("triumphant hope".into(), hope)];
        for (words, name) in SHADES {
            let shade = NamedMood::named(name).expect("a shade has the name of a mood");
            shades.extend(stems(words, &mut stemmer).into_iter().map(|stem| (stem, shade)));
        }
        Self { rows, keys, phrases, shades }
    }

    /// How many rows there are; each has a number below.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// What a word speaks for.
    pub fn word(&self, word: &str, stem: &str) -> &[Row] {
        let exact = self.keys.binary_search_by(|key| {
            let text = key.text.as_bytes();
            text.first().cmp(&Some(&b'=')).then_with(|| text[1..].cmp(word.as_bytes()))
        });
        let by_stem = |stem: &str| self.keys.binary_search_by(|key| (*key.text).cmp(stem));
        // "Happily" is stemmed to `happili`.
        let adverb = |_| stem.strip_suffix("li").map_or(Err(0), by_stem);
        let found = exact.or_else(|_| by_stem(stem)).or_else(adverb);
        found.map_or(&[], |at| &self.rows[self.keys[at].rows.clone()])
    }

    /// The shade that a stem or a phrase names.
    pub fn shade(&self, stem: &str) -> Option<&'static NamedMood> {
        self.shades.iter().find(|(text, _)| **text == *stem).map(|(_, shade)| *shade)
    }

    /// The longest phrase that begins at a place of a text.
    pub fn phrase(&self, words: &Words, place: usize) -> Option<Found<'_>> {
        let first = words.at(place);
        let from = self.phrases.partition_point(|phrase| compare(phrase.first, first).is_lt());
        let mut same_first = self.phrases[from..].iter().take_while(|it| compare(it.first, first).is_eq());
        let phrase = same_first.find(|phrase| stands_at(phrase.text, words, place))?;
        Some(Found {
            words: phrase.words,
            text: phrase.text,
            rows: &self.rows[phrase.rows.clone()],
            scope: phrase.scope,
        })
    }
}

/// Puts the rows of all words behind `rows`, and says which are whose.
fn keys(rows: &mut Vec<Row>, stemmer: &mut Stemmer) -> Vec<Key> {
    let mut said: Vec<(Box<str>, Affect, f64)> = Vec::new();
    for &(affect, weight, words) in WORDS {
        for word in words.split_ascii_whitespace() {
            let text: Box<str> = if word.starts_with('=') { word.into() } else { stemmer.stem(word).into() };
            // Two words of a family in one feeling: the first tier named counts.
            if !said.iter().any(|(other, of, _)| *other == text && *of == affect) {
                said.push((text, affect, weight));
            }
        }
    }
    said.sort_by(|a, b| a.0.cmp(&b.0));
    let mut keys: Vec<Key> = Vec::new();
    for chunk in said.chunk_by(|a, b| a.0 == b.0) {
        let start = rows.len();
        rows.extend(chunk.iter().zip(start..).map(|(&(_, affect, weight), number)| Row {
            number,
            affect,
            weight,
        }));
        keys.push(Key { text: chunk[0].0.clone(), rows: start..rows.len() });
    }
    let ignored =
        IGNORED.split_ascii_whitespace().map(|word| Key { text: format!("={word}").into(), rows: 0..0 });
    keys.extend(ignored);
    keys.sort_by(|a, b| a.text.cmp(&b.text));
    keys
}

/// The same for phrases.
fn phrases(rows: &mut Vec<Row>) -> Vec<Phrase> {
    let mut phrases = Vec::new();
    for &(feelings, scope, texts) in PHRASES.iter().chain(EVENTS) {
        for text in texts.split('|').map(str::trim) {
            let start = rows.len();
            rows.extend(feelings.iter().zip(start..).map(|(&(affect, weight), number)| Row {
                number,
                affect,
                weight,
            }));
            let (first, words) = (text.split(' ').next().unwrap_or_default(), text.split(' ').count());
            phrases.push(Phrase { text, first, words, rows: start..rows.len(), scope });
        }
    }
    phrases.sort_by(|a, b| a.first.cmp(b.first).then(b.words.cmp(&a.words)));
    phrases
}

/// Compares with a word whose apostrophes do not count.
fn compare(plain: &str, word: &str) -> std::cmp::Ordering {
    plain.bytes().cmp(word.bytes().filter(|&byte| byte != b'\''))
}

/// The first letter of a word whose apostrophes do not count: by it alone nearly all phrases are told from it.
pub fn first_letter(word: &str) -> Option<u8> {
    word.bytes().find(|&byte| byte != b'\'')
}

/// Whether a phrase (without apostrophes) stands at a place of a text, without a sign inside.
pub fn stands_at(phrase: &str, words: &Words, place: usize) -> bool {
    use super::text::words::Gap;
    phrase.as_bytes().split(|&byte| byte == b' ').enumerate().all(|(offset, word)| {
        let joined = offset == 0 || words.gap(place + offset) == Gap::None;
        let said = words.at(place + offset).bytes().filter(|&byte| byte != b'\'');
        joined && word.iter().copied().eq(said)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affects(word: &str) -> Vec<Affect> {
        let mut stemmer = Stemmer::default();
        let stem = stemmer.stem(word).to_owned();
        Lexicon::get().word(word, &stem).iter().map(|row| row.affect).collect()
    }

    #[test]
    fn every_word_of_the_table_is_found_and_speaks_for_its_feeling() {
        for (affect, _, words) in WORDS {
            for word in words.split_ascii_whitespace() {
                let found = affects(word.trim_start_matches('='));
                assert!(found.contains(affect), "{word}: {found:?}, not {affect:?}");
            }
        }
    }

    #[test]
    fn every_phrase_is_found_whole() {
        let mut words = Words::default();
        for (feelings, scope, texts) in PHRASES.iter().chain(EVENTS) {
            for text in texts.split('|').map(str::trim) {
                words.read(text);
                let found = Lexicon::get().phrase(&words, 0).unwrap_or_else(|| panic!("{text}"));
                let rows: Vec<_> = found.rows.iter().map(|row| (row.affect, row.weight)).collect();
                assert_eq!(
                    (found.words, rows.as_slice(), found.scope),
                    (words.len(), *feelings, *scope),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn families_are_found_and_strangers_are_not() {
        assert_eq!(affects("grieving"), [Affect::Grief]);
        assert_eq!(affects("peacefully"), [Affect::Calm]);
        assert_eq!(affects("happily"), [Affect::Joy]);
        assert_eq!(affects("missed"), [Affect::Grief, Affect::Longing]);
        for word in [
            "number",
            "glove",
            "software",
            "wallet",
            "whatever",
            "breakfast",
            "university",
            "wondering",
            "careful",
            "",
        ] {
            assert_eq!(affects(word), [], "{word}");
        }
    }

    #[test]
    fn shades_are_of_the_feeling_that_their_word_speaks_for() {
        for (words, name) in SHADES {
            let mood = NamedMood::named(name).unwrap();
            for word in words.split(' ') {
                assert!(affects(word).contains(&mood.affect), "{word} {name}");
            }
        }
    }
}
