//! The model by which the library tells what texts mean.

use anyhow::Result;
use kmidi_library::{DIMENSIONS, Embed, EmbedError};
use kmidi_memory::Budgets;

/// What to do where it is not here.
pub const HOW_TO_GET_IT: &str =
    "`kmidi models fetch minilm` brings the model for meaning, then `kmidi index add`";

/// A model that is open.
pub enum Model {}

/// The model, if it is here.
pub fn open(_budgets: &Budgets) -> Result<Option<Model>> {
    Ok(None)
}

impl Embed for Model {
    fn id(&self) -> &str {
        match *self {}
    }

    fn embed(&mut self, _text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        match *self {}
    }
}
