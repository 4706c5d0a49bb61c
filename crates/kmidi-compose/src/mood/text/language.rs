//! Whether a text is English, as far as its commonest words and letters tell.
use std::sync::LazyLock;

use super::words::Words;

/// A language that people write in, by its common words and its words for feelings.
struct Language {
    name: &'static str,
    /// Words that no English text has.
    plain: &'static str,
    /// Common words that are English ones too, or names: they count beside plain ones only.
    shared: &'static str,
}

const LANGUAGES: [Language; 14] = [
    Language {
        name: "German",
        plain: "ich und nicht ist ein eine einen mein meine meinen mich mir wir sie auf mit zu habe hast sehr auch \
            für aber weil wenn dich dir nichts kein keine keinen immer schon noch wie wieder heute ohne nach bei \
            vom zum zur ihr uns euch sind warst waren wurde werde kann muss fühle fühlt vermisse traurig \
            glücklich wütend ängstlich einsam müde liebe hasse leben herz",
        shared: "der die das bin du es war so in er an dem den des was hat man alles angst",
    },
    Language {
        name: "French",
        plain: "je suis et est nous vous dans avec très qui que mais sont était j'ai c'est j'étais n'ai n'est m'a \
            t'aime l'amour d'amour rien jamais toujours toute parce quand aujourd'hui ne leur votre êtes triste \
            heureux heureuse colère peur seul seule fatigué fatiguée cœur aime déteste",
        shared: "le la des ma tu ce sur en se un il on son me a te de du au aux mon sa si par pour les encore vie \
            tout mes chez sans comme mort une pas elle notre moi",
    },
    Language {
        name: "Spanish",
        plain: "yo estoy estás está estamos muy soy eres somos tengo tienes pero siento mis porque qué cuando nunca \
            siempre quiero puedo hoy todos más también extraño fue estar sé mí tú él nosotros ellos quién dónde \
            feliz triste miedo enojado enojada odio muerte corazón sola cansado cansada perdido perdida menos",
        shared: "el los y mi por es te me la de no que en un lo le se a su si al del solo ha he como era sin con todo \
            una amor gracias echo ser las para nada hay ella vida",
    },
    Language {
        name: "Italian",
        plain: "sono siamo gli miei molto perché della dello questo questa sento ho hai abbiamo è più così \
            quando niente sempre voglio posso oggi tutto tutti senza anche ancora nessuno felice triste paura \
            arrabbiato arrabbiata odio morte amo cuore stanco stanca grazie manchi",
        shared: "mia il e per ma ti di la non un una in si lo le a mi con da sola solo se ha io che mio mai sei vita",
    },
    Language {
        name: "Portuguese",
        plain: "eu estou está estamos meu minha meus minhas muito muita não sou tenho você sinto porque quando nunca \
            sempre quero posso hoje tudo todos sem também ainda ninguém saudade saudades feliz triste medo raiva \
            ódio morte coração sozinho sozinha cansado cansada obrigado obrigada é são",
        shared: "amor os com mas e de o a que um em no na se me por da do das dos as uma nada vida",
    },
    Language {
        name: "Dutch",
        plain: "ik het een niet mijn zijn voor maar wij jij jullie deze niets nooit altijd vandaag alles zonder ook \
            nog weer waarom omdat voel voelt moet blij boos verdrietig gelukkig eenzaam leven dood",
        shared: "ben van ze heel je heb en is de in me te op bang moe dat wat hart kan wil erg hij",
    },
    Language {
        name: "Swedish",
        plain: "är och inte det mycket för vill ingen inget aldrig alltid idag allt utan också varför känner mår \
            ledsen lycklig rädd ensam trött död hjärta saknar älskar",
        shared: "en som vi du han den av på med de om kan hon dig glad liv har att arg jag mig",
    },
    Language {
        name: "Danish or Norwegian",
        plain: "jeg ikke og det meget deg vil ingen intet aldrig aldri altid alltid uden uten også hvorfor føler \
            savner elsker trist vred bange redd ensom træt trøtt",
        shared: "en et som vi du han den på med de om kan for at dig glad har hun meg sint er mig",
    },
    Language {
        name: "Finnish",
        plain: "minä olen olet sinä ei hyvin niin mutta koska että tämä kaikki mitään ikinä aina rakastan vihaan \
            surullinen iloinen vihainen peloissani yksin väsynyt",
        shared: "on se hän ja en",
    },
    Language {
        name: "Polish",
        plain: "jestem się nie bardzo mnie mój moja moje jak dlaczego wszystko nic nigdy zawsze dzisiaj masz czuję \
            kocham nienawidzę smutny smutna szczęśliwy szczęśliwa zły zła boję zmęczony zmęczona życie",
        shared: "to i w z na do co ja ty on że ale sam jest mam sama",
    },
    Language {
        name: "Czech or Slovak",
        plain: "jsem som není nie velmi jako proč všechno nic nikdy vždy dnes mám cítím miluju milujem nenávidím \
            smutný smutná šťastný šťastná bojím sám unavený život můj moje",
        shared: "se to na v a je sama moc",
    },
    Language {
        name: "Turkish",
        plain: "çok bir ve değil bu için neden hiç seni beni sana mutlu üzgünüm kızgınım korkuyorum yalnızım \
            yorgunum mutluyum seviyorum özledim hayat kalbim",
        shared: "ne de da o var yok ben her ama bana",
    },
    Language {
        name: "Romanian",
        plain: "sunt și nu foarte mea meu mine este ești dar pentru când nimic niciodată mereu astăzi fără trist \
            tristă fericit fericită frică supărat supărată singur singură obosit obosită iubesc urăsc viață",
        shared: "o un de la pe cu ce ma eu",
    },
    Language {
        name: "Indonesian or Malay",
        plain: "saya aku kamu tidak sangat itu karena tapi sekali merasa sedih bahagia marah takut kesepian lelah \
            cinta benci rindu hidup",
        shared: "di ke ada dan yang ini",
    },
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

/// A word of a language.
struct Entry {
    word: &'static str,
    /// Which of [`LANGUAGES`].
    language: usize,
    plain: bool,
}

/// The words of all languages, sorted; made once.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let of = |(language, it): (usize, &Language)| {
        let words =
            |list: &'static str, plain| list.split(' ').map(move |word| Entry { word, language, plain });
        words(it.plain, true).chain(words(it.shared, false))
    };
    let mut entries: Vec<Entry> = LANGUAGES.iter().enumerate().flat_map(of).collect();
    entries.sort_unstable_by_key(|entry| entry.word);
    entries
});

/// The languages that have a word.
fn entries(word: &str) -> &'static [Entry] {
    let from = &ENTRIES[ENTRIES.partition_point(|entry| entry.word < word)..];
    &from[..from.iter().take_while(|entry| entry.word == word).count()]
}

/// A text shows its language early.
const LOOKED_AT: usize = 200;

/// What is said of a text whose words have letters of another language, and are common in none of those above.
const ANOTHER: &str = "another language";

/// The language of a text that is clearly not English; `is_english` knows some thousand English words.
///
/// It is one if no word has Latin letters; if more of its words are common in that language than in English, two at least; or if one
/// is, and it has no English word at all.
pub fn foreign(words: &Words, mut is_english: impl FnMut(&str) -> bool) -> Option<&'static str> {
    let latin = |word: &str| word.chars().any(|letter| matches!(letter, 'a'..='z' | '\u{df}'..='\u{24f}'));
    if !words.iter().any(latin) {
        let has = |script: &std::ops::RangeInclusive<char>| {
            words.iter().flat_map(str::chars).any(|letter| script.contains(&letter))
        };
        // Japanese is written in Chinese letters too, so that its own come first.
        return SCRIPTS.iter().find(|(_, script)| has(script)).map(|(name, _)| *name);
    }
    let words = || words.iter().take(LOOKED_AT);
    let count = words().count();
    let is_common = |word: &str| ENGLISH.binary_search(&word).is_ok();
    let english = words().filter(|word| is_common(word)).count();
    let mut found = [(0, 0); LANGUAGES.len()];
    for entry in words().flat_map(entries) {
        let (plain, shared) = &mut found[entry.language];
        *if entry.plain { plain } else { shared } += 1;
    }
    // Of several with the most the first.
    let best = (0..found.len()).rev().max_by_key(|language| found[*language])?;
    let (plain, shared) = found[best];
    let mut has_no_english = || {
        // What is common in both says nothing for English.
        words().all(|word| {
            entries(word).iter().any(|entry| entry.language == best) || !is_common(word) && !is_english(word)
        })
    };
    if plain > 0 {
        // Of no other language are a third of the words common in English.
        let more = plain + shared >= 2 && plain + shared > english && english * 3 < count;
        return (more || has_no_english()).then_some(LANGUAGES[best].name);
    }
    let strange = words().filter(|word| !word.is_ascii()).count();
    (strange >= 2 && strange * 3 >= count && english == 0 && has_no_english()).then_some(ANOTHER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign_in(text: &str) -> Option<&'static str> {
        let mut words = Words::default();
        words.read(text);
        let is_english = |word: &str| {
            let mut stemmer = crate::mood::text::stem::Stemmer::default();
            let stem = stemmer.stem(word).to_owned();
            crate::mood::valence::Valence::rates(word)
                || !crate::mood::lexicon::Lexicon::get().word(word, &stem).is_empty()
        };
        foreign(&words, is_english)
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
        for (text, language) in [
            ("Estoy triste", "Spanish"),
            ("tengo miedo", "Spanish"),
            ("me siento solo", "Spanish"),
            ("no puedo más", "Spanish"),
            ("te echo de menos", "Spanish"),
            ("Ich vermisse dich", "German"),
            ("traurig", "German"),
            ("ti amo", "Italian"),
            ("ho paura di morire", "Italian"),
            ("je t'aime", "French"),
            ("la vie est belle", "French"),
            ("tenho saudades de casa", "Portuguese"),
            ("ik mis je, het is stil", "Dutch"),
            ("jeg er så trist", "Danish or Norwegian"),
            ("olen hyvin surullinen", "Finnish"),
            ("jestem bardzo smutny", "Polish"),
            ("çok üzgünüm", "Turkish"),
            ("sunt foarte trist", "Romanian"),
            ("aku sangat sedih", "Indonesian or Malay"),
            ("tôi rất buồn", "another language"),
        ] {
            assert_eq!(foreign_in(text), Some(language), "{text}");
        }
        assert_eq!(foreign_in("Мне грустно"), Some("a language in Cyrillic letters"));
    }

    #[test]
    fn what_is_plain_is_no_english_word() {
        use crate::mood::valence::Valence;
        let plain = || LANGUAGES.iter().flat_map(|language| language.plain.split(' '));
        let english = plain().filter(|word| ENGLISH.binary_search(word).is_ok() || Valence::rates(word));
        assert_eq!(english.collect::<Vec<_>>(), [""; 0]);
        assert!(plain().count() > 300);
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
            "a big van",
            "Los Angeles dreaming",
            "Los Angeles",
            "el nino winter",
            "the old cafe by the sea",
            "a naïve fiancé in a café",
            "no one to me",
            "Ben is mad",
            "heel, sit, die",
            "no man is an island",
            "so in love with her",
            "per diem",
            "the Das Kapital of my life, I mean it",
            "C'est la vie, I said, and it was over",
            "",
        ] {
            assert_eq!(foreign_in(text), None, "{text}");
        }
    }
}
