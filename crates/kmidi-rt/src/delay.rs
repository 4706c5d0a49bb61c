use kmidi_core::limits::{EVENT_DELAY_EVENTS, NOTE_OFF_RESERVE};
use kmidi_core::{Event, Smoothed, TimedEvent};

use crate::ledger::Ledger;

/// A compensation delay for one audio channel. `[side A]` except [`DelayLine::new`].
///
/// It survives recompiles. Where its length changes, it fades from the old tap to the new one, once
/// the new one has something to read.
pub(crate) struct DelayLine {
    /// A power of two long, at least delay + quantum.
    ring: Box<[f32]>,
    /// Where the next frame is written.
    at: usize,
    delay: usize,
    /// What a recompile has asked for.
    wanted_delay: usize,
    /// The tap before the last change.
    old_delay: usize,
    /// From the old tap (0) to the new (1).
    fade: Smoothed,
    /// Frames of history, at most the length of the ring.
    filled: usize,
    /// Latest frames in a row known to be zero, at most the length of the ring.
    silent: usize,
}

impl DelayLine {
    /// `[side B]` A delay of `delay_frames`, full of silence, that fades over `smoothing_frames`.
    pub fn new(delay_frames: u32, quantum_frames: u32, smoothing_frames: u32) -> Self {
        let length = (delay_frames as usize + quantum_frames as usize).next_power_of_two();
        DelayLine {
            ring: (0..length).map(|_| 0.0).collect(),
            at: 0,
            delay: delay_frames as usize,
            wanted_delay: delay_frames as usize,
            old_delay: delay_frames as usize,
            fade: Smoothed::new(1.0, smoothing_frames),
            filled: length,
            silent: length,
        }
    }

    /// Takes over the sound inside `old`, whose place this line takes.
    pub fn continue_from(&mut self, old: &mut DelayLine) {
        let wanted = self.wanted_delay;
        if old.ring.len() >= self.ring.len() {
            std::mem::swap(self, old);
        } else {
            let length = old.ring.len();
            self.at = length;
            let (newest, oldest) = old.ring.split_at(old.at);
            self.ring[..oldest.len()].copy_from_slice(oldest);
            self.ring[oldest.len()..length].copy_from_slice(newest);
            (self.delay, self.old_delay, self.fade) = (old.delay, old.old_delay, old.fade);
            // What lies behind an all silent ring is taken to be silent too.
            if old.silent < length {
                (self.filled, self.silent) = (old.filled, old.silent);
            }
        }
        self.wanted_delay = wanted;
    }

    /// Begins where there was no delay on this edge before.
    pub fn begin_without_delay(&mut self) {
        (self.delay, self.old_delay, self.filled, self.silent) = (0, 0, 0, 0);
    }

    /// Starts a change of length, once the one before it is done.
    fn begin_change(&mut self) {
        if self.wanted_delay != self.delay && self.fade.is_settled() {
            self.old_delay = self.delay;
            self.delay = self.wanted_delay;
            self.fade.jump(0.0);
            self.fade.set_target_after(1.0, self.delay.saturating_sub(self.filled) as u32);
        }
    }

    /// One quantum in and out. Returns whether `output` is all zero.
    pub fn process(&mut self, input: &[f32], input_silent: bool, output: &mut [f32]) -> bool {
        let (length, frames) = (self.ring.len(), input.len());
        self.begin_change();
        if input_silent && self.silent == length {
            // The whole ring is zero already: nothing to write and nothing to read.
            self.fade.advance(frames as u32);
            output.fill(0.0);
            return true;
        }
        self.silent = if input_silent { (self.silent + frames).min(length) } else { 0 };
        let first = frames.min(length - self.at);
        self.ring[self.at..self.at + first].copy_from_slice(&input[..first]);
        self.ring[..frames - first].copy_from_slice(&input[first..]);
        self.filled = (self.filled + frames).min(length);
        self.tap(self.delay, output);
        if !self.fade.is_settled() {
            for (i, out) in output.iter_mut().enumerate() {
                let old = self.ring[(self.at + i + length - self.old_delay) & (length - 1)];
                *out = old + (*out - old) * self.fade.next_frame();
            }
        }
        self.at = (self.at + frames) & (length - 1);
        self.silent >= frames + self.delay.max(self.old_delay)
    }

    fn tap(&self, delay: usize, output: &mut [f32]) {
        let length = self.ring.len();
        let start = (self.at + length - delay) & (length - 1);
        let first = output.len().min(length - start);
        let (head, rest) = output.split_at_mut(first);
        head.copy_from_slice(&self.ring[start..start + first]);
        rest.copy_from_slice(&self.ring[..rest.len()]);
    }
}

/// Note-offs of one key that an event delay keeps room for.
const ENDS_PER_KEY: u16 = 3;

const _: () = assert!((ENDS_PER_KEY as usize + 1) * NOTE_OFF_RESERVE < EVENT_DELAY_EVENTS);

/// A compensation delay for the events of one edge; fixed size, survives recompiles. `[side A]`
/// except [`EventDelay::new`].
///
/// It takes an event only if there stays room for the end of every note and pedal that it has let in
/// (of one key, [`ENDS_PER_KEY`] at once). So no note-off is lost in it.
pub(crate) struct EventDelay {
    /// (frame of entry, event) in order of entry.
    ring: Box<[(u64, Event)]>,
    head: usize,
    len: usize,
    pub delay_frames: u32,
    /// What has been let in and not yet ended.
    entered: Ledger,
    pub dropped: u64,
}

impl EventDelay {
    /// `[side B]`
    pub fn new(delay_frames: u32) -> Self {
        EventDelay {
            ring: (0..EVENT_DELAY_EVENTS).map(|_| (0, Event::Jump)).collect(),
            head: 0,
            len: 0,
            delay_frames,
            entered: Ledger::new(ENDS_PER_KEY),
            dropped: 0,
        }
    }

    /// An event enters `time` frames after `now`, the first frame of this quantum.
    pub fn push(&mut self, now: u64, event: &TimedEvent) {
        let promised = self.len + self.entered.owed() as usize;
        let more = 1 + usize::from(self.entered.would_owe_more(&event.event));
        if !self.entered.is_owed(&event.event) && promised + more > self.ring.len() {
            self.dropped += 1;
            return;
        }
        self.entered.track(&event.event);
        self.ring[(self.head + self.len) % self.ring.len()] = (now + u64::from(event.time), event.event);
        self.len += 1;
    }

    /// The next event that leaves in the quantum of `frames` from `now`, and its frame there.
    pub fn peek(&self, now: u64, frames: u32) -> Option<(u32, Event)> {
        if self.len == 0 {
            return None;
        }
        let (entry, event) = self.ring[self.head];
        let due = (entry + u64::from(self.delay_frames)).saturating_sub(now);
        (due < u64::from(frames)).then_some((due as u32, event))
    }

    /// Passes over what [`EventDelay::peek`] has shown.
    pub fn pop(&mut self) {
        self.head = (self.head + 1) % self.ring.len();
        self.len = self.len.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Q: usize = 16;

    fn run(line: &mut DelayLine, input: &[f32]) -> Vec<f32> {
        let mut out = vec![f32::NAN; input.len()];
        for (input, out) in input.chunks(Q).zip(out.chunks_mut(Q)) {
            let zero = input.iter().all(|&x| x == 0.0);
            if line.process(input, zero, out) {
                assert!(out.iter().all(|&x| x == 0.0), "said to be silent and is not");
            }
        }
        out
    }

    fn noise(frames: usize) -> Vec<f32> {
        (0..frames).map(|i| ((i * 7919 + 13) % 1000) as f32 / 500.0 - 1.0).collect()
    }

    #[test]
    fn any_delay_is_exact_and_silence_in_between_changes_nothing() {
        for delay in [0usize, 1, 15, 16, 17, 100, 1000] {
            let mut input = noise(160);
            input.extend(vec![0.0; 4096]);
            input.extend(noise(320));
            input.extend(vec![0.0; 48]);
            input.extend(noise(1600));
            let mut expected = vec![0.0; delay];
            expected.extend(&input[..input.len() - delay]);
            assert_eq!(run(&mut DelayLine::new(delay as u32, Q as u32, 8), &input), expected, "{delay}");
        }
    }

    #[test]
    fn a_recompile_keeps_the_sound_inside_and_a_new_length_does_not_click() {
        let sine: Vec<f32> = (0..8000).map(|i| (i as f32 * 0.02).sin()).collect();
        for (from, to) in [(40, 40), (40, 300), (300, 40), (0, 500), (500, 0)] {
            let mut old = DelayLine::new(from, Q as u32, 64);
            let mut out = run(&mut old, &sine[..4000]);
            let mut new = DelayLine::new(to, Q as u32, 64);
            new.continue_from(&mut old);
            out.extend(run(&mut new, &sine[4000..]));
            let jump = out[from as usize + 1..].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
            assert!(jump < 0.06, "{from} to {to}: {jump}");
            let (end, expected) = (&out[7000..], &sine[7000 - to as usize..8000 - to as usize]);
            assert_eq!(end, expected, "{from} to {to}");
            if from == to {
                assert_eq!(out[from as usize..], sine[..8000 - from as usize]);
            }
        }
    }

    #[test]
    fn a_delay_where_there_was_none_waits_until_it_has_something_to_say() {
        let sine: Vec<f32> = (0..3200).map(|i| (1.0 + i as f32 * 0.02).sin()).collect();
        let mut line = DelayLine::new(1000, Q as u32, 64);
        line.begin_without_delay();
        let out = run(&mut line, &sine);
        assert_eq!(out[..960], sine[..960]);
        assert!(out.windows(2).all(|w| (w[1] - w[0]).abs() < 0.06));
        assert_eq!(out[2000..], sine[1000..2200]);
    }

    #[test]
    fn a_flooded_event_delay_loses_no_note_off() {
        let mut line = EventDelay::new(100_000);
        let mut ends = 0;
        for i in 0..3 * EVENT_DELAY_EVENTS {
            let (channel, key) = ((i / 128 % 16) as u8, (i % 128) as u8);
            let bend = Event::PitchBend { channel, value: i as i16 };
            let event = if i < 6000 { Event::note_on(channel, key, 1) } else { bend };
            line.push(i as u64, &TimedEvent { time: 0, port: 0, event });
        }
        assert!(line.dropped > 0);
        for key in 0..=127 {
            for _ in 0..3 {
                for channel in 0..16 {
                    let event = Event::note_off(channel, key, 1);
                    line.push(60_000, &TimedEvent { time: 0, port: 0, event });
                }
            }
        }
        let mut sounding = Ledger::new(u16::MAX);
        while let Some((_, event)) = line.peek(1 << 40, 64) {
            sounding.track(&event);
            ends += usize::from(matches!(event, Event::NoteOff { .. }));
            line.pop();
        }
        assert!(ends > 1000);
        assert_eq!(sounding.owed(), 0, "a note hangs");
    }

    #[test]
    fn a_shorter_event_delay_keeps_the_order_of_what_is_inside() {
        let mut line = EventDelay::new(100);
        for key in 0..5u8 {
            let event = Event::note_on(0, key, 1);
            line.push(0, &TimedEvent { time: u32::from(key) * 10, port: 0, event });
        }
        line.delay_frames = 20;
        let mut seen = vec![];
        while let Some((time, event)) = line.peek(40, 64) {
            seen.push((time, event));
            line.pop();
        }
        let expected = [(0, 0), (0, 1), (0, 2), (10, 3), (20, 4)];
        assert_eq!(seen, expected.map(|(time, key)| (time, Event::note_on(0, key, 1))));
    }
}
