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
mod tests;
