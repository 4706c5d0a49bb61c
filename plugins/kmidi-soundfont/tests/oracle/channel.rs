use basedrop::Shared;
use kmidi_soundfont::{Controller, Modulator, Preset, PresetKey, Source, Transform};

use super::curves::curve;

/// The state of a channel, as far as the oracle knows it.
pub struct Channel {
    number: u8,
    pub program: u8,
    pub preset: Option<Shared<Preset>>,
    controllers: [u8; 128],
    pub key_pressure: [u8; 128],
    pub pressure: u8,
    pub wheel: i16,
    pub bend_range: f64,
    pub fine_tune: f64,
    pub coarse_tune: f64,
}

impl Channel {
    pub fn new(number: u8) -> Self {
        let mut controllers = [0; 128];
        for (controller, value) in [(7, 100), (8, 64), (10, 64), (11, 127), (91, 40), (100, 127), (101, 127)]
        {
            controllers[controller] = value;
        }
        controllers[70..80].fill(64);
        Channel {
            number,
            program: 0,
            preset: None,
            controllers,
            key_pressure: [0; 128],
            pressure: 0,
            wheel: 0,
            bend_range: 2.0,
            fine_tune: 0.0,
            coarse_tune: 0.0,
        }
    }

    pub fn wanted(&self) -> PresetKey {
        if self.number == 9 {
            PresetKey::drum(self.program)
        } else {
            PresetKey::melodic(self.controllers[0], self.program)
        }
    }

    pub fn is_down(&self, pedal: usize) -> bool {
        self.controllers[pedal] >= 64
    }

    pub fn controller(&mut self, controller: u8, value: u8) {
        if controller == 121 {
            return self.reset();
        }
        self.controllers[usize::from(controller)] = value;
        if matches!(controller, 6 | 38) {
            let (msb, lsb) = (f64::from(self.controllers[6]), f64::from(self.controllers[38]));
            match (self.controllers[101], self.controllers[100]) {
                (0, 0) => self.bend_range = msb + lsb / 100.0,
                (0, 1) => self.fine_tune = ((msb * 128.0 + lsb) - 8192.0) / 8192.0 * 100.0,
                (0, 2) => self.coarse_tune = msb - 64.0,
                _ => {}
            }
        }
        // Data entry means nothing to a non-registered parameter here.
        if matches!(controller, 98 | 99) {
            (self.controllers[100], self.controllers[101]) = (127, 127);
        }
        if matches!(controller, 100 | 101) {
            self.controllers[38] = 0;
        }
    }

    /// RP-015.
    fn reset(&mut self) {
        for controller in (1..120).filter(|c| !matches!(c, 7 | 10 | 32 | 39 | 42 | 70..=79 | 91..=95)) {
            self.controllers[controller] = match controller {
                11 | 100 | 101 => 127,
                8 => 64,
                _ => 0,
            };
        }
        self.key_pressure = [0; 128];
        (self.pressure, self.wheel) = (0, 0);
    }

    pub fn balance(&self) -> [f64; 2] {
        let value = f64::from(self.controllers[8]) - 64.0;
        let position = if value > 0.0 { value / 63.0 } else { value / 64.0 };
        [(1.0 - position).min(1.0), (1.0 + position).min(1.0)]
    }

    /// Section 8.2: what a source gives for a note.
    fn source(&self, source: Source, key: u8, sounding_key: u8, velocity: f64) -> f64 {
        let seven_bits = |value: f64| {
            let middle = value - 64.0;
            (value / 127.0, if middle > 0.0 { middle / 63.0 } else { middle / 64.0 })
        };
        let (unipolar, bipolar) = match source.controller {
            Controller::None => return 1.0,
            Controller::Velocity => seven_bits(velocity),
            Controller::Key => seven_bits(f64::from(sounding_key)),
            Controller::PolyPressure => seven_bits(f64::from(self.key_pressure[usize::from(key)])),
            Controller::ChannelPressure => seven_bits(f64::from(self.pressure)),
            Controller::PitchWheel => {
                let wheel = f64::from(self.wheel);
                ((wheel + 8192.0) / 16_384.0, wheel / 8192.0)
            }
            Controller::PitchWheelSensitivity => seven_bits(self.bend_range),
            Controller::Midi(number) => seven_bits(f64::from(self.controllers[usize::from(number)])),
        };
        curve(source, unipolar, bipolar)
    }

    /// Section 9.5: what a modulator adds to its destination.
    pub fn modulator(&self, modulator: &Modulator, key: u8, sounding_key: u8, velocity: f64) -> f64 {
        let product = f64::from(modulator.amount)
            * self.source(modulator.source, key, sounding_key, velocity)
            * self.source(modulator.amount_source, key, sounding_key, velocity);
        match modulator.transform {
            Transform::Linear => product,
            Transform::Absolute => product.abs(),
        }
    }
}
