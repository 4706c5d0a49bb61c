//! From words to a plan, over and over.
use super::{HarmonyPlan, OptionError, PlanOptions, Scales};
use crate::mood::{AffectModel, Mood, Reader, TextError};

/// From words to a plan, as often as you like: nothing in it grows. `[side B]`
///
/// A text, two scales and the options go in, a [`HarmonyPlan`] comes out; the same in gives the same out.
///
/// ```
/// use kmidi_compose::plan::TherapySession;
/// let mut session = TherapySession::default();
/// session.process_core_input("I am furious")?;
/// session.set_scales(7.0, 0.5);
/// let plan = session.generate_plan();
/// assert_eq!((plan.tempo_bpm, plan.length_bars, plan.key.to_string()), (130.0, 32, "C phrygian".to_owned()));
/// # Ok::<(), kmidi_compose::mood::TextError>(())
/// ```
#[derive(Default)]
pub struct TherapySession {
    reader: Reader,
    mood: Option<Mood>,
    scales: Scales,
    options: PlanOptions,
    model: Option<Box<dyn AffectModel + Send>>,
    /// What the text's plan has as seed if no option says another.
    seed: u64,
}

impl TherapySession {
    /// Asks this model for a second opinion on each text from now on; see [`AffectModel`] for when it decides.
    pub fn set_model(&mut self, model: Box<dyn AffectModel + Send>) {
        self.model = Some(model);
    }

    /// Reads a text. Its mood is that of the plans from now on; after an error, that is [`Mood::silence`].
    ///
    /// # Errors
    /// As [`crate::mood::read`]; but where only the language is unknown, the model may know it.
    pub fn process_core_input(&mut self, text: &str) -> Result<&Mood, TextError> {
        self.mood = None;
        let words = self.reader.read(text);
        let asked = matches!(words, Ok(_) | Err(TextError::NotEnglish { .. } | TextError::NoWords));
        let opinion = self.model.as_ref().filter(|_| asked).and_then(|model| {
            let opinion = model.opinion(text)?;
            Some((model.name().to_owned(), opinion))
        });
        let mut mood = match (words, &opinion) {
            (Ok(mood), Some((name, opinion))) if opinion.decides_over(&mood) => {
                opinion.mood(name.clone(), Some(mood))
            }
            (Ok(mood), _) => mood,
            (Err(_), Some((name, opinion))) if opinion.decides_over(&Mood::silence()) => {
                opinion.mood(name.clone(), None)
            }
            (Err(error), _) => return Err(error),
        };
        if let Some((name, opinion)) = opinion {
            opinion.moves(&mut mood, name);
        }
        self.seed = seed_of(text);
        Ok(self.mood.insert(mood))
    }

    /// Motivation 1 to 10 and chaos 0 to 1; values beyond are taken to the nearest, NaN leaves what was.
    /// [`Scales::new`] refuses both.
    pub fn set_scales(&mut self, motivation: f64, chaos: f64) {
        self.scales = self.scales.clamped(motivation, chaos);
    }

    /// What plans are asked to be from now on.
    ///
    /// # Errors
    /// An option cannot be met; then all are as before.
    pub fn set_options(&mut self, options: PlanOptions) -> Result<(), OptionError> {
        options.check()?;
        self.options = options;
        Ok(())
    }

    /// The mood of the last text.
    pub fn mood(&self) -> Mood {
        self.mood.clone().unwrap_or_else(Mood::silence)
    }

    /// The plan of the mood, the scales and the options as they are.
    pub fn generate_plan(&self) -> HarmonyPlan {
        let mut options = self.options.clone();
        let from_text = options.seed.is_none() && self.mood.is_some();
        if from_text {
            options.seed = Some(self.seed);
        }
        super::build::plan_from(self.mood(), self.scales, &options, from_text)
    }
}

/// FNV-1a of 32 bits (Fowler, Noll & Vo), so that a seed is a number that every reader of JSON keeps.
fn seed_of(text: &str) -> u64 {
    let hash = text
        .trim()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u64::from(hash)
}
