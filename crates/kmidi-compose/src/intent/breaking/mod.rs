//! Breaking the rules: each changes a plan before there are notes, or a score, in exactly the way that it is named after.
//!
//! Nothing else changes: no note overlaps one of its own key, every note keeps its end, and the length stays, but for
//! [`Rule::DroppedBeats`], whose point it is.

mod arrangement;
mod harmony;
mod plan;
mod production;
mod rhythm;
mod tools;

#[cfg(test)]
mod tests;

use kmidi_song::Random;

use super::rule::Rule;
use crate::arrange::part::{BASS, CHORDS, DRUMS as DRUM_PART, MELODY};
use crate::plan::HarmonyPlan;
use crate::score::Score;
use crate::theory::Key;

/// Why a rule cannot be broken in this song.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbreakable {
    /// There is no such part, or it is silent.
    #[error("the song has no part called {0}; choose a mood or genre that has one, or another rule")]
    NoPart(&'static str),
    /// There is only one part.
    #[error("the song has one part only, and the rule is about two; choose another rule")]
    Alone,
    /// Too few bars.
    #[error("the song is too short: make it {0} bars or longer")]
    TooShort(u32),
    /// Sections that are the same in any order.
    #[error("the song has one section, or the same forwards and backwards; make it longer")]
    OneSection,
    /// No chords are known.
    #[error("the song has no chords; choose another rule")]
    NoChords,
    /// A bar of one beat has none to drop.
    #[error("bars of one beat have none to lose; choose another meter")]
    OneBeat,
    /// Sixteen channels, or the drum keys, are taken.
    #[error("all MIDI channels are taken; choose another rule")]
    NoChannel,
}

impl Rule {
    /// Whether it is broken in the plan, before there are notes.
    pub fn changes_plan(self) -> bool {
        matches!(
            self,
            Rule::AvoidTonicResolution
                | Rule::ModalInterchange
                | Rule::TritoneSubstitution
                | Rule::StructuralMismatch
                | Rule::PrematureClimax
        )
    }

    /// Breaks it in a plan and says what it did; `None` where it is broken in the notes. `[side B]`
    ///
    /// # Errors
    /// [`Unbreakable`], with the plan as it was.
    pub fn break_in_plan(self, plan: &mut HarmonyPlan) -> Result<Option<String>, Unbreakable> {
        match self {
            Rule::AvoidTonicResolution => plan::avoid_tonic_resolution(plan),
            Rule::ModalInterchange => plan::modal_interchange(plan),
            Rule::TritoneSubstitution => plan::tritone_substitution(plan),
            Rule::StructuralMismatch => plan::structural_mismatch(plan),
            Rule::PrematureClimax => plan::premature_climax(plan),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// Breaks it in the score that a plan was arranged to and says what it did; `None` where it is broken in the plan.
    /// `[side B]`
    ///
    /// # Errors
    /// [`Unbreakable`]; the score is then to be thrown away.
    pub fn break_in_score(
        self,
        score: &mut Score,
        plan: &HarmonyPlan,
    ) -> Result<Option<String>, Unbreakable> {
        self.in_score(score, plan.key, plan.seed)
    }

    fn in_score(self, score: &mut Score, key: Key, seed: u64) -> Result<Option<String>, Unbreakable> {
        match self {
            Rule::ParallelMotion => harmony::parallel_motion(score),
            Rule::Polytonality => harmony::polytonality(score),
            Rule::UnresolvedDissonance => harmony::unresolved_dissonance(score, key),
            Rule::ConstantDisplacement => rhythm::constant_displacement(score),
            Rule::TempoFluctuation => rhythm::tempo_fluctuation(score),
            Rule::MetricModulation => rhythm::metric_modulation(score),
            Rule::PolyrhythmicLayers => rhythm::polyrhythmic_layers(score),
            Rule::DroppedBeats => rhythm::dropped_beats(score),
            Rule::UnbalancedDynamics => arrangement::unbalanced_dynamics(score),
            Rule::BuriedVocals => arrangement::buried_vocals(score),
            Rule::ExtremeDynamicRange => arrangement::extreme_dynamic_range(score),
            Rule::ExcessiveMud => production::excessive_mud(score),
            // A stream of its own: whoever else draws from the seed draws other numbers.
            Rule::PitchImperfection => production::pitch_imperfection(score, &mut Random::new(!seed)),
            Rule::RoomNoise => production::room_noise(score),
            Rule::Distortion => production::distortion(score),
            Rule::MonoCollapse => production::mono_collapse(score),
            Rule::AvoidTonicResolution
            | Rule::ModalInterchange
            | Rule::TritoneSubstitution
            | Rule::StructuralMismatch
            | Rule::PrematureClimax => return Ok(None),
        }
        .map(Some)
    }
}
