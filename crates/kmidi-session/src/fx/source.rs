//! Where the sound of a chain comes from: a file, at the rate of the chain.

use kmidi_device::files::{AudioFileReader, ReadError};

use crate::resample::Resampler;

/// A file that is read at a rate that need not be its own.
pub struct Source {
    reader: AudioFileReader,
    resampler: Option<Resampler>,
    sample_rate_hz: u32,
    file_frames: u64,
    not_numbers: u64,
}

impl Source {
    /// At the rate of the file where none is given: then nothing is done to it.
    pub fn new(reader: AudioFileReader, rate_hz: Option<u32>) -> Self {
        let own_hz = reader.sample_rate_hz();
        let sample_rate_hz = rate_hz.unwrap_or(own_hz);
        let resampler =
            (sample_rate_hz != own_hz).then(|| Resampler::new(own_hz, sample_rate_hz, reader.channels()));
        Source { reader, resampler, sample_rate_hz, file_frames: 0, not_numbers: 0 }
    }

    /// Bytes that it takes at most beside the reader.
    pub fn bytes(reader: &AudioFileReader, rate_hz: Option<u32>) -> u64 {
        let own_hz = reader.sample_rate_hz();
        let other = rate_hz.filter(|rate_hz| *rate_hz != own_hz);
        other.map_or(0, |rate_hz| Resampler::bytes(own_hz, rate_hz, reader.channels()))
    }

    /// The rate at which it is read.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// The file.
    pub fn file(&self) -> &AudioFileReader {
        &self.reader
    }

    /// Frames of the file that have been read.
    pub fn file_frames(&self) -> u64 {
        self.file_frames
    }

    /// Samples of the file that are no numbers, or infinite; they are silent.
    pub fn not_numbers(&self) -> u64 {
        self.not_numbers
    }

    /// What part of the file has been read, 0 to 1, if it says how long it is.
    pub fn progress(&self) -> Option<f64> {
        let total = self.reader.frames().filter(|total| *total > 0)?;
        Some((self.file_frames as f64 / total as f64).min(1.0))
    }

    /// As [`AudioFileReader::read`], at the rate of the source.
    pub fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, ReadError> {
        let Source { reader, file_frames, not_numbers, .. } = self;
        let mut read = |channels: &mut [&mut [f32]]| {
            let frames = reader.read(channels)?;
            *file_frames += frames as u64;
            let samples = channels.iter_mut().flat_map(|channel| &mut channel[..frames]);
            for sample in samples.filter(|sample| !sample.is_finite()) {
                *sample = 0.0;
                *not_numbers += 1;
            }
            Ok(frames)
        };
        match &mut self.resampler {
            Some(resampler) => resampler.read(channels, read),
            None => read(channels),
        }
    }
}
