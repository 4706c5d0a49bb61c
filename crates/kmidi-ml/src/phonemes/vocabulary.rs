//! The symbols of the models: letters in, phones out.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::PhonemeError;
use super::ctc::Bias;
use super::ipa::{Phone, is_mark};

/// Symbols that the sound model has behind those of the file.
const BEHIND: usize = 2;

/// Against the blank, as the model's own package decodes.
const BLANK_BIAS: f32 = -0.1;

#[derive(serde::Deserialize)]
struct File {
    encoder: Vec<Letter>,
    decoder: Vec<String>,
}

/// What the spelling model reads: there are twenty thousand, most of them of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    One(char),
    Unknown,
    /// Padding, and what is no letter.
    Other,
}

impl<'de> Deserialize<'de> for Letter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Letter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a letter")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Letter, E> {
                let mut chars = text.chars();
                Ok(match (chars.next(), chars.next()) {
                    (Some(one), None) => Letter::One(one),
                    _ if text == "<unk>" => Letter::Unknown,
                    _ => Letter::Other,
                })
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// What a symbol of the sound model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A phone.
    Phone(Phone),
    /// Modifies the phone before it.
    Mark(Box<str>),
    /// A border between words.
    Border,
    /// Nothing that is said: the blank, ends of sequences, what was in the texts that the model learned from.
    Nothing,
}

/// The symbols of both models.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// Sorted.
    letters: Vec<(char, i32)>,
    unknown_letter: i32,
    symbols: Vec<Symbol>,
    by_phone: HashMap<Phone, u16>,
    start: i32,
    end: i32,
}

impl Vocabulary {
    /// Reads `g2p_vocab.json`.
    ///
    /// # Errors
    /// It is no such file.
    pub fn parse(text: &[u8]) -> Result<Self, PhonemeError> {
        let wrong = |reason: String| PhonemeError::Vocabulary { reason };
        let file: File = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        if file.decoder.len() + BEHIND > usize::from(u16::MAX) {
            return Err(wrong(format!("{} phones", file.decoder.len())));
        }
        let unknown = file.encoder.iter().position(|it| *it == Letter::Unknown);
        let unknown_letter = unknown.ok_or_else(|| wrong("<unk> is no letter".into()))? as i32;
        let place = |name: &str| {
            let place = file.decoder.iter().position(|it| it == name).map(|it| it as i32);
            place.ok_or_else(|| wrong(format!("{name} is no symbol")))
        };
        let (start, end) = (place("<sos>")?, place("<eos>")?);
        let letter = |(id, letter): (usize, &Letter)| match letter {
            Letter::One(one) => Some((*one, id as i32)),
            Letter::Unknown | Letter::Other => None,
        };
        let mut letters: Vec<(char, i32)> = file.encoder.iter().enumerate().filter_map(letter).collect();
        letters.sort_unstable();
        let mut symbols: Vec<Symbol> = file.decoder.iter().map(|it| symbol(it)).collect();
        symbols.extend([Symbol::Border, Symbol::Nothing]);
        let mut by_phone = HashMap::new();
        for (id, symbol) in symbols.iter().enumerate() {
            if let Symbol::Phone(phone) = symbol {
                // Two ways to write one phone: the first is the one that the model learned from.
                by_phone.entry(phone.clone()).or_insert(id as u16);
            }
        }
        Ok(Vocabulary { letters, unknown_letter, symbols, by_phone, start, end })
    }

    /// How many symbols the sound model has.
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// What a symbol is.
    pub fn symbol(&self, id: u16) -> &Symbol {
        self.symbols.get(usize::from(id)).unwrap_or(&Symbol::Nothing)
    }

    /// The symbol of a word's border.
    pub fn border(&self) -> u16 {
        (self.len() - 2) as u16
    }

    /// The blank, and how it is weighed.
    pub fn bias(&self) -> Bias {
        Bias { blank: (self.len() - 1) as u16, blank_bias: BLANK_BIAS }
    }

    /// The symbols that say a phone: its own, or that without its marks. None if the model does not know it.
    pub fn of_phone(&self, phone: &Phone) -> Option<u16> {
        let own = self.by_phone.get(phone).or_else(|| self.by_phone.get(&phone.unmarked()));
        let same = || self.by_phone.iter().filter(|it| it.0.same_sound(phone)).map(|it| *it.1).min();
        own.copied().or_else(same)
    }

    /// The number of a letter.
    pub fn letter(&self, letter: char) -> i32 {
        let place = self.letters.binary_search_by_key(&letter, |it| it.0);
        place.map_or(self.unknown_letter, |it| self.letters[it].1)
    }

    /// The number of what is no letter that it knows.
    pub fn unknown_letter(&self) -> i32 {
        self.unknown_letter
    }

    /// What the spelling model begins with.
    pub fn start(&self) -> i32 {
        self.start
    }

    /// What it ends with.
    pub fn end(&self) -> i32 {
        self.end
    }

    /// Phones from symbols, marks joined to the phones before them.
    pub fn phones(&self, ids: impl IntoIterator<Item = u16>) -> Vec<Phone> {
        let mut phones: Vec<Phone> = vec![];
        for id in ids {
            match self.symbol(id) {
                Symbol::Phone(phone) => phones.push(phone.clone()),
                Symbol::Mark(mark) => {
                    if let Some(last) = phones.last_mut() {
                        *last = last.marked(mark);
                    }
                }
                Symbol::Border | Symbol::Nothing => {}
            }
        }
        phones
    }
}

fn symbol(token: &str) -> Symbol {
    if token.starts_with('<') {
        return Symbol::Nothing;
    }
    if !token.is_empty() && token.chars().all(is_mark) {
        return Symbol::Mark(token.into());
    }
    // Tones in digits, ties without letters and such stand in the list, and are no sounds.
    if Phone::parse_all(token).is_ok_and(|it| !it.is_empty()) {
        return Symbol::Phone(Phone::of_token(token));
    }
    Symbol::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"encoder": ["<pad>", "<unk>", "b", "a", "\u1112"],
        "decoder": ["<pad>", "<sos>", "<eos>", "<unk>", " ", "t͡ʃ", "g", "ɡ", "ɑ", "ː", "²", "一", "͡", "ɪə"]}"#;

    fn phone(text: &str) -> Phone {
        Phone::parse_all(text).unwrap().remove(0)
    }

    #[test]
    fn symbols_are_phones_marks_borders_and_nothing() {
        let vocabulary = Vocabulary::parse(FILE.as_bytes()).unwrap();
        assert_eq!(vocabulary.len(), 16);
        assert_eq!((vocabulary.border(), vocabulary.bias().blank), (14, 15));
        assert_eq!(*vocabulary.symbol(14), Symbol::Border);
        for id in [0, 1, 2, 3, 4, 10, 11, 12, 15, 99] {
            assert_eq!(*vocabulary.symbol(id), Symbol::Nothing, "{id}");
        }
        assert_eq!(vocabulary.phones([9, 5, 4, 8, 9, 14, 7]), [phone("tʃ"), phone("ɑː"), phone("g")]);
        assert_eq!((vocabulary.start(), vocabulary.end()), (1, 2));
    }

    #[test]
    fn a_phone_that_is_not_there_is_found_without_its_marks_or_as_its_like() {
        let vocabulary = Vocabulary::parse(FILE.as_bytes()).unwrap();
        assert_eq!(vocabulary.of_phone(&phone("ɡ")), Some(6));
        assert_eq!(vocabulary.of_phone(&phone("ɑː")), Some(8));
        assert_eq!(vocabulary.of_phone(&phone("ɪə")), Some(13));
        assert_eq!(vocabulary.of_phone(&phone("s")), None);
    }

    #[test]
    fn letters_have_numbers_and_others_have_that_of_the_unknown() {
        let vocabulary = Vocabulary::parse(FILE.as_bytes()).unwrap();
        let numbers = ['a', 'b', '\u{1112}', 'c'].map(|it| vocabulary.letter(it));
        assert_eq!(numbers, [3, 2, 4, vocabulary.unknown_letter()]);
    }

    #[test]
    fn another_file_is_an_error() {
        for text in
            ["", "{}", "[1]", r#"{"encoder": [1], "decoder": []}"#, r#"{"encoder": [], "decoder": ["a"]}"#]
        {
            let error = Vocabulary::parse(text.as_bytes()).unwrap_err();
            assert!(matches!(error, PhonemeError::Vocabulary { .. }), "{text}: {error}");
        }
    }
}
