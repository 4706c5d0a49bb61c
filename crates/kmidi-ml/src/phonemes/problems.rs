//! Which kinds of sounds went wrong.

use std::collections::BTreeMap;

use serde::Serialize;

use super::expected::ExpectedWord;
use super::ipa::Phone;
use super::quality::rounded;
use super::score::HeardWord;
use super::sounds::{Class, difficulty};

/// A kind of sound that was missed or said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// Which kind.
    pub class: Class,
    /// How many of it were expected.
    pub expected: usize,
    /// How many of these were missed or said otherwise.
    pub wrong: usize,
    /// Their share.
    pub share: f64,
    /// How hard the hardest of its troubles is, 1 to 5.
    pub difficulty: u8,
    /// The phones, the one that is most often wrong first.
    pub phones: Vec<Trouble>,
}

/// A phone that was missed or said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trouble {
    /// Which.
    pub ipa: Phone,
    /// How many were expected.
    pub expected: usize,
    /// How many of these were missed.
    pub missed: usize,
    /// What was said instead, in order.
    pub heard: Vec<Phone>,
    /// How late children learn it, 1 to 5.
    pub difficulty: u8,
}

impl Trouble {
    fn wrong(&self) -> usize {
        self.missed + self.heard.len()
    }
}

/// What went wrong, the kind with the most mistakes first.
pub(super) fn problems(expected: &[ExpectedWord], words: &[HeardWord]) -> Vec<Problem> {
    let mut troubles: BTreeMap<&Phone, Trouble> = BTreeMap::new();
    for phone in expected.iter().flat_map(ExpectedWord::phones) {
        let new = || Trouble {
            ipa: phone.clone(),
            expected: 0,
            missed: 0,
            heard: vec![],
            difficulty: difficulty(phone),
        };
        troubles.entry(phone).or_insert_with(new).expected += 1;
    }
    for edit in words.iter().flat_map(|it| &it.edits) {
        // What was added is no mistake of a sound that was expected.
        let Some(trouble) = edit.expected.as_ref().and_then(|it| troubles.get_mut(it)) else { continue };
        match &edit.heard {
            Some(heard) => trouble.heard.push(heard.clone()),
            None => trouble.missed += 1,
        }
    }
    let mut problems: Vec<Problem> =
        Class::ALL.into_iter().filter_map(|class| problem(class, &troubles)).collect();
    problems.sort_by_key(|it| std::cmp::Reverse(it.wrong));
    problems
}

fn problem(class: Class, troubles: &BTreeMap<&Phone, Trouble>) -> Option<Problem> {
    let of_class = || troubles.values().filter(|it| Class::of(&it.ipa) == class);
    let expected: usize = of_class().map(|it| it.expected).sum();
    let mut phones: Vec<Trouble> = of_class().filter(|it| it.wrong() > 0).cloned().collect();
    phones.sort_by_key(|it| std::cmp::Reverse(it.wrong()));
    let wrong: usize = phones.iter().map(Trouble::wrong).sum();
    let difficulty = phones.iter().map(|it| it.difficulty).max()?;
    Some(Problem {
        class,
        expected,
        wrong,
        share: rounded(wrong as f64 / expected as f64),
        difficulty,
        phones,
    })
}

#[cfg(test)]
mod tests {
    use super::super::score::compare;
    use super::super::times::TimedPhone;
    use super::*;

    #[test]
    fn mistakes_are_counted_by_kind_and_what_was_added_is_none() {
        let ways = vec![Phone::parse_all("θɪŋkθɪŋ").unwrap()];
        let expected = [ExpectedWord { text: "x".into(), ways, chosen: 0 }];
        let phones = Phone::parse_all("sɪŋktɪŋə").unwrap().into_iter();
        let heard: Vec<TimedPhone> = phones
            .map(|ipa| TimedPhone { ipa, start_seconds: 0.0, end_seconds: 0.1, confidence: 1.0 })
            .collect();
        let (words, _) = compare(&expected, &heard, &None).unwrap();
        let problems = problems(&expected, &words);
        assert_eq!(problems.len(), 1);
        let fricatives = &problems[0];
        assert_eq!((fricatives.class, fricatives.expected, fricatives.wrong), (Class::Fricative, 2, 2));
        assert_eq!((fricatives.share, fricatives.difficulty), (1.0, 5));
        let heard: Vec<_> = fricatives.phones[0].heard.iter().map(Phone::as_str).collect();
        assert_eq!(heard, ["s", "t"]);
    }
}
