//! The words of a text, each with the clause it stands in.

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it is in [`Words::text`].
    start: usize,
    end: usize,
    /// What comes between it and the word before.
    pub gap: Gap,
    /// Whether a question mark is among that.
    asked: bool,
}

/// What stands between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// Blanks, hyphens, quotes.
    None,
    /// A comma.
    Comma,
    /// The end of a clause or a sentence.
    Stop,
}

/// What has been read since the last word.
#[derive(Clone, Copy)]
struct Between {
    gap: Gap,
    asked: bool,
}

impl Default for Between {
    fn default() -> Self {
        Self { gap: Gap::None, asked: false }
    }
}

/// A text as words in lower case; one can be used for text after text.
#[derive(Default)]
pub struct Words {
    text: String,
    words: Vec<Word>,
}

impl Words {
    /// Reads another text. A word is letters, with apostrophes inside; a figure is none.
    pub fn read(&mut self, plain: &str) {
        self.text.clear();
        self.words.clear();
        let mut between = Between { gap: Gap::Stop, asked: false };
        let mut start = None;
        for letter in plain.chars() {
            let inside = start.is_some() && letter == '\'';
            if letter.is_alphanumeric() || inside {
                start.get_or_insert(self.text.len());
                match letter.is_ascii() {
                    true => self.text.push(letter.to_ascii_lowercase()),
                    false => self.text.extend(letter.to_lowercase()),
                }
                continue;
            }
            // Marks that combine with a letter, such as accents that stand apart.
            if start.is_some() && matches!(letter, '\u{300}'..='\u{36f}') {
                self.text.push(letter);
                continue;
            }
            self.end_word(&mut start, &mut between);
            between.gap = between.gap.max(gap_of(letter));
            between.asked |= matches!(letter, '?' | '？');
        }
        self.end_word(&mut start, &mut between);
    }

    fn end_word(&mut self, start: &mut Option<usize>, between: &mut Between) {
        let Some(start) = start.take() else { return };
        let end = start + self.text[start..].trim_end_matches('\'').len();
        let has_letter = self.text[start..end].contains(char::is_alphabetic);
        self.text.truncate(end);
        if has_letter {
            let Between { gap, asked } = std::mem::take(between);
            self.words.push(Word { start, end, gap, asked });
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The word at a place; empty behind the last.
    pub fn at(&self, place: usize) -> &str {
        self.words.get(place).map_or("", |word| &self.text[word.start..word.end])
    }

    /// What comes before the word at a place.
    pub fn gap(&self, place: usize) -> Gap {
        self.words.get(place).map_or(Gap::Stop, |word| word.gap)
    }

    /// Whether a question ends before the word at a place.
    pub fn asked(&self, place: usize) -> bool {
        self.words.get(place).is_some_and(|word| word.asked)
    }

    /// Words `from .. to` with a blank between each.
    pub fn join(&self, from: usize, to: usize) -> String {
        (from..to).map(|place| self.at(place)).collect::<Vec<_>>().join(" ")
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.words.iter().map(|word| &self.text[word.start..word.end])
    }
}

fn gap_of(letter: char) -> Gap {
    match letter {
        '.' | '!' | '?' | ';' | ':' | '\n' | '…' | '—' | '–' | '(' | ')' | '¡' | '¿' | '。' => {
            Gap::Stop
        }
        ',' | '、' => Gap::Comma,
        _ => Gap::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Words::default();
        words.read("left over");
        words.read(text);
        words.iter().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_letters_with_apostrophes_inside() {
        assert_eq!(words("I can't, 'NO' -- rock'n'roll's"), ["i", "can't", "no", "rock'n'roll's"]);
        assert_eq!(words("break-free_now 4ever 12 3.5"), ["break", "free", "now", "4ever"]);
        assert_eq!(words("ÉTAT Straße cafe\u{301} 日本"), ["état", "straße", "cafe\u{301}", "日本"]);
        assert_eq!(words(" '' ... 7 "), [""; 0]);
    }

    #[test]
    fn gaps_are_the_strongest_sign_between_two_words() {
        let mut words = Words::default();
        words.read("a b, c!, d - e\nf");
        let gaps: Vec<Gap> = (0..words.len()).map(|place| words.gap(place)).collect();
        assert_eq!(gaps, [Gap::Stop, Gap::None, Gap::Comma, Gap::Stop, Gap::None, Gap::Stop]);
        assert_eq!((words.at(6), words.join(1, 3).as_str()), ("", "b c"));
        words.read("a? b! c d?");
        assert_eq!([0, 1, 2, 3, 4].map(|place| words.asked(place)), [false, true, false, false, false]);
    }
}
