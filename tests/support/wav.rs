//! Sound as it was written.

use std::path::Path;

/// Planar samples of full scale ±1.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    pub rate_hz: u32,
    pub channels: Vec<Vec<f32>>,
}

impl Audio {
    /// Reads a WAV file of 16, 24 or 32-bit integers or 32-bit floats.
    pub fn read(path: &Path) -> Audio {
        let mut reader = hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let spec = reader.spec();
        let samples: Vec<f32> = match spec.sample_format {
            hound::SampleFormat::Float => reader.samples::<f32>().map(|it| it.expect("a sample")).collect(),
            hound::SampleFormat::Int => {
                let scale = (1u64 << (spec.bits_per_sample - 1)) as f32;
                reader.samples::<i32>().map(|it| it.expect("a sample") as f32 / scale).collect()
            }
        };
        Audio::from_interleaved(spec.sample_rate, usize::from(spec.channels), &samples)
    }

    /// Splits interleaved samples.
    pub fn from_interleaved(rate_hz: u32, channels: usize, samples: &[f32]) -> Audio {
        let channel = |i| samples.iter().skip(i).step_by(channels).copied().collect();
        Audio { rate_hz, channels: (0..channels).map(channel).collect() }
    }

    /// Frames of every channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate_hz)
    }

    /// The mean of all channels.
    pub fn mono(&self) -> Vec<f32> {
        let scale = 1.0 / self.channels.len() as f32;
        (0..self.frames())
            .map(|i| self.channels.iter().map(|channel| channel[i]).sum::<f32>() * scale)
            .collect()
    }

    /// The highest sample.
    pub fn peak(&self) -> f32 {
        self.channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// Without the silence before the first and behind the last sample that is not zero.
    pub fn trimmed(&self) -> Audio {
        let sounds = |i: &usize| self.channels.iter().any(|channel| channel[*i] != 0.0);
        let first = (0..self.frames()).find(sounds).unwrap_or(0);
        let end = (0..self.frames()).rfind(sounds).map_or(0, |last| last + 1);
        let channels = self.channels.iter().map(|channel| channel[first.min(end)..end].to_vec()).collect();
        Audio { rate_hz: self.rate_hz, channels }
    }
}
