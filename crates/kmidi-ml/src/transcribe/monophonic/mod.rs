//! The notes of a single voice, by swift-f0.

mod onsets;
mod segment;

use std::ops::RangeInclusive;

use kmidi_memory::JobContext;

use self::onsets::{Sound, Struck};
use self::segment::{Seen, Segmenter, VoiceNote, loudest};
use super::{HeardNote, OnProgress, TranscribeError, Transcription, check_numbers, keys_between, within};
use crate::model::{Input, Model, ModelError};
use crate::{MonoSource, Progress};

/// What the model hears.
pub const SAMPLE_RATE_HZ: u32 = 16_000;

/// Samples from a frame to the next.
const HOP: usize = 256;
const FRAME_SECONDS: f64 = HOP as f64 / SAMPLE_RATE_HZ as f64;
/// Frames before and behind a frame that decide what the model says of it.
const BEFORE: usize = 11;
const BEHIND: usize = 10;
/// Frames of a run: two seconds, beyond which a run takes more memory than it may.
const RUN: usize = 125;
/// Pitches that the model knows, in Hz, and the keys that they are nearest to.
const RANGE_HZ: (f64, f64) = (46.875, 2093.75);
const KEYS: RangeInclusive<u8> = 30..=96;
/// Between the beginnings of two notes.
const LEAST_SECONDS: f64 = 0.05;
/// What is quieter is silence, in which the model hears what it likes.
const SILENCE: f32 = 1e-3;

/// What is taken for a note.
#[derive(Clone, Debug, PartialEq)]
pub struct MonoOptions {
    /// How long a pitch a semitone away must be held to be another note, in milliseconds.
    pub min_note_ms: f64,
    /// The lowest frequency of a key that is heard, in whole Hz.
    pub min_hz: Option<f64>,
    /// The highest.
    pub max_hz: Option<f64>,
    /// Whether to give the course of pitch within notes.
    pub bends: bool,
}

impl Default for MonoOptions {
    fn default() -> Self {
        MonoOptions { min_note_ms: 80.0, min_hz: None, max_hz: None, bends: false }
    }
}

impl MonoOptions {
    fn keys(&self) -> Result<RangeInclusive<u8>, TranscribeError> {
        within("the shortest note", self.min_note_ms, 0.0, 10_000.0)?;
        keys_between(self.min_hz, self.max_hz, KEYS)
    }
}

/// What the model is to listen for: a semitone more on each side, as what is sung is out of tune, and is not held.
fn range_hz(keys: &RangeInclusive<u8>) -> [f32; 2] {
    let hz = |key: f64| 440.0 * ((key - 69.0) / 12.0).exp2();
    let (lowest, highest) = (hz(f64::from(*keys.start()) - 1.0), hz(f64::from(*keys.end()) + 1.0));
    [lowest.max(RANGE_HZ.0) as f32, highest.min(RANGE_HZ.1) as f32]
}

/// Hears the notes of a single voice.
///
/// # Errors
/// [`TranscribeError`].
pub fn monophonic(
    model: &Model,
    source: &mut dyn MonoSource,
    options: &MonoOptions,
    job: &JobContext,
    on_progress: OnProgress<'_>,
) -> Result<Transcription, TranscribeError> {
    let keys = options.keys()?;
    let found_hz = source.sample_rate_hz();
    if found_hz != SAMPLE_RATE_HZ {
        return Err(TranscribeError::SampleRate { expected_hz: SAMPLE_RATE_HZ, found_hz });
    }
    let mut segmenter = Segmenter::new(options.min_note_ms / 1000.0 / FRAME_SECONDS);
    let mut found = Vec::new();
    let range_hz = range_hz(&keys);
    let mut notes = Notes { keys, sound: Sound::new(), heard: Vec::new(), with_bends: options.bends };
    let mut voice = Voice { model, range_hz, samples: vec![0.0; RUN * HOP], filled: 0, given: 0, power: 0.0 };
    let (mut read, mut ended) = (0, false);
    while !ended {
        job.check()?;
        while voice.filled < voice.samples.len() && !ended {
            let free = &mut voice.samples[voice.filled..];
            let count = source.read(free)?;
            check_numbers(&free[..count], read)?;
            notes.sound.push(&free[..count]);
            voice.filled += count;
            read += count as u64;
            ended = count == 0;
        }
        voice.hear(ended, &mut |seen| segmenter.push(seen, &mut found))?;
        if ended {
            segmenter.finish(&mut found);
        }
        found.drain(..).for_each(|note| notes.take(&note));
        notes.sound.forget_before(segmenter.oldest());
        on_progress(Progress { frames: read, of: source.frames() });
    }
    let seconds = read as f64 / f64::from(SAMPLE_RATE_HZ);
    let mut transcription = Transcription { notes: notes.heard, seconds, ..Transcription::default() };
    transcription.sort();
    Ok(transcription)
}

/// The notes so far, and the sound by which it is told when those that come begin.
struct Notes {
    /// Those that are written.
    keys: RangeInclusive<u8>,
    sound: Sound,
    heard: Vec<HeardNote>,
    with_bends: bool,
}

impl Notes {
    /// Takes a note in its order.
    fn take(&mut self, note: &VoiceNote) {
        if !self.keys.contains(&key_of(note)) {
            return;
        }
        let last = self.heard.last_mut();
        // Nothing begins before what came before it has sounded.
        let least_seconds = last.as_ref().map_or(0.0, |last| last.start_seconds + LEAST_SECONDS);
        let strikes = self.sound.strikes(note, least_seconds);
        if let (Some(last), Some(first)) = (last, strikes.first()) {
            last.end_seconds = last.end_seconds.min(first.start_seconds);
        }
        let with_bends = self.with_bends;
        self.heard.extend(strikes.into_iter().map(|struck| heard(note, struck, with_bends)));
    }
}

fn key_of(note: &VoiceNote) -> u8 {
    (note.semitone + 0.5).floor().clamp(0.0, 127.0) as u8
}

fn heard(note: &VoiceNote, struck: Struck, with_bends: bool) -> HeardNote {
    let key = key_of(note);
    let bend = |semitone: f32| {
        ((f64::from(semitone) - f64::from(key)) * 4096.0).round().clamp(-8192.0, 8191.0) as i16
    };
    let frame = |seconds: f64| (seconds / FRAME_SECONDS).round() as u64;
    let within = |frame: u64| (frame.saturating_sub(note.start) as usize).min(note.course.len() - 1);
    let (first, end) = (frame(struck.start_seconds), frame(struck.end_seconds));
    // Before its pitch is heard it is the first that is heard.
    let course = (first..end.max(first + 1)).map(|frame| bend(note.course[within(frame)]));
    // Amplitude goes with the square of velocity; a voice that is as loud as can be is at -6 dB.
    let levels = &note.levels_db[within(first)..=within(end.saturating_sub(1)).max(within(first))];
    let loudness = f64::from(loudest(levels)) + 6.0;
    HeardNote {
        start_seconds: struck.start_seconds,
        end_seconds: struck.end_seconds,
        key,
        velocity: (127.0 * 10f64.powf(loudness / 40.0)).round().clamp(1.0, 127.0) as u8,
        bends: if with_bends { course.collect() } else { Vec::new() },
    }
}

/// Gives each frame's pitch, as the model says it of the whole.
struct Voice<'a> {
    model: &'a Model,
    range_hz: [f32; 2],
    samples: Vec<f32>,
    filled: usize,
    /// Frames at the start of `samples` that have been given.
    given: usize,
    /// Of the last frame that was given.
    power: f64,
}

impl Voice<'_> {
    /// Hears what there is, and keeps what later frames need of it.
    fn hear(&mut self, ended: bool, each: &mut dyn FnMut(Seen)) -> Result<(), TranscribeError> {
        let whole = self.filled / HOP;
        // A sound shorter than a frame is one.
        let end = match ended {
            true if whole == 0 && self.filled > 0 => 1,
            true => whole,
            false => whole - BEHIND,
        };
        if end <= self.given {
            return Ok(());
        }
        let samples = &self.samples[..self.filled];
        let hop = |frame: usize| &samples[frame * HOP..samples.len().min((frame + 1) * HOP)];
        // What the model says of silence does not count: where there is nothing else it is not asked.
        let said = match (self.given..end).all(|frame| is_silent(hop(frame))) {
            true => None,
            false => Some(self.ask(samples, end)?),
        };
        for frame in self.given..end {
            let hop = hop(frame);
            let before = self.power;
            self.power = hop.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
            let level = ((before + self.power) / 512.0).sqrt().max(1e-7);
            let of_frame = |said: &Said| (said.pitches_hz[frame], said.confidences[frame]);
            let (pitch_hz, confidence) =
                said.as_ref().filter(|_| !is_silent(hop)).map_or((0.0, 0.0), of_frame);
            each(Seen { pitch_hz, confidence, level_db: (20.0 * level.log10()) as f32 });
        }
        let keep_from = end.saturating_sub(BEFORE);
        self.samples.copy_within(keep_from * HOP..self.filled, 0);
        self.filled -= keep_from * HOP;
        self.given = end - keep_from;
        Ok(())
    }

    /// What the model says of at least so many frames.
    fn ask(&self, samples: &[f32], frames: usize) -> Result<Said, TranscribeError> {
        let shape = [1, samples.len()];
        let inputs = [
            Input::f32("audio", &shape, samples),
            Input::f32("fmin", &[], &self.range_hz[..1]),
            Input::f32("fmax", &[], &self.range_hz[1..]),
        ];
        let outputs = self.model.run(&inputs, &["pitch", "confidence"])?;
        let (pitches_hz, confidences) = (outputs[0].f32s().to_vec(), outputs[1].f32s().to_vec());
        if pitches_hz.len() < frames || confidences.len() < frames {
            let reason = format!("{} frames of {frames}", pitches_hz.len());
            return Err(ModelError::Run { model: self.model.entry().name, reason }.into());
        }
        Ok(Said { pitches_hz, confidences })
    }
}

/// What the model says, frame by frame.
struct Said {
    pitches_hz: Vec<f32>,
    confidences: Vec<f32>,
}

fn is_silent(hop: &[f32]) -> bool {
    hop.iter().all(|sample| sample.abs() < SILENCE)
}
