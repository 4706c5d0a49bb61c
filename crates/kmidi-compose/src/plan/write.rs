//! A plan for people and for programs.
use std::fmt;

use kmidi_core::Meter;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::HarmonyPlan;
use crate::analysis::count_of_bars;
use crate::theory::{Chord, Roman};

impl HarmonyPlan {
    /// Its chords as Roman numerals.
    pub fn numerals(&self) -> Vec<String> {
        self.progression.iter().map(|chord| Roman::of(chord, self.key).to_string()).collect()
    }
}

/// Symbols with the bar lines between them, where there are any.
fn in_bars(plan: &HarmonyPlan) -> String {
    let symbols = symbols(&plan.progression);
    if plan.chords_of_bars.iter().sum::<usize>() != symbols.len() {
        return symbols.join(" ");
    }
    let mut rest = &symbols[..];
    let bar = |count: &usize| {
        let (bar, later) = rest.split_at(*count);
        rest = later;
        if bar.is_empty() { "/".to_owned() } else { bar.join(" ") }
    };
    plan.chords_of_bars.iter().map(bar).collect::<Vec<_>>().join(" | ")
}

fn meter(meter: Meter) -> String {
    format!("{}/{}", meter.numerator, meter.denominator())
}

fn symbols(chords: &[Chord]) -> Vec<String> {
    chords.iter().map(ToString::to_string).collect()
}

impl fmt::Display for HarmonyPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mood.primary)?;
        if let Some(secondary) = self.mood.secondary {
            write!(f, " with {secondary}")?;
        }
        writeln!(f, ", intensity {:.2}, valence {:+.2}", self.mood.intensity, self.mood.valence)?;
        let (key, tempo, bars) = (self.key, self.tempo_bpm, self.length_bars);
        writeln!(f, "{key}, {tempo} bpm, {} of {}", count_of_bars(bars), meter(self.meter))?;
        writeln!(f, "{}   ({})", in_bars(self), self.numerals().join(" "))?;
        for section in &self.sections {
            let contrast = if section.contrast { ", other chords" } else { "" };
            writeln!(
                f,
                "  {:10} {:>8}, tension {:.2}{contrast}",
                section.kind,
                count_of_bars(section.bars),
                section.tension
            )?;
        }
        writeln!(f, "Why:")?;
        for reason in &self.reasons {
            writeln!(f, "  {}: {}", reason.what, reason.because)?;
        }
        Ok(())
    }
}

impl Serialize for HarmonyPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut plan = serializer
            .serialize_struct("HarmonyPlan", 25 + usize::from(self.mood.second_opinion.is_some()))?;
        plan.serialize_field("affect", &self.mood.primary)?;
        plan.serialize_field("secondary", &self.mood.secondary)?;
        plan.serialize_field("blend", &self.mood.blend)?;
        plan.serialize_field("intensity", &self.mood.intensity)?;
        plan.serialize_field("valence", &self.mood.valence)?;
        plan.serialize_field("arousal", &self.mood.arousal)?;
        plan.serialize_field("shade", &self.mood.shade)?;
        plan.serialize_field("model", &self.mood.model)?;
        // Only where there is one: without a model, plans are what they always were.
        if let Some(opinion) = &self.mood.second_opinion {
            plan.serialize_field("second_opinion", opinion)?;
        }
        plan.serialize_field("evidence", &self.mood.evidence)?;
        plan.serialize_field("key", &self.key.tonic)?;
        plan.serialize_field("mode", self.key.scale.name())?;
        plan.serialize_field("tempo_bpm", &self.tempo_bpm)?;
        plan.serialize_field("meter", &meter(self.meter))?;
        plan.serialize_field("length_bars", &self.length_bars)?;
        plan.serialize_field("complexity", &self.complexity)?;
        plan.serialize_field("vulnerability", &self.vulnerability)?;
        plan.serialize_field("progression", &symbols(&self.progression))?;
        plan.serialize_field("numerals", &self.numerals())?;
        plan.serialize_field("chords_of_bars", &self.chords_of_bars)?;
        plan.serialize_field("contrast", &symbols(&self.contrast))?;
        plan.serialize_field("chords_per_bar", &self.character.chords_per_bar)?;
        plan.serialize_field("sections", &self.sections)?;
        plan.serialize_field("character", &self.character)?;
        plan.serialize_field("reasons", &self.reasons)?;
        plan.serialize_field("seed", &self.seed)?;
        plan.end()
    }
}
