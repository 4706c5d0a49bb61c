use kmidi_core::limits::MAX_EVENTS_PER_QUANTUM;
use kmidi_core::{Event, TimedEvent};

/// Delays one channel by a constant number of frames. `[side A]`
pub(crate) struct AudioDelay {
    ring: Box<[f32]>,
    at: usize,
    /// Frames of silence that went in last, at most the length of the ring.
    silent_frames: usize,
}

impl AudioDelay {
    /// `[side B]` A silent delay line; `delay_frames` is not 0.
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new(delay_frames: u32) -> Self {
        let frames = delay_frames as usize;
        AudioDelay { ring: vec![0.0; frames].into_boxed_slice(), at: 0, silent_frames: frames }
    }

    /// Writes `input`, delayed, to `output`; returns whether `output` is all zero.
    pub fn process(&mut self, input: &[f32], input_is_silent: bool, output: &mut [f32]) -> bool {
        if input_is_silent && self.silent_frames == self.ring.len() {
            output.fill(0.0);
            return true;
        }
        for (output, input) in output.iter_mut().zip(input) {
            *output = std::mem::replace(&mut self.ring[self.at], *input);
            self.at = if self.at + 1 == self.ring.len() { 0 } else { self.at + 1 };
        }
        let silent = if input_is_silent { self.silent_frames + input.len() } else { 0 };
        self.silent_frames = silent.min(self.ring.len());
        false
    }

    /// Goes on where `old` stood. Where the lengths differ, the newest frames are kept.
    pub fn take_over(&mut self, old: &mut AudioDelay) {
        if self.ring.len() == old.ring.len() {
            std::mem::swap(self, old);
            return;
        }
        let frames = self.ring.len().min(old.ring.len());
        for back in 1..=frames {
            let from = (old.at + old.ring.len() - back) % old.ring.len();
            let to = self.ring.len() - back;
            self.ring[to] = old.ring[from];
        }
        self.at = 0;
        self.silent_frames = 0;
    }
}

/// Delays events by a constant number of frames. `[side A]`
pub(crate) struct EventDelay {
    delay_frames: u64,
    /// Frame count at the start of the next quantum.
    now: u64,
    /// A ring of events with the frame when they are due, in order.
    ring: Box<[(u64, Event)]>,
    first: usize,
    len: usize,
    dropped: u64,
}

impl EventDelay {
    /// `[side B]` An empty delay.
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new(delay_frames: u32) -> Self {
        EventDelay {
            delay_frames: u64::from(delay_frames),
            now: 0,
            ring: vec![(0, Event::Jump); MAX_EVENTS_PER_QUANTUM].into_boxed_slice(),
            first: 0,
            len: 0,
            dropped: 0,
        }
    }

    /// Takes an event of the current quantum in.
    pub fn push(&mut self, event: TimedEvent) {
        if self.len == self.ring.len() {
            self.dropped += 1;
            return;
        }
        let due = self.now + u64::from(event.time) + self.delay_frames;
        self.ring[(self.first + self.len) % self.ring.len()] = (due, event.event);
        self.len += 1;
    }

    /// Gives out, in order, what is due in the current quantum, and goes on to the next.
    pub fn drain(&mut self, quantum_frames: u32, mut give: impl FnMut(u32, Event)) {
        let end = self.now + u64::from(quantum_frames);
        while self.len > 0 && self.ring[self.first].0 < end {
            let (due, event) = self.ring[self.first];
            give(due.saturating_sub(self.now) as u32, event);
            self.first = (self.first + 1) % self.ring.len();
            self.len -= 1;
        }
        self.now = end;
    }

    /// Events that found it full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Goes on where `old` stood; events on the way arrive after the new delay.
    pub fn take_over(&mut self, old: &mut EventDelay) {
        std::mem::swap(self, old);
        let (new, was) = (old.delay_frames, self.delay_frames);
        std::mem::swap(&mut self.delay_frames, &mut old.delay_frames);
        for i in 0..self.len {
            let due = &mut self.ring[(self.first + i) % MAX_EVENTS_PER_QUANTUM].0;
            *due = (*due + new).saturating_sub(was).max(self.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_exact_and_reports_silence_only_when_empty() {
        let mut delay = AudioDelay::new(100);
        let mut output = [1.0; 64];
        assert!(delay.process(&[0.0; 64], true, &mut output));
        let mut impulse = [0.0; 64];
        impulse[3] = 1.0;
        let mut heard = vec![];
        for block in 0..5 {
            let input = if block == 0 { impulse } else { [0.0; 64] };
            let silent = delay.process(&input, block > 0, &mut output);
            assert!(!silent || output == [0.0; 64]);
            heard.extend_from_slice(&output);
        }
        let at: Vec<usize> = (0..heard.len()).filter(|&i| heard[i] != 0.0).collect();
        assert_eq!(at, [103]);
    }

    #[test]
    fn a_longer_or_shorter_line_keeps_the_newest_frames() {
        for (old_frames, new_frames) in [(10, 10), (10, 4), (4, 10)] {
            let (mut old, mut new) = (AudioDelay::new(old_frames), AudioDelay::new(new_frames));
            let mut output = [0.0; 16];
            let input: Vec<f32> = (1..=16).map(|i| i as f32).collect();
            old.process(&input, false, &mut output);
            new.take_over(&mut old);
            new.process(&[0.0; 16], false, &mut output);
            let kept = old_frames.min(new_frames) as usize;
            let from = new_frames as usize - kept;
            assert_eq!(output[from..from + kept], input[16 - kept..]);
        }
    }

    #[test]
    fn events_arrive_in_order_after_exactly_the_delay() {
        let mut delay = EventDelay::new(100);
        let mut seen = vec![];
        for block in 0..10u32 {
            if block < 3 {
                for time in [0, 5, 63] {
                    let event = Event::note_on(0, (block * 3) as u8, 1);
                    delay.push(TimedEvent { time, port: 0, event });
                }
            }
            delay.drain(64, |time, _| seen.push(block * 64 + time));
        }
        let sent = (0..3).flat_map(|b| [0, 5, 63].map(|t| b * 64 + t + 100));
        assert_eq!(seen, sent.collect::<Vec<_>>());
    }
}
