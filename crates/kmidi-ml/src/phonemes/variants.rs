//! Words of English that are said in more than one way, as speakers do and spelling does not tell.
//!
//! A word is judged by the one that is nearest to what was heard: who says *thee* or *thuh* for *the* is right.

/// The usual ways in British and American English; the spelling model's own way counts too.
const VARIANTS: [(&str, &[&str]); 43] = [
    ("a", &["ə", "eɪ"]),
    ("an", &["ən", "æn"]),
    ("and", &["ænd", "ənd", "ən"]),
    ("are", &["ɑɹ", "ɝ"]),
    ("as", &["æz", "əz"]),
    ("at", &["æt", "ət"]),
    ("been", &["bɪn", "bin"]),
    ("but", &["bʌt"]),
    ("can", &["kæn", "kən"]),
    ("do", &["du"]),
    ("either", &["iðɝ", "aɪðɝ"]),
    ("for", &["fɔɹ", "fɝ"]),
    ("from", &["fɹʌm"]),
    ("had", &["hæd", "əd"]),
    ("has", &["hæz", "əz"]),
    ("have", &["hæv", "əv"]),
    ("he", &["hi"]),
    ("her", &["hɝ"]),
    ("i", &["aɪ"]),
    ("is", &["ɪz"]),
    ("me", &["mi"]),
    ("my", &["maɪ"]),
    ("neither", &["niðɝ", "naɪðɝ"]),
    ("of", &["ʌv", "ɑv"]),
    ("or", &["ɔɹ", "ɝ"]),
    ("our", &["aʊɝ", "ɑɹ"]),
    ("she", &["ʃi"]),
    ("some", &["sʌm"]),
    ("than", &["ðæn", "ðən"]),
    ("that", &["ðæt", "ðət"]),
    ("the", &["ðə", "ði"]),
    ("their", &["ðɛɹ"]),
    ("them", &["ðɛm", "ðəm"]),
    ("there", &["ðɛɹ"]),
    ("they", &["ðeɪ"]),
    ("to", &["tu", "tə"]),
    ("was", &["wʌz", "wɑz"]),
    ("we", &["wi"]),
    ("what", &["wʌt", "wɑt"]),
    ("where", &["wɛɹ"]),
    ("would", &["wʊd"]),
    ("you", &["ju"]),
    ("your", &["jɔɹ", "jʊɹ"]),
];

/// The ways to say a word, in IPA; none where its spelling tells all that is known.
pub(super) fn variants(word: &str) -> &'static [&'static str] {
    let place = VARIANTS.binary_search_by(|it| it.0.cmp(word));
    place.map_or(&[], |it| VARIANTS[it].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phonemes::Phone;

    #[test]
    fn words_are_in_order_and_their_ways_are_ipa() {
        assert!(VARIANTS.is_sorted_by(|a, b| a.0 < b.0));
        for (word, ways) in VARIANTS {
            assert!(!ways.is_empty());
            for way in ways {
                assert!(!Phone::parse_all(way).unwrap().is_empty(), "{word}");
            }
        }
        assert_eq!(variants("the"), ["ðə", "ði"]);
        assert!(variants("thee").is_empty());
    }
}
