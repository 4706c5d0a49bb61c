//! Text with its emoji in words and its apostrophes straight.
use std::sync::LazyLock;

use super::bisect::Table;

/// Each emoji of one code point that VADER knows, and what it shows.
static EMOJI: LazyLock<Table> =
    LazyLock::new(|| Table::new(include_str!("../../../../../assets/lexicon/emoji.tsv")));

/// Writes `text` to `plain`: emoji as what they show, apostrophes as `'`, joiners and variation selectors left out.
pub fn write(text: &str, plain: &mut String) {
    plain.clear();
    let mut behind_emoji = false;
    for letter in text.chars() {
        let letter = match letter {
            '’' | '‘' | 'ʼ' | '′' | '＇' => '\'',
            // The joiner, variation selectors and skin tones only change the emoji before them.
            '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => continue,
            _ => letter,
        };
        let shown = shown(letter);
        let apart = (behind_emoji || shown.is_some()) && !letter.is_whitespace();
        if apart && plain.ends_with(|last: char| !last.is_whitespace()) {
            plain.push(' ');
        }
        match shown {
            Some(words) => plain.push_str(words),
            None => plain.push(letter),
        }
        behind_emoji = shown.is_some();
    }
}

/// What an emoji shows, in words.
fn shown(letter: char) -> Option<&'static str> {
    if letter.is_ascii() || letter.is_alphanumeric() {
        return None;
    }
    EMOJI.find(letter.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut plain = "left over".to_owned();
        write(text, &mut plain);
        plain
    }

    #[test]
    fn emoji_are_words_that_stand_apart() {
        assert_eq!(plain("I am 😢"), "I am crying face");
        assert_eq!(plain("😢😢!"), "crying face crying face !");
        assert_eq!(plain("so❤️so"), "so red heart so");
        assert_eq!(plain("👍🏽 ok"), "thumbs up ok");
    }

    #[test]
    fn the_rest_stays() {
        assert_eq!(plain("I can’t, ‘no’"), "I can't, 'no'");
        assert_eq!(plain("Größe, 日本 \u{1f9ff}?"), plain("Größe, 日本 \u{1f9ff}?"));
        assert_eq!(plain("日本\tétat"), "日本\tétat");
        assert_eq!(plain(""), "");
    }
}
