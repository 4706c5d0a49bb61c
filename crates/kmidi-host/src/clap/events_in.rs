//! The engine's events as CLAP events: a fixed pool, filled at each quantum.

use clack_host::events::event_types::{
    MidiEvent, MidiSysExEvent, NoteChokeEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent,
    NoteOnEvent, ParamValueEvent, TransportEvent,
};
use clack_host::events::io::InputEventBuffer;
use clack_host::events::{Event as _, Match, Pckn, UnknownEvent};
use clack_host::utils::ClapId;
use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MIDI_CHANNELS, SYSEX_POOL_BYTES};
use kmidi_core::{Event, SysExPool, TimedEvent, Transport};

use super::describe::{Dialect, Notes};
use super::params::Settable;
use super::transport::SongClock;

/// Places in the pool of a plugin without note ports: parameters and what happens to the song.
const EVENTS_WITHOUT_NOTES: usize = 1024;
/// Changes of tempo and meter, and jumps, in one quantum.
const MAX_TRANSPORTS: usize = 64;
/// Semitones of a full pitch bend, as MIDI 1 devices start up with.
const BEND_SEMITONES: f64 = 2.0;
/// Controllers that end sound.
const ALL_SOUND_OFF: u8 = 120;
const ALL_NOTES_OFF: u8 = 123;

#[derive(Clone, Copy)]
enum Slot {
    On(NoteOnEvent),
    Off(NoteOffEvent),
    Choke(NoteChokeEvent),
    Expression(NoteExpressionEvent),
    Midi(MidiEvent),
    SysEx(MidiSysExEvent),
    Parameter(ParamValueEvent),
    /// A place among the transports, which are twice as large as the rest.
    Transport(u8),
}

const _: () = assert!(size_of::<Slot>() <= 64 && MAX_TRANSPORTS <= 1 << 8);

/// The events of one quantum, in order of time. `[side A]` but [`InputPool::new`].
pub(super) struct InputPool {
    slots: Vec<Slot>,
    transports: Vec<TransportEvent>,
    sysex: Vec<u8>,
    dialects: Vec<Dialect>,
    settable: Vec<Settable>,
    /// Pitch bend of each channel of ports whose bends go as note expressions, for notes that begin later.
    bends: Vec<[i16; MIDI_CHANNELS]>,
    refused: u32,
}

// SAFETY: the pointers in it (cookies, SysEx bytes) are only handed on to the plugin, on the thread that has the pool.
unsafe impl Send for InputPool {}

impl InputPool {
    /// `[side B]`: allocates.
    pub fn new(dialects: &[Dialect], settable: &[Settable]) -> Self {
        let with_notes = !dialects.is_empty();
        let places = if with_notes { MAX_EVENTS_PER_QUANTUM } else { EVENTS_WITHOUT_NOTES };
        let sysex_bytes = if dialects.iter().any(|it| it.midi) { SYSEX_POOL_BYTES } else { 0 };
        InputPool {
            slots: touched(places, Slot::Midi(MidiEvent::new(0, 0, [0; 3]))),
            transports: touched(MAX_TRANSPORTS, SongClock::new(&Transport::default(), 1).event(0)),
            sysex: touched(sysex_bytes, 0),
            dialects: dialects.to_vec(),
            settable: settable.to_vec(),
            bends: vec![[0; MIDI_CHANNELS]; dialects.len()],
            refused: 0,
        }
    }

    /// Translates the events of a quantum, after as many restored parameters as there is room for; returns how many events
    /// had none.
    pub fn fill(
        &mut self,
        restored: &mut rtrb::Consumer<(u32, f64)>,
        events: &[TimedEvent],
        sysex: &SysExPool,
        transport: &Transport,
        sample_rate_hz: u32,
    ) -> u32 {
        self.slots.clear();
        self.transports.clear();
        self.sysex.clear();
        self.refused = 0;
        while self.slots.len() + events.len() < self.slots.capacity()
            && let Ok((id, value)) = restored.pop()
        {
            self.parameter(0, id, value);
        }
        // Where the song begins to run within the quantum, that is told there; the events that this comes with go only to those
        // whom the song itself plays.
        let first = transport.spans.first();
        let mut begins = first.filter(|span| span.offset > 0 && !transport.playing);
        if events.is_empty() && begins.is_none() {
            return 0;
        }
        let mut clock = None;
        for (at, event) in events.iter().enumerate() {
            if let Some(span) = begins.take_if(|span| span.offset <= event.time) {
                let clock = clock.get_or_insert_with(|| SongClock::new(transport, sample_rate_hz));
                self.transport(clock.start(span));
            }
            match event.event {
                Event::Parameter { id, value } => self.parameter(event.time, id, value),
                Event::Tempo(_) | Event::Meter(_) | Event::Jump => {
                    let clock = clock.get_or_insert_with(|| SongClock::new(transport, sample_rate_hz));
                    if let Some(now) = clock.follow(event.time, &event.event, &transport.spans) {
                        self.transport(now);
                    }
                }
                _ => self.at_port(event, sysex, events.len() - at),
            }
        }
        if let Some(span) = begins {
            let clock = clock.get_or_insert_with(|| SongClock::new(transport, sample_rate_hz));
            self.transport(clock.start(span));
        }
        self.refused
    }

    /// Nothing sounds any more.
    pub fn reset(&mut self) {
        self.bends.fill([0; MIDI_CHANNELS]);
    }

    fn push(&mut self, slot: Slot) {
        match self.slots.len() < self.slots.capacity() {
            true => self.slots.push(slot),
            false => self.refused += 1,
        }
    }

    /// Whether the event at hand may take a second place: none of those that come, `left` with this one, will miss it.
    fn has_room(&self, left: usize) -> bool {
        self.slots.capacity() - self.slots.len() >= left
    }

    fn parameter(&mut self, time: u32, id: u32, value: f64) {
        let Some(id) = ClapId::from_raw(id) else { return };
        let Ok(at) = self.settable.binary_search_by_key(&id, |it| it.id) else { return };
        let parameter = self.settable[at];
        let Some(value) = parameter.legal(value) else { return };
        let event = ParamValueEvent::new(time, id, Pckn::match_all(), value);
        // SAFETY: the cookie is the one that the plugin gave for this parameter at this activation.
        self.push(Slot::Parameter(unsafe { event.with_cookie(parameter.cookie) }));
    }

    fn transport(&mut self, event: TransportEvent) {
        if self.transports.len() == self.transports.capacity() {
            self.refused += 1;
            return;
        }
        self.transports.push(event);
        self.push(Slot::Transport((self.transports.len() - 1) as u8));
    }

    /// What goes to a note port; `left` events, this one included, still need a place.
    fn at_port(&mut self, event: &TimedEvent, sysex: &SysExPool, left: usize) {
        let Some(dialect) = self.dialects.get(usize::from(event.port)).copied() else { return };
        if let Event::SysEx(handle) = event.event {
            if dialect.midi
                && let Some(message) = sysex.get(handle)
            {
                self.sysex(event.time, event.port, message);
            }
            return;
        }
        let as_clap = dialect.notes == Notes::Clap && self.clap(event, dialect.midi, left);
        if !as_clap
            && dialect.midi
            && let mut bytes = [0; 3]
            && event.event.to_midi1(&mut bytes).is_some()
        {
            self.push(Slot::Midi(MidiEvent::new(event.time, event.port, bytes)));
        }
    }

    /// The event in CLAP's own words; whether it is thereby said.
    fn clap(&mut self, event: &TimedEvent, midi: bool, left: usize) -> bool {
        let (time, port) = (event.time, event.port);
        let of_key = |channel: u8, key: u8| Pckn::new(port, channel, key, Match::All);
        let of_channel = |channel: u8| Pckn::new(port, channel, Match::All, Match::All);
        let expression =
            |pckn, kind, value| Slot::Expression(NoteExpressionEvent::new(time, pckn, kind, value));
        match event.event {
            Event::NoteOn { channel, key, velocity } => {
                self.push(Slot::On(NoteOnEvent::new(time, of_key(channel, key), velocity.into())));
                let bend = self.bends[usize::from(port)][usize::from(channel & 15)];
                if bend != 0 && self.has_room(left) {
                    self.push(expression(of_key(channel, key), NoteExpressionType::Tuning, semitones(bend)));
                }
            }
            Event::NoteOff { channel, key, velocity } => {
                self.push(Slot::Off(NoteOffEvent::new(time, of_key(channel, key), velocity.into())));
            }
            Event::PolyPressure { channel, key, pressure } => {
                let value = f64::from(pressure) / 127.0;
                self.push(expression(of_key(channel, key), NoteExpressionType::Pressure, value));
            }
            Event::ChannelPressure { channel, pressure } if !midi => {
                let value = f64::from(pressure) / 127.0;
                self.push(expression(of_channel(channel), NoteExpressionType::Pressure, value));
            }
            Event::PitchBend { channel, value } if !midi => {
                self.bends[usize::from(port)][usize::from(channel & 15)] = value;
                self.push(expression(of_channel(channel), NoteExpressionType::Tuning, semitones(value)));
            }
            // Notes that began as CLAP notes end as such; a port that knows MIDI hears it in both ways, for not every plugin
            // knows a choke of all keys.
            Event::ControlChange { channel, controller: ALL_SOUND_OFF, .. } => {
                self.push(Slot::Choke(NoteChokeEvent::new(time, of_channel(channel))));
                return !(midi && self.has_room(left));
            }
            Event::ControlChange { channel, controller: ALL_NOTES_OFF, .. } => {
                self.push(Slot::Off(NoteOffEvent::new(time, of_channel(channel), 0.0)));
                return !(midi && self.has_room(left));
            }
            _ => return false,
        }
        true
    }

    fn sysex(&mut self, time: u32, port: u16, message: &[u8]) {
        let (start, len) = (self.sysex.len(), message.len());
        if self.sysex.capacity() - start < len || self.slots.len() == self.slots.capacity() {
            self.refused += 1;
            return;
        }
        self.sysex.extend_from_slice(message);
        // SAFETY: the bytes stay where they are until the next `fill`: the vector does not grow over its capacity.
        let event = unsafe { MidiSysExEvent::new(time, port, &self.sysex[start..]) };
        self.push(Slot::SysEx(event));
    }
}

/// An empty vector whose memory is there already: no page of it is missing on side A.
fn touched<T: Clone>(places: usize, value: T) -> Vec<T> {
    let mut vec = Vec::with_capacity(places);
    vec.resize(places, value);
    vec.clear();
    vec
}

fn semitones(bend: i16) -> f64 {
    f64::from(bend) / 8192.0 * BEND_SEMITONES
}

impl InputEventBuffer for InputPool {
    fn len(&self) -> u32 {
        self.slots.len() as u32
    }

    fn get(&self, index: u32) -> Option<&UnknownEvent> {
        Some(match self.slots.get(index as usize)? {
            Slot::On(event) => event.as_unknown(),
            Slot::Off(event) => event.as_unknown(),
            Slot::Choke(event) => event.as_unknown(),
            Slot::Expression(event) => event.as_unknown(),
            Slot::Midi(event) => event.as_unknown(),
            Slot::SysEx(event) => event.as_unknown(),
            Slot::Parameter(event) => event.as_unknown(),
            Slot::Transport(at) => self.transports.as_slice().get(usize::from(*at))?.as_unknown(),
        })
    }
}
