//! Short lessons, with examples that are worked out in the key that the reader chooses.
use std::fmt;

use serde::Serialize;
use thiserror::Error;

mod harmony;
mod motion;
mod pitches;
#[cfg(test)]
mod tests;
mod time;

use super::{Chord, Key, nearest, parse_progression_in};

/// A lesson in a key. Texts are plain, without line breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lesson {
    /// The topic, as [`topics`] lists it.
    pub topic: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The key of its examples.
    pub key: Key,
    /// What there is to know.
    pub paragraphs: Vec<String>,
    /// What it looks like in the key.
    pub examples: Vec<Example>,
    /// Questions about it, in the key.
    pub quiz: Vec<Question>,
    /// Topics that go on from here.
    pub see_also: &'static [&'static str],
}

/// Lines that show something, under a caption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What they show.
    pub caption: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The question.
    pub question: String,
    /// The right answer, short enough to be typed.
    pub answer: String,
    /// Why that is so.
    pub why: String,
}

impl Question {
    /// Is what somebody typed the answer? Case, spaces and articles do not matter; names that sound alike are alike: of chords
    /// (`Bbm7b5` and `A#ø`), and of notes.
    ///
    /// ```
    /// use kmidi_compose::theory::teach::Question;
    /// let question = Question { question: "?".into(), answer: "Gm7b5".into(), why: String::new() };
    /// assert!(question.accepts("g-7(b5)") && !question.accepts("Gm7"));
    /// ```
    pub fn accepts(&self, typed: &str) -> bool {
        let (typed, answer) = (typed.trim(), self.answer.as_str());
        if typed.len() > 200 {
            return false;
        }
        let chord = |text: &str| text.parse::<Chord>().ok();
        let alike = || chord(typed)?.sounds_like(&chord(answer)?).then_some(());
        alike().is_some() || folded(typed) == folded(answer)
    }
}

fn folded(text: &str) -> String {
    let words = text.split(|it: char| it.is_whitespace() || ",.-".contains(it));
    let words =
        words.filter(|word| !["", "a", "the", "semitones", "ticks", "ms"].contains(&&*word.to_lowercase()));
    // Signs that mean the same.
    words.map(|word| word.to_lowercase().replace('♭', "b").replace('♯', "#").replace('°', "o")).collect()
}

/// What a topic is, before it is worked out in a key.
struct Topic {
    name: &'static str,
    /// Other words by which it is found.
    aliases: &'static [&'static str],
    title: &'static str,
    see_also: &'static [&'static str],
    write: fn(&mut Writer),
}

/// In the order in which they are best read.
static TOPICS: [Topic; 18] = [
    pitches::INTERVALS,
    pitches::SCALES,
    pitches::KEYS,
    pitches::MODES,
    harmony::CHORDS,
    harmony::SEVENTH_CHORDS,
    harmony::CHORD_SYMBOLS,
    harmony::INVERSIONS,
    harmony::ROMAN_NUMERALS,
    motion::CADENCES,
    motion::VOICE_LEADING,
    motion::SECONDARY_DOMINANTS,
    motion::BORROWED_CHORDS,
    motion::TRITONE_SUBSTITUTION,
    time::TENSION,
    time::GROOVE,
    time::SWING,
    time::RULE_BREAKING,
];

/// The topics with their headings, in the order in which they are best read.
pub fn topics() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    TOPICS.iter().map(|topic| (topic.name, topic.title))
}

/// No lesson has this topic.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no lesson is called `{topic}`{}; topics: {}", suggestion(.nearest), names())]
pub struct UnknownTopic {
    /// What was asked for, cut short.
    pub topic: String,
    /// What was perhaps meant.
    pub nearest: Option<&'static str>,
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn names() -> String {
    topics().map(|topic| topic.0).collect::<Vec<_>>().join(", ")
}

/// The lesson on a topic, with examples in `key` (of a scale that has not seven tones, in the major or minor key of its tonic).
///
/// ```
/// use kmidi_compose::theory::teach;
/// let lesson = teach::lesson("tritone sub", "F".parse().unwrap())?;
/// assert_eq!(lesson.topic, "tritone substitution");
/// assert!(lesson.to_string().contains("Gb7"));
/// assert_eq!(teach::lesson("cadenses", "F".parse().unwrap()).unwrap_err().nearest, Some("cadences"));
/// # Ok::<(), teach::UnknownTopic>(())
/// ```
///
/// # Errors
/// If there is no such topic.
pub fn lesson(topic: &str, key: Key) -> Result<Lesson, UnknownTopic> {
    let wanted = plain(topic);
    let found = TOPICS.iter().find(|it| it.words().any(|word| plain(word) == wanted));
    let Some(found) = found else {
        let words = TOPICS.iter().flat_map(|it| it.words().map(move |word| (word, it.name)));
        let nearest = nearest(topic, words.clone().map(|it| it.0));
        let nearest = nearest.and_then(|near| words.clone().find(|it| it.0 == near)).map(|it| it.1);
        return Err(UnknownTopic { topic: super::shortened(topic), nearest });
    };
    let lesson = Lesson {
        topic: found.name,
        title: found.title,
        key,
        paragraphs: Vec::new(),
        examples: Vec::new(),
        quiz: Vec::new(),
        see_also: found.see_also,
    };
    let mut writer = Writer { lesson, key: key.seven_tones() };
    (found.write)(&mut writer);
    Ok(writer.lesson)
}

/// What of a topic's name counts: letters, without a plural's s.
fn plain(topic: &str) -> String {
    let letters: String = topic.chars().take(64).filter(|it| it.is_alphanumeric()).collect();
    letters.to_lowercase().trim_end_matches('s').to_owned()
}

impl Topic {
    fn words(&self) -> impl Iterator<Item = &'static str> + Clone {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// A lesson that is being written.
struct Writer {
    lesson: Lesson,
    /// Of seven tones.
    key: Key,
}

impl Writer {
    fn say(&mut self, text: impl Into<String>) {
        self.lesson.paragraphs.push(text.into());
    }

    fn show(&mut self, caption: impl Into<String>, lines: impl IntoIterator<Item = String>) {
        self.lesson.examples.push(Example { caption: caption.into(), lines: lines.into_iter().collect() });
    }

    fn ask(&mut self, question: impl Into<String>, answer: impl Into<String>, why: impl Into<String>) {
        self.lesson.quiz.push(Question { question: question.into(), answer: answer.into(), why: why.into() });
    }

    /// The chords of these numerals in the key, or of the others if its third is minor.
    fn chords(&self, major: &str, minor: &str) -> Vec<Chord> {
        chords(if self.key.is_minor() { minor } else { major }, self.key)
    }

    /// A line `numerals: chords`.
    fn in_key(&self, major: &str, minor: &str) -> String {
        let numerals = if self.key.is_minor() { minor } else { major };
        format!("{numerals}: {}", listed(self.chords(major, minor)))
    }

    /// The name of the key, for sentences.
    fn key_name(&self) -> String {
        if self.key == Key::major(self.key.tonic) {
            format!("{} major", self.key.tonic)
        } else if self.key == Key::minor(self.key.tonic) {
            format!("{} minor", self.key.tonic)
        } else {
            self.key.to_string()
        }
    }
}

/// The chords of these numerals, which are written here and can be read.
fn chords(numerals: &str, key: Key) -> Vec<Chord> {
    parse_progression_in(numerals, key).map(|it| it.chords().collect()).unwrap_or_default()
}

/// Names in a row.
fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|it| it.to_string()).collect::<Vec<_>>().join(" ")
}

/// The lesson as text of at most 80 columns, without the quiz.
impl fmt::Display for Lesson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for paragraph in &self.paragraphs {
            writeln!(f)?;
            wrapped(f, paragraph, "")?;
        }
        for example in &self.examples {
            writeln!(f)?;
            wrapped(f, &example.caption, "")?;
            for line in &example.lines {
                wrapped(f, line, "    ")?;
            }
        }
        writeln!(f, "\nGoes on with: {}", self.see_also.join(", "))
    }
}

/// Words in lines of at most 80 columns.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str, indent: &str) -> fmt::Result {
    const COLUMNS: usize = 80;
    let mut column = 0;
    // Behind the last word, not yet written.
    let mut spaces = 0;
    // Runs of spaces are columns of a table, and kept.
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if column > 0 && column + spaces + length > COLUMNS {
            writeln!(f)?;
            (column, spaces) = (0, 0);
        }
        if column == 0 {
            f.write_str(indent)?;
            column = indent.len();
        }
        write!(f, "{:spaces$}{}", "", word.trim_end())?;
        column += spaces + length;
        spaces = word.len() - word.trim_end().len();
    }
    writeln!(f)
}
