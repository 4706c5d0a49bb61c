//! Registered and non-registered parameters of a channel, as data entry has set them.

/// Which parameter data entry goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Selection {
    /// None: as after a reset, or RPN 127/127.
    #[default]
    Null,
    Registered {
        msb: u8,
        lsb: u8,
    },
    NonRegistered {
        msb: u8,
        lsb: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value {
    of: Selection,
    /// When it was last set, against all else on the port.
    stamp: u32,
    msb: Option<u8>,
    lsb: Option<u8>,
}

/// Parameters that one channel keeps; of more, the newest are left out.
const MAX_PARAMETERS: usize = 512;

/// What every receiver has until it is told otherwise: registered parameter (LSB), value MSB, LSB.
/// Bend range 2 semitones, fine and coarse tuning in the middle, modulation depth 50 cents.
const DEFAULTS: [(u8, u8, u8); 4] = [(0, 2, 0), (1, 64, 0), (2, 64, 0), (5, 0, 64)];

/// The parameters of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    selection: Selection,
    values: Vec<Value>,
}

impl Parameters {
    /// Takes controllers 6, 38 and 96..=101; any other is not its business.
    pub fn controller(&mut self, stamp: u32, controller: u8, value: u8) {
        use Selection::{NonRegistered, Null, Registered};
        match controller {
            100 | 101 => {
                let (msb, lsb) = match self.selection {
                    Registered { msb, lsb } => (msb, lsb),
                    _ => (127, 127),
                };
                let (msb, lsb) = if controller == 101 { (value, lsb) } else { (msb, value) };
                self.selection = if (msb, lsb) == (127, 127) { Null } else { Registered { msb, lsb } };
            }
            98 | 99 => {
                let (msb, lsb) = match self.selection {
                    NonRegistered { msb, lsb } => (msb, lsb),
                    _ => (127, 127),
                };
                let (msb, lsb) = if controller == 99 { (value, lsb) } else { (msb, value) };
                self.selection = if (msb, lsb) == (127, 127) { Null } else { NonRegistered { msb, lsb } };
            }
            6 => self.set(stamp, |entry| (entry.msb, entry.lsb) = (Some(value), None)),
            38 => self.set(stamp, |entry| entry.lsb = Some(value)),
            96 => self.set(stamp, |entry| entry.msb = Some((entry.msb_or_default() + 1).min(127))),
            97 => self.set(stamp, |entry| entry.msb = Some(entry.msb_or_default().saturating_sub(1))),
            _ => {}
        }
    }

    fn set(&mut self, stamp: u32, change: impl FnOnce(&mut Value)) {
        let of = self.selection;
        if of == Selection::Null {
            return;
        }
        if let Some(value) = self.values.iter_mut().find(|value| value.of == of) {
            change(value);
            value.stamp = stamp;
        } else if self.values.len() < MAX_PARAMETERS {
            let mut value = Value { of, stamp, msb: None, lsb: None };
            change(&mut value);
            self.values.push(value);
        }
    }

    /// Nothing is selected any more; values stay. What Reset All Controllers does.
    pub fn deselect(&mut self) {
        self.selection = Selection::Null;
    }

    /// Puts those parameters that every receiver has, and that were not set here, to their defaults.
    pub fn restore_defaults(&self, emit: &mut dyn FnMut(u8, u8)) {
        for (lsb, data_msb, data_lsb) in DEFAULTS {
            let of = Selection::Registered { msb: 0, lsb };
            if !self.values.iter().any(|value| value.of == of && value.msb.is_some()) {
                select(of, emit);
                emit(6, data_msb);
                emit(38, data_lsb);
            }
        }
    }

    /// The stamp of each value that was set, and its place.
    pub fn stamps(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        self.values.iter().enumerate().map(|(at, value)| (value.stamp, at))
    }

    /// The controllers that set the value at a place.
    pub fn restore(&self, at: usize, emit: &mut dyn FnMut(u8, u8)) {
        let value = &self.values[at];
        select(value.of, emit);
        value.msb.inspect(|&msb| emit(6, msb));
        value.lsb.inspect(|&lsb| emit(38, lsb));
    }

    /// The controllers that select what is selected; stray data entry must find nothing to change.
    pub fn restore_selection(&self, emit: &mut dyn FnMut(u8, u8)) {
        select(self.selection, emit);
    }
}

impl Value {
    /// What increments start from.
    fn msb_or_default(&self) -> u8 {
        self.msb.unwrap_or(match self.of {
            Selection::Registered { msb: 0, lsb: 0 } => 2,
            Selection::Registered { msb: 0, lsb: 1 | 2 } | Selection::NonRegistered { .. } => 64,
            _ => 0,
        })
    }
}

fn select(selection: Selection, emit: &mut dyn FnMut(u8, u8)) {
    match selection {
        Selection::Null => [(101, 127), (100, 127)],
        Selection::Registered { msb, lsb } => [(101, msb), (100, lsb)],
        Selection::NonRegistered { msb, lsb } => [(99, msb), (98, lsb)],
    }
    .into_iter()
    .for_each(|(controller, value)| emit(controller, value));
}
