use crate::limits::NOTE_OFF_RESERVE;
use crate::sysex::SysExHandle;
use crate::tempo::{Meter, Tempo};

/// What can happen to a node at a frame. Channel numbers are 0..=15, keys and controllers 0..=127.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields are named by the terms of the MIDI specification")]
pub enum Event {
    /// `velocity` in (0, 1]: MIDI velocity / 127.
    NoteOn {
        channel: u8,
        key: u8,
        velocity: f32,
    },
    /// `velocity` in [0, 1]: release velocity.
    NoteOff {
        channel: u8,
        key: u8,
        velocity: f32,
    },
    PolyPressure {
        channel: u8,
        key: u8,
        pressure: u8,
    },
    ControlChange {
        channel: u8,
        controller: u8,
        value: u8,
    },
    ProgramChange {
        channel: u8,
        program: u8,
    },
    ChannelPressure {
        channel: u8,
        pressure: u8,
    },
    /// -8192..=8191, 0 is centre.
    PitchBend {
        channel: u8,
        value: i16,
    },
    /// A complete message from `F0` to `F7`.
    SysEx(SysExHandle),
    /// A parameter of the node itself; id and range are the node's own.
    Parameter {
        id: u32,
        value: f64,
    },
    /// Tempo in force from this frame on (already scaled).
    Tempo(Tempo),
    /// Meter in force from this frame on.
    Meter(Meter),
    /// Song time jumps at this frame (loop or seek): nodes that follow the song re-synchronise.
    Jump,
}

impl Event {
    /// A note-on from MIDI 1 bytes; velocity 0 is a note-off, as the specification has it.
    pub fn note_on(channel: u8, key: u8, velocity: u8) -> Self {
        if velocity == 0 {
            return Event::NoteOff { channel, key, velocity: 64.0 / 127.0 };
        }
        Event::NoteOn { channel, key, velocity: f32::from(velocity) / 127.0 }
    }

    /// A note-off from MIDI 1 bytes.
    pub fn note_off(channel: u8, key: u8, velocity: u8) -> Self {
        Event::NoteOff { channel, key, velocity: f32::from(velocity) / 127.0 }
    }

    /// Reads one channel message of MIDI 1 (status byte and its data bytes); `None` for any other.
    pub fn from_midi1(bytes: &[u8]) -> Option<Self> {
        let (&status, data) = bytes.split_first()?;
        let channel = status & 0x0f;
        let one = *data.first()?;
        let two = data.get(1).copied();
        if one > 127 || two.is_some_and(|b| b > 127) {
            return None;
        }
        Some(match status & 0xf0 {
            0x80 => Event::note_off(channel, one, two?),
            0x90 => Event::note_on(channel, one, two?),
            0xa0 => Event::PolyPressure { channel, key: one, pressure: two? },
            0xb0 => Event::ControlChange { channel, controller: one, value: two? },
            0xc0 => Event::ProgramChange { channel, program: one },
            0xd0 => Event::ChannelPressure { channel, pressure: one },
            0xe0 => Event::PitchBend { channel, value: i16::from(one) + (i16::from(two?) << 7) - 8192 },
            _ => return None,
        })
    }

    /// Writes a channel message as MIDI 1; returns the bytes used (2 or 3), or `None` if this is
    /// not a channel message. `[side A]` `[side B]`
    pub fn to_midi1(self, out: &mut [u8; 3]) -> Option<usize> {
        let seven_bits = |unit: f32| (unit.clamp(0.0, 1.0) * 127.0).round() as u8;
        let (bytes, len) = match self {
            Event::NoteOff { channel, key, velocity } => ([0x80 | channel, key, seven_bits(velocity)], 3),
            Event::NoteOn { channel, key, velocity } => {
                ([0x90 | channel, key, seven_bits(velocity).max(1)], 3)
            }
            Event::PolyPressure { channel, key, pressure } => ([0xa0 | channel, key, pressure], 3),
            Event::ControlChange { channel, controller, value } => ([0xb0 | channel, controller, value], 3),
            Event::ProgramChange { channel, program } => ([0xc0 | channel, program, 0], 2),
            Event::ChannelPressure { channel, pressure } => ([0xd0 | channel, pressure, 0], 2),
            Event::PitchBend { channel, value } => {
                let raw = (i32::from(value) + 8192).clamp(0, 16383);
                ([0xe0 | channel, (raw & 127) as u8, (raw >> 7) as u8], 3)
            }
            _ => return None,
        };
        *out = bytes;
        Some(len)
    }

    /// The MIDI channel that it concerns, 0 to 15; `None` if it concerns none. `[side A]` `[side B]`
    pub fn channel(&self) -> Option<u8> {
        match *self {
            Event::NoteOn { channel, .. }
            | Event::NoteOff { channel, .. }
            | Event::PolyPressure { channel, .. }
            | Event::ControlChange { channel, .. }
            | Event::ProgramChange { channel, .. }
            | Event::ChannelPressure { channel, .. }
            | Event::PitchBend { channel, .. } => Some(channel & 15),
            Event::SysEx(_) | Event::Parameter { .. } | Event::Tempo(_) | Event::Meter(_) | Event::Jump => {
                None
            }
        }
    }

    /// Whether this may use the room that is kept back for what ends sound (note-offs, pedals,
    /// all-notes-off): dropping it could leave a note hanging.
    pub fn ends_sound(&self) -> bool {
        match self {
            Event::NoteOff { .. } => true,
            Event::ControlChange { controller, value, .. } => {
                (matches!(controller, 64 | 66 | 69) && *value < 64) || *controller >= 120
            }
            _ => false,
        }
    }
}

/// An event and when it happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedEvent {
    /// Frame inside this quantum.
    pub time: u32,
    /// Event port of the node that receives (or sends) it.
    pub port: u16,
    /// What happens.
    pub event: Event,
}

const _: () = assert!(size_of::<TimedEvent>() <= 24);

/// The buffer had no room; the event was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event buffer is full")]
pub struct Full;

/// A fixed-size list of events in time order. `[side A]` except [`EventBuffer::with_capacity`].
///
/// The last [`NOTE_OFF_RESERVE`] places (or a quarter of a small buffer) take only events that
/// [end sound](Event::ends_sound).
pub struct EventBuffer {
    events: Box<[TimedEvent]>,
    len: usize,
    dropped: u64,
}

impl EventBuffer {
    /// A buffer for at most `capacity` events. `[side B]`: allocates.
    pub fn with_capacity(capacity: usize) -> Self {
        let unused = TimedEvent { time: 0, port: 0, event: Event::Jump };
        EventBuffer { events: vec![unused; capacity].into_boxed_slice(), len: 0, dropped: 0 }
    }

    /// Adds an event after all events of the same or an earlier time. In-order pushes are O(1).
    ///
    /// # Errors
    /// [`Full`]; the drop is counted in [`EventBuffer::dropped`].
    pub fn push(&mut self, event: TimedEvent) -> Result<(), Full> {
        let reserve = NOTE_OFF_RESERVE.min(self.events.len() / 4);
        let room = if event.event.ends_sound() { self.events.len() } else { self.events.len() - reserve };
        if self.len >= room {
            self.dropped += 1;
            return Err(Full);
        }
        let mut at = self.len;
        while at > 0 && self.events[at - 1].time > event.time {
            self.events[at] = self.events[at - 1];
            at -= 1;
        }
        self.events[at] = event;
        self.len += 1;
        Ok(())
    }

    /// Forgets all events; the drop count stays.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The events in time order.
    pub fn as_slice(&self) -> &[TimedEvent] {
        &self.events[..self.len]
    }

    /// Events refused since the buffer was made.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Events the buffer can hold.
    pub fn capacity(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: u32, key: u8) -> TimedEvent {
        TimedEvent { time, port: 0, event: Event::note_on(0, key, 100) }
    }

    #[test]
    fn equal_times_keep_their_order_and_late_comers_are_sorted_in() {
        let mut buffer = EventBuffer::with_capacity(8);
        for (time, key) in [(0, 1), (5, 2), (5, 3), (2, 4), (5, 5)] {
            buffer.push(at(time, key)).unwrap();
        }
        let keys: Vec<_> = buffer
            .as_slice()
            .iter()
            .map(|e| match e.event {
                Event::NoteOn { key, .. } => key,
                _ => 0,
            })
            .collect();
        assert_eq!(keys, [1, 4, 2, 3, 5]);
    }

    #[test]
    fn a_flood_of_notes_leaves_room_for_the_note_offs() {
        let mut buffer = EventBuffer::with_capacity(16);
        let taken = (0..100).filter(|&i| buffer.push(at(0, i)).is_ok()).count();
        assert_eq!((taken, buffer.dropped()), (12, 88));
        for key in 0..4 {
            buffer.push(TimedEvent { time: 1, port: 0, event: Event::note_off(0, key, 0) }).unwrap();
        }
        assert_eq!(buffer.push(TimedEvent { time: 1, port: 0, event: Event::note_off(0, 9, 0) }), Err(Full));
    }

    #[test]
    fn every_channel_message_survives_a_round_trip() {
        for status in 0x80..0xf0u8 {
            for (a, b) in [(0, 0), (1, 127), (60, 64), (127, 1)] {
                let bytes = [status, a, b];
                let event = Event::from_midi1(&bytes).unwrap();
                let mut out = [0; 3];
                let len = event.to_midi1(&mut out).unwrap();
                if status & 0xf0 == 0x90 && b == 0 {
                    assert_eq!(out, [status & 0x8f, a, 64]);
                } else {
                    assert_eq!(out[..len], bytes[..len]);
                }
            }
        }
        assert_eq!(Event::from_midi1(&[0x90, 200, 1]), None);
        assert_eq!(Event::from_midi1(&[0xf8]), None);
        assert_eq!(Event::from_midi1(&[]), None);
    }
}
