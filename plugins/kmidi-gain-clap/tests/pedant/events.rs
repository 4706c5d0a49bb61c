//! Lists of events, as plugins read and write them.

use std::cell::RefCell;

use clap_sys::events::*;

/// An event of any kind that is sent here.
#[derive(Clone, Copy)]
pub enum Sent {
    Parameter(clap_event_param_value),
    Note(clap_event_note),
    Midi(clap_event_midi),
}

impl Sent {
    fn header(&self) -> *const clap_event_header {
        match self {
            Sent::Parameter(event) => &event.header,
            Sent::Note(event) => &event.header,
            Sent::Midi(event) => &event.header,
        }
    }

    /// The same, in a space of events that no plugin knows: it must be passed over.
    pub fn in_unknown_space(mut self) -> Self {
        let header = match &mut self {
            Sent::Parameter(event) => &mut event.header,
            Sent::Note(event) => &mut event.header,
            Sent::Midi(event) => &mut event.header,
        };
        header.space_id = 77;
        self
    }
}

fn header<T>(time: u32, type_: u16) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_,
        flags: 0,
    }
}

/// A parameter takes a value.
pub fn parameter(time: u32, param_id: u32, value: f64) -> Sent {
    Sent::Parameter(clap_event_param_value {
        header: header::<clap_event_param_value>(time, CLAP_EVENT_PARAM_VALUE),
        param_id,
        cookie: std::ptr::null_mut(),
        note_id: -1,
        port_index: -1,
        channel: -1,
        key: -1,
        value,
    })
}

/// A note of CLAP's own kind: `type_` is on, off or choke. -1 for a key or channel means all.
pub fn note(time: u32, type_: u16, channel: i16, key: i16) -> Sent {
    Sent::Note(clap_event_note {
        header: header::<clap_event_note>(time, type_),
        note_id: -1,
        port_index: 0,
        channel,
        key,
        velocity: 0.8,
    })
}

/// A MIDI message, of any bytes.
pub fn midi(time: u32, data: [u8; 3]) -> Sent {
    Sent::Midi(clap_event_midi {
        header: header::<clap_event_midi>(time, CLAP_EVENT_MIDI),
        port_index: 0,
        data,
    })
}

/// Events for a plugin.
pub struct Input {
    events: Vec<Sent>,
}

impl Input {
    /// Events in order of their time.
    pub fn new(events: Vec<Sent>) -> Self {
        Input { events }
    }

    /// What the plugin reads; not to be kept longer than this.
    pub fn raw(&self) -> clap_input_events {
        clap_input_events {
            ctx: std::ptr::from_ref(self).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        }
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: `ctx` is the list that made it.
    unsafe { (*(*list).ctx.cast::<Input>()).events.len() as u32 }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: `ctx` is the list that made it.
    let events = unsafe { &(*(*list).ctx.cast::<Input>()).events };
    events.get(index as usize).map_or(std::ptr::null(), Sent::header)
}

/// What a plugin sends: the headers alone.
#[derive(Default)]
pub struct Output {
    sent: RefCell<Vec<clap_event_header>>,
}

impl Output {
    /// What the plugin writes to; not to be kept longer than this.
    pub fn raw(&self) -> clap_output_events {
        clap_output_events { ctx: std::ptr::from_ref(self).cast_mut().cast(), try_push: Some(try_push) }
    }

    /// What has been sent.
    pub fn sent(&self) -> Vec<clap_event_header> {
        self.sent.borrow().clone()
    }
}

unsafe extern "C" fn try_push(list: *const clap_output_events, event: *const clap_event_header) -> bool {
    // SAFETY: `ctx` is the list that made it.
    let output = unsafe { &*(*list).ctx.cast::<Output>() };
    // SAFETY: an event begins with its header.
    let header = unsafe { event.as_ref() };
    header.inspect(|header| output.sent.borrow_mut().push(**header)).is_some()
}
