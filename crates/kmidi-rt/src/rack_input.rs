//! What stands between live MIDI and a plugin of a rack: its MIDI map and its zone.

use kmidi_core::{Event, Full, NodeInfo, ProcessContext, ProcessStatus, Processor};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::midi_map::{Mapper, MidiMap};
use crate::zone::{Zone, ZoneFilter};

/// Settings that can wait for the node.
const SETUPS: usize = 8;
/// Values that can wait, in either direction.
const VALUES: usize = 256;

/// What the node does; a plain value, so that nothing of it has to come home.
struct Setup {
    zone: Zone,
    map: MidiMap,
}

/// A node with an event port in and one out. The map takes what is mapped and sends parameters in its place; what is
/// left goes through the zone. `[side A]`
pub struct RackInput {
    filter: ZoneFilter,
    mapper: Mapper,
    setups: Consumer<Setup>,
    presents: Consumer<(u32, f64)>,
    moved: Producer<(u32, f64)>,
}

/// Side B's end of a [`RackInput`]. `[side B]`
///
/// What it says is heard before the next event. A node that sleeps wakes with one: any parameter of its own is
/// passed over ([`Control::Parameter`](crate::Control::Parameter)).
pub struct RackInputHandle {
    setups: Producer<Setup>,
    presents: Producer<(u32, f64)>,
    moved: Consumer<(u32, f64)>,
}

/// Makes the node of a slot, and the other end of it. `[side B]`
pub fn rack_input(zone: Zone, map: &MidiMap) -> (RackInputHandle, RackInput) {
    let (setups, setups_out) = RingBuffer::new(SETUPS);
    let (presents, presents_out) = RingBuffer::new(VALUES);
    let (moved, moved_out) = RingBuffer::new(VALUES);
    let node = RackInput {
        filter: ZoneFilter::new(zone),
        mapper: Mapper::new(map),
        setups: setups_out,
        presents: presents_out,
        moved,
    };
    (RackInputHandle { setups, presents, moved: moved_out }, node)
}

impl RackInputHandle {
    /// Another zone and another map. Notes that sound end on the keys they began on; knobs that stay in the map
    /// keep hold of what they hold.
    ///
    /// # Errors
    /// [`Full`]: the node has not run for a while; wake it and try again.
    pub fn set(&mut self, zone: Zone, map: &MidiMap) -> Result<(), Full> {
        self.setups.push(Setup { zone, map: map.clone() }).map_err(|_| Full)
    }

    /// Tells the value of a parameter that somebody else has moved, so that its knob waits for it.
    ///
    /// # Errors
    /// [`Full`], as of [`RackInputHandle::set`].
    pub fn present(&mut self, parameter: u32, value: f64) -> Result<(), Full> {
        self.presents.push((parameter, value)).map_err(|_| Full)
    }

    /// A parameter that a knob has moved, and its value; `None` if there is none for now. Of many values in a row only
    /// some are told, but always the last.
    pub fn moved(&mut self) -> Option<(u32, f64)> {
        self.moved.pop().ok()
    }
}

impl RackInput {
    /// What the graph must know of it.
    pub fn info(name: &str) -> NodeInfo {
        NodeInfo { name: name.to_owned(), event_inputs: 1, event_outputs: 1, ..NodeInfo::default() }
    }

    fn take_mail(&mut self) {
        while let Ok(Setup { zone, map }) = self.setups.pop() {
            self.filter.zone = zone;
            self.mapper.set_map(&map);
        }
        while let Ok((parameter, value)) = self.presents.pop() {
            self.mapper.present(parameter, value);
        }
    }
}

impl Processor for RackInput {
    fn process(&mut self, cx: &mut ProcessContext<'_>) -> ProcessStatus {
        self.take_mail();
        self.filter.settle(cx.events_out);
        self.mapper.settle(cx.events_out);
        for timed in cx.events_in {
            // Its own parameters only wake it.
            if matches!(timed.event, Event::Parameter { .. }) {
                continue;
            }
            let taken = self.mapper.take(timed.time, timed.event, cx.events_out);
            self.filter.pass(timed.time, timed.event, taken, cx.events_out);
        }
        self.mapper.tell(|parameter, value| self.moved.push((parameter, value)).is_ok());
        match self.filter.is_settled() && self.mapper.is_settled() {
            true => ProcessStatus::Sleep,
            false => ProcessStatus::Continue,
        }
    }

    fn reset(&mut self) {
        self.filter.reset();
    }
}

#[cfg(test)]
mod tests {
    use kmidi_core::{AudioPorts, EventBuffer, SysExPool, TimedEvent, Transport};

    use super::*;
    use crate::midi_map::{MapSource, Mapping};

    fn run(node: &mut RackInput, events: &[Event]) -> (Vec<Event>, ProcessStatus) {
        let events: Vec<_> =
            events.iter().map(|event| TimedEvent { time: 0, port: 0, event: *event }).collect();
        let mut events_out = EventBuffer::with_capacity(64);
        let mut cx = ProcessContext {
            frames: 64,
            transport: &Transport::default(),
            audio: AudioPorts { inputs: &[], outputs: &mut [], silent_inputs: 0, silent_outputs: 0 },
            events_in: &events,
            events_out: &mut events_out,
            sysex: &mut SysExPool::new(),
        };
        let status = node.process(&mut cx);
        (events_out.as_slice().iter().map(|it| it.event).collect(), status)
    }

    fn map() -> MidiMap {
        let mut map = MidiMap::default();
        let mapping = Mapping {
            source: MapSource::Controller(74),
            channels: 1,
            parameter: 5,
            at_lowest: 0.0,
            at_highest: 127.0,
            pick_up: true,
            present: 0.0,
        };
        map.push(mapping).unwrap();
        map
    }

    fn knob(value: u8) -> Event {
        Event::ControlChange { channel: 0, controller: 74, value }
    }

    #[test]
    fn what_is_mapped_comes_out_as_a_parameter_and_the_rest_by_its_zone() {
        let zone = Zone { keys: (0, 59), transpose: 12, ..Zone::default() };
        let (mut handle, mut node) = rack_input(zone, &map());
        let parameter = |value| Event::Parameter { id: 5, value };
        let events = [Event::note_on(0, 60, 1), Event::note_on(0, 59, 1), knob(0), knob(100)];
        let (out, status) = run(&mut node, &events);
        assert_eq!(out, [Event::note_on(0, 71, 1), parameter(0.0), parameter(100.0)]);
        assert_eq!(status, ProcessStatus::Sleep);
        assert_eq!((handle.moved(), handle.moved()), (Some((5, 100.0)), None), "the last value alone");

        // A preset moves it: the knob waits. Another zone: what sounds ends where it began.
        handle.present(5, 50.0).unwrap();
        handle.set(Zone { transpose: 0, ..zone }, &map()).unwrap();
        let wake = Event::Parameter { id: 0, value: 0.0 };
        assert_eq!(run(&mut node, &[wake]).0, []);
        let (out, _) = run(&mut node, &[knob(90), Event::note_off(0, 59, 1), Event::note_on(0, 59, 1)]);
        assert_eq!(out, [Event::note_off(0, 71, 1), Event::note_on(0, 59, 1)]);
        handle.present(5, 70.0).unwrap();
        assert_eq!(run(&mut node, &[knob(60)]).0, [parameter(60.0)]);
    }

    #[test]
    fn a_side_b_that_does_not_listen_hears_the_last_value_later() {
        let (mut handle, mut node) = rack_input(Zone::default(), &map());
        for value in (0..=127u8).cycle().take(VALUES * 3) {
            run(&mut node, &[knob(value)]);
        }
        assert_eq!(run(&mut node, &[knob(99)]).1, ProcessStatus::Continue, "there is something to tell");
        while handle.moved().is_some() {}
        assert_eq!(run(&mut node, &[]).1, ProcessStatus::Sleep);
        assert_eq!(handle.moved(), Some((5, 99.0)));
        for _ in 0..SETUPS {
            handle.set(Zone::default(), &map()).unwrap();
        }
        assert_eq!(handle.set(Zone::default(), &map()), Err(Full));
    }
}
