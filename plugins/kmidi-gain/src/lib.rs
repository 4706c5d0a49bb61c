//! A gain: one parameter, smoothed, for any number of channels.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use kmidi_core::{AudioPorts, Event, NodeInfo, ProcessContext, ProcessStatus, Processor, Smoothed};

/// The only parameter: the gain in decibels, from [`SILENCE_DB`] (silence) to [`MAX_DB`]; what is
/// beyond is read as the nearest of the two, what is no number is ignored.
pub const GAIN_DB: u32 = 0;
/// At and below this gain nothing is heard.
pub const SILENCE_DB: f64 = -120.0;
/// The highest gain.
pub const MAX_DB: f64 = 24.0;

/// Multiplies its input by a gain that moves smoothly. At 0 dB samples pass bit by bit.
pub struct Gain {
    gain: Smoothed,
}

impl Gain {
    /// `[side B]` A gain that starts at `gain_db`.
    pub fn new(gain_db: f64, sample_rate_hz: u32) -> Self {
        let gain = if gain_db.is_nan() { 1.0 } else { linear(gain_db) };
        Gain { gain: Smoothed::new(gain, Smoothed::frames(sample_rate_hz)) }
    }

    /// What it is from outside: one audio input and output of `channels` channels, and an event input
    /// for its parameter.
    pub fn info(channels: u16) -> NodeInfo {
        NodeInfo {
            name: "gain".into(),
            audio_inputs: vec![channels],
            audio_outputs: vec![channels],
            event_inputs: 1,
            ..NodeInfo::default()
        }
    }

    /// The frames from `start` to `end`, in which nothing happens but the gain moving.
    fn run(&mut self, audio: &mut AudioPorts<'_>, start: usize, end: usize) {
        for (channel, (output, input)) in audio.outputs.iter_mut().zip(audio.inputs).enumerate() {
            let (output, input) = (&mut output[start..end], &input[start..end]);
            let mut gain = self.gain;
            if audio.silent_inputs & (1 << channel) != 0 {
                output.fill(0.0);
            } else if !gain.is_settled() {
                output.iter_mut().zip(input).for_each(|(out, x)| *out = x * gain.next_frame());
            } else if gain.target() == 1.0 {
                output.copy_from_slice(input);
            } else {
                output.iter_mut().zip(input).for_each(|(out, x)| *out = x * gain.target());
            }
        }
        self.gain.advance((end - start) as u32);
    }
}

fn linear(gain_db: f64) -> f32 {
    if gain_db <= SILENCE_DB { 0.0 } else { 10f64.powf(gain_db.min(MAX_DB) / 20.0) as f32 }
}

impl Processor for Gain {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        let begins_silent = self.gain.is_settled() && self.gain.target() == 0.0;
        let (frames, mut at) = (cx.frames as usize, 0);
        for event in cx.events_in {
            if let Event::Parameter { id: GAIN_DB, value } = event.event
                && !value.is_nan()
            {
                let time = (event.time as usize).clamp(at, frames);
                self.run(&mut cx.audio, at, time);
                self.gain.set_target(linear(value));
                at = time;
            }
        }
        self.run(&mut cx.audio, at, frames);
        let settled = self.gain.is_settled();
        let silent = begins_silent && settled && self.gain.target() == 0.0;
        cx.audio.silent_outputs = if silent { u64::MAX } else { cx.audio.silent_inputs };
        if settled && cx.audio.inputs_are_silent() { ProcessStatus::Sleep } else { ProcessStatus::Continue }
    }

    fn reset(&mut self) {
        self.gain.jump(self.gain.target());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmidi_core::{AudioBuffer, EventBuffer, SysExPool, TimedEvent, Transport};

    const Q: usize = 64;

    struct Run {
        gain: Gain,
        out: [Vec<f32>; 2],
        silent_outputs: u64,
        status: ProcessStatus,
    }

    impl Run {
        fn new(gain_db: f64) -> Self {
            let (gain, status) = (Gain::new(gain_db, 8000), ProcessStatus::Continue);
            Run { gain, out: Default::default(), silent_outputs: 0, status }
        }

        /// One quantum of ones on the left and of halves on the right.
        fn quantum(&mut self, silent_inputs: u64, parameters: &[(u32, f64)]) {
            let (mut left, mut right) = ([1.0; Q], [0.5; Q]);
            for (channel, input) in [&mut left, &mut right].into_iter().enumerate() {
                if silent_inputs & (1 << channel) != 0 {
                    input.fill(0.0);
                }
            }
            let events: Vec<TimedEvent> = parameters
                .iter()
                .map(|&(time, value)| TimedEvent {
                    time,
                    port: 0,
                    event: Event::Parameter { id: GAIN_DB, value },
                })
                .collect();
            let mut outputs = [AudioBuffer::silent(Q), AudioBuffer::silent(Q)];
            outputs.iter_mut().for_each(|output| output.fill(f32::NAN));
            let mut cx = ProcessContext {
                frames: Q as u32,
                transport: &Transport::default(),
                audio: AudioPorts {
                    inputs: &[&left, &right],
                    outputs: &mut outputs,
                    silent_inputs,
                    silent_outputs: 0,
                },
                events_in: &events,
                events_out: &mut EventBuffer::with_capacity(0),
                sysex: &mut SysExPool::new(),
            };
            self.status = self.gain.process(&mut cx);
            self.silent_outputs = cx.audio.silent_outputs & 3;
            for (channel, output) in outputs.iter().enumerate() {
                let silent = self.silent_outputs & (1 << channel) != 0;
                assert!(!silent || output.iter().all(|&x| x == 0.0), "says silent and is not");
                self.out[channel].extend_from_slice(output);
            }
        }
    }

    #[test]
    fn a_change_begins_at_its_frame_does_not_click_and_arrives() {
        let mut run = Run::new(0.0);
        run.quantum(0, &[(10, -20.0)]);
        (0..4).for_each(|_| run.quantum(0, &[]));
        let [left, right] = &run.out;
        assert!(left[..=10].iter().all(|&x| x == 1.0), "bit by bit until then");
        assert!(left[11] < 1.0);
        assert!(left.windows(2).all(|w| (w[1] - w[0]).abs() < 0.02));
        assert!((left[100] - 0.1).abs() < 1e-6 && (right[100] - 0.05).abs() < 1e-6);
    }

    #[test]
    fn a_storm_of_parameters_is_smooth_and_garbage_is_ignored() {
        let mut run = Run::new(0.0);
        for quantum in 0..50 {
            let storm: Vec<(u32, f64)> =
                (0..64).map(|t| (t, f64::from((t * 37 + quantum * 11) % 60) - 50.0)).collect();
            run.quantum(0, &storm);
        }
        run.quantum(0, &[(0, f64::INFINITY), (0, f64::NEG_INFINITY), (3, f64::NAN)]);
        (0..3).for_each(|_| run.quantum(0, &[]));
        let left = &run.out[0];
        assert!(left.iter().all(|x| (0.0..=16.0).contains(x)));
        assert!(left[..50 * Q].windows(2).all(|w| (w[1] - w[0]).abs() < 0.05));
        assert_eq!(left.last(), Some(&0.0));
    }

    #[test]
    fn one_silent_channel_stays_silent_and_the_other_sounds() {
        for channel in 0..2 {
            let mut run = Run::new(-6.0);
            run.quantum(1 << channel, &[(7, 3.0)]);
            assert_eq!((run.silent_outputs, run.status), (1 << channel, ProcessStatus::Continue));
            assert!(run.out[1 - channel].iter().all(|&x| x > 0.2));
        }
    }

    #[test]
    fn it_sleeps_when_nothing_comes_and_nothing_moves() {
        let mut run = Run::new(0.0);
        run.quantum(3, &[(0, -120.0)]);
        assert_eq!(run.status, ProcessStatus::Continue, "the gain still moves");
        (0..3).for_each(|_| run.quantum(3, &[]));
        assert_eq!((run.status, run.silent_outputs), (ProcessStatus::Sleep, 3));
        run.quantum(0, &[]);
        assert_eq!(run.silent_outputs, 3, "closed is silent whatever comes");
    }
}
