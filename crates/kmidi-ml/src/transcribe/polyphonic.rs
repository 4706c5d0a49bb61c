//! Notes of any instruments, by basic-pitch.

use kmidi_memory::JobContext;

use super::network::{CONTOURS, FRAMES, HOP, KEYS, Network, WINDOW};
use super::notes::{FrameNote, LOWEST_KEY, Roll, Rules};
use super::{HeardNote, OnProgress, TranscribeError, Transcription, fill, keys_between, velocity, within};
use crate::model::Model;
use crate::{MonoSource, Progress};

/// What the model hears.
pub const SAMPLE_RATE_HZ: u32 = 22_050;

/// Frames of a window that have too little around them to count, half of them at each end.
const OVERLAP_FRAMES: usize = 30;
const EDGE: usize = OVERLAP_FRAMES / 2;
/// Samples from a window to the next.
const STEP: usize = WINDOW - OVERLAP_FRAMES * HOP;
/// The key of the last column.
const HIGHEST_KEY: u8 = LOWEST_KEY + KEYS as u8 - 1;
/// Frames of a window that count.
const KEPT: usize = FRAMES - OVERLAP_FRAMES;

/// What is taken for a note.
#[derive(Clone, Debug, PartialEq)]
pub struct PolyOptions {
    /// How sure an onset must be, 0 to 1.
    pub onset_threshold: f64,
    /// How sure each frame of a note must be, 0 to 1.
    pub frame_threshold: f64,
    /// What is no longer is no note, in milliseconds.
    pub min_note_ms: f64,
    /// The lowest frequency of a key that is heard, in whole Hz.
    pub min_hz: Option<f64>,
    /// The highest.
    pub max_hz: Option<f64>,
    /// Whether to find the course of pitch within notes that sound alone.
    pub bends: bool,
}

impl Default for PolyOptions {
    fn default() -> Self {
        PolyOptions {
            onset_threshold: 0.5,
            frame_threshold: 0.3,
            min_note_ms: 127.7,
            min_hz: None,
            max_hz: None,
            bends: false,
        }
    }
}

impl PolyOptions {
    fn rules(&self) -> Result<Rules, TranscribeError> {
        within("the onset threshold", self.onset_threshold, 0.01, 1.0)?;
        within("the frame threshold", self.frame_threshold, 0.01, 1.0)?;
        within("the shortest note", self.min_note_ms, 0.0, 10_000.0)?;
        let keys = keys_between(self.min_hz, self.max_hz, LOWEST_KEY..=HIGHEST_KEY)?;
        let column = |key: u8| usize::from(key - LOWEST_KEY);
        let frames = self.min_note_ms / 1000.0 * (f64::from(SAMPLE_RATE_HZ) / HOP as f64);
        Ok(Rules {
            onset_threshold: self.onset_threshold,
            frame_threshold: self.frame_threshold,
            min_frames: frames.round_ties_even() as usize,
            keys: (column(*keys.start()), column(*keys.end()) + 1),
        })
    }
}

/// Hears the notes of a source.
///
/// A piece of up to two minutes is looked at as a whole; a longer one is cut where least sounds, with more than a
/// minute of what follows in view, and the loudest onset and rise are those so far.
///
/// # Errors
/// [`TranscribeError`].
pub fn polyphonic(
    model: &Model,
    source: &mut dyn MonoSource,
    options: &PolyOptions,
    job: &JobContext,
    on_progress: OnProgress<'_>,
) -> Result<Transcription, TranscribeError> {
    let rules = options.rules()?;
    let found_hz = source.sample_rate_hz();
    if found_hz != SAMPLE_RATE_HZ {
        return Err(TranscribeError::SampleRate { expected_hz: SAMPLE_RATE_HZ, found_hz });
    }
    let mut network = Network::new(model)?;
    let mut roll = Roll::new(rules, options.bends);
    let mut found = Vec::new();
    let mut windows = Windows::new(source);
    let mut number = 0;
    while let Some(window) = windows.next()? {
        job.check()?;
        let heard = network.run(window);
        // Silence that a window was filled up with is not listened to.
        let kept = windows.frames_of(number).min(KEPT);
        for frame in EDGE..EDGE + kept {
            let keys = frame * KEYS..(frame + 1) * KEYS;
            let contours = &heard.contours[frame * CONTOURS..(frame + 1) * CONTOURS];
            roll.push(&heard.notes[keys.clone()], &heard.onsets[keys], contours, &mut found);
        }
        number += 1;
        on_progress(Progress { frames: windows.read, of: windows.source.frames() });
    }
    let frames = windows.read;
    drop(network);
    job.check()?;
    let cuts = roll.finish(&mut found);
    Ok(transcription(found, frames, cuts))
}

fn transcription(found: Vec<FrameNote>, frames: u64, cuts: u64) -> Transcription {
    let notes = found.into_iter().map(heard).collect();
    let seconds = frames as f64 / f64::from(SAMPLE_RATE_HZ);
    let mut transcription = Transcription { notes, seconds, cuts, ..Transcription::default() };
    transcription.sort();
    forget_bends_of_chords(&mut transcription.notes);
    transcription
}

fn heard(note: FrameNote) -> HeardNote {
    // A third of a semitone is a third of 4096; the range is two semitones.
    let bend = |thirds: i8| {
        let bend = (f64::from(thirds) * 4096.0 / 3.0).round_ties_even();
        bend.clamp(-8192.0, 8191.0) as i16
    };
    HeardNote {
        start_seconds: seconds_of(note.start),
        end_seconds: seconds_of(note.end),
        // Columns are the keys of a piano.
        key: LOWEST_KEY + note.key as u8,
        velocity: velocity(note.amplitude),
        bends: note.bends.into_iter().map(bend).collect(),
    }
}

/// When a frame is: frames lie a little closer at each end of a window than within.
fn seconds_of(frame: u64) -> f64 {
    let (rate, hop) = (f64::from(SAMPLE_RATE_HZ), HOP as f64);
    let window = FRAMES as f64;
    let closer = hop / rate * (window - WINDOW as f64 / hop) + 0.0018;
    frame as f64 * hop / rate - closer * (frame / FRAMES as u64) as f64
}

/// A channel bends all that it plays: only a note that sounds alone keeps its own course.
fn forget_bends_of_chords(notes: &mut [HeardNote]) {
    for n in 0..notes.len() {
        let end = notes[n].end_seconds;
        let together = notes[n + 1..].iter().take_while(|note| note.start_seconds < end).count();
        if together > 0 {
            notes[n..=n + together].iter_mut().for_each(|note| note.bends = Vec::new());
        }
    }
}

/// The windows of a source, which overlap; before it and behind it there is silence.
struct Windows<'a> {
    source: &'a mut dyn MonoSource,
    samples: Vec<f32>,
    /// Samples at the front of `samples` that the next window begins with.
    carried: usize,
    /// Frames of the source so far.
    read: u64,
    /// Where the next window begins, in samples from the silence before the source on.
    start: u64,
}

impl<'a> Windows<'a> {
    fn new(source: &'a mut dyn MonoSource) -> Self {
        Windows { source, samples: vec![0.0; WINDOW], carried: EDGE * HOP, read: 0, start: 0 }
    }

    /// The next one, if it begins within the source.
    fn next(&mut self) -> Result<Option<&[f32]>, TranscribeError> {
        if self.start > 0 {
            self.samples.copy_within(STEP.., 0);
            self.carried = WINDOW - STEP;
        }
        self.read += fill(self.source, &mut self.samples[self.carried..], self.read)?;
        let before = (EDGE * HOP) as u64;
        if self.read == 0 || self.start >= self.read + before {
            return Ok(None);
        }
        self.start += STEP as u64;
        Ok(Some(&self.samples))
    }

    /// How many frames that count begin within the source from a window's first such frame on, as far as it has
    /// been read.
    fn frames_of(&self, window: u64) -> usize {
        let first = window * STEP as u64;
        usize::try_from(self.read.saturating_sub(first).div_ceil(HOP as u64)).unwrap_or(usize::MAX)
    }
}
