use arrayvec::ArrayVec;
use kmidi_core::Event;
use kmidi_core::limits::MIDI_CHANNELS;

/// Registered and non-registered parameters of one channel that are kept; of more, the newest are left out.
const MAX_PARAMETERS: usize = 32;
/// Of a half of a parameter that was never set.
const UNSET: u8 = 0xff;
/// What makes up one channel, in the order in which it is told; see [`Channel::item`].
const ITEMS: usize = 4 + 128 + 4 * MAX_PARAMETERS + 7;

/// What a song has told the channels of one MIDI port so far, notes and SysEx aside: what somebody has to be told who
/// begins to listen in the middle of it. `[side A]`
#[derive(Clone)]
pub(crate) struct Told {
    channels: [Channel; MIDI_CHANNELS],
    /// Channels that have been told anything, a bit each.
    touched: u16,
}

#[derive(Clone)]
struct Channel {
    /// Which of `controllers` have been set.
    set: u128,
    controllers: [u8; 128],
    /// As selected by now; it waits for a program change.
    bank: [u8; 2],
    program: Option<Program>,
    parameters: ArrayVec<Parameter, MAX_PARAMETERS>,
    selected: Selected,
    /// Controller 126 or 127, and its value.
    mode: Option<(u8, u8)>,
    bend: Option<i16>,
    pressure: Option<u8>,
}

/// A program, and the bank that it is of.
#[derive(Clone, Copy)]
struct Program {
    bank: [u8; 2],
    program: u8,
}

/// Which parameter data entry goes to: its number's halves, 127 and 127 for none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Selected {
    is_registered: bool,
    msb: u8,
    lsb: u8,
}

impl Selected {
    const NONE: Self = Selected { is_registered: true, msb: 127, lsb: 127 };

    /// The controllers that select it, and their values.
    fn controllers(self) -> [(u8, u8); 2] {
        let (msb, lsb) = if self.is_registered { (101, 100) } else { (99, 98) };
        [(msb, self.msb), (lsb, self.lsb)]
    }
}

#[derive(Clone, Copy)]
struct Parameter {
    of: Selected,
    msb: u8,
    lsb: u8,
}

impl Told {
    /// Nothing yet.
    pub const fn nothing() -> Self {
        Told { channels: [const { Channel::nothing() }; MIDI_CHANNELS], touched: 0 }
    }

    /// The song has sent this.
    pub fn take(&mut self, event: &Event) {
        let Some(number) = event.channel().filter(|channel| usize::from(*channel) < MIDI_CHANNELS) else {
            return;
        };
        let channel = &mut self.channels[usize::from(number)];
        match *event {
            Event::ControlChange { controller, value, .. } => channel.controller(controller & 127, value),
            Event::ProgramChange { program, .. } => {
                channel.program = Some(Program { bank: channel.bank, program });
            }
            Event::PitchBend { value, .. } => channel.bend = Some(value),
            Event::ChannelPressure { pressure, .. } => channel.pressure = Some(pressure),
            _ => return,
        }
        self.touched |= 1 << number;
    }

    /// The receivers have been put back to where they begin.
    pub fn forget(&mut self) {
        if self.touched != 0 {
            *self = Told::nothing();
        }
    }
}

impl Channel {
    const fn nothing() -> Self {
        Channel {
            set: 0,
            controllers: [0; 128],
            bank: [0; 2],
            program: None,
            parameters: ArrayVec::new_const(),
            selected: Selected::NONE,
            mode: None,
            bend: None,
            pressure: None,
        }
    }

    fn controller(&mut self, controller: u8, value: u8) {
        match controller {
            0 => self.bank[0] = value,
            32 => self.bank[1] = value,
            6 => self.enter(|entry| (entry.msb, entry.lsb) = (value, UNSET)),
            38 => self.enter(|entry| entry.lsb = value),
            96 => self.enter(|entry| entry.msb = (entry.msb_or_default() + 1).min(127)),
            97 => self.enter(|entry| entry.msb = entry.msb_or_default().saturating_sub(1)),
            98..=101 => self.select(controller, value),
            121 => self.reset_controllers(),
            126 | 127 => self.mode = Some((controller, value)),
            // Meant for the next note alone, or for what sounds.
            84 | 88 | 120..=125 => {}
            _ => {
                self.controllers[usize::from(controller)] = value;
                self.set |= 1 << controller;
            }
        }
    }

    fn select(&mut self, controller: u8, value: u8) {
        let is_registered = controller >= 100;
        let is_msb = controller % 2 == 1;
        let Selected { msb, lsb, .. } = match self.selected.is_registered == is_registered {
            true => self.selected,
            false => Selected::NONE,
        };
        let (msb, lsb) = if is_msb { (value, lsb) } else { (msb, value) };
        let chosen = Selected { is_registered, msb, lsb };
        self.selected = if (msb, lsb) == (127, 127) { Selected::NONE } else { chosen };
    }

    /// Data entry.
    fn enter(&mut self, change: impl FnOnce(&mut Parameter)) {
        let of = self.selected;
        if of == Selected::NONE {
            return;
        }
        if let Some(known) = self.parameters.iter_mut().find(|it| it.of == of) {
            return change(known);
        }
        let mut new = Parameter { of, msb: UNSET, lsb: UNSET };
        change(&mut new);
        let _ = self.parameters.try_push(new);
    }

    /// Reset All Controllers, as RP-015 of the MIDI Association limits it.
    fn reset_controllers(&mut self) {
        const STAY: u128 = 1 << 7 | 1 << 39 | 1 << 10 | 1 << 42 | 0x3ff << 70 | 0x1f << 91;
        self.set &= STAY;
        self.bend = self.bend.map(|_| 0);
        self.pressure = self.pressure.map(|_| 0);
        self.selected = Selected::NONE;
    }

    /// What is to be told in this place, if anything: all back, program, controllers, parameters, and what has no part in
    /// the order of the rest.
    fn item(&self, at: usize, channel: u8) -> Option<Event> {
        const CONTROLLERS: usize = 4;
        const PARAMETERS: usize = CONTROLLERS + 128;
        const REST: usize = PARAMETERS + 4 * MAX_PARAMETERS;
        let control = |controller, value| Event::ControlChange { channel, controller, value };
        let bank = |half: usize| control(if half == 0 { 0 } else { 32 }, self.bank[half]);
        match at {
            0 => Some(control(121, 0)),
            1 => self.program.map(|it| control(0, it.bank[0])),
            2 => self.program.map(|it| control(32, it.bank[1])),
            3 => self.program.map(|it| Event::ProgramChange { channel, program: it.program }),
            CONTROLLERS..PARAMETERS => {
                let controller = at - CONTROLLERS;
                let is_set = self.set >> controller & 1 == 1;
                is_set.then(|| control(controller as u8, self.controllers[controller]))
            }
            PARAMETERS..REST => {
                let (number, part) = ((at - PARAMETERS) / 4, (at - PARAMETERS) % 4);
                let entry = self.parameters.get(number)?;
                let [msb, lsb] = entry.of.controllers();
                let (controller, value) = [msb, lsb, (6, entry.msb), (38, entry.lsb)][part];
                (value != UNSET).then(|| control(controller, value))
            }
            // A bank that waits for its program.
            REST => (self.program.map(|it| it.bank[0]).unwrap_or(0) != self.bank[0]).then(|| bank(0)),
            _ if at == REST + 1 => {
                (self.program.map(|it| it.bank[1]).unwrap_or(0) != self.bank[1]).then(|| bank(1))
            }
            _ if at <= REST + 3 => {
                let (controller, value) = self.selected.controllers()[at - REST - 2];
                Some(control(controller, value))
            }
            _ if at == REST + 4 => self.mode.map(|(controller, value)| control(controller, value)),
            _ if at == REST + 5 => self.bend.map(|value| Event::PitchBend { channel, value }),
            _ => self.pressure.map(|pressure| Event::ChannelPressure { channel, pressure }),
        }
    }
}

impl Parameter {
    /// Where those parameters are that nothing has set and that every receiver has: bend range, tuning, modulation depth.
    fn msb_or_default(&self) -> u8 {
        if self.msb != UNSET {
            return self.msb;
        }
        match (self.of.is_registered, self.of.msb, self.of.lsb) {
            (true, 0, 0) => 2,
            (true, 0, 1 | 2) => 64,
            _ => 0,
        }
    }
}

/// Somebody who has begun to listen to a port, and what is left to tell. `[side A]` except [`Joining::new`].
pub(crate) struct Joining {
    told: Box<Told>,
    /// Channels to tell of, a bit each.
    channels: u16,
    /// The next place to look at.
    at: usize,
}

impl Joining {
    /// `[side B]` Nothing to tell, until it is known where the song is.
    #[allow(clippy::disallowed_methods, reason = "side B makes it")]
    pub fn new() -> Self {
        Joining { told: Box::new(Told::nothing()), channels: 0, at: 0 }
    }

    /// Tells of these channels, from the next event on.
    pub fn begin(&mut self, told: &Told, channels: u16) {
        self.channels = channels & told.touched;
        self.at = 0;
        if self.channels != 0 {
            *self.told = told.clone();
        }
    }

    /// The next event to tell, without taking it.
    pub fn peek(&mut self) -> Option<Event> {
        while self.channels != 0 {
            let channel = self.channels.trailing_zeros() as usize;
            while self.at < ITEMS {
                if let Some(event) = self.told.channels[channel].item(self.at, channel as u8) {
                    return Some(event);
                }
                self.at += 1;
            }
            self.channels &= self.channels - 1;
            self.at = 0;
        }
        None
    }

    /// Channels that have not been told of in full.
    pub fn rest(&self) -> u16 {
        self.channels
    }

    /// It has been told.
    pub fn take(&mut self) {
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(channel: u8, controller: u8, value: u8) -> Event {
        Event::ControlChange { channel, controller, value }
    }

    fn told(events: &[Event]) -> Told {
        let mut told = Told::nothing();
        events.iter().for_each(|event| told.take(event));
        told
    }

    fn all(told: &Told, channels: u16) -> Vec<Event> {
        let mut joining = Joining::new();
        joining.begin(told, channels);
        std::iter::from_fn(|| joining.peek().inspect(|_| joining.take())).collect()
    }

    #[test]
    fn who_joins_is_told_what_holds_and_nothing_of_other_channels() {
        let song = [
            control(3, 0, 8),
            Event::ProgramChange { channel: 3, program: 40 },
            Event::note_on(3, 60, 100),
            control(3, 7, 90),
            control(3, 7, 80),
            control(3, 101, 0),
            control(3, 100, 0),
            control(3, 6, 12),
            control(3, 120, 0),
            Event::PitchBend { channel: 3, value: -77 },
            control(4, 7, 1),
        ];
        let expected = [
            control(3, 121, 0),
            control(3, 0, 8),
            control(3, 32, 0),
            Event::ProgramChange { channel: 3, program: 40 },
            control(3, 7, 80),
            control(3, 101, 0),
            control(3, 100, 0),
            control(3, 6, 12),
            control(3, 101, 0),
            control(3, 100, 0),
            Event::PitchBend { channel: 3, value: -77 },
        ];
        assert_eq!(all(&told(&song), 1 << 3), expected);
        assert_eq!(all(&told(&song), 1 << 9), []);
    }

    fn event() -> impl Strategy<Value = Event> {
        let data = (0..16u8, 0..8usize, 0..3u8);
        prop_oneof![
            (0..16u8, 0..128u8).prop_map(|(channel, program)| Event::ProgramChange { channel, program }),
            (0..16u8, -64..64i16).prop_map(|(channel, value)| Event::PitchBend { channel, value }),
            (0..16u8, 0..128u8).prop_map(|(channel, pressure)| Event::ChannelPressure { channel, pressure }),
            data.prop_map(|(channel, at, value)| control(
                channel,
                [6, 38, 96, 97, 98, 99, 100, 101][at],
                value
            )),
            (0..16u8, 0..5usize, 0..128u8).prop_map(|(channel, at, value)| control(
                channel,
                [0, 32, 121, 126, 127][at],
                value
            )),
            (0..16u8, 0..128u8, 0..128u8).prop_map(|(channel, it, value)| control(channel, it, value)),
        ]
    }

    proptest! {
        #[test]
        fn what_was_told_told_again_says_the_same(song in prop::collection::vec(event(), 0..400)) {
            let once = all(&told(&song), u16::MAX);
            prop_assert_eq!(all(&told(&once), u16::MAX), once);
        }
    }

    #[test]
    fn a_song_that_goes_back_is_told_from_there() {
        let mut told = told(&[control(0, 7, 9)]);
        told.forget();
        assert_eq!(all(&told, u16::MAX), []);
    }

    #[test]
    fn more_parameters_than_are_kept_harm_nobody() {
        let mut told = Told::nothing();
        for number in 0..=255u8 {
            for event in [control(0, 99, number >> 7), control(0, 98, number & 127), control(0, 6, 1)] {
                told.take(&event);
            }
        }
        let entries = all(&told, 1).iter().filter(|event| **event == control(0, 6, 1)).count();
        assert_eq!(entries, MAX_PARAMETERS);
    }
}
