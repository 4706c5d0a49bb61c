//! A second opinion on what a text feels.
use super::Affect;

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
/// It must give the same opinion for the same text, or the same seed no longer gives the same song.
pub trait AffectModel {
    /// What it is called in the reasons of a plan.
    fn name(&self) -> &str;

    /// Its opinion; `None` where it has none.
    fn opinion(&self, text: &str) -> Option<Opinion>;
}
