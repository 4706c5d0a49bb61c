//! Vectors by the text that they stand for: those of the index that is there, and those that are new.

use std::collections::HashMap;

use crate::DIMENSIONS;
use crate::file::{IndexError, IndexFile, ModelId, Section};
use crate::vectors::Packed;

#[derive(Default)]
pub(super) struct Vectors {
    model: ModelId,
    old: Option<IndexFile>,
    /// Row in the old index.
    rows: HashMap<u128, u32>,
    new: HashMap<u128, Box<Packed>>,
}

impl Vectors {
    /// Those of an index.
    pub fn of(old: IndexFile) -> Result<Self, IndexError> {
        let model = old.model_id();
        let mut rows = HashMap::new();
        if !model.is_none() {
            let hashes = old.read_section(Section::TextHashes)?;
            for (row, hash) in (0..).zip(hashes.as_chunks::<16>().0) {
                // What was written without a model has none.
                if old.vector(row).is_some_and(|(_, scale)| scale > 0.0) {
                    rows.insert(u128::from_le_bytes(*hash), row);
                }
            }
        }
        Ok(Vectors { model, old: Some(old), rows, new: HashMap::new() })
    }

    pub fn model(&self) -> ModelId {
        self.model
    }

    /// From now on this model makes them; whether those of another one were given up.
    pub fn use_model(&mut self, model: ModelId) -> bool {
        if self.model == model {
            return false;
        }
        *self = Vectors { model, ..Vectors::default() };
        true
    }

    pub fn has(&self, text: u128) -> bool {
        self.new.contains_key(&text) || self.rows.contains_key(&text)
    }

    /// How many are not in the index yet.
    pub fn new_ones(&self) -> usize {
        self.new.len()
    }

    pub fn put(&mut self, text: u128, vector: &[f32; DIMENSIONS]) {
        self.new.insert(text, Box::new(Packed::of(vector)));
    }

    /// The vector of a text; that which is like nothing where there is none.
    pub fn get(&self, text: u128) -> Packed {
        if let Some(new) = self.new.get(&text) {
            return (**new).clone();
        }
        let old = self.rows.get(&text).and_then(|row| self.old.as_ref()?.vector(*row));
        old.map_or(Packed::NONE, |(numbers, scale)| Packed { numbers: *numbers, scale })
    }
}
