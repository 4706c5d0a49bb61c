//! Whether a text is pleasant: VADER (Hutto & Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
//! Social Media Text"), with its word list and its rules as its package 3.3.2 has them.
//!
//! One difference: where a text has `but`, what comes before it counts half and what comes after it one and a half times, by place.
//! The package looks the place up by value, and takes a wrong one where two words have the same.
use std::sync::LazyLock;

use super::text::bisect::Table;

/// Each word with the mean of what ten people gave it, from -4 to 4.
static WORDS: LazyLock<Table> =
    LazyLock::new(|| Table::new(include_str!("../../../../assets/lexicon/vader.tsv")));

/// What a booster adds.
const BOOST: f64 = 0.293;
/// What capitals add, where not all is in capitals.
const CAPITALS: f64 = 0.733;
/// What negation multiplies by.
const NEGATED: f64 = -0.74;
/// The sum that comes close to the most.
const ALPHA: f64 = 15.0;

/// Sorted, as the next two.
const NEGATIONS: [&str; 59] = [
    "ain't",
    "aint",
    "aren't",
    "arent",
    "can't",
    "cannot",
    "cant",
    "couldn't",
    "couldnt",
    "daren't",
    "darent",
    "despite",
    "didn't",
    "didnt",
    "doesn't",
    "doesnt",
    "don't",
    "dont",
    "hadn't",
    "hadnt",
    "hasn't",
    "hasnt",
    "haven't",
    "havent",
    "isn't",
    "isnt",
    "mightn't",
    "mightnt",
    "mustn't",
    "mustnt",
    "needn't",
    "neednt",
    "neither",
    "never",
    "none",
    "nope",
    "nor",
    "not",
    "nothing",
    "nowhere",
    "oughtn't",
    "oughtnt",
    "rarely",
    "seldom",
    "shan't",
    "shant",
    "shouldn't",
    "shouldnt",
    "uh-uh",
    "uhuh",
    "wasn't",
    "wasnt",
    "weren't",
    "werent",
    "without",
    "won't",
    "wont",
    "wouldn't",
    "wouldnt",
];

const BOOSTERS: &[&str] = &[
    "absolutely",
    "amazingly",
    "awfully",
    "completely",
    "considerable",
    "considerably",
    "decidedly",
    "deeply",
    "effing",
    "enormous",
    "enormously",
    "entirely",
    "especially",
    "exceptional",
    "exceptionally",
    "extreme",
    "extremely",
    "fabulously",
    "flippin",
    "flipping",
    "frackin",
    "fracking",
    "frickin",
    "fricking",
    "friggin",
    "frigging",
    "fuckin",
    "fucking",
    "fuggin",
    "fugging",
    "fully",
    "greatly",
    "hella",
    "highly",
    "hugely",
    "incredible",
    "incredibly",
    "intensely",
    "major",
    "majorly",
    "more",
    "most",
    "particularly",
    "purely",
    "quite",
    "really",
    "remarkably",
    "so",
    "substantially",
    "thoroughly",
    "total",
    "totally",
    "tremendous",
    "tremendously",
    "uber",
    "unbelievably",
    "unusually",
    "utter",
    "utterly",
    "very",
];

const DAMPENERS: &[&str] = &[
    "almost",
    "barely",
    "hardly",
    "kind-of",
    "kinda",
    "kindof",
    "less",
    "little",
    "marginal",
    "marginally",
    "occasional",
    "occasionally",
    "partly",
    "scarce",
    "scarcely",
    "slight",
    "slightly",
    "somewhat",
    "sort-of",
    "sorta",
    "sortof",
];

/// Pairs of words that dampen.
const DAMPENING_PAIRS: [[&str; 2]; 3] = [["just", "enough"], ["kind", "of"], ["sort", "of"]];

/// Phrases with a value of their own.
const IDIOMS: [(&[&str], f64); 8] = [
    (&["the", "shit"], 3.0),
    (&["the", "bomb"], 3.0),
    (&["bad", "ass"], 1.5),
    (&["bus", "stop"], 0.0),
    (&["yeah", "right"], -2.0),
    (&["kiss", "of", "death"], -1.5),
    (&["to", "die", "for"], 3.0),
    (&["beating", "heart"], 3.5),
];

/// What is between two blanks, without the signs around it, unless it is hardly anything but signs.
struct Token {
    /// Where it is in the lower-case text.
    start: usize,
    end: usize,
    is_upper: bool,
    /// Its value in the word list.
    rated: Option<f64>,
    /// What it adds to a word that follows.
    boost: f64,
    negates: bool,
}

/// Measures texts, one after the other.
#[derive(Default)]
pub struct Valence {
    lower: String,
    tokens: Vec<Token>,
    values: Vec<f64>,
}

impl Valence {
    /// Whether a word is in the list.
    pub fn rates(word: &str) -> bool {
        WORDS.find(word).is_some()
    }

    /// From -1 (unpleasant) to 1, and whether any word was rated at all.
    pub fn of(&mut self, plain: &str) -> (f64, bool) {
        self.read(plain);
        let tokens = Tokens { lower: &self.lower, tokens: &self.tokens };
        let capitals = self.tokens.iter().filter(|token| token.is_upper).count();
        let mixed_case = 0 < capitals && capitals < self.tokens.len();
        self.values.clear();
        self.values.extend((0..self.tokens.len()).map(|at| tokens.value(at, mixed_case)));
        if let Some(but) = (0..self.tokens.len()).find(|&at| tokens.word(at) == "but") {
            let (before, after) = self.values.split_at_mut(but);
            before.iter_mut().for_each(|value| *value *= 0.5);
            after.iter_mut().skip(1).for_each(|value| *value *= 1.5);
        }
        let sum: f64 = self.values.iter().sum();
        let sum = if sum == 0.0 { 0.0 } else { sum + emphasis(plain).copysign(sum) };
        let rated = self.tokens.iter().any(|token| token.rated.is_some());
        (sum / (sum * sum + ALPHA).sqrt(), rated)
    }

    fn read(&mut self, plain: &str) {
        self.lower.clear();
        self.tokens.clear();
        for token in plain.split_whitespace() {
            let stripped = token.trim_matches(|letter: char| letter.is_ascii_punctuation());
            let token = if stripped.chars().nth(2).is_some() { stripped } else { token };
            let start = self.lower.len();
            match token.is_ascii() {
                true => {
                    self.lower.push_str(token);
                    self.lower[start..].make_ascii_lowercase();
                }
                false => self.lower.extend(token.chars().flat_map(char::to_lowercase)),
            }
            let word = &self.lower[start..];
            let boost = if BOOSTERS.binary_search(&word).is_ok() { BOOST } else { 0.0 };
            let boost = if DAMPENERS.binary_search(&word).is_ok() { -BOOST } else { boost };
            self.tokens.push(Token {
                start,
                end: self.lower.len(),
                is_upper: token.chars().any(char::is_uppercase) && !token.chars().any(char::is_lowercase),
                rated: WORDS.find(word).and_then(|value| value.parse().ok()),
                boost,
                negates: word.as_bytes().windows(3).any(|it| it == b"n't")
                    || NEGATIONS.binary_search(&word).is_ok(),
            });
        }
    }
}

/// What exclamation marks and question marks add.
fn emphasis(text: &str) -> f64 {
    let count = |sign: u8| text.bytes().filter(|&byte| byte == sign).count();
    let exclaimed = count(b'!').min(4) as f64 * 0.292;
    exclaimed
        + match count(b'?') {
            0 | 1 => 0.0,
            asked @ 2..=3 => asked as f64 * 0.18,
            _ => 0.96,
        }
}

struct Tokens<'a> {
    lower: &'a str,
    tokens: &'a [Token],
}

impl Tokens<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.lower[token.start..token.end])
    }

    /// Whether these words begin at a place.
    fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, &word)| self.word(at + offset) == word)
    }

    /// What a token adds to the sum.
    fn value(&self, at: usize, mixed_case: bool) -> f64 {
        let token = &self.tokens[at];
        let Some(rated) = token.rated.filter(|_| token.boost == 0.0 && !self.are(at, &["kind", "of"])) else {
            return 0.0;
        };
        let mut value = self.beside_no(at, rated);
        if token.is_upper && mixed_case {
            value += if value > 0.0 { CAPITALS } else { -CAPITALS };
        }
        for distance in 1..=3 {
            if at < distance || self.tokens[at - distance].rated.is_some() {
                continue;
            }
            value += self.boost(at - distance, value, mixed_case) * [1.0, 0.95, 0.9][distance - 1];
            value = self.negated(at, distance, value);
            if distance == 3 {
                value = self.idiom(at).unwrap_or(value) + self.dampening_pairs(at);
            }
        }
        let least = at > 0 && self.tokens[at - 1].rated.is_none() && self.word(at - 1) == "least";
        if least && !(at > 1 && matches!(self.word(at - 2), "at" | "very")) {
            value *= NEGATED;
        }
        value
    }

    /// `no` is a word of its own, or denies the next.
    fn beside_no(&self, at: usize, rated: f64) -> f64 {
        let no = |distance| at >= distance && self.word(at - distance) == "no";
        if no(1) || no(2) || (no(3) && matches!(self.word(at - 1), "or" | "nor")) {
            return rated * NEGATED;
        }
        let denies =
            self.word(at) == "no" && self.tokens.get(at + 1).is_some_and(|next| next.rated.is_some());
        if denies { 0.0 } else { rated }
    }

    /// What a word before adds, towards the side the value is on.
    fn boost(&self, at: usize, value: f64, mixed_case: bool) -> f64 {
        let token = &self.tokens[at];
        if token.boost == 0.0 {
            return 0.0;
        }
        let boost = if value < 0.0 { -token.boost } else { token.boost };
        let loud = if token.is_upper && mixed_case { CAPITALS } else { 0.0 };
        boost + if value > 0.0 { loud } else { -loud }
    }

    /// The value after the word at this distance had its chance to deny it.
    fn negated(&self, at: usize, distance: usize, value: f64) -> f64 {
        let word = |distance: usize| self.word(at - distance);
        let so = |distance: usize| matches!(word(distance), "so" | "this");
        let never_so = match distance {
            2 => word(2) == "never" && so(1),
            // As the package has it: `so` right before counts whether there is a `never` or not.
            3 => (word(3) == "never" && so(2)) || so(1),
            _ => false,
        };
        let no_doubt = word(distance) == "without" && (1..distance).any(|nearer| word(nearer) == "doubt");
        if never_so {
            value * 1.25
        } else if self.tokens[at - distance].negates && !no_doubt {
            value * NEGATED
        } else {
            value
        }
    }

    /// The value of a phrase that the word at a place, or one of those just before it, is in.
    fn idiom(&self, at: usize) -> Option<f64> {
        let of = |words: &[&str]| IDIOMS.iter().find(|(idiom, _)| *idiom == words).map(|(_, value)| *value);
        let word = |place: usize| self.word(place);
        let ahead = of(&[word(at), word(at + 1), word(at + 2)]).or_else(|| of(&[word(at), word(at + 1)]));
        ahead
            .or_else(|| of(&[word(at - 1), word(at)]))
            .or_else(|| of(&[word(at - 2), word(at - 1), word(at)]))
            .or_else(|| of(&[word(at - 2), word(at - 1)]))
            .or_else(|| of(&[word(at - 3), word(at - 2), word(at - 1)]))
            .or_else(|| of(&[word(at - 3), word(at - 2)]))
    }

    fn dampening_pairs(&self, at: usize) -> f64 {
        let pairs = [at - 3, at - 2]
            .into_iter()
            .filter(|&place| DAMPENING_PAIRS.iter().any(|pair| self.are(place, pair)));
        pairs.count() as f64 * -BOOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the package's own program gives for its published examples and for three hundred texts by chance.
    const GOLDEN: &str = include_str!("../../tests/data/vader.tsv");

    #[test]
    fn texts_have_the_values_that_the_package_gives() {
        let mut valence = Valence::default();
        let mut plain = String::new();
        let mut wrong = Vec::new();
        for line in GOLDEN.lines() {
            let (expected, text) = line.split_once('\t').unwrap();
            super::super::text::plain::write(text, &mut plain);
            let (value, _) = valence.of(&plain);
            if (value - expected.parse::<f64>().unwrap()).abs() > 0.000_051 {
                wrong.push(format!("{value:.4} and not {expected}: {text}"));
            }
        }
        assert!(GOLDEN.lines().count() > 300);
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn lists_are_in_the_order_in_which_they_are_searched() {
        assert!(NEGATIONS.is_sorted() && BOOSTERS.is_sorted() && DAMPENERS.is_sorted());
    }

    #[test]
    fn words_that_are_not_rated_are_told_from_those_that_cancel() {
        let mut valence = Valence::default();
        assert_eq!(valence.of("tables and chairs"), (0.0, false));
        assert_eq!(valence.of(""), (0.0, false));
        assert!(valence.of("good").1);
    }
}
