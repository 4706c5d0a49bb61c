//! From sound to notes. `[side B]`
//!
//! Of any instruments by basic-pitch ([`polyphonic()`]), of a single voice by swift-f0 ([`monophonic()`]), of a piano by transkun
//! ([`piano()`]). All read a source of any length window by window, in memory that does not grow with it but for the notes themselves.

mod midi;
mod monophonic;
mod network;
mod notes;
mod piano;
mod polyphonic;

use std::ops::RangeInclusive;

use kmidi_memory::JobError;

use crate::model::{Model, ModelError};
use crate::{MonoSource, Progress, SourceError};

pub use midi::{MidiOptions, to_song};
pub use monophonic::{MonoOptions, SAMPLE_RATE_HZ as MONO_SAMPLE_RATE_HZ, monophonic};
pub use piano::{SAMPLE_RATE_HZ as PIANO_SAMPLE_RATE_HZ, WORKING_BYTES as PIANO_WORKING_BYTES, piano};
pub use polyphonic::{PolyOptions, SAMPLE_RATE_HZ as POLY_SAMPLE_RATE_HZ, polyphonic};

/// What a transcription takes at most beyond its model, its source and the notes that it finds.
pub const WORKING_BYTES: u64 = 20 << 20;

/// A note that was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardNote {
    /// When it begins.
    pub start_seconds: f64,
    /// When it ends, which is later.
    pub end_seconds: f64,
    /// Key, 0 to 127.
    pub key: u8,
    /// Velocity, 1 to 127.
    pub velocity: u8,
    /// Its course of pitch, evenly from start to end: 4096 a semitone, -8192 to 8191. Empty where it is not known.
    pub bends: Vec<i16>,
}

/// A pedal that was heard to go down and up.
#[derive(Clone, Debug, PartialEq)]
pub struct HeardPedal {
    /// When it goes down.
    pub start_seconds: f64,
    /// When it goes up, which is later.
    pub end_seconds: f64,
    /// Its controller: 64 sustains, 67 is soft.
    pub controller: u8,
    /// What the controller is set to, 0 to 127.
    pub value: u8,
}

/// What was heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcription {
    /// By start, key and end.
    pub notes: Vec<HeardNote>,
    /// By start; only of a piano.
    pub pedals: Vec<HeardPedal>,
    /// How long the sound is.
    pub seconds: f64,
    /// How many times it was too long to be looked at as a whole: a note that sounds there may end.
    pub cuts: u64,
}

impl Transcription {
    fn sort(&mut self) {
        self.notes.sort_by(|a, b| {
            let times = a.start_seconds.total_cmp(&b.start_seconds);
            times.then(a.key.cmp(&b.key)).then(a.end_seconds.total_cmp(&b.end_seconds))
        });
    }
}

/// Why there is no transcription.
#[derive(Debug, thiserror::Error)]
pub enum TranscribeError {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The sound cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It was cancelled, or there is no room.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The source has another rate than the model hears.
    #[error("the model hears {expected_hz} frames a second, not {found_hz}")]
    SampleRate {
        /// What it hears.
        expected_hz: u32,
        /// What the source has.
        found_hz: u32,
    },
    /// A sample is no number.
    #[error("the sample at frame {frame} is no number")]
    NotANumber {
        /// Which.
        frame: u64,
    },
    /// An option is none.
    #[error("{0}")]
    Option(String),
}

/// How a transcription is going.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress);

/// A value that must lie between two others.
fn within(name: &str, value: f64, least: f64, most: f64) -> Result<(), TranscribeError> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(TranscribeError::Option(format!("{name} is {value}, and must be from {least} to {most}")))
}

/// Bounds that a frequency may have, in Hz.
const BOUNDS_HZ: (f64, f64) = (20.0, 20_000.0);
/// How far a bound may be from the key that it means: they are given in whole Hz.
const ROUNDING_HZ: f64 = 0.5;

/// Those of the keys that a model knows whose frequencies lie between two bounds: what is written has no other.
fn keys_between(
    min_hz: Option<f64>,
    max_hz: Option<f64>,
    known: RangeInclusive<u8>,
) -> Result<RangeInclusive<u8>, TranscribeError> {
    let (min, max) = (min_hz.unwrap_or(BOUNDS_HZ.0), max_hz.unwrap_or(BOUNDS_HZ.1));
    for (name, hz) in [("the lowest frequency", min), ("the highest frequency", max)] {
        within(name, hz, BOUNDS_HZ.0, BOUNDS_HZ.1)?;
    }
    let key = |hz: f64| 69.0 + 12.0 * (hz / 440.0).log2();
    let first = key(min - ROUNDING_HZ).ceil().max(f64::from(*known.start()));
    let last = key(max + ROUNDING_HZ).floor().min(f64::from(*known.end()));
    if first > last {
        let reason = format!("the model knows no key between {min} and {max} Hz");
        return Err(TranscribeError::Option(reason));
    }
    // Both are keys that it knows.
    Ok(first as u8..=last as u8)
}

/// The first sample that is no number.
fn check_numbers(samples: &[f32], first_frame: u64) -> Result<(), TranscribeError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(at) => Err(TranscribeError::NotANumber { frame: first_frame + at as u64 }),
        None => Ok(()),
    }
}

/// Fills `samples` with what a source has, and behind its end with silence; how many frames came. `read` had come before.
fn fill(source: &mut dyn MonoSource, samples: &mut [f32], read: u64) -> Result<u64, TranscribeError> {
    let mut filled = 0;
    while filled < samples.len() {
        let count = source.read(&mut samples[filled..])?;
        if count == 0 {
            break;
        }
        check_numbers(&samples[filled..filled + count], read + filled as u64)?;
        filled += count;
    }
    samples[filled..].fill(0.0);
    Ok(filled as u64)
}

/// A constant of a model: an output that needs no input.
fn constant(model: &Model, name: &str, count: usize) -> Result<Vec<f32>, TranscribeError> {
    let tensor = model.run(&[], &[name])?.remove(0);
    let values = tensor.f32s();
    if values.len() != count || values.iter().any(|value| !value.is_finite()) {
        let reason = format!("{name} has {} numbers, not {count}", values.len());
        return Err(ModelError::Run { model: model.entry().name, reason }.into());
    }
    Ok(values.to_vec())
}

/// The velocity of an amplitude from 0 to 1.
fn velocity(amplitude: f32) -> u8 {
    (127.0 * amplitude).round_ties_even().clamp(1.0, 127.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_lets_the_key_through_that_it_means_and_none_beyond_it() {
        let piano = |min, max| keys_between(min, max, 21..=108).ok();
        assert_eq!(piano(None, None), Some(21..=108));
        // D4 has 293.66 Hz, C4 261.63, the lowest key 27.5, A4 440.
        assert_eq!(piano(Some(294.0), Some(440.0)), Some(62..=69));
        assert_eq!(piano(Some(300.0), Some(439.0)), Some(63..=68));
        assert_eq!(piano(Some(262.0), Some(261.63)), Some(60..=60));
        assert_eq!(piano(Some(28.0), Some(28.0)), Some(21..=21));
        for none in [(Some(280.0), Some(290.0)), (Some(440.0), Some(300.0)), (Some(5000.0), None)] {
            assert_eq!(piano(none.0, none.1), None, "{none:?}");
        }
        for wrong in [0.0, 19.9, 20_001.0, f64::NAN, f64::INFINITY, -440.0] {
            assert!(piano(Some(wrong), None).is_none() && piano(None, Some(wrong)).is_none(), "{wrong}");
        }
    }
}
