//! Whether somebody speaks, 32 ms at a time.

use std::sync::Arc;

use crate::model::{Input, Model, ModelCache, ModelName};

use super::PhonemeError;

/// Samples of a window, at 16 kHz.
pub(super) const WINDOW_SAMPLES: usize = 512;

/// Samples before a window that the model sees too.
const CONTEXT_SAMPLES: usize = 64;

/// From this probability on it is speech.
const SPEECH: f32 = 0.5;

/// A detector that remembers what it has heard.
pub(super) struct VoiceDetector {
    model: Arc<Model>,
    heard: [f32; CONTEXT_SAMPLES + WINDOW_SAMPLES],
    state: Vec<f32>,
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
        Ok(VoiceDetector { model, heard: [0.0; CONTEXT_SAMPLES + WINDOW_SAMPLES], state })
    }

    /// Whether there is speech in the next window.
    ///
    /// # Errors
    /// The model cannot be run.
    pub fn is_speech(&mut self, window: &[f32; WINDOW_SAMPLES]) -> Result<bool, PhonemeError> {
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
