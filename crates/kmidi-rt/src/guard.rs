use kmidi_core::limits::{GUARD_HOLD_MS, GUARD_LEVEL};
use kmidi_core::{AudioBuffer, Smoothed};

/// Watches the outputs of one node, so that one broken node cannot harm ears or its neighbours.
/// `[side A]`
///
/// A sample that is not finite, or louder than [`GUARD_LEVEL`], trips it: nothing from that frame on
/// gets out. In its place each channel goes from its last good sample to zero in a ramp. The node is
/// still run and watched; after [`GUARD_HOLD_MS`] without a bad sample it is faded in again. A node
/// that goes bad again trips it again, so a lasting fault is heard at most as fades that far apart.
pub(crate) struct Guard {
    state: State,
    /// Last good sample of each output channel.
    last: Box<[f32]>,
    /// The level of the ramp that is under way.
    ramp: Smoothed,
    hold_frames: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Going to zero, or there.
    Muted {
        /// Frames without a bad sample.
        good_frames: u32,
    },
    Opening,
}

/// Why a guard tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trip {
    /// The first bad sample was NaN or infinite, otherwise too loud.
    pub non_finite: bool,
}

/// How far a sample is below the guard's level, in the order of numbers; negative for one that is louder, infinite or none.
///
/// Without their sign, the bits of numbers are in the order of numbers, and those that are none come last: integers, of which
/// a processor compares several at once.
fn room(sample: f32) -> i32 {
    const HIGHEST: i32 = GUARD_LEVEL.to_bits() as i32;
    HIGHEST - (sample.to_bits() & 0x7fff_ffff) as i32
}

impl Guard {
    /// `[side B]` For a node with this many output channels.
    pub fn new(channels: usize, sample_rate_hz: u32) -> Self {
        Guard {
            state: State::Open,
            last: (0..channels).map(|_| 0.0).collect(),
            ramp: Smoothed::new(1.0, Smoothed::frames(sample_rate_hz)),
            hold_frames: (u64::from(sample_rate_hz) * u64::from(GUARD_HOLD_MS) / 1000) as u32,
        }
    }

    /// Whether all passes.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Looks at one quantum of all output channels, and changes it if it must. `silent` is their silence mask.
    pub fn process(&mut self, outputs: &mut [AudioBuffer], silent: &mut u64) -> Option<Trip> {
        let frames = outputs.first()?.len();
        let bad = first_bad(outputs);
        let good_frames = bad.map_or(frames, |(frame, _)| frame);
        if self.state == State::Opening {
            let ramp = self.ramp;
            for channel in outputs.iter_mut() {
                let mut ramp = ramp;
                channel[..good_frames].iter_mut().for_each(|x| *x *= ramp.next_frame());
            }
            self.ramp.advance(good_frames as u32);
        }
        match (self.state, bad) {
            (State::Muted { good_frames }, bad) => {
                self.decay(outputs, 0, silent);
                self.wait(bad.is_some(), good_frames, frames);
                None
            }
            (_, Some((frame, trip))) => {
                self.trip(outputs, frame);
                self.decay(outputs, frame, silent);
                Some(trip)
            }
            (_, None) => {
                for (last, channel) in self.last.iter_mut().zip(outputs.iter()) {
                    *last = channel[frames - 1];
                }
                if self.ramp.is_settled() {
                    self.state = State::Open;
                }
                None
            }
        }
    }

    fn trip(&mut self, outputs: &[AudioBuffer], frame: usize) {
        if frame > 0 {
            for (last, channel) in self.last.iter_mut().zip(outputs) {
                *last = channel[frame - 1];
            }
        }
        self.state = State::Muted { good_frames: 0 };
        self.ramp.jump(1.0);
        self.ramp.set_target(0.0);
    }

    fn wait(&mut self, bad: bool, good_frames: u32, frames: usize) {
        let good_frames = if bad { 0 } else { good_frames.saturating_add(frames as u32) };
        self.state = State::Muted { good_frames };
        if good_frames >= self.hold_frames {
            self.state = State::Opening;
            self.ramp.jump(0.0);
            self.ramp.set_target(1.0);
        }
    }

    /// From `start` on, each channel goes on from its last good sample towards zero.
    fn decay(&mut self, outputs: &mut [AudioBuffer], start: usize, silent: &mut u64) {
        *silent = 0;
        if self.ramp.is_settled() && start == 0 {
            outputs.iter_mut().for_each(|channel| channel.fill(0.0));
            *silent = u64::MAX;
            return;
        }
        let ramp = self.ramp;
        for (channel, &last) in outputs.iter_mut().zip(self.last.iter()) {
            let mut ramp = ramp;
            channel[start..].iter_mut().for_each(|x| *x = last * ramp.next_frame());
        }
        self.ramp.advance(outputs.first().map_or(0, |channel| channel.len() - start) as u32);
    }
}

/// The earliest frame at which any channel is bad.
fn first_bad(outputs: &[AudioBuffer]) -> Option<(usize, Trip)> {
    let mut first: Option<(usize, Trip)> = None;
    for channel in outputs {
        // Almost always nothing: a loop without a branch finds that out.
        if channel.iter().fold(0, |signs, &x| signs | room(x)) >= 0 {
            continue;
        }
        let Some(frame) = channel.iter().position(|&x| room(x) < 0) else { continue };
        if first.is_none_or(|(earliest, _)| frame < earliest) {
            first = Some((frame, Trip { non_finite: !channel[frame].is_finite() }));
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8000;
    const Q: usize = 64;

    /// Runs two channels through a guard; returns the output and the trips with their quantum.
    fn run(left: &[f32], right: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<(usize, Trip)>) {
        let mut guard = Guard::new(2, RATE);
        let (mut out_left, mut out_right, mut trips) = (vec![], vec![], vec![]);
        for (quantum, (l, r)) in left.chunks(Q).zip(right.chunks(Q)).enumerate() {
            let mut buffers = [AudioBuffer::silent(Q), AudioBuffer::silent(Q)];
            buffers[0].copy_from_slice(l);
            buffers[1].copy_from_slice(r);
            let mut silent = 0;
            trips.extend(guard.process(&mut buffers, &mut silent).map(|trip| (quantum, trip)));
            for (channel, buffer) in buffers.iter().enumerate() {
                assert!(silent & (1 << channel) == 0 || buffer.iter().all(|&x| x == 0.0));
            }
            out_left.extend_from_slice(&buffers[0]);
            out_right.extend_from_slice(&buffers[1]);
        }
        (out_left, out_right, trips)
    }

    fn largest_step(samples: &[f32]) -> f32 {
        samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
    }

    fn sine(frames: usize) -> Vec<f32> {
        (0..frames).map(|i| (i as f32 * 0.05).sin()).collect()
    }

    #[test]
    fn a_bad_sample_never_gets_out_and_the_way_down_and_up_is_smooth() {
        let good = sine(Q * 200);
        for (bad, non_finite) in [(f32::NAN, true), (f32::NEG_INFINITY, true), (31.6, false)] {
            // Miri is slow: one of them.
            for at in [0, 63, 64, 1000, 1023].into_iter().skip(if cfg!(miri) { 4 } else { 0 }) {
                let mut left = good.clone();
                left[at] = bad;
                let (l, r, trips) = run(&left, &good);
                assert_eq!(trips, [(at / Q, Trip { non_finite })]);
                for out in [&l, &r] {
                    assert_eq!(out[..at], good[..at], "until then nothing changes");
                    assert!(largest_step(out) < 0.07, "{bad} at {at}: {}", largest_step(out));
                    assert!(out[at + 80..at + 4000].iter().all(|&x| x == 0.0));
                    assert_eq!(out[Q * 100..], good[Q * 100..], "open again");
                }
            }
        }
    }

    #[test]
    fn loud_but_allowed_and_denormal_samples_pass_bit_by_bit() {
        let mut samples = sine(Q * 4);
        samples[7] = GUARD_LEVEL;
        samples[8] = -GUARD_LEVEL;
        samples[9] = 1e-42;
        let (l, _, trips) = run(&samples, &samples);
        assert_eq!((l, trips), (samples, vec![]));
    }

    #[test]
    fn a_lasting_fault_stays_muted_and_is_told_once() {
        let mut left = sine(Q * 300);
        left.iter_mut().skip(500).step_by(700).for_each(|x| *x = f32::NAN);
        let (l, _, trips) = run(&left, &sine(Q * 300));
        assert_eq!(trips.len(), 1);
        assert!(l[600..].iter().all(|&x| x == 0.0));
    }
}
