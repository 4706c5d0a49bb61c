//! Text as a vector: texts that mean nearly the same have vectors of nearly the same direction.

mod clean;
mod vocabulary;
mod wordpiece;

use std::sync::Arc;

use crate::model::{Input, ModelCache, ModelError, ModelName};

pub use wordpiece::Tokenizer;

/// Numbers of a vector.
pub const DIMENSIONS: usize = 384;

/// A direction of length 1.
pub type Embedding = [f32; DIMENSIONS];

/// Makes vectors of texts with `all-MiniLM-L6-v2`, which was trained on English sentences. `[side B]`, any thread.
///
/// The model is loaded when it is first used, and may be unloaded between two texts. Each text is run by itself: with others beside
/// it, it would wait for the longest one, and take as much more memory; it has the same vector whatever else is asked. On one machine that is
/// the same to the bit; machines with other instruction sets add in another order, and differ in the sixth digit.
pub struct Embedder {
    models: Arc<ModelCache>,
    tokenizer: Tokenizer,
}

impl Embedder {
    /// With the model of this cache; nothing is loaded yet.
    pub fn new(models: Arc<ModelCache>) -> Self {
        Embedder { models, tokenizer: Tokenizer::uncased() }
    }

    /// Whether the model has a piece for this word, in lower case: it has met it often.
    pub fn knows(&self, word: &str) -> bool {
        self.tokenizer.knows(word)
    }

    /// The vector of a text: of its first [`Tokenizer::MOST_PIECES`] pieces, a page or so.
    ///
    /// # Errors
    /// [`ModelError`]: the model has not been fetched, or there is no room for it.
    pub fn embed(&self, text: &str) -> Result<Embedding, ModelError> {
        let ids = self.tokenizer.ids(text);
        let model = self.models.get(ModelName::MiniLm)?;
        let outputs = model.run(&[Input::i32("input_ids", &[ids.len()], &ids)], &["token_embeddings"])?;
        let [pieces] = &outputs[..] else {
            return Err(strange("it has not the one output that was asked for"));
        };
        if pieces.shape != [ids.len(), DIMENSIONS] {
            return Err(strange("its output has another shape"));
        }
        mean(pieces.f32s()).ok_or_else(|| strange("its output has no direction"))
    }
}

/// A model whose files are right and which yet is another.
fn strange(reason: &str) -> ModelError {
    ModelError::Run { model: ModelName::MiniLm, reason: reason.to_owned() }
}

/// The direction of the sum of vectors that stand one behind the other; none where they cancel out.
fn mean(vectors: &[f32]) -> Option<Embedding> {
    let mut sum = [0.0_f64; DIMENSIONS];
    for vector in vectors.as_chunks::<DIMENSIONS>().0 {
        for (sum, value) in sum.iter_mut().zip(vector) {
            *sum += f64::from(*value);
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite()).then(|| sum.map(|value| (value / length) as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_has_length_one_and_the_direction_of_all() {
        let mut vectors = vec![0.0; 2 * DIMENSIONS];
        (vectors[0], vectors[DIMENSIONS + 1]) = (3.0, 4.0);
        let mean_of = mean(&vectors).unwrap();
        assert_eq!((mean_of[0], mean_of[1], mean_of[2]), (0.6, 0.8, 0.0));
        assert_eq!(mean(&[0.0; DIMENSIONS]), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[f32::INFINITY; DIMENSIONS]), None);
    }
}
