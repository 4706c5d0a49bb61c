//! From words to a plan, over and over.
use super::{HarmonyPlan, PlanOptions, Scales};
use crate::mood::{AffectModel, Mood, TextError};

/// From words to a plan, as often as you like: nothing in it grows. `[side B]`
///
/// A text, two scales and the options go in, a [`HarmonyPlan`] comes out; the same in gives the same out.
pub struct TherapySession {
    mood: Mood,
    scales: Scales,
    options: PlanOptions,
    model: Option<Box<dyn AffectModel + Send>>,
}

impl TherapySession {
    /// Reads a text. Its mood is that of the plans from now on; after an error, that is silence.
    pub fn process_core_input(&mut self, _text: &str) -> Result<&Mood, TextError> {
        unimplemented!("signature first")
    }

    /// Motivation 1 to 10 and chaos 0 to 1; values beyond are taken to the nearest, NaN leaves what was.
    pub fn set_scales(&mut self, _motivation: f64, _chaos: f64) {
        unimplemented!("signature first")
    }

    /// The plan of the mood, the scales and the options as they are.
    pub fn generate_plan(&self) -> HarmonyPlan {
        unimplemented!("signature first")
    }
}
