//! What English words have in common: Porter's second stemmer (Porter 2001, "Snowball: a language for stemming algorithms",
//! the English stemmer), without allocation.

/// Longest word that is stemmed, in bytes; longer ones are their own stem.
const MOST: usize = 47;

/// Where a stem is written.
pub struct Stemmer {
    word: [u8; MOST + 1],
    length: usize,
    /// Where region 1 begins: behind the first consonant that follows a vowel.
    region1: usize,
    /// Where region 2 begins: region 1 of region 1.
    region2: usize,
}

impl Default for Stemmer {
    fn default() -> Self {
        Self { word: [0; MOST + 1], length: 0, region1: 0, region2: 0 }
    }
}

/// Words with a stem of their own.
const IRREGULAR: [(&str, &str); 18] = [
    ("skis", "ski"),
    ("skies", "sky"),
    ("dying", "die"),
    ("lying", "lie"),
    ("tying", "tie"),
    ("idly", "idl"),
    ("gently", "gentl"),
    ("ugly", "ugli"),
    ("early", "earli"),
    ("only", "onli"),
    ("singly", "singl"),
    ("sky", "sky"),
    ("news", "news"),
    ("howe", "howe"),
    ("atlas", "atlas"),
    ("cosmos", "cosmos"),
    ("bias", "bias"),
    ("andes", "andes"),
];

/// Words that end after the first step.
const NOUNS: [&[u8]; 8] =
    [b"inning", b"outing", b"canning", b"herring", b"earring", b"proceed", b"exceed", b"succeed"];

/// Suffixes of step 2 and what becomes of them; longer ones stand before those they end in.
const STEP2: [(&[u8], &[u8]); 22] = [
    (b"ational", b"ate"),
    (b"fulness", b"ful"),
    (b"iveness", b"ive"),
    (b"ization", b"ize"),
    (b"ousness", b"ous"),
    (b"biliti", b"ble"),
    (b"lessli", b"less"),
    (b"tional", b"tion"),
    (b"alism", b"al"),
    (b"aliti", b"al"),
    (b"ation", b"ate"),
    (b"entli", b"ent"),
    (b"fulli", b"ful"),
    (b"iviti", b"ive"),
    (b"ousli", b"ous"),
    (b"abli", b"able"),
    (b"alli", b"al"),
    (b"anci", b"ance"),
    (b"ator", b"ate"),
    (b"enci", b"ence"),
    (b"izer", b"ize"),
    (b"bli", b"ble"),
];

/// The same for step 3.
const STEP3: [(&[u8], &[u8]); 8] = [
    (b"ational", b"ate"),
    (b"tional", b"tion"),
    (b"alize", b"al"),
    (b"icate", b"ic"),
    (b"iciti", b"ic"),
    (b"ical", b"ic"),
    (b"ness", b""),
    (b"ful", b""),
];

/// Suffixes that step 4 takes off.
const STEP4: [&[u8]; 17] = [
    b"ement", b"able", b"ance", b"ence", b"ible", b"ment", b"ant", b"ate", b"ent", b"ism", b"iti", b"ive",
    b"ize", b"ous", b"al", b"er", b"ic",
];

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

impl Stemmer {
    /// The stem of a word in lower case. What is not English letters is left as it is.
    pub fn stem<'a>(&'a mut self, word: &'a str) -> &'a str {
        if let Some((_, stem)) = IRREGULAR.iter().find(|(irregular, _)| *irregular == word) {
            return stem;
        }
        let english = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\'');
        if !(3..=MOST).contains(&word.len()) || !english {
            return word;
        }
        self.begin(word);
        self.step0();
        self.step1a();
        if !NOUNS.contains(&self.bytes()) {
            self.step1b();
            self.step1c();
            self.step2();
            self.step3();
            self.step4();
            self.step5();
        }
        self.word[..self.length].iter_mut().filter(|it| **it == b'Y').for_each(|it| *it = b'y');
        std::str::from_utf8(self.bytes()).unwrap_or(word)
    }

    fn bytes(&self) -> &[u8] {
        &self.word[..self.length]
    }

    /// Takes the word in, marks each `y` that is a consonant, and finds both regions.
    fn begin(&mut self, word: &str) {
        let word = word.strip_prefix('\'').unwrap_or(word).as_bytes();
        self.length = word.len();
        self.word[..word.len()].copy_from_slice(word);
        for at in 0..word.len() {
            if self.word[at] == b'y' && (at == 0 || is_vowel(self.word[at - 1])) {
                self.word[at] = b'Y';
            }
        }
        let special: [&[u8]; 3] = [b"gener", b"commun", b"arsen"];
        let special = special.into_iter().find(|prefix| self.bytes().starts_with(prefix));
        self.region1 = special.map_or_else(|| self.region_after(0), <[u8]>::len);
        self.region2 = self.region_after(self.region1);
    }

    /// Behind the first consonant that follows a vowel, from `start` on.
    fn region_after(&self, start: usize) -> usize {
        let rest = &self.bytes()[start..];
        let pair = rest.windows(2).position(|pair| is_vowel(pair[0]) && !is_vowel(pair[1]));
        pair.map_or(self.length, |at| start + at + 2)
    }

    fn ends_with(&self, suffix: &[u8]) -> bool {
        self.bytes().ends_with(suffix)
    }

    /// Puts `end` in the place of the last `suffix` letters.
    fn replace(&mut self, suffix: usize, end: &[u8]) {
        let start = self.length - suffix;
        self.word[start..start + end.len()].copy_from_slice(end);
        self.length = start + end.len();
    }

    fn has_vowel_before(&self, end: usize) -> bool {
        self.word[..end].iter().any(|&letter| is_vowel(letter))
    }

    /// Whether the word up to `end` ends in a short syllable.
    fn short_syllable_before(&self, end: usize) -> bool {
        match self.word[..end] {
            [vowel, consonant] => is_vowel(vowel) && !is_vowel(consonant),
            [.., before, vowel, consonant] => {
                !is_vowel(before)
                    && is_vowel(vowel)
                    && !is_vowel(consonant)
                    && !matches!(consonant, b'w' | b'x' | b'Y')
            }
            _ => false,
        }
    }

    fn step0(&mut self) {
        let suffixes: [&[u8]; 3] = [b"'s'", b"'s", b"'"];
        if let Some(suffix) = suffixes.into_iter().find(|suffix| self.ends_with(suffix)) {
            self.replace(suffix.len(), b"");
        }
    }

    fn step1a(&mut self) {
        if self.ends_with(b"sses") {
            self.replace(2, b"");
        } else if self.ends_with(b"ied") || self.ends_with(b"ies") {
            self.replace(3, if self.length > 4 { b"i" } else { b"ie" });
        } else if self.ends_with(b"s")
            && !self.ends_with(b"us")
            && !self.ends_with(b"ss")
            && self.has_vowel_before(self.length.saturating_sub(2))
        {
            self.replace(1, b"");
        }
    }

    fn step1b(&mut self) {
        let suffixes: [&[u8]; 6] = [b"eedly", b"ingly", b"edly", b"eed", b"ing", b"ed"];
        let Some(suffix) = suffixes.into_iter().find(|suffix| self.ends_with(suffix)) else { return };
        let start = self.length - suffix.len();
        if suffix.starts_with(b"ee") {
            if start >= self.region1 {
                self.replace(suffix.len(), b"ee");
            }
            return;
        }
        if !self.has_vowel_before(start) {
            return;
        }
        self.length = start;
        let doubles: [&[u8]; 9] = [b"bb", b"dd", b"ff", b"gg", b"mm", b"nn", b"pp", b"rr", b"tt"];
        if [b"at", b"bl", b"iz"].into_iter().any(|end| self.ends_with(end)) {
            self.replace(0, b"e");
        } else if doubles.into_iter().any(|double| self.ends_with(double)) {
            self.replace(1, b"");
        } else if self.region1 >= self.length && self.short_syllable_before(self.length) {
            self.replace(0, b"e");
        }
    }

    fn step1c(&mut self) {
        if let [_, .., before, b'y' | b'Y'] = *self.bytes()
            && !is_vowel(before)
        {
            self.replace(1, b"i");
        }
    }

    fn step2(&mut self) {
        if let Some((suffix, end)) = STEP2.into_iter().find(|(suffix, _)| self.ends_with(suffix)) {
            if self.length - suffix.len() >= self.region1 {
                self.replace(suffix.len(), end);
            }
        } else if self.ends_with(b"ogi") {
            if self.length - 3 >= self.region1 && self.ends_with(b"logi") {
                self.replace(1, b"");
            }
        } else if let [.., before, b'l', b'i'] = *self.bytes()
            && self.length - 2 >= self.region1
            && b"cdeghkmnrt".contains(&before)
        {
            self.replace(2, b"");
        }
    }

    fn step3(&mut self) {
        if let Some((suffix, end)) = STEP3.into_iter().find(|(suffix, _)| self.ends_with(suffix)) {
            if self.length - suffix.len() >= self.region1 {
                self.replace(suffix.len(), end);
            }
        } else if self.ends_with(b"ative") && self.length - 5 >= self.region2 {
            self.replace(5, b"");
        }
    }

    fn step4(&mut self) {
        if let Some(suffix) = STEP4.into_iter().find(|suffix| self.ends_with(suffix)) {
            if self.length - suffix.len() >= self.region2 {
                self.replace(suffix.len(), b"");
            }
        } else if let [.., b's' | b't', b'i', b'o', b'n'] = *self.bytes()
            && self.length - 3 >= self.region2
        {
            self.replace(3, b"");
        }
    }

    fn step5(&mut self) {
        let end = self.length.saturating_sub(1);
        let goes = match self.bytes() {
            [.., b'e'] => end >= self.region2 || (end >= self.region1 && !self.short_syllable_before(end)),
            [.., b'l', b'l'] => end >= self.region2,
            _ => false,
        };
        if goes {
            self.length = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_family_have_one_stem() {
        let mut stemmer = Stemmer::default();
        let families = [
            ("griev", "grieve grieves grieved grieving"),
            ("happi", "happy happiness"),
            ("peac", "peace peaceful peacefully"),
            ("gentl", "gentle gently"),
            ("devast", "devastate devastated devastating devastation"),
            ("die", "die dies died dying"),
            ("sad", "sad sadly sadness"),
        ];
        for (stem, words) in families {
            for word in words.split(' ') {
                assert_eq!(stemmer.stem(word), stem, "{word}");
            }
        }
    }

    /// Words with the stems that Snowball 2.2's own English stemmer gives.
    const GOLDEN: &str = include_str!("../../../tests/data/stems.tsv");

    #[test]
    fn stems_are_those_of_snowball() {
        let mut stemmer = Stemmer::default();
        assert!(GOLDEN.lines().count() > 800);
        for line in GOLDEN.lines() {
            let (word, stem) = line.split_once('\t').unwrap();
            assert_eq!(stemmer.stem(word), stem, "{word}");
        }
    }

    #[test]
    fn words_that_only_look_alike_keep_apart() {
        let mut stemmer = Stemmer::default();
        for [one, other] in [["number", "numb"], ["glove", "love"], ["awful", "awe"], ["whatever", "hate"]] {
            assert_ne!(stemmer.stem(one).to_owned(), stemmer.stem(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_english_word_is_left() {
        let mut stemmer = Stemmer::default();
        let long = "a".repeat(100);
        for word in ["", "a", "ed", "café", "страхи", "ABCs", &long] {
            assert_eq!(stemmer.stem(word), word);
        }
        for word in ["'''", "''s", "yyy", "eed", "ings", "sses", "'s'"] {
            stemmer.stem(word);
        }
    }
}
