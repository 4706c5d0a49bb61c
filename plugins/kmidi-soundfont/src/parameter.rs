//! Registered and non-registered parameters: two numbers select one, data entry sets it.

use crate::channel::cc;
use crate::generator::Generator;

/// What a parameter number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    BendRange,
    FineTune,
    CoarseTune,
    TuningProgram,
    ModulationRange,
    /// SoundFont 2.04 section 9.6: an offset to a generator of all notes of the channel.
    Generator(Generator),
    /// A GS or XG sound parameter that is the same as one of controllers 71 to 78.
    SoundController(u8),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Registered,
    NonRegistered,
}

/// The state of selecting and entering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParameterEntry {
    kind: Kind,
    msb: u8,
    lsb: u8,
    /// Generator number as SoundFont NRPN builds it, from steps of 100, 1000 and 10000.
    generator: u16,
    data: u16,
}

impl Default for ParameterEntry {
    /// Nothing selected (RPN 127/127).
    fn default() -> Self {
        ParameterEntry { kind: Kind::None, msb: 127, lsb: 127, generator: 0, data: 0 }
    }
}

/// NRPN number (MSB) of SoundFont generators.
const SOUNDFONT: u8 = 120;

impl ParameterEntry {
    /// Takes controllers 6, 38 and 96 to 101; what is to be set, if anything.
    pub fn controller(&mut self, controller: u8, value: u8) -> Option<(Parameter, u16)> {
        let value14 = u16::from(value);
        match controller {
            cc::RPN_MSB | cc::RPN_LSB => {
                self.select(Kind::Registered, controller == cc::RPN_MSB, value);
                return None;
            }
            cc::NRPN_MSB | cc::NRPN_LSB => {
                self.select(Kind::NonRegistered, controller == cc::NRPN_MSB, value);
                return None;
            }
            cc::DATA_MSB => self.data = value14 << 7,
            cc::DATA_LSB => self.data = self.data & !127 | value14,
            cc::INCREMENT => self.data = (self.data + 128).min(16_383),
            cc::DECREMENT => self.data = self.data.saturating_sub(128),
            _ => return None,
        }
        Some((self.parameter()?, self.data))
    }

    fn select(&mut self, kind: Kind, is_msb: bool, value: u8) {
        if self.kind != kind {
            *self = ParameterEntry { kind, ..ParameterEntry::default() };
        }
        if is_msb {
            self.msb = value;
            self.generator = 0;
        } else {
            self.lsb = value;
            self.generator = match value {
                100 => self.generator + 100,
                101 => self.generator + 1000,
                102 => self.generator + 10_000,
                _ => self.generator / 100 * 100 + u16::from(value),
            }
            .min(20_000);
        }
        self.data = if kind == Kind::NonRegistered { 64 << 7 } else { self.start_value() };
    }

    /// What increment and decrement start from.
    fn start_value(&self) -> u16 {
        match self.parameter() {
            Some(Parameter::BendRange) => 2 << 7,
            Some(Parameter::FineTune | Parameter::CoarseTune) => 64 << 7,
            _ => 0,
        }
    }

    fn parameter(&self) -> Option<Parameter> {
        match (self.kind, self.msb, self.lsb) {
            (Kind::Registered, 0, 0) => Some(Parameter::BendRange),
            (Kind::Registered, 0, 1) => Some(Parameter::FineTune),
            (Kind::Registered, 0, 2) => Some(Parameter::CoarseTune),
            (Kind::Registered, 0, 3) => Some(Parameter::TuningProgram),
            (Kind::Registered, 0, 5) => Some(Parameter::ModulationRange),
            (Kind::NonRegistered, SOUNDFONT, lsb) if lsb < 100 => {
                Generator::from_number(self.generator).map(Parameter::Generator)
            }
            (Kind::NonRegistered, 1, lsb) => {
                let controller = match lsb {
                    8 => 76,
                    9 => 77,
                    10 => 78,
                    32 => 74,
                    33 => 71,
                    99 => 73,
                    100 => 75,
                    102 => 72,
                    _ => return None,
                };
                Some(Parameter::SoundController(controller))
            }
            _ => None,
        }
    }
}
