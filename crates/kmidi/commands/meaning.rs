//! The model by which the library tells what texts mean.

use std::sync::Arc;

use kmidi_library::{DIMENSIONS, Embed, EmbedError};
use kmidi_memory::Budgets;
use kmidi_ml::embed::Embedder;
use kmidi_ml::model::{ModelError, ModelName};

use crate::models_flag::ModelsFlag;

/// What to do where it is not here.
pub const HOW_TO_GET_IT: &str =
    "`kmidi models fetch minilm` brings the model for meaning, then `kmidi index add`";

/// A model that is open.
pub struct Model {
    embedder: Embedder,
    id: String,
}

/// What there is of a model.
pub enum Opened {
    Here(Box<Model>),
    /// It has not been fetched.
    Missing,
    /// It is damaged or has no room: that has been told, with what helps.
    Told,
}

impl Opened {
    pub fn model(&mut self) -> Option<&mut Model> {
        match self {
            Opened::Here(model) => Some(model),
            Opened::Missing | Opened::Told => None,
        }
    }
}

/// The model, if it is here. Where it is damaged or has no room, that is told, and words are enough.
pub fn open(flag: &ModelsFlag, budgets: &Budgets) -> Opened {
    let models = Arc::new(flag.cache(budgets, &[ModelName::MiniLm]));
    match models.get(ModelName::MiniLm) {
        Ok(_) => {}
        Err(ModelError::Missing { .. }) => return Opened::Missing,
        Err(error) => {
            eprintln!("kmidi: {error}; going by words alone");
            return Opened::Told;
        }
    }
    // Vectors of other files are others, whatever the model is called.
    let files = &models.entry(ModelName::MiniLm).files;
    let hashes: Vec<&str> = files.iter().map(|file| file.sha256.get(..12).unwrap_or(&file.sha256)).collect();
    let id = format!("{} {}", ModelName::MiniLm, hashes.join(" "));
    Opened::Here(Box::new(Model { embedder: Embedder::new(models), id }))
}

impl Embed for Model {
    fn id(&self) -> &str {
        &self.id
    }

    fn knows(&self, word: &str) -> bool {
        self.embedder.knows(word)
    }

    fn embed(&mut self, text: &str) -> Result<[f32; DIMENSIONS], EmbedError> {
        self.embedder.embed(text).map_err(|error| EmbedError(error.into()))
    }
}
