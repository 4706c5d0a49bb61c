//! Where the sound of a chain goes: into a file, in time and with its tail.

use kmidi_device::files::{AudioFileWriter, FileError};

use crate::tail::SILENCE;

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
    pub fn new(
        writer: AudioFileWriter,
        latency_frames: u64,
        tail_frames: u64,
        silence_frames: Option<u64>,
    ) -> Self {
        Sink {
            writer,
            skip: latency_frames,
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

#[cfg(test)]
mod tests {
    use kmidi_device::files::{AudioSpec, Container, SampleFormat};

    use super::*;

    const RATE_HZ: u64 = 8_000;

    /// Frames of the file when an input of a second is silent but for an echo of 100 frames at `echo`, and `silence` ends it.
    fn written(echo: usize, silence: Option<u64>, block: usize) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let spec = AudioSpec { sample_rate_hz: RATE_HZ as u32, channels: 1, format: SampleFormat::Float32 };
        let writer = AudioFileWriter::create(&path, Container::Wav, spec).unwrap();
        let mut sink = Sink::new(writer, 7, 30 * RATE_HZ, silence);
        let (mut at, latency) = (0, 7);
        while !sink.is_done() {
            let is_echo = |n: usize| (echo + latency..echo + latency + 100).contains(&n);
            let samples: Vec<f32> = (at..at + block).map(|n| if is_echo(n) { 0.5 } else { 0.0 }).collect();
            at += block;
            if at as u64 >= RATE_HZ {
                sink.input_ends(RATE_HZ);
            }
            sink.take(&[&samples]).unwrap();
        }
        sink.finish().unwrap().0
    }

    #[test]
    fn an_echo_behind_a_long_gap_is_written_and_the_silence_behind_it_is_not() {
        for block in [64, 1000, 4096] {
            let written = |echo, silence| written(echo, silence, block);
            assert_eq!(written(70_000, Some(10 * RATE_HZ)), 70_100, "{block}");
            assert_eq!(written(70_000, Some(RATE_HZ / 2)), RATE_HZ, "the control");
            assert_eq!(written(100, Some(10 * RATE_HZ)), RATE_HZ, "{block}");
            assert_eq!(written(100, None), 31 * RATE_HZ, "{block}");
        }
    }
}
