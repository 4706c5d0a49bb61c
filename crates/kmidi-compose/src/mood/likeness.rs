//! What a text feels, by the sentences of known feeling that it is nearest to.
use super::anchors::ANCHORS;
use super::model::{Opinion, Place};
use super::{Affect, AffectModel};

/// Likenesses are rounded to this: what differs from machine to machine is a hundred times smaller.
const LIKENESS_STEPS: f64 = 1000.0;
/// What valence, arousal and confidence are rounded to.
const STEPS: f64 = 100.0;
/// A text that is no nearer than this to any sentence is about something else.
const BAR: f64 = 0.35;
/// So much nearer than to a plain sentence it must be.
const ABOVE_NEUTRAL: f64 = 0.05;
/// How much surer the model is with each tenth of likeness above the bar, times ten.
const SLOPE: f64 = 2.5;
/// Spreads valence, which is drawn to the middle by all sentences that a text is a little like.
const SPREAD: f64 = 2.0;
/// What the model's valence weighs beside that of the words: on four corpora of rated texts both together are nearer to what people
/// say than either is alone (`benches/second_opinion.rs`).
const VALENCE_WEIGHT: f64 = 0.5;
/// What its arousal weighs: little, as sentences that are alike often differ in it; nothing was trained for it.
const AROUSAL_WEIGHT: f64 = 0.15;

/// A text as a direction of length 1.
type Embed = Box<dyn Fn(&str) -> Option<Vec<f32>> + Send>;

/// An [`AffectModel`] that compares a text with sentences whose feeling is known, by a model that makes directions of texts.
///
/// The same directions give the same opinion on every machine: they are rounded before anything is decided.
pub struct LikenessModel {
    name: String,
    embed: Embed,
    anchors: Vec<Anchor>,
}

struct Anchor {
    affect: Affect,
    sentence: &'static str,
    direction: Vec<f32>,
}

impl LikenessModel {
    /// With a model called `name`. It is asked for the sentences now and for each text later; where it fails then, it has no
    /// opinion.
    ///
    /// # Errors
    /// What `embed` says; it is asked for no more sentences then.
    pub fn new<E>(
        name: impl Into<String>,
        embed: impl Fn(&str) -> Result<Vec<f32>, E> + Send + 'static,
    ) -> Result<Self, E> {
        let sentences = ANCHORS.iter().flat_map(|(affect, sentences)| sentences.map(|it| (*affect, it)));
        let anchor = |(affect, sentence)| Ok(Anchor { affect, sentence, direction: embed(sentence)? });
        let anchors = sentences.map(anchor).collect::<Result<_, E>>()?;
        Ok(LikenessModel { name: name.into(), embed: Box::new(move |text| embed(text).ok()), anchors })
    }

    /// How near a text is to each sentence, in their order.
    fn likenesses(&self, text: &str) -> Option<Vec<f64>> {
        let direction = (self.embed)(text)?;
        let likeness = |anchor: &Anchor| {
            let products =
                direction.iter().zip(&anchor.direction).map(|(a, b)| f64::from(*a) * f64::from(*b));
            rounded(products.sum(), LIKENESS_STEPS)
        };
        let likenesses: Vec<f64> = self.anchors.iter().map(likeness).collect();
        likenesses.iter().all(|it| it.is_finite()).then_some(likenesses)
    }
}

impl AffectModel for LikenessModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn opinion(&self, text: &str) -> Option<Opinion> {
        let likenesses = self.likenesses(text)?;
        let all = || self.anchors.iter().zip(&likenesses);
        let nearest_of = |neutral: bool| {
            let those = all().filter(|(anchor, _)| (anchor.affect == Affect::Neutral) == neutral);
            // Of several that are as near, the first in the order of feelings.
            those.reduce(|best, it| if it.1 > best.1 { it } else { best })
        };
        let ((feeling, likeness), (_, plain)) = (nearest_of(false)?, nearest_of(true)?);
        let above = likeness - (plain + ABOVE_NEUTRAL).max(BAR);
        let (valence, arousal) = place(all());
        Some(Opinion {
            affect: feeling.affect,
            intensity: rounded((likeness * 1.25).clamp(0.0, 1.0), STEPS),
            confidence: rounded((0.5 + SLOPE * above).clamp(0.0, 1.0), STEPS),
            place: Some(Place {
                valence,
                valence_weight: VALENCE_WEIGHT,
                arousal,
                arousal_weight: AROUSAL_WEIGHT,
                nearest: feeling.sentence,
                likeness: *likeness,
            }),
        })
    }
}

/// Valence and arousal: the mean over all sentences, those that are nearer the more. A text that is as near to each of them is neither
/// pleasant nor unpleasant.
fn place<'a>(all: impl Iterator<Item = (&'a Anchor, &'a f64)>) -> (f64, f64) {
    let (mut valence, mut arousal, mut sum) = (0.0, 0.0, 0.0);
    let (mut every, mut count) = (0.0, 0.0);
    for (anchor, likeness) in all {
        // By multiplication, which is the same to the bit everywhere; the exponential is not.
        let weight = likeness.max(0.0) * likeness.max(0.0);
        let preset = anchor.affect.preset();
        valence += weight * preset.valence;
        arousal += weight * preset.arousal;
        sum += weight;
        every += preset.valence;
        count += 1.0;
    }
    if sum <= 0.0 {
        return (0.0, Affect::Neutral.preset().arousal);
    }
    let valence = (valence / sum - every / count) * SPREAD;
    (rounded(valence.clamp(-1.0, 1.0), STEPS), rounded((arousal / sum).clamp(0.0, 1.0), STEPS))
}

/// To a whole number of steps in 1; never -0.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which letters a text has, as a direction: enough to tell sentences apart.
    fn letters(text: &str) -> Result<Vec<f32>, ()> {
        let mut counts = vec![0.0_f32; 26 * 26];
        let letters: Vec<u8> = text.to_lowercase().bytes().filter(u8::is_ascii_lowercase).collect();
        for pair in letters.windows(2) {
            counts[usize::from(pair[0] - b'a') * 26 + usize::from(pair[1] - b'a')] += 1.0;
        }
        let length = counts.iter().map(|it| it * it).sum::<f32>().sqrt().max(1.0);
        Ok(counts.iter().map(|it| it / length).collect())
    }

    fn model() -> LikenessModel {
        LikenessModel::new("letters", letters).unwrap()
    }

    #[test]
    fn a_sentence_that_is_known_feels_what_it_is_known_for() {
        for (affect, sentences) in &ANCHORS[..Affect::COUNT - 1] {
            for sentence in sentences {
                let opinion = model().opinion(sentence).unwrap();
                assert_eq!(opinion.affect, *affect, "{sentence}");
                let place = opinion.place.unwrap();
                assert_eq!((place.nearest, place.likeness), (*sentence, 1.0));
                assert!(opinion.confidence > 0.5, "{sentence}: {opinion:?}");
            }
        }
        let plain = model().opinion("the machine has two buttons and a cable").unwrap();
        assert!(plain.confidence < 0.5, "{plain:?}");
    }

    #[test]
    fn pleasant_is_above_unpleasant_and_awake_above_asleep() {
        let place = |text: &str| model().opinion(text).unwrap().place.unwrap();
        let joy = place("we laugh and dance and have great fun");
        let grief = place("mourning at the grave after the funeral");
        assert!(joy.valence > 0.0 && grief.valence < 0.0, "{joy:?} {grief:?}");
        assert!(joy.arousal > grief.arousal);
    }

    #[test]
    fn directions_that_differ_by_what_machines_differ_give_the_same_opinion() {
        let shaken = |text: &str| -> Result<Vec<f32>, ()> {
            Ok(letters(text)?.iter().map(|it| it * (1.0 + 1e-7)).collect())
        };
        let shaken = LikenessModel::new("letters", shaken).unwrap();
        for text in ["we won", "heavy rain", "I wait", "nothing but tables and chairs"] {
            assert_eq!(shaken.opinion(text), model().opinion(text));
        }
        assert_ne!(model().opinion("we won"), model().opinion("we lost"));
    }

    #[test]
    fn a_model_that_fails_or_gives_no_numbers_has_no_opinion() {
        assert!(matches!(
            LikenessModel::new("none", |_: &str| Err::<Vec<f32>, _>("missing")),
            Err("missing")
        ));
        let strange = LikenessModel::new("strange", |_: &str| Ok::<_, ()>(vec![f32::NAN; 4])).unwrap();
        assert_eq!(strange.opinion("anything"), None);
        let nothing = LikenessModel::new("nothing", |_: &str| Ok::<_, ()>(vec![0.0; 4])).unwrap();
        let opinion = nothing.opinion("anything").unwrap();
        assert_eq!((opinion.confidence, opinion.place.unwrap().valence), (0.0, 0.0));
        let later = |text: &str| if text.len() > 100 { Err(()) } else { letters(text) };
        assert_eq!(LikenessModel::new("later", later).unwrap().opinion(&"x".repeat(101)), None);
    }
}
