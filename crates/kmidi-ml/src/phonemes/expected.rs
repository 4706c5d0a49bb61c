//! What should be said: words and their phones, and where they lie in the sound.

use kmidi_memory::JobContext;

use super::edits::{self, Edit};
use super::forced::{self, Span};
use super::frames::{FRAME_SAMPLES, FRAME_SECONDS, LogProbs, log_add};
use super::g2p::Speller;
use super::ipa::Phone;
use super::sounds::distance;
use super::text;
use super::variants::variants;
use super::vocabulary::Vocabulary;
use super::{Expectation, PhonemeError, parse_phones};
use crate::model::ModelCache;

/// A word, and the ways to say it; the first is what its spelling says.
#[derive(Clone, Debug)]
pub(super) struct ExpectedWord {
    pub text: String,
    pub ways: Vec<Vec<Phone>>,
    /// Which of them it is judged by.
    pub chosen: usize,
}

impl ExpectedWord {
    pub fn phones(&self) -> &[Phone] {
        &self.ways[self.chosen]
    }
}

/// The words that are expected, each with its ways.
///
/// # Errors
/// They cannot be read, or a model cannot be had.
pub(super) fn words(
    expectation: &Expectation,
    models: &ModelCache,
    vocabulary: &Vocabulary,
    job: &JobContext,
) -> Result<Vec<ExpectedWord>, PhonemeError> {
    match expectation {
        Expectation::Text(text) => {
            let words = text::words(text)?;
            let mut speller = Speller::new(models, vocabulary)?;
            let word = |word: &text::Word| {
                job.check()?;
                let mut ways = vec![speller.phones(word)?];
                if let [spoken] = &word.spoken[..] {
                    for way in variants(spoken) {
                        ways.push(Phone::parse_all(way)?);
                    }
                }
                Ok(ExpectedWord { text: word.text.clone(), ways, chosen: 0 })
            };
            words.iter().map(word).collect()
        }
        Expectation::Phones(text) => {
            // A bar parts words.
            let groups = text.split('|').filter(|it| !it.trim().is_empty());
            let words: Vec<ExpectedWord> = groups
                .map(|group| {
                    let text = group.split_whitespace().collect::<Vec<_>>().join(" ");
                    Ok(ExpectedWord { text, ways: vec![parse_phones(group)?], chosen: 0 })
                })
                .collect::<Result<_, PhonemeError>>()?;
            if words.iter().all(|it| it.phones().is_empty()) {
                return Err(PhonemeError::NoWords);
            }
            Ok(words)
        }
    }
}

/// Has each word judged by the way that is nearest to what was heard of it.
pub(super) fn choose_ways(words: &mut [ExpectedWord], heard: &[Phone]) -> Result<(), PhonemeError> {
    let expected: Vec<&Phone> = words.iter().flat_map(|it| it.phones()).collect();
    let heard: Vec<&Phone> = heard.iter().collect();
    let edits = edits::shortest(&expected, &heard, |a, b| distance(a, b))?;
    let mut edits = edits.into_iter().peekable();
    let mut end = 0;
    for word in words {
        end += word.phones().len();
        let mut said = vec![];
        while let Some(edit) = edits.next_if(|it| is_before(*it, end)) {
            if let Edit::Same(_, at) | Edit::Substituted(_, at) | Edit::Added(at) = edit {
                said.push(heard[at]);
            }
        }
        let cost = |way: &[Phone]| {
            let way: Vec<&Phone> = way.iter().collect();
            edits::shortest(&way, &said, |a, b| distance(a, b)).map(|it| edits::count(&it))
        };
        // The first of equals.
        let mut best = (cost(word.phones())?, word.chosen);
        for (number, way) in word.ways.iter().enumerate() {
            let cost = cost(way)?;
            if cost < best.0 {
                best = (cost, number);
            }
        }
        word.chosen = best.1;
    }
    Ok(())
}

/// Whether it belongs to what comes before the expected phone `end`: what was added belongs to the word before.
fn is_before(edit: Edit, end: usize) -> bool {
    match edit {
        Edit::Same(at, _) | Edit::Substituted(at, _) | Edit::Missed(at) => at < end,
        Edit::Added(_) => true,
    }
}

/// Seconds of the longest recording that is compared with a text.
pub(super) const MAX_SECONDS: u64 = 600;

/// What frames say of the phones of a text alone: a few of the symbols, so that minutes can be held.
pub(super) struct Columns {
    /// The symbol of each column behind the first, which is silence and borders together.
    symbols: Vec<u16>,
    blank: u16,
    border: u16,
    values: Vec<f32>,
    /// From this frame on, the place of the frames in the sound, in samples.
    starts: Vec<(usize, u64)>,
}

impl Columns {
    /// For all ways to say these words.
    ///
    /// # Errors
    /// A phone that the model does not know.
    pub fn of(words: &[ExpectedWord], vocabulary: &Vocabulary) -> Result<Self, PhonemeError> {
        let mut symbols = vec![];
        for phone in words.iter().flat_map(|it| &it.ways).flatten() {
            symbols.push(symbol(phone, vocabulary)?);
        }
        symbols.sort_unstable();
        symbols.dedup();
        let (blank, border) = (vocabulary.bias().blank, vocabulary.border());
        Ok(Columns { symbols, blank, border, values: vec![], starts: vec![] })
    }

    fn width(&self) -> usize {
        self.symbols.len() + 1
    }

    fn frames(&self) -> usize {
        self.values.len() / self.width()
    }

    /// Adds the frames of a chunk that begins there.
    ///
    /// # Errors
    /// It is too long by now.
    pub fn push(&mut self, frames: LogProbs<'_>, start: u64) -> Result<(), PhonemeError> {
        if (self.frames() + frames.len()) as f64 * FRAME_SECONDS > MAX_SECONDS as f64 + 10.0 {
            return Err(PhonemeError::RecordingTooLong { most_seconds: MAX_SECONDS });
        }
        self.starts.push((self.frames(), start));
        for frame in frames.frames() {
            let of = |symbol: u16| frame[usize::from(symbol)];
            self.values.push(log_add(of(self.blank), of(self.border)));
            self.values.extend(self.symbols.iter().map(|it| of(*it)));
        }
        Ok(())
    }

    /// Where the phones lie, in frames of all chunks together; none where they do not fit.
    pub fn align(
        &self,
        phones: &[Phone],
        vocabulary: &Vocabulary,
        job: &JobContext,
    ) -> Result<Option<Vec<Span>>, PhonemeError> {
        let column = |phone: &Phone| {
            let symbol = symbol(phone, vocabulary)?;
            Ok(self.symbols.binary_search(&symbol).map_err(|_| PhonemeError::shape())? as u16 + 1)
        };
        let columns: Vec<u16> = phones.iter().map(column).collect::<Result<_, PhonemeError>>()?;
        forced::align(LogProbs::new(&self.values, self.width()), &columns, 0, || Ok(job.check()?))
    }

    /// The middle of a frame, in samples from the start of the sound.
    pub fn place(&self, frame: usize) -> u64 {
        let chunk = self.starts.partition_point(|it| it.0 <= frame).saturating_sub(1);
        let (first, start) = self.starts.get(chunk).copied().unwrap_or((0, 0));
        start + ((frame - first) * FRAME_SAMPLES) as u64
    }
}

fn symbol(phone: &Phone, vocabulary: &Vocabulary) -> Result<u16, PhonemeError> {
    vocabulary.of_phone(phone).ok_or_else(|| PhonemeError::UnknownPhone { phone: phone.to_string() })
}
