//! How what was heard differs from what was expected, word by word.

use serde::Serialize;

use super::PhonemeError;
use super::edits::{self, Edit};
use super::expected::ExpectedWord;
use super::ipa::Phone;
use super::quality::rounded;
use super::sounds::distance;
use super::times::TimedPhone;

/// What was done to a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EditKind {
    /// Expected and not said.
    Missed,
    /// Said and not expected.
    Added,
    /// Another was said.
    Substituted,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordEdit {
    /// What was done.
    pub kind: EditKind,
    /// What was expected, if anything was.
    pub expected: Option<Phone>,
    /// What was heard, if anything was.
    pub heard: Option<Phone>,
    /// When that was heard.
    pub start_seconds: Option<f64>,
}

/// A phone that was expected, and when it is said if that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpectedPhone {
    /// The phone.
    pub ipa: Phone,
    /// When it begins.
    pub start_seconds: Option<f64>,
    /// When it ends.
    pub end_seconds: Option<f64>,
    /// The highest probability that a frame gives it there, 0 to 1.
    pub confidence: Option<f64>,
}

/// A word, as expected and as heard. Without a text, a stretch between two borders that the model hears.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeardWord {
    /// As written; without a text, its phones.
    pub text: String,
    /// When it begins; none where it was not found.
    pub start_seconds: Option<f64>,
    /// When it ends.
    pub end_seconds: Option<f64>,
    /// The phones that were expected.
    pub expected: Vec<ExpectedPhone>,
    /// The phones that were heard.
    pub heard: Vec<Phone>,
    /// Where the two differ.
    pub edits: Vec<WordEdit>,
    /// Differences over expected phones; none without a text.
    pub phoneme_error_rate: Option<f64>,
    /// How sure the model is: the mean of the phones, 0 to 1.
    pub confidence: f64,
}

/// The whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Phones that were expected.
    pub expected: usize,
    /// Phones that were heard.
    pub heard: usize,
    /// Expected and not heard.
    pub missed: usize,
    /// Heard and not expected.
    pub added: usize,
    /// Heard otherwise.
    pub substituted: usize,
    /// All three over what was expected; over 1 if much was added.
    pub phoneme_error_rate: f64,
    /// Words that were expected.
    pub words: usize,
    /// Words without a difference.
    pub words_right: usize,
    /// How sure the model is that what was expected is there: the mean over the phones, 0 to 1; none where they
    /// were not found.
    pub confidence: Option<f64>,
}

/// When each expected phone is said, in their order; none where they do not fit into the sound.
pub(super) type Times = Option<Vec<(f64, f64, f64)>>;

/// Compares.
pub(super) fn compare(
    words: &[ExpectedWord],
    heard: &[TimedPhone],
    times: &Times,
) -> Result<(Vec<HeardWord>, Score), PhonemeError> {
    let expected: Vec<&Phone> = words.iter().flat_map(ExpectedWord::phones).collect();
    let said: Vec<&Phone> = heard.iter().map(|it| &it.ipa).collect();
    let edits = edits::shortest(&expected, &said, |a, b| distance(a, b))?;
    let mut out = Vec::with_capacity(words.len());
    let (mut first, mut edits) = (0, &edits[..]);
    for (number, word) in words.iter().enumerate() {
        let end = first + word.phones().len();
        let is_last = number + 1 == words.len();
        let own = steps_of(word.phones().len(), edits, |at| is_last || is_nearer(at, end, heard, times));
        let (own, rest) = edits.split_at(own);
        edits = rest;
        out.push(judged(word, first, own, heard, times));
        first = end;
    }
    let score = total(&out, heard.len(), times);
    Ok((out, score))
}

/// How many of the steps are those of a word: all up to its last phone, and what was added behind that as long as
/// `is_nearer` to it than to the next word.
fn steps_of(phones: usize, steps: &[Edit], is_nearer: impl Fn(usize) -> bool) -> usize {
    let (mut own, mut left) = (0, phones);
    for step in steps {
        match *step {
            Edit::Added(at) if left == 0 && !is_nearer(at) => break,
            Edit::Added(_) => {}
            _ if left == 0 => break,
            _ => left -= 1,
        }
        own += 1;
    }
    own
}

/// Whether what was heard there is nearer to the expected phones before `end` than to the next.
fn is_nearer(at: usize, end: usize, heard: &[TimedPhone], times: &Times) -> bool {
    let Some(times) = times else { return true };
    let middle = (heard[at].start_seconds + heard[at].end_seconds) / 2.0;
    let before = end.checked_sub(1).map_or(f64::MAX, |it| middle - times[it].1);
    let behind = times.get(end).map_or(f64::MAX, |it| it.0 - middle);
    before <= behind
}

fn judged(
    word: &ExpectedWord,
    first: usize,
    steps: &[Edit],
    heard: &[TimedPhone],
    times: &Times,
) -> HeardWord {
    let phones = word.phones();
    let timed = |(number, ipa): (usize, &Phone)| {
        let time = times.as_ref().map(|it| it[first + number]);
        ExpectedPhone {
            ipa: ipa.clone(),
            start_seconds: time.map(|it| it.0),
            end_seconds: time.map(|it| it.1),
            confidence: time.map(|it| it.2),
        }
    };
    let expected: Vec<ExpectedPhone> = phones.iter().enumerate().map(timed).collect();
    let edit = |kind, expected: Option<usize>, at: Option<usize>| WordEdit {
        kind,
        expected: expected.map(|it| phones[it - first].clone()),
        heard: at.map(|it| heard[it].ipa.clone()),
        start_seconds: at.map(|it| heard[it].start_seconds),
    };
    let mut edits = vec![];
    let mut said = vec![];
    for step in steps {
        match *step {
            Edit::Same(_, at) => said.push(at),
            Edit::Substituted(place, at) => {
                said.push(at);
                edits.push(edit(EditKind::Substituted, Some(place), Some(at)));
            }
            Edit::Missed(place) => edits.push(edit(EditKind::Missed, Some(place), None)),
            Edit::Added(at) => {
                said.push(at);
                edits.push(edit(EditKind::Added, None, Some(at)));
            }
        }
    }
    let first_said = || said.first().map(|it| heard[*it].start_seconds);
    let last_said = || said.last().map(|it| heard[*it].end_seconds);
    let start = expected.first().and_then(|it| it.start_seconds).or_else(first_said);
    let end = expected.last().and_then(|it| it.end_seconds).or_else(last_said);
    HeardWord {
        text: word.text.clone(),
        start_seconds: start,
        end_seconds: end,
        confidence: mean(expected.iter().filter_map(|it| it.confidence)),
        expected,
        heard: said.into_iter().map(|it| heard[it].ipa.clone()).collect(),
        phoneme_error_rate: Some(rate(edits.len(), phones.len())),
        edits,
    }
}

/// Stretches between borders, where no text says which words there are.
pub(super) fn stretches(phones: &[TimedPhone], word_starts: &[usize]) -> Vec<HeardWord> {
    let ends = word_starts.iter().skip(1).copied().chain([phones.len()]);
    let word = |(start, end): (usize, usize)| {
        let phones = &phones[start..end];
        HeardWord {
            text: phones.iter().map(|it| it.ipa.as_str()).collect(),
            start_seconds: phones.first().map(|it| it.start_seconds),
            end_seconds: phones.last().map(|it| it.end_seconds),
            expected: vec![],
            heard: phones.iter().map(|it| it.ipa.clone()).collect(),
            edits: vec![],
            phoneme_error_rate: None,
            confidence: mean(phones.iter().map(|it| it.confidence)),
        }
    };
    word_starts.iter().copied().zip(ends).map(word).collect()
}

fn total(words: &[HeardWord], heard: usize, times: &Times) -> Score {
    let count = |kind| words.iter().flat_map(|it| &it.edits).filter(|it| it.kind == kind).count();
    let (missed, added, substituted) =
        (count(EditKind::Missed), count(EditKind::Added), count(EditKind::Substituted));
    let expected = heard - added + missed;
    Score {
        expected,
        heard,
        missed,
        added,
        substituted,
        phoneme_error_rate: rate(missed + added + substituted, expected),
        words: words.len(),
        words_right: words.iter().filter(|it| it.edits.is_empty()).count(),
        confidence: times.as_ref().map(|it| mean(it.iter().map(|time| time.2))),
    }
}

fn rate(edits: usize, expected: usize) -> f64 {
    rounded(edits as f64 / expected.max(1) as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), it| (sum + it, count + 1));
    if count == 0 { 0.0 } else { rounded(sum / f64::from(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, ipa: &str) -> ExpectedWord {
        ExpectedWord { text: text.into(), ways: vec![Phone::parse_all(ipa).unwrap()], chosen: 0 }
    }

    /// A phone each tenth of a second.
    fn heard(ipa: &str) -> Vec<TimedPhone> {
        let phones = Phone::parse_all(ipa).unwrap().into_iter().enumerate();
        phones
            .map(|(at, ipa)| {
                let start_seconds = at as f64 / 10.0;
                TimedPhone { ipa, start_seconds, end_seconds: start_seconds + 0.1, confidence: 0.5 }
            })
            .collect()
    }

    fn kinds(word: &HeardWord) -> Vec<EditKind> {
        word.edits.iter().map(|it| it.kind).collect()
    }

    #[test]
    fn each_kind_of_difference_is_told_of_its_word() {
        let words = [word("think", "θɪŋk"), word("so", "soʊ"), word("now", "naʊ")];
        let (words, score) = compare(&words, &heard("s ɪ ŋ s oʊ n d aʊ"), &None).unwrap();
        assert_eq!(kinds(&words[0]), [EditKind::Substituted, EditKind::Missed]);
        assert!(words[1].edits.is_empty());
        assert_eq!(kinds(&words[2]), [EditKind::Added]);
        assert_eq!((score.missed, score.added, score.substituted), (1, 1, 1));
        assert_eq!((score.expected, score.heard, score.words, score.words_right), (8, 8, 3, 1));
        assert_eq!(score.phoneme_error_rate, 0.375);
        assert_eq!(words[0].phoneme_error_rate, Some(0.5));
        assert_eq!(words[0].edits[0].expected.as_ref().unwrap().as_str(), "θ");
        assert_eq!(words[0].edits[0].heard.as_ref().unwrap().as_str(), "s");
    }

    #[test]
    fn what_was_added_belongs_to_the_nearer_word() {
        let words = [word("a", "a"), word("b", "o")];
        let added_at = |times: Vec<(f64, f64, f64)>| {
            let (words, _) = compare(&words, &heard("a s o"), &Some(times)).unwrap();
            words.iter().position(|it| !it.edits.is_empty()).unwrap()
        };
        assert_eq!(added_at(vec![(0.0, 0.1, 1.0), (0.16, 0.3, 1.0)]), 1);
        assert_eq!(added_at(vec![(0.0, 0.14, 1.0), (0.2, 0.3, 1.0)]), 0);
    }

    #[test]
    fn what_was_added_inside_a_word_is_its_own_wherever_its_phones_were_found() {
        let words = [word("at", "atd"), word("so", "so")];
        let early =
            vec![(0.0, 0.01, 1.0), (0.01, 0.02, 1.0), (0.02, 0.03, 1.0), (0.21, 0.3, 1.0), (0.3, 0.4, 1.0)];
        let (words, score) = compare(&words, &heard("a o t z s o"), &Some(early)).unwrap();
        assert_eq!(kinds(&words[0]), [EditKind::Added, EditKind::Substituted]);
        assert_eq!((words[1].edits.len(), score.words_right), (0, 1));
    }

    #[test]
    fn nothing_heard_is_everything_missed_and_nothing_more() {
        let (words, score) = compare(&[word("so", "soʊ")], &[], &None).unwrap();
        assert_eq!(score.phoneme_error_rate, 1.0);
        assert_eq!((words[0].start_seconds, words[0].end_seconds), (None, None));
        assert_eq!(score.words_right, 0);
    }

    #[test]
    fn all_edits_of_the_words_are_those_of_the_whole() {
        let words = [word("x", "θɪŋk"), word("y", "soʊ"), word("z", "naʊ")];
        let (judged, score) = compare(&words, &heard("t t o ŋ s oʊ z n d aʊ s s"), &None).unwrap();
        let sum: usize = judged.iter().map(|it| it.edits.len()).sum();
        assert_eq!(sum, score.missed + score.added + score.substituted);
        let said: usize = judged.iter().map(|it| it.heard.len()).sum();
        assert_eq!(said, score.heard);
    }
}
