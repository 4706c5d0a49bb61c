//! All feelings in a table, for people and programs.
use serde::Serialize;

use super::lexicon::table::WORDS;
use super::{Affect, Character, NamedMood};
use crate::theory::{Chord, Key, Letter, PitchName};

/// What is known of a feeling.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Emotion {
    /// The feeling.
    pub name: Affect,
    /// Unpleasant (-1) to pleasant (1).
    pub valence: f64,
    /// Asleep (0) to wide awake (1).
    pub arousal: f64,
    /// Quarter notes a minute.
    pub tempo_bpm: Tempo,
    /// Modes that suit it, and how well; the first is the one that plans have.
    pub modes: Vec<Mode>,
    /// Its chords, in C.
    pub progression: Vec<Chord>,
    /// How tension goes through a piece.
    pub curve: &'static str,
    /// 0 to 1: how open.
    pub vulnerability: f64,
    /// The rest of its music.
    pub character: Character,
    /// Moods that are shades of it.
    pub shades: Vec<&'static str>,
    /// Words that speak for it, the strongest first.
    pub words: Vec<&'static str>,
    /// Where the figures are from.
    pub source: &'static str,
}

/// A range of tempo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tempo {
    /// Slowest.
    pub min: f64,
    /// Fastest.
    pub max: f64,
    /// What plans begin with.
    pub suggested: f64,
}

/// A mode and how well it suits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mode {
    /// Its name.
    pub name: &'static str,
    /// 0 to 1; those of a feeling add up to 1.
    pub weight: f64,
}

/// Every feeling, in order. `[side B]`
pub fn emotions() -> Vec<Emotion> {
    Affect::all().map(emotion).collect()
}

fn emotion(affect: Affect) -> Emotion {
    let preset = affect.preset();
    let key = Key::new(PitchName::new(Letter::C, 0), preset.scale);
    let (min, max) = preset.tempo_range_bpm;
    let words =
        WORDS.iter().filter(|(of, ..)| *of == affect).flat_map(|(.., words)| words.split_ascii_whitespace());
    Emotion {
        name: affect,
        valence: preset.valence,
        arousal: preset.arousal,
        tempo_bpm: Tempo { min, max, suggested: preset.base_tempo_bpm },
        modes: preset.modes.iter().map(|&(scale, weight)| Mode { name: scale.name(), weight }).collect(),
        progression: preset.progression.iter().map(|step| step.in_key(key)).collect(),
        curve: preset.curve.name(),
        vulnerability: preset.vulnerability,
        character: preset.character,
        shades: NamedMood::all().iter().filter(|mood| mood.affect == affect).map(|mood| mood.name).collect(),
        words: words.map(|word| word.trim_start_matches('=')).collect(),
        source: preset.source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_same_every_time_and_has_the_figures_of_the_presets() {
        let all = emotions();
        assert_eq!(all, emotions());
        let grief = serde_json::to_value(&all[0]).unwrap();
        assert_eq!(grief["name"], "grief");
        assert_eq!(grief["modes"][0]["name"], "aeolian");
        assert_eq!(grief["progression"], serde_json::json!(["Cm", "Ab", "Fm", "Cm"]));
        assert_eq!(
            grief["character"]["register"],
            serde_json::json!({ "low": 48, "high": 72, "centre": 58 })
        );
        assert_eq!(grief["character"]["feel"], "behind");
        for emotion in &all {
            let sum: f64 = emotion.modes.iter().map(|mode| mode.weight).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{}", emotion.name);
            assert!(emotion.tempo_bpm.min < emotion.tempo_bpm.max);
        }
    }
}
