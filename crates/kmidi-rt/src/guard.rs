use std::cmp::Ordering;

use kmidi_core::AudioBuffer;
use kmidi_core::limits::GUARD_LEVEL;

/// How long a node that put out garbage must behave before it is heard again, in milliseconds.
const PROBATION_MS: u32 = 500;

/// What a look at a node's output found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing to say.
    Fine,
    /// This quantum begins a muting; the reason is whether a sample was NaN or infinite.
    Tripped {
        /// Otherwise it was too loud.
        non_finite: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Muted until this many frames in a row have been sane.
    Muted {
        frames_left: u32,
    },
    /// Coming back: frames of the fade done.
    Opening {
        frames_done: u32,
    },
}

/// Watches the output of one node: a sample that is not finite or is over
/// [`GUARD_LEVEL`] mutes the whole node within the same quantum. The last good samples ramp to
/// zero, nothing of the bad quantum is heard; after half a second of sane output the node fades in
/// again. `[side A]`
pub(crate) struct Guard {
    state: State,
    probation_frames: u32,
    fade_frames: u32,
    /// The last sample heard of each channel.
    last: Box<[f32]>,
    trips: u64,
}

impl Guard {
    /// `[side B]`
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new(channels: usize, sample_rate_hz: u32) -> Self {
        Guard {
            state: State::Open,
            probation_frames: sample_rate_hz / 1000 * PROBATION_MS,
            fade_frames: (sample_rate_hz / 100).max(1),
            last: vec![0.0; channels].into_boxed_slice(),
            trips: 0,
        }
    }

    /// Times the node was muted.
    pub fn trips(&self) -> u64 {
        self.trips
    }

    /// Looks at one quantum of output, mutes it where it must, and returns a bit for each channel
    /// that is all zero.
    pub fn check(&mut self, outputs: &mut [AudioBuffer]) -> (Verdict, u64) {
        let (mut sane, mut finite, mut silent) = (true, true, 0u64);
        for (channel, output) in outputs.iter().enumerate() {
            let (mut peak, mut bad) = (0.0f32, false);
            for sample in output.iter() {
                // Written so that NaN is bad.
                bad |=
                    !matches!(sample.abs().partial_cmp(&GUARD_LEVEL), Some(Ordering::Less | Ordering::Equal));
                peak = peak.max(sample.abs());
            }
            if bad {
                sane = false;
                finite &= output.iter().all(|sample| sample.is_finite());
            } else if peak == 0.0 {
                silent |= 1 << channel;
            }
        }
        let tripped = !sane && !matches!(self.state, State::Muted { .. });
        if tripped {
            self.trips += 1;
            self.state = State::Muted { frames_left: self.probation_frames };
            self.ramp_to_zero(outputs);
            return (Verdict::Tripped { non_finite: !finite }, 0);
        }
        silent = match self.state {
            State::Open => silent,
            State::Muted { frames_left } => self.stay_muted(outputs, sane, frames_left),
            State::Opening { frames_done } => {
                self.open(outputs, frames_done);
                silent
            }
        };
        for (last, output) in self.last.iter_mut().zip(outputs.iter()) {
            *last = output.last().copied().unwrap_or(0.0);
        }
        (Verdict::Fine, silent)
    }

    fn ramp_to_zero(&mut self, outputs: &mut [AudioBuffer]) {
        for (last, output) in self.last.iter_mut().zip(outputs) {
            let frames = output.len() as f32;
            for (frame, sample) in output.iter_mut().enumerate() {
                *sample = *last * (1.0 - (frame + 1) as f32 / frames);
            }
            *last = 0.0;
        }
    }

    fn stay_muted(&mut self, outputs: &mut [AudioBuffer], sane: bool, frames_left: u32) -> u64 {
        let frames = outputs.first().map_or(0, |output| output.len() as u32);
        outputs.iter_mut().for_each(|output| output.fill(0.0));
        let frames_left = if sane { frames_left.saturating_sub(frames) } else { self.probation_frames };
        self.state =
            if frames_left == 0 { State::Opening { frames_done: 0 } } else { State::Muted { frames_left } };
        u64::MAX
    }

    fn open(&mut self, outputs: &mut [AudioBuffer], frames_done: u32) {
        let frames = outputs.first().map_or(0, |output| output.len() as u32);
        for output in outputs {
            for (frame, sample) in (frames_done + 1..).zip(output.iter_mut()) {
                *sample *= (frame as f32 / self.fade_frames as f32).min(1.0);
            }
        }
        let frames_done = frames_done + frames;
        self.state =
            if frames_done >= self.fade_frames { State::Open } else { State::Opening { frames_done } };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantum(value: f32) -> [AudioBuffer; 1] {
        let mut buffer = AudioBuffer::silent(64);
        buffer.fill(value);
        [buffer]
    }

    /// Feeds 20 good quanta, `bad`, then good ones; returns every sample heard and the trips.
    fn heard_around(bad: f32) -> (Vec<f32>, u64) {
        let mut guard = Guard::new(1, 48_000);
        let mut heard = vec![];
        for block in 0..600 {
            let mut output = quantum(0.5);
            if block == 20 {
                output[0][13] = bad;
            }
            guard.check(&mut output);
            heard.extend_from_slice(&output[0]);
        }
        (heard, guard.trips())
    }

    #[test]
    fn garbage_is_muted_without_a_click_and_comes_back() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 30.0, -6e37] {
            let (heard, trips) = heard_around(bad);
            assert_eq!(trips, 1);
            assert!(heard.iter().all(|s| (0.0..=0.5).contains(s)), "{bad}");
            assert!(heard.windows(2).all(|w| (w[1] - w[0]).abs() < 0.01), "{bad}: a click");
            assert_eq!((heard[21 * 64], heard[heard.len() - 1]), (0.0, 0.5));
        }
    }

    #[test]
    fn what_is_loud_but_sane_passes_unchanged() {
        let (heard, trips) = heard_around(15.0);
        assert_eq!((trips, heard[20 * 64 + 13]), (0, 15.0));
        let denormal = heard_around(1e-40);
        assert_eq!(denormal.1, 0);
    }

    #[test]
    fn a_node_that_never_behaves_stays_muted_and_trips_once() {
        let mut guard = Guard::new(1, 48_000);
        for _ in 0..2000 {
            let mut output = quantum(f32::NAN);
            guard.check(&mut output);
            assert!(output[0].iter().all(|s| *s == 0.0));
        }
        assert_eq!(guard.trips(), 1);
    }
}
