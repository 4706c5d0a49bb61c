//! Events of a plugin as the graph gets them. All `[side A]`.

use ::vst3::Steinberg::Vst::ControllerNumbers_::{
    kAfterTouch, kCtrlPolyPressure, kCtrlProgramChange, kPitchBend,
};
use ::vst3::Steinberg::Vst::DataEvent_::DataTypes_::kMidiSysEx;
use ::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kDataEvent, kLegacyMIDICCOutEvent, kNoteOffEvent, kNoteOnEvent, kPolyPressureEvent,
};
use ::vst3::Steinberg::Vst::{Event as PluginEvent, LegacyMIDICCOutEvent};
use kmidi_core::{Event, EventBuffer, SysExPool, TimedEvent};

use super::event_list::EventList;

/// Sends what the plugin put into its list. What is no MIDI, and what is of another output, is left out.
pub fn send(list: &EventList, ports: usize, frames: u32, out: &mut EventBuffer, sysex: &mut SysExPool) {
    for event in (0..list.len()).filter_map(|at| list.get(at)) {
        let Some(port) = usize::try_from(event.busIndex).ok().filter(|&port| port < ports) else { continue };
        let Some(translated) = translate(&event, sysex) else { continue };
        let time = event.sampleOffset.clamp(0, frames as i32 - 1) as u32;
        // What has no room is counted by the buffer.
        let _ = out.push(TimedEvent { time, port: port as u16, event: translated });
    }
}

fn translate(event: &PluginEvent, sysex: &mut SysExPool) -> Option<Event> {
    let content = &event.__field0;
    match u32::from(event.r#type) {
        kNoteOnEvent => {
            // SAFETY: the type says that this is the part in use; any bits are valid numbers.
            let note = unsafe { content.noteOn };
            let (channel, key) = (channel(note.channel)?, seven_bits(note.pitch)?);
            match unit(note.velocity) {
                0.0 => Some(Event::NoteOff { channel, key, velocity: 0.5 }),
                velocity => Some(Event::NoteOn { channel, key, velocity }),
            }
        }
        kNoteOffEvent => {
            // SAFETY: as for note-on.
            let note = unsafe { content.noteOff };
            let (channel, key) = (channel(note.channel)?, seven_bits(note.pitch)?);
            Some(Event::NoteOff { channel, key, velocity: unit(note.velocity) })
        }
        kPolyPressureEvent => {
            // SAFETY: as for note-on.
            let it = unsafe { content.polyPressure };
            let pressure = (unit(it.pressure) * 127.0).round() as u8;
            Some(Event::PolyPressure { channel: channel(it.channel)?, key: seven_bits(it.pitch)?, pressure })
        }
        kDataEvent => {
            // SAFETY: as for note-on.
            let data = unsafe { content.data };
            if data.r#type != kMidiSysEx || data.bytes.is_null() {
                return None;
            }
            // SAFETY: `EventList` has put the bytes into memory of its own, `size` of them.
            let bytes = unsafe { std::slice::from_raw_parts(data.bytes, data.size as usize) };
            let is_whole = bytes.len() >= 2 && bytes[0] == 0xf0 && bytes[bytes.len() - 1] == 0xf7;
            if is_whole { sysex.push(bytes).map(Event::SysEx) } else { None }
        }
        kLegacyMIDICCOutEvent => {
            // SAFETY: as for note-on.
            controller(unsafe { content.midiCCOut })
        }
        _ => None,
    }
}

fn controller(it: LegacyMIDICCOutEvent) -> Option<Event> {
    let channel = channel(it.channel.into())?;
    let first = seven_bits(it.value.into())?;
    let second = seven_bits(it.value2.into());
    Some(match u32::from(it.controlNumber) {
        number @ 0..128 => Event::ControlChange { channel, controller: number as u8, value: first },
        kAfterTouch => Event::ChannelPressure { channel, pressure: first },
        kPitchBend => {
            let value = i16::from(second?) << 7 | i16::from(first);
            Event::PitchBend { channel, value: value - 8192 }
        }
        kCtrlProgramChange => Event::ProgramChange { channel, program: first },
        kCtrlPolyPressure => Event::PolyPressure { channel, key: first, pressure: second? },
        _ => return None,
    })
}

fn channel(number: i16) -> Option<u8> {
    u8::try_from(number).ok().filter(|&channel| channel < 16)
}

fn seven_bits(number: i16) -> Option<u8> {
    u8::try_from(number).ok().filter(|&number| number < 128)
}

/// From 0 to 1; 0 for what is no number.
fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vst3::event_list::BLANK;
    use ::vst3::Steinberg::Vst::{Event__type0, IEventListTrait as _, NoteOnEvent};

    fn sent(events: &[PluginEvent]) -> Vec<TimedEvent> {
        let list = EventList::new(64, 64);
        for event in events {
            let mut event = *event;
            // SAFETY: the event is valid.
            unsafe { list.addEvent(&mut event) };
        }
        let mut out = EventBuffer::with_capacity(64);
        send(&list, 1, 64, &mut out, &mut SysExPool::new());
        out.as_slice().to_vec()
    }

    fn note(channel: i16, pitch: i16, velocity: f32) -> PluginEvent {
        let note_on = NoteOnEvent { channel, pitch, tuning: 0.0, velocity, length: 0, noteId: 5 };
        PluginEvent { r#type: kNoteOnEvent as u16, __field0: Event__type0 { noteOn: note_on }, ..BLANK }
    }

    #[test]
    fn notes_out_of_range_on_other_outputs_or_of_unknown_type_are_left_out() {
        let other = PluginEvent { busIndex: 1, ..note(0, 60, 0.5) };
        let unknown = PluginEvent { r#type: 77, ..note(0, 60, 0.5) };
        let events =
            [note(-1, 60, 0.5), note(16, 60, 0.5), note(0, 128, 0.5), note(0, -1, 0.5), other, unknown];
        assert_eq!(sent(&events), []);
        assert_eq!(sent(&[note(15, 127, 0.5)]).len(), 1, "the control");
    }

    #[test]
    fn velocities_and_times_are_brought_into_their_ranges() {
        let late = PluginEvent { sampleOffset: i32::MAX, ..note(1, 60, 7.0) };
        let early = PluginEvent { sampleOffset: i32::MIN, ..note(1, 61, f32::NAN) };
        let events = sent(&[late, early]);
        assert_eq!(events[0].event, Event::NoteOff { channel: 1, key: 61, velocity: 0.5 });
        assert_eq!((events[0].time, events[1].time), (0, 63));
        assert_eq!(events[1].event, Event::NoteOn { channel: 1, key: 60, velocity: 1.0 });
    }

    #[test]
    fn every_message_of_the_legacy_event_is_told() {
        let legacy = |number, value, value2| {
            let it = LegacyMIDICCOutEvent { controlNumber: number, channel: 2, value, value2 };
            PluginEvent {
                r#type: kLegacyMIDICCOutEvent as u16,
                __field0: Event__type0 { midiCCOut: it },
                ..BLANK
            }
        };
        let events =
            [legacy(7, 100, 0), legacy(128, 5, 0), legacy(129, 0, 64), legacy(130, 9, 0), legacy(131, 60, 3)];
        let channel = 2;
        let expected = [
            Event::ControlChange { channel, controller: 7, value: 100 },
            Event::ChannelPressure { channel, pressure: 5 },
            Event::PitchBend { channel, value: 0 },
            Event::ProgramChange { channel, program: 9 },
            Event::PolyPressure { channel, key: 60, pressure: 3 },
        ];
        let found: Vec<_> = sent(&events).into_iter().map(|it| it.event).collect();
        assert_eq!(found, expected);
        assert_eq!(sent(&[legacy(7, -1, 0), legacy(132, 1, 1), legacy(129, 0, -5)]), []);
    }
}
