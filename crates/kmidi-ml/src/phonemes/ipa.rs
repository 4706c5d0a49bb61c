//! IPA as phones: an affricate, a diphthong and a long vowel are one each, however they are written.

use std::fmt;

/// A phone, written in one way: affricates with a tie, length and other marks behind what they modify.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(Box<str>);

/// Something in a transcription that is no phone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no phone of the IPA, nor of ARPABET{hint}")]
pub struct NoPhone {
    /// What stands there.
    pub text: String,
    hint: &'static str,
}

impl NoPhone {
    pub(super) fn new(text: impl Into<String>) -> Self {
        NoPhone { text: text.into(), hint: "" }
    }

    fn lonely_mark(mark: char) -> Self {
        NoPhone { text: mark.to_string(), hint: ": the mark has no letter before it" }
    }
}

const TIES: [char; 2] = ['\u{361}', '\u{35c}'];

/// Two letters that are one phone without a tie too. `ts` and `dz` are not among them: in most languages that
/// have these, they are two (*cats*).
const PAIRS: [(&str, &str); 16] = [
    ("tʃ", "t͡ʃ"),
    ("dʒ", "d͡ʒ"),
    ("tɕ", "t͡ɕ"),
    ("dʑ", "d͡ʑ"),
    ("ʈʂ", "ʈ͡ʂ"),
    ("ɖʐ", "ɖ͡ʐ"),
    ("aɪ", "aɪ"),
    ("aʊ", "aʊ"),
    ("eɪ", "eɪ"),
    ("oʊ", "oʊ"),
    ("əʊ", "oʊ"),
    ("ɔɪ", "ɔɪ"),
    ("eə", "eə"),
    ("ɪə", "ɪə"),
    ("ə˞", "ɚ"),
    ("ɜ˞", "ɝ"),
];

/// Letters that have another way to write them.
const LETTERS: [(char, &str); 9] = [
    ('ʧ', "t͡ʃ"),
    ('ʤ', "d͡ʒ"),
    ('ʦ', "t͡s"),
    ('ʣ', "d͡z"),
    ('ʨ', "t͡ɕ"),
    ('ʥ', "d͡ʑ"),
    ('ɡ', "g"),
    ('ε', "ɛ"),
    ('ƞ', "ŋ"),
];

impl Phone {
    /// The phones of a transcription. Stress, syllables, spaces and brackets end a phone and are no phones.
    ///
    /// # Errors
    /// [`NoPhone`]: something in it that the IPA does not have, or a mark that modifies nothing.
    pub fn parse_all(text: &str) -> Result<Vec<Phone>, NoPhone> {
        let chars: Vec<char> = text.chars().collect();
        let (mut phones, mut at) = (vec![], 0);
        while let Some(&first) = chars.get(at) {
            if is_between(first) {
                at += 1;
                continue;
            }
            if is_mark(first) || TIES.contains(&first) {
                return Err(NoPhone::lonely_mark(first));
            }
            if !is_letter(first) {
                return Err(NoPhone::new(first.to_string()));
            }
            let (phone, length) = Phone::first_of(&chars[at..]);
            phones.push(phone);
            at += length;
        }
        Ok(phones)
    }

    /// The phone that `chars` begins with a letter of, and how many of them it is.
    fn first_of(chars: &[char]) -> (Phone, usize) {
        let tied = chars.len() > 2 && TIES.contains(&chars[1]) && is_letter(chars[2]);
        let pair: String = chars.iter().take(2).collect();
        let (mut text, mut length) = if tied {
            (format!("{}\u{361}{}", plain(chars[0]), plain(chars[2])), 3)
        } else if let Some((_, one)) = PAIRS.iter().find(|it| it.0 == pair) {
            ((*one).to_owned(), 2)
        } else {
            (plain(chars[0]), 1)
        };
        for mark in chars[length..].iter().take_while(|it| is_mark(**it)) {
            text.push(*mark);
            length += 1;
        }
        (Phone(text.into()), length)
    }

    /// A phone of a model's vocabulary, which writes them one by one.
    pub(super) fn of_token(token: &str) -> Phone {
        let mut chars = token.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Phone(plain(one).into()),
            _ => Phone(token.into()),
        }
    }

    /// The same with a mark behind it.
    pub(super) fn marked(&self, mark: &str) -> Phone {
        Phone(format!("{}{mark}", self.0).into())
    }

    /// In IPA.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its marks: what a vocabulary knows if it does not know the phone itself.
    pub(super) fn unmarked(&self) -> Phone {
        Phone(self.0.chars().filter(|it| !is_mark(*it)).collect::<String>().into())
    }

    /// What counts as the same when phones are compared: length, aspiration and other marks are not told
    /// apart, nor are sounds that English tells apart by their place alone (ʌ ɐ ə, ɚ ɝ ɜ, t ɾ, l ɫ), nor r and ɹ.
    pub fn same_sound(&self, other: &Phone) -> bool {
        self == other || self.folded() == other.folded()
    }

    fn folded(&self) -> Phone {
        let bare = self.unmarked();
        let folded = match bare.as_str() {
            "ʌ" | "ɐ" => "ə",
            "ɚ" | "ɜ" => "ɝ",
            "ɾ" => "t",
            "ɫ" => "l",
            "r" => "ɹ",
            "ʍ" => "w",
            _ => return bare,
        };
        Phone(folded.into())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Phone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn plain(letter: char) -> String {
    let other = LETTERS.iter().find(|it| it.0 == letter);
    other.map_or_else(|| letter.to_string(), |it| it.1.to_owned())
}

/// Whether it modifies the letter before it.
pub(super) fn is_mark(it: char) -> bool {
    let combining = ('\u{300}'..='\u{36f}').contains(&it) && !TIES.contains(&it);
    combining || "ːˑʰʱʲʷˠˤ˞ʼⁿˡᵊᵝˀ˥˦˧˨˩˕˔".contains(it)
}

/// Whether it stands between phones.
fn is_between(it: char) -> bool {
    it.is_whitespace() || "ˈˌ'ʹ.|‖‿-–/[]()".contains(it)
}

/// Letters of the IPA: small Latin ones, the block of IPA extensions, and some of Greek and Latin-1.
fn is_letter(it: char) -> bool {
    it.is_ascii_lowercase() || ('\u{250}'..='\u{2af}').contains(&it) || "æçðøħŋœβθχεãõẽĩũñäåƞⱱ".contains(it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        let phones = Phone::parse_all(text).expect("all of it is IPA");
        phones.iter().map(Phone::to_string).collect()
    }

    #[test]
    fn an_affricate_is_one_phone_in_each_spelling() {
        for text in ["t͡ʃ", "t͜ʃ", "tʃ", "ʧ"] {
            assert_eq!(parsed(text), ["t͡ʃ"], "{text}");
        }
        assert_eq!(parsed("d͡ʒʌd͡ʒ dʒ"), ["d͡ʒ", "ʌ", "d͡ʒ", "d͡ʒ"]);
        assert_eq!(parsed("t ʃ"), ["t", "ʃ"], "a space is a border");
        assert_eq!(parsed("kæts"), ["k", "æ", "t", "s"]);
        assert_eq!(parsed("t͡s"), ["t͡s"]);
    }

    #[test]
    fn length_and_other_marks_belong_to_the_phone_before_them() {
        assert_eq!(parsed("ˈfɑːðə"), ["f", "ɑː", "ð", "ə"]);
        assert_eq!(parsed("tʰɪn̩"), ["tʰ", "ɪ", "n̩"]);
        assert_eq!(parsed("t͡ʃʰiːˑ"), ["t͡ʃʰ", "iːˑ"]);
        assert_eq!(parsed("bɜ˞d ə˞"), ["b", "ɝ", "d", "ɚ"]);
    }

    #[test]
    fn a_diphthong_is_one_phone() {
        assert_eq!(parsed("naɪt ɡoʊ bɔɪ əʊ"), ["n", "aɪ", "t", "g", "oʊ", "b", "ɔɪ", "oʊ"]);
        assert_eq!(parsed("a.ɪ"), ["a", "ɪ"], "two syllables are two vowels");
    }

    #[test]
    fn what_is_no_phone_is_named() {
        let error = Phone::parse_all("hə7l").unwrap_err();
        assert!(error.to_string().contains('7'), "{error}");
        assert_eq!(Phone::parse_all("ːa").unwrap_err(), NoPhone::lonely_mark('ː'));
        assert!(Phone::parse_all("你").is_err());
        assert_eq!(Phone::parse_all("").unwrap(), []);
    }

    #[test]
    fn sounds_that_are_told_apart_by_place_alone_are_the_same_and_others_are_not() {
        let same = |a: &str, b: &str| {
            let (a, b) = (Phone::parse_all(a).unwrap(), Phone::parse_all(b).unwrap());
            a[0].same_sound(&b[0])
        };
        for (a, b) in [("ʌ", "ə"), ("ɚ", "ɝ"), ("ɑː", "ɑ"), ("ɡ", "g"), ("r", "ɹ"), ("tʰ", "t"), ("ɜː", "ɝ")]
        {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("s", "z"), ("i", "ɪ"), ("t͡ʃ", "t"), ("aɪ", "a"), ("ɑ", "ɔ")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
