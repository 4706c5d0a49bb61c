//! Whether somebody speaks, 32 ms at a time.

use std::sync::Arc;

use crate::model::{Input, Model, ModelCache, ModelName};

use super::PhonemeError;

/// Samples of a window, at 16 kHz.
pub(super) const WINDOW_SAMPLES: usize = 512;

/// Samples before a window that the model sees too.
const CONTEXT_SAMPLES: usize = 64;

/// What follows so many windows of zeros, a second of them, is told by what the model said of the last one: then its state is nearly the
/// same from one to the next, and long recordings have many.
const SETTLED_WINDOWS: usize = 31;

/// From this probability on it is speech.
const SPEECH: f32 = 0.5;

/// A detector that remembers what it has heard.
pub(super) struct VoiceDetector {
    model: Arc<Model>,
    heard: [f32; CONTEXT_SAMPLES + WINDOW_SAMPLES],
    state: Vec<f32>,
    /// Windows of zeros one behind the other, up to now.
    zeros: usize,
    said: bool,
}

const STATE_SHAPE: [usize; 3] = [2, 1, 128];

impl VoiceDetector {
    /// Loads the model if it is not there.
    ///
    /// # Errors
    /// The model cannot be had.
    pub fn new(models: &ModelCache) -> Result<Self, PhonemeError> {
        let model = models.get(ModelName::SileroVad)?;
        let state = vec![0.0; STATE_SHAPE.iter().product()];
        let heard = [0.0; CONTEXT_SAMPLES + WINDOW_SAMPLES];
        Ok(VoiceDetector { model, heard, state, zeros: 0, said: false })
    }

    /// Whether there is speech in the next window.
    ///
    /// # Errors
    /// The model cannot be run.
    pub fn is_speech(&mut self, window: &[f32; WINDOW_SAMPLES]) -> Result<bool, PhonemeError> {
        self.zeros = if *window == [0.0; WINDOW_SAMPLES] { self.zeros + 1 } else { 0 };
        if self.zeros <= SETTLED_WINDOWS {
            self.said = self.ask(window)?;
        }
        Ok(self.said)
    }

    fn ask(&mut self, window: &[f32; WINDOW_SAMPLES]) -> Result<bool, PhonemeError> {
        self.heard.copy_within(WINDOW_SAMPLES.., 0);
        self.heard[CONTEXT_SAMPLES..].copy_from_slice(window);
        let inputs = [
            Input::f32("input", &[1, CONTEXT_SAMPLES + WINDOW_SAMPLES], &self.heard),
            Input::f32("state", &STATE_SHAPE, &self.state),
            Input::i32("sr", &[], &[super::SAMPLE_RATE_HZ as i32]),
        ];
        let said = self.model.run(&inputs, &["output", "stateN"])?;
        let [output, state] = &said[..] else { return Err(PhonemeError::shape()) };
        if state.f32s().len() != self.state.len() {
            return Err(PhonemeError::shape());
        }
        self.state.copy_from_slice(state.f32s());
        Ok(*output.f32s().first().ok_or_else(PhonemeError::shape)? >= SPEECH)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kmidi_memory::Budgets;

    use super::*;
    use crate::model::ModelFolders;

    type Window = [f32; WINDOW_SAMPLES];

    fn speech() -> Vec<Window> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/speech/austen-disposed.flac");
        let mut reader = claxon::FlacReader::open(path).unwrap();
        let samples: Vec<f32> = reader.samples().map(|it| it.unwrap() as f32 / 32_768.0).collect();
        samples.as_chunks::<WINDOW_SAMPLES>().0.to_vec()
    }

    /// Speech, so long a silence, and speech; which windows of it are taken for speech, and how often the model was asked.
    fn heard(models: &ModelCache, silence: Window, windows: usize) -> (Vec<bool>, usize) {
        let mut detector = VoiceDetector::new(models).unwrap();
        let mut asked = 0;
        let all = [speech(), vec![silence; windows], speech()].concat();
        let heard = all.iter().map(|window| {
            let before = detector.state.clone();
            let is_speech = detector.is_speech(window).unwrap();
            asked += usize::from(before != detector.state);
            is_speech
        });
        (heard.collect(), asked)
    }

    #[test]
    fn behind_a_long_silence_that_is_passed_over_the_same_is_heard() {
        let models = ModelCache::new(Budgets::default(), ModelFolders::default());
        let speech = speech().len();
        for silent in [20, 100, 400] {
            // What is not quite nothing is listened to.
            let (listened, all) = heard(&models, [1e-30; WINDOW_SAMPLES], silent);
            let (passed_over, asked) = heard(&models, [0.0; WINDOW_SAMPLES], silent);
            assert_eq!(passed_over, listened, "{silent} windows of silence");
            assert!(passed_over[..speech].contains(&true), "there is speech in it");
            assert_eq!(all, 2 * speech + silent, "control: it is listened to all the time");
            assert_eq!(asked, 2 * speech + silent.min(SETTLED_WINDOWS));
        }
    }
}
