//! Which rules to break for a mood, and why.

use std::fmt;

use serde::Serialize;

use super::rule::{Example, Rule};
use super::schema::Intent;
use super::vocabulary::MoodName;
use crate::mood::{Affect, read};
use crate::theory::{nearest, shortened};

/// A rule and why to break it.
type Row = (Rule, &'static str);

use Rule as R;

fn for_mood(mood: MoodName) -> &'static [Row] {
    match mood {
        MoodName::Grief => &[
            (R::AvoidTonicResolution, "grief does not come to an end when a phrase does"),
            (R::UnresolvedDissonance, "what was not said stays in the room"),
            (R::BuriedVocals, "a voice that can hardly speak"),
            (R::PitchImperfection, "nobody grieves in perfect tune"),
            (R::TempoFluctuation, "breath comes and fails"),
        ],
        MoodName::Joy => &[
            (R::ModalInterchange, "joy that knows of something else is deeper"),
            (R::PolyrhythmicLayers, "more than one thing dances"),
            (R::TempoFluctuation, "nobody runs evenly for joy"),
            (R::PrematureClimax, "joy does not wait for the last chorus"),
        ],
        MoodName::Nervousness => &[
            (R::ConstantDisplacement, "nothing is quite where the foot expects it"),
            (R::DroppedBeats, "a heart that skips"),
            (R::UnresolvedDissonance, "it never lets go"),
            (R::MetricModulation, "the pulse runs off on its own"),
        ],
        MoodName::Defiance => &[
            (R::ParallelMotion, "the forbidden fifths, because they are forbidden"),
            (R::Distortion, "louder than what carries it"),
            (R::StructuralMismatch, "not in the order that was asked for"),
            (R::UnbalancedDynamics, "one voice that will not be turned down"),
        ],
        MoodName::Liberation => &[
            (R::ExtremeDynamicRange, "the door opens and everything is there at once"),
            (R::MetricModulation, "time itself changes its step"),
            (R::ModalInterchange, "light from a key that was closed"),
        ],
        MoodName::Longing => &[
            (R::AvoidTonicResolution, "home is seen and not reached"),
            (R::UnresolvedDissonance, "every phrase leans towards what does not come"),
            (R::ModalInterchange, "for a moment it looks possible"),
            (R::PitchImperfection, "reaching bends the pitch"),
        ],
        MoodName::Rage => &[
            (R::Distortion, "more than the sound can hold"),
            (R::ParallelMotion, "everything moves as one fist"),
            (R::DroppedBeats, "no patience for the last beat"),
            (R::ExtremeDynamicRange, "what was held back breaks out"),
            (R::Polytonality, "no common ground is left"),
        ],
        MoodName::Acceptance => &[
            (R::ModalInterchange, "the dark chord may be there too"),
            (R::RoomNoise, "the world goes on, and may be heard"),
            (R::PrematureClimax, "the worst is over; this is after it"),
            (R::PitchImperfection, "as it is, uncorrected"),
        ],
        MoodName::Nostalgia => &[
            (R::RoomNoise, "a place that can be heard and not visited"),
            (R::ModalInterchange, "the minor fourth of every farewell"),
            (R::TempoFluctuation, "memory runs slow and fast"),
            (R::MonoCollapse, "as from an old radio"),
        ],
        MoodName::Dissociation => &[
            (R::BuriedVocals, "one's own voice from far away"),
            (R::MonoCollapse, "the world as a flat picture"),
            (R::ConstantDisplacement, "body and mind a moment apart"),
            (R::Polytonality, "two worlds that do not meet"),
        ],
        MoodName::TriumphantHope => &[
            (R::ModalInterchange, "hope that has seen the dark is earned"),
            (R::ExtremeDynamicRange, "from a whisper to all voices"),
            (R::ParallelMotion, "all march together"),
        ],
        MoodName::Bittersweet => &[
            (R::ModalInterchange, "both modes in one phrase"),
            (R::AvoidTonicResolution, "it ends, and is not over"),
            (R::TritoneSubstitution, "the way home by a stranger road"),
            (R::TempoFluctuation, "wanting to stay, having to go"),
        ],
        MoodName::Melancholy => &[
            (R::UnresolvedDissonance, "a sadness without a cause has no cadence"),
            (R::BuriedVocals, "spoken more to oneself than to anybody"),
            (R::RoomNoise, "rain, an empty room"),
            (R::AvoidTonicResolution, "it goes round and arrives nowhere"),
        ],
        MoodName::Euphoria => &[
            (R::PolyrhythmicLayers, "too much at once, gladly"),
            (R::MetricModulation, "it lifts off into another tempo"),
            (R::ExtremeDynamicRange, "no upper limit"),
            (R::PrematureClimax, "it cannot wait"),
        ],
        MoodName::Desperation => &[
            (R::Distortion, "the voice gives out and goes on"),
            (R::DroppedBeats, "running out of time"),
            (R::ExcessiveMud, "no air"),
            (R::UnresolvedDissonance, "every way out is closed"),
        ],
        MoodName::Serenity => &[
            (R::RoomNoise, "silence has a sound"),
            (R::ParallelMotion, "as plain as old chant"),
            (R::TempoFluctuation, "as breath goes"),
            (R::AvoidTonicResolution, "nothing needs to arrive"),
        ],
        MoodName::Confusion => &[
            (R::Polytonality, "two keys, and no telling which is right"),
            (R::MetricModulation, "the ground moves"),
            (R::StructuralMismatch, "the end comes first"),
            (R::PolyrhythmicLayers, "counting does not help"),
            (R::DroppedBeats, "something is missing, and what was it"),
        ],
        MoodName::Determination => &[
            (R::ParallelMotion, "nothing steps aside"),
            (R::MonoCollapse, "one point in view"),
            (R::UnbalancedDynamics, "one thing matters, the rest may be soft"),
            (R::PolyrhythmicLayers, "its own step against the rest"),
        ],
    }
}

fn for_affect(affect: Affect) -> &'static [Row] {
    match affect {
        Affect::Grief => for_mood(MoodName::Grief),
        Affect::Rage => for_mood(MoodName::Rage),
        Affect::Awe => &[
            (R::ExtremeDynamicRange, "what is vast has no middle size"),
            (R::ParallelMotion, "stone, organum, height"),
            (R::Polytonality, "larger than one key"),
            (R::MetricModulation, "another measure of time"),
        ],
        Affect::Nostalgia => for_mood(MoodName::Nostalgia),
        Affect::Fear | Affect::Tension => for_mood(MoodName::Nervousness),
        Affect::Dissociation => for_mood(MoodName::Dissociation),
        Affect::Defiance => for_mood(MoodName::Defiance),
        Affect::Tenderness => &[
            (R::TempoFluctuation, "it breathes with somebody"),
            (R::PitchImperfection, "a voice near the ear is never exact"),
            (R::RoomNoise, "the same room"),
            (R::ModalInterchange, "one shadow makes it warmer"),
        ],
        Affect::Confusion => for_mood(MoodName::Confusion),
        Affect::Joy => for_mood(MoodName::Joy),
        Affect::Calm => for_mood(MoodName::Serenity),
        Affect::Hope => for_mood(MoodName::TriumphantHope),
        Affect::Triumph => for_mood(MoodName::Liberation),
        Affect::Love => &[
            (R::PitchImperfection, "love that is honest is not polished"),
            (R::TritoneSubstitution, "a softer way home"),
            (R::TempoFluctuation, "two hearts do not keep one tempo"),
            (R::ModalInterchange, "it might be lost, and both know"),
        ],
        Affect::Longing => for_mood(MoodName::Longing),
        Affect::Melancholy => for_mood(MoodName::Melancholy),
        Affect::Gratitude => for_mood(MoodName::Acceptance),
        Affect::Neutral => &[
            (R::ModalInterchange, "a colour, where there was none"),
            (R::TempoFluctuation, "a sign of life"),
            (R::DroppedBeats, "something to stumble over"),
        ],
    }
}

/// Rules to break for a mood. `[side B]`
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestions {
    /// The mood as it is called here.
    pub mood: &'static str,
    /// At least three, the best first.
    pub rules: Vec<Suggestion>,
}

/// A rule to break, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// The rule.
    pub rule: Rule,
    /// What breaking it does.
    pub effect: &'static str,
    /// Why it fits the mood.
    pub reason: &'static str,
    /// A justification to start from.
    pub justification: String,
    /// Who has done it.
    pub examples: &'static [Example],
}

/// A word by which no mood is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no mood is known by \"{word}\"; {}there are {}", meant(.nearest), moods())]
pub struct UnknownMood {
    /// The word, as much as is worth showing.
    pub word: String,
    /// What was perhaps meant.
    pub nearest: Option<&'static str>,
}

fn meant(nearest: &Option<&'static str>) -> String {
    nearest.map_or(String::new(), |name| format!("did you mean {name}? "))
}

fn moods() -> String {
    MoodName::ALL.iter().map(|mood| mood.name()).collect::<Vec<_>>().join(", ")
}

/// Rules to break for a mood: one of the eighteen, an affect, or words that a mood can be read from (`furious`).
///
/// # Errors
/// [`UnknownMood`] if no mood is in the words.
pub fn suggest(mood: &str) -> Result<Suggestions, UnknownMood> {
    suggest_for(mood, &Intent::default())
}

/// As [`suggest`], with justifications in the words of an intent.
///
/// # Errors
/// [`UnknownMood`] if no mood is in the words.
pub fn suggest_for(mood: &str, intent: &Intent) -> Result<Suggestions, UnknownMood> {
    let (name, rows) = rows(mood)?;
    let rules = rows.iter().map(|(rule, reason)| Suggestion {
        rule: *rule,
        effect: rule.meaning(),
        reason,
        justification: rule.justification(intent),
        examples: rule.examples(),
    });
    Ok(Suggestions { mood: name, rules: rules.collect() })
}

fn rows(mood: &str) -> Result<(&'static str, &'static [Row]), UnknownMood> {
    if let Some(mood) = MoodName::named(mood) {
        return Ok((mood.name(), for_mood(mood)));
    }
    let named = Affect::all().find(|affect| super::names::same(affect.name(), mood));
    let felt = || read(mood).ok().filter(|mood| !mood.is_unknown()).map(|mood| mood.primary);
    if let Some(affect) = named.or_else(felt) {
        return Ok((affect.name(), for_affect(affect)));
    }
    let names = MoodName::ALL.iter().map(|mood| mood.name()).chain(Affect::all().map(Affect::name));
    Err(UnknownMood { word: shortened(mood.trim()), nearest: nearest(mood, names) })
}

impl Rule {
    /// The moods that it is suggested for.
    pub fn moods(self) -> impl Iterator<Item = MoodName> {
        MoodName::ALL
            .iter()
            .copied()
            .filter(move |mood| for_mood(*mood).iter().any(|(rule, _)| *rule == self))
    }
}

impl fmt::Display for Suggestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "rules to break for {}", self.mood)?;
        for suggestion in &self.rules {
            writeln!(f, "\n{}", suggestion.rule)?;
            writeln!(f, "  effect        {}", suggestion.effect)?;
            writeln!(f, "  feels like    {}", suggestion.rule.feeling())?;
            writeln!(f, "  because       {}", suggestion.reason)?;
            writeln!(f, "  to say so     {}", suggestion.justification)?;
            for example in suggestion.examples {
                writeln!(f, "  heard in      {}: {} ({})", example.artist, example.work, example.how)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mood_and_every_affect_has_three_different_rules_with_reasons_or_more() {
        let rows = MoodName::ALL.iter().map(|mood| for_mood(*mood)).chain(Affect::all().map(for_affect));
        for rows in rows {
            let rules: BTreeSet<Rule> = rows.iter().map(|(rule, _)| *rule).collect();
            assert!(rules.len() >= 3 && rules.len() == rows.len(), "{rows:?}");
            assert!(rows.iter().all(|(_, reason)| !reason.is_empty()));
        }
        for rule in Rule::ALL {
            assert!(rule.moods().next().is_some(), "{rule} is never suggested");
        }
    }

    #[test]
    fn a_mood_is_found_by_its_name_in_any_spelling() {
        assert_eq!(suggest("triumphant-hope").unwrap().mood, "Triumphant Hope");
        assert_eq!(suggest("TENDERNESS").unwrap().mood, "tenderness");
        let text = suggest("grief").unwrap().to_string();
        assert!(text.contains("HARMONY_AvoidTonicResolution") && text.contains("Fleetwood Mac"), "{text}");
    }

    #[test]
    fn an_unknown_word_is_said_to_be_one() {
        let error = suggest("nostalgai").unwrap_err();
        assert_eq!(error.nearest, Some("Nostalgia"));
        assert!(error.to_string().contains("did you mean Nostalgia?"), "{error}");
        for word in ["", "xyzzy", "\u{1b}[2J", &"a".repeat(100_000)] {
            let error = suggest(word).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}') && error.to_string().len() < 500);
        }
    }
}
