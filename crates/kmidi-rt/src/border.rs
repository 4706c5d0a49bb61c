use kmidi_core::limits::{MAX_CALLBACK_FRAMES, MAX_EVENTS_PER_QUANTUM, MIDI_CHANNELS, NOTE_OFF_RESERVE};
use kmidi_core::{AudioBuffer, DeviceIo, Event, EventBuffer, MidiBuffer, SysExPool, TimedEvent};

/// Between a device, whose callbacks may have any length, and the graph, which runs in constant
/// quanta. `[side A]`
///
/// Quanta are rendered as soon as a callback needs their first frame and given out piece by piece,
/// so output is never delayed. Input cannot be read ahead: while callbacks are multiples of the
/// quantum it is used at once; the first callback that is not delays all input, audio and MIDI
/// alike, by one quantum, from then on.
pub(crate) struct Border {
    /// The quantum being given out.
    pub device_out: Box<[AudioBuffer]>,
    /// What it sends to MIDI devices.
    pub midi_out: EventBuffer,
    /// Audio input of the quantum being rendered.
    pub device_in: Box<[AudioBuffer]>,
    /// MIDI input of the quantum being rendered.
    pub live_in: EventBuffer,
    quantum_frames: usize,
    /// Frames and events of the quantum already given out.
    frames_given: usize,
    events_given: usize,
    /// First frame of the current callback, and first frame of the next quantum, on one clock.
    callback_start: u64,
    next_quantum: u64,
    input_latency: usize,
    waiting_audio: WaitingAudio,
    waiting_midi: WaitingMidi,
}

impl Border {
    /// `[side B]`
    pub fn new(quantum_frames: usize, channels_in: usize, channels_out: usize) -> Self {
        let channels = |count| (0..count).map(|_| AudioBuffer::silent(quantum_frames)).collect();
        Border {
            device_out: channels(channels_out),
            midi_out: EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM),
            device_in: channels(channels_in),
            live_in: EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM),
            quantum_frames,
            frames_given: quantum_frames,
            events_given: 0,
            callback_start: 0,
            next_quantum: 0,
            input_latency: 0,
            waiting_audio: WaitingAudio::new(quantum_frames, channels_in),
            waiting_midi: WaitingMidi::new(),
        }
    }

    /// Frames by which input is delayed: 0 or one quantum.
    pub fn input_latency_frames(&self) -> u32 {
        self.input_latency as u32
    }

    /// Frames given to the device since the start.
    pub fn frames_given(&self) -> u64 {
        self.callback_start
    }

    /// MIDI messages and events that had no room.
    pub fn dropped(&self) -> u64 {
        self.waiting_midi.dropped + self.live_in.dropped() + self.midi_out.dropped()
    }

    /// Takes the input of `frames` frames of a callback, from its frame `start` on. MIDI comes with the first.
    pub fn take_input(&mut self, io: &DeviceIo<'_, '_>, start: usize, frames: usize, sysex: &mut SysExPool) {
        if self.input_latency == 0 && !frames.is_multiple_of(self.quantum_frames) {
            self.input_latency = self.quantum_frames;
            self.waiting_audio.insert_silence(self.quantum_frames);
        }
        self.waiting_audio.append(io.inputs, start, frames);
        if start == 0 {
            let first = self.callback_start + self.input_latency as u64;
            self.waiting_midi.append(io.midi_in, first, io.frames, sysex);
        }
    }

    /// Whether everything rendered has been given out.
    pub fn needs_quantum(&self) -> bool {
        self.frames_given == self.quantum_frames
    }

    /// Prepares the input of the next quantum.
    pub fn begin_quantum(&mut self) {
        self.waiting_audio.read(&mut self.device_in);
        self.live_in.clear();
        self.waiting_midi.read(self.next_quantum, self.quantum_frames as u64, &mut self.live_in);
        self.midi_out.clear();
        self.next_quantum += self.quantum_frames as u64;
        self.frames_given = 0;
        self.events_given = 0;
    }

    /// Gives out what is rendered, up to frame `end` of the callback, from its frame `at` on.
    /// Returns the first frame not given.
    pub fn give(&mut self, io: &mut DeviceIo<'_, '_>, at: usize, end: usize, sysex: &SysExPool) -> usize {
        let frames = (self.quantum_frames - self.frames_given).min(end - at);
        let given = self.frames_given..self.frames_given + frames;
        for (channel, output) in io.outputs.iter_mut().enumerate() {
            let output = &mut output[at..at + frames];
            match self.device_out.get(channel) {
                Some(rendered) => output.copy_from_slice(&rendered[given.clone()]),
                None => output.fill(0.0),
            }
        }
        while let Some(event) = self.midi_out.as_slice().get(self.events_given) {
            if event.time as usize >= given.end {
                break;
            }
            let frame = at + (event.time as usize).saturating_sub(given.start);
            send_midi(io.midi_out, frame as u32, event.event, sysex);
            self.events_given += 1;
        }
        self.frames_given = given.end;
        at + frames
    }

    /// The frames whose input was taken last have been given out.
    pub fn end_piece(&mut self) {
        self.waiting_audio.compact();
    }

    /// The whole callback has been served.
    pub fn end_callback(&mut self, frames: usize) {
        self.callback_start += frames as u64;
    }

    /// Ends all sound of live input.
    pub fn all_sound_off(&mut self) {
        for event in all_sound_off() {
            // Counted by the buffer.
            let _ = self.live_in.push(TimedEvent { time: 0, port: 0, event });
        }
    }
}

/// What silences every channel of a MIDI port.
pub(crate) fn all_sound_off() -> impl Iterator<Item = Event> {
    const ALL_SOUND_OFF: u8 = 120;
    (0..MIDI_CHANNELS as u8).map(|channel| Event::ControlChange {
        channel,
        controller: ALL_SOUND_OFF,
        value: 0,
    })
}

/// Writes an event as a MIDI message; what has none is not for MIDI devices. A full buffer counts.
fn send_midi(out: &mut MidiBuffer, frame: u32, event: Event, sysex: &SysExPool) {
    let mut bytes = [0; 3];
    let message = match event {
        Event::SysEx(handle) => sysex.get(handle),
        event => event.to_midi1(&mut bytes).map(|len| &bytes[..len]),
    };
    if let Some(message) = message {
        // The buffer counts what it refuses.
        let _ = out.push(frame, message);
    }
}

/// Captured audio that no quantum has used yet.
struct WaitingAudio {
    channels: Box<[Box<[f32]>]>,
    /// The waiting frames of each channel.
    first: usize,
    end: usize,
}

impl WaitingAudio {
    #[allow(clippy::disallowed_macros, reason = "side B")]
    fn new(quantum_frames: usize, channels: usize) -> Self {
        let frames = MAX_CALLBACK_FRAMES + 3 * quantum_frames;
        WaitingAudio {
            channels: (0..channels).map(|_| vec![0.0; frames].into_boxed_slice()).collect(),
            first: 0,
            end: 0,
        }
    }

    fn append(&mut self, inputs: &[&[f32]], start: usize, frames: usize) {
        let range = self.end..self.end + frames;
        for (index, channel) in self.channels.iter_mut().enumerate() {
            match inputs.get(index) {
                Some(input) => channel[range.clone()].copy_from_slice(&input[start..start + frames]),
                None => channel[range.clone()].fill(0.0),
            }
        }
        self.end = range.end;
    }

    /// Puts silence in front of what waits.
    fn insert_silence(&mut self, frames: usize) {
        for channel in &mut self.channels {
            channel.copy_within(self.first..self.end, self.first + frames);
            channel[self.first..self.first + frames].fill(0.0);
        }
        self.end += frames;
    }

    fn read(&mut self, out: &mut [AudioBuffer]) {
        for (channel, out) in self.channels.iter().zip(out.iter_mut()) {
            let end = self.first + out.len();
            debug_assert!(end <= self.end, "input is delayed before it runs out");
            out.copy_from_slice(&channel[self.first..end]);
        }
        self.first += out.first().map_or(0, |out| out.len());
    }

    fn compact(&mut self) {
        for channel in &mut self.channels {
            channel.copy_within(self.first..self.end, 0);
        }
        self.end -= self.first;
        self.first = 0;
    }
}

/// MIDI input that no quantum has used yet, in time order.
struct WaitingMidi {
    ring: Box<[(u64, Event)]>,
    first: usize,
    len: usize,
    dropped: u64,
}

impl WaitingMidi {
    #[allow(clippy::disallowed_macros, reason = "side B")]
    fn new() -> Self {
        let ring = vec![(0, Event::Jump); MAX_EVENTS_PER_QUANTUM].into_boxed_slice();
        WaitingMidi { ring, first: 0, len: 0, dropped: 0 }
    }

    fn append(&mut self, midi: &MidiBuffer, start: u64, frames: usize, sysex: &mut SysExPool) {
        for (frame, message) in midi.iter() {
            let event = match message.first() {
                Some(0xf0) => sysex.push(message).map(Event::SysEx),
                // System messages other than SysEx concern no node.
                Some(0xf1..) | None => continue,
                Some(_) => Event::from_midi1(message),
            };
            // A device may be sloppy with the order, not we.
            let last = self.len.checked_sub(1).map_or(0, |last| self.ring[self.place(last)].0);
            let frame = (start + u64::from(frame).min(frames as u64 - 1)).max(last);
            match event {
                Some(event) if self.has_room(&event) => {
                    self.ring[self.place(self.len)] = (frame, event);
                    self.len += 1;
                }
                _ => self.dropped += 1,
            }
        }
    }

    fn place(&self, index: usize) -> usize {
        (self.first + index) % self.ring.len()
    }

    fn has_room(&self, event: &Event) -> bool {
        let reserve = if event.ends_sound() { 0 } else { NOTE_OFF_RESERVE };
        self.len + reserve < self.ring.len()
    }

    fn read(&mut self, start: u64, frames: u64, out: &mut EventBuffer) {
        while self.len > 0 {
            let (frame, event) = self.ring[self.first];
            if frame >= start + frames {
                break;
            }
            let timed = TimedEvent { time: frame.saturating_sub(start) as u32, port: 0, event };
            if out.push(timed).is_err() && event.ends_sound() {
                // It goes with the next quantum: a late note-off, not a lost one.
                break;
            }
            self.first = self.place(1);
            self.len -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUANTUM: usize = 64;

    /// Runs callbacks of the given lengths; each quantum copies its input to its output and sends its live
    /// input to the MIDI output. Input frame n has the value n + 1, and message n arrives at frame n * 50.
    fn run(sizes: impl Iterator<Item = usize>) -> (Vec<f32>, Vec<(u64, u8)>, u32) {
        let mut border = Border::new(QUANTUM, 1, 1);
        let mut sysex = SysExPool::new();
        let (mut heard, mut messages) = (vec![], vec![]);
        let mut start = 0usize;
        for frames in sizes {
            let input: Vec<f32> = (start..start + frames).map(|n| n as f32 + 1.0).collect();
            let mut output = vec![f32::NAN; frames];
            let mut midi_in = MidiBuffer::new(1000, 4000);
            for n in start.div_ceil(50)..(start + frames).div_ceil(50) {
                let bytes = [0x90, (n % 128) as u8, 1 + (n / 128 % 100) as u8];
                midi_in.push((n * 50 - start) as u32, &bytes).unwrap();
            }
            let mut midi_out = MidiBuffer::new(1000, 4000);
            let mut io = DeviceIo {
                frames,
                inputs: &[&input],
                outputs: &mut [&mut output],
                midi_in: &midi_in,
                midi_out: &mut midi_out,
            };
            border.take_input(&io, 0, frames, &mut sysex);
            let mut at = 0;
            while at < frames {
                if border.needs_quantum() {
                    border.begin_quantum();
                    border.device_out[0].copy_from_slice(&border.device_in[0]);
                    for event in border.live_in.as_slice() {
                        border.midi_out.push(*event).unwrap();
                    }
                }
                at = border.give(&mut io, at, frames, &sysex);
            }
            border.end_piece();
            border.end_callback(frames);
            messages.extend(midi_out.iter().map(|(frame, m)| (start as u64 + u64::from(frame), m[1])));
            heard.extend_from_slice(&output);
            start += frames;
        }
        (heard, messages, border.input_latency_frames())
    }

    /// Checks that input comes out `latency` frames later, without a gap, sound and MIDI alike.
    fn check(sizes: impl Iterator<Item = usize> + Clone, latency: usize) {
        let (heard, messages, reported) = run(sizes);
        assert_eq!(reported as usize, latency);
        for (frame, &sample) in heard.iter().enumerate() {
            let expected = (frame + 1).saturating_sub(latency) as f32;
            assert_eq!(sample, expected, "frame {frame}");
        }
        for (n, &(frame, key)) in messages.iter().enumerate() {
            assert_eq!((frame, key), ((n * 50 + latency) as u64, (n % 128) as u8));
        }
        assert!(messages.len() + 4 > heard.len() / 50);
    }

    #[test]
    fn periods_that_are_multiples_of_the_quantum_cost_no_latency() {
        check([64, 256, 128, 8192, 64].into_iter().cycle().take(30), 0);
    }

    #[test]
    fn any_other_period_costs_one_constant_quantum() {
        for size in [1, 7, 32, 63, 65, 100, 441, 1023, 8191] {
            check(std::iter::repeat_n(size, 40_000 / size + 2), QUANTUM);
        }
        let random = (0u64..300).map(|i| 1 + (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize);
        // The first of them must not be a multiple, so that the latency is there from the start.
        check(std::iter::once(33).chain(random), QUANTUM);
    }

    #[test]
    fn a_change_of_period_delays_input_once_and_loses_none() {
        let (heard, messages, latency) = run([256, 256, 100, 256, 64, 1, 1, 8192].into_iter());
        assert_eq!(latency as usize, QUANTUM);
        let sounding: Vec<f32> = heard.iter().copied().filter(|&s| s != 0.0).collect();
        assert!(sounding.windows(2).all(|pair| pair[1] == pair[0] + 1.0));
        assert_eq!(heard.len() - sounding.len(), QUANTUM);
        assert!(
            messages.windows(2).all(|pair| (pair[1].0 - pair[0].0) % 50 == 0 || pair[1].0 - pair[0].0 == 114)
        );
    }
}
