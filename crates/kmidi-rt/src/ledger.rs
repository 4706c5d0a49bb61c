use kmidi_core::Event;
use kmidi_core::limits::{MIDI_CHANNELS, MIDI_KEYS};

/// What has gone over one event edge and still sounds: when the edge goes, its receiver is owed
/// exactly these note-offs and pedals. `[side A]`
pub(crate) struct EdgeLedger {
    /// Note-ons without note-off, by channel and key.
    notes: Box<[u8]>,
    owed: u32,
    /// Channels whose sustain, sostenuto or hold pedal is down.
    pedals: [u16; 3],
}

const PEDALS: [u8; 3] = [64, 66, 69];

impl EdgeLedger {
    /// `[side B]`
    #[allow(clippy::disallowed_macros, reason = "side B")]
    pub fn new() -> Self {
        EdgeLedger { notes: vec![0; MIDI_CHANNELS * MIDI_KEYS].into_boxed_slice(), owed: 0, pedals: [0; 3] }
    }

    /// Notes an event that has been delivered.
    pub fn record(&mut self, event: &Event) {
        match *event {
            Event::NoteOn { channel, key, .. } => {
                let count = &mut self.notes[index(channel, key)];
                if *count < u8::MAX {
                    *count += 1;
                    self.owed += 1;
                }
            }
            Event::NoteOff { channel, key, .. } => {
                let count = &mut self.notes[index(channel, key)];
                if *count > 0 {
                    *count -= 1;
                    self.owed -= 1;
                }
            }
            Event::ControlChange { channel, controller, value } => {
                let channel_bit = 1 << (channel & 15);
                if let Some(pedal) = PEDALS.iter().position(|&c| c == controller) {
                    self.pedals[pedal] &= !channel_bit;
                    self.pedals[pedal] |= if value >= 64 { channel_bit } else { 0 };
                } else if controller == 121 {
                    self.pedals.iter_mut().for_each(|pedal| *pedal &= !channel_bit);
                }
            }
            _ => {}
        }
    }

    /// Calls `send` with everything owed and forgets it.
    pub fn settle(&mut self, mut send: impl FnMut(Event)) {
        for channel in 0..MIDI_CHANNELS as u8 {
            for (pedal, controller) in self.pedals.iter().zip(PEDALS) {
                if pedal & (1 << channel) != 0 {
                    send(Event::ControlChange { channel, controller, value: 0 });
                }
            }
        }
        self.pedals = [0; 3];
        for at in 0..self.notes.len() {
            if self.owed == 0 {
                return;
            }
            let count = std::mem::take(&mut self.notes[at]);
            self.owed -= u32::from(count);
            for _ in 0..count {
                let (channel, key) = ((at / MIDI_KEYS) as u8, (at % MIDI_KEYS) as u8);
                send(Event::NoteOff { channel, key, velocity: 0.5 });
            }
        }
    }
}

fn index(channel: u8, key: u8) -> usize {
    usize::from(channel & 15) * MIDI_KEYS + usize::from(key & 127)
}
