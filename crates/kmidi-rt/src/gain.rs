use kmidi_core::limits::{CEILING_RELEASE_MS, MASTER_CEILING};
use kmidi_core::{AudioBuffer, Smoothed};

/// `to = from * gain`, the gain moving. `[side A]`
pub(crate) fn copy(mut gain: Smoothed, from: &[f32], to: &mut [f32]) {
    if !gain.is_settled() {
        for (to, from) in to.iter_mut().zip(from) {
            *to = from * gain.next_frame();
        }
        return;
    }
    match gain.target() {
        1.0 => to.copy_from_slice(from),
        factor => to.iter_mut().zip(from).for_each(|(to, from)| *to = from * factor),
    }
}

/// `to += from * gain`, the gain moving. `[side A]`
pub(crate) fn add(mut gain: Smoothed, from: &[f32], to: &mut [f32]) {
    if !gain.is_settled() {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from * gain.next_frame();
        }
        return;
    }
    match gain.target() {
        1.0 => to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
        factor => to.iter_mut().zip(from).for_each(|(to, from)| *to += from * factor),
    }
}

/// The last thing before the device: the master gain, and a ceiling that no sample exceeds.
/// `[side A]`
///
/// Below the ceiling samples pass bit by bit. A peak above it lowers all channels alike, at once and
/// just enough; then the level recovers. Everything is computed frame by frame, so block lengths
/// change nothing.
pub(crate) struct Master {
    pub gain: Smoothed,
    /// What the ceiling leaves of the level now, 0 to 1.
    held: f32,
    release: f32,
    /// Frames that the ceiling has lowered.
    pub lowered_frames: u64,
    /// The highest sample that the ceiling has met above itself; 0 while there was none.
    pub met_peak: f32,
    /// Whether there is a ceiling at all.
    pub has_ceiling: bool,
}

impl Master {
    /// `[side B]`
    pub fn new(sample_rate_hz: u32) -> Self {
        Master {
            gain: Smoothed::new(1.0, Smoothed::frames(sample_rate_hz)),
            held: 1.0,
            release: 1000.0 / (CEILING_RELEASE_MS * sample_rate_hz as f32),
            lowered_frames: 0,
            met_peak: 0.0,
            has_ceiling: true,
        }
    }

    /// Takes over from the schedule before.
    pub fn continue_from(&mut self, old: &Master) {
        self.gain = old.gain;
        self.held = old.held;
        self.lowered_frames = old.lowered_frames;
        self.met_peak = old.met_peak;
        self.has_ceiling = old.has_ceiling;
    }

    pub fn process(&mut self, channels: &mut [AudioBuffer]) {
        let is_below = || !self.has_ceiling || peak(channels) * self.gain.target() <= MASTER_CEILING;
        if self.gain.is_settled() && self.held == 1.0 && is_below() {
            if self.gain.target() != 1.0 {
                let gain = self.gain.target();
                channels.iter_mut().flat_map(|channel| channel.iter_mut()).for_each(|x| *x *= gain);
            }
            return;
        }
        let frames = channels.first().map_or(0, |channel| channel.len());
        for frame in 0..frames {
            let gain = self.gain.next_frame();
            if !self.has_ceiling {
                channels.iter_mut().for_each(|channel| channel[frame] *= gain);
                continue;
            }
            let peak = channels.iter().fold(0.0f32, |peak, channel| peak.max((channel[frame] * gain).abs()));
            self.follow(peak);
            for channel in channels.iter_mut() {
                let held = channel[frame] * gain * self.held;
                channel[frame] = held.clamp(-MASTER_CEILING, MASTER_CEILING);
            }
        }
    }

    fn follow(&mut self, peak: f32) {
        let mut allowed = 1.0;
        if peak > MASTER_CEILING {
            allowed = MASTER_CEILING / peak;
            self.met_peak = self.met_peak.max(peak);
        }
        self.held = (self.held + self.release).min(allowed);
        self.lowered_frames += u64::from(self.held < 1.0);
    }
}

fn peak(channels: &[AudioBuffer]) -> f32 {
    channels.iter().map(|channel| kmidi_core::peak(channel)).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(samples: &[f32]) -> AudioBuffer {
        let mut buffer = AudioBuffer::silent(samples.len());
        buffer.copy_from_slice(samples);
        buffer
    }

    #[test]
    fn below_the_ceiling_bits_pass_and_above_it_nothing_gets_through() {
        let mut master = Master::new(48_000);
        let quiet = [0.1, -0.999_999, 1.0, 1e-30];
        let mut channels = [buffer(&quiet), buffer(&[0.0; 4])];
        master.process(&mut channels);
        assert_eq!(channels[0][..], quiet);
        let mut channels = [buffer(&[0.5, 4.0, 0.5, 0.5]), buffer(&[0.5, 0.5, 0.5, -90.0])];
        master.process(&mut channels);
        assert!(peak(&channels) <= 1.0);
        assert_eq!(
            (channels[0][0], channels[0][1], channels[1][1]),
            (0.5, 1.0, 0.125),
            "both channels alike"
        );
        assert_eq!((master.lowered_frames, master.met_peak), (3, 90.0));
        for _ in 0..20_000 {
            master.process(&mut [buffer(&quiet)]);
        }
        let mut channels = [buffer(&quiet)];
        master.process(&mut channels);
        assert_eq!(channels[0][..], quiet, "it lets go");
    }

    #[test]
    fn the_ceiling_does_not_depend_on_the_block_length() {
        let samples: Vec<f32> = (0..960).map(|i| 3.0 * ((i * i) as f32 * 0.01).sin()).collect();
        let run = |block: usize| {
            let mut master = Master::new(48_000);
            master.gain.set_target(0.5);
            let mut out = Vec::new();
            for block in samples.chunks(block) {
                let mut channels = [buffer(block)];
                master.process(&mut channels);
                out.extend_from_slice(&channels[0]);
            }
            out
        };
        assert_eq!(run(1), run(960));
        assert_eq!(run(64), run(960));
    }
}
