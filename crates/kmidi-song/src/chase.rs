use std::io;
use std::sync::Arc;

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS, MIDI_KEYS, SYSEX_POOL_BYTES};
use kmidi_core::{Event, Ticks};

use crate::index::SongIndex;
use crate::parameters::Parameters;
use crate::source::ByteSource;
use crate::stream::{EventStream, Filter, Message};
use crate::sysex::{self, Meaning, SystemMode};

/// One message of a chase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChaseMessage<'a> {
    /// A channel message.
    Event(Event),
    /// A complete SysEx message, `F0` to `F7`.
    SysEx(&'a [u8]),
}

/// What a song has told a synthesiser up to some moment, notes aside: enough to bring any
/// synthesiser from any state to the one it would be in had it heard all of it. `[side B]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelState {
    /// As many ports as have been told something.
    ports: Vec<Port>,
}

/// Messages are stamped in their order, so that of a controller and a SysEx message for the same
/// thing the later one wins, whatever the receiver understands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Port {
    mode: SystemMode,
    /// Messages since the last reset that still matter, in order, with their stamps.
    sysex: Vec<(u32, Box<[u8]>)>,
    channels: Vec<Channel>,
    stamp: u32,
}

/// SysEx bytes that are kept for one port; beyond, the oldest are forgotten. Those of all ports take
/// half of the pool that carries them to the audio thread, so that none is overwritten on the way.
const MAX_SYSEX_STATE: usize = SYSEX_POOL_BYTES / MAX_MIDI_PORTS / 2;

/// Where a controller is that neither the song nor a reset of all controllers has set.
const CONTROLLER_DEFAULTS: [(u8, u8); 19] = [
    (5, 0),
    (7, 100),
    (8, 64),
    (10, 64),
    (70, 64),
    (71, 64),
    (72, 64),
    (73, 64),
    (74, 64),
    (75, 64),
    (76, 64),
    (77, 64),
    (78, 64),
    (79, 64),
    (91, 40),
    (92, 0),
    (93, 0),
    (94, 0),
    (95, 0),
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Channel {
    /// Which of `controllers` have been set since the last reset.
    set: u128,
    controllers: [u8; 128],
    stamps: [u32; 128],
    program: Option<Program>,
    bend: i16,
    pressure: u8,
    key_pressure: Option<Box<[u8; MIDI_KEYS]>>,
    parameters: Parameters,
    /// Mono with this many channels, or poly.
    mono: Option<u8>,
}

/// A program change and the bank it took effect with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Program {
    stamp: u32,
    bank: [u8; 2],
    program: u8,
}

impl Default for Channel {
    fn default() -> Self {
        Channel {
            set: 0,
            controllers: [0; 128],
            stamps: [0; 128],
            program: None,
            bend: 0,
            pressure: 0,
            key_pressure: None,
            parameters: Parameters::default(),
            mono: None,
        }
    }
}

impl Default for Port {
    fn default() -> Self {
        let channels = vec![Channel::default(); MIDI_CHANNELS];
        Port { mode: SystemMode::Off, sysex: vec![], channels, stamp: 0 }
    }
}

impl ChannelState {
    /// Takes what a song sends on a port (below [`MAX_MIDI_PORTS`]; others are not kept). Notes have
    /// no part in a state.
    pub fn feed(&mut self, port: u8, message: ChaseMessage<'_>) {
        let port = usize::from(port);
        let is_note = matches!(message, ChaseMessage::Event(Event::NoteOn { .. } | Event::NoteOff { .. }));
        if port >= MAX_MIDI_PORTS || is_note {
            return;
        }
        if port >= self.ports.len() {
            self.ports.resize_with(port + 1, Port::default);
        }
        let port = &mut self.ports[port];
        match message {
            ChaseMessage::Event(event) => port.event(event),
            ChaseMessage::SysEx(message) => port.sysex(message),
        }
    }

    /// Gives all that is to be sent, with its port, to ports `0..ports`: the system mode first, then
    /// what every channel goes back to, then what the song has set, in its order. Channels in the
    /// mask `channels` (those that the song uses) get every controller, others programs and levels.
    pub fn chase(&self, ports: u8, channels: u16, emit: &mut dyn FnMut(u8, ChaseMessage<'_>)) {
        let untouched = Port::default();
        for number in 0..ports.min(MAX_MIDI_PORTS as u8) {
            let port = self.ports.get(usize::from(number)).unwrap_or(&untouched);
            port.chase(channels, &mut |message| emit(number, message));
        }
    }
}

/// Something that the song has set, to be set again.
enum Setting<'a> {
    SysEx(&'a [u8]),
    Controller(u8, u8),
    Program(u8, Program),
    Parameter(u8, usize),
}

impl Port {
    fn event(&mut self, event: Event) {
        self.stamp = self.stamp.saturating_add(1);
        let stamp = self.stamp;
        match event {
            Event::ControlChange { channel, controller, value } => {
                self.channels[usize::from(channel & 15)].controller(stamp, controller & 127, value);
            }
            Event::ProgramChange { channel, program } => {
                let channel = &mut self.channels[usize::from(channel & 15)];
                let bank = [channel.controllers[0], channel.controllers[32]];
                channel.program = Some(Program { stamp, bank, program });
            }
            Event::PitchBend { channel, value } => self.channels[usize::from(channel & 15)].bend = value,
            Event::ChannelPressure { channel, pressure } => {
                self.channels[usize::from(channel & 15)].pressure = pressure;
            }
            Event::PolyPressure { channel, key, pressure } => {
                let channel = &mut self.channels[usize::from(channel & 15)];
                let keys = channel.key_pressure.get_or_insert_with(|| Box::new([0; MIDI_KEYS]));
                keys[usize::from(key & 127)] = pressure;
            }
            _ => {}
        }
    }

    fn sysex(&mut self, message: &[u8]) {
        if let Meaning::Mode(mode) = sysex::meaning(message) {
            *self = Port { mode, ..Port::default() };
            return;
        }
        if !sysex::is_state(message) {
            return;
        }
        self.stamp = self.stamp.saturating_add(1);
        let key = sysex::state_key(message);
        self.sysex.retain(|(_, kept)| sysex::state_key(kept) != key);
        self.sysex.push((self.stamp, message.into()));
        let mut bytes: usize = self.sysex.iter().map(|(_, message)| message.len()).sum();
        while bytes > MAX_SYSEX_STATE {
            bytes -= self.sysex.remove(0).1.len();
        }
    }

    fn chase(&self, used: u16, emit: &mut dyn FnMut(ChaseMessage<'_>)) {
        emit(ChaseMessage::SysEx(self.mode.message()));
        let is_used = |at: usize| used >> at & 1 == 1 || self.channels[at] != Channel::default();
        for (at, channel) in self.channels.iter().enumerate() {
            channel.reset(at as u8, is_used(at), &mut |event| emit(ChaseMessage::Event(event)));
        }
        for setting in self.settings() {
            match setting {
                Setting::SysEx(message) => emit(ChaseMessage::SysEx(message)),
                Setting::Controller(channel, controller) => {
                    let value = self.channels[usize::from(channel)].controllers[usize::from(controller)];
                    emit(ChaseMessage::Event(Event::ControlChange { channel, controller, value }));
                }
                Setting::Program(channel, Program { bank: [msb, lsb], program, .. }) => {
                    for (controller, value) in [(0, msb), (32, lsb)] {
                        emit(ChaseMessage::Event(Event::ControlChange { channel, controller, value }));
                    }
                    emit(ChaseMessage::Event(Event::ProgramChange { channel, program }));
                }
                Setting::Parameter(channel, at) => {
                    let parameters = &self.channels[usize::from(channel)].parameters;
                    parameters.restore(at, &mut |controller, value| {
                        emit(ChaseMessage::Event(Event::ControlChange { channel, controller, value }));
                    });
                }
            }
        }
        for (at, channel) in self.channels.iter().enumerate().filter(|&(at, _)| is_used(at)) {
            channel.finish(at as u8, &mut |event| emit(ChaseMessage::Event(event)));
        }
    }

    /// What was set, in its order.
    fn settings(&self) -> impl Iterator<Item = Setting<'_>> {
        let mut all: Vec<_> = self.sysex.iter().map(|(at, bytes)| (*at, Setting::SysEx(bytes))).collect();
        for (number, channel) in self.channels.iter().enumerate() {
            let number = number as u8;
            let controllers = (1..120u8).filter(|&c| channel.set >> c & 1 == 1 && c != 32);
            all.extend(controllers.map(|c| (channel.stamps[usize::from(c)], Setting::Controller(number, c))));
            all.extend(channel.program.map(|p| (p.stamp, Setting::Program(number, p))));
            let parameters = channel.parameters.stamps();
            all.extend(parameters.map(|(stamp, at)| (stamp, Setting::Parameter(number, at))));
        }
        all.sort_by_key(|&(stamp, _)| stamp);
        all.into_iter().map(|(_, setting)| setting)
    }
}

impl Channel {
    fn controller(&mut self, stamp: u32, controller: u8, value: u8) {
        match controller {
            6 | 38 | 96..=101 => self.parameters.controller(stamp, controller, value),
            // Meant for the next note alone.
            84 | 88 => {}
            121 => self.reset_controllers(),
            126 => self.mono = Some(value),
            127 => self.mono = None,
            120..=125 => {}
            _ => {
                self.controllers[usize::from(controller)] = value;
                self.stamps[usize::from(controller)] = stamp;
                self.set |= 1 << controller;
            }
        }
    }

    /// Reset All Controllers, as RP-015 of the MIDI Association limits it: bank, volume, pan, sound
    /// controllers, effect depths and parameters stay.
    fn reset_controllers(&mut self) {
        for controller in 0..120u8 {
            if !matches!(controller, 0 | 32 | 7 | 39 | 10 | 42 | 70..=79 | 91..=95) {
                self.set &= !(1 << controller);
                self.controllers[usize::from(controller)] = 0;
            }
        }
        self.bend = 0;
        self.pressure = 0;
        self.key_pressure = None;
        self.parameters.deselect();
    }

    /// Brings the channel back to where songs begin, in all that the song has not set since.
    fn reset(&self, channel: u8, used: bool, emit: &mut dyn FnMut(Event)) {
        let mut control = |controller, value| emit(Event::ControlChange { channel, controller, value });
        control(121, 0);
        if self.program.is_none() {
            control(0, 0);
            control(32, 0);
            emit(Event::ProgramChange { channel, program: 0 });
        }
        let mut control = |controller, value| emit(Event::ControlChange { channel, controller, value });
        if !used {
            control(7, 100);
            control(10, 64);
            return;
        }
        match self.mono {
            Some(channels) => control(126, channels),
            None => control(127, 0),
        }
        for (controller, value) in CONTROLLER_DEFAULTS {
            if self.set >> controller & 1 == 0 {
                control(controller, value);
            }
        }
        self.parameters.restore_defaults(&mut control);
    }

    /// What has no part in the order of the rest.
    fn finish(&self, channel: u8, emit: &mut dyn FnMut(Event)) {
        let mut control = |controller, value| emit(Event::ControlChange { channel, controller, value });
        let bank = self.program.map_or([0; 2], |program| program.bank);
        // A bank selected since waits for its program change.
        for (controller, at_program) in [0, 32].into_iter().zip(bank) {
            let value = self.controllers[usize::from(controller)];
            if value != at_program {
                control(controller, value);
            }
        }
        self.parameters.restore_selection(&mut control);
        emit(Event::PitchBend { channel, value: self.bend });
        emit(Event::ChannelPressure { channel, pressure: self.pressure });
        for (key, &pressure) in self.key_pressure.iter().flat_map(|keys| keys.iter().enumerate()) {
            if pressure > 0 {
                emit(Event::PolyPressure { channel, key: key as u8, pressure });
            }
        }
    }
}

/// Pieces of a song at whose borders states are remembered.
const STRIDES: i64 = 32;

/// Finds the state at any tick of a song. Its first way through the song reads it all (notes are
/// passed over quickly); states on the way are remembered, so that later it reads at most a
/// thirty-second part. `[side B]`
pub struct Chaser<S> {
    stream: EventStream<S>,
    stride: i64,
    /// States at multiples of the stride, as far as it has got.
    remembered: Vec<ChannelState>,
}

impl<S: ByteSource> Chaser<S> {
    /// A chaser for the song that `index` was made from.
    ///
    /// # Errors
    /// The source's.
    pub fn new(index: Arc<SongIndex>, source: S) -> io::Result<Self> {
        let stride = index.end.0 / STRIDES + 1;
        let stream = EventStream::filtered(index, source, Filter::State { until: 0 })?;
        Ok(Chaser { stream, stride, remembered: vec![ChannelState::default()] })
    }

    /// The state that all events before `tick` lead to.
    ///
    /// # Errors
    /// The source's.
    pub fn state_at(&mut self, tick: Ticks) -> io::Result<ChannelState> {
        let tick = tick.0.clamp(0, self.stream.index().end.0.saturating_add(1));
        let known = ((tick / self.stride) as usize).min(self.remembered.len() - 1);
        let mut state = self.remembered[known].clone();
        let mut at = known as i64 * self.stride;
        self.stream.set_filter(Filter::State { until: at });
        self.stream.seek(Ticks(at))?;
        while at < tick {
            let next = tick.min((at / self.stride + 1) * self.stride);
            self.feed_until(next, &mut state)?;
            at = next;
            if at == self.remembered.len() as i64 * self.stride {
                self.remembered.push(state.clone());
            }
        }
        self.stream.release();
        Ok(state)
    }

    /// All messages that bring a synthesiser to the state at `tick`: see [`ChannelState::chase`].
    ///
    /// # Errors
    /// The source's.
    pub fn chase(&mut self, tick: Ticks, emit: &mut dyn FnMut(u8, ChaseMessage<'_>)) -> io::Result<()> {
        let state = self.state_at(tick)?;
        let index = self.stream.index();
        let channels = index.tracks.iter().fold(0, |all, track| all | track.channels);
        state.chase(index.ports.len().min(MAX_MIDI_PORTS) as u8, channels, emit);
        Ok(())
    }

    fn feed_until(&mut self, tick: i64, state: &mut ChannelState) -> io::Result<()> {
        self.stream.set_filter(Filter::State { until: tick });
        while self.stream.next_tick()?.is_some_and(|next| next < tick) {
            let Some(event) = self.stream.next()? else { break };
            match event.message {
                Message::Event(message) => state.feed(event.port, ChaseMessage::Event(message)),
                Message::SysEx(message) => state.feed(event.port, ChaseMessage::SysEx(message)),
                _ => {}
            }
        }
        Ok(())
    }
}
