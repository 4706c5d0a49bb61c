//! What can be changed in a rack while it runs, each change whole in itself: the last one for a place counts.

use serde::{Deserialize, Serialize};

use super::{Rack, RackFileError, RackValue};

/// A change of a rack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "fields are named as in the rack file")]
pub enum RackEdit {
    /// Master gain in decibels.
    Gain {
        #[serde(with = "exact")]
        gain_db: f64,
    },
    /// Whether a slot passes on what comes in.
    Bypass { slot: String, bypassed: bool },
    /// Semitones by which a slot plays higher than it is played.
    Transpose { slot: String, semitones: i8 },
    /// A parameter.
    Parameter { slot: String, symbol: String, value: RackValue },
    /// The file that has the state of a slot, from the rack's folder.
    State { slot: String, file: String },
}

/// Numbers as text, so that they come back to the last bit.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| D::Error::custom("no number"))
    }
}

impl RackEdit {
    /// The slot that it changes.
    pub fn slot(&self) -> Option<&str> {
        match self {
            RackEdit::Gain { .. } => None,
            RackEdit::Bypass { slot, .. }
            | RackEdit::Transpose { slot, .. }
            | RackEdit::Parameter { slot, .. }
            | RackEdit::State { slot, .. } => Some(slot),
        }
    }

    /// The place that it changes, for people.
    pub(super) fn place(&self) -> String {
        match self {
            RackEdit::Gain { .. } => "gain_db".to_owned(),
            RackEdit::Bypass { slot, .. } => format!("bypass of {slot}"),
            RackEdit::Transpose { slot, .. } => format!("transpose of {slot}"),
            RackEdit::Parameter { slot, symbol, .. } => format!("{symbol} of {slot}"),
            RackEdit::State { slot, .. } => format!("the state of {slot}"),
        }
    }

    /// Whether another one changes the same place.
    pub fn is_about_the_same(&self, other: &RackEdit) -> bool {
        use RackEdit::{Bypass, Gain, Parameter, State, Transpose};
        match (self, other) {
            (Gain { .. }, Gain { .. }) => true,
            (Parameter { slot: a, symbol: x, .. }, Parameter { slot: b, symbol: y, .. }) => a == b && x == y,
            (Bypass { slot: a, .. }, Bypass { slot: b, .. })
            | (Transpose { slot: a, .. }, Transpose { slot: b, .. })
            | (State { slot: a, .. }, State { slot: b, .. }) => a == b,
            _ => false,
        }
    }

    /// The edit that would set what a rack has at this place now; `None` if it says nothing of it.
    pub(super) fn as_it_is(&self, rack: &Rack) -> Option<RackEdit> {
        let RackEdit::Gain { .. } = self else {
            let slot = rack.slot(self.slot()?)?;
            let name = slot.name.clone();
            return match self {
                RackEdit::Gain { .. } => None,
                RackEdit::Bypass { .. } => Some(RackEdit::Bypass { slot: name, bypassed: slot.bypassed }),
                RackEdit::Transpose { .. } => {
                    Some(RackEdit::Transpose { slot: name, semitones: slot.zone.transpose })
                }
                RackEdit::Parameter { symbol, .. } => {
                    let (symbol, value) = slot.parameters.iter().find(|(it, _)| it == symbol)?.clone();
                    Some(RackEdit::Parameter { slot: name, symbol, value })
                }
                RackEdit::State { .. } => {
                    let file = slot.state.as_ref()?.to_str()?.to_owned();
                    Some(RackEdit::State { slot: name, file })
                }
            };
        };
        Some(RackEdit::Gain { gain_db: f64::from(rack.gain_db) })
    }
}

impl Rack {
    /// A change whose numbers are the plugin's own as this rack writes it: where its numbers are parts of ranges, as text, which
    /// is understood as the plugin shows it.
    pub fn as_written(&self, edit: RackEdit) -> RackEdit {
        match edit {
            RackEdit::Parameter { slot, symbol, value: RackValue::Number(number) }
                if self.slot(&slot).is_some_and(|slot| slot.counts_parts) =>
            {
                RackEdit::Parameter { slot, symbol, value: RackValue::Text(number.to_string()) }
            }
            edit => edit,
        }
    }

    /// Makes a change.
    ///
    /// # Errors
    /// [`RackFileError::NoSlot`].
    pub fn apply(&mut self, edit: &RackEdit) -> Result<(), RackFileError> {
        if let RackEdit::Gain { gain_db } = edit {
            self.gain_db = gain_db.clamp(-60.0, 24.0) as f32;
            return Ok(());
        }
        let name = edit.slot().unwrap_or_default();
        let slot = self.slot_mut(name).ok_or_else(|| RackFileError::NoSlot(name.to_owned()))?;
        match edit {
            RackEdit::Gain { .. } => {}
            RackEdit::Bypass { bypassed, .. } => slot.bypassed = *bypassed,
            RackEdit::Transpose { semitones, .. } => slot.zone.transpose = (*semitones).max(-127),
            RackEdit::State { file, .. } => slot.state = Some(file.into()),
            RackEdit::Parameter { symbol, value, .. } => {
                match slot.parameters.iter_mut().find(|(it, _)| it == symbol) {
                    Some((_, old)) => *old = value.clone(),
                    None => slot.parameters.push((symbol.clone(), value.clone())),
                }
            }
        }
        Ok(())
    }
}
