//! The model that is asked what a text feels, beside its words, where it has been fetched.

use std::sync::Arc;

use clap::Args;
use kmidi_compose::mood::LikenessModel;
use kmidi_memory::Budgets;
use kmidi_ml::embed::Embedder;
use kmidi_ml::model::{ModelError, ModelName};

use crate::models_flag::ModelsFlag;

/// What every command that reads feelings shares.
#[derive(Clone, Debug, Args)]
pub struct OpinionFlag {
    /// Go by words alone: do not ask the model minilm, though it has been fetched
    #[arg(long)]
    pub no_model: bool,
    #[command(flatten)]
    pub models: ModelsFlag,
}

impl OpinionFlag {
    /// The model, unless it is not wanted or not there. Where it is damaged or has no room, that is told, and words are enough.
    pub fn model(&self) -> Option<LikenessModel> {
        if self.no_model {
            return None;
        }
        let models = self.models.cache(&Budgets::default(), &[ModelName::MiniLm]);
        let embedder = Embedder::new(Arc::new(models));
        match LikenessModel::new("MiniLM", move |text| embedder.embed(text).map(|it| it.to_vec())) {
            Ok(model) => Some(model),
            Err(ModelError::Missing { .. }) => None,
            Err(error) => {
                eprintln!("kmidi: {error}; going by words alone");
                None
            }
        }
    }
}
