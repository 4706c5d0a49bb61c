//! What a text asks for as words that a filter would look up.

use kmidi_library::{Filter, Key, Range};

/// A line for each thing that a filter is there for and is not asked.
pub fn of(text: &str, filter: &Filter) -> Vec<String> {
    let is_sign = |c: char| ",.;:!?\"()".contains(c);
    let words = text.split_whitespace().map(|word| word.trim_matches(is_sign));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut hints = vec![];
    if let Some(said) = tempo(&words).filter(|_| filter.bpm.is_none()) {
        let range = said.to_lowercase().replace("bpm", "");
        hints.push(format!("\"{said}\" is looked for as words; what has this tempo: --bpm {}", range.trim()));
    }
    if filter.key.is_none() {
        if let Some((said, key)) = key(&words) {
            hints.push(format!("\"{said}\" is looked for as words; what is in this key: --key \"{key}\""));
        } else if let Some(said) = mode(&words) {
            hints.push(format!("\"{said}\" is looked for as words; --key wants a tonic too: --key Am"));
        }
    }
    hints
}

/// `186 bpm`, `90-120 BPM`, `bpm 186`, `186bpm`.
fn tempo(words: &[&str]) -> Option<String> {
    let is_range = |word: &str| word.parse::<Range>().is_ok();
    let is_bpm = |word: &str| word.eq_ignore_ascii_case("bpm");
    let pair =
        words.windows(2).find(|it| (is_range(it[0]) && is_bpm(it[1])) || (is_bpm(it[0]) && is_range(it[1])));
    let alone = words.iter().find(|word| {
        let word = word.to_lowercase();
        word.strip_suffix("bpm").or_else(|| word.strip_prefix("bpm")).is_some_and(is_range)
    });
    pair.map(|it| it.join(" ")).or_else(|| alone.map(|it| (*it).to_owned()))
}

/// `D minor`, `f# maj`, `Am`.
fn key(words: &[&str]) -> Option<(String, Key)> {
    let two = words.windows(2).enumerate().find_map(|(at, it)| {
        // "a" is an article where something follows that is minor or major.
        let is_tonic = it[0].chars().count() <= 2 && (it[0] != "a" || at + 2 == words.len());
        let key = format!("{} {}", it[0], it[1]).parse().ok();
        key.filter(|_| is_tonic && is_mode(it[1])).map(|key| (it.join(" "), key))
    });
    // A letter alone is none, nor is a word that is not written like a key.
    let one = || {
        words.iter().find_map(|word| {
            let is_key = word.starts_with(|c: char| c.is_ascii_uppercase()) && word.len() > 1;
            let has_mode = ["m", "min", "minor", "maj", "major"].iter().any(|mode| word.ends_with(mode));
            word.parse().ok().filter(|_| is_key && has_mode).map(|key| ((*word).to_owned(), key))
        })
    };
    two.or_else(one)
}

/// `minor key`, `in major`.
fn mode(words: &[&str]) -> Option<String> {
    let is_key = |word: &str| ["key", "scale"].iter().any(|it| word.eq_ignore_ascii_case(it));
    let pair = words
        .windows(2)
        .find(|it| (is_mode(it[0]) && is_key(it[1])) || (it[0].eq_ignore_ascii_case("in") && is_mode(it[1])));
    pair.map(|it| it.join(" "))
}

fn is_mode(word: &str) -> bool {
    ["min", "minor", "maj", "major"].iter().any(|it| word.eq_ignore_ascii_case(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tempo_and_key_among_the_words_are_told_with_their_flags_and_other_words_are_not() {
        for (text, flag) in [
            ("186 bpm", "--bpm 186"),
            ("fast drums, 186BPM", "--bpm 186"),
            ("bpm 92.5", "--bpm 92.5"),
            ("house 120-128 bpm", "--bpm 120-128"),
            ("pad in d minor", "--key \"D minor\""),
            ("pad in A minor, slow", "--key \"A minor\""),
            ("pad in a minor", "--key \"A minor\""),
            ("F# maj strings", "--key \"F# major\""),
            ("sad piano Bbm", "--key \"Bb minor\""),
            ("in a minor key", "--key Am"),
            ("slow song in major", "--key Am"),
        ] {
            let hints = of(text, &Filter::default());
            assert!(hints.len() == 1 && hints[0].ends_with(flag), "{text}: {hints:?}");
        }
        for plain in [
            "a minor chord",
            "minor third",
            "bpm counter",
            "808 drums",
            "i am happy",
            "E.Piano",
            "major lazer key",
            "Dem bow",
            "",
        ] {
            assert_eq!(of(plain, &Filter::default()), [""; 0], "{plain}");
        }
    }

    #[test]
    fn what_a_filter_is_asked_already_is_not_told() {
        let text = "186 bpm in D minor";
        assert_eq!(of(text, &Filter::default()).len(), 2);
        let bpm = "186".parse().ok();
        assert_eq!(of(text, &Filter { bpm, ..Filter::default() }).len(), 1);
        let key = "Dm".parse().ok();
        assert_eq!(of(text, &Filter { bpm, key, ..Filter::default() }), [""; 0]);
    }
}
