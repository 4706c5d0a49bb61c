//! Controllers that move parameters: what a knob sends, and what it means to the plugin behind it.

use arrayvec::ArrayVec;
use kmidi_core::limits::{MAX_MAPPINGS, MIDI_CHANNELS};
use kmidi_core::{Event, EventBuffer, Full, TimedEvent};

/// What a mapping listens to. `[side A]` `[side B]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapSource {
    /// A controller of 7 bits, 0 to 119.
    Controller(u8),
    /// A controller of 14 bits: this one, 0 to 31, and the one 32 above it for the low 7 bits.
    ControllerPair(u8),
    /// A non-registered parameter, 0 to 16383, set by data entry.
    Nrpn {
        /// Its number.
        parameter: u16,
        /// Whether the low 7 bits of data entry count.
        fine: bool,
    },
    /// The pitch wheel.
    PitchBend,
    /// Pressure of a channel.
    ChannelPressure,
}

impl MapSource {
    /// The part of its range that one step of it is.
    fn step(self) -> f64 {
        match self {
            MapSource::Controller(_) | MapSource::ChannelPressure | MapSource::Nrpn { fine: false, .. } => {
                1.0 / SEVEN_BITS
            }
            MapSource::ControllerPair(_) | MapSource::PitchBend | MapSource::Nrpn { fine: true, .. } => {
                1.0 / FOURTEEN_BITS
            }
        }
    }

    fn is_possible(self) -> bool {
        match self {
            MapSource::Controller(controller) => controller < 120,
            MapSource::ControllerPair(controller) => controller < 32,
            MapSource::Nrpn { parameter, .. } => parameter < 1 << 14,
            MapSource::PitchBend | MapSource::ChannelPressure => true,
        }
    }
}

const SEVEN_BITS: f64 = 127.0;
const FOURTEEN_BITS: f64 = 16383.0;

/// A knob and the parameter that it moves. `[side A]` `[side B]`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapping {
    /// What it listens to.
    pub source: MapSource,
    /// On which channels, a bit each, the lowest for channel 0.
    pub channels: u16,
    /// The parameter, as the plugin numbers it.
    pub parameter: u32,
    /// Its value where the knob is at its lowest.
    pub at_lowest: f64,
    /// Its value where the knob is at its highest; below [`Mapping::at_lowest`] it goes the other way round.
    pub at_highest: f64,
    /// Whether the knob takes hold only when it comes past the present value, so that nothing jumps.
    pub pick_up: bool,
    /// The value that the parameter has now.
    pub present: f64,
}

/// Knobs and what they move; at most [`MAX_MAPPINGS`]. `[side A]` `[side B]`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MidiMap {
    mappings: ArrayVec<Mapping, MAX_MAPPINGS>,
}

impl MidiMap {
    /// Adds a mapping.
    ///
    /// # Errors
    /// [`Full`]; also of one that can never move anything: a controller that there is not, a value that is no number.
    pub fn push(&mut self, mapping: Mapping) -> Result<(), Full> {
        let numbers = [mapping.at_lowest, mapping.at_highest, mapping.present];
        if !mapping.source.is_possible() || numbers.iter().any(|number| !number.is_finite()) {
            return Err(Full);
        }
        self.mappings.try_push(mapping).map_err(|_| Full)
    }

    /// The mappings in the order they were added.
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }
}

/// A mapping at work.
#[derive(Clone, Copy)]
struct Knob {
    mapping: Mapping,
    /// Where it was last, as a value of the parameter.
    last: Option<f64>,
    /// It has hold of the parameter.
    holds: bool,
    /// Data entry of an NRPN as each channel has left it.
    data: [(u8, u8); MIDI_CHANNELS],
    /// The value has not been sent for want of room.
    owed: bool,
    /// Side B has not been told the value.
    untold: bool,
}

impl Knob {
    fn new(mapping: Mapping) -> Self {
        Knob { mapping, last: None, holds: false, data: Default::default(), owed: false, untold: false }
    }

    /// Whether another is the same knob on the same parameter.
    fn is_same(&self, other: &Mapping) -> bool {
        Mapping { present: self.mapping.present, ..*other } == self.mapping
    }

    /// The knob is now at `position`, 0 to 1. Returns whether the parameter follows.
    fn turn(&mut self, position: f64) -> bool {
        let Mapping { at_lowest, at_highest, .. } = self.mapping;
        // Exact at both ends.
        let value = at_lowest * (1.0 - position) + at_highest * position;
        let before = self.last.replace(value);
        if self.mapping.pick_up && !self.holds {
            // A value outside the range is met at its end.
            let target = self.mapping.present.clamp(at_lowest.min(at_highest), at_lowest.max(at_highest));
            let is_near =
                (value - target).abs() <= (at_highest - at_lowest).abs() * self.mapping.source.step() / 2.0;
            let has_crossed = before.is_some_and(|before| (before < target) != (value < target));
            if !is_near && !has_crossed {
                return false;
            }
        }
        self.holds = true;
        self.mapping.present = value;
        true
    }
}

/// Which parameter data entry of a channel goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Selection {
    Registered,
    NonRegistered,
}

/// What each channel has said so far, whether anybody listens or not.
#[derive(Clone, Copy)]
struct Channel {
    selection: Selection,
    /// High and low 7 bits of the non-registered parameter; 127 and 127 for none.
    parameter: (u8, u8),
    high: [u8; 32],
    low: [u8; 32],
}

/// Turns controllers into parameters. `[side A]`
pub(crate) struct Mapper {
    knobs: ArrayVec<Knob, MAX_MAPPINGS>,
    channels: [Channel; MIDI_CHANNELS],
}

impl Mapper {
    /// `[side B]`
    pub fn new(map: &MidiMap) -> Self {
        let silent =
            Channel { selection: Selection::Registered, parameter: (127, 127), high: [0; 32], low: [0; 32] };
        Mapper {
            knobs: map.mappings.iter().map(|mapping| Knob::new(*mapping)).collect(),
            channels: [silent; MIDI_CHANNELS],
        }
    }

    /// Takes another map; knobs that stay keep hold of what they hold, and know the present value better.
    pub fn set_map(&mut self, map: &MidiMap) {
        let before = std::mem::take(&mut self.knobs);
        for mapping in &map.mappings {
            let old = before.iter().find(|old| old.is_same(mapping)).copied();
            let fits = self.knobs.try_push(old.unwrap_or_else(|| Knob::new(*mapping)));
            debug_assert!(fits.is_ok(), "as many as a map holds");
        }
    }

    /// Somebody else has moved a parameter: knobs let go of it.
    pub fn present(&mut self, parameter: u32, value: f64) {
        let knobs = self.knobs.iter_mut().filter(|knob| knob.mapping.parameter == parameter);
        for knob in knobs.filter(|knob| knob.mapping.present != value) {
            knob.mapping.present = value;
            knob.holds = false;
            (knob.owed, knob.untold) = (false, false);
        }
    }

    /// Sends what had no room in quanta before this one.
    pub fn settle(&mut self, to: &mut EventBuffer) {
        for knob in self.knobs.iter_mut().filter(|knob| knob.owed) {
            knob.owed = !send(knob, 0, to);
        }
    }

    /// Calls `tell(parameter, value)` for each parameter that knobs have moved since; what it refuses is told later.
    pub fn tell(&mut self, mut tell: impl FnMut(u32, f64) -> bool) {
        for knob in self.knobs.iter_mut().filter(|knob| knob.untold) {
            knob.untold = !tell(knob.mapping.parameter, knob.mapping.present);
        }
    }

    /// Whether nothing waits for room.
    pub fn is_settled(&self) -> bool {
        !self.knobs.iter().any(|knob| knob.owed || knob.untold)
    }

    /// Moves what the event moves. Returns whether it was meant for a mapping, and not for the plugin itself.
    pub fn take(&mut self, time: u32, event: Event, to: &mut EventBuffer) -> bool {
        match event {
            Event::ControlChange { channel, controller, value } => {
                self.control(time, channel & 15, controller, value, to)
            }
            Event::PitchBend { channel, value } => {
                let position = (f64::from(value) + 8192.0) / FOURTEEN_BITS;
                self.turn(time, channel, to, |knob| knob.source == MapSource::PitchBend, |_| position)
            }
            Event::ChannelPressure { channel, pressure } => {
                let position = f64::from(pressure) / SEVEN_BITS;
                self.turn(time, channel, to, |knob| knob.source == MapSource::ChannelPressure, |_| position)
            }
            _ => false,
        }
    }

    fn control(&mut self, time: u32, channel: u8, controller: u8, value: u8, to: &mut EventBuffer) -> bool {
        let state = &mut self.channels[usize::from(channel)];
        match controller {
            // A new high part begins with a low part of zero (MIDI 1.0, control change messages).
            0..=31 => {
                state.high[usize::from(controller)] = value;
                state.low[usize::from(controller)] = 0;
            }
            32..=63 => state.low[usize::from(controller - 32)] = value,
            98 | 99 => {
                // Which of the two has come since another kind of parameter was chosen, the other one is from before.
                state.selection = Selection::NonRegistered;
                if controller == 99 { state.parameter.0 = value } else { state.parameter.1 = value }
            }
            100 | 101 => state.selection = Selection::Registered,
            _ => {}
        }
        let state = *state;
        let plain = |it: &Mapping| it.source == MapSource::Controller(controller);
        let mut taken = self.turn(time, channel, to, plain, |_| f64::from(value) / SEVEN_BITS);
        if controller < 64 {
            let pair = controller & 31;
            let value = f64::from(fourteen_bits(state.high[usize::from(pair)], state.low[usize::from(pair)]));
            let listens = |it: &Mapping| it.source == MapSource::ControllerPair(pair);
            taken |= self.turn(time, channel, to, listens, |_| value / FOURTEEN_BITS);
        }
        if matches!(controller, 6 | 38 | 96 | 97) && state.selection == Selection::NonRegistered {
            taken |= self.data_entry(time, channel, controller, value, to);
        }
        taken
    }

    fn data_entry(
        &mut self,
        time: u32,
        channel: u8,
        controller: u8,
        value: u8,
        to: &mut EventBuffer,
    ) -> bool {
        let (high, low) = self.channels[usize::from(channel)].parameter;
        let number = fourteen_bits(high, low);
        // 127 and 127 is no parameter.
        if number == fourteen_bits(127, 127) {
            return false;
        }
        let listens =
            |it: &Mapping| matches!(it.source, MapSource::Nrpn { parameter, .. } if parameter == number);
        self.turn(time, channel, to, listens, |knob| {
            let fine = knob.mapping.source.step() < 1.0 / SEVEN_BITS;
            let data = &mut knob.data[usize::from(channel)];
            *data = entered(*data, fine, controller, value);
            match fine {
                true => f64::from(fourteen_bits(data.0, data.1)) / FOURTEEN_BITS,
                false => f64::from(data.0) / SEVEN_BITS,
            }
        })
    }

    /// Turns every knob that listens to where `position` says. Returns whether one does.
    fn turn(
        &mut self,
        time: u32,
        channel: u8,
        to: &mut EventBuffer,
        listens: impl Fn(&Mapping) -> bool,
        position: impl Fn(&mut Knob) -> f64,
    ) -> bool {
        let mut taken = false;
        for index in 0..self.knobs.len() {
            let knob = &mut self.knobs[index];
            if knob.mapping.channels & (1 << (channel & 15)) == 0 || !listens(&knob.mapping) {
                continue;
            }
            taken = true;
            let position = position(knob);
            if knob.turn(position) {
                knob.untold = true;
                knob.owed = !send(knob, time, to);
                let Mapping { parameter, present, .. } = knob.mapping;
                let others = self.knobs.iter_mut().enumerate().filter(|(other, _)| *other != index);
                for (_, other) in others.filter(|(_, other)| other.mapping.parameter == parameter) {
                    other.holds &= other.mapping.present == present;
                    other.mapping.present = present;
                    (other.owed, other.untold) = (false, false);
                }
            }
        }
        taken
    }
}

fn fourteen_bits(high: u8, low: u8) -> u16 {
    u16::from(high & 127) << 7 | u16::from(low & 127)
}

/// Data entry after a message of data entry, increment or decrement; those go by the smallest step that counts.
fn entered((high, low): (u8, u8), fine: bool, controller: u8, value: u8) -> (u8, u8) {
    let step = if fine { 1 } else { 1 << 7 };
    let now = fourteen_bits(high, low);
    let moved = match controller {
        6 => return (value, 0),
        38 => return (high, value),
        96 => (now + step).min(fourteen_bits(127, if fine { 127 } else { 0 })),
        _ => now.saturating_sub(step),
    };
    ((moved >> 7) as u8, (moved & 127) as u8)
}

fn send(knob: &Knob, time: u32, to: &mut EventBuffer) -> bool {
    let event = Event::Parameter { id: knob.mapping.parameter, value: knob.mapping.present };
    to.push(TimedEvent { time, port: 0, event }).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANY_CHANNEL: u16 = u16::MAX;

    fn mapping(source: MapSource) -> Mapping {
        Mapping {
            source,
            channels: ANY_CHANNEL,
            parameter: 7,
            at_lowest: 0.0,
            at_highest: 1.0,
            pick_up: false,
            present: 0.0,
        }
    }

    fn mapper(mappings: &[Mapping]) -> Mapper {
        let mut map = MidiMap::default();
        mappings.iter().for_each(|mapping| map.push(*mapping).unwrap());
        Mapper::new(&map)
    }

    fn control(channel: u8, controller: u8, value: u8) -> Event {
        Event::ControlChange { channel, controller, value }
    }

    /// What the parameters are set to by these events, and which of these were taken.
    fn moved(mapper: &mut Mapper, events: &[Event]) -> (Vec<f64>, Vec<bool>) {
        let mut to = EventBuffer::with_capacity(4096);
        let taken = events.iter().map(|event| mapper.take(0, *event, &mut to)).collect();
        let value = |it: &TimedEvent| match it.event {
            Event::Parameter { value, .. } => value,
            other => panic!("{other:?}"),
        };
        (to.as_slice().iter().map(value).collect(), taken)
    }

    proptest! {
        /// High and low part in any order: the value is the last high part with the low part that came behind it.
        #[test]
        fn a_pair_of_controllers_is_what_the_specification_makes_of_it(
            messages in prop::collection::vec((any::<bool>(), 0u8..128, 0u8..2), 1..60),
        ) {
            let mut mapper = mapper(&[mapping(MapSource::ControllerPair(1))]);
            let mut state = [(0u8, 0u8); 2];
            for (is_high, value, channel) in messages {
                let of_channel = &mut state[usize::from(channel)];
                *of_channel = if is_high { (value, 0) } else { (of_channel.0, value) };
                let number = u32::from(of_channel.0) * 128 + u32::from(of_channel.1);
                let event = control(channel, if is_high { 1 } else { 33 }, value);
                let (values, taken) = moved(&mut mapper, &[event]);
                prop_assert_eq!(values, [f64::from(number) / 16383.0]);
                prop_assert_eq!(taken, [true]);
            }
        }

        /// A parameter stays chosen for all data entry that follows, channel by channel, until another one is.
        #[test]
        fn data_entry_goes_to_the_parameter_chosen_last(
            messages in prop::collection::vec(
                (prop_oneof![Just(6u8), Just(38), Just(96), Just(97), Just(98), Just(99), Just(100), Just(101)],
                 prop_oneof![2 => 0u8..2, 1 => Just(127), 1 => 0u8..128], 0u8..2),
                1..200),
        ) {
            // By the letter of the specification: numbers, not bytes.
            let number = 128 + 1;
            let mut mapper = mapper(&[mapping(MapSource::Nrpn { parameter: number, fine: true })]);
            let mut chosen = [None; 2];
            let mut last = [(127u16, 127u16); 2];
            let mut value = [0u16; 2];
            for (controller, byte, channel) in messages {
                let at = usize::from(channel);
                match controller {
                    98 => { last[at].1 = byte.into(); chosen[at] = Some(last[at].0 * 128 + last[at].1); }
                    99 => { last[at].0 = byte.into(); chosen[at] = Some(last[at].0 * 128 + last[at].1); }
                    100 | 101 => chosen[at] = None,
                    _ => {}
                }
                let goes_there = matches!(controller, 6 | 38 | 96 | 97) && chosen[at] == Some(number);
                if goes_there {
                    value[at] = match controller {
                        6 => u16::from(byte) * 128,
                        38 => value[at] / 128 * 128 + u16::from(byte),
                        96 => (value[at] + 1).min(16383),
                        _ => value[at].saturating_sub(1),
                    };
                }
                let (values, taken) = moved(&mut mapper, &[control(channel, controller, byte)]);
                prop_assert_eq!(taken, [goes_there]);
                let expected = goes_there.then(|| f64::from(value[at]) / 16383.0);
                prop_assert_eq!(values, Vec::from_iter(expected));
            }
        }

        /// However a knob is turned, the parameter never moves by more than the knob and never before they meet.
        #[test]
        fn a_knob_takes_hold_only_where_it_meets_the_value(
            present in -1.0f64..2.0, inverted in any::<bool>(), turns in prop::collection::vec(0u8..128, 1..100),
        ) {
            let (at_lowest, at_highest) = if inverted { (1.0, 0.0) } else { (0.0, 1.0) };
            let knob = Mapping { pick_up: true, present, at_lowest, at_highest, ..mapping(MapSource::Controller(74)) };
            let mut mapper = mapper(&[knob]);
            let target = present.clamp(0.0, 1.0);
            let place = |turn: u8| {
                let part = f64::from(turn) / 127.0;
                if inverted { 1.0 - part } else { part }
            };
            let mut holds = false;
            let mut before: Option<f64> = None;
            for turn in turns {
                let at = place(turn);
                let (low, high) = (before.unwrap_or(at).min(at), before.unwrap_or(at).max(at));
                let meets = (low <= target && target <= high) || (at - target).abs() <= 0.5 / 127.0 + 1e-12;
                let (values, taken) = moved(&mut mapper, &[control(3, 74, turn)]);
                prop_assert_eq!(taken, [true]);
                let moves = values.first().copied();
                prop_assert!(moves.is_none() || holds || meets, "{moves:?} at {at}, which does not meet {target}");
                holds |= moves.is_some();
                prop_assert!(!holds || moves.is_some_and(|value| (value - at).abs() < 1e-12));
                before = Some(at);
            }
            // From one end to the other it meets any value.
            moved(&mut mapper, &[control(3, 74, 0)]);
            prop_assert_eq!(moved(&mut mapper, &[control(3, 74, 127)]).0, [at_highest]);
        }
    }

    #[test]
    fn a_value_moved_by_somebody_else_is_waited_for_again() {
        let knob = Mapping { pick_up: true, present: 0.0, ..mapping(MapSource::Controller(74)) };
        let mut mapper = mapper(&[knob]);
        assert_eq!(moved(&mut mapper, &[control(0, 74, 0), control(0, 74, 127)]).0, [0.0, 1.0]);
        mapper.present(7, 1.0);
        assert_eq!(moved(&mut mapper, &[control(0, 74, 0)]).0, [0.0], "nothing has changed: it holds");
        mapper.present(7, 0.5);
        assert_eq!(moved(&mut mapper, &[control(0, 74, 20), control(0, 74, 60)]).0, [], "not yet");
        assert_eq!(moved(&mut mapper, &[control(0, 74, 70)]).0, [70.0 / 127.0]);
        // Without pick-up it jumps.
        mapper.set_map(&MidiMap { mappings: [Mapping { pick_up: false, ..knob }].into_iter().collect() });
        assert_eq!(moved(&mut mapper, &[control(0, 74, 1)]).0, [1.0 / 127.0]);
    }

    #[test]
    fn a_map_that_changes_elsewhere_leaves_hold_where_it_was() {
        let knob = Mapping { pick_up: true, present: 0.5, ..mapping(MapSource::Controller(74)) };
        let other = Mapping { parameter: 8, ..mapping(MapSource::PitchBend) };
        let mut mapper = mapper(&[knob]);
        moved(&mut mapper, &[control(0, 74, 0), control(0, 74, 127)]);
        mapper.set_map(&MidiMap { mappings: [other, knob].into_iter().collect() });
        assert_eq!(moved(&mut mapper, &[control(0, 74, 3)]).0, [3.0 / 127.0], "it still holds");
        let wider = Mapping { at_highest: 2.0, ..knob };
        mapper.set_map(&MidiMap { mappings: [wider].into_iter().collect() });
        assert_eq!(
            moved(&mut mapper, &[control(0, 74, 10)]).0,
            [],
            "another knob, which has to meet the value"
        );
    }

    #[test]
    fn ranges_are_exact_at_both_ends_and_go_either_way() {
        let bend = |value| Event::PitchBend { channel: 0, value };
        let pressure = |pressure| Event::ChannelPressure { channel: 0, pressure };
        let cases = [
            (MapSource::Controller(7), vec![control(0, 7, 0), control(0, 7, 127)]),
            (MapSource::PitchBend, vec![bend(-8192), bend(8191)]),
            (MapSource::ChannelPressure, vec![pressure(0), pressure(127)]),
            (MapSource::ControllerPair(0), vec![control(0, 32, 0), control(0, 0, 127), control(0, 32, 127)]),
        ];
        for (source, events) in cases {
            for (at_lowest, at_highest) in [(-60.0, 6.0), (0.1, 0.3), (20_000.0, 20.0)] {
                let mut mapper = mapper(&[Mapping { at_lowest, at_highest, ..mapping(source) }]);
                let (values, taken) = moved(&mut mapper, &events);
                assert_eq!((values[0], *values.last().unwrap()), (at_lowest, at_highest), "{source:?}");
                assert!(taken.iter().all(|it| *it));
            }
        }
        // Seven bits of data entry reach the end as well.
        let mut mapper = mapper(&[mapping(MapSource::Nrpn { parameter: 3, fine: false })]);
        let choose = [control(0, 99, 0), control(0, 98, 3)];
        assert_eq!(
            moved(&mut mapper, &choose).1,
            [false, false],
            "the plugin may choose parameters of its own"
        );
        assert_eq!(
            moved(&mut mapper, &[control(0, 6, 127), control(0, 38, 9), control(0, 96, 0)]).0,
            [1.0; 3]
        );
        assert_eq!(moved(&mut mapper, &[control(0, 97, 0)]).0, [126.0 / 127.0]);
    }

    #[test]
    fn what_has_no_room_is_sent_and_told_later_and_only_the_last_value() {
        let mut mapper = mapper(&[mapping(MapSource::Controller(1))]);
        let mut full = EventBuffer::with_capacity(0);
        for value in [1, 2, 127] {
            assert!(mapper.take(0, control(0, 1, value), &mut full));
        }
        mapper.tell(|_, _| false);
        assert!(!mapper.is_settled());
        let mut to = EventBuffer::with_capacity(16);
        mapper.settle(&mut to);
        let event = Event::Parameter { id: 7, value: 1.0 };
        assert_eq!(to.as_slice(), [TimedEvent { time: 0, port: 0, event }]);
        let mut told = vec![];
        mapper.tell(|parameter, value| {
            told.push((parameter, value));
            true
        });
        assert_eq!((told, mapper.is_settled()), (vec![(7, 1.0)], true));
    }

    #[test]
    fn mappings_that_cannot_be_are_refused_and_so_is_one_too_many() {
        let mut map = MidiMap::default();
        for source in [
            MapSource::Controller(120),
            MapSource::ControllerPair(32),
            MapSource::Nrpn { parameter: 16384, fine: true },
        ] {
            assert_eq!(map.push(mapping(source)), Err(Full), "{source:?}");
        }
        let nan = Mapping { at_highest: f64::NAN, ..mapping(MapSource::PitchBend) };
        assert_eq!(map.push(nan), Err(Full));
        (0..MAX_MAPPINGS).for_each(|_| map.push(mapping(MapSource::PitchBend)).unwrap());
        assert_eq!(map.push(mapping(MapSource::PitchBend)), Err(Full));
    }
}
