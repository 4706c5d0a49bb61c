//! What a plugin is given in each phase, block by block. It follows from the seed.

use kmidi_core::{Event, TimedEvent};

use super::bench::Bench;
use super::plan::{Phase, Random};
use crate::Parameter;

/// Noise at -12 dBFS.
const NOISE: f64 = 0.25;
/// Height of the impulse.
const IMPULSE: f32 = 0.5;
/// Parameters that change in one block of a sweep.
const CHANGES: u32 = 4;
/// Blocks between two bursts of notes, and how long these are held.
const NOTES_EVERY: u32 = 16;
const NOTES_HELD: u32 = 11;

/// What comes in.
pub(super) struct Stimulus {
    phase: Phase,
    random: Random,
    /// Event ports that take notes.
    note_ports: Vec<u16>,
    /// What can be set.
    parameters: Vec<Parameter>,
    /// Blocks in all.
    blocks: u32,
}

impl Stimulus {
    pub fn new(
        phase: Phase,
        seed: u64,
        blocks: u32,
        note_ports: Vec<u16>,
        parameters: Vec<Parameter>,
    ) -> Self {
        // Each phase has numbers of its own, so that one more block in one changes no other.
        let random = Random::new(seed ^ ((phase as u64 + 1) << 56));
        Stimulus { phase, random, note_ports, parameters, blocks }
    }

    /// Readies a block.
    pub fn prepare(&mut self, bench: &mut Bench, block: u32) {
        bench.events.clear();
        bench.frames = match self.phase {
            Phase::OddSizes => self.odd_size(bench.max_frames(), block),
            _ => bench.max_frames(),
        };
        match self.phase {
            Phase::Silence => bench.inputs().for_each(|channel| channel.fill(0.0)),
            Phase::Latency => self.impulse(bench, block),
            _ => self.noise(bench),
        }
        match self.phase {
            Phase::Notes
            | Phase::OddSizes
            | Phase::Determinism
            | Phase::State
            | Phase::Presets
            | Phase::Reactivation => self.notes(bench, block),
            Phase::Silence if block == 0 => self.all_off(bench),
            Phase::Sweep => self.sweep(bench, block),
            _ => {}
        }
        bench.events.sort_by_key(|event| event.time);
    }

    fn noise(&mut self, bench: &mut Bench) {
        let random = &mut self.random;
        for sample in bench.inputs().flatten() {
            *sample = ((random.unit() * 2.0 - 1.0) * NOISE) as f32;
        }
    }

    /// Silence, with one sample in the middle of all inputs.
    fn impulse(&mut self, bench: &mut Bench, block: u32) {
        let is_here = block == impulse_block(self.blocks);
        for channel in bench.inputs() {
            channel.fill(0.0);
            if is_here {
                channel[0] = IMPULSE;
            }
        }
    }

    fn odd_size(&mut self, max: u32, block: u32) -> u32 {
        match block % 8 {
            0 => 1,
            1 => max,
            2 => max - 1,
            3 => (max / 2 + 1).min(max),
            4 => 17.min(max),
            _ => 1 + self.random.below(max),
        }
    }

    fn notes(&mut self, bench: &mut Bench, block: u32) {
        let frames = bench.frames;
        for port in self.note_ports.clone() {
            let mut at = |time: u32, event| bench.events.push(TimedEvent { time, port, event });
            match block % NOTES_EVERY {
                0 => {
                    let root = 36 + self.random.below(48) as u8;
                    for key in [root, root + 4, root + 7] {
                        let velocity = 1 + self.random.below(127) as u8;
                        at(self.random.below(frames), Event::note_on(0, key, velocity));
                    }
                    // A drum too, on the channel where drums are.
                    at(self.random.below(frames), Event::note_on(9, 35 + self.random.below(46) as u8, 100));
                }
                3 => {
                    let value = self.random.below(128) as u8;
                    at(0, Event::ControlChange { channel: 0, controller: 1, value });
                    at(
                        0,
                        Event::PitchBend {
                            channel: 0,
                            value: (self.random.below(16384) as i32 - 8192) as i16,
                        },
                    );
                    at(0, Event::ChannelPressure { channel: 0, pressure: value });
                }
                5 => at(0, Event::ControlChange { channel: 0, controller: 64, value: 127 }),
                NOTES_HELD => {
                    for channel in [0, 9] {
                        for key in 35..=91 {
                            at(self.random.below(frames), Event::note_off(channel, key, 64));
                        }
                    }
                    at(frames - 1, Event::ControlChange { channel: 0, controller: 64, value: 0 });
                    at(frames - 1, Event::PitchBend { channel: 0, value: 0 });
                }
                _ => {}
            }
        }
    }

    fn all_off(&mut self, bench: &mut Bench) {
        for port in self.note_ports.clone() {
            for channel in 0..16 {
                for (controller, value) in [(64, 0), (123, 0)] {
                    let event = Event::ControlChange { channel, controller, value };
                    bench.events.push(TimedEvent { time: 0, port, event });
                }
                bench.events.push(TimedEvent {
                    time: 0,
                    port,
                    event: Event::PitchBend { channel, value: 0 },
                });
            }
        }
    }

    /// Each parameter in turn to its lowest, its highest and its default; beside that a few jump anywhere, at any frame.
    /// The last blocks set all to their defaults.
    fn sweep(&mut self, bench: &mut Bench, block: u32) {
        let count = self.parameters.len() as u32;
        if count == 0 {
            return;
        }
        let rest = self.blocks - block;
        let to_default = count.div_ceil(CHANGES);
        let mut set = |time: u32, id: u32, value: f64| {
            bench.events.push(TimedEvent { time, port: 0, event: Event::Parameter { id, value } });
        };
        if rest <= to_default {
            let first = (to_default - rest) * CHANGES;
            for parameter in self.parameters.iter().skip(first as usize).take(CHANGES as usize) {
                set(0, parameter.id, parameter.default);
            }
            return;
        }
        let own = &self.parameters[(block / 3 % count) as usize];
        let ends = [own.min, own.max, own.default];
        set(0, own.id, ends[(block % 3) as usize]);
        for _ in 1..CHANGES {
            let other = &self.parameters[self.random.below(count) as usize];
            let value = value_at(other, self.random.unit());
            set(self.random.below(bench.frames), other.id, value);
        }
    }
}

/// Blocks of a sweep that visits each of so many parameters.
pub(super) fn sweep_blocks(wanted: u32, parameters: usize) -> u32 {
    let parameters = (parameters as u32).min(4096);
    wanted.max(parameters * 3 + parameters.div_ceil(CHANGES))
}

/// The block with the impulse.
pub(super) fn impulse_block(blocks: u32) -> u32 {
    blocks / 8
}

/// The value of a parameter at a part of its range, on a step where it has steps.
pub(super) fn value_at(parameter: &Parameter, part: f64) -> f64 {
    let part = match parameter.steps {
        0 => part,
        steps => (part * f64::from(steps)).round() / f64::from(steps),
    };
    parameter.min + part * (parameter.max - parameter.min)
}
