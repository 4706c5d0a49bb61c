//! Events of one quantum, as a plugin reads and writes them. All `[side A]` except what makes them.
//!
//! Used by one thread at a time: the one that runs the plugin's audio half.

use std::cell::{Cell, UnsafeCell};

use ::vst3::Class;
use ::vst3::Steinberg::Vst::Event_::EventTypes_::kDataEvent;
use ::vst3::Steinberg::Vst::{DataEvent, Event, Event__type0, IEventList, IEventListTrait, NoteOffEvent};
use ::vst3::Steinberg::{int32, kInvalidArgument, kOutOfMemory, kResultOk, tresult};
use kmidi_core::limits::MAX_SYSEX_BYTES;

/// An event with nothing in it.
pub const BLANK: Event = Event {
    busIndex: 0,
    sampleOffset: 0,
    ppqPosition: 0.0,
    flags: 0,
    r#type: 0,
    __field0: Event__type0 {
        noteOff: NoteOffEvent { channel: 0, pitch: 0, velocity: 0.0, noteId: -1, tuning: 0.0 },
    },
};

/// A list of fixed size.
pub struct EventList {
    events: Box<[UnsafeCell<Event>]>,
    len: Cell<usize>,
    /// Bytes of the data events that the plugin has added: its own may be gone when they are read.
    bytes: Box<[Cell<u8>]>,
    bytes_used: Cell<usize>,
    lost: Cell<bool>,
}

impl Class for EventList {
    type Interfaces = (IEventList,);
}

impl EventList {
    /// Room for so many events, and for so many bytes of data events of the plugin. `[side B]`
    pub fn new(events: usize, bytes: usize) -> Self {
        EventList {
            events: (0..events).map(|_| UnsafeCell::new(BLANK)).collect(),
            len: Cell::new(0),
            // Not zero: that memory would come from the system only when it is first written to.
            bytes: (0..bytes).map(|_| Cell::new(u8::MAX)).collect(),
            bytes_used: Cell::new(0),
            lost: Cell::new(false),
        }
    }

    /// Forgets all events; what was lost stays known.
    pub fn clear(&self) {
        self.len.set(0);
        self.bytes_used.set(0);
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.len.get()
    }

    /// Whether events had no room since this was asked last.
    pub fn take_lost(&self) -> bool {
        self.lost.take()
    }

    /// Adds an event; says whether there was room.
    pub fn push(&self, event: Event) -> bool {
        let len = self.len.get();
        let Some(place) = self.events.get(len) else {
            self.lost.set(true);
            return false;
        };
        // SAFETY: one thread at a time uses the list, and no reference into it is ever given out.
        unsafe { place.get().write(event) };
        self.len.set(len + 1);
        true
    }

    /// An event.
    pub fn get(&self, index: usize) -> Option<Event> {
        let place = self.events[..self.len.get()].get(index)?;
        // SAFETY: as in `push`; every place has been written.
        Some(unsafe { *place.get() })
    }

    /// Takes the bytes of a data event over.
    fn keep_bytes(&self, data: DataEvent) -> Option<DataEvent> {
        let size = data.size as usize;
        let start = self.bytes_used.get();
        let kept = self.bytes.get(start..start.checked_add(size)?)?;
        if data.bytes.is_null() || size > MAX_SYSEX_BYTES {
            return None;
        }
        for (at, kept) in kept.iter().enumerate() {
            // SAFETY: not null, and the plugin says that there are `size` bytes.
            kept.set(unsafe { *data.bytes.add(at) });
        }
        self.bytes_used.set(start + size);
        Some(DataEvent { bytes: kept.as_ptr().cast(), ..data })
    }
}

impl IEventListTrait for EventList {
    unsafe fn getEventCount(&self) -> int32 {
        self.len() as int32
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        let Some(found) = usize::try_from(index).ok().and_then(|index| self.get(index)) else {
            return kInvalidArgument;
        };
        if event.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null; the plugin gives room for an event.
        unsafe { event.write(found) };
        kResultOk
    }

    unsafe fn addEvent(&self, event: *mut Event) -> tresult {
        if event.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null; the plugin gives an event, which is numbers whatever its type says.
        let mut event = unsafe { *event };
        if u32::from(event.r#type) == kDataEvent {
            // SAFETY: the type says that this is the part in use.
            let data = unsafe { event.__field0.data };
            let Some(kept) = self.keep_bytes(data) else {
                self.lost.set(true);
                return kOutOfMemory;
            };
            event.__field0 = Event__type0 { data: kept };
        }
        if self.push(event) { kResultOk } else { kOutOfMemory }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_refused_and_bytes_outlive_what_the_plugin_gave() {
        let list = EventList::new(3, 8);
        let mut bytes = [0xf0, 1, 0xf7];
        let mut event = Event {
            r#type: kDataEvent as u16,
            __field0: Event__type0 { data: DataEvent { size: 3, r#type: 0, bytes: bytes.as_ptr() } },
            ..BLANK
        };
        // SAFETY: the event and its bytes are valid; null pointers are allowed.
        unsafe {
            assert_eq!(list.addEvent(&mut event), kResultOk);
            assert_eq!(list.addEvent(&mut event), kResultOk);
            assert_eq!(list.addEvent(&mut event), kOutOfMemory, "two bytes are left");
            assert_eq!(list.addEvent(std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(list.getEvent(0, std::ptr::null_mut()), kInvalidArgument);
            assert_eq!(list.getEvent(2, &mut event), kInvalidArgument);
            assert_eq!(list.getEvent(-1, &mut event), kInvalidArgument);
        }
        assert!(list.take_lost());
        bytes.fill(9);
        // SAFETY: the list has made it a data event with three bytes.
        let kept = unsafe { *list.get(1).unwrap().__field0.data.bytes.add(2) };
        assert_eq!(kept, 0xf7);
        assert!(list.push(BLANK));
        assert!(!list.push(BLANK));
        assert!(list.take_lost());
    }

    #[test]
    fn data_without_bytes_or_of_absurd_size_is_refused() {
        let list = EventList::new(4, MAX_SYSEX_BYTES * 4);
        for (size, bytes) in [(3, std::ptr::null()), (u32::MAX, [0u8; 4].as_ptr())] {
            let mut event = Event {
                r#type: kDataEvent as u16,
                __field0: Event__type0 { data: DataEvent { size, r#type: 0, bytes } },
                ..BLANK
            };
            // SAFETY: the event is valid; its bytes are not read when the size is refused.
            assert_eq!(unsafe { list.addEvent(&mut event) }, kOutOfMemory);
        }
        assert_eq!(list.len(), 0);
    }
}
