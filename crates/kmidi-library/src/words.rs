//! Text as terms: what a query and an item have in common.

/// Longest term in bytes; what is longer is cut.
pub(crate) const MAX_TERM_BYTES: usize = 24;
/// Terms of one text that count.
pub(crate) const MAX_TERMS: usize = 512;

/// Calls `give` with each term of a text: lower-case, without accents, cut where letters meet digits and where a new
/// capital begins, so that `WarmPad_01` is `warm`, `pad`, `01` and what was written together, `warmpad`.
pub(crate) fn terms(text: &str, term: &mut String, give: &mut dyn FnMut(&str)) {
    let mut given = 0;
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut parts = 0;
        let mut rest = word;
        while let Some(len) = part_len(rest) {
            let (part, after) = rest.split_at(len);
            parts += 1;
            given += 1;
            fold(part, term);
            if given <= MAX_TERMS && !term.is_empty() {
                give(term);
            }
            rest = after;
        }
        if parts == 2 && given < MAX_TERMS {
            given += 1;
            fold(word, term);
            give(term);
        }
    }
}

/// A name in words, as a text is written: `WarmPad_01` is `warm pad 01`.
pub(crate) fn spaced(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for mut word in name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        while let Some(len) = part_len(word) {
            let (part, after) = word.split_at(len);
            if !out.is_empty() {
                out.push(' ');
            }
            out.extend(part.chars().flat_map(char::to_lowercase));
            word = after;
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
}

fn class(c: char) -> Class {
    match c {
        _ if c.is_numeric() => Class::Digit,
        _ if c.is_uppercase() => Class::Upper,
        _ => Class::Lower,
    }
}

/// Bytes of the first part of a word; `None` if nothing is left.
fn part_len(word: &str) -> Option<usize> {
    let mut before = class(word.chars().next()?);
    for (at, c) in word.char_indices().skip(1) {
        let now = class(c);
        let is_cut = match (before, now) {
            (Class::Lower, Class::Upper) => true,
            // A note or a sharp key stays whole: A4, C3.
            (Class::Upper, Class::Digit) if at == 1 => false,
            (Class::Digit, Class::Digit) => false,
            (Class::Digit, _) | (_, Class::Digit) => true,
            _ => false,
        };
        if is_cut {
            return Some(at);
        }
        before = now;
    }
    Some(word.len())
}

fn fold(part: &str, term: &mut String) {
    term.clear();
    for c in part.chars().flat_map(char::to_lowercase) {
        let ascii = unaccented(c);
        if term.len() + c.len_utf8().max(ascii.map_or(0, str::len)) > MAX_TERM_BYTES {
            break;
        }
        match ascii {
            Some(text) => term.push_str(text),
            None => term.push(c),
        }
    }
}

/// The letters that stand for one with an accent, of the languages that sample packs are named in.
fn unaccented(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ě' | 'ē' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' => "i",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' => "o",
        'ö' | 'œ' => "oe",
        'š' | 'ś' => "s",
        'ß' => "ss",
        'ù' | 'ú' | 'û' | 'ū' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ž' | 'ż' | 'ź' => "z",
        // What decomposed letters have behind them.
        '\u{300}'..='\u{36f}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut all = vec![];
        terms(text, &mut String::new(), &mut |term| all.push(term.to_owned()));
        all
    }

    #[test]
    fn names_of_files_fall_into_the_words_they_are_made_of() {
        assert_eq!(of("WarmPad_01.wav"), ["warm", "pad", "warmpad", "01", "wav"]);
        assert_eq!(of("Flügel (A4) 120bpm"), ["fluegel", "a4", "120", "bpm", "120bpm"]);
        assert_eq!(of("DX7 E.Piano"), ["dx", "7", "dx7", "e", "piano"]);
        assert_eq!(of("  \u{0}\n--- "), [""; 0]);
        assert_eq!(of("日本語"), ["日本語"]);
    }

    #[test]
    fn a_name_is_written_as_a_text_is() {
        assert_eq!(spaced("WarmPad_01"), "warm pad 01");
        assert_eq!(spaced("  __"), "");
    }

    #[test]
    fn hostile_texts_are_cut_and_never_split_a_letter() {
        for text in ["a".repeat(10_000), "ß".repeat(999), "a1".repeat(5000), "語".repeat(99)] {
            let all = of(&text);
            assert!(all.len() <= MAX_TERMS && all.iter().all(|term| term.len() <= MAX_TERM_BYTES));
        }
    }
}
