//! What can be heard in a recording: its levels, where notes begin, its tempo and its beats.
//!
//! All of it works in blocks of any length, on mono samples. An [`OnsetDetector`] takes no memory after it has been made and has a
//! bounded amount of work for each block: it may run in the audio callback. A [`Listener`] keeps a list of onsets (4 MiB
//! at most, whatever the length) and says the tempo at the end.

mod beats;
mod comb;
mod flux;
mod levels;
mod onsets;
mod picker;
mod pulse;
mod tempo;

use kmidi_core::limits::SAMPLE_RATE_RANGE_HZ;

pub use levels::{CLIP_LEVEL, Levels};
pub use onsets::{MIN_GAP_SECONDS, Onset, OnsetDetector};
use pulse::Pulse;
use tempo::find_tempo;
pub use tempo::{Alternative, NoTempo, TEMPO_RANGE_BPM, Tempo};

/// Onsets that a [`Listener`] keeps: ten a second for seven hours.
pub const MAX_ONSETS: usize = 1 << 18;

/// Why a recording cannot be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// No such rate; resample it first.
    #[error(
        "a sample rate of {sample_rate_hz} Hz; from {} to {} Hz can be listened to",
        SAMPLE_RATE_RANGE_HZ.start(),
        SAMPLE_RATE_RANGE_HZ.end()
    )]
    Rate {
        /// The rate that was asked for.
        sample_rate_hz: u32,
    },
    /// The samples are damaged. The block was not listened to; the next one follows on what came before.
    #[error("sample {frame} is no number")]
    NotFinite {
        /// The first of them, counted from the beginning.
        frame: u64,
    },
}

/// What was heard in a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Its length.
    pub duration_seconds: f64,
    /// How loud it is.
    pub levels: Levels,
    /// Where notes begin, in order.
    pub onsets: Vec<Onset>,
    /// Onsets beyond [`MAX_ONSETS`], which neither are in the list nor have a part in the beats.
    pub onsets_not_kept: u64,
    /// Its tempo, or why it has none.
    pub tempo: Result<Tempo, NoTempo>,
}

/// Listens to a recording, block by block. `[side B]`
pub struct Listener {
    sample_rate_hz: u32,
    detector: OnsetDetector,
    pulse: Pulse,
    levels: Levels,
    onsets: Vec<Onset>,
    onsets_not_kept: u64,
}

impl Listener {
    /// One that has heard nothing.
    ///
    /// # Errors
    /// [`AudioError::Rate`].
    pub fn new(sample_rate_hz: u32) -> Result<Self, AudioError> {
        let detector = OnsetDetector::new(sample_rate_hz)?;
        let pulse = Pulse::new(detector.hop_seconds());
        Ok(Listener {
            sample_rate_hz,
            detector,
            pulse,
            levels: Levels::default(),
            onsets: vec![],
            onsets_not_kept: 0,
        })
    }

    /// The next samples.
    ///
    /// # Errors
    /// [`AudioError::NotFinite`].
    pub fn push(&mut self, samples: &[f32]) -> Result<(), AudioError> {
        let Listener { detector, pulse, onsets, onsets_not_kept, .. } = self;
        detector.listen(samples, &mut |flux| pulse.push(flux), &mut |onset| {
            keep(onsets, onsets_not_kept, onset)
        })?;
        self.levels.measure(samples);
        Ok(())
    }

    /// The recording has ended.
    pub fn finish(mut self) -> Heard {
        let Listener { detector, onsets, onsets_not_kept, .. } = &mut self;
        detector.finish(|onset| keep(onsets, onsets_not_kept, onset));
        let duration_seconds = self.levels.samples() as f64 / f64::from(self.sample_rate_hz);
        let tempo =
            find_tempo(&self.pulse, &self.onsets, self.sample_rate_hz, duration_seconds, self.levels.peak());
        Heard {
            duration_seconds,
            levels: self.levels,
            onsets: self.onsets,
            onsets_not_kept: self.onsets_not_kept,
            tempo,
        }
    }
}

fn keep(onsets: &mut Vec<Onset>, not_kept: &mut u64, onset: Onset) {
    if onsets.len() < MAX_ONSETS {
        onsets.push(onset);
    } else {
        *not_kept += 1;
    }
}

/// Listens to a whole recording that is in memory. `[side B]`
///
/// # Errors
/// [`AudioError`].
pub fn listen(samples: &[f32], sample_rate_hz: u32) -> Result<Heard, AudioError> {
    let mut listener = Listener::new(sample_rate_hz)?;
    listener.push(samples)?;
    Ok(listener.finish())
}
