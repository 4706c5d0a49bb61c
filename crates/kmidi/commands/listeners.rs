//! What listens to a recording by models, as other commands do it again and again, or measure it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use kmidi_memory::{Budgets, Cancel, Domain, JobContext, JobError, Need};
use kmidi_ml::model::{ModelCache, ModelName};
use kmidi_ml::phonemes::{self, Settings};
use kmidi_ml::transcribe::{self, PolyOptions};
use kmidi_session::{
    Listening, OnProgress, Position, RenderRequest, SampleFormat, SoundSettings, Tail, render,
};

use crate::exit::{Interrupted, Unreadable};

/// Seconds of the demo song that are listened to.
const DEMO_SECONDS: f64 = 10.0;

/// Somebody speaks for three seconds.
const SPEECH: &[u8] = include_bytes!("../../../assets/speech/austen-disposed.flac");

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Notes of all instruments.
    Transcribe,
    /// Notes and pedals of a piano.
    Piano,
    /// Phones of speech.
    Phonemes,
}

impl Listener {
    /// The models that it needs.
    pub fn models(self) -> &'static [ModelName] {
        match self {
            Listener::Transcribe => &[ModelName::BasicPitch],
            Listener::Piano => &[ModelName::Piano],
            Listener::Phonemes => &[ModelName::SileroVad, ModelName::HamaAsr],
        }
    }

    /// What it is promised beyond the models.
    fn need(self) -> Need {
        match self {
            Listener::Transcribe => hearing(transcribe::WORKING_BYTES),
            Listener::Piano => hearing(transcribe::PIANO_WORKING_BYTES),
            Listener::Phonemes => settings().need(),
        }
    }

    /// The most that it is promised beyond the models while one of them runs.
    pub fn leased_bytes(self, models: &ModelCache, source_bytes: u64) -> u64 {
        let runs = self.models().iter().map(|model| models.entry(*model).run_bytes());
        self.need().bytes + source_bytes + runs.max().unwrap_or(0)
    }

    /// The file as it hears it.
    pub fn open(self, file: &Path) -> Result<Listening> {
        let rate_hz = match self {
            Listener::Transcribe => transcribe::POLY_SAMPLE_RATE_HZ,
            Listener::Piano => transcribe::PIANO_SAMPLE_RATE_HZ,
            Listener::Phonemes => phonemes::SAMPLE_RATE_HZ,
        };
        Ok(Listening::open(file, rate_hz).map_err(|error| Unreadable(error.into()))?)
    }

    /// Listens to a file. Returns how many notes or phones were heard.
    pub fn listen(
        self,
        file: &Path,
        models: &ModelCache,
        budgets: &Budgets,
        cancel: &Cancel,
    ) -> Result<usize> {
        let mut source = self.open(file)?;
        let mut need = self.need();
        need.bytes += source.bytes();
        let listen = |job: JobContext| -> Result<usize> {
            Ok(match self {
                Listener::Transcribe => {
                    let model = models.get(ModelName::BasicPitch)?;
                    let options = PolyOptions::default();
                    transcribe::polyphonic(&model, &mut source, &options, &job, &mut |_| {})?.notes.len()
                }
                Listener::Piano => {
                    let model = models.get(ModelName::Piano)?;
                    transcribe::piano(&model, &mut source, &job, &mut |_| {})?.notes.len()
                }
                Listener::Phonemes => {
                    phonemes::analyse(models, &mut source, &settings(), &job, &mut |_| {})?.phones.len()
                }
            })
        };
        match JobContext::run(budgets, need, cancel, listen) {
            Err(JobError::Cancelled) => Err(Interrupted.into()),
            Ok(Err(_)) if cancel.is_cancelled() => Err(Interrupted.into()),
            heard => heard?,
        }
    }
}

fn hearing(bytes: u64) -> Need {
    Need { domain: Domain::Models, bytes, name: "transcribing".to_owned() }
}

/// All of it is done, however good the recording is.
fn settings() -> Settings {
    Settings { force: true, ..Settings::default() }
}

/// A recording for who has none, in this folder: the start of a song, or speech.
pub fn example(listener: Listener, song: &Path, folder: &Path) -> Result<PathBuf> {
    match listener {
        Listener::Transcribe | Listener::Piano => record(song, folder.join("recording.wav")),
        Listener::Phonemes => speech(folder),
    }
}

/// Somebody's speech, as a file in this folder.
pub fn speech(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("speech.flac");
    std::fs::write(&path, SPEECH)?;
    Ok(path)
}

/// The start of a song as a recording.
fn record(song: &Path, output: PathBuf) -> Result<PathBuf> {
    let request = RenderRequest {
        song: song.to_owned(),
        sound_fonts: vec![],
        output: Some(output.clone()),
        format: SampleFormat::Int16,
        sample_rate_hz: 44_100,
        quantum_frames: 512,
        sound: SoundSettings::default(),
        rack: Default::default(),
        from: None,
        to: Some(Position::Seconds(DEMO_SECONDS)),
        tail: Tail::Seconds(0.0),
        stems: None,
        loudness: false,
        verify: false,
        budgets: Budgets::default(),
    };
    render(&request, &Cancel::default(), &(Arc::new(|_| {}) as OnProgress))?;
    Ok(output)
}
