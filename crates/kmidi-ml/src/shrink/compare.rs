//! What smaller weights change in what a model says.

use serde::Serialize;

use crate::model::{Example, ExampleInput, Input, Model, ModelCache, ModelError, ModelName, Tensor};
use crate::phonemes::{PhonemeError, spelled};

/// Of a long recording no more windows are run.
const MOST_WINDOWS: usize = 200;
/// Numbers of sound that are listened to, about.
const SAMPLES: usize = 160_000;
/// What the models that spell are asked: short and long words, and some that no rule spells.
const WORDS: [&str; 32] = [
    "a",
    "able",
    "ache",
    "beautiful",
    "bough",
    "business",
    "choir",
    "cough",
    "daughter",
    "enough",
    "eye",
    "friend",
    "garden",
    "heart",
    "island",
    "journey",
    "knight",
    "language",
    "machine",
    "neighbour",
    "ocean",
    "people",
    "queue",
    "rhythm",
    "school",
    "thought",
    "through",
    "usual",
    "vehicle",
    "women",
    "yacht",
    "zebra",
];

/// How far what a copy says is from what the model says, on the same real inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What they were given.
    pub inputs: String,
    /// Of the sound: root of the mean square of the difference, over that of what the model says. The worst of its outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relative_rms: Option<f64>,
    /// The largest difference of any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest: Option<f64>,
    /// Of the words: how many are spelled in another way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_words: Option<usize>,
}

/// The rate that a model listens at, in Hz; none of one that reads.
pub const fn sample_rate_hz(model: ModelName) -> Option<u32> {
    match model {
        ModelName::BasicPitch => Some(crate::transcribe::POLY_SAMPLE_RATE_HZ),
        ModelName::SwiftF0 => Some(crate::transcribe::MONO_SAMPLE_RATE_HZ),
        ModelName::SileroVad | ModelName::HamaAsr => Some(crate::phonemes::SAMPLE_RATE_HZ),
        ModelName::HamaG2pEncoder | ModelName::HamaG2pDecoder | ModelName::MiniLm | ModelName::Piano => None,
    }
}

impl Difference {
    /// Runs a model and its copy. `sound` is at [`sample_rate_hz`]; models that read are given words. None where nothing can be told
    /// apart here.
    ///
    /// # Errors
    /// One of the two cannot be loaded or run.
    pub fn measure(
        model: ModelName,
        original: &ModelCache,
        copy: &ModelCache,
        sound: &[f32],
    ) -> Result<Option<Self>, PhonemeError> {
        match model {
            ModelName::HamaG2pEncoder | ModelName::HamaG2pDecoder => {
                let (before, now) = (spelled(original, &WORDS)?, spelled(copy, &WORDS)?);
                let other_words = before.iter().zip(&now).filter(|(before, now)| before != now).count();
                Ok(Some(Difference {
                    inputs: format!("{} words", WORDS.len()),
                    relative_rms: None,
                    largest: None,
                    other_words: Some(other_words),
                }))
            }
            ModelName::MiniLm | ModelName::Piano => Ok(None),
            _ if sound.is_empty() => Ok(None),
            _ => {
                let (original, copy) = (original.get(model)?, copy.get(model)?);
                Ok(Some(of_sound(&original, &copy, sound)?))
            }
        }
    }
}

fn of_sound(original: &Model, copy: &Model, sound: &[f32]) -> Result<Difference, ModelError> {
    let examples = &original.entry().examples;
    let length: usize = examples[0].shape.iter().product();
    let windows = (SAMPLES / length.max(1)).clamp(1, MOST_WINDOWS);
    let names = original.output_names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut sums = vec![Sums::default(); names.len()];
    for window in 0..windows {
        // A short recording begins anew.
        let samples: Vec<f32> =
            sound.iter().cycle().skip(window * length % sound.len()).take(length).copied().collect();
        let (before, now) =
            (run(original, examples, &samples, &names)?, run(copy, examples, &samples, &names)?);
        sums.iter_mut().zip(before.iter().zip(&now)).for_each(|(sums, (before, now))| sums.add(before, now));
    }
    let of_all = |value: fn(&Sums) -> f64| sums.iter().map(value).fold(0.0, f64::max);
    Ok(Difference {
        inputs: format!("{windows} windows of sound, {length} samples each"),
        relative_rms: Some(of_all(|it| (it.difference / it.signal.max(f64::MIN_POSITIVE)).sqrt())),
        largest: Some(of_all(|it| it.largest)),
        other_words: None,
    })
}

/// The first input is sound, the others are as in the catalogue.
fn run(
    model: &Model,
    examples: &[ExampleInput],
    samples: &[f32],
    names: &[&str],
) -> Result<Vec<Tensor>, ModelError> {
    let rest: Vec<_> = examples[1..].iter().map(Example::of).collect();
    let mut inputs = vec![Input::f32(&examples[0].name, &examples[0].shape, samples)];
    inputs.extend(rest.iter().map(Example::input));
    model.run(&inputs, names)
}

#[derive(Clone, Default)]
struct Sums {
    difference: f64,
    signal: f64,
    largest: f64,
}

impl Sums {
    fn add(&mut self, before: &Tensor, now: &Tensor) {
        for (before, now) in before.f32s().iter().zip(now.f32s()) {
            let (before, now) = (f64::from(*before), f64::from(*now));
            self.difference += (before - now).powi(2);
            self.signal += before.powi(2);
            self.largest = self.largest.max((before - now).abs());
        }
    }
}
