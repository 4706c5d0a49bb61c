//! A zone of the keyboard: which events an instrument gets, and on which keys it plays them.

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};
use kmidi_core::{Event, EventBuffer, TimedEvent};

use crate::ledger::Ledger;
use crate::notes::NoteLedger;

/// The events that an instrument is played with. `[side A]` `[side B]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its channels, a bit each, the lowest for channel 0.
    pub channels: u16,
    /// Its lowest and its highest key.
    pub keys: (u8, u8),
    /// The lowest and the highest velocity of its notes, 1 to 127.
    pub velocities: (u8, u8),
    /// Semitones by which it plays higher than it is played.
    pub transpose: i8,
}

impl Default for Zone {
    /// Everything, as it comes.
    fn default() -> Self {
        Zone { channels: u16::MAX, keys: (0, 127), velocities: (1, 127), transpose: 0 }
    }
}

impl Zone {
    fn has_channel(&self, channel: u8) -> bool {
        self.channels & (1 << (channel & 15)) != 0
    }

    fn has_key(&self, channel: u8, key: u8) -> bool {
        self.has_channel(channel) && (self.keys.0..=self.keys.1).contains(&key)
    }

    fn has_note(&self, channel: u8, key: u8, velocity: f32) -> bool {
        let velocity = (velocity.clamp(0.0, 1.0) * 127.0).round().max(1.0) as u8;
        self.has_key(channel, key) && (self.velocities.0..=self.velocities.1).contains(&velocity)
    }

    fn transposed(&self, key: u8) -> Option<u8> {
        key.checked_add_signed(self.transpose).filter(|&key| key < 128)
    }
}

/// Sends on what belongs to its zone. `[side A]`
///
/// What has been begun is ended, whatever the zone is by then: a note-off follows its note-on to the key that
/// sounds, a pedal that is down hears when it comes up, a bend is followed back to the centre.
pub(crate) struct ZoneFilter {
    pub zone: Zone,
    notes: NoteLedger,
    /// Pedals that have been sent down.
    pedals: Ledger,
    /// What ends a sound and had no room.
    owed: Ledger,
    bends: [i16; MIDI_CHANNELS],
    pressures: [u8; MIDI_CHANNELS],
    /// Notes that the transposition moved beyond keys 0 to 127.
    pub off_the_keyboard: u64,
}

impl ZoneFilter {
    /// `[side B]`
    pub fn new(zone: Zone) -> Self {
        ZoneFilter {
            zone,
            notes: NoteLedger::new(),
            pedals: Ledger::new(1),
            owed: Ledger::new(u16::MAX),
            bends: [0; MIDI_CHANNELS],
            pressures: [0; MIDI_CHANNELS],
            off_the_keyboard: 0,
        }
    }

    /// Sends what is owed from quanta before this one.
    pub fn settle(&mut self, to: &mut EventBuffer) {
        self.owed.settle(|event| to.push(TimedEvent { time: 0, port: 0, event }).is_ok());
    }

    /// Whether something waits for room.
    pub fn is_settled(&self) -> bool {
        self.owed.owed() == 0
    }

    /// Sends an event on, if it belongs to the zone. One that is `taken` by somebody else goes on only where it
    /// ends what was begun here.
    pub fn pass(&mut self, time: u32, event: Event, taken: bool, to: &mut EventBuffer) {
        match event {
            Event::NoteOn { channel, key, velocity } => self.note_on(time, channel, key, velocity, to),
            Event::NoteOff { channel, key, velocity } => self.note_off(time, channel, key, velocity, to),
            Event::PolyPressure { channel, key, pressure } => {
                let begun = self.notes.sent_key(0, channel, key);
                let wanted = self.zone.has_key(channel, key).then(|| self.zone.transposed(key)).flatten();
                if let Some(key) = begun.or(wanted) {
                    send(to, time, Event::PolyPressure { channel, key, pressure });
                }
            }
            Event::ControlChange { channel, .. } => self.control(time, channel, event, taken, to),
            Event::PitchBend { channel, value } => {
                let sent = &mut self.bends[usize::from(channel & 15)];
                let wanted = !taken && self.zone.has_channel(channel);
                if (wanted || *sent != 0) && send(to, time, event) {
                    *sent = value;
                }
            }
            Event::ChannelPressure { channel, pressure } => {
                let sent = &mut self.pressures[usize::from(channel & 15)];
                let wanted = !taken && self.zone.has_channel(channel);
                if (wanted || *sent != 0) && send(to, time, event) {
                    *sent = pressure;
                }
            }
            Event::ProgramChange { channel, .. } => {
                if self.zone.has_channel(channel) {
                    send(to, time, event);
                }
            }
            // What concerns no channel is for everybody.
            event => {
                send(to, time, event);
            }
        }
    }

    fn note_on(&mut self, time: u32, channel: u8, key: u8, velocity: f32, to: &mut EventBuffer) {
        if !self.zone.has_note(channel, key, velocity) {
            return;
        }
        let Some(new_key) = self.zone.transposed(key) else {
            self.off_the_keyboard += 1;
            return;
        };
        // A key sounds at one place: what it began elsewhere ends first.
        while let Some(old_key) = self.notes.sent_key(0, channel, key).filter(|&old| old != new_key) {
            self.end(time, channel, key, old_key, 0.5, to);
        }
        if self.notes.has_room(0, channel, key)
            && send(to, time, Event::NoteOn { channel, key: new_key, velocity })
        {
            self.notes.add(0, channel, key, new_key);
        }
    }

    fn note_off(&mut self, time: u32, channel: u8, key: u8, velocity: f32, to: &mut EventBuffer) {
        // Not begun here: sending it could end somebody else's note.
        if let Some(sent_key) = self.notes.sent_key(0, channel, key) {
            self.end(time, channel, key, sent_key, velocity, to);
        }
    }

    fn end(&mut self, time: u32, channel: u8, key: u8, sent_key: u8, velocity: f32, to: &mut EventBuffer) {
        self.notes.remove(0, channel, key);
        if !send(to, time, Event::NoteOff { channel, key: sent_key, velocity }) {
            self.owed.track(&Event::NoteOn { channel, key: sent_key, velocity: 1.0 });
        }
    }

    fn control(&mut self, time: u32, channel: u8, event: Event, taken: bool, to: &mut EventBuffer) {
        let wanted = !taken && self.zone.has_channel(channel);
        let ends_what_was_begun = self.pedals.is_owed(&event)
            || (!taken
                && event.ends_sound()
                && (self.notes.owed_on(0, channel) || self.pedals.owes_pedal(channel)));
        if !wanted && !ends_what_was_begun {
            return;
        }
        if let Event::ControlChange { controller: 120 | 123..=127, .. } = event {
            self.end_all(time, channel, to);
        }
        if send(to, time, event) {
            self.pedals.track(&event);
        } else {
            self.owed.take_debt(&mut self.pedals, &event);
        }
    }

    /// All notes off: not every plugin knows the controller, so each note gets its end.
    fn end_all(&mut self, time: u32, channel: u8, to: &mut EventBuffer) {
        let owed = &mut self.owed;
        let mut channels = [0; MAX_MIDI_PORTS];
        channels[0] = 1 << (channel & 15);
        self.notes.settle(&channels, |_, channel, key| {
            if !send(to, time, Event::NoteOff { channel, key, velocity: 0.5 }) {
                owed.track(&Event::NoteOn { channel, key, velocity: 1.0 });
            }
            true
        });
    }

    /// Forgets what sounds: somebody else has ended it.
    pub fn reset(&mut self) {
        self.notes.clear();
        self.pedals.clear();
        self.owed.clear();
        self.bends = [0; MIDI_CHANNELS];
        self.pressures = [0; MIDI_CHANNELS];
    }
}

fn send(to: &mut EventBuffer, time: u32, event: Event) -> bool {
    to.push(TimedEvent { time, port: 0, event }).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_event() -> impl Strategy<Value = Event> {
        // Few channels and keys, so that they meet again and again.
        let (channel, key) = (0u8..3, prop_oneof![0u8..4, 60u8..64, 124u8..128]);
        prop_oneof![
            4 => (channel.clone(), key.clone(), 1u8..128).prop_map(|(c, k, v)| Event::note_on(c, k, v)),
            4 => (channel.clone(), key.clone()).prop_map(|(c, k)| Event::note_off(c, k, 64)),
            1 => (channel.clone(), key, 0u8..128).prop_map(|(channel, key, pressure)| {
                Event::PolyPressure { channel, key, pressure }
            }),
            2 => (channel.clone(), prop_oneof![Just(64u8), Just(66), Just(7), Just(121), Just(123)], 0u8..128)
                .prop_map(|(channel, controller, value)| Event::ControlChange { channel, controller, value }),
            1 => (channel.clone(), prop_oneof![Just(0i16), -8192i16..8192])
                .prop_map(|(channel, value)| Event::PitchBend { channel, value }),
            1 => (channel, 0u8..128).prop_map(|(channel, pressure)| Event::ChannelPressure { channel, pressure }),
        ]
    }

    fn any_zone() -> impl Strategy<Value = Zone> {
        (0u16..8, (0u8..128, 0u8..128), (1u8..128, 1u8..128), -70i8..70).prop_map(
            |(channels, keys, velocities, transpose)| Zone {
                channels,
                keys: (keys.0.min(keys.1), keys.0.max(keys.1)),
                velocities: (velocities.0.min(velocities.1), velocities.0.max(velocities.1)),
                transpose,
            },
        )
    }

    #[derive(Clone, Debug)]
    enum Step {
        Event(Event, bool),
        Zone(Zone),
        NextQuantum,
    }

    fn any_steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            20 => (any_event(), prop::bool::weighted(0.1)).prop_map(|(event, taken)| Step::Event(event, taken)),
            1 => any_zone().prop_map(Step::Zone),
            2 => Just(Step::NextQuantum),
        ];
        prop::collection::vec(step, 0..400)
    }

    /// Who listens behind a zone.
    #[derive(Default)]
    struct Receiver {
        notes: std::collections::BTreeMap<(u8, u8), i32>,
        pedals: std::collections::BTreeSet<(u8, u8)>,
        bends: std::collections::BTreeMap<u8, i16>,
        ended_without_a_beginning: usize,
    }

    impl Receiver {
        fn hear(&mut self, event: Event) {
            match event {
                Event::NoteOn { channel, key, .. } => *self.notes.entry((channel, key)).or_default() += 1,
                Event::NoteOff { channel, key, .. } => {
                    let sounding = self.notes.entry((channel, key)).or_default();
                    *sounding -= 1;
                    self.ended_without_a_beginning += usize::from(*sounding < 0);
                }
                Event::ControlChange { channel, controller: controller @ (64 | 66 | 69), value } => {
                    match value >= 64 {
                        true => self.pedals.insert((channel, controller)),
                        false => self.pedals.remove(&(channel, controller)),
                    };
                }
                Event::ControlChange { channel, controller: 121, .. } => {
                    self.pedals.retain(|it| it.0 != channel)
                }
                Event::PitchBend { channel, value } => drop(self.bends.insert(channel, value)),
                _ => {}
            }
        }

        fn hanging(&self) -> usize {
            self.notes.values().filter(|&&sounding| sounding > 0).count()
                + self.pedals.len()
                + self.bends.values().filter(|&&bend| bend != 0).count()
        }
    }

    /// Plays through the filter, then lets go of everything that was played; returns who heard it.
    fn played(steps: &[Step], capacity: usize, filter: &mut ZoneFilter) -> Receiver {
        let mut receiver = Receiver::default();
        let mut to = EventBuffer::with_capacity(capacity);
        let mut next_quantum = |filter: &mut ZoneFilter, to: &mut EventBuffer| {
            to.as_slice().iter().for_each(|it| receiver.hear(it.event));
            to.clear();
            filter.settle(to);
        };
        let mut played = Vec::new();
        for step in steps {
            match step {
                Step::Event(event, taken) => {
                    filter.pass(0, *event, *taken, &mut to);
                    played.push(*event);
                }
                Step::Zone(zone) => filter.zone = *zone,
                Step::NextQuantum => next_quantum(filter, &mut to),
            }
        }
        let mut sounding = std::collections::BTreeMap::<(u8, u8), i32>::new();
        for event in played {
            match event {
                Event::NoteOn { channel, key, .. } => *sounding.entry((channel, key)).or_default() += 1,
                Event::NoteOff { channel, key, .. } => {
                    let count = sounding.entry((channel, key)).or_default();
                    *count = (*count - 1).max(0);
                }
                _ => {}
            }
        }
        // A keyboard sends note-offs for what it holds, lifts its pedals and centres its wheel.
        for ((channel, key), count) in sounding {
            for _ in 0..count {
                next_quantum(filter, &mut to);
                filter.pass(0, Event::note_off(channel, key, 0), false, &mut to);
            }
        }
        for channel in 0..3 {
            for controller in [64, 66] {
                next_quantum(filter, &mut to);
                filter.pass(0, Event::ControlChange { channel, controller, value: 0 }, false, &mut to);
            }
            next_quantum(filter, &mut to);
            filter.pass(0, Event::PitchBend { channel, value: 0 }, false, &mut to);
        }
        while !filter.is_settled() {
            next_quantum(filter, &mut to);
        }
        next_quantum(filter, &mut to);
        receiver
    }

    proptest! {
        #[test]
        fn no_note_pedal_or_bend_hangs_whatever_is_played_and_however_the_zone_changes(
            zone in any_zone(),
            steps in any_steps(),
            capacity in prop_oneof![Just(8usize), Just(64), Just(4096)],
        ) {
            let receiver = played(&steps, capacity, &mut ZoneFilter::new(zone));
            prop_assert_eq!(receiver.hanging(), 0, "{:?}", receiver.notes);
            prop_assert_eq!(receiver.ended_without_a_beginning, 0);
        }

        /// What sounds is what the zone says, on the key that it says.
        #[test]
        fn a_note_is_let_through_exactly_where_the_zone_has_it(
            zone in any_zone(), channel in 0u8..16, key in 0u8..128, velocity in 1u8..128,
        ) {
            let mut to = EventBuffer::with_capacity(64);
            ZoneFilter::new(zone).pass(3, Event::note_on(channel, key, velocity), false, &mut to);
            let inside = zone.channels >> channel & 1 == 1
                && zone.keys.0 <= key && key <= zone.keys.1
                && zone.velocities.0 <= velocity && velocity <= zone.velocities.1;
            let new_key = i16::from(key) + i16::from(zone.transpose);
            let expected = (inside && (0..128).contains(&new_key))
                .then(|| TimedEvent { time: 3, port: 0, event: Event::note_on(channel, new_key as u8, velocity) });
            prop_assert_eq!(to.as_slice().first().copied(), expected);
        }
    }

    /// The same law finds a filter that forgets what it has begun when its zone changes.
    #[test]
    fn control_a_filter_that_forgets_is_seen() {
        let low = Zone { keys: (0, 63), ..Zone::default() };
        let mut filter = ZoneFilter::new(Zone::default());
        let steps = [Step::Event(Event::note_on(0, 64, 100), false), Step::Zone(low), Step::NextQuantum];
        assert_eq!(played(&steps, 64, &mut filter).hanging(), 0);
        let mut to = EventBuffer::with_capacity(64);
        let mut forgetful = ZoneFilter::new(Zone::default());
        let mut receiver = Receiver::default();
        forgetful.pass(0, Event::note_on(0, 64, 100), false, &mut to);
        forgetful = ZoneFilter::new(low);
        forgetful.pass(0, Event::note_off(0, 64, 0), false, &mut to);
        to.as_slice().iter().for_each(|it| receiver.hear(it.event));
        assert_eq!(receiver.hanging(), 1);
    }

    #[test]
    fn a_note_ends_on_the_key_it_began_on_and_others_pass_by_channel() {
        let mut filter = ZoneFilter::new(Zone { channels: 0b10, transpose: 12, ..Zone::default() });
        let mut to = EventBuffer::with_capacity(64);
        let mut heard = |filter: &mut ZoneFilter, event, taken| {
            to.clear();
            filter.pass(0, event, taken, &mut to);
            to.as_slice().iter().map(|it| it.event).collect::<Vec<_>>()
        };
        let pedal = |value| Event::ControlChange { channel: 1, controller: 64, value };
        assert_eq!(heard(&mut filter, Event::note_on(1, 60, 9), false), [Event::note_on(1, 72, 9)]);
        assert_eq!(heard(&mut filter, pedal(127), false), [pedal(127)]);
        assert_eq!(heard(&mut filter, Event::note_on(0, 60, 9), false), []);
        assert_eq!(heard(&mut filter, Event::ProgramChange { channel: 0, program: 1 }, false), []);
        filter.zone = Zone { channels: 1, transpose: -12, ..Zone::default() };
        let pressure = |key| Event::PolyPressure { channel: 1, key, pressure: 5 };
        assert_eq!(heard(&mut filter, pressure(60), false), [pressure(72)]);
        assert_eq!(heard(&mut filter, Event::note_off(1, 60, 9), false), [Event::note_off(1, 72, 9)]);
        assert_eq!(heard(&mut filter, Event::note_off(1, 60, 9), false), [], "it is owed no longer");
        // Also where a map has taken the pedal meanwhile.
        assert_eq!(heard(&mut filter, pedal(0), true), [pedal(0)]);
        assert_eq!(heard(&mut filter, pedal(127), true), []);
        assert_eq!(heard(&mut filter, Event::note_on(0, 5, 9), false), []);
        assert_eq!(filter.off_the_keyboard, 1);
        filter.zone = Zone { transpose: 1, ..Zone::default() };
        heard(&mut filter, Event::note_on(3, 60, 9), false);
        let all_off = Event::ControlChange { channel: 3, controller: 123, value: 0 };
        let off = Event::NoteOff { channel: 3, key: 61, velocity: 0.5 };
        assert_eq!(heard(&mut filter, all_off, false), [off, all_off]);
        assert_eq!(heard(&mut filter, Event::note_off(3, 60, 9), false), []);
    }
}
