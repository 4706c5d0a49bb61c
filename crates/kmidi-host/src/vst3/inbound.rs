//! Events of the graph as a plugin gets them. All `[side A]` except what makes it.

use std::sync::Arc;

use ::vst3::ComWrapper;
use ::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kDataEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use ::vst3::Steinberg::Vst::{DataEvent, Event__type0, NoteOffEvent, NoteOnEvent, PolyPressureEvent};
use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, MIDI_CHANNELS};
use kmidi_core::{Event, SysExPool, TimedEvent};

use super::changes::Changes;
use super::event_list::{BLANK, EventList};
use super::exchange::{Exchange, normalised};
use super::midi_map::{CHANNEL_PRESSURE, MidiMap, PITCH_BEND};

/// Ends every sound on the channel.
const ALL_SOUND_OFF: u8 = 120;
/// Lets every note of the channel go.
const ALL_NOTES_OFF: u8 = 123;

/// The keys that sound on an event input: a bit for each key of each channel.
type HeldKeys = [u128; MIDI_CHANNELS];

/// What goes into the plugin.
pub struct Inbound {
    pub events: ComWrapper<EventList>,
    pub changes: ComWrapper<Changes>,
    exchange: Arc<Exchange>,
    midi: Arc<MidiMap>,
    /// For each event input.
    held: Box<[HeldKeys]>,
    lets_go: bool,
}

impl Inbound {
    /// For a plugin with so many event inputs. `[side B]`
    pub fn new(event_inputs: usize, exchange: Arc<Exchange>, midi: Arc<MidiMap>) -> Self {
        let room = if event_inputs > 0 { MAX_EVENTS_PER_QUANTUM } else { 0 };
        Inbound {
            events: ComWrapper::new(EventList::new(room, 0)),
            changes: ComWrapper::new(Changes::new()),
            exchange,
            midi,
            held: vec![[0; MIDI_CHANNELS]; event_inputs].into_boxed_slice(),
            lets_go: false,
        }
    }

    /// Translates the events of a quantum, and what the plugin's controller and the main half have changed since the
    /// last. What it points to in the pool of SysEx is valid until that is written to.
    pub fn translate(&mut self, events: &[TimedEvent], sysex: &SysExPool, frames: u32) {
        self.events.clear();
        self.changes.clear();
        let Inbound { changes, exchange, .. } = self;
        exchange.to_processor.take(|place| {
            // What has no room now is given with the next quantum.
            if !changes.add(exchange.id(place), 0, exchange.value(place)) {
                exchange.to_processor.set(place);
            }
        });
        if std::mem::take(&mut self.lets_go) {
            for bus in 0..self.held.len() {
                (0..MIDI_CHANNELS as u8).for_each(|channel| self.all_notes_off(bus, 0, channel));
            }
        }
        for event in events {
            self.translate_one(event, sysex, event.time.min(frames - 1));
        }
    }

    fn translate_one(&mut self, timed: &TimedEvent, sysex: &SysExPool, time: u32) {
        let bus = usize::from(timed.port);
        match timed.event {
            Event::NoteOn { channel, key, velocity } => self.note_on(bus, time, channel, key, velocity),
            Event::NoteOff { channel, key, velocity } => self.note_off(bus, time, channel, key, velocity),
            Event::PolyPressure { channel, key, pressure } => {
                let (channel, pitch, pressure) = (channel.into(), key.into(), f32::from(pressure) / 127.0);
                let poly_pressure = PolyPressureEvent { channel, pitch, pressure, noteId: -1 };
                self.push(bus, time, kPolyPressureEvent, Event__type0 { polyPressure: poly_pressure });
            }
            Event::ControlChange { channel, controller, value } => {
                let is_mapped =
                    self.controller(bus, time, channel, controller.into(), f64::from(value) / 127.0);
                if !is_mapped && matches!(controller, ALL_SOUND_OFF | ALL_NOTES_OFF..) {
                    self.all_notes_off(bus, time, channel);
                }
            }
            Event::ChannelPressure { channel, pressure } => {
                self.controller(bus, time, channel, CHANNEL_PRESSURE, f64::from(pressure) / 127.0);
            }
            Event::PitchBend { channel, value } => {
                let value = f64::from(i32::from(value) + 8192) / 16383.0;
                self.controller(bus, time, channel, PITCH_BEND, value);
            }
            Event::ProgramChange { channel, program } => {
                if let Some((id, value)) = self.midi.program(bus, channel, program) {
                    self.change(id, time, value);
                }
            }
            Event::SysEx(handle) => {
                if let Some(bytes) = sysex.get(handle) {
                    let data = DataEvent { size: bytes.len() as u32, r#type: 0, bytes: bytes.as_ptr() };
                    self.push(bus, time, kDataEvent, Event__type0 { data });
                }
            }
            Event::Parameter { id, value } => {
                let Some(place) = self.exchange.place(id) else { return };
                if let Some(value) = self.exchange.range(place).normalised(value) {
                    self.change_at(place, time, value);
                }
            }
            // The context of the quantum tells these.
            Event::Tempo(_) | Event::Meter(_) | Event::Jump => {}
        }
    }

    fn note_on(&mut self, bus: usize, time: u32, channel: u8, key: u8, velocity: f32) {
        self.hold(bus, channel, key, true);
        let (channel, pitch) = (channel.into(), key.into());
        let note_on = NoteOnEvent { channel, pitch, tuning: 0.0, velocity, length: 0, noteId: -1 };
        self.push(bus, time, kNoteOnEvent, Event__type0 { noteOn: note_on });
    }

    fn note_off(&mut self, bus: usize, time: u32, channel: u8, key: u8, velocity: f32) {
        self.hold(bus, channel, key, false);
        let (channel, pitch) = (channel.into(), key.into());
        let note_off = NoteOffEvent { channel, pitch, velocity, noteId: -1, tuning: 0.0 };
        self.push(bus, time, kNoteOffEvent, Event__type0 { noteOff: note_off });
    }

    /// Lets every note go at the start of the next quantum.
    pub fn let_go(&mut self) {
        self.lets_go = true;
    }

    fn hold(&mut self, bus: usize, channel: u8, key: u8, on: bool) {
        let Some(keys) = self.held.get_mut(bus).and_then(|it| it.get_mut(usize::from(channel))) else {
            return;
        };
        let bit = 1u128 << (key & 127);
        *keys = if on { *keys | bit } else { *keys & !bit };
    }

    /// VST3 has no such message, so that each note is let go that has been given.
    fn all_notes_off(&mut self, bus: usize, time: u32, channel: u8) {
        let Some(mut keys) = self.held.get(bus).and_then(|it| it.get(usize::from(channel))).copied() else {
            return;
        };
        while keys != 0 {
            self.note_off(bus, time, channel, keys.trailing_zeros() as u8, 0.0);
            keys &= keys - 1;
        }
    }

    fn push(&self, bus: usize, time: u32, kind: u32, content: Event__type0) {
        if bus < self.held.len() {
            let event = ::vst3::Steinberg::Vst::Event {
                busIndex: bus as i32,
                sampleOffset: time as i32,
                r#type: kind as u16,
                __field0: content,
                ..BLANK
            };
            self.events.push(event);
        }
    }

    /// Moves the parameter that a controller of MIDI moves; says whether there is one.
    fn controller(&self, bus: usize, time: u32, channel: u8, controller: usize, value: f64) -> bool {
        let id = self.midi.parameter(bus, channel, controller);
        if let Some(id) = id {
            self.change(id, time, value);
        }
        id.is_some()
    }

    /// Gives a parameter a value as VST3 has them.
    fn change(&self, id: u32, time: u32, value: f64) {
        if let (Some(place), Some(value)) = (self.exchange.place(id), normalised(value)) {
            self.change_at(place, time, value);
        }
    }

    fn change_at(&self, place: usize, time: u32, value: f64) {
        self.changes.add(self.exchange.id(place), time, value);
        self.exchange.store(place, value);
        self.exchange.to_controller.set(place);
    }
}
