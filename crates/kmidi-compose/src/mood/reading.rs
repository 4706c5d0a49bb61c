//! What a text feels, and by which of its words.
use serde::Serialize;

use super::{Affect, NamedMood};

/// What a text feels. `[side B]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mood {
    /// The strongest feeling; [`Affect::Neutral`] where none was recognised.
    pub primary: Affect,
    /// The second, where there is one.
    pub secondary: Option<Affect>,
    /// The part that the second has of both, 0 to 0.5.
    pub blend: f64,
    /// How strong the first is, 0 to 1.
    pub intensity: f64,
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f64,
    /// Asleep (0) to wide awake (1).
    pub arousal: f64,
    /// A shade of the first feeling that the text names: `Euphoria` is a [`Affect::Joy`] of its own mode and tempo.
    pub shade: Option<&'static NamedMood>,
    /// The words that decided, in the text's order; no more than [`Mood::MOST_EVIDENCE`].
    pub evidence: Vec<Evidence>,
    /// Words of the text.
    pub words: usize,
    /// Whether no word names the first feeling: it was inferred from how the text sounds, or from what it denies.
    #[serde(skip)]
    pub is_inferred: bool,
    /// The model that decided, where it was not the words.
    pub model: Option<String>,
    /// What a model made of the text that can place it; without one there is no such field where it is serialised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_opinion: Option<SecondOpinion>,
}

impl Mood {
    /// The most words that are kept as evidence; the rest counts too.
    pub const MOST_EVIDENCE: usize = 32;
    /// The longest text that is read, in characters: a dozen pages.
    pub const MOST_CHARACTERS: usize = 20_000;

    /// The mood of no text at all.
    pub fn silence() -> Self {
        Self::of(Affect::Neutral, 0.0)
    }

    /// One feeling, without a text.
    pub fn of(affect: Affect, intensity: f64) -> Self {
        Self {
            primary: affect,
            secondary: None,
            blend: 0.0,
            intensity: if intensity.is_nan() { 0.0 } else { intensity.clamp(0.0, 1.0) },
            valence: affect.preset().valence,
            arousal: affect.preset().arousal,
            shade: None,
            evidence: Vec::new(),
            words: 0,
            is_inferred: false,
            model: None,
            second_opinion: None,
        }
    }

    /// Whether no feeling was recognised.
    pub fn is_unknown(&self) -> bool {
        self.primary == Affect::Neutral
    }
}

/// What a model made of a text, beside what the words said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SecondOpinion {
    /// What the model is called.
    pub model: String,
    /// Whether the feeling is the model's; otherwise it is that of the words.
    pub decided: bool,
    /// The feeling that the text is nearest to.
    pub affect: Affect,
    /// How sure the model is of it, 0 to 1.
    pub confidence: f64,
    /// The sentence that the text is most like.
    pub nearest: &'static str,
    /// How much it is like that, up to 1.
    pub likeness: f64,
    /// Unpleasant (-1) to pleasant (1), for the model.
    pub valence: f64,
    /// What that weighs; the words have the rest.
    pub valence_weight: f64,
    /// The same for the words.
    pub valence_of_words: f64,
    /// Asleep (0) to wide awake (1), for the model.
    pub arousal: f64,
    /// What that weighs; the words have the rest.
    pub arousal_weight: f64,
    /// The same for the words.
    pub arousal_of_words: f64,
}

/// A word that speaks for a feeling, or would if it were not denied.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// As it stands in the text, in lower case.
    pub word: String,
    /// The feeling.
    pub affect: Affect,
    /// What it adds: 1 for a plain word, 0 for one that is denied.
    pub weight: f64,
    /// Why it weighs this much, in words; empty for a plain word.
    pub why: String,
}

/// A text that no mood can be read from; what to do about it stands in the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing, or blanks only.
    #[error("the text is empty: say in a sentence how it feels")]
    Empty,
    /// Longer than is read.
    #[error("the text has {characters} characters, {most} at most are read: say it shorter")]
    TooLong {
        /// Its length.
        characters: usize,
        /// The most there may be.
        most: usize,
    },
    /// No word in it: figures, signs, or emoji that are not known.
    #[error("the text has no words: say in a sentence how it feels")]
    NoWords,
    /// In another language, as far as can be told.
    #[error("the text seems to be {language}: only English is understood")]
    NotEnglish {
        /// The language, or the script.
        language: &'static str,
    },
}
