//! A recording as something that can be listened to: mono, block by block.

use std::path::Path;

use kmidi_device::files::{AudioFileReader, ReadError, ReadLoss};

use crate::mix::unless_cancelled;

/// Frames of a block.
const BLOCK_FRAMES: usize = 4096;

/// An audio file (WAV, FLAC, MP3, Ogg Vorbis), in bounded memory whatever its length. `[side B]`
pub struct Recording {
    reader: AudioFileReader,
    channels: Vec<Vec<f32>>,
    mono: Vec<f32>,
    frames: u64,
    cancelled_frames: u64,
}

impl Recording {
    /// Opens a file; its kind is told from what is in it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let reader = AudioFileReader::open(path)?;
        let channels = vec![vec![0.0; BLOCK_FRAMES]; reader.channels()];
        Ok(Recording {
            reader,
            channels,
            mono: Vec::with_capacity(BLOCK_FRAMES),
            frames: 0,
            cancelled_frames: 0,
        })
    }

    /// In Hz.
    pub fn sample_rate_hz(&self) -> u32 {
        self.reader.sample_rate_hz()
    }

    /// What part of it has been read, 0 to 1, if it says how long it is.
    pub fn progress(&self) -> Option<f64> {
        let total = self.reader.frames().filter(|total| *total > 0)?;
        Some((self.frames as f64 / total as f64).min(1.0))
    }

    /// Frames that have been read.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// What of it could not be read so far.
    pub fn loss(&self) -> ReadLoss {
        self.reader.loss()
    }

    /// Frames in whose mean channels cancelled each other; one of them was heard alone.
    pub fn cancelled_frames(&self) -> u64 {
        self.cancelled_frames
    }

    /// The next samples, the mean of its channels; none at the end.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(&mut self) -> Result<&[f32], ReadError> {
        let mut channels: Vec<&mut [f32]> = self.channels.iter_mut().map(Vec::as_mut_slice).collect();
        let frames = self.reader.read(&mut channels)?;
        self.frames += frames as u64;
        let part = 1.0 / self.channels.len() as f32;
        let mean = |frame| self.channels.iter().map(|channel| channel[frame]).sum::<f32>() * part;
        self.mono.clear();
        self.mono.extend((0..frames).map(mean));
        let channels = self.channels.iter().map(|channel| (part, &channel[..frames]));
        if unless_cancelled(&mut self.mono, channels) {
            self.cancelled_frames += frames as u64;
        }
        Ok(&self.mono)
    }
}
