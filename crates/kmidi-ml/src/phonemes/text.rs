//! Text as words that can be said: numbers and signs written out, punctuation left out.

use super::PhonemeError;

/// Most characters of a text.
pub const MAX_TEXT_CHARS: usize = 20_000;

/// Most characters of a word; what is longer is none, and would take the spelling model long.
const MAX_WORD_CHARS: usize = 48;

/// A word as it is written, and as it is spelled out to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As written, without the punctuation around it.
    pub text: String,
    /// What is said: one word for most, several for a number.
    pub spoken: Vec<String>,
}

/// The words of a text, in order. What has neither letters nor digits nor a sign that is read is no word.
///
/// # Errors
/// The text or a word of it is too long, or there is no word in it.
pub fn words(text: &str) -> Result<Vec<Word>, PhonemeError> {
    let chars = text.chars().count();
    if chars > MAX_TEXT_CHARS {
        return Err(PhonemeError::TextChars { chars, most: MAX_TEXT_CHARS });
    }
    let mut words = vec![];
    for group in text.split(|it: char| it.is_whitespace() || "-–—/_".contains(it)) {
        let Some(word) = word(group) else { continue };
        if let Some(long) = word.spoken.iter().find(|it| it.chars().count() > MAX_WORD_CHARS) {
            return Err(PhonemeError::WordTooLong {
                word: long.chars().take(MAX_WORD_CHARS).collect(),
                most: MAX_WORD_CHARS,
            });
        }
        words.push(word);
    }
    if words.is_empty() { Err(PhonemeError::NoWords) } else { Ok(words) }
}

fn word(group: &str) -> Option<Word> {
    let group = group.replace(['\u{2019}', '\u{2bc}', '`'], "'");
    let sign = |it: char| sign(it).is_some();
    let text = group.trim_matches(|it: char| !it.is_alphanumeric() && !sign(it));
    let spoken = spoken(text);
    (!spoken.is_empty()).then(|| Word { text: text.to_owned(), spoken })
}

fn sign(it: char) -> Option<&'static str> {
    Some(match it {
        '%' => "percent",
        '&' => "and",
        '+' => "plus",
        '=' => "equals",
        '@' => "at",
        '$' => "dollars",
        '€' => "euros",
        '£' => "pounds",
        _ => return None,
    })
}

/// Runs of letters (with the apostrophes inside them), of digits, and signs. An amount of money is said before
/// its sign.
fn spoken(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at, mut after_number) = (vec![], 0, None);
    while let Some(&first) = chars.get(at) {
        let run =
            |is: &dyn Fn(char) -> bool| chars[at..].iter().take_while(|it| is(**it)).collect::<String>();
        if first.is_ascii_digit() {
            let number = run(&|it| it.is_ascii_digit() || it == ',' || it == '.');
            at += number.chars().count();
            let suffix: String = chars[at..].iter().take_while(|it| it.is_alphabetic()).collect();
            let ordinal = ["st", "nd", "rd", "th"].contains(&suffix.to_lowercase().as_str());
            at += if ordinal { 2 } else { 0 };
            out.extend(number_words(&number, ordinal));
            out.extend(after_number.take());
        } else if first.is_alphabetic() {
            let letters = run(&|it| it.is_alphabetic() || is_combining(it) || it == '\'');
            at += letters.chars().count();
            out.push(letters.trim_end_matches('\'').to_lowercase());
        } else {
            at += 1;
            let Some(word) = sign(first).map(str::to_owned) else { continue };
            let money = "$€£".contains(first) && chars.get(at).is_some_and(char::is_ascii_digit);
            if money {
                after_number = Some(word);
            } else {
                out.push(word);
            }
        }
    }
    out
}

fn is_combining(it: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&it)
}

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const THOUSANDS: [(u64, &str); 4] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];

/// A number as it is said. What is too long to have a name, or begins with 0, is said digit by digit.
fn number_words(text: &str, ordinal: bool) -> Vec<String> {
    let plain = text.replace(',', "");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut out: Vec<&str> = vec![];
    let spelled = whole.len() > 15 || (whole.len() > 1 && whole.starts_with('0'));
    match whole.parse::<u64>() {
        Ok(value) if !spelled => cardinal(value, &mut out),
        _ => out.extend(digits(whole)),
    }
    let fraction = fraction.trim_end_matches('.');
    if !fraction.is_empty() {
        out.push("point");
        out.extend(digits(fraction));
    }
    let mut out: Vec<String> = out.into_iter().map(str::to_owned).collect();
    if let Some(last) = out.last_mut().filter(|_| ordinal) {
        *last = to_ordinal(last);
    }
    out
}

fn digits(text: &str) -> impl Iterator<Item = &'static str> {
    text.bytes().filter(u8::is_ascii_digit).map(|it| ONES[usize::from(it - b'0')])
}

fn cardinal(value: u64, out: &mut Vec<&'static str>) {
    if let Some((unit, name)) = THOUSANDS.into_iter().find(|it| value >= it.0) {
        cardinal(value / unit, out);
        out.push(name);
        return rest(value % unit, out);
    }
    if value >= 100 {
        out.extend([ONES[(value / 100) as usize], "hundred"]);
        return rest(value % 100, out);
    }
    if value < 20 {
        return out.push(ONES[value as usize]);
    }
    out.push(TENS[(value / 10) as usize]);
    rest(value % 10, out);
}

fn rest(value: u64, out: &mut Vec<&'static str>) {
    if value > 0 {
        cardinal(value, out);
    }
}

fn to_ordinal(word: &str) -> String {
    let irregular = [
        ("one", "first"),
        ("two", "second"),
        ("three", "third"),
        ("five", "fifth"),
        ("eight", "eighth"),
        ("nine", "ninth"),
        ("twelve", "twelfth"),
    ];
    match irregular.iter().find(|it| it.0 == word) {
        Some((_, ordinal)) => (*ordinal).to_owned(),
        None => word.strip_suffix('y').map_or_else(|| format!("{word}th"), |stem| format!("{stem}ieth")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        words(text).unwrap().into_iter().flat_map(|it| it.spoken).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn punctuation_is_left_out_and_apostrophes_stay_inside() {
        assert_eq!(said("\"Don't,\" she said -- 'no'!"), "don't she said no");
        assert_eq!(said("It\u{2019}s the dogs' well-known bone."), "it's the dogs well known bone");
        assert_eq!(words("(Hello)").unwrap()[0].text, "Hello");
    }

    #[test]
    fn numbers_are_said() {
        let cases = [
            ("0", "zero"),
            ("13", "thirteen"),
            ("42", "forty two"),
            ("100", "one hundred"),
            ("1,234", "one thousand two hundred thirty four"),
            ("1000000", "one million"),
            ("3.14", "three point one four"),
            ("007", "zero zero seven"),
            ("21st", "twenty first"),
            ("30th", "thirtieth"),
            ("$5", "five dollars"),
            ("50%", "fifty percent"),
            ("2 + 2 = 4.", "two plus two equals four"),
            ("4x4", "four x four"),
        ];
        for (text, expected) in cases {
            assert_eq!(said(text), expected, "{text}");
        }
        assert_eq!(said("12345678901234567890").split(' ').count(), 20);
        assert_eq!(words("42nd Street").unwrap()[0].text, "42nd", "a number is one word of the text");
    }

    #[test]
    fn text_without_words_says_so() {
        for text in ["", "   ", "... --- !?", "🎵🎶"] {
            assert!(matches!(words(text), Err(PhonemeError::NoWords)), "{text}");
        }
    }

    #[test]
    fn text_and_words_have_a_longest() {
        let long = "word ".repeat(MAX_TEXT_CHARS / 5 + 1);
        assert!(matches!(words(&long), Err(PhonemeError::TextChars { .. })));
        assert!(matches!(words(&"a".repeat(60)), Err(PhonemeError::WordTooLong { .. })));
        assert!(words(&"a".repeat(48)).is_ok());
    }
}
