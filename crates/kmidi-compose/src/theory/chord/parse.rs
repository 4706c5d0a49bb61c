//! Chord symbols, read left to right.
//!
//! A symbol is a root and then marks in almost any order: quality (`m`, `dim`), number (`7`, `13`), suspension, alterations, tones
//! added and left out, and a bass. They are collected first and made into tones at the end, because a later mark may change what an
//! earlier one says: `C13b9` has no natural ninth.
use super::tones::{Tones, bit};
use super::{Chord, ChordError};
use crate::theory::PitchName;
use crate::theory::pitch::read_accidental;

const ROOT: &str = "a root from A to G, then # or b, as in `Bbm7`";
const MARK: &str = "m maj dim aug sus add no 5 6 7 9 11 13 b5 #5 b9 #9 #11 b13 alt, or / and a bass";
const NUMBER: &str = "the number 5, 6, 69, 7, 9, 11 or 13";
const ALTERED: &str = "5, 9, 11 or 13 behind # or b (b5 #5 b9 #9 #11 b13)";
const ADDED: &str = "2, 4, 6, 9, 11 or 13 behind `add`, perhaps with # or b";
const OMITTED: &str = "3 or 5 behind `no` or `omit`";
const BASS: &str = "one bass from A to G behind the slash, and nothing after it";
const ONE_QUALITY: &str = "no second quality or number: one of m, maj, dim, aug, and one of 6 7 9 11 13";
const CLOSED: &str = "as many ) as (, four at most";
const SHORT: &str = "a chord symbol of at most 64 bytes";

/// Deepest parentheses.
const DEEPEST: u8 = 4;

/// A whole symbol.
pub(super) fn chord(text: &str) -> Result<Chord, ChordError> {
    let trimmed = text.trim();
    if trimmed.len() > Chord::LONGEST {
        return Err(ChordError::at(trimmed, trimmed, SHORT));
    }
    let (root, rest) =
        PitchName::read_prefix(trimmed).ok_or_else(|| ChordError::at(trimmed, trimmed, ROOT))?;
    let mut reader = Reader { text: trimmed, rest, marks: Marks::default(), depth: 0, bass: None };
    reader.marks()?;
    let chord = Chord::from_tones(root, reader.marks.tones());
    Ok(reader.bass.map_or(chord, |bass| chord.over(bass)))
}

/// What stands behind a root, without a bass.
pub(crate) fn suffix(text: &str) -> Result<Tones, ChordError> {
    if text.len() > Chord::LONGEST {
        return Err(ChordError::at(text, text, SHORT));
    }
    let mut reader = Reader { text, rest: text, marks: Marks::default(), depth: 0, bass: None };
    reader.marks()?;
    match reader.bass {
        Some(_) => Err(ChordError::at(text, "", "a quality without a bass")),
        None => Ok(reader.marks.tones()),
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quality {
    #[default]
    Unsaid,
    Minor,
    Diminished,
    HalfDiminished,
    Augmented,
    /// Root and fifth.
    Open,
}

/// All that a symbol says.
#[derive(Default)]
struct Marks {
    quality: Quality,
    /// `maj`, `M` or a triangle.
    major: bool,
    /// 7, 9, 11 or 13.
    number: Option<u8>,
    sixth: bool,
    /// The ninth of `6/9`.
    sixth_ninth: bool,
    suspended: u32,
    altered: u32,
    added: u32,
    omitted: u32,
}

impl Marks {
    fn tones(&self) -> Tones {
        let (third, fifth) = match self.quality {
            Quality::Unsaid => (bit::MAJOR_3, bit::FIFTH),
            Quality::Minor => (bit::MINOR_3, bit::FIFTH),
            Quality::Diminished | Quality::HalfDiminished => (bit::MINOR_3, bit::FLAT_5),
            Quality::Augmented => (bit::MAJOR_3, bit::SHARP_5),
            Quality::Open => (0, bit::FIFTH),
        };
        let third = if self.suspended == 0 { third } else { self.suspended };
        let fifth = match self.altered & bit::FIFTHS {
            0 => fifth,
            altered => altered,
        };
        let mut stacked = self.seventh() | self.stacked();
        if self.altered & (bit::FLAT_9 | bit::SHARP_9) != 0 {
            stacked &= !bit::NINTH;
        }
        if self.altered & bit::SHARP_11 != 0 {
            stacked &= !bit::ELEVENTH;
        }
        if self.altered & bit::FLAT_13 != 0 {
            stacked &= !bit::THIRTEENTH;
        }
        let sixth = if self.sixth { bit::SIXTH } else { 0 };
        let altered = self.altered & !bit::FIFTHS;
        Tones::new((third | fifth | sixth | stacked | altered | self.added) & !self.omitted)
    }

    fn seventh(&self) -> u32 {
        // mMaj without a number means the seventh; maj alone the triad.
        let minor_major = self.major && !self.sixth && self.quality == Quality::Minor;
        if self.number.is_none() && !minor_major && self.quality != Quality::HalfDiminished {
            0
        } else if self.major {
            bit::MAJOR_7
        } else if self.quality == Quality::Diminished {
            bit::DIM_7
        } else {
            bit::MINOR_7
        }
    }

    /// What the number stacks on the seventh. A thirteenth has its eleventh only over a minor third: over a major one it is left out.
    fn stacked(&self) -> u32 {
        let minor = matches!(self.quality, Quality::Minor | Quality::HalfDiminished);
        match self.number {
            Some(9) => bit::NINTH,
            Some(11) => bit::NINTH | bit::ELEVENTH,
            Some(13) if minor && self.suspended == 0 => bit::NINTH | bit::ELEVENTH | bit::THIRTEENTH,
            Some(13) => bit::NINTH | bit::THIRTEENTH,
            _ if self.sixth_ninth => bit::NINTH,
            _ => 0,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    marks: Marks,
    depth: u8,
    bass: Option<PitchName>,
}

impl<'a> Reader<'a> {
    fn fail<T>(&self, expected: &'static str) -> Result<T, ChordError> {
        Err(ChordError::at(self.text, self.rest, expected))
    }

    /// Reads `word` if it is next, in any case.
    fn word(&mut self, word: &str) -> bool {
        let found = self.rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
        if found {
            self.rest = &self.rest[word.len()..];
        }
        found
    }

    /// Reads the next character if it is one of `signs`.
    fn sign(&mut self, signs: &[char]) -> bool {
        let found = self.rest.starts_with(signs);
        if found {
            self.rest = &self.rest[self.rest.chars().next().map_or(0, char::len_utf8)..];
        }
        found
    }

    /// Reads the digits that are next.
    fn digits(&mut self) -> &'a str {
        let end = self.rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    fn marks(&mut self) -> Result<(), ChordError> {
        while !self.rest.is_empty() {
            self.mark()?;
        }
        if self.depth > 0 { self.fail(CLOSED) } else { Ok(()) }
    }

    fn mark(&mut self) -> Result<(), ChordError> {
        if self.punctuation()? || self.words()? || self.quality()? {
            return Ok(());
        }
        match self.rest.chars().next() {
            Some('0'..='9') => self.number(),
            Some('#' | '♯' | 'b' | '♭' | '+' | '-' | '−' | '–') => self.alteration(),
            Some('/') => self.slash(),
            _ => self.fail(MARK),
        }
    }

    fn punctuation(&mut self) -> Result<bool, ChordError> {
        let before = self.rest;
        if self.sign(&['(', '[']) {
            self.depth += 1;
        } else if self.sign(&[')', ']']) {
            match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                None => self.depth = DEEPEST + 1,
            }
        } else {
            // Spaces part marks within parentheses only.
            return Ok(self.sign(&[',']) || (self.depth > 0 && self.sign(&[' '])));
        }
        if self.depth > DEEPEST {
            self.rest = before;
            return self.fail(CLOSED);
        }
        Ok(true)
    }

    /// Marks that are words but no quality.
    fn words(&mut self) -> Result<bool, ChordError> {
        if self.word("omit") || self.word("no") {
            self.omission()?;
        } else if self.word("add") {
            self.addition()?;
        } else if self.word("sus") {
            self.marks.suspended |= if self.word("24") || self.word("42") {
                bit::SUSPENDED
            } else if self.word("2") {
                bit::SUS2
            } else {
                self.word("4");
                bit::SUS4
            };
        } else if self.word("alt") {
            self.marks.number.get_or_insert(7);
            self.marks.altered |= bit::FLAT_5 | bit::SHARP_5 | bit::FLAT_9 | bit::SHARP_9;
        } else {
            // A plain seventh chord is what the number says anyway.
            return Ok(self.word("dom"));
        }
        Ok(true)
    }

    fn omission(&mut self) -> Result<(), ChordError> {
        let before = self.rest;
        self.marks.omitted |= match self.digits() {
            "3" => bit::THIRDS,
            "5" => bit::FIFTHS,
            _ => {
                self.rest = before;
                return self.fail(OMITTED);
            }
        };
        let _ordinal = self.word("rd") || self.word("th");
        Ok(())
    }

    fn addition(&mut self) -> Result<(), ChordError> {
        let before = self.rest;
        let accidental = self.accidental();
        self.marks.added |= match (accidental, self.digits()) {
            (0, "2" | "9") => bit::NINTH,
            (-1, "2" | "9") => bit::FLAT_9,
            (1, "2" | "9") => bit::SHARP_9,
            (0, "4" | "11") => bit::ELEVENTH,
            (1, "4" | "11") => bit::SHARP_11,
            (-1, "6" | "13") => bit::FLAT_13,
            (0, "13") => bit::THIRTEENTH,
            (0, "6") => bit::SIXTH,
            _ => {
                self.rest = before;
                return self.fail(ADDED);
            }
        };
        Ok(())
    }

    fn accidental(&mut self) -> i8 {
        let (accidental, rest) = read_accidental(self.rest);
        self.rest = rest;
        accidental
    }

    /// Nothing but a root was read so far, and what cannot be confused with a quality.
    fn at_quality(&self) -> bool {
        let marks = &self.marks;
        marks.quality == Quality::Unsaid && !marks.major && marks.number.is_none() && !marks.sixth
    }

    fn quality(&mut self) -> Result<bool, ChordError> {
        let before = self.rest;
        if self.major_mark() {
            return self.major(before);
        }
        let Some(quality) = self.quality_mark() else { return Ok(false) };
        let augmented = quality == Quality::Augmented;
        if augmented && !self.at_quality() && self.marks.quality == Quality::Unsaid {
            // `C7aug`: the number came first.
            self.marks.altered |= bit::SHARP_5;
            return Ok(true);
        }
        if !self.at_quality() {
            self.rest = before;
            return self.fail(ONE_QUALITY);
        }
        self.marks.quality = quality;
        // `C+5` says the same twice.
        let _again = augmented && self.word("5");
        Ok(true)
    }

    fn major_mark(&mut self) -> bool {
        let minor = ["mi", "MI", "Mi"].iter().any(|it| self.rest.starts_with(it));
        // `Cmadd9` is minor with an added ninth.
        let added = self.rest.get(1..4).is_some_and(|it| it.eq_ignore_ascii_case("add"));
        !minor && (self.word("major") || self.word("maj") || (!added && self.word("ma")) || self.sign(&['M']))
            || self.triangle()
    }

    /// A triangle means the seventh, with or without its number.
    fn triangle(&mut self) -> bool {
        let found = self.sign(&['Δ', '△', '∆', '^']);
        if found && !self.rest.starts_with(|it: char| it.is_ascii_digit()) && self.marks.number.is_none() {
            self.marks.number = Some(7);
        }
        found
    }

    fn major(&mut self, before: &'a str) -> Result<bool, ChordError> {
        let marks = &self.marks;
        let triangle = before.chars().next().is_some_and(|it| !it.is_alphabetic() || it == 'Δ');
        let numbered = marks.number.is_some() && !triangle;
        if marks.major
            || numbered
            || marks.quality == Quality::HalfDiminished
            || marks.quality == Quality::Open
        {
            self.rest = before;
            return self.fail(ONE_QUALITY);
        }
        self.marks.major = true;
        Ok(true)
    }

    fn quality_mark(&mut self) -> Option<Quality> {
        if self.word("minor") || self.word("min") || self.word("mi") || self.sign(&['m']) {
            Some(Quality::Minor)
        } else if self.word("dim") || self.sign(&['o', '°', 'º']) {
            Some(Quality::Diminished)
        } else if self.sign(&['ø', 'Ø', '∅', 'h']) {
            Some(Quality::HalfDiminished)
        } else if self.word("aug") || (self.at_quality() && self.sign(&['+'])) {
            Some(Quality::Augmented)
        } else if self.at_quality() && !self.flat_five_follows() && self.sign(&['-', '−', '–']) {
            Some(Quality::Minor)
        } else {
            None
        }
    }

    /// `C-5` is a flat fifth, where `C-7` is minor.
    fn flat_five_follows(&self) -> bool {
        let mut next = self.rest.chars();
        next.next().is_some_and(|it| "-−–".contains(it)) && next.next() == Some('5')
    }

    fn number(&mut self) -> Result<(), ChordError> {
        let before = self.rest;
        let digits = self.digits();
        let marks = &mut self.marks;
        // In parentheses, or behind a number, a number is one more tone.
        let more = marks.number.is_some() || marks.sixth || self.depth > 0 && !marks.major;
        match digits {
            "9" | "11" | "13" if more => {
                marks.added |= match digits {
                    "9" => bit::NINTH,
                    "11" => bit::ELEVENTH,
                    _ => bit::THIRTEENTH,
                }
            }
            "7" | "9" | "11" | "13" if marks.number.is_none() && !marks.sixth => {
                marks.number = digits.parse().ok();
            }
            "6" | "69" if !more => {
                marks.sixth = true;
                marks.sixth_ninth = digits == "69";
                if self.rest.starts_with("/9") {
                    marks.sixth_ninth = true;
                    self.rest = &self.rest[2..];
                }
            }
            "6" if marks.number.is_some() || self.depth > 0 => marks.added |= bit::SIXTH,
            "5" if !more && marks.quality == Quality::Unsaid && !marks.major => marks.quality = Quality::Open,
            "2" if !more => marks.added |= bit::NINTH,
            "4" if !more => marks.suspended |= bit::SUS4,
            _ => {
                self.rest = before;
                return self.fail(if more { ONE_QUALITY } else { NUMBER });
            }
        }
        Ok(())
    }

    fn alteration(&mut self) -> Result<(), ChordError> {
        let before = self.rest;
        let accidental = if self.sign(&['+']) {
            1
        } else if self.sign(&['-', '−', '–']) {
            -1
        } else {
            self.accidental()
        };
        let plus = before.starts_with('+');
        self.marks.altered |= match (accidental, self.digits()) {
            (1, "") if plus => bit::SHARP_5,
            (-1, "5") => bit::FLAT_5,
            (1, "5") => bit::SHARP_5,
            (-1, "9" | "2") => bit::FLAT_9,
            (1, "9" | "2") => bit::SHARP_9,
            (1, "11" | "4") => bit::SHARP_11,
            (-1, "13" | "6") => bit::FLAT_13,
            _ => {
                self.rest = before;
                return self.fail(ALTERED);
            }
        };
        Ok(())
    }

    fn slash(&mut self) -> Result<(), ChordError> {
        let slash = self.rest;
        self.rest = &self.rest[1..];
        // `Cm/maj7`: no bass is called maj.
        if self.rest.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("maj")) {
            return Ok(());
        }
        match PitchName::read_prefix(self.rest) {
            Some((bass, "")) if self.depth == 0 => {
                self.bass = Some(bass);
                self.rest = "";
                Ok(())
            }
            Some((_, rest)) if !rest.is_empty() => {
                self.rest = rest;
                self.fail(BASS)
            }
            _ => {
                self.rest = if self.rest.is_empty() { self.rest } else { slash };
                self.fail(BASS)
            }
        }
    }
}
