//! The chase: any synthesiser, whatever it has heard, ends in the state it would have after hearing
//! the song up to there.
#![forbid(unsafe_code)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::index;
use kmidi_core::{Event, Ticks};
use kmidi_song::{ChannelState, ChaseMessage, Chaser, EventStream, Message, SystemMode};
use proptest::prelude::*;

/// A synthesiser that remembers everything, written without a look at how the chase works. It keeps
/// what it was told under a name, and a system reset brings everything back.
#[derive(Clone, Debug, PartialEq)]
struct Receiver {
    mode: SystemMode,
    values: BTreeMap<String, u32>,
}

impl Receiver {
    fn power_on(mode: SystemMode) -> Self {
        let mut values = BTreeMap::new();
        for channel in 0..16 {
            for controller in 0..120 {
                values.insert(format!("{channel} cc {controller:03}"), start_value(controller));
            }
            for (rpn, value) in [(0, 2 << 7), (1, 64 << 7), (2, 64 << 7), (5, 64)] {
                values.insert(format!("{channel} rpn 0 {rpn}"), value);
            }
            for name in ["program", "program bank", "bend", "pressure", "mono"] {
                values.insert(format!("{channel} {name}"), 0);
            }
            for key in 0..128 {
                values.insert(format!("{channel} key {key}"), 0);
            }
            values.insert(format!("{channel} selected"), u32::MAX);
        }
        Receiver { mode, values }
    }

    fn set(&mut self, channel: u8, name: &str, value: u32) {
        self.values.insert(format!("{channel} {name}"), value);
    }

    fn get(&self, channel: u8, name: &str) -> u32 {
        self.values[&format!("{channel} {name}")]
    }

    fn hear(&mut self, message: ChaseMessage<'_>) {
        match message {
            ChaseMessage::SysEx(bytes) => {
                for mode in [SystemMode::Gm, SystemMode::Gm2, SystemMode::Gs, SystemMode::Xg, SystemMode::Off]
                {
                    if bytes == mode.message() {
                        *self = Receiver::power_on(mode);
                        return;
                    }
                }
                match *bytes {
                    // GS part volume: the same thing as controller 7 of that channel.
                    [0xf0, 0x41, _, 0x42, 0x12, 0x40, part, 0x19, value, ..] => {
                        self.set(part - 0x11, "cc 007", value.into());
                    }
                    [0xf0, 0x7f, _, 0x04, 0x01, low, high, 0xf7] => {
                        self.values.insert("volume".into(), u32::from(high) << 7 | u32::from(low));
                    }
                    _ => {}
                }
            }
            ChaseMessage::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::ControlChange { channel, controller: 121, .. } => self.reset_controllers(channel),
            Event::ControlChange { channel, controller: 126, value } => {
                self.set(channel, "mono", u32::from(value) + 1);
            }
            Event::ControlChange { channel, controller: 127, .. } => self.set(channel, "mono", 0),
            Event::ControlChange { controller: 84 | 88 | 120..=125, .. } => {}
            Event::ControlChange { channel, controller, value } => {
                let value = u32::from(value);
                let selected = self.get(channel, "selected");
                let parameter = |selected: u32| {
                    let kind = if selected >> 16 == 0 { "rpn" } else { "nrpn" };
                    format!("{kind} {} {}", selected >> 8 & 127, selected & 127)
                };
                match controller {
                    98..=101 => {
                        let kind = if controller < 100 { 1 << 16 } else { 0 };
                        let same = selected != u32::MAX && selected >> 16 == kind >> 16;
                        let (msb, lsb) =
                            if same { (selected >> 8 & 127, selected & 127) } else { (127, 127) };
                        let (msb, lsb) = if controller % 2 == 1 { (value, lsb) } else { (msb, value) };
                        let null = (msb, lsb) == (127, 127);
                        self.set(channel, "selected", if null { u32::MAX } else { kind | msb << 8 | lsb });
                    }
                    6 if selected != u32::MAX => self.set(channel, &parameter(selected), value << 7),
                    38 if selected != u32::MAX => {
                        let name = parameter(selected);
                        let old = *self.values.get(&format!("{channel} {name}")).unwrap_or(&(64 << 7));
                        self.set(channel, &name, old & !127 | value);
                    }
                    6 | 38 | 96 | 97 => {}
                    _ => self.set(channel, &format!("cc {controller:03}"), value),
                }
            }
            Event::ProgramChange { channel, program } => {
                let bank = self.get(channel, "cc 000") << 7 | self.get(channel, "cc 032");
                self.set(channel, "program", program.into());
                self.set(channel, "program bank", bank);
            }
            Event::PitchBend { channel, value } => self.set(channel, "bend", value as u32),
            Event::ChannelPressure { channel, pressure } => self.set(channel, "pressure", pressure.into()),
            Event::PolyPressure { channel, key, pressure } => {
                self.set(channel, &format!("key {key}"), pressure.into());
            }
            _ => {}
        }
    }

    fn reset_controllers(&mut self, channel: u8) {
        for controller in 0..120u32 {
            if !matches!(controller, 0 | 32 | 7 | 39 | 10 | 42 | 70..=79 | 91..=95) {
                self.set(channel, &format!("cc {controller:03}"), start_value(controller));
            }
        }
        for key in 0..128 {
            self.set(channel, &format!("key {key}"), 0);
        }
        self.set(channel, "bend", 0);
        self.set(channel, "pressure", 0);
        self.set(channel, "selected", u32::MAX);
    }
}

fn start_value(controller: u32) -> u32 {
    match controller {
        7 => 100,
        8 | 10 | 70..=79 => 64,
        11 => 127,
        91 => 40,
        _ => 0,
    }
}

#[derive(Clone, Debug)]
enum Said {
    Event(Event),
    SysEx(Vec<u8>),
}

impl Said {
    fn message(&self) -> ChaseMessage<'_> {
        match self {
            Said::Event(event) => ChaseMessage::Event(*event),
            Said::SysEx(bytes) => ChaseMessage::SysEx(bytes),
        }
    }
}

/// Few channels and values, so that things meet.
fn said() -> impl Strategy<Value = Said> {
    let channel = 0u8..3;
    let controller = prop_oneof![
        4 => prop_oneof![Just(0u8), Just(6), Just(32), Just(38), 98u8..=101, Just(7), Just(64), Just(74)],
        2 => 0u8..96,
        1 => 120u8..=127,
    ];
    let event = prop_oneof![
        12 => (channel.clone(), controller, prop_oneof![0u8..4, 0u8..128])
            .prop_map(|(channel, controller, value)| Event::ControlChange { channel, controller, value }),
        2 => (channel.clone(), 0u8..128).prop_map(|(channel, program)| Event::ProgramChange { channel, program }),
        1 => (channel.clone(), -8192i16..8192).prop_map(|(channel, value)| Event::PitchBend { channel, value }),
        1 => (channel.clone(), 0u8..128)
            .prop_map(|(channel, pressure)| Event::ChannelPressure { channel, pressure }),
        1 => (channel, 0u8..128, 0u8..128)
            .prop_map(|(channel, key, pressure)| Event::PolyPressure { channel, key, pressure }),
    ];
    let mode = prop_oneof![
        Just(SystemMode::Gm),
        Just(SystemMode::Gs),
        Just(SystemMode::Xg),
        Just(SystemMode::Gm2),
        Just(SystemMode::Off)
    ];
    prop_oneof![
        40 => event.prop_map(Said::Event),
        1 => mode.prop_map(|mode| Said::SysEx(mode.message().to_vec())),
        2 => (0u8..3, 0u8..128).prop_map(|(channel, value)| {
            Said::SysEx(vec![0xf0, 0x41, 0x10, 0x42, 0x12, 0x40, 0x11 + channel, 0x19, value, 0, 0xf7])
        }),
        1 => (0u8..128).prop_map(|high| Said::SysEx(vec![0xf0, 0x7f, 0x7f, 0x04, 0x01, 0, high, 0xf7])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_chase_brings_any_receiver_to_the_state_of_the_song(
        before in proptest::collection::vec(said(), 0..40),
        song in proptest::collection::vec(said(), 0..60),
        // Channels that the song uses, maybe later; those that it never uses are left at their levels.
        later in 0u16..8,
    ) {
        let mut straight = Receiver::power_on(SystemMode::Off);
        let mut state = ChannelState::default();
        for said in &song {
            straight.hear(said.message());
            state.feed(0, said.message());
        }
        let mut sought = Receiver::power_on(SystemMode::Off);
        for said in &before {
            sought.hear(said.message());
        }
        state.chase(1, later, &mut |_, message| sought.hear(message));
        prop_assert_eq!(sought, straight);
    }
}

#[test]
fn control_without_the_chase_a_receiver_stays_where_it_was() {
    let message = Said::Event(Event::ControlChange { channel: 0, controller: 7, value: 3 });
    let mut receiver = Receiver::power_on(SystemMode::Off);
    receiver.hear(message.message());
    assert_ne!(receiver, Receiver::power_on(SystemMode::Off));
}

#[test]
fn the_mode_comes_first_and_pedals_are_held() {
    let mut state = ChannelState::default();
    state.feed(2, ChaseMessage::Event(Event::ControlChange { channel: 5, controller: 64, value: 127 }));
    let mut all = vec![];
    state.chase(3, 1 << 5, &mut |port, message| all.push((port, format!("{message:?}"))));
    let of_port_2: Vec<_> = all.iter().filter(|(port, _)| *port == 2).collect();
    assert!(of_port_2[0].1.starts_with("SysEx"));
    let pedal =
        format!("{:?}", ChaseMessage::Event(Event::ControlChange { channel: 5, controller: 64, value: 127 }));
    assert!(of_port_2.iter().any(|(_, message)| *message == pedal));
    assert!(all.iter().filter(|(port, _)| *port != 2).all(|(_, message)| *message != pedal));
}

#[test]
fn a_chase_fits_one_quantum() {
    use kmidi_core::limits::{MAX_EVENTS_PER_QUANTUM, NOTE_OFF_RESERVE, SYSEX_POOL_BYTES};
    let mut state = ChannelState::default();
    for port in 0..4 {
        for channel in 0..16 {
            for controller in 0..128 {
                state.feed(port, ChaseMessage::Event(Event::ControlChange { channel, controller, value: 1 }));
            }
        }
        for i in 0..5000u32 {
            let data = [i >> 7 & 127, i & 127].map(|b| b as u8);
            let message = [&[0xf0, 0x7d][..], &data, &[0; 20], &[0xf7]].concat();
            state.feed(port, ChaseMessage::SysEx(&message));
        }
        state.feed(port, ChaseMessage::SysEx(&[&[0xf0, 0x7d][..], &[0; 16_000], &[0xf7]].concat()));
    }
    let (mut events, mut bytes) = ([0; 4], 0);
    state.chase(4, !0, &mut |port, message| {
        events[usize::from(port)] += 1;
        if let ChaseMessage::SysEx(message) = message {
            bytes += message.len();
        }
    });
    assert!(events.iter().all(|&count| count < MAX_EVENTS_PER_QUANTUM - NOTE_OFF_RESERVE), "{events:?}");
    assert!(bytes < SYSEX_POOL_BYTES, "{bytes}");
}

/// The state at a tick, the slow way.
fn fed(bytes: &[u8], tick: i64) -> ChannelState {
    let mut stream = EventStream::new(Arc::new(index(bytes)), bytes).expect("memory");
    let mut state = ChannelState::default();
    while let Some(event) = stream.next().expect("memory") {
        if event.tick.0 >= tick {
            break;
        }
        match event.message {
            Message::Event(message) => state.feed(event.port, ChaseMessage::Event(message)),
            Message::SysEx(message) => state.feed(event.port, ChaseMessage::SysEx(message)),
            _ => {}
        }
    }
    state
}

#[test]
fn the_state_at_any_tick_is_that_of_the_events_before_it() {
    for (name, bytes) in common::files() {
        if kmidi_song::Song::from_smf(&bytes).is_err() {
            continue;
        }
        let index = Arc::new(index(&bytes));
        let end = index.end.0;
        let mut chaser = Chaser::new(index, &bytes).expect("memory");
        for tick in [end / 2, end + 5, 0, 1, end / 32 + 1, end / 32] {
            let (found, expected) = (chaser.state_at(Ticks(tick)).expect("memory"), fed(&bytes, tick));
            assert!(found == expected, "{name} at {tick}: {found:?}, not {expected:?}");
        }
    }
}
