//! A second opinion on what a text feels.
use super::{Affect, Mood, SecondOpinion};

/// What a model makes of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opinion {
    /// The feeling.
    pub affect: Affect,
    /// How strong, 0 to 1.
    pub intensity: f64,
    /// How sure the model is, 0 to 1.
    pub confidence: f64,
    /// Where the text is on the plane of valence and arousal, from a model that can say so.
    pub place: Option<Place>,
}

/// How pleasant and how awake a text is, and how much that is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f64,
    /// What it weighs beside the valence of the words, 0 to 1.
    pub valence_weight: f64,
    /// Asleep (0) to wide awake (1).
    pub arousal: f64,
    /// What it weighs beside the arousal of the words, 0 to 1.
    pub arousal_weight: f64,
    /// What the text is most like.
    pub nearest: &'static str,
    /// How much it is like that, up to 1.
    pub likeness: f64,
}

/// Something that has an opinion on what a text feels: a neural network, a rule, a person.
///
/// It must give the same opinion for the same text, or the same seed no longer gives the same song. It is a second opinion: it decides
/// only what the words leave open, and only where it is at least half sure. Where words name a feeling, that is the first feeling, whatever
/// the model says; where they name two that weigh nearly the same, it may put the second first; where none is named, it says what is
/// felt. Who decided stands in the plan's reasons.
pub trait AffectModel {
    /// What it is called in the reasons of a plan.
    fn name(&self) -> &str;

    /// Its opinion; `None` where it has none.
    fn opinion(&self, text: &str) -> Option<Opinion>;
}

/// The part that the second of two feelings has of both, from which on words leave open which of them is the first.
const NEARLY_EVEN: f64 = 0.45;

/// What a model may decide beside what the words say.
enum Open {
    /// No word names a feeling.
    Anything,
    /// Two feelings weigh nearly the same: whether it is not rather the second.
    Second(Affect),
    /// The words speak clearly.
    Nothing,
}

impl Open {
    fn beside(words: &Mood) -> Self {
        match words.secondary {
            _ if words.is_unknown() || words.is_inferred => Open::Anything,
            Some(second) if words.blend >= NEARLY_EVEN => Open::Second(second),
            _ => Open::Nothing,
        }
    }
}

impl Opinion {
    /// Whether it comes before what the words say.
    pub(crate) fn decides_over(&self, words: &Mood) -> bool {
        self.confidence >= 0.5
            && match Open::beside(words) {
                Open::Anything => true,
                Open::Second(second) => self.affect == second,
                Open::Nothing => false,
            }
    }

    /// The mood of a text by this opinion; what the words said comes second.
    pub(crate) fn mood(&self, model: String, words: Option<Mood>) -> Mood {
        let mut mood = Mood::of(self.affect, self.intensity);
        mood.model = Some(model);
        if let Some(words) = words {
            let mut both = [Some(words.primary), words.secondary].into_iter().flatten();
            let second = both.find(|it| !matches!(*it, Affect::Neutral) && *it != self.affect);
            mood.secondary = second;
            mood.blend = second.map_or(0.0, |_| (1.0 - self.confidence).clamp(0.0, 0.5));
            (mood.valence, mood.evidence, mood.words) = (words.valence, words.evidence, words.words);
        }
        mood
    }

    /// Moves a mood to where the model has the text, as far as that weighs, and says so in it.
    pub(crate) fn moves(&self, mood: &mut Mood, model: String) {
        let Some(place) = self.place else { return };
        let between = |words: f64, model: f64, weight: f64| words + (model - words) * weight;
        mood.second_opinion = Some(SecondOpinion {
            decided: mood.model.is_some(),
            model,
            affect: self.affect,
            confidence: self.confidence,
            nearest: place.nearest,
            likeness: place.likeness,
            valence: place.valence,
            valence_weight: place.valence_weight,
            valence_of_words: mood.valence,
            arousal: place.arousal,
            arousal_weight: place.arousal_weight,
            arousal_of_words: mood.arousal,
        });
        mood.valence = between(mood.valence, place.valence, place.valence_weight);
        mood.arousal = between(mood.arousal, place.arousal, place.arousal_weight);
    }
}
