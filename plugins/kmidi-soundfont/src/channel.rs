//! What one MIDI channel remembers, and how messages change it.

use basedrop::Shared;
use kmidi_core::limits::MIDI_KEYS;

use crate::generator::{Generator, Values};
use crate::modulator::{Controller, ControllerValue};
use crate::parameter::{Parameter, ParameterEntry};
use crate::preset_key::PresetKey;
use crate::zone::Preset;

/// Numbers of the controllers that mean something here.
pub(crate) mod cc {
    pub const BANK_MSB: u8 = 0;
    pub const MODULATION: u8 = 1;
    pub const PORTAMENTO_TIME: u8 = 5;
    pub const DATA_MSB: u8 = 6;
    pub const VOLUME: u8 = 7;
    pub const BALANCE: u8 = 8;
    pub const PAN: u8 = 10;
    pub const EXPRESSION: u8 = 11;
    pub const BANK_LSB: u8 = 32;
    pub const DATA_LSB: u8 = 38;
    pub const SUSTAIN: u8 = 64;
    pub const PORTAMENTO: u8 = 65;
    pub const SOSTENUTO: u8 = 66;
    pub const SOFT: u8 = 67;
    pub const LEGATO: u8 = 68;
    pub const SOUND_FIRST: u8 = 70;
    pub const SOUND_LAST: u8 = 79;
    pub const PORTAMENTO_FROM: u8 = 84;
    pub const REVERB_SEND: u8 = 91;
    pub const EFFECTS_LAST: u8 = 95;
    pub const INCREMENT: u8 = 96;
    pub const DECREMENT: u8 = 97;
    pub const NRPN_LSB: u8 = 98;
    pub const NRPN_MSB: u8 = 99;
    pub const RPN_LSB: u8 = 100;
    pub const RPN_MSB: u8 = 101;
    pub const ALL_SOUND_OFF: u8 = 120;
    pub const RESET_ALL: u8 = 121;
    pub const ALL_NOTES_OFF: u8 = 123;
    pub const OMNI_OFF: u8 = 124;
    pub const OMNI_ON: u8 = 125;
    pub const MONO: u8 = 126;
    pub const POLY: u8 = 127;
}

/// The set of rules that the last system reset put in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// General MIDI 1: no banks.
    Gm,
    /// General MIDI 2: bank MSB 120 holds drums, 121 melodies, LSB is the variation.
    Gm2,
    /// Roland GS, also what holds before any reset: bank MSB is the variation.
    #[default]
    Gs,
    /// Yamaha XG: bank MSB 126 and 127 hold drums, otherwise LSB is the variation.
    Xg,
}

/// Attenuation by the soft pedal, in centibels.
const SOFT_ATTENUATION_CB: f32 = 40.0;
/// What the soft pedal takes from the filter cutoff, in cents.
const SOFT_CUTOFF_CENTS: f32 = -600.0;

/// What a sound controller (70 to 79) at its far end adds to a generator.
const SOUND_CONTROLLERS: [(u8, Generator, f32); 8] = [
    (71, Generator::InitialFilterQ, 200.0),
    (72, Generator::ReleaseVolEnv, 3600.0),
    (73, Generator::AttackVolEnv, 3600.0),
    (74, Generator::InitialFilterFc, 4800.0),
    (75, Generator::DecayVolEnv, 3600.0),
    (76, Generator::FreqVibLfo, 1200.0),
    (77, Generator::VibLfoToPitch, 50.0),
    (78, Generator::DelayVibLfo, 3600.0),
];

/// State of one channel. `[side A]`
pub(crate) struct Channel {
    /// Number inside its port, 0 to 15.
    number: u8,
    mode: Mode,
    is_drum: bool,
    bank_msb: u8,
    bank_lsb: u8,
    program: u8,
    /// What the last program change asked for.
    pub wanted: PresetKey,
    /// What notes sound.
    pub preset: Option<Shared<Preset>>,
    controllers: [u8; 128],
    key_pressure: [u8; MIDI_KEYS],
    pressure: u8,
    wheel: i16,
    entry: ParameterEntry,
    bend_range_semitones: f32,
    modulation_range_cents: f32,
    fine_tune_cents: f32,
    coarse_tune_semitones: f32,
    /// Which tuning program is in force.
    pub tuning_program: u8,
    octave_tuning_cents: [f32; 12],
    nrpn_offsets: Values,
    /// From SysEx for the whole device.
    master_attenuation_cb: f32,
    master_tune_cents: f32,
    /// Semitones, melodic channels only.
    key_shift: i8,
    pub mono: bool,
    /// The key before, from which a portamento starts.
    pub last_key: Option<u8>,
    /// Key from which controller 84 lets the next note slide, whatever portamento is set to.
    portamento_key: Option<u8>,
    /// Counts the changes that sounding notes hear.
    pub revision: u32,
}

impl Channel {
    pub fn new(number: u8) -> Self {
        let mut channel = Channel {
            number,
            mode: Mode::default(),
            is_drum: false,
            bank_msb: 0,
            bank_lsb: 0,
            program: 0,
            wanted: PresetKey::default(),
            preset: None,
            controllers: [0; 128],
            key_pressure: [0; MIDI_KEYS],
            pressure: 0,
            wheel: 0,
            entry: ParameterEntry::default(),
            bend_range_semitones: 2.0,
            modulation_range_cents: 50.0,
            fine_tune_cents: 0.0,
            coarse_tune_semitones: 0.0,
            tuning_program: 0,
            octave_tuning_cents: [0.0; 12],
            nrpn_offsets: Values::default(),
            master_attenuation_cb: 0.0,
            master_tune_cents: 0.0,
            key_shift: 0,
            mono: false,
            last_key: None,
            portamento_key: None,
            revision: 0,
        };
        channel.reset_system(Mode::default());
        channel
    }

    /// As after power-on in the given mode; the preset itself follows with the next install.
    pub fn reset_system(&mut self, mode: Mode) {
        self.mode = mode;
        self.is_drum = self.number == 9;
        (self.bank_msb, self.bank_lsb, self.program) = (0, 0, 0);
        self.controllers = [0; 128];
        for (controller, value) in
            [(cc::VOLUME, 100), (cc::PAN, 64), (cc::BALANCE, 64), (cc::REVERB_SEND, 40)]
        {
            self.controllers[usize::from(controller)] = value;
        }
        self.controllers[usize::from(cc::SOUND_FIRST)..=usize::from(cc::SOUND_LAST)].fill(64);
        self.bend_range_semitones = 2.0;
        self.modulation_range_cents = 50.0;
        (self.fine_tune_cents, self.coarse_tune_semitones, self.tuning_program) = (0.0, 0.0, 0);
        self.octave_tuning_cents = [0.0; 12];
        self.nrpn_offsets = Values::default();
        (self.master_attenuation_cb, self.master_tune_cents, self.key_shift) = (0.0, 0.0, 0);
        (self.mono, self.last_key) = (false, None);
        self.reset_controllers();
        self.wanted = self.selected();
    }

    /// Reset All Controllers, as RP-015 limits it: bank, program, volume, pan, effect sends and
    /// sound controllers stay.
    pub fn reset_controllers(&mut self) {
        for (number, value) in self.controllers.iter_mut().enumerate() {
            match number as u8 {
                cc::BANK_MSB | cc::BANK_LSB | cc::VOLUME | cc::PAN | 39 | 42 => {}
                cc::SOUND_FIRST..=cc::SOUND_LAST | cc::REVERB_SEND..=cc::EFFECTS_LAST => {}
                cc::EXPRESSION => *value = 127,
                cc::BALANCE => *value = 64,
                _ => *value = 0,
            }
        }
        self.key_pressure = [0; MIDI_KEYS];
        (self.pressure, self.wheel) = (0, 0);
        self.entry = ParameterEntry::default();
        self.portamento_key = None;
        self.touch();
    }

    fn touch(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// The preset that bank, program and mode ask for.
    fn selected(&self) -> PresetKey {
        let melodic = |bank| PresetKey::melodic(bank, self.program);
        match (self.mode, self.bank_msb) {
            _ if self.is_drum => PresetKey::drum(self.program),
            (Mode::Gm, _) => melodic(0),
            (Mode::Gs, bank) => melodic(bank),
            (Mode::Gm2, _) => melodic(self.bank_lsb),
            // XG keeps its sound effects in bank 64.
            (Mode::Xg, 64) => melodic(64),
            (Mode::Xg, _) => melodic(self.bank_lsb),
        }
    }

    /// A program change. Bank select takes effect here and not before.
    pub fn set_program(&mut self, program: u8) {
        self.program = program;
        match (self.mode, self.bank_msb) {
            (Mode::Gm2, 120) | (Mode::Xg, 126 | 127) => self.is_drum = true,
            (Mode::Gm2, 121) => self.is_drum = false,
            // Channel 10 of XG stays a drum channel until a melodic bank is chosen for it.
            (Mode::Xg, _) if self.number != 9 => self.is_drum = false,
            _ => {}
        }
        self.wanted = self.selected();
    }

    /// GS "use for rhythm part", XG part mode.
    pub fn set_drum(&mut self, is_drum: bool) {
        self.is_drum = is_drum;
        self.program = 0;
        self.wanted = self.selected();
    }

    /// Stores a controller and does what belongs to the channel alone.
    pub fn set_controller(&mut self, controller: u8, value: u8) {
        self.controllers[usize::from(controller & 127)] = value;
        match controller {
            cc::BANK_MSB => self.bank_msb = value,
            cc::BANK_LSB => self.bank_lsb = value,
            cc::PORTAMENTO_FROM => self.portamento_key = Some(value),
            cc::DATA_MSB | cc::DATA_LSB | cc::INCREMENT | cc::DECREMENT | cc::NRPN_LSB..=cc::RPN_MSB => {
                if let Some((parameter, data)) = self.entry.controller(controller, value) {
                    self.set_parameter(parameter, data);
                }
                return;
            }
            _ => {}
        }
        self.touch();
    }

    /// `data` is 14 bits.
    fn set_parameter(&mut self, parameter: Parameter, data: u16) {
        let (msb, lsb) = (f32::from(data >> 7), f32::from(data & 127));
        let from_centre = f32::from(data) - 8192.0;
        match parameter {
            Parameter::BendRange => self.bend_range_semitones = msb + lsb / 100.0,
            Parameter::FineTune => self.fine_tune_cents = from_centre / 81.92,
            Parameter::CoarseTune => self.coarse_tune_semitones = msb - 64.0,
            Parameter::TuningProgram => self.tuning_program = (data >> 7) as u8,
            Parameter::ModulationRange => self.modulation_range_cents = 100.0 * (msb + lsb / 128.0),
            Parameter::Generator(generator) => {
                self.nrpn_offsets[generator] = from_centre * nrpn_scale(generator);
            }
            Parameter::SoundController(controller) => {
                self.controllers[usize::from(controller)] = (data >> 7) as u8;
            }
        }
        self.touch();
    }

    pub fn set_pressure(&mut self, pressure: u8) {
        self.pressure = pressure;
        self.touch();
    }

    pub fn set_key_pressure(&mut self, key: u8, pressure: u8) {
        self.key_pressure[usize::from(key & 127)] = pressure;
        self.touch();
    }

    pub fn set_wheel(&mut self, value: i16) {
        self.wheel = value.clamp(-8192, 8191);
        self.touch();
    }

    pub fn set_octave_tuning(&mut self, cents: [f32; 12]) {
        self.octave_tuning_cents = cents;
        self.touch();
    }

    pub fn set_master_attenuation(&mut self, centibels: f32) {
        self.master_attenuation_cb = centibels;
        self.touch();
    }

    pub fn set_master_tune(&mut self, cents: f32) {
        self.master_tune_cents = cents;
        self.touch();
    }

    /// Master key shift in semitones; drums do not follow it.
    pub fn set_key_shift(&mut self, semitones: i8) {
        self.key_shift = semitones;
        self.touch();
    }

    /// The start that controller 84 has set for the next note.
    pub fn take_portamento_key(&mut self) -> Option<u8> {
        self.portamento_key.take()
    }

    /// Sounding notes must look at the channel again: a tuning program has changed.
    pub fn tuning_changed(&mut self) {
        self.touch();
    }

    pub fn controller(&self, controller: u8) -> u8 {
        self.controllers[usize::from(controller & 127)]
    }

    /// Whether a pedal is down.
    pub fn is_down(&self, pedal: u8) -> bool {
        self.controller(pedal) >= 64
    }

    /// The position of a controller of the channel, as modulators read it.
    pub fn controller_value(&self, controller: Controller) -> ControllerValue {
        match controller {
            Controller::ChannelPressure => ControllerValue::seven_bit(f32::from(self.pressure)),
            Controller::PitchWheel => ControllerValue::pitch_wheel(self.wheel),
            Controller::PitchWheelSensitivity => ControllerValue::seven_bit(self.bend_range_semitones),
            Controller::Midi(number) => ControllerValue::seven_bit(f32::from(self.controller(number))),
            // What a note has of its own, its voice knows.
            _ => ControllerValue::seven_bit(127.0),
        }
    }

    /// Pressure on one key.
    pub fn key_pressure(&self, key: u8) -> ControllerValue {
        ControllerValue::seven_bit(f32::from(self.key_pressure[usize::from(key & 127)]))
    }

    /// The factor that RPN 5 puts on the modulation wheel's vibrato (50 cents when untouched).
    pub fn modulation_scale(&self) -> f32 {
        self.modulation_range_cents / 50.0
    }

    /// Adds what the channel itself does to the generators of its notes: NRPN, sound controllers,
    /// master volume. `soft`: the soft pedal was down when the note began.
    pub fn add_offsets(&self, values: &mut Values, soft: bool) {
        for (value, offset) in values.0.iter_mut().zip(&self.nrpn_offsets.0) {
            *value += offset;
        }
        for (controller, generator, range) in SOUND_CONTROLLERS {
            let position = ControllerValue::seven_bit(f32::from(self.controller(controller))).bipolar;
            values[generator] += position * range;
        }
        values[Generator::InitialAttenuation] += self.master_attenuation_cb;
        if soft {
            values[Generator::InitialAttenuation] += SOFT_ATTENUATION_CB;
            values[Generator::InitialFilterFc] += SOFT_CUTOFF_CENTS;
        }
    }

    /// Channel and scale tuning of a key, in cents. Drums are not transposed by the master's key
    /// shift nor by scales.
    pub fn tune_cents(&self, key: u8) -> f32 {
        let melodic = self.octave_tuning_cents[usize::from(key % 12)] + 100.0 * f32::from(self.key_shift);
        let shift = if self.is_drum { 0.0 } else { melodic };
        self.fine_tune_cents + 100.0 * self.coarse_tune_semitones + self.master_tune_cents + shift
    }

    /// Gains of left and right by the balance controller.
    pub fn balance(&self) -> (f64, f64) {
        let position = ControllerValue::seven_bit(f32::from(self.controller(cc::BALANCE))).bipolar;
        let position = f64::from(position);
        ((1.0 - position).min(1.0), (1.0 + position).min(1.0))
    }
}

/// How many units of a generator one step of NRPN data is (section 9.6.3).
fn nrpn_scale(generator: Generator) -> f32 {
    use Generator as G;
    match generator {
        G::FreqModLfo | G::FreqVibLfo => 4.0,
        G::ModLfoToPitch | G::VibLfoToPitch | G::ModEnvToPitch | G::InitialFilterFc => 2.0,
        G::ModLfoToFilterFc | G::ModEnvToFilterFc | G::DelayModLfo | G::DelayVibLfo => 2.0,
        G::DelayModEnv | G::AttackModEnv | G::HoldModEnv | G::DecayModEnv | G::ReleaseModEnv => 2.0,
        G::DelayVolEnv | G::AttackVolEnv | G::HoldVolEnv | G::DecayVolEnv | G::ReleaseVolEnv => 2.0,
        _ => 1.0,
    }
}
