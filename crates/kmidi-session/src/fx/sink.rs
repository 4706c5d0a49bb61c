//! Where the sound of a chain goes: into a file, in time and with its tail.

use kmidi_device::files::{AudioFileWriter, FileError};

use crate::tail::{SILENCE, Tail};

/// Where the sound goes: without the latency in front and the silence behind.
pub struct Sink {
    writer: AudioFileWriter,
    /// Frames to leave out yet.
    skip: u64,
    /// Frames of the input, once they are known.
    input_frames: Option<u64>,
    /// Frames behind the input at most.
    tail_frames: u64,
    /// Silent frames that end it; with none the tail is as long as was asked for.
    silence_frames: Option<u64>,
    written: u64,
    /// Frames behind the input that are silent up to now, a vector a channel: written if there is sound behind them.
    held: Vec<Vec<f32>>,
    peak: f32,
}

impl Sink {
    pub fn new(writer: AudioFileWriter, latency_frames: u64, tail: Tail, sample_rate_hz: u32) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(sample_rate_hz)).round() as u64;
        let (tail_frames, silence_frames) = match tail {
            Tail::UntilSilent { limit_seconds } => (frames(limit_seconds), Some(frames(0.5))),
            Tail::Seconds(seconds) => (frames(seconds), None),
        };
        let skip = latency_frames;
        Sink {
            writer,
            skip,
            input_frames: None,
            tail_frames,
            silence_frames,
            written: 0,
            held: Vec::new(),
            peak: 0.0,
        }
    }

    pub fn input_ends(&mut self, input_frames: u64) {
        self.input_frames.get_or_insert(input_frames);
    }

    fn held_frames(&self) -> u64 {
        self.held.first().map_or(0, |channel| channel.len() as u64)
    }

    pub fn is_done(&self) -> bool {
        let Some(input_frames) = self.input_frames else { return false };
        let seen = self.written + self.held_frames();
        let died_away = self.silence_frames.is_some_and(|frames| self.held_frames() >= frames);
        self.skip == 0 && seen >= input_frames && (died_away || seen >= input_frames + self.tail_frames)
    }

    pub fn take(&mut self, channels: &[&[f32]]) -> Result<(), FileError> {
        let frames = channels[0].len();
        let skipped = self.skip.min(frames as u64) as usize;
        self.skip -= skipped as u64;
        let reach = |from: usize, more: u64| from + more.min((frames - from) as u64) as usize;
        // What belongs to the input is written whatever it is. Until it has ended, all of it may.
        let Some(input_frames) = self.input_frames else { return self.write(channels, skipped, frames) };
        let from = reach(skipped, input_frames.saturating_sub(self.written));
        self.write(channels, skipped, from)?;
        let seen = self.written + self.held_frames();
        let to = reach(from, (input_frames + self.tail_frames).saturating_sub(seen));
        if self.silence_frames.is_none() {
            return self.write(channels, from, to);
        }
        let loud = |channel: &&[f32]| channel[from..to].iter().rposition(|it| it.abs() >= SILENCE);
        let silent_from = channels.iter().filter_map(loud).max().map_or(from, |last| from + last + 1);
        if silent_from > from {
            let held = std::mem::take(&mut self.held);
            let held: Vec<&[f32]> = held.iter().map(Vec::as_slice).collect();
            self.write(&held, 0, held.first().map_or(0, |channel| channel.len()))?;
            self.write(channels, from, silent_from)?;
        }
        self.held.resize(channels.len(), Vec::new());
        for (held, channel) in self.held.iter_mut().zip(channels) {
            held.extend(&channel[silent_from..to]);
        }
        Ok(())
    }

    fn write(&mut self, channels: &[&[f32]], from: usize, to: usize) -> Result<(), FileError> {
        if from == to {
            return Ok(());
        }
        let block: Vec<&[f32]> = channels.iter().map(|channel| &channel[from..to]).collect();
        self.peak = block.iter().map(|channel| kmidi_core::peak(channel)).fold(self.peak, f32::max);
        self.written += (to - from) as u64;
        self.writer.write(&block)
    }

    /// Completes the file; its frames and its peak. Silence that was held back is left out.
    pub fn finish(self) -> Result<(u64, f32), FileError> {
        self.writer.finish()?;
        Ok((self.written, self.peak))
    }
}
