//! What `kmidi phonemes` takes.

use std::path::PathBuf;

use clap::Args;
use kmidi_ml::phonemes::{Expectation, Limits, Settings};

use crate::memory::MemoryArgs;
use crate::models_flag::ModelsFlag;
use crate::trace_flag::TraceArgs;

const AFTER_HELP: &str = "\
Speech becomes phones of the IPA with their times. With a text (or with phones) it is compared with what should have been
said: what was missed (-), added (+) or said otherwise (a>b), word by word, and the phoneme error rate, which is all of
these over the phones that were expected. Affricates, diphthongs and long vowels are one phone each. Length and other marks
do not count as differences, nor do sounds that English tells apart by their place alone (ʌ ə, ɚ ɝ, t ɾ).

The model is small and hears American English best; it is wrong in about one phone of six in clear speech. Low confidence
marks where. It judges a learner's trend, not a single sound.

A recording that is too short, too quiet, clipped, mostly silent, noisy or without speech is not analysed: exit code 1, and
the reasons are told; so is one in which no phone is heard. --force analyses it all the same. What is shorter than two seconds is
heard with silence around it, so that a word cut close is not lost at the edges; times are those of the recording.

EXIT CODES: 0 analysed; 1 not good enough, or a failure; 2 unreadable, or a usage error; 130 interrupted

EXAMPLES:
  kmidi phonemes take.wav
  kmidi phonemes take.flac --text \"the quick brown fox\" --json | jq .score.phoneme_error_rate
  kmidi phonemes take.wav --expect \"hh ah l ow\"
  kmidi phonemes take.wav --text \"hello world\" --textgrid > take.TextGrid";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Phonemes {
    /// A recording: WAV, FLAC, MP3, Ogg Vorbis
    #[arg(value_name = "AUDIO")]
    pub file: PathBuf,
    /// What should be said in it
    #[arg(long, value_name = "TEXT", conflicts_with = "expect")]
    pub text: Option<String>,
    /// The phones that should be said, in IPA or ARPABET; | parts words
    #[arg(long, value_name = "PHONES")]
    pub expect: Option<String>,
    /// Search for the likeliest phones with N candidates; 0 takes the best symbol of each 20 ms
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub beam: u16,
    /// Analyse the recording also if it is not good enough
    #[arg(long)]
    pub force: bool,
    /// Shortest recording, in seconds
    #[arg(long, value_name = "S", default_value_t = Limits::default().min_seconds, value_parser = positive)]
    pub min_seconds: f64,
    /// Least speech over noise, in decibels
    #[arg(long, value_name = "DB", default_value_t = Limits::default().min_snr_db, allow_negative_numbers = true, value_parser = finite)]
    pub min_snr_db: f64,
    /// Least level of the whole, in dBFS
    #[arg(long, value_name = "DB", default_value_t = Limits::default().min_rms_dbfs, allow_negative_numbers = true, value_parser = finite)]
    pub min_rms_dbfs: f64,
    /// Most samples at full scale, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = Limits::default().max_clipped_share * 100.0, value_parser = percent)]
    pub max_clipped_percent: f64,
    /// Most silence, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = Limits::default().max_silence_share * 100.0, value_parser = percent)]
    pub max_silence_percent: f64,
    /// Least speech in what is not silent, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = Limits::default().min_speech_share * 100.0, value_parser = percent)]
    pub min_speech_percent: f64,
    /// Print what the models did too: loads, memory
    #[arg(long)]
    pub stats: bool,
    /// Print one JSON object on stdout
    #[arg(long, conflicts_with = "textgrid")]
    pub json: bool,
    /// Print a TextGrid, as Praat reads it
    #[arg(long)]
    pub textgrid: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
    #[command(flatten)]
    pub memory: MemoryArgs,
    #[command(flatten)]
    pub trace: TraceArgs,
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|it| it.is_finite());
    number.ok_or_else(|| "a number is needed".into())
}

fn positive(text: &str) -> Result<f64, String> {
    finite(text).ok().filter(|it| *it > 0.0).ok_or_else(|| "a number over 0 is needed".into())
}

fn percent(text: &str) -> Result<f64, String> {
    finite(text)
        .ok()
        .filter(|it| (0.0..=100.0).contains(it))
        .ok_or_else(|| "a number from 0 to 100 is needed".into())
}

impl Phonemes {
    pub fn settings(&self) -> Settings {
        let text = self.text.clone().map(Expectation::Text);
        Settings {
            limits: Limits {
                min_seconds: self.min_seconds,
                min_snr_db: self.min_snr_db,
                min_rms_dbfs: self.min_rms_dbfs,
                max_clipped_share: self.max_clipped_percent / 100.0,
                max_silence_share: self.max_silence_percent / 100.0,
                min_speech_share: self.min_speech_percent / 100.0,
            },
            force: self.force,
            beam: self.beam.into(),
            expectation: text.or_else(|| self.expect.clone().map(Expectation::Phones)),
        }
    }
}
