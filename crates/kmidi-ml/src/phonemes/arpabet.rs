//! ARPABET, in which pronunciations of English are often typed: `hh ah l ow`.

use super::ipa::{NoPhone, Phone};

const SYMBOLS: [(&str, &str); 46] = [
    ("aa", "ɑ"),
    ("ae", "æ"),
    ("ah", "ʌ"),
    ("ao", "ɔ"),
    ("aw", "aʊ"),
    ("ax", "ə"),
    ("axr", "ɚ"),
    ("ay", "aɪ"),
    ("b", "b"),
    ("ch", "t͡ʃ"),
    ("d", "d"),
    ("dh", "ð"),
    ("dx", "ɾ"),
    ("eh", "ɛ"),
    ("el", "l̩"),
    ("em", "m̩"),
    ("en", "n̩"),
    ("er", "ɝ"),
    ("ey", "eɪ"),
    ("f", "f"),
    ("g", "g"),
    ("hh", "h"),
    ("ih", "ɪ"),
    ("ix", "ɨ"),
    ("iy", "i"),
    ("jh", "d͡ʒ"),
    ("k", "k"),
    ("l", "l"),
    ("m", "m"),
    ("n", "n"),
    ("ng", "ŋ"),
    ("ow", "oʊ"),
    ("oy", "ɔɪ"),
    ("p", "p"),
    ("r", "ɹ"),
    ("s", "s"),
    ("sh", "ʃ"),
    ("t", "t"),
    ("th", "θ"),
    ("uh", "ʊ"),
    ("uw", "u"),
    ("v", "v"),
    ("w", "w"),
    ("y", "j"),
    ("z", "z"),
    ("zh", "ʒ"),
];

/// Phones as they are typed: IPA, or ARPABET if every group between spaces is one of its symbols and one of
/// them could not be IPA, being capital or of two letters. Stress digits are passed over.
///
/// # Errors
/// [`NoPhone`]: something that is neither.
pub fn parse_phones(text: &str) -> Result<Vec<Phone>, NoPhone> {
    let symbol = |group: &str| {
        let bare = group.trim_end_matches(['0', '1', '2']).to_ascii_lowercase();
        SYMBOLS.iter().find(|it| it.0 == bare).map(|it| it.1)
    };
    let groups: Vec<&str> = text.split_whitespace().collect();
    let ipa: Option<Vec<&str>> = groups.iter().map(|group| symbol(group)).collect();
    let telling = |group: &&str| group.len() > 1 || group.bytes().any(|it| it.is_ascii_uppercase());
    match ipa {
        Some(ipa) if groups.iter().any(telling) => Phone::parse_all(&ipa.join(" ")),
        _ => Phone::parse_all(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        parse_phones(text).unwrap().iter().map(Phone::to_string).collect()
    }

    #[test]
    fn arpabet_is_told_from_ipa() {
        assert_eq!(parsed("hh ah l ow"), ["h", "ʌ", "l", "oʊ"]);
        assert_eq!(parsed("HH AH0 L OW1"), ["h", "ʌ", "l", "oʊ"]);
        assert_eq!(parsed("h ə l oʊ"), ["h", "ə", "l", "oʊ"]);
        assert_eq!(parsed("həloʊ"), ["h", "ə", "l", "oʊ"]);
        assert_eq!(parsed("s iː"), ["s", "iː"], "IPA as soon as one group is no symbol");
    }

    #[test]
    fn every_symbol_is_one_phone() {
        for (symbol, ipa) in SYMBOLS {
            assert_eq!(Phone::parse_all(ipa).unwrap().len(), 1, "{symbol}");
        }
    }

    #[test]
    fn what_is_neither_is_an_error() {
        assert!(parse_phones("HH QQ").is_err());
        assert!(parse_phones("hello 5").is_err());
    }
}
