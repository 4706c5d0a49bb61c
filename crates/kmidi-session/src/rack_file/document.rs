//! The text itself: changes go where they belong, and all that the user wrote around them stays.

use std::path::Path;

use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use super::{RackEdit, RackFileError, RackValue, parse};

/// A rack file's text that can be changed in places.
#[derive(Clone, Debug)]
pub(super) struct RackDocument(DocumentMut);

impl RackDocument {
    /// `text` has been [`parse`]d.
    pub fn new(path: &Path, text: &str) -> Result<Self, RackFileError> {
        let wrong = |error: toml_edit::TomlError| RackFileError::Wrong {
            path: path.to_owned(),
            line: 1,
            what: error.message().to_owned(),
        };
        Ok(RackDocument(text.parse::<DocumentMut>().map_err(wrong)?))
    }

    /// Makes a change, as [`Rack::apply`](super::Rack::apply) does.
    pub fn apply(&mut self, edit: &RackEdit) -> Result<(), RackFileError> {
        if let RackEdit::Gain { gain_db } = edit {
            set(self.0.as_table_mut(), "gain_db", f64::from(gain_db.clamp(-60.0, 24.0) as f32).into());
            return Ok(());
        }
        let name = edit.slot().unwrap_or_default();
        let slot = self.slot(name).ok_or_else(|| RackFileError::NoSlot(name.to_owned()))?;
        match edit {
            RackEdit::Gain { .. } => {}
            RackEdit::Bypass { bypassed, .. } => set(slot, "bypass", (*bypassed).into()),
            RackEdit::Transpose { semitones, .. } => {
                set(table(slot, "zone"), "transpose", i64::from((*semitones).max(-127)).into());
            }
            RackEdit::Parameter { symbol, value, .. } => {
                let value = match value {
                    RackValue::Number(number) => (*number).into(),
                    RackValue::Text(text) => text.as_str().into(),
                };
                set(table(slot, "parameters"), symbol, value);
            }
            RackEdit::State { file, .. } => set(slot, "state", file.as_str().into()),
        }
        Ok(())
    }

    fn slot(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        let is_it = |table: &dyn TableLike| table.get("name").and_then(Item::as_str) == Some(name);
        match self.0.get_mut("slot")? {
            Item::ArrayOfTables(slots) => {
                slots.iter_mut().find(|slot| is_it(*slot)).map(|slot| slot as &mut dyn TableLike)
            }
            Item::Value(Value::Array(slots)) => slots
                .iter_mut()
                .filter_map(Value::as_inline_table_mut)
                .find(|slot| is_it(*slot))
                .map(|slot| slot as &mut dyn TableLike),
            _ => None,
        }
    }
}

impl std::fmt::Display for RackDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The table of this name in a slot; a new one where there is none.
fn table<'a>(slot: &'a mut dyn TableLike, key: &str) -> &'a mut dyn TableLike {
    if slot.get(key).is_none_or(|item| item.as_table_like().is_none()) {
        slot.insert(key, Item::Value(Value::InlineTable(InlineTable::new())));
    }
    slot.get_mut(key).and_then(Item::as_table_like_mut).expect("it has just been looked at")
}

/// Sets a value; what stands around the old one stays.
fn set(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// Reads a text both ways.
pub(super) fn read(
    path: &Path,
    text: &str,
) -> Result<(RackDocument, super::Rack, Vec<String>), RackFileError> {
    let (rack, warnings) = parse::parse(path, text)?;
    Ok((RackDocument::new(path, text)?, rack, warnings))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "\
# My rack.
gain_db = -3.0 # not too loud

[[slot]]   # low
name = \"bass\"
plugin = \"clap:a\"   # the old one
colour = \"red\"
bypass = false # for now

[slot.zone]
keys = [0, 59]   # below the middle

[[slot]]
name = \"piano\"
plugin = \"clap:b\"
parameters = { room = \"Hall\", x = 1 }
# The end.
";

    fn slot() -> impl Strategy<Value = String> {
        prop_oneof![Just("bass".to_owned()), Just("piano".to_owned())]
    }

    fn edit() -> impl Strategy<Value = RackEdit> {
        let number = prop_oneof![-1.0f64..1.0, any::<f64>().prop_filter("finite", |it| it.is_finite())];
        let value = prop_oneof![number.prop_map(RackValue::Number), ".{0,9}".prop_map(RackValue::Text)];
        let symbol = prop_oneof![Just("room".to_owned()), Just("x".to_owned()), "[a-zA-Z_. \"]{1,8}"];
        prop_oneof![
            (-90.0f64..90.0).prop_map(|gain_db| RackEdit::Gain { gain_db }),
            (slot(), any::<bool>()).prop_map(|(slot, bypassed)| RackEdit::Bypass { slot, bypassed }),
            (slot(), any::<i8>()).prop_map(|(slot, semitones)| RackEdit::Transpose { slot, semitones }),
            (slot(), symbol, value).prop_map(|(slot, symbol, value)| RackEdit::Parameter {
                slot,
                symbol,
                value
            }),
            (slot(), 0u32..99).prop_map(|(slot, n)| RackEdit::State { slot, file: format!("r.states/{n}") }),
        ]
    }

    proptest! {
        /// The text after any edits says what the rack is, and all that the user wrote besides is still there.
        #[test]
        fn text_and_rack_change_alike_and_comments_stay(edits in prop::collection::vec(edit(), 0..20), inline in any::<bool>()) {
            let text = if inline {
                "slot = [{ name = \"bass\", plugin = \"clap:a\" }, { name = \"piano\", plugin = \"clap:b\" }] # two\n"
            } else {
                TEXT
            };
            let path = Path::new("r.toml");
            let (mut document, mut rack, _) = read(path, text).unwrap();
            for edit in &edits {
                document.apply(edit).unwrap();
                rack.apply(edit).unwrap();
            }
            let after = document.to_string();
            let (again, _) = parse::parse(path, &after).unwrap();
            prop_assert_eq!(&again, &rack, "{}", after);
            for edit in &edits {
                let line = serde_json::to_string(edit).unwrap();
                prop_assert_eq!(&serde_json::from_str::<RackEdit>(&line).unwrap(), edit);
            }
            let kept = ["# My rack.", "# not too loud", "# low", "# the old one", "colour = \"red\"", "# for now",
                "# below the middle", "# The end."];
            let kept: &[&str] = if inline { &["# two"] } else { &kept };
            for comment in kept {
                prop_assert!(after.contains(comment), "{comment} is gone: {after}");
            }
            if edits.is_empty() {
                prop_assert_eq!(after, text);
            }
        }
    }

    #[test]
    fn a_slot_that_is_not_there_cannot_be_changed() {
        let (mut document, mut rack, _) = read(Path::new("r.toml"), TEXT).unwrap();
        let edit = RackEdit::Bypass { slot: "drums".into(), bypassed: true };
        assert!(document.apply(&edit).is_err() && rack.apply(&edit).is_err());
        assert_eq!(document.to_string(), TEXT);
    }
}
