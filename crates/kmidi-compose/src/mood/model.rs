//! A second opinion on what a text feels.
use super::{Affect, Mood};

/// What a model makes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// The feeling.
    pub affect: Affect,
    /// How strong, 0 to 1.
    pub intensity: f64,
    /// How sure the model is, 0 to 1.
    pub confidence: f64,
}

/// Something that has an opinion on what a text feels: a neural network, a rule, a person.
///
/// It must give the same opinion for the same text, or the same seed no longer gives the same song. It decides where it is at least
/// half sure, and surer than the words: words are as sure as the part that their first feeling has of the first two, and not at all
/// where they name none. Who decided stands in the plan's reasons.
pub trait AffectModel {
    /// What it is called in the reasons of a plan.
    fn name(&self) -> &str;

    /// Its opinion; `None` where it has none.
    fn opinion(&self, text: &str) -> Option<Opinion>;
}

impl Opinion {
    /// Whether it comes before what the words say.
    pub(crate) fn decides_over(&self, words: &Mood) -> bool {
        let sure = if words.is_unknown() { 0.0 } else { 1.0 - words.blend };
        self.confidence >= 0.5 && self.confidence > sure
    }

    /// The mood of a text by this opinion; what the words said comes second.
    pub(crate) fn mood(&self, model: String, words: Option<Mood>) -> Mood {
        let mut mood = Mood::of(self.affect, self.intensity);
        mood.model = Some(model);
        if let Some(words) = words {
            let second = [Some(words.primary), words.secondary].into_iter().flatten();
            let second = second.into_iter().find(|it| !matches!(*it, Affect::Neutral) && *it != self.affect);
            mood.secondary = second;
            mood.blend = second.map_or(0.0, |_| (1.0 - self.confidence).clamp(0.0, 0.5));
            (mood.valence, mood.evidence, mood.words) = (words.valence, words.evidence, words.words);
        }
        mood
    }
}
