//! Which parameters controllers of MIDI move: VST3 has no controllers as events.

use std::collections::BTreeSet;

use kmidi_core::limits::{MAX_MIDI_PORTS, MIDI_CHANNELS};

use super::controller::Controller;

/// Number of channel pressure among the controllers (`kAfterTouch`).
pub const CHANNEL_PRESSURE: usize = 128;
/// Number of pitch bend among the controllers (`kPitchBend`).
pub const PITCH_BEND: usize = 129;
/// 128 controllers, channel pressure and pitch bend.
const CONTROLLERS: usize = 130;
/// No parameter (`kNoParamId`).
const NONE: u32 = u32::MAX;

/// A parameter that chooses among programs.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ProgramParameter {
    pub id: u32,
    pub unit: i32,
    /// Programs less one.
    pub steps: u32,
}

/// The tables of one plugin. Reading them is `[side A]`.
#[derive(Default)]
pub struct MidiMap {
    /// By event input, channel and controller.
    controllers: Vec<[[u32; CONTROLLERS]; MIDI_CHANNELS]>,
    /// By event input and channel.
    programs: Vec<[Option<ProgramParameter>; MIDI_CHANNELS]>,
}

impl MidiMap {
    /// Asks the controller. `[side B]`
    pub fn read(controller: &Controller, event_inputs: usize, programs: &[ProgramParameter]) -> Self {
        let buses = event_inputs.min(MAX_MIDI_PORTS);
        let mut map = MidiMap::default();
        for bus in 0..buses {
            map.programs
                .push(std::array::from_fn(|channel| program_parameter(controller, bus, channel, programs)));
            if controller.maps_midi() {
                let mut table = [[NONE; CONTROLLERS]; MIDI_CHANNELS];
                for (channel, row) in table.iter_mut().enumerate() {
                    for (number, id) in row.iter_mut().enumerate() {
                        *id = controller.midi_parameter(bus, channel, number).unwrap_or(NONE);
                    }
                }
                map.controllers.push(table);
            }
        }
        map
    }

    /// The parameter that a controller moves.
    pub fn parameter(&self, bus: usize, channel: u8, controller: usize) -> Option<u32> {
        let id = *self.controllers.get(bus)?.get(usize::from(channel))?.get(controller)?;
        (id != NONE).then_some(id)
    }

    /// The parameter that chooses a program and the value that chooses this one.
    pub fn program(&self, bus: usize, channel: u8, program: u8) -> Option<(u32, f64)> {
        let parameter = (*self.programs.get(bus)?.get(usize::from(channel))?)?;
        let program = u32::from(program);
        (program <= parameter.steps)
            .then(|| (parameter.id, f64::from(program) / f64::from(parameter.steps.max(1))))
    }

    /// Every parameter that a controller moves.
    pub fn parameters(&self) -> BTreeSet<u32> {
        self.controllers.iter().flatten().flatten().copied().filter(|&id| id != NONE).collect()
    }
}

/// The one of the unit that plays the channel, else the root's, else the only one.
fn program_parameter(
    controller: &Controller,
    bus: usize,
    channel: usize,
    programs: &[ProgramParameter],
) -> Option<ProgramParameter> {
    let unit = controller.unit_of_channel(bus, channel).unwrap_or(0);
    let of = |unit| programs.iter().find(|it| it.unit == unit).copied();
    of(unit).or_else(|| of(0)).or(match programs {
        [only] => Some(*only),
        _ => None,
    })
}
