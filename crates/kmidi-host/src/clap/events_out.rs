//! What the plugin sends: to the engine's event buffer, and parameters to the main half.
//!
//! Written against the raw interface: the pointer, the size and every number in an event are the plugin's.

use std::ffi::c_void;

use clap_sys::events::*;
use kmidi_core::limits::{MAX_SYSEX_BYTES, MIDI_CHANNELS};
use kmidi_core::{Event, EventBuffer, SysExPool, TimedEvent};

use super::host::Common;
use crate::Told;

/// Where events of one call go. `[side A]`
pub(super) struct Sink<'a> {
    pub common: &'a Common,
    /// The engine's buffer; none where only parameters are taken.
    pub notes: Option<(&'a mut EventBuffer, &'a mut SysExPool)>,
    /// Note ports that the plugin has.
    pub ports: u16,
    /// Frames of the quantum: a later event is one of the last frame.
    pub frames: u32,
}

impl Sink<'_> {
    /// The list for the plugin, valid while `self` is borrowed.
    pub fn raw(&mut self) -> clap_output_events {
        clap_output_events { ctx: std::ptr::from_mut(self).cast::<c_void>(), try_push: Some(try_push) }
    }

    /// Takes an event; false if there was no room.
    ///
    /// # Safety
    /// A header can be read there, and as many bytes as it says.
    unsafe fn push(&mut self, event: *const clap_event_header) -> bool {
        // SAFETY: a header can be read there (contract).
        let header = unsafe { &*event };
        if header.space_id != CLAP_CORE_EVENT_SPACE_ID {
            return true;
        }
        // SAFETY: each cast is to what the type says it is, and looks at the size first (contract).
        unsafe {
            match header.type_ {
                CLAP_EVENT_NOTE_ON | CLAP_EVENT_NOTE_OFF | CLAP_EVENT_NOTE_CHOKE => {
                    cast::<clap_event_note>(event).is_none_or(|note| self.note(note))
                }
                CLAP_EVENT_NOTE_EXPRESSION => {
                    cast::<clap_event_note_expression>(event).is_none_or(|it| self.expression(it))
                }
                CLAP_EVENT_PARAM_VALUE => {
                    cast::<clap_event_param_value>(event).is_none_or(|it| self.parameter(it))
                }
                CLAP_EVENT_MIDI => cast::<clap_event_midi>(event).is_none_or(|it| {
                    let event = Event::from_midi1(&it.data);
                    event.is_none_or(|event| self.send(header.time, i32::from(it.port_index), event))
                }),
                CLAP_EVENT_MIDI_SYSEX => cast::<clap_event_midi_sysex>(event).is_none_or(|it| self.sysex(it)),
                _ => true,
            }
        }
    }

    fn send(&mut self, time: u32, port: i32, event: Event) -> bool {
        let Some((notes, _)) = &mut self.notes else { return true };
        let port = port.max(0) as u32;
        if port >= u32::from(self.ports) {
            return true;
        }
        let time = time.min(self.frames.saturating_sub(1));
        notes.push(TimedEvent { time, port: port as u16, event }).is_ok()
    }

    fn note(&mut self, note: &clap_event_note) -> bool {
        let velocity = if note.velocity.is_finite() { note.velocity.clamp(0.0, 1.0) as f32 } else { 0.5 };
        let is_on = note.header.type_ == CLAP_EVENT_NOTE_ON;
        let is_choke = note.header.type_ == CLAP_EVENT_NOTE_CHOKE;
        let (port, time) = (i32::from(note.port_index), note.header.time);
        match (channels(note.channel), key(note.key)) {
            (Some((channel, _)), Some(key)) if is_on => {
                let velocity = velocity.max(1.0 / 127.0);
                self.send(time, port, Event::NoteOn { channel, key, velocity })
            }
            (Some((first, last)), Some(key)) if !is_on => {
                (first..=last).all(|channel| self.send(time, port, Event::NoteOff { channel, key, velocity }))
            }
            (Some((first, last)), None) if !is_on && note.key < 0 => {
                let controller = if is_choke { 120 } else { 123 };
                (first..=last).all(|channel| {
                    self.send(time, port, Event::ControlChange { channel, controller, value: 0 })
                })
            }
            _ => true,
        }
    }

    fn expression(&mut self, it: &clap_event_note_expression) -> bool {
        let Some((channel, _)) = channels(it.channel) else { return true };
        if !it.value.is_finite() {
            return true;
        }
        let seven_bits = (it.value.clamp(0.0, 1.0) * 127.0).round() as u8;
        let event = match (it.expression_id, key(it.key)) {
            (CLAP_NOTE_EXPRESSION_PRESSURE, Some(key)) => {
                Event::PolyPressure { channel, key, pressure: seven_bits }
            }
            (CLAP_NOTE_EXPRESSION_PRESSURE, None) => Event::ChannelPressure { channel, pressure: seven_bits },
            _ => return true,
        };
        self.send(it.header.time, i32::from(it.port_index), event)
    }

    fn parameter(&mut self, it: &clap_event_param_value) -> bool {
        // Values of single notes and channels are the plugin's own affair.
        let is_global = it.note_id < 0 && it.port_index < 0 && it.channel < 0 && it.key < 0;
        let counts = is_global && it.value.is_finite();
        !counts || self.common.tell(Told::Parameter { id: it.param_id, value: it.value })
    }

    /// # Safety
    /// The event's buffer is null, or as many bytes as it says can be read.
    unsafe fn sysex(&mut self, it: &clap_event_midi_sysex) -> bool {
        if it.buffer.is_null() || it.size == 0 {
            return true;
        }
        if it.size as usize > MAX_SYSEX_BYTES {
            return false;
        }
        let Some((_, pool)) = &mut self.notes else { return true };
        // SAFETY: not null, and as long as it says (contract).
        let message = unsafe { std::slice::from_raw_parts(it.buffer, it.size as usize) };
        let Some(handle) = pool.push(message) else { return false };
        self.send(it.header.time, i32::from(it.port_index), Event::SysEx(handle))
    }
}

/// The event behind the header, if it is as large as its type.
///
/// # Safety
/// As many bytes as the header says can be read during `'a`, and they are a `T` if it is as large.
unsafe fn cast<'a, T>(event: *const clap_event_header) -> Option<&'a T> {
    // SAFETY: a header can be read there (contract).
    let is_whole = unsafe { (*event).size } as usize >= size_of::<T>();
    // SAFETY: it is large enough, and of this type (contract).
    is_whole.then(|| unsafe { &*event.cast::<T>() })
}

/// The first and the last channel that are meant: all for -1; `None` if there is no such channel.
fn channels(channel: i16) -> Option<(u8, u8)> {
    match channel {
        -1 => Some((0, MIDI_CHANNELS as u8 - 1)),
        0..16 => Some((channel as u8, channel as u8)),
        _ => None,
    }
}

fn key(key: i16) -> Option<u8> {
    u8::try_from(key).ok().filter(|key| *key < 128)
}

unsafe extern "C" fn try_push(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: the plugin gives back the list that it was given.
    let Some(list) = (unsafe { list.as_ref() }) else { return false };
    if event.is_null() {
        return false;
    }
    // SAFETY: `ctx` was made of the sink by `Sink::raw`, which is borrowed for as long as the plugin has the list, and
    // nothing else uses it meanwhile; the event is as large as it says (CLAP).
    unsafe { list.ctx.cast::<Sink<'_>>().as_mut().is_some_and(|sink| sink.push(event)) }
}
