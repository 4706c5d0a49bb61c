//! Spelling to phones, a word at a time: an encoder reads the letters, a decoder says a phone a step.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Input, Model, ModelCache, ModelName, Tensor};

use super::PhonemeError;
use super::ipa::Phone;
use super::text::Word;
use super::vocabulary::Vocabulary;

/// Most symbols of one word; the decoder may not end by itself.
const MAX_SYMBOLS: usize = 32;

/// Both models.
pub(super) struct Speller<'a> {
    encoder: Arc<Model>,
    decoder: Arc<Model>,
    vocabulary: &'a Vocabulary,
    /// A text says many words more than once.
    known: HashMap<String, Vec<Phone>>,
}

impl<'a> Speller<'a> {
    /// Loads them if they are not there.
    ///
    /// # Errors
    /// The models cannot be had.
    pub fn new(models: &ModelCache, vocabulary: &'a Vocabulary) -> Result<Self, PhonemeError> {
        let encoder = models.get(ModelName::HamaG2pEncoder)?;
        let decoder = models.get(ModelName::HamaG2pDecoder)?;
        Ok(Speller { encoder, decoder, vocabulary, known: HashMap::new() })
    }

    /// The phones of a word.
    ///
    /// # Errors
    /// It has no letter that the models know.
    pub fn phones(&mut self, word: &Word) -> Result<Vec<Phone>, PhonemeError> {
        let mut phones = vec![];
        for spoken in &word.spoken {
            if let Some(known) = self.known.get(spoken) {
                phones.extend_from_slice(known);
                continue;
            }
            let symbols = self.symbols(spoken)?;
            let said = self.vocabulary.phones(symbols);
            phones.extend_from_slice(&said);
            self.known.insert(spoken.clone(), said);
        }
        if phones.is_empty() { Err(PhonemeError::Unreadable { word: word.text.clone() }) } else { Ok(phones) }
    }

    /// The symbols that the decoder says for one spelled word.
    pub(super) fn symbols(&self, spelled: &str) -> Result<Vec<u16>, PhonemeError> {
        // No more than the word: the runtime reads all that it is given, padding too, backwards as well.
        let ids: Vec<i32> = letters(spelled).map(|it| self.vocabulary.letter(it)).collect();
        if ids.iter().all(|it| *it == self.vocabulary.unknown_letter()) {
            return Err(PhonemeError::Unreadable { word: spelled.to_owned() });
        }
        let (length, shape) = ([ids.len() as i32], [1, ids.len()]);
        let inputs = [Input::i32("input_ids", &shape, &ids), Input::i32("input_lengths", &[1], &length)];
        let outputs = ["encoder_outputs", "projected_keys", "hidden", "encoder_mask", "prev_attn"];
        let encoded = self.encoder.run(&inputs, &outputs)?;
        let [read, keys, hidden, mask, attention] = &encoded[..] else { return Err(PhonemeError::shape()) };
        self.decode([read, keys, mask], hidden, attention)
    }

    fn decode(
        &self,
        [read, keys, mask]: [&Tensor; 3],
        hidden: &Tensor,
        attention: &Tensor,
    ) -> Result<Vec<u16>, PhonemeError> {
        let length = *read.shape.get(1).ok_or_else(PhonemeError::shape)?;
        let positions: Vec<f32> = (0..length).map(|it| it as f32).collect();
        let shape = [1, length];
        let (mut hidden, mut attention) = (hidden.clone(), attention.clone());
        let mut said = vec![];
        let mut last = [self.vocabulary.start()];
        for _ in 0..MAX_SYMBOLS {
            let inputs = [
                Input::i32("decoder_input_ids", &[1, 1], &last),
                Input::f32("encoder_outputs", &read.shape, read.f32s()),
                Input::f32("projected_keys", &keys.shape, keys.f32s()),
                Input::i32("encoder_mask", &mask.shape, mask.i32s()),
                Input::f32("prev_attn", &attention.shape, attention.f32s()),
                Input::f32("hidden", &hidden.shape, hidden.f32s()),
                Input::f32("positions", &shape, &positions),
            ];
            let stepped = self.decoder.run(&inputs, &["next_token_ids", "hidden_out", "prev_attn_out"])?;
            let [next, new_hidden, new_attention] =
                <[Tensor; 3]>::try_from(stepped).map_err(|_| PhonemeError::shape())?;
            (hidden, attention) = (new_hidden, new_attention);
            last = [*next.i32s().first().ok_or_else(PhonemeError::shape)?];
            if last[0] == self.vocabulary.end() {
                break;
            }
            said.extend(u16::try_from(last[0]));
        }
        Ok(said)
    }
}

/// The symbols of these words.
///
/// # Errors
/// The models cannot be had, or a word has no letter.
pub(crate) fn spelled(models: &ModelCache, words: &[&str]) -> Result<Vec<Vec<u16>>, PhonemeError> {
    let vocabulary = Vocabulary::parse(&models.read(ModelName::HamaG2pEncoder, "g2p_vocab.json")?)?;
    let speller = Speller::new(models, &vocabulary)?;
    words.iter().map(|word| speller.symbols(word)).collect()
}

/// First letter of Hangul's blocks.
const HANGUL: u32 = 0xac00;

/// Letters as the model reads them: small, and Hangul's blocks taken apart.
fn letters(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase).flat_map(|letter| {
        let parts = match u32::from(letter).checked_sub(HANGUL) {
            Some(block) if block < 11_172 => {
                let tail = block % 28;
                let part = |base: u32, number: u32| char::from_u32(base + number);
                let tail = if tail == 0 { None } else { part(0x11a7, tail) };
                [part(0x1100, block / 588), part(0x1161, block % 588 / 28), tail]
            }
            _ => [Some(letter), None, None],
        };
        parts.into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use kmidi_memory::Budgets;

    use super::*;
    use crate::model::ModelFolders;

    /// Words, and what the models' own package says of them, symbol by symbol.
    const SPELLINGS: &str = include_str!("../../../../tests/data/speech/spellings.tsv");

    #[test]
    fn words_are_spelled_out_as_the_models_own_package_does() {
        let models = ModelCache::new(Budgets::default(), ModelFolders::default());
        let file = models.read(ModelName::HamaG2pEncoder, "g2p_vocab.json").unwrap();
        let vocabulary = Vocabulary::parse(&file).unwrap();
        let tokens: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let speller = Speller::new(&models, &vocabulary).unwrap();
        let mut others = vec![];
        for line in SPELLINGS.lines() {
            let (word, expected) = line.split_once('\t').unwrap();
            let symbols = speller.symbols(word).unwrap();
            let said: Vec<&str> =
                symbols.iter().map(|it| tokens["decoder"][usize::from(*it)].as_str().unwrap()).collect();
            if said.join(" ") != expected {
                others.push(format!("{word}: {} for {expected}", said.join(" ")));
            }
        }
        assert!(SPELLINGS.lines().count() > 300);
        assert_eq!(others, [""; 0]);
    }

    #[test]
    fn hangul_is_taken_apart_and_latin_made_small() {
        assert_eq!(letters("Ab'c").collect::<String>(), "ab'c");
        assert_eq!(letters("한").collect::<Vec<_>>(), ['\u{1112}', '\u{1161}', '\u{11ab}']);
        assert_eq!(letters("가").collect::<Vec<_>>(), ['\u{1100}', '\u{1161}']);
    }
}
