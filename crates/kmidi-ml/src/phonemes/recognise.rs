//! Sound in, symbols with their places out: in one pass, and in memory that does not grow with the sound.

use std::sync::Arc;

use kmidi_memory::JobContext;

use super::chunks::{Chunk, Chunker};
use super::ctc;
use super::expected::Columns;
use super::forced;
use super::frames::{FRAME_SAMPLES, LogProbs};
use super::quality::Meter;
use super::vocabulary::Vocabulary;
use super::voice::{VoiceDetector, WINDOW_SAMPLES};
use super::{PhonemeError, SAMPLE_RATE_HZ, Settings};
use crate::model::{Input, Model, ModelCache, ModelName};
use crate::{MonoSource, Progress};

/// A symbol where it was heard, in samples from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sound {
    pub symbol: u16,
    /// The middle of its first frame.
    pub first: u64,
    /// The middle of its last frame.
    pub last: u64,
    pub probability: f32,
}

/// What was heard.
pub(super) struct Heard {
    pub meter: Meter,
    pub sounds: Vec<Sound>,
    pub chunks: usize,
}

/// A chunk that is quieter than this is raised to it: once, and the only change to its level.
const QUIET_PEAK: f32 = 0.25;

/// What is shorter is heard with silence around it: the model does not hear what lies at the edges, and a word cut close is nothing else.
const SHORT_SAMPLES: usize = 2 * SAMPLE_RATE_HZ as usize;

/// Frames of that silence, 0.8 s, at each end.
const PAD_FRAMES: usize = 40;

/// What listens.
pub(super) struct Recogniser<'a> {
    model: Arc<Model>,
    voice: VoiceDetector,
    vocabulary: &'a Vocabulary,
    settings: &'a Settings,
    job: &'a JobContext,
}

impl<'a> Recogniser<'a> {
    pub fn new(
        models: &ModelCache,
        vocabulary: &'a Vocabulary,
        settings: &'a Settings,
        job: &'a JobContext,
    ) -> Result<Self, PhonemeError> {
        let voice = VoiceDetector::new(models)?;
        Ok(Recogniser { model: models.get(ModelName::HamaAsr)?, voice, vocabulary, settings, job })
    }

    /// Listens to the end. What the frames say of a text's phones is added to `columns`.
    pub fn listen(
        mut self,
        source: &mut dyn MonoSource,
        mut columns: Option<&mut Columns>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Heard, PhonemeError> {
        let mut heard = Heard { meter: Meter::new(), sounds: vec![], chunks: 0 };
        let mut chunker = Chunker::new();
        let of = source.frames();
        loop {
            self.job.check()?;
            let mut window = [0.0; WINDOW_SAMPLES];
            let count = fill(source, &mut window)?;
            if count > 0 {
                heard.meter.mend(&mut window);
                // Without a gate, all that is not zero may be speech.
                let is_speech = self.voice.is_speech(&window)?
                    || (self.settings.force && window != [0.0; WINDOW_SAMPLES]);
                let level = heard.meter.push(&window, count, is_speech);
                if let Some(chunk) = chunker.push(&window, is_speech, level) {
                    self.recognise(&chunk, &mut heard, columns.as_deref_mut())?;
                }
            }
            progress(Progress { frames: heard.meter.samples(), of });
            if count < WINDOW_SAMPLES {
                break;
            }
        }
        heard.meter.before_the_mix(source.clipped_share());
        if let Some(mut chunk) = chunker.finish() {
            // Without what fills the last window.
            chunk.samples.truncate((heard.meter.samples() - chunk.start) as usize);
            self.recognise(&chunk, &mut heard, columns)?;
        }
        Ok(heard)
    }

    fn recognise(
        &self,
        chunk: &Chunk,
        heard: &mut Heard,
        columns: Option<&mut Columns>,
    ) -> Result<(), PhonemeError> {
        let values = self.log_probs(&chunk.samples)?;
        let frames = LogProbs::new(&values, self.vocabulary.len());
        let bias = self.vocabulary.bias();
        let place = |frame: usize| chunk.start + (frame * FRAME_SAMPLES) as u64;
        let sound = |symbol, first, last, probability| Sound {
            symbol,
            first: place(first),
            last: place(last),
            probability,
        };
        match self.settings.beam {
            0 => {
                let spikes = ctc::greedy(frames, bias);
                let sounds = spikes
                    .into_iter()
                    .map(|it| sound(it.symbol, it.first_frame, it.last_frame, it.probability));
                heard.sounds.extend(sounds);
            }
            width => {
                let symbols = ctc::beam(frames, bias, width);
                let go_on = || Ok(self.job.check()?);
                // A search knows what is said, and not where.
                let spans = forced::align(frames, &symbols, bias.blank, go_on)?.unwrap_or_default();
                let sounds = symbols
                    .iter()
                    .zip(spans)
                    .map(|(symbol, it)| sound(*symbol, it.first_frame, it.last_frame, it.probability));
                heard.sounds.extend(sounds);
            }
        }
        heard.chunks += 1;
        if let Some(columns) = columns {
            columns.push(frames, chunk.start)?;
        }
        Ok(())
    }

    /// What the model says of each frame of a piece, the first of which lies at its start.
    fn log_probs(&self, samples: &[f32]) -> Result<Vec<f32>, PhonemeError> {
        if samples.len() >= SHORT_SAMPLES {
            return self.log_probs_between(samples, 0);
        }
        let symbols = self.vocabulary.len();
        let mut values = self.log_probs_between(samples, PAD_FRAMES)?;
        // The frames of the silence go, so that times are those of the recording.
        values.drain(..(PAD_FRAMES * symbols).min(values.len()));
        values.truncate((samples.len() / FRAME_SAMPLES + 1) * symbols);
        Ok(values)
    }

    /// The same with so many frames of silence before it and behind it, and with theirs.
    fn log_probs_between(&self, samples: &[f32], pad_frames: usize) -> Result<Vec<f32>, PhonemeError> {
        let peak = samples.iter().fold(0.0_f32, |peak, it| peak.max(it.abs()));
        let gain = if peak > 0.0 && peak < QUIET_PEAK { QUIET_PEAK / peak } else { 1.0 };
        let pad = pad_frames * FRAME_SAMPLES;
        let mut waveform = vec![0.0; samples.len() + 2 * pad];
        for (to, from) in waveform[pad..].iter_mut().zip(samples) {
            *to = (from * gain).clamp(-1.0, 1.0);
        }
        let length = [waveform.len() as i32];
        let shape = [1, waveform.len()];
        let inputs =
            [Input::f32("waveform", &shape, &waveform), Input::i32("waveform_lengths", &[1], &length)];
        let mut said = self.model.run(&inputs, &["log_probs"])?;
        let tensor = said.pop().ok_or_else(PhonemeError::shape)?;
        if tensor.shape.len() != 3 || tensor.shape[2] != self.vocabulary.len() {
            return Err(PhonemeError::shape());
        }
        match tensor.values {
            crate::model::Values::F32(values) => Ok(values),
            crate::model::Values::I32(_) => Err(PhonemeError::shape()),
        }
    }
}

/// A whole window, or what is left: a source may give less than it is asked for at its end only.
fn fill(source: &mut dyn MonoSource, window: &mut [f32; WINDOW_SAMPLES]) -> Result<usize, PhonemeError> {
    let found_hz = source.sample_rate_hz();
    if found_hz != SAMPLE_RATE_HZ {
        return Err(PhonemeError::Rate { found_hz });
    }
    Ok(source.read(window)?)
}
