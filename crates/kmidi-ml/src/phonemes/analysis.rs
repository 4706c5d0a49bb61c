//! The whole of it: from sound to an [`Analysis`].

use kmidi_memory::JobContext;
use serde::Serialize;

use super::expected::{self, Columns, ExpectedWord};
use super::ipa::Phone;
use super::problems::{Problem, problems};
use super::quality::{Fault, Quality, rounded};
use super::recognise::{Heard, Recogniser};
use super::score::{HeardWord, Score, Times, compare, stretches};
use super::times::{self, Place, TimedPhone, borders};
use super::vocabulary::Vocabulary;
use super::{PhonemeError, SAMPLE_RATE_HZ, Settings};
use crate::model::{ModelCache, ModelName};
use crate::{MonoSource, Progress};

/// Of the fields of an [`Analysis`]: it grows when one of them changes its meaning or goes.
pub const FORMAT_VERSION: u32 = 1;

/// What a recording says. Times are in seconds from its start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// How long it is.
    pub duration_seconds: f64,
    /// How good it is; if it was not accepted, nothing below is there.
    pub quality: Quality,
    /// Pieces that it was cut into.
    pub chunks: usize,
    /// All that was heard.
    pub phones: Vec<TimedPhone>,
    /// Words of the text, or stretches between borders without one.
    pub words: Vec<HeardWord>,
    /// How it differs from the text; none without one.
    pub score: Option<Score>,
    /// Which kinds of sounds went wrong.
    pub problems: Vec<Problem>,
}

/// Analyses a recording of any length, at 16 kHz. `[side B]`
///
/// It holds ten seconds of sound, the phones, and with a text what each frame says of its phones (up to ten minutes).
///
/// # Errors
/// [`PhonemeError`]. A recording that is not good enough is no error: its [`Quality`] says why not.
pub fn analyse(
    models: &ModelCache,
    source: &mut dyn MonoSource,
    settings: &Settings,
    job: &JobContext,
    progress: &mut dyn FnMut(Progress),
) -> Result<Analysis, PhonemeError> {
    let vocabulary = Vocabulary::parse(&models.read(ModelName::HamaAsr, "g2p_vocab.json")?)?;
    let mut words = match &settings.expectation {
        Some(expectation) => expected::words(expectation, models, &vocabulary, job)?,
        None => vec![],
    };
    let mut columns = if words.is_empty() { None } else { Some(Columns::of(&words, &vocabulary)?) };
    let too_long = |frames: u64| frames > expected::MAX_SECONDS * u64::from(SAMPLE_RATE_HZ);
    if columns.is_some() && source.frames().is_some_and(too_long) {
        return Err(PhonemeError::RecordingTooLong { most_seconds: expected::MAX_SECONDS });
    }
    let recogniser = Recogniser::new(models, &vocabulary, settings, job)?;
    let heard = recogniser.listen(source, columns.as_mut(), progress)?;
    let mut analysis = judged(&heard, settings);
    if !analysis.quality.accepted && !settings.force {
        return Ok(analysis);
    }
    let (phones, word_starts) = times::phones(&heard.sounds, &vocabulary, heard.meter.samples());
    if phones.is_empty() {
        analysis.quality.refuse(Fault::NothingHeard);
        if !settings.force {
            return Ok(analysis);
        }
    }
    analysis.chunks = heard.chunks;
    match columns {
        None => analysis.words = stretches(&phones, &word_starts),
        Some(columns) => {
            let said: Vec<Phone> = phones.iter().map(|it| it.ipa.clone()).collect();
            expected::choose_ways(&mut words, &said)?;
            let found = when(&words, &columns, &vocabulary, heard.meter.samples(), job)?;
            let (judged, score) = compare(&words, &phones, &found)?;
            analysis.problems = problems(&words, &judged);
            (analysis.words, analysis.score) = (judged, Some(score));
        }
    }
    analysis.phones = phones;
    Ok(analysis)
}

fn judged(heard: &Heard, settings: &Settings) -> Analysis {
    Analysis {
        version: FORMAT_VERSION,
        duration_seconds: rounded(heard.meter.samples() as f64 / f64::from(SAMPLE_RATE_HZ)),
        quality: heard.meter.quality(&settings.limits),
        chunks: 0,
        phones: vec![],
        words: vec![],
        score: None,
        problems: vec![],
    }
}

/// When each expected phone is said, and how sure that is.
fn when(
    words: &[ExpectedWord],
    columns: &Columns,
    vocabulary: &Vocabulary,
    samples: u64,
    job: &JobContext,
) -> Result<Times, PhonemeError> {
    let phones: Vec<Phone> = words.iter().flat_map(ExpectedWord::phones).cloned().collect();
    let Some(spans) = columns.align(&phones, vocabulary, job)? else { return Ok(None) };
    let place = |it: &super::forced::Span| Place {
        first: columns.place(it.first_frame),
        last: columns.place(it.last_frame),
    };
    let places: Vec<Place> = spans.iter().map(place).collect();
    let borders = borders(&places, samples);
    let timed = borders.into_iter().zip(&spans);
    Ok(Some(timed.map(|((start, end), span)| (start, end, rounded(span.probability.into()))).collect()))
}
