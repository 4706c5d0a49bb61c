//! Whether a text is English, as far as its commonest words and letters tell.
use super::words::Words;

/// Words that are common in one language and are no English words.
const FOREIGN: [(&str, &[&str]); 7] = [
    (
        "German",
        &[
            "ich", "und", "nicht", "der", "das", "ist", "ein", "eine", "mein", "meine", "mich", "mir", "bin",
            "wir", "sie", "auf", "mit", "zu", "habe", "sehr", "auch", "für", "aber", "weil", "wenn", "dich",
            "du", "es",
        ],
    ),
    (
        "French",
        &[
            "je", "suis", "et", "les", "une", "des", "ma", "mes", "moi", "est", "pas", "nous", "vous",
            "dans", "avec", "très", "qui", "que", "pour", "j'ai", "c'est", "mais", "tu", "elle", "ce", "sur",
            "le",
        ],
    ),
    (
        "Spanish",
        &[
            "yo", "estoy", "el", "los", "las", "una", "y", "mi", "muy", "por", "para", "soy", "es", "tengo",
            "pero", "siento", "como", "mis", "te", "porque", "está",
        ],
    ),
    (
        "Italian",
        &[
            "io", "sono", "il", "gli", "che", "e", "mio", "mia", "molto", "per", "ho", "è", "ma", "ti",
            "perché", "della", "questo", "sento",
        ],
    ),
    (
        "Portuguese",
        &[
            "eu", "estou", "os", "uma", "meu", "minha", "muito", "muita", "com", "não", "sou", "tenho",
            "mas", "você", "sinto", "e", "é",
        ],
    ),
    (
        "Dutch",
        &[
            "ik", "ben", "het", "een", "niet", "mijn", "van", "ze", "zijn", "heel", "voor", "maar", "heb",
            "je", "erg", "wij",
        ],
    ),
    (
        "Swedish",
        &["jag", "är", "och", "inte", "att", "det", "en", "mycket", "som", "mig", "har", "för", "vi"],
    ),
];

/// Words that are common in English, sorted.
const ENGLISH: &[&str] = &[
    "a", "all", "am", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "can't", "do",
    "don't", "feel", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "i'm", "if", "in",
    "is", "it", "it's", "just", "like", "me", "my", "never", "no", "not", "of", "on", "our", "she", "so",
    "that", "the", "their", "there", "they", "this", "to", "was", "we", "were", "what", "when", "who",
    "will", "with", "you", "your",
];

/// Letters of other scripts, by a name for the languages written in them.
const SCRIPTS: [(&str, std::ops::RangeInclusive<char>); 9] = [
    ("Greek", '\u{370}'..='\u{3ff}'),
    ("a language in Cyrillic letters", '\u{400}'..='\u{52f}'),
    ("Hebrew", '\u{590}'..='\u{5ff}'),
    ("a language in Arabic letters", '\u{600}'..='\u{77f}'),
    ("a language of India", '\u{900}'..='\u{dff}'),
    ("Thai", '\u{e00}'..='\u{e7f}'),
    ("Japanese", '\u{3040}'..='\u{30ff}'),
    ("Chinese or Japanese", '\u{4e00}'..='\u{9fff}'),
    ("Korean", '\u{ac00}'..='\u{d7af}'),
];

/// The language of a text that is clearly not English.
///
/// It is one if no word has Latin letters, or if more of its words are common in that language than in English, two at least.
pub fn foreign(words: &Words) -> Option<&'static str> {
    let latin = |word: &str| word.chars().any(|letter| matches!(letter, 'a'..='z' | '\u{df}'..='\u{24f}'));
    if !words.iter().any(latin) {
        let has = |script: &std::ops::RangeInclusive<char>| {
            words.iter().flat_map(str::chars).any(|letter| script.contains(&letter))
        };
        // Japanese is written in Chinese letters too, so that its own come first.
        return SCRIPTS.iter().find(|(_, script)| has(script)).map(|(name, _)| *name);
    }
    // A text shows its language early.
    const LOOKED_AT: usize = 200;
    let words = || words.iter().take(LOOKED_AT);
    let english = words().filter(|word| ENGLISH.binary_search(word).is_ok()).count();
    // Of no other language are a third of the words common in English.
    if english * 3 >= words().count() {
        return None;
    }
    let mut foreign = [0; FOREIGN.len()];
    for word in words() {
        for ((_, common), count) in FOREIGN.iter().zip(&mut foreign) {
            *count += usize::from(common.contains(&word));
        }
    }
    let (best, count) =
        foreign.into_iter().enumerate().max_by_key(|&(at, count)| (count, FOREIGN.len() - at))?;
    (count >= 2 && count > english).then_some(FOREIGN[best].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign_in(text: &str) -> Option<&'static str> {
        let mut words = Words::default();
        words.read(text);
        foreign(&words)
    }

    #[test]
    fn languages_are_told_by_their_commonest_words() {
        assert_eq!(foreign_in("Ich bin sehr traurig und die Liebe war zu Ende"), Some("German"));
        assert_eq!(foreign_in("je suis triste"), Some("French"));
        assert_eq!(foreign_in("Estoy muy feliz porque te quiero"), Some("Spanish"));
        assert_eq!(foreign_in("Io sono molto felice"), Some("Italian"));
        assert_eq!(foreign_in("eu estou muito triste"), Some("Portuguese"));
        assert_eq!(foreign_in("ik ben heel boos"), Some("Dutch"));
        assert_eq!(foreign_in("jag är mycket ledsen"), Some("Swedish"));
        assert_eq!(foreign_in("私は悲しい"), Some("Japanese"));
        assert_eq!(foreign_in("Мне грустно"), Some("a language in Cyrillic letters"));
    }

    #[test]
    fn the_list_is_in_the_order_in_which_it_is_searched() {
        assert!(ENGLISH.is_sorted());
    }

    #[test]
    fn english_and_the_unknown_are_not_called_foreign() {
        for text in [
            "I am sad",
            "Die, die, my darling",
            "grief",
            "la la la",
            "traurig",
            "the Das Kapital of my life, I mean it",
            "C'est la vie, I said, and it was over",
            "",
        ] {
            assert_eq!(foreign_in(text), None, "{text}");
        }
    }
}
