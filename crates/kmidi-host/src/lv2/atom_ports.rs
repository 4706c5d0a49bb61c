//! What goes into a plugin's atom ports and comes out of them. `[side A]` but for [`AtomPorts::new`].

use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, SYSEX_POOL_BYTES};
use kmidi_core::{Event, ProcessContext, SysExPool, TimedEvent};

use super::atom::{class, is_object, number, properties};
use super::audio_half::Plan;
use super::features::SEQUENCE_BYTES;
use super::instance::Instance;
use super::position::Position;
use super::properties::ValueType;
use super::sequence::AtomBuffer;
use super::urid::{map_str, urids};
use super::uris::{LV2_CONTROL, MIDI_EVENT, PATCH_MESSAGE, TIME_POSITION};

/// Bytes of a channel message as an event of a sequence.
const MESSAGE_BYTES: usize = 24;
/// Room for the events of one quantum at the most, in bytes: as many as a node may have, all SysEx in flight, and what the
/// host says besides.
const INPUT_BYTES: usize = MAX_EVENTS_PER_QUANTUM * MESSAGE_BYTES + SYSEX_POOL_BYTES + (1 << 12);
/// Most room that a port gets, in bytes, however much it asks for.
const MAX_BYTES: usize = 1 << 24;

struct Port {
    index: usize,
    buffer: AtomBuffer,
    takes_midi: bool,
    takes_position: bool,
}

/// A property as messages name it.
struct PropertyKey {
    urid: u32,
    value_type: ValueType,
}

/// The atom ports of an instance.
pub struct AtomPorts {
    inputs: Box<[Port]>,
    outputs: Box<[Port]>,
    /// Inputs that take notes and messages, as places among the inputs.
    midi: Option<usize>,
    messages: Option<usize>,
    properties: Box<[PropertyKey]>,
    /// Whether the plugin is to be asked for all properties.
    ask: bool,
}

impl AtomPorts {
    /// Buffers for all atom ports of a plugin. `[side B]`
    pub fn new(plan: &Plan) -> Self {
        let text = &plan.text;
        let port = |index: usize, least: usize| {
            let port = &text.ports[index];
            let bytes = port.minimum_bytes.unwrap_or(0).min(MAX_BYTES as u64) as usize;
            Port {
                index,
                buffer: AtomBuffer::with_bytes(bytes.max(least)),
                takes_midi: port.takes(MIDI_EVENT),
                takes_position: port.takes(TIME_POSITION),
            }
        };
        let inputs: Box<[Port]> =
            plan.layout.event_inputs.iter().map(|index| port(*index, INPUT_BYTES)).collect();
        let takes_messages = |port: &Port| text.ports[port.index].takes(PATCH_MESSAGE);
        let is_control = |port: &Port| text.ports[port.index].is_for(LV2_CONTROL);
        let messages = inputs.iter().position(takes_messages).or_else(|| inputs.iter().position(is_control));
        let key = |property: &super::properties::Property| PropertyKey {
            urid: map_str(&property.uri),
            value_type: property.value_type,
        };
        AtomPorts {
            midi: inputs.iter().position(|port| port.takes_midi),
            messages: messages.filter(|_| !text.properties.is_empty()),
            outputs: plan.layout.event_outputs.iter().map(|index| port(*index, SEQUENCE_BYTES)).collect(),
            properties: text.properties.iter().map(key).collect(),
            inputs,
            ask: true,
        }
    }

    /// Connects all of them.
    ///
    /// # Safety
    /// Whoever calls may run the instance, and runs it no more once this is gone.
    pub unsafe fn connect(&mut self, instance: &Instance) {
        for port in self.inputs.iter_mut().chain(&mut self.outputs) {
            // SAFETY: the caller's promise; the buffer does not move.
            unsafe { instance.connect(port.index, port.buffer.as_mut_ptr().cast()) };
        }
    }

    /// The plugin is to be asked for its properties again.
    pub fn ask_again(&mut self) {
        self.ask = true;
    }

    /// Empties the inputs and makes room in the outputs.
    pub fn start(&mut self) {
        for port in &mut self.inputs {
            port.buffer.start_sequence();
        }
        for port in &mut self.outputs {
            port.buffer.start_chunk();
        }
    }

    /// Asks the plugin for its properties, if it has not been asked. This comes behind all else of a quantum, so that the
    /// answer has what was set in it.
    pub fn push_question(&mut self, last_frame: u32) {
        if std::mem::take(&mut self.ask)
            && let Some(place) = self.messages
        {
            self.inputs[place].buffer.push_object(last_frame, urids().patch_get, &[]);
        }
    }

    /// Tells every port that follows the song where it is.
    pub fn push_position(&mut self, position: &Position) {
        for port in self.inputs.iter_mut().filter(|port| port.takes_position) {
            position.push_to(&mut port.buffer);
        }
    }

    /// Ends all sound and all notes on every channel.
    pub fn push_end_of_notes(&mut self) {
        for port in self.inputs.iter_mut().filter(|port| port.takes_midi) {
            for channel in 0..16 {
                for controller in [120, 123] {
                    port.buffer.push(0, urids().midi_event, &[0xb0 | channel, controller, 0]);
                }
            }
        }
    }

    /// Sets a property; whether the message has room.
    pub fn push_property(&mut self, frame: u32, place: usize, value: f64) -> bool {
        let Some(input) = self.messages else { return true };
        let key = &self.properties[place];
        let urids = urids();
        let mut bytes = [0; 8];
        let (kind, len) = match key.value_type {
            ValueType::Float => (urids.float, put(&mut bytes, &(value as f32).to_ne_bytes())),
            ValueType::Double => (urids.double, put(&mut bytes, &value.to_ne_bytes())),
            ValueType::Int => (urids.int, put(&mut bytes, &(value.round() as i32).to_ne_bytes())),
            ValueType::Long => (urids.long, put(&mut bytes, &(value.round() as i64).to_ne_bytes())),
            ValueType::Bool => (urids.bool, put(&mut bytes, &i32::from(value > 0.5).to_ne_bytes())),
        };
        self.inputs[input].buffer.push_object(
            frame,
            urids.patch_set,
            &[
                (urids.patch_property, urids.urid, &key.urid.to_ne_bytes()),
                (urids.patch_value, kind, &bytes[..len]),
            ],
        )
    }

    /// Hands a note or other message of MIDI to the port that it is for, or else to the first that takes MIDI.
    pub fn push_event(&mut self, event: &TimedEvent, sysex: &SysExPool) {
        let asked = usize::from(event.port);
        let asked = self.inputs.get(asked).is_some_and(|port| port.takes_midi).then_some(asked);
        let Some(place) = asked.or(self.midi) else { return };
        let buffer = &mut self.inputs[place].buffer;
        let mut bytes = [0; 3];
        if let Event::SysEx(handle) = event.event {
            if let Some(message) = sysex.get(handle) {
                buffer.push(event.time, urids().midi_event, message);
            }
        } else if let Some(len) = event.event.to_midi1(&mut bytes) {
            buffer.push(event.time, urids().midi_event, &bytes[..len]);
        }
    }

    /// Takes what the plugin sent: MIDI to the graph, values of properties to `note`.
    pub fn read(&mut self, cx: &mut ProcessContext<'_>, mut note: impl FnMut(usize, f64)) {
        let last_frame = i64::from(cx.frames.saturating_sub(1));
        for (place, port) in self.outputs.iter().enumerate() {
            for (frame, kind, body) in port.buffer.events() {
                let time = frame.clamp(0, last_frame) as u32;
                if kind == urids().midi_event {
                    send(cx, time, place as u16, body);
                } else if is_object(kind) {
                    read_message(&self.properties, body, &mut note);
                }
            }
        }
    }
}

fn put(to: &mut [u8; 8], bytes: &[u8]) -> usize {
    to[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

/// Sends a message of MIDI on; one that finds no room is counted by the buffer.
fn send(cx: &mut ProcessContext<'_>, time: u32, port: u16, message: &[u8]) {
    let event = match message {
        [0xf0, .., 0xf7] => cx.sysex.push(message).map(Event::SysEx),
        _ => Event::from_midi1(message),
    };
    if let Some(event) = event {
        let _ = cx.events_out.push(TimedEvent { time, port, event });
    }
}

/// Values of properties in a `patch:Set` or `patch:Put`.
fn read_message(keys: &[PropertyKey], body: &[u8], note: &mut impl FnMut(usize, f64)) {
    let urids = urids();
    let find = |urid: u32| keys.iter().position(|key| key.urid == urid);
    if class(body) == Some(urids.patch_set) {
        let key = properties(body).find(|(key, kind, _)| *key == urids.patch_property && *kind == urids.urid);
        let place = key.and_then(|(_, _, value)| find(super::atom::u32_at(value, 0)?));
        let value = properties(body).find(|(key, _, _)| *key == urids.patch_value);
        let value = value.and_then(|(_, kind, value)| number(kind, value));
        if let (Some(place), Some(value)) = (place, value) {
            note(place, value);
        }
    } else if class(body) == Some(urids.patch_put) {
        let of_body = properties(body).find(|(key, kind, _)| *key == urids.patch_body && is_object(*kind));
        for (key, kind, value) in of_body.into_iter().flat_map(|(_, _, inner)| properties(inner)) {
            if let (Some(place), Some(value)) = (find(key), number(kind, value)) {
                note(place, value);
            }
        }
    }
}
