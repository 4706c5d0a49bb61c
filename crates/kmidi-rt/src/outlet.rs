use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MAX_MIDI_PORTS, MIDI_CHANNELS};
use kmidi_core::{Event, EventBuffer, SysExPool, TimedEvent};

use crate::border::all_sound_off;
use crate::notes::{ALL_CHANNELS, ChannelMasks, NoteLedger};
use crate::told::Told;

/// Controllers that hold notes: sustain, sostenuto, hold 2.
const PEDALS: [u8; 3] = [64, 66, 69];
/// At and above this a pedal is down.
const PEDAL_DOWN: u8 = 64;

#[derive(Clone, Copy, Default)]
struct Pedal {
    /// What the song asks for.
    wanted: u8,
    /// What was sent last.
    sent: u8,
}

/// What the sequencer has sent, and so what it owes: every note its note-off, every pedal its
/// lifting. Muting and transposition happen here, because they change what is owed. `[side A]`
///
/// Note-offs and pedals that find their buffer full stay owed and are sent with the next quantum.
pub(crate) struct Outlet {
    /// One per MIDI port, for the current quantum.
    pub buffers: Box<[EventBuffer]>,
    /// What was sent to each, for who begins to listen.
    pub told: Box<[Told]>,
    notes: NoteLedger,
    muted: ChannelMasks,
    semitones: i8,
    transposed: ChannelMasks,
    pedals: [[[Pedal; PEDALS.len()]; MIDI_CHANNELS]; MAX_MIDI_PORTS],
    pedals_lifted: bool,
    /// A pedal may have to be sent.
    pedals_owed: bool,
    /// Channels whose notes must end.
    release: ChannelMasks,
    dropped: u64,
    /// Notes that transposition moved beyond keys 0 to 127.
    off_the_keyboard: u64,
}

impl Outlet {
    /// `[side B]`
    pub fn new() -> Self {
        Outlet {
            buffers: (0..MAX_MIDI_PORTS)
                .map(|_| EventBuffer::with_capacity(MAX_EVENTS_PER_QUANTUM))
                .collect(),
            told: (0..MAX_MIDI_PORTS).map(|_| Told::nothing()).collect(),
            notes: NoteLedger::new(),
            muted: [0; MAX_MIDI_PORTS],
            semitones: 0,
            transposed: [0; MAX_MIDI_PORTS],
            pedals: Default::default(),
            pedals_lifted: false,
            pedals_owed: false,
            release: [0; MAX_MIDI_PORTS],
            dropped: 0,
            off_the_keyboard: 0,
        }
    }

    /// Events that had no room or no valid port.
    pub fn off_the_keyboard(&self) -> u64 {
        self.off_the_keyboard
    }

    pub fn dropped(&self) -> u64 {
        self.dropped + self.buffers.iter().map(EventBuffer::dropped).sum::<u64>()
    }

    /// Note-offs owed.
    pub fn owed(&self) -> u32 {
        self.notes.owed()
    }

    /// Ends, at the next [`Outlet::settle`], all notes.
    pub fn release_all(&mut self) {
        self.release = ALL_CHANNELS;
    }

    /// Notes of these channels are not sent; those that sound there end.
    pub fn mute(&mut self, port: u8, channels: u16) {
        if let Some(muted) = self.muted.get_mut(usize::from(port)) {
            self.release[usize::from(port)] |= channels & !*muted;
            *muted = channels;
        }
    }

    /// New notes of `channels` are sent `semitones` higher; sounding ones end where they began.
    pub fn transpose(&mut self, semitones: i8, channels: ChannelMasks) {
        self.semitones = semitones;
        self.transposed = channels;
    }

    /// Whether all pedals are up for now, whatever the song asks for (while paused).
    pub fn lift_pedals(&mut self, lifted: bool) {
        self.pedals_owed |= self.pedals_lifted != lifted;
        self.pedals_lifted = lifted;
    }

    /// Starts a quantum: its buffers are empty.
    pub fn clear(&mut self) {
        self.buffers.iter_mut().for_each(EventBuffer::clear);
    }

    /// Sends what is owed: the note-offs of released channels, and pedals.
    pub fn settle(&mut self, time: u32) {
        if self.release != [0; MAX_MIDI_PORTS] {
            let buffers = &mut self.buffers;
            let settled = self.notes.settle(&self.release, |port, channel, key| {
                push(&mut buffers[port], time, Event::NoteOff { channel, key, velocity: 0.5 })
            });
            if settled {
                self.release = [0; MAX_MIDI_PORTS];
            }
        }
        if self.pedals_owed {
            self.pedals_owed = !self.settle_pedals(time);
        }
    }

    fn settle_pedals(&mut self, time: u32) -> bool {
        let mut settled = true;
        let ports = self.buffers.iter_mut().zip(&mut self.told).zip(&mut self.pedals);
        for ((buffer, told), channels) in ports {
            for (channel, pedals) in (0u8..).zip(channels) {
                for (pedal, controller) in pedals.iter_mut().zip(PEDALS) {
                    let value = if self.pedals_lifted { 0 } else { pedal.wanted };
                    if pedal.sent.max(value) < PEDAL_DOWN || pedal.sent == value {
                        continue;
                    }
                    let event = Event::ControlChange { channel, controller, value };
                    if push(buffer, time, event) {
                        told.take(&event);
                        pedal.sent = value;
                    } else {
                        settled = false;
                    }
                }
            }
        }
        settled
    }

    /// Sends one event of the song.
    pub fn send(&mut self, time: u32, port: u8, event: Event) {
        let port = usize::from(port);
        if port >= self.buffers.len() {
            self.dropped += 1;
            return;
        }
        match event {
            Event::NoteOn { channel, key, velocity } => self.note_on(time, port, channel, key, velocity),
            Event::NoteOff { channel, key, velocity } => {
                // Not owed: its note-on came before a seek, or was muted. Sending it could end
                // somebody else's note.
                if let Some(sent_key) = self.notes.sent_key(port, channel, key) {
                    let off = Event::NoteOff { channel, key: sent_key, velocity };
                    if push(&mut self.buffers[port], time, off) {
                        self.notes.remove(port, channel, key);
                    } else {
                        self.release[port] |= 1 << (channel & 15);
                    }
                }
            }
            Event::PolyPressure { channel, key, pressure } => {
                let sent_key =
                    self.notes.sent_key(port, channel, key).or(self.transposed_key(port, channel, key));
                if let Some(key) = sent_key {
                    push(&mut self.buffers[port], time, Event::PolyPressure { channel, key, pressure });
                }
            }
            Event::ControlChange { channel, controller, value } => {
                self.control_change(time, port, channel, controller, value);
            }
            event => {
                if push(&mut self.buffers[port], time, event) {
                    self.told[port].take(&event);
                }
            }
        }
    }

    fn transposed_key(&self, port: usize, channel: u8, key: u8) -> Option<u8> {
        if self.transposed[port] & (1 << (channel & 15)) == 0 {
            return Some(key);
        }
        key.checked_add_signed(self.semitones).filter(|&key| key < 128)
    }

    fn note_on(&mut self, time: u32, port: usize, channel: u8, key: u8, velocity: f32) {
        if self.muted[port] & (1 << (channel & 15)) != 0 {
            return;
        }
        let Some(new_key) = self.transposed_key(port, channel, key) else {
            self.off_the_keyboard += 1;
            return;
        };
        // The ledger knows one sounding key per written key: end the older one first.
        while let Some(old_key) = self.notes.sent_key(port, channel, key).filter(|&old| old != new_key) {
            let off = Event::NoteOff { channel, key: old_key, velocity: 0.5 };
            if !push(&mut self.buffers[port], time, off) {
                self.release[port] |= 1 << (channel & 15);
                return;
            }
            self.notes.remove(port, channel, key);
        }
        if !self.notes.has_room(port, channel, key) {
            self.dropped += 1;
        } else if push(&mut self.buffers[port], time, Event::NoteOn { channel, key: new_key, velocity }) {
            self.notes.add(port, channel, key, new_key);
        }
    }

    fn control_change(&mut self, time: u32, port: usize, channel: u8, controller: u8, value: u8) {
        const RESET_ALL_CONTROLLERS: u8 = 121;
        let pedals = &mut self.pedals[port][usize::from(channel & 15)];
        let pedal = PEDALS.iter().position(|&c| c == controller);
        if let Some(at) = pedal {
            pedals[at].wanted = value;
            if self.pedals_lifted {
                return;
            }
        }
        let event = Event::ControlChange { channel, controller, value };
        if push(&mut self.buffers[port], time, event) {
            self.told[port].take(&event);
            match pedal {
                Some(at) => pedals[at].sent = value,
                None if controller == RESET_ALL_CONTROLLERS => *pedals = Default::default(),
                None => {}
            }
        } else if pedal.is_some() {
            self.pedals_owed = true;
        }
    }

    /// Sends a SysEx message of the song.
    pub fn send_sysex(&mut self, time: u32, port: u8, bytes: &[u8], pool: &mut SysExPool) {
        match pool.push(bytes) {
            Some(handle) => self.send(time, port, Event::SysEx(handle)),
            None => self.dropped += 1,
        }
        let at = usize::from(port);
        if is_mode_reset(bytes)
            && let (Some(channels), Some(told)) = (self.pedals.get_mut(at), self.told.get_mut(at))
        {
            *channels = Default::default();
            told.forget();
        }
    }

    /// Sends an event that concerns no channel to every port.
    pub fn broadcast(&mut self, time: u32, event: Event) {
        for buffer in &mut self.buffers {
            push(buffer, time, event);
        }
    }

    /// Ends all sound on every channel of every port, also what was not sent from here.
    pub fn all_sound_off(&mut self) {
        self.release_all();
        for buffer in &mut self.buffers {
            all_sound_off().for_each(|event| {
                push(buffer, 0, event);
            });
        }
    }
}

fn push(buffer: &mut EventBuffer, time: u32, event: Event) -> bool {
    buffer.push(TimedEvent { time, port: 0, event }).is_ok()
}

/// Whether a SysEx message resets a synthesiser (GM, GM2, GS, XG), its pedals included.
fn is_mode_reset(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xf0, 0x7e, _, 0x09, 1 | 3, ..]
            | [0xf0, 0x41, _, 0x42, 0x12, 0x40, 0x00, 0x7f, ..]
            | [0xf0, 0x43, _, 0x4c, 0x00, 0x00, 0x7e, ..]
    )
}
