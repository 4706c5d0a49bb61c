//! Any audio file as something that a model can listen to: mono, at the rate that it hears, in constant memory.

use std::f32::consts::FRAC_1_SQRT_2;
use std::fmt;
use std::path::Path;

use kmidi_device::files::{AudioFileReader, NotNumbers, ReadError, ReadLoss, Speaker};
use kmidi_ml::{FULL_SCALE, MonoSource, SourceError};
use serde::Serialize;

use crate::mix::unless_cancelled;
use crate::resample::{Resampler, resampled_frames};

/// Frames of the file that are mixed down at once.
const BLOCK_FRAMES: usize = 4096;
/// What is louder, 60 dB above full scale, is no sound but damage.
const LOUDEST: f32 = 1000.0;

/// An audio file (WAV, FLAC, MP3, Ogg Vorbis) of any length, rate and number of channels, as mono sound at one rate.
/// `[side B]`
///
/// What is heard is the mean of left and right, as which a surround layout is mixed first by ITU-R BS.775 (annex 4): its centre and its
/// surrounds 3 dB lower, without the channel for low frequencies; all of it so much quieter that it cannot be louder than the loudest
/// channel. Samples that are no numbers are silent, and counted.
pub struct Listening {
    file: Mixed,
    resampler: Option<Resampler>,
    sample_rate_hz: u32,
}

/// A file's mix.
struct Mixed {
    reader: AudioFileReader,
    channels: Vec<Channel>,
    frames: u64,
    not_numbers: u64,
    too_loud: u64,
    cancelled_frames: u64,
    peak: f32,
    has_ended: bool,
}

/// A channel of a file.
struct Channel {
    /// What is mixed next.
    samples: Vec<f32>,
    /// What it has in the mix; 0 for one that is not heard.
    weight: f32,
    /// Samples at full scale so far.
    clipped: u64,
}

/// What was met in a file so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Heard {
    /// Rate of the file in Hz.
    pub sample_rate_hz: u32,
    /// Channels of the file.
    pub channels: usize,
    /// Frames of the file that were read.
    pub frames: u64,
    /// What of the file could not be read.
    #[serde(flatten)]
    pub loss: ReadLoss,
    /// Samples that are no numbers, and were taken for silence.
    pub not_numbers: u64,
    /// Samples that are far too large to be sound, and were taken for silence.
    pub too_loud: u64,
    /// Frames in whose mix channels cancelled each other; one of them was heard alone.
    pub cancelled_frames: u64,
    /// The highest sample of what was heard, whatever its sign; full scale is 1.
    #[serde(skip)]
    pub peak: f32,
}

impl Listening {
    /// Opens a file; its kind is told from what is in it.
    ///
    /// # Errors
    /// [`ReadError`].
    ///
    /// # Panics
    /// If `sample_rate_hz` is 0.
    pub fn open(path: &Path, sample_rate_hz: u32) -> Result<Self, ReadError> {
        let reader = AudioFileReader::open(path)?;
        let own_hz = reader.sample_rate_hz();
        let resampler = (own_hz != sample_rate_hz).then(|| Resampler::new(own_hz, sample_rate_hz, 1));
        let channel = |weight| Channel { samples: vec![0.0; BLOCK_FRAMES], weight, clipped: 0 };
        let channels = weights(reader.speakers()).map(channel).collect();
        let file = Mixed {
            reader,
            channels,
            frames: 0,
            not_numbers: 0,
            too_loud: 0,
            cancelled_frames: 0,
            peak: 0.0,
            has_ended: false,
        };
        Ok(Listening { file, resampler, sample_rate_hz })
    }

    /// Bytes that listening takes at most, about, whatever the length of the file.
    pub fn bytes(&self) -> u64 {
        let own_hz = self.file.reader.sample_rate_hz();
        let resampler =
            if self.resampler.is_some() { Resampler::bytes(own_hz, self.sample_rate_hz, 1) } else { 0 };
        resampler + (self.file.channels.len() * BLOCK_FRAMES * size_of::<f32>()) as u64
    }

    /// What was met so far.
    pub fn heard(&self) -> Heard {
        let Mixed { reader, frames, not_numbers, too_loud, cancelled_frames, peak, .. } = &self.file;
        Heard {
            sample_rate_hz: reader.sample_rate_hz(),
            channels: reader.channels(),
            frames: *frames,
            loss: reader.loss(),
            not_numbers: *not_numbers,
            too_loud: *too_loud,
            cancelled_frames: *cancelled_frames,
            peak: *peak,
        }
    }

    /// What part of the file has been read, 0 to 1, if it says how long it is.
    pub fn progress(&self) -> Option<f64> {
        let total = self.file.reader.frames().filter(|total| *total > 0)?;
        Some((self.file.frames as f64 / total as f64).min(1.0))
    }
}

impl MonoSource for Listening {
    fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    fn read(&mut self, into: &mut [f32]) -> Result<usize, SourceError> {
        let file = &mut self.file;
        let read = match &mut self.resampler {
            Some(resampler) => resampler.read(&mut [into], |channels| file.read(channels[0])),
            None => file.read(into),
        };
        read.map_err(|error| SourceError(error.into()))
    }

    fn frames(&self) -> Option<u64> {
        let reader = &self.file.reader;
        let frames = reader.frames()?;
        Some(resampled_frames(frames, reader.sample_rate_hz(), self.sample_rate_hz))
    }

    fn clipped_share(&self) -> f64 {
        let clipped = self.file.channels.iter().map(|it| it.clipped).max().unwrap_or(0);
        clipped as f64 / self.file.frames.max(1) as f64
    }
}

/// What each channel has in the mix: in the stereo of ITU-R BS.775 left and right 1, centre and surrounds 1/√2, of which the centre is in
/// both sides and so counts twice.
fn weights(speakers: &[Speaker]) -> impl Iterator<Item = f32> {
    let weight = |speaker: &Speaker| match speaker {
        Speaker::Front => 1.0,
        Speaker::Centre => 2.0 * FRAC_1_SQRT_2,
        Speaker::Surround => FRAC_1_SQRT_2,
        Speaker::LowFrequencies => 0.0,
    };
    let sum: f32 = speakers.iter().map(weight).sum();
    speakers.iter().map(move |speaker| weight(speaker) / sum)
}

impl Mixed {
    /// Fills `into` from the front; how many frames there were. Fewer only at the end.
    fn read(&mut self, into: &mut [f32]) -> Result<usize, ReadError> {
        let mut done = 0;
        while done < into.len() && !self.has_ended {
            let wanted = BLOCK_FRAMES.min(into.len() - done);
            let mut channels: Vec<&mut [f32]> =
                self.channels.iter_mut().map(|channel| &mut channel.samples[..wanted]).collect();
            let frames = self.reader.read(&mut channels)?;
            self.has_ended = frames < wanted;
            self.frames += frames as u64;
            self.mix(&mut into[done..done + frames]);
            done += frames;
        }
        Ok(done)
    }

    fn mix(&mut self, into: &mut [f32]) {
        into.fill(0.0);
        for channel in self.channels.iter_mut().filter(|it| it.weight > 0.0) {
            for (mixed, sample) in into.iter_mut().zip(&mut channel.samples) {
                if sample.abs() <= LOUDEST {
                    *mixed += channel.weight * *sample;
                    channel.clipped += u64::from(sample.abs() >= FULL_SCALE);
                } else {
                    let count = if sample.is_finite() { &mut self.too_loud } else { &mut self.not_numbers };
                    *count += 1;
                    *sample = 0.0;
                }
            }
        }
        let frames = into.len();
        let heard = self.channels.iter().filter(|it| it.weight > 0.0);
        if unless_cancelled(into, heard.map(|it| (it.weight, &it.samples[..frames]))) {
            self.cancelled_frames += frames as u64;
        }
        self.peak = into.iter().fold(self.peak, |peak, it| peak.max(it.abs()));
    }
}

impl fmt::Display for Heard {
    /// What is wrong with the file; nothing where all is well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = match self.not_numbers {
            0 => String::new(),
            count => format!("{}, and were taken for silence", NotNumbers(count)),
        };
        let too_loud = match self.too_loud {
            0 => String::new(),
            count => format!("{count} samples are far too large to be sound, and were taken for silence"),
        };
        let cancelled = match self.cancelled_frames {
            0 => String::new(),
            count => format!(
                "channels cancel each other for {:.2} s, as where one is wired upside down: one was heard alone",
                count as f64 / f64::from(self.sample_rate_hz.max(1))
            ),
        };
        let told: Vec<String> = [self.loss.to_string(), numbers, too_loud, cancelled]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        f.write_str(&told.join("; "))
    }
}

#[cfg(test)]
mod tests;
