use crate::generator::Generator;

/// Where a modulator's source takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Controller {
    /// No controller: always 1 (section 8.2.1).
    None,
    /// Velocity of the note.
    Velocity,
    /// Key of the note.
    Key,
    /// Pressure on the note's key.
    PolyPressure,
    /// Pressure on the channel.
    ChannelPressure,
    /// Pitch wheel.
    PitchWheel,
    /// RPN 0, in semitones.
    PitchWheelSensitivity,
    /// A MIDI continuous controller.
    Midi(u8),
}

/// A controller's position on both scales that a source may ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControllerValue {
    /// 0 to 1.
    pub unipolar: f32,
    /// -1 to 1.
    pub bipolar: f32,
}

impl ControllerValue {
    /// A seven-bit value, 0 to 127 (fractions allowed). 64 is the middle of the bipolar scale and
    /// 127 its end.
    pub fn seven_bit(value: f32) -> Self {
        let from_middle = value - 64.0;
        let half = if from_middle > 0.0 { 63.0 } else { 64.0 };
        ControllerValue { unipolar: value / 127.0, bipolar: from_middle / half }
    }

    /// A pitch wheel position, -8192 to 8191.
    pub fn pitch_wheel(value: i16) -> Self {
        let bipolar = f32::from(value) / 8192.0;
        ControllerValue { unipolar: (bipolar + 1.0) / 2.0, bipolar }
    }
}

/// The shape of a source (section 8.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// A straight line.
    Linear,
    /// Slow at first: the attenuation in 96 dB of a quadratic gain.
    Concave,
    /// [`Curve::Concave`] turned round: fast at first.
    Convex,
    /// Off below the middle, on above.
    Switch,
}

impl Curve {
    /// Applies the curve to 0..=1.
    fn apply(self, x: f32) -> f32 {
        match self {
            Curve::Linear => x,
            Curve::Concave => concave(f64::from(x)) as f32,
            Curve::Convex => convex(f64::from(x)) as f32,
            Curve::Switch => f32::from(u8::from(x >= 0.5)),
        }
    }
}

/// -20/96 log10((1 - x)²), within 0 and 1.
pub(crate) fn concave(x: f64) -> f64 {
    if x >= 1.0 { 1.0 } else { (-40.0 / 96.0 * libm::log10(1.0 - x.max(0.0))).min(1.0) }
}

/// The concave curve, mirrored in both directions.
pub(crate) fn convex(x: f64) -> f64 {
    1.0 - concave(1.0 - x)
}

/// A modulator's source (section 8.2): a controller and how its value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The controller.
    pub controller: Controller,
    /// Its scale runs from high to low.
    pub negative: bool,
    /// Its scale is -1..=1, not 0..=1.
    pub bipolar: bool,
    /// Its curve.
    pub curve: Curve,
}

impl Source {
    /// Reads `sfModSrcOper`. `None` for what 2.04 does not define, for links to other modulators
    /// and for controllers that may not be used: such a modulator is to be ignored.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        let index = (bits & 0x7f) as u8;
        let controller = if bits & 0x80 != 0 {
            match index {
                0 | 6 | 32..=63 | 98..=101 | 120..=127 => return None,
                _ => Controller::Midi(index),
            }
        } else {
            match index {
                0 => Controller::None,
                2 => Controller::Velocity,
                3 => Controller::Key,
                10 => Controller::PolyPressure,
                13 => Controller::ChannelPressure,
                14 => Controller::PitchWheel,
                16 => Controller::PitchWheelSensitivity,
                _ => return None,
            }
        };
        let curve = match bits >> 10 {
            0 => Curve::Linear,
            1 => Curve::Concave,
            2 => Curve::Convex,
            3 => Curve::Switch,
            _ => return None,
        };
        Some(Source { controller, negative: bits & 0x100 != 0, bipolar: bits & 0x200 != 0, curve })
    }

    /// The source's output for a controller's position.
    pub fn output(self, value: ControllerValue) -> f32 {
        if self.controller == Controller::None {
            return 1.0;
        }
        if self.bipolar {
            let x = if self.negative { -value.bipolar } else { value.bipolar };
            return match self.curve {
                Curve::Switch => 2.0 * f32::from(u8::from(x >= 0.0)) - 1.0,
                curve => x.signum() * curve.apply(x.abs()),
            };
        }
        self.curve.apply(if self.negative { 1.0 - value.unipolar } else { value.unipolar })
    }
}

/// What happens to the product of a modulator (section 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transform {
    /// Nothing.
    Linear,
    /// Its sign is dropped.
    Absolute,
}

impl Transform {
    /// Reads `sfModTransOper`; `None` for what 2.04 does not define.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            0 => Some(Transform::Linear),
            2 => Some(Transform::Absolute),
            _ => None,
        }
    }
}

/// Moves a generator by the product of two sources and an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modulator {
    /// The primary source.
    pub source: Source,
    /// The generator it moves.
    pub destination: Generator,
    /// In the unit of the destination.
    pub amount: i32,
    /// The source that scales the amount.
    pub amount_source: Source,
    /// Applied to the product.
    pub transform: Transform,
}

impl Modulator {
    /// Whether the two are identical in the sense of section 9.5.1: all but the amount is the same.
    pub fn is_same_as(&self, other: &Modulator) -> bool {
        Modulator { amount: 0, ..*self } == Modulator { amount: 0, ..*other }
    }

    /// What it adds to its destination, given each controller's position.
    pub fn output(&self, value_of: impl Fn(Controller) -> ControllerValue) -> f32 {
        let primary = self.source.output(value_of(self.source.controller));
        let scale = self.amount_source.output(value_of(self.amount_source.controller));
        let product = self.amount as f32 * primary * scale;
        match self.transform {
            Transform::Linear => product,
            Transform::Absolute => product.abs(),
        }
    }
}

const fn default_modulator(
    source: u16,
    destination: Generator,
    amount: i32,
    amount_source: u16,
) -> Modulator {
    let (Some(source), Some(amount_source)) = (Source::from_bits(source), Source::from_bits(amount_source))
    else {
        panic!("the sources of the default modulators are legal");
    };
    Modulator { source, destination, amount, amount_source, transform: Transform::Linear }
}

/// Section 8.4.2. See [`SynthConfig::velocity_to_cutoff`](crate::SynthConfig::velocity_to_cutoff).
pub(crate) const VELOCITY_TO_CUTOFF: Modulator =
    default_modulator(0x0102, Generator::InitialFilterFc, -2400, 0);

/// The modulators every instrument has unless it redefines them (section 8.4).
pub const DEFAULT_MODULATORS: [Modulator; 10] = [
    // 8.4.1 velocity to attenuation
    default_modulator(0x0502, Generator::InitialAttenuation, 960, 0),
    // 8.4.2 velocity to filter cutoff
    VELOCITY_TO_CUTOFF,
    // 8.4.3 channel pressure to vibrato depth
    default_modulator(0x000d, Generator::VibLfoToPitch, 50, 0),
    // 8.4.4 modulation wheel to vibrato depth
    default_modulator(0x0081, Generator::VibLfoToPitch, 50, 0),
    // 8.4.5 volume
    default_modulator(0x0587, Generator::InitialAttenuation, 960, 0),
    // 8.4.6 pan. The specification's 1000 tenths of a percent span the whole way from left to
    // right; the source runs from -1 to 1, so each half is 500.
    default_modulator(0x028a, Generator::Pan, 500, 0),
    // 8.4.7 expression
    default_modulator(0x058b, Generator::InitialAttenuation, 960, 0),
    // 8.4.8 reverb send
    default_modulator(0x00db, Generator::ReverbEffectsSend, 200, 0),
    // 8.4.9 chorus send
    default_modulator(0x00dd, Generator::ChorusEffectsSend, 200, 0),
    // 8.4.10 pitch wheel, scaled by its sensitivity (127 semitones at full scale)
    default_modulator(0x020e, Generator::Pitch, 12_700, 0x0010),
];
